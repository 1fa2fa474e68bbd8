"""How the functions talk to AWS: short time-outs, since a function's time is short, and botocore's own retries."""

from __future__ import annotations

from botocore.config import Config


def impatient_config() -> Config:
    """Return the configuration of a client for what can be done without: 1 s to connect, 1 s to answer, one attempt."""
    return Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})


def client_config() -> Config:
    """Return the configuration of every AWS client: 3 s to connect, 10 s to answer, 4 attempts."""
    return Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=16,
    )
