"""What the product makes of each fault that an Exchange, or the network on the way to it, may have: `make faults`."""
