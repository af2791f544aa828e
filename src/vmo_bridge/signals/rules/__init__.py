"""The built-in rules, one a file. Pure: query results in, findings out."""
