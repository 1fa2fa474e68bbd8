"""The schedule of transitions, told as stories in time: ticks that come on time, late, twice and not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from presence.errors import CalendarPresenceError
from presence.messages import decode_transition_request
from presence.transition_queue import TransitionQueue
from presence.transition_schedule import ScheduledTransitions, TransitionSchedule
from tests.support.memory import MemoryConfigTable, MemoryPresenceTable, MemoryQueue
from tests.support.records import available_record

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
TRACE = f"00-{'1' * 32}-{'2' * 16}-01"


def minute(number: float) -> datetime:
    return TEN + timedelta(minutes=number)


class Transitions:
    """A schedule of transitions over records in memory. Two shards, since the table in memory is slow to search."""

    def __init__(self) -> None:
        self.presences = MemoryPresenceTable(shards=2)
        self.state = MemoryConfigTable()
        self.queue = MemoryQueue()
        self.schedule = TransitionSchedule(self.presences, self.state, TransitionQueue(self.queue, 2), 2)

    def falls_due(self, number: int, at: datetime) -> None:
        record = self.presences.get_many([f"{number:032x}"]).found.get(f"{number:032x}")
        record = record or available_record(f"{number:032x}", TEN)
        assert self.presences.write(replace(record, until=at, next_at=at)) is not None

    def apply(self, number: int) -> None:
        """Let apply_transitions have done its work on a user."""
        record = self.presences.get_many([f"{number:032x}"]).found[f"{number:032x}"]
        assert self.presences.write(replace(record, next_at=None)) is not None

    def tick(self, now: datetime) -> Mapping[int, datetime]:
        """Let a tick come; return who was queued for when."""
        counted = self.schedule.tick(now, TRACE)
        queued = {
            int(user_id, 16): request.due
            for request in (decode_transition_request(message.body) for message in self.queue.take())
            for user_id in request.user_ids
        }
        assert counted.coming + counted.overdue == len(queued)
        return queued


@pytest.fixture
def transitions() -> Transitions:
    return Transitions()


def seconds(number: float) -> datetime:
    return TEN + timedelta(seconds=number)


def test_what_falls_due_in_the_coming_150_seconds_is_queued(transitions: Transitions) -> None:
    for number, due in enumerate([0, 30, 149, 150, 151, 3600]):
        transitions.falls_due(number, seconds(due))
    assert transitions.tick(TEN) == {0: TEN, 1: seconds(30), 2: seconds(149)}


@pytest.mark.parametrize("jitter", [0, 7, 29])
def test_each_transition_is_queued_once_across_ticks_and_before_its_second(
    transitions: Transitions, jitter: int
) -> None:
    times = {number: seconds(number * 4.25) for number in range(150)}
    for number, due in times.items():
        transitions.falls_due(number, due)
    queued: Counter[int] = Counter()
    for tick in range(12):
        now = minute(tick - 1) + timedelta(seconds=jitter * (tick % 2))
        for number, due in list(times.items()):
            if due <= now:
                transitions.apply(number)
                del times[number]
        for number, due in transitions.tick(now).items():
            assert number in times
            assert due - now <= timedelta(seconds=151)
            queued[number] += 1
    assert queued == Counter(range(150))


def test_a_transition_that_was_lost_is_queued_again_and_no_sooner_than_it_is_certain(transitions: Transitions) -> None:
    transitions.falls_due(1, seconds(30))
    assert transitions.tick(TEN) == {1: seconds(30)}
    assert transitions.tick(seconds(39)) == {}
    assert transitions.tick(seconds(60)) == {1: seconds(30)}
    transitions.apply(1)
    assert transitions.tick(seconds(120)) == {}


def test_the_first_tick_of_a_stack_finds_what_is_overdue(transitions: Transitions) -> None:
    transitions.falls_due(1, minute(-2))
    assert transitions.schedule.tick(TEN, TRACE) == ScheduledTransitions(coming=0, overdue=1)


@pytest.mark.parametrize("missed", [1, 2, 5, 17])
def test_ticks_that_did_not_come_are_caught_up(transitions: Transitions, missed: int) -> None:
    transitions.tick(TEN)
    times = {number: seconds(155 + number * 20) for number in range(3 * missed)}
    for number, due in times.items():
        transitions.falls_due(number, due)
    now = minute(missed + 1)
    expected = {number: due for number, due in times.items() if due < now + timedelta(seconds=150)}
    assert transitions.tick(now) == expected


def test_a_tick_whose_queue_refuses_moves_no_mark(transitions: Transitions) -> None:
    transitions.tick(TEN)
    noted = transitions.state.state("transitions")
    transitions.falls_due(1, seconds(170))
    transitions.queue.refuses = True
    with pytest.raises(CalendarPresenceError):
        transitions.tick(minute(1))
    assert transitions.state.state("transitions") == noted
    transitions.queue.refuses = False
    assert transitions.tick(minute(2)) == {1: seconds(170)}


def test_after_a_long_stop_everything_is_found_and_each_tick_does_a_bounded_part(transitions: Transitions) -> None:
    transitions.tick(TEN)
    hours = {number: minute(20 + 60 * number) for number in range(9)}
    for number, due in hours.items():
        transitions.falls_due(number, due)
    now = minute(10 * 60)
    found: dict[int, datetime] = {}
    largest = 0
    for tick in range(8):
        queued = transitions.tick(now + timedelta(minutes=tick))
        largest = max(largest, len(queued))
        for number in queued:
            transitions.apply(number)
        found.update(queued)
    assert found == hours
    assert largest <= 3


def test_what_is_coming_is_on_time_even_while_a_long_stop_is_caught_up(transitions: Transitions) -> None:
    transitions.tick(TEN)
    now = minute(24 * 60)
    transitions.falls_due(1, now + timedelta(seconds=20))
    assert transitions.tick(now) == {1: now + timedelta(seconds=20)}


def test_one_transition_that_can_never_be_applied_does_not_hide_others_that_were_lost(transitions: Transitions) -> None:
    transitions.falls_due(1, TEN)
    for tick in range(1, 300):
        transitions.tick(minute(tick))
    transitions.falls_due(2, minute(300))
    transitions.tick(minute(299.5))
    assert transitions.tick(minute(301)) == {2: minute(300)}


def test_a_transition_that_can_never_be_applied_is_given_up_after_an_hour(transitions: Transitions) -> None:
    """Else it would bring a dead letter each minute for ever."""
    transitions.falls_due(1, TEN)
    last = max(tick for tick in range(1, 120) if 1 in transitions.tick(minute(tick)))
    assert 55 <= last <= 65


def test_an_outage_of_half_an_hour_loses_no_transition(transitions: Transitions) -> None:
    """Queued again each minute while apply_transitions fails, so that it is applied as soon as that works again."""
    transitions.falls_due(1, TEN)
    for tick in range(1, 31):
        assert transitions.tick(minute(tick)) == {1: TEN}


def test_a_clock_that_was_set_back_loses_nothing(transitions: Transitions) -> None:
    transitions.tick(minute(10))
    transitions.falls_due(1, minute(14))
    queued = [number for tick in range(5, 20) for number in transitions.tick(minute(tick))]
    assert 1 in queued


@pytest.mark.parametrize("mark", ["yesterday", "", "2026-11-23T10:00:00"])
def test_marks_that_can_not_be_read_do_not_stop_the_schedule(transitions: Transitions, mark: str) -> None:
    transitions.state.put_state("transitions", {"queuedThrough": mark, "lookBackFrom": mark})
    transitions.falls_due(1, seconds(30))
    assert transitions.tick(TEN) == {1: seconds(30)}
