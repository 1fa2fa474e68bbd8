"""When the schedules tick."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.stack.schedules import pause


@pytest.mark.parametrize(
    ("second", "microsecond", "seconds"), [(0, 0, 60.0), (0, 250_000, 59.75), (45, 0, 15.0), (59, 999_000, 0.001)]
)
def test_ticks_that_are_aligned_come_at_whole_minutes(second: int, microsecond: int, seconds: float) -> None:
    now = datetime(2026, 11, 21, 14, 0, second, microsecond, tzinfo=UTC)
    assert pause(60.0, now) == pytest.approx(seconds, abs=1e-6)


def test_others_come_after_their_pause() -> None:
    assert pause(3.0, None) == 3.0
