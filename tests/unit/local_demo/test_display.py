"""What is shown: a table on a terminal, lines elsewhere, the newest version always."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console

from local.demo.display import Display
from local.demo.subscriber import Delivery

ARRIVAL = datetime(2026, 11, 21, 14, 0, 1, tzinfo=UTC)


def delivery(version: int, availability: str, activity: str, until: str | None) -> Delivery:
    presence = {"availability": availability, "activity": activity, "since": "2026-11-21T14:00:00Z"}
    if until is not None:
        presence["until"] = until
    data = {
        "user": {"id": "a" * 32, "email": "alice@example.com"},
        "version": version,
        "freshness": "current",
        "reason": {"source": "calendar", "rule": "busy-meeting"},
        "presence": presence,
        "previous": {"availability": "Available", "activity": "Available"},
    }
    return Delivery({"data": data}, {}, ARRIVAL)


def shown(*deliveries: Delivery, terminal: bool, height: int = 40) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=120, height=height, color_system=None)
    with Display(["alice@example.com", "bob@example.com"], console) as display:
        for each in deliveries:
            display.delivered(each)
        display.edited(ARRIVAL, "bob@example.com", "adds [a] meeting")
    return out.getvalue()


def test_elsewhere_each_change_and_each_edit_is_one_plain_line() -> None:
    text = shown(delivery(2, "Busy", "InAMeeting", "2026-11-21T15:00:00Z"), terminal=False)
    assert text.splitlines() == [
        "14:00:01Z  alice@example.com is Busy / InAMeeting (version 2, by busy-meeting, until 15:00:00Z)",
        "14:00:01Z  bob@example.com adds [a] meeting",
    ]


def test_on_a_terminal_the_table_shows_the_newest_version_whatever_the_order_of_arrival() -> None:
    newer = delivery(3, "Away", "OutOfOffice", None)
    text = shown(newer, delivery(2, "Busy", "InAMeeting", "2026-11-21T15:00:00Z"), terminal=True)
    table = text[text.rindex("person") :]
    (alice,) = (line for line in table.splitlines() if "alice@example.com" in line and "│" in line)
    assert "Away / OutOfOffice" in alice
    assert "busy-meeting" in alice
    assert "as far as is known" in alice
    assert "not published yet" in table, "nothing has come of the other person"


def test_an_event_that_is_none_is_left_to_the_verdict() -> None:
    assert "alice@example.com is" not in shown(Delivery({"data": {}}, {}, ARRIVAL), terminal=False)


def test_on_a_low_terminal_the_changes_are_not_what_is_cut_off() -> None:
    text = shown(delivery(2, "Busy", "InAMeeting", None), terminal=True, height=8)
    last_picture = text[text.rindex("14:00:01Z  alice@example.com is Busy") :]
    assert "adds [a] meeting" in last_picture
    assert "person" in last_picture
