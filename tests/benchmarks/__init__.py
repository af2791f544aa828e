"""Measures the bridge beside other ways to the same end: ``make bench``, see docs/benchmarks.md."""
