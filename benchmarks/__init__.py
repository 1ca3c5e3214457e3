"""Measurements of what graphc makes and of graphc itself; see docs/benchmarks.md."""
