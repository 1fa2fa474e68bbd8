"""The lines that `presence run` prints."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.run_words import event_line, problem_line
from local.running.problems import ProblemNews
from presence.errors import Problem, ProblemKind
from presence.events import EVENT_TYPE, REMINDER_TYPE

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)


def _event(presence: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {
        "type": EVENT_TYPE,
        "time": "2026-11-21T14:00:00Z",
        "data": {
            "user": {"id": "6f1c", "email": "alice@example.com"},
            "version": 42,
            "reason": {"source": "calendar", "rule": "busy-meeting"},
            "presence": presence,
            "freshness": "current",
            **data,
        },
    }


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            _event({"availability": "Busy", "activity": "InAMeeting", "until": "2026-11-21T15:00:00Z"}),
            "Busy / InAMeeting until 2026-11-21T15:00:00Z  (calendar, busy-meeting; version 42)",
        ),
        (_event({"availability": "Away", "activity": "Away"}), "Away  (calendar, busy-meeting; version 42)"),
        (
            _event({"availability": "Busy", "activity": "Busy"}, freshness="stale"),
            "Busy, stale  (calendar, busy-meeting; version 42)",
        ),
    ],
)
def test_a_change_says_when_who_what_until_when_and_why(event: dict[str, Any], words: str) -> None:
    assert event_line(event) == f"2026-11-21T14:00:00Z  alice@example.com  {words}"


def test_an_event_is_one_line_whatever_somebody_published() -> None:
    line = event_line(_event({"availability": "Busy\n\x1b[2J", "activity": "Busy"}))
    assert line.isprintable()
    assert r"Busy\n\x1b[2J / Busy" in line


def test_a_reminder_says_when_who_and_when_the_meeting_begins() -> None:
    data = {
        "user": {"id": "6f1c", "email": "alice@example.com"},
        "meeting": {"startsAt": "2026-11-21T14:10:00Z"},
        "minutesBefore": 10,
    }
    assert event_line({"type": REMINDER_TYPE, "time": "2026-11-21T14:00:00Z", "data": data}) == (
        "2026-11-21T14:00:00Z  alice@example.com  a meeting begins at 2026-11-21T14:10:00Z  (reminder, 10 min before)"
    )


def test_a_problem_names_some_of_its_users_and_what_to_do_and_shows_nothing_that_moves_the_terminal() -> None:
    problem = Problem("HostAway", ProblemKind.PASSING, "mail.example.com said \x1b[2J\n", "see whether it runs")
    who = ("a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com")
    assert problem_line(ProblemNews(who, problem), NOW) == (
        "2026-11-21T14:00:00Z  problem: a@example.com, b@example.com, c@example.com and 2 more: HostAway: "
        "mail.example.com said \\x1b[2J\\n. To do: see whether it runs"
    )


def test_that_it_is_over_is_said_as_well() -> None:
    line = problem_line(ProblemNews(("a@example.com",), None), NOW)
    assert line == "2026-11-21T14:00:00Z  solved: a@example.com can be read again"
