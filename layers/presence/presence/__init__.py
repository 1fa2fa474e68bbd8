"""What every function of Calendar Presence has: the domain (pure) and the adapters to AWS."""
