"""Distribution lists: one merged string for all members, read in place of entries where a gateway takes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchange.ews.availability import Availability, parse_availability
from presence.calendar import Window
from presence.errors import Problem
from tests.unit.exchange.hosts import availability, free_busy_response

WINDOW = Window(datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
EVERYBODY = "everybody@example.com"
HALF_AN_HOUR = timedelta(minutes=30)


def read_list(digits: str | None, view: str = "MergedOnly") -> Availability | Problem:
    """Read an answer about a distribution list, by a gateway that takes them."""
    string = "" if digits is None else f"<t:MergedFreeBusy>{digits}</t:MergedFreeBusy>"
    answer = availability(free_busy_response(f"<t:FreeBusyViewType>{view}</t:FreeBusyViewType>{string}"))
    (result,) = parse_availability(answer, [EVERYBODY], WINDOW, "mail.example.com", HALF_AN_HOUR, takes_lists=True)
    return result


def test_of_a_distribution_list_that_is_taken_each_stretch_of_the_string_is_an_entry() -> None:
    result = read_list("0012" + "2" * 4 + "30" + "4" * 2 + "0" * 34 + "12")

    assert isinstance(result, Availability)
    assert result.view == "MergedOnly"
    assert [
        (
            (entry.start - WINDOW.start) / HALF_AN_HOUR,
            (entry.end - WINDOW.start) / HALF_AN_HOUR,
            str(entry.busy_type),
        )
        for entry in result.entries
    ] == [
        (2, 3, "Tentative"),
        (3, 8, "Busy"),
        (8, 9, "OOF"),
        (10, 12, "NoData"),
        (46, 47, "Tentative"),
        (47, 48, "Busy"),
    ]


def test_nobody_of_a_list_is_planned_anywhere() -> None:
    assert read_list("0" * 48) == Availability((), "MergedOnly")
    assert read_list("0" * 60) == Availability((), "MergedOnly")


@pytest.mark.parametrize("digits", [None, "", "0" * 47, "0" * 47 + "5", "0" * 47 + "x"])
def test_a_string_that_does_not_tell_the_whole_time_makes_nobody_of_a_list_free(digits: str | None) -> None:
    problem = read_list(digits)
    assert isinstance(problem, Problem)
    assert problem.code == "MalformedCalendar"


def test_a_view_of_nothing_is_taken_by_nobody() -> None:
    problem = read_list("0" * 48, "None")
    assert isinstance(problem, Problem)
    assert problem.code == "NoCalendarEntries"
