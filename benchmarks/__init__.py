"""Measurements of what is promised about time and cost: `python -m benchmarks [NAME …]`, or `make bench` for all of them."""
