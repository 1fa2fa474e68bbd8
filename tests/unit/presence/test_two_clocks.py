"""A record that one clock wrote, seen by another that is half a minute behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from presence.commands import SetPresence
from presence.decisions import after_command, after_problem, at_transition
from presence.errors import Problem, ProblemKind
from presence.freshness import Rules
from presence.presences import AVAILABLE, UNKNOWN
from presence.profiles import DEFAULT
from presence.records import User

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
ALICE = User("a" * 32, "alice@example.com")
NO_ANSWER = Problem("Timeout", ProblemKind.PASSING, "no answer in time", "look at the server")


def test_what_was_set_by_hand_ends_in_time_though_by_a_slow_clock_it_has_not_begun() -> None:
    asked = SetPresence(AVAILABLE, "alice@example.com", until=TEN, asked_at=NINE)
    said = after_command(None, ALICE, asked, DEFAULT, NINE, Rules()).record
    assert said is not None
    begun = replace(said, revision=1, timeline=tuple(one for one in said.timeline if one.since >= NINE))
    slow = NINE - timedelta(seconds=30)
    failing = after_problem(begun, ALICE, NO_ANSWER, slow, Rules()).record
    assert failing is not None
    assert (failing.presence, failing.next_at) == (AVAILABLE, NINE)
    planned = at_transition(failing, NINE, Rules()).record
    assert planned is not None
    assert (planned.presence, planned.next_at, planned.version) == (AVAILABLE, TEN, 1)
    over = at_transition(planned, TEN, Rules()).record
    assert over is not None
    assert over.presence == UNKNOWN
