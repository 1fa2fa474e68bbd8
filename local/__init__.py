"""What runs on one machine: the simulated Exchange organisation, the local stack and the demo."""
