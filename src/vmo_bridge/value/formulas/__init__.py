"""The built-in KPIs, one a file. Pure: SQL over the documented views and what it means."""
