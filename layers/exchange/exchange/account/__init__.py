"""A gateway's account: how it proves itself, and when it rests."""
