"""TLS: verified connections, or what is wrong with which certificate."""
