"""Measurements of what is promised about time: `python -m benchmarks [NAME …]`, or `make bench` for all of them."""
