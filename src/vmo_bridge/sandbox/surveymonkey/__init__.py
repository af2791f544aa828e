"""A SurveyMonkey over HTTP with the agency's surveys in it."""
