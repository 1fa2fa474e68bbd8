"""Distribution lists: one merged string for all members, read in place of entries where a gateway takes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from exchange.ews.availability import Availability, parse_availability
from local.exchange.kept_host import http
from presence.calendar import CalendarReading, Window
from presence.errors import Problem
from tests.unit.exchange.hosts import NOW, Net, availability, free_busy_response

WINDOW = Window(datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
EVERYBODY = "everybody@example.com"
HALF_AN_HOUR = timedelta(minutes=30)
GATEWAY = {"kind": "ews", "domains": ["example.com"], "hosts": ["mail.example.com"]}


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


def test_a_distribution_list_is_refused_unless_the_gateway_takes_them(net: Net) -> None:
    digits = "0" * 12 + "2" * 6 + "4" + "0" * 269
    view = f"<t:FreeBusyViewType>MergedOnly</t:FreeBusyViewType><t:MergedFreeBusy>{digits}</t:MergedFreeBusy>"
    window = Window(NOW, NOW + timedelta(days=1))
    host = net.host("mail.example.com", lambda _: http(200, availability(free_busy_response(view))))

    (refused,) = net.reader(GATEWAY).read_calendars([EVERYBODY], window).values()
    (taken,) = net.reader({**GATEWAY, "distribution_lists": "take"}).read_calendars([EVERYBODY], window).values()

    assert isinstance(refused, Problem)
    assert refused.code == "NoCalendarEntries"
    assert isinstance(taken, CalendarReading)
    assert [(entry.start, entry.end, str(entry.busy_type)) for entry in taken.entries] == [
        (NOW + HALF_AN_HOUR * 2, NOW + HALF_AN_HOUR * 3, "Busy"),
        (NOW + HALF_AN_HOUR * 3, NOW + timedelta(minutes=95), "NoData"),
    ]
    intervals = [re.findall(rb"IntervalInMinutes>(\d+)<", request)[0] for request in host.requests]
    assert intervals == [b"30", b"5"]
