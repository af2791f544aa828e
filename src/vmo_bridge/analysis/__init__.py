"""Portable SQL over the documented views, run by an embedded engine."""
