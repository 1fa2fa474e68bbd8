"""Measurements of what is promised of time and cost: `python -m benchmarks [NAME …]`, all of them by `make bench`."""
