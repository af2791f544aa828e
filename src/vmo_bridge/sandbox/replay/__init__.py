"""A recorded ServiceNow audit log, replayed as an instance of the sandbox."""
