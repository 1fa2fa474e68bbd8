"""How much a gateway is asked at once, and when not at all, over all instances of the functions."""
