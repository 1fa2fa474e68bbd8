"""Reads are told apart by a name of their own, which also spreads the waits of those that come back later."""

from __future__ import annotations

import uuid

_DIGITS = 8


def new_read() -> str:
    """Return a name that no other read has: 32 hexadecimal digits."""
    return uuid.uuid4().hex


def number_of(read: str) -> int:
    """Return a number from 0 to 2^32-1 that is as random as the name."""
    return int(read[:_DIGITS], 16)


def spread_wait(read: str, shortest: float, longest: float) -> float:
    """Return seconds between two bounds, others for each read, so that not all that wait come back at once."""
    return shortest + (longest - shortest) * int(read[-_DIGITS:], 16) / 0xFFFFFFFF
