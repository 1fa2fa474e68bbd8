"""The clock at the edge; everything inside takes it as an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def system_clock() -> datetime:
    """Return the present instant, in UTC."""
    return datetime.now(UTC)
