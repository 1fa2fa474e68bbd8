from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.errors import CalendarPresenceError
from presence.messages import TransitionRequest, decode_transition_request
from presence.records import PresenceRecord
from presence.tables.presences import ComingTransition, shard_of
from presence.transition_queue import TICK_LOOKS_AHEAD, WRITER_LOOKS_AHEAD, TransitionQueue, delay_until
from tests.support.memory import MemoryQueue
from tests.support.records import available_record

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
TRACE = f"00-{'1' * 32}-{'2' * 16}-01"
SHARDS = 4


def user_id(number: int) -> str:
    return f"{number:08x}" + "0" * 24


def after(seconds: float) -> datetime:
    return TEN + timedelta(seconds=seconds)


def record(number: int, next_at: datetime | None) -> PresenceRecord:
    return available_record(user_id(number), TEN, next_at)


def queued(*transitions: ComingTransition, now: datetime = TEN) -> list[tuple[TransitionRequest, int]]:
    queue = MemoryQueue()
    TransitionQueue(queue, SHARDS).queue(transitions, now, TRACE)
    return [(decode_transition_request(message.body), message.delay) for message in queue.take()]


def test_users_of_one_second_and_shard_are_one_request() -> None:
    requests = queued(*(ComingTransition(user_id(number * SHARDS), after(60)) for number in range(100)))
    assert requests == [
        (TransitionRequest(after(60), 0, tuple(user_id(number * SHARDS) for number in range(100)), TRACE), 58)
    ]


def test_no_request_holds_more_than_a_hundred_users() -> None:
    requests = queued(*(ComingTransition(user_id(number * SHARDS), after(60)) for number in range(250)))
    assert [len(request.user_ids) for request, _ in requests] == [100, 100, 50]


def test_different_seconds_and_shards_are_different_requests_the_earliest_first() -> None:
    requests = queued(
        ComingTransition(user_id(1), after(61)),
        ComingTransition(user_id(4), after(60)),
        ComingTransition(user_id(5), after(60)),
    )
    assert [(request.due, request.shard, request.user_ids) for request, _ in requests] == [
        (after(60), 0, (user_id(4),)),
        (after(60), 1, (user_id(5),)),
        (after(61), 1, (user_id(1),)),
    ]


def test_a_fraction_of_a_second_is_rounded_up_and_never_down() -> None:
    requests = queued(ComingTransition(user_id(0), after(60.001)), ComingTransition(user_id(4), after(61)))
    assert [(request.due, request.user_ids) for request, _ in requests] == [(after(61), (user_id(0), user_id(4)))]


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 10)), unique=True, max_size=300))
def test_each_transition_is_in_exactly_one_request_of_its_second_and_shard(pairs: list[tuple[int, int]]) -> None:
    transitions = [ComingTransition(user_id(number), after(second)) for number, second in pairs]
    found = []
    for request, _ in queued(*transitions):
        found += [ComingTransition(each, request.due) for each in request.user_ids]
        assert {shard_of(each, SHARDS) for each in request.user_ids} == {request.shard}
    assert sorted(found, key=str) == sorted(transitions, key=str)


@pytest.mark.parametrize(
    ("seconds", "delay"),
    [
        (-3600, 0),
        (0, 0),
        (1.9, 0),
        (2, 0),
        (2.999, 0),
        (3, 1),
        (3.999, 1),
        (62, 60),
        (150.5, 148),
        (902, 900),
        (10**6, 900),
    ],
)
def test_the_queue_holds_a_request_back_until_two_seconds_before_it_is_due(seconds: float, delay: int) -> None:
    assert delay_until(after(seconds), TEN) == delay


@given(st.floats(-1000, 100_000))
def test_a_request_comes_at_least_two_seconds_early_and_at_most_three_unless_it_is_late_already(seconds: float) -> None:
    """Three are what the function waits, so a request that comes on time is never put back."""
    early = (after(seconds) - TEN).total_seconds() - delay_until(after(seconds), TEN)
    assert early >= 2 or delay_until(after(seconds), TEN) == 0
    assert early < 3 or seconds > 900


def test_who_writes_a_record_queues_what_is_due_soon_on_it() -> None:
    queue = MemoryQueue()
    edge = WRITER_LOOKS_AHEAD.total_seconds()
    records = [
        record(0, after(-30)),
        record(1, after(edge - 0.001)),
        record(2, after(edge)),
        record(3, None),
        record(4, after(5)),
    ]
    assert TransitionQueue(queue, SHARDS).queue_soon(records, TEN, TRACE) == 3
    requests = [decode_transition_request(message.body) for message in queue.take()]
    assert {each for request in requests for each in request.user_ids} == {user_id(0), user_id(1), user_id(4)}
    assert {request.traceparent for request in requests} == {TRACE}


def test_a_writer_with_nothing_due_soon_sends_nothing() -> None:
    queue = MemoryQueue()
    queue.refuses = True
    assert TransitionQueue(queue, SHARDS).queue_soon([record(1, None), record(2, after(3600))], TEN, TRACE) == 0


def test_a_queue_that_refuses_is_an_error_for_the_writer() -> None:
    queue = MemoryQueue()
    queue.refuses = True
    with pytest.raises(CalendarPresenceError):
        TransitionQueue(queue, SHARDS).queue_soon([record(1, after(5))], TEN, TRACE)


@given(st.floats(0, 600), st.floats(0, 400), st.sampled_from([60.0, 75.0, 90.0]))
def test_what_is_written_just_after_a_tick_looked_is_queued_by_the_writer_or_seen_by_a_later_tick(
    written: float, ahead: float, between: float
) -> None:
    """Ticks look each minute, or half a minute late; what they looked at they never look at again."""
    due = written + ahead
    ticks = [between * number for number in range(80)]
    looks = TICK_LOOKS_AHEAD.total_seconds()
    last_looked_through = max(tick for tick in ticks if tick <= written) + looks
    queue = MemoryQueue()
    by_the_writer = TransitionQueue(queue, SHARDS).queue_soon([record(1, after(due))], after(written), TRACE) == 1
    by_a_tick = due >= last_looked_through and any(tick > written and due <= tick + looks for tick in ticks)
    assert by_the_writer or by_a_tick or due > ticks[-1]
