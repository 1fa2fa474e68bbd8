from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from presence.automatic_replies import NO_REPLIES, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, Window
from presence.commands import UseCalendar
from presence.decisions import after_command
from presence.errors import Problem, ProblemKind, UsersFailed
from presence.freshness import Rules
from presence.knowledge import CalendarUse
from presence.messages import (
    CheckReason,
    decode_check_request,
    decode_transition_request,
)
from presence.presences import UNKNOWN, Activity, Availability, Presence
from presence.profiles import BUILT_IN, DEFAULT
from tests.support.checked import (
    ALICE,
    AVAILABLE,
    BOB,
    BUSY,
    CAROL,
    ENDPOINT,
    TEN,
    Exchange,
    Hints,
    Records,
    World,
    busy,
    problem,
    request_for,
    user,
)
from tests.support.memory import MemoryQueue


@pytest.fixture
def world() -> World:
    return World(Records(), MemoryQueue(), MemoryQueue(), Hints(), Exchange())


def test_a_hundred_users_are_one_question_and_a_second_check_writes_nothing(world: World) -> None:
    users = [user(number) for number in range(100)]
    assert world.check(*users).written == 100
    assert len(world.exchange.asked) == 1
    world.now += timedelta(minutes=5)
    assert world.check(*users).written == 0
    assert world.records.writes == 100


def test_the_window_is_from_an_hour_ago_to_a_day_ahead_in_whole_minutes(world: World) -> None:
    world.check(ALICE)
    minute = TEN.replace(second=0)
    assert world.exchange.asked[0][1] == Window(minute - timedelta(hours=1), minute + timedelta(hours=24))


def test_one_users_failure_costs_the_others_nothing(world: World) -> None:
    world.exchange.calendars = {
        ALICE.address: (busy(-60, 600),),
        BOB.address: problem(ProblemKind.LASTING),
        CAROL.address: problem(),
    }
    summary = world.check(ALICE, BOB, CAROL)
    assert world.records.of(ALICE).presence == BUSY
    assert world.records.of(BOB).presence == UNKNOWN
    assert world.records.of(CAROL).presence == UNKNOWN
    assert summary.problems == {"ErrorServerBusy": 2}
    assert summary.unread == 1  # Carol is asked for again before her next turn


def test_who_fails_for_a_passing_reason_goes_back_on_the_queue_alone_and_delayed_as_asked(world: World) -> None:
    world.exchange.calendars = {BOB.address: problem(retry_after=42.0), CAROL.address: problem(ProblemKind.LASTING)}
    assert world.check(ALICE, BOB, CAROL).retried == 1
    (message,) = world.checks.messages
    retry = decode_check_request(message.body)
    assert (message.delay, retry.users, retry.attempt, retry.reason) == (42, (BOB,), 1, CheckReason.RETRY)
    assert retry.requested_at == TEN


def test_without_a_time_from_the_server_each_attempt_waits_twice_as_long(world: World) -> None:
    world.exchange.calendars = {BOB.address: problem()}
    for attempt in range(3):
        world.check(request=request_for(BOB, attempt=attempt))
    assert [message.delay for message in world.checks.messages] == [15, 30, 60]


def test_who_fails_together_is_asked_for_together_again(world: World) -> None:
    users = [user(number) for number in range(20)]
    spread = itertools.count(1)
    world.jitter = lambda: float(next(spread))
    world.exchange.calendars = {each.address: problem() for each in users}
    world.check(*users)
    (retry,) = world.checks.take()
    assert decode_check_request(retry.body).users == tuple(users)


def test_a_retry_that_would_come_after_the_next_turn_is_not_queued_but_recorded(world: World) -> None:
    world.exchange.calendars = {BOB.address: problem(retry_after=301.0)}
    assert world.check(BOB).retried == 0
    assert world.checks.messages == []
    recorded = world.records.of(BOB).problem
    assert recorded is not None
    assert recorded.problem.code == "ErrorServerBusy"


def test_who_is_not_asked_for_again_before_the_next_turn_is_unread_whatever_the_reason(world: World) -> None:
    """An Exchange that is away is a passing reason too, and the alarm on users with problems has to hear of it."""
    world.exchange.calendars = {BOB.address: problem(), CAROL.address: problem(ProblemKind.LASTING)}
    late = replace(request_for(ALICE, BOB, CAROL, attempt=4), requested_at=TEN - timedelta(seconds=100))
    assert world.check(request=late).unread == 2


NOT_YET = replace(problem(retry_after=9.0), unasked=True)


def test_who_was_not_asked_and_will_be_in_a_moment_has_no_news_and_no_attempt_behind_them(world: World) -> None:
    world.exchange.calendars = {BOB.address: NOT_YET}
    world.check(ALICE)
    writes = world.records.writes
    summary = world.check(request=request_for(ALICE, BOB, attempt=2))
    assert (summary.written, summary.retried, summary.unread) == (0, 1, 0)
    assert summary.problems == {"ErrorServerBusy": 1}
    assert world.records.writes == writes
    (message,) = world.checks.messages
    retry = decode_check_request(message.body)
    assert (message.delay, retry.users, retry.attempt) == (9, (BOB,), 2)


def test_who_was_not_asked_in_the_whole_turn_has_the_problem_recorded(world: World) -> None:
    world.exchange.calendars = {BOB.address: NOT_YET}
    late = replace(request_for(BOB), requested_at=TEN - timedelta(seconds=292))
    summary = world.check(request=late)
    assert (summary.retried, summary.unread) == (0, 1)
    recorded = world.records.of(BOB)
    assert recorded.problem is not None
    assert recorded.failing_since is not None


def test_a_server_that_asks_for_no_time_at_all_is_not_asked_without_a_pause(world: World) -> None:
    world.exchange.calendars = {BOB.address: problem(retry_after=0.0)}
    world.check(BOB)
    assert [message.delay for message in world.checks.messages] == [15]


def test_a_server_is_never_asked_again_before_the_time_that_it_asked_for(world: World) -> None:
    world.exchange.calendars = {BOB.address: problem(retry_after=41.3)}
    world.check(BOB)
    assert [message.delay for message in world.checks.messages] == [42]


def test_a_request_older_than_an_interval_is_dropped(world: World) -> None:
    summary = world.check(request=request_for(ALICE, at=TEN - timedelta(minutes=5, seconds=1)))
    assert (summary.dropped, world.exchange.asked, world.records.items) == (1, [], {})


def test_a_lost_race_is_decided_again_on_the_newer_record(world: World) -> None:
    world.records.races_to_lose = 2
    world.exchange.calendars = {ALICE.address: (busy(-60, 600),)}
    assert world.check(ALICE).written == 1
    assert world.records.of(ALICE).version == 1


def test_a_record_that_keeps_changing_sends_the_message_back_and_costs_the_others_nothing(world: World) -> None:
    world.records.races_to_lose = 5
    summary = world.check(ALICE, BOB)
    assert list(summary.errors) == [ALICE.user_id]
    assert world.records.of(BOB).presence == AVAILABLE
    with pytest.raises(UsersFailed, match=ALICE.user_id):
        summary.raise_errors()


def test_a_malformed_record_is_left_alone_and_costs_the_others_nothing(world: World) -> None:
    world.check(ALICE)
    spoilt = {**world.records.items[ALICE.user_id], "until": "2026-11-23T12:00:00"}
    world.records.put_item(spoilt)
    summary = world.check(ALICE, BOB)
    assert world.records.items[ALICE.user_id] == spoilt
    assert world.records.of(BOB).version == 1
    with pytest.raises(UsersFailed, match=r"until: .* has no time zone"):
        summary.raise_errors()


def test_what_falls_due_soon_is_queued_at_once_and_what_does_not_is_left_to_the_schedule(world: World) -> None:
    world.exchange.calendars = {ALICE.address: (busy(60, 600),), BOB.address: (busy(500, 600),)}
    world.check(ALICE, BOB)
    (message,) = world.transitions.messages
    transition = decode_transition_request(message.body)
    assert (transition.due, transition.user_ids, message.delay) == (TEN + timedelta(seconds=60), (ALICE.user_id,), 58)


def test_a_new_endpoint_is_remembered_and_a_known_one_is_not_written_again(world: World) -> None:
    world.check(request=request_for(ALICE, endpoint=None))
    world.check(request=request_for(BOB, endpoint=ENDPOINT))
    assert world.hints.endpoints == {ALICE.user_id: ENDPOINT}


def test_a_change_carries_the_traceparent_of_its_request(world: World) -> None:
    request = request_for(ALICE)
    world.check(request=request)
    assert world.records.of(ALICE).traceparent == request.traceparent


def test_who_was_removed_before_a_first_check_is_not_asked_for_and_gets_no_record(world: World) -> None:
    world.hints.removed.add(ALICE.user_id)
    summary = world.check(ALICE, BOB)
    assert (summary.checked, summary.dropped) == (1, 1)
    assert world.exchange.asked[0][0] == (BOB.address,)
    assert list(world.records.items) == [BOB.user_id]


def switch(world: World, use: CalendarUse) -> None:
    before = world.records.of(ALICE)
    switched = after_command(before, ALICE, UseCalendar(use), DEFAULT, world.now, Rules()).record
    assert switched is not None
    assert world.records.write(switched) is not None


def test_a_calendar_that_is_switched_off_or_paused_is_not_read(world: World) -> None:
    world.exchange.replies = {ALICE.address: problem()}
    world.check(ALICE, BOB)
    for use in (CalendarUse(on=False), CalendarUse(paused_until=world.now + timedelta(minutes=1))):
        switch(world, use)
        assert world.records.of(ALICE).knowledge.replies_problem is None
        world.exchange.asked.clear()
        summary = world.check(ALICE, BOB)
        assert (summary.checked, summary.dropped) == (1, 1)
        assert [asked[0] for asked in world.exchange.asked] == [(BOB.address,)]
    world.now += timedelta(minutes=1)
    assert world.check(ALICE).checked == 1
    assert world.records.of(ALICE).presence == AVAILABLE


def test_where_nobody_is_left_to_read_exchange_is_not_asked(world: World) -> None:
    world.check(ALICE)
    switch(world, CalendarUse(on=False))
    world.exchange.asked.clear()
    world.check(ALICE)
    assert world.exchange.asked == []


def test_each_user_is_seen_by_the_profile_that_is_theirs(world: World) -> None:
    bob = replace(BOB, profile="cisco-15")
    world.exchange.calendars = dict.fromkeys((ALICE.address, bob.address, CAROL.address), (busy(-60, 600),))
    world.profiles = replace(BUILT_IN, groups={"sales": "cisco-15"})
    world.check(ALICE, bob, replace(CAROL, groups=("Sales",)))
    meeting = Presence(Availability.BUSY, Activity.IN_A_MEETING)
    assert [world.records.of(one).presence for one in (ALICE, BOB, CAROL)] == [BUSY, meeting, meeting]


def test_a_profile_that_is_not_known_is_counted_and_stops_nobody(world: World) -> None:
    summary = world.check(replace(ALICE, profile="gone"), BOB)
    assert (summary.checked, summary.unknown_profiles) == (2, 1)
    assert summary.as_details()["unknown_profiles"] == 1
    assert world.records.of(ALICE).profile == "default"


ON = AutomaticReplies(enabled=True)


def test_automatic_replies_are_read_along_and_what_is_not_told_stays_as_it_was(world: World) -> None:
    world.exchange.replies = {ALICE.address: ON}
    world.check(ALICE, BOB)
    assert world.records.of(ALICE).note == "automatic-replies"
    assert world.records.of(BOB).note is None
    world.exchange.replies = {ALICE.address: problem()}
    world.check(request=replace(request_for(ALICE), reason=CheckReason.OPERATOR))
    assert world.records.of(ALICE).note == "automatic-replies"
    world.exchange.replies = {ALICE.address: NO_REPLIES}
    world.check(request=replace(request_for(ALICE), reason=CheckReason.OPERATOR))
    assert world.records.of(ALICE).note is None


def test_that_automatic_replies_cant_be_read_costs_the_calendar_nothing(world: World) -> None:
    world.exchange.calendars = {ALICE.address: (busy(-60, 600),)}
    world.exchange.replies = {ALICE.address: problem(ProblemKind.LASTING)}
    summary = world.check(ALICE)
    assert (world.records.of(ALICE).presence, summary.problems, world.records.of(ALICE).problem) == (BUSY, {}, None)


def test_who_has_no_data_for_now_is_counted_as_a_problem_and_not_asked_for_before_the_next_turn(world: World) -> None:
    gap = CalendarEntry(TEN - timedelta(hours=1), TEN + timedelta(hours=1), BusyType.NO_DATA)
    world.exchange.calendars = {ALICE.address: (gap,), BOB.address: problem(ProblemKind.LASTING)}
    summary = world.check(ALICE, BOB, CAROL)
    assert summary.problems == {"NoFreeBusyData": 1, "ErrorServerBusy": 1}
    assert (summary.unread, summary.retried, world.checks.messages) == (2, 0, [])


def test_why_automatic_replies_cant_be_read_is_counted_and_stands_on_the_record_until_they_are_read(
    world: World,
) -> None:
    def check() -> tuple[dict[str, int], str | None, bool]:
        summary = world.check(request=replace(request_for(ALICE, BOB, at=world.now), reason=CheckReason.OPERATOR))
        assert ("replies_problems" in summary.as_details()) == bool(summary.replies_problems)
        return summary.replies_problems, world.records.of(ALICE).knowledge.replies_problem, bool(summary.written)

    refused = Problem("ErrorAccessDenied", ProblemKind.LASTING, "refused", "give the right")
    world.exchange.replies = {ALICE.address: problem(), BOB.address: NO_REPLIES}
    assert check() == ({"ErrorServerBusy": 1}, "ErrorServerBusy", True)
    assert world.records.of(BOB).knowledge.replies_problem is None
    assert check() == ({"ErrorServerBusy": 1}, "ErrorServerBusy", False), "nothing new"
    world.exchange.replies[ALICE.address] = refused
    assert check() == ({"ErrorAccessDenied": 1}, "ErrorAccessDenied", True)
    version = world.records.of(ALICE).version
    world.exchange.replies[ALICE.address] = NO_REPLIES
    assert check() == ({}, None, True)
    assert world.records.of(ALICE).version == version, "nothing that is published"


def test_between_the_turns_of_automatic_replies_their_problem_stays(world: World) -> None:
    world.exchange.replies = {ALICE.address: problem()}
    world.check(ALICE)
    world.exchange.asked_for_replies.clear()
    told = []
    for _ in range(3):
        world.now += timedelta(minutes=5)
        told.append(world.check(ALICE).replies_problems)
        assert world.records.of(ALICE).knowledge.replies_problem == "ErrorServerBusy"
    assert sorted(map(len, told)) == [0, 0, 1]
    assert len(world.exchange.asked_for_replies) == 1


def test_of_who_is_not_to_be_asked_for_automatic_replies_any_more_nothing_is_kept_of_them(world: World) -> None:
    world.exchange.replies = {ALICE.address: ON, BOB.address: problem()}
    world.check(ALICE, BOB)
    assert world.records.of(ALICE).note == "automatic-replies"
    world.exchange.replies = {}  # as a gateway answers whose document says "off"
    world.check(request=replace(request_for(ALICE, BOB), reason=CheckReason.OPERATOR))
    assert (world.records.of(ALICE).note, world.records.of(ALICE).knowledge.replies) == (None, None)
    assert world.records.of(BOB).knowledge.replies_problem is None


def test_whose_calendar_cant_be_read_is_not_asked_for_automatic_replies(world: World) -> None:
    world.exchange.calendars = {ALICE.address: problem(ProblemKind.LASTING)}
    world.check(ALICE)
    assert world.exchange.asked_for_replies == []


def test_automatic_replies_are_read_every_quarter_of_an_hour(world: World) -> None:
    users = [user(number) for number in range(90)]
    world.check(*users)
    world.exchange.asked_for_replies.clear()
    for _ in range(6):
        world.now += timedelta(minutes=5)
        world.check(*users)
    asked = [address for addresses in world.exchange.asked_for_replies for address in addresses]
    assert sorted(asked) == sorted([one.address for one in users] * 2)
