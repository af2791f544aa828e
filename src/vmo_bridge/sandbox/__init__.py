"""A local ServiceNow over HTTP and the made-up agency it serves, for the demo and the tests."""
