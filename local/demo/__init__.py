"""The demo: the whole system on one machine, watched and judged by an oracle of its own."""
