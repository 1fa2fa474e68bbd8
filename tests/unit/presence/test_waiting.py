from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.waiting import LONGEST_WAIT, wait_until_due

DUE = datetime(2026, 11, 23, 10, tzinfo=UTC)


class World:
    """A clock that sleeping moves, not always by as much as was asked for."""

    def __init__(self, early: float, factors: Iterator[float] | None = None) -> None:
        self.now = DUE - timedelta(seconds=early)
        self.slept: list[float] = []
        self._factors = factors or repeat(1.0)

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += max(timedelta(seconds=seconds * next(self._factors)), timedelta(microseconds=1))

    def wait(self) -> bool:
        return wait_until_due(DUE, self.clock, self.sleep)


@pytest.mark.parametrize("early", [0.000001, 0.5, 2, 2.999, 3])
def test_it_waits_to_the_instant_and_not_longer(early: float) -> None:
    world = World(early)
    assert world.wait()
    assert world.now == DUE


@pytest.mark.parametrize("early", [0, -0.000001, -86_400])
def test_what_is_due_is_not_waited_for(early: float) -> None:
    world = World(early)
    assert world.wait()
    assert world.slept == []


@pytest.mark.parametrize("early", [3.000001, 60, 86_400 * 365])
def test_what_is_too_far_off_is_not_waited_for_at_all(early: float) -> None:
    world = World(early)
    assert not world.wait()
    assert world.slept == []


@given(st.floats(0.001, 3), st.lists(st.floats(0.01, 1.0), min_size=30, max_size=30))
def test_it_is_never_early_though_sleeps_end_early(early: float, factors: list[float]) -> None:
    world = World(early, iter([*factors, *repeat(1.0, 50)]))
    assert world.wait()
    assert world.now >= DUE


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(-10, 10)), min_size=1, max_size=20))
def test_whatever_the_clock_does_it_is_never_early_and_no_sleep_is_longer_than_three_seconds(
    jumps: list[tuple[float, float]],
) -> None:
    now = DUE - timedelta(seconds=jumps[0][0])
    left = iter(jumps)

    def sleep(seconds: float) -> None:
        nonlocal now
        assert 0 < seconds <= LONGEST_WAIT.total_seconds()
        _, jump = next(left, (0.0, 20.0))
        now += timedelta(seconds=seconds + jump)

    if wait_until_due(DUE, lambda: now, sleep):
        assert now >= DUE
    else:
        assert DUE - now > LONGEST_WAIT


def test_a_clock_that_is_set_back_by_an_hour_does_not_make_it_sleep_an_hour() -> None:
    world = World(2, iter([-1800.0]))

    def sleep(seconds: float) -> None:
        world.slept.append(seconds)
        world.now -= timedelta(hours=1)

    assert not wait_until_due(DUE, world.clock, sleep)
    assert world.slept == [2.0]
