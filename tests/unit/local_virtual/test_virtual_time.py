"""Virtual time: what happens in which order, and who sleeps while others go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.virtual.virtual_time import VirtualTime

START = datetime(2026, 10, 29, tzinfo=UTC)


def second(count: float) -> datetime:
    return START + timedelta(seconds=count)


def test_things_happen_in_order_of_time_and_then_of_planning() -> None:
    time = VirtualTime(START)
    seen: list[tuple[str, datetime]] = []
    for name, at in (("later", 5), ("first", 1), ("second", 1), ("beyond", 11)):
        time.at(second(at), lambda name=name: seen.append((name, time.now())))  # type: ignore[misc]
    time.run_until(second(10))
    assert seen == [("first", second(1)), ("second", second(1)), ("later", second(5))]
    assert time.now() == second(10)


def test_what_should_have_happened_already_happens_at_once_and_the_clock_never_goes_back() -> None:
    time = VirtualTime(second(10))
    seen: list[datetime] = []
    time.at(second(5), lambda: seen.append(time.now()))
    time.run_until(second(20))
    assert seen == [second(10)]


def test_others_go_on_while_an_activity_sleeps() -> None:
    time = VirtualTime(START)
    seen: list[str] = []

    def sleeper(name: str, seconds: float) -> None:
        time.sleep(seconds)
        seen.append(f"{name} at {(time.now() - START).total_seconds():g}")

    time.at(second(1), lambda: time.start(lambda: sleeper("long", 5)))
    time.at(second(2), lambda: time.start(lambda: sleeper("short", 1)))
    time.at(second(4), lambda: seen.append("awake"))
    time.run_until(second(10))
    assert seen == ["short at 3", "awake", "long at 6"]


def test_an_activity_that_sleeps_past_the_end_is_not_waited_for() -> None:
    time = VirtualTime(START)
    seen: list[str] = []

    def sleeper() -> None:
        time.sleep(60)
        seen.append("awake")

    time.start(sleeper)
    time.run_until(second(10))
    assert seen == []
    time.run_until(second(60))
    assert seen == ["awake"]


def test_what_an_activity_raises_reaches_who_lets_time_run() -> None:
    time = VirtualTime(START)

    def fail() -> None:
        time.sleep(1)
        raise ValueError("broken")

    time.at(second(1), lambda: time.start(fail))
    with pytest.raises(ValueError, match="broken"):
        time.run_until(second(10))


def test_only_an_activity_may_sleep() -> None:
    with pytest.raises(RuntimeError, match="activity"):
        VirtualTime(START).sleep(1)
