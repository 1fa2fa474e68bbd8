"""How the functions talk to AWS: short time-outs, since a function's time is short, and botocore's own retries."""

from __future__ import annotations

from botocore.config import Config


def client_config() -> Config:
    """Return the configuration of every AWS client: 3 s to connect, 10 s to answer, 4 attempts."""
    return Config(
        connect_timeout=3,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 4},
        max_pool_connections=16,
    )
