"""The time in which mailboxes may be looked for is divided among their domains."""

from __future__ import annotations

import math
import threading

import pytest

from exchange.autodiscover.turns import Turns


class Monotonic:
    """A clock that goes on when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


def test_two_thirds_of_a_read_are_for_finding_whoever_hangs(monotonic: Monotonic) -> None:
    turns = Turns(1, 136.0, monotonic)

    assert turns.end_at == 124.0
    assert turns.next_ends_at(again=False) == 124.0
    assert not turns.are_over
    monotonic.now = 124.0
    assert (turns.are_over, turns.seconds_left) == (True, 0.0)


def test_who_hangs_uses_up_an_equal_share(monotonic: Monotonic) -> None:
    turns = Turns(4, 136.0, monotonic)

    for ends_at in (106.0, 112.0, 118.0, 124.0):
        assert turns.next_ends_at(again=False) == ends_at
        monotonic.now = ends_at


def test_what_a_turn_leaves_over_is_for_those_who_come_after(monotonic: Monotonic) -> None:
    turns = Turns(3, 136.0, monotonic)

    turns.next_ends_at(again=False)
    monotonic.now = 102.0
    assert turns.next_ends_at(again=False) == 113.0


def test_of_very_many_domains_the_first_have_a_turn_that_is_long_enough(monotonic: Monotonic) -> None:
    turns = Turns(100, 136.0, monotonic)

    ends = []
    for _ in range(13):
        monotonic.now = turns.next_ends_at(again=False)
        ends.append(monotonic.now)

    assert ends == pytest.approx([102.0 + 2 * number for number in range(12)] + [124.0])


def test_who_used_up_a_turn_before_gets_half_of_what_is_left(monotonic: Monotonic) -> None:
    turns = Turns(3, 136.0, monotonic)

    for ends_at in (112.0, 118.0, 124.0):
        assert turns.next_ends_at(again=True) == ends_at
        monotonic.now = ends_at


def test_a_read_without_an_end_has_turns_without_one(monotonic: Monotonic) -> None:
    turns = Turns(2, math.inf, monotonic)

    assert turns.seconds_left == threading.TIMEOUT_MAX, "more than that none can be made to wait"
    assert [turns.next_ends_at(again=True), turns.next_ends_at(again=False)] == [math.inf, math.inf]
