"""A Jira over HTTP with the agency's development in it: Cloud and Data Center."""
