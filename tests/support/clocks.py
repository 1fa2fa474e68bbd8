"""A clock for tests, which stands still until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Clock:
    """Tells `now`, which a test sets or lets pass."""

    def __init__(self, now: datetime = TEN) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let seconds pass: what a function is given to sleep with."""
        self.now += timedelta(seconds=seconds)

    def pass_minutes(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)
