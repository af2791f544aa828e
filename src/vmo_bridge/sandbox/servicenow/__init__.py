"""A local ServiceNow: tables, interfaces, sign-in, faults and record pages."""
