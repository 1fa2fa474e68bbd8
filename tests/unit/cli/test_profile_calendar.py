from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.calendar_file import LONGEST, parse_calendar, read_calendar_file
from presence.automatic_replies import Audience
from presence.calendar import BusyType
from presence.errors import ConfigurationError
from presence.knowledge import picture_of
from presence.presences import UNKNOWN
from presence.profiles import DEFAULT
from presence.timeline import segment_at
from presence.working_hours import lasts_whole_days

ENTRY: dict[str, Any] = {"start": "2026-11-23T10:00:00Z", "end": "2026-11-23T11:00:00Z", "status": "Busy"}


def at(hour: int, day: int = 23, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def with_entry(**keys: Any) -> dict[str, Any]:
    return {"entries": [{key: value for key, value in {**ENTRY, **keys}.items() if value is not ...}]}


def complaint(document: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_calendar(document)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ('"2026-11-23T10:00:00Z"', at(10)),
        ('"2026-11-23T10:00:00+05:45"', at(4, minute=15)),
        ('"2026-11-23T10:00:00"', at(9)),
        ('"2026-11-23"', at(23, day=22)),
        ("2026-11-23T10:00:00Z", at(10)),
        ("2026-11-23T10:00:00+05:45", at(4, minute=15)),
        ("2026-11-23T10:00:00", at(9)),
        ("2026-11-23", at(23, day=22)),
    ],
)
def test_a_time_without_an_offset_is_one_of_the_calendar_s_zone(written: str, instant: datetime) -> None:
    text = f'time_zone = "Europe/Berlin"\n[[entries]]\nstart = {written}\nend = 2026-11-24\nstatus = "Busy"'
    assert parse_calendar(tomllib.loads(text)).begins == instant


def test_what_is_not_said_of_an_entry_is_not_known() -> None:
    (entry,) = parse_calendar(with_entry()).entries
    assert (entry.is_meeting, entry.is_private, entry.is_all_day) == (None, None, None)
    (entry,) = parse_calendar(with_entry(meeting=False, private=True, all_day=True)).entries
    assert (entry.is_meeting, entry.is_private, entry.is_all_day) == (False, True, True)


def test_the_zone_is_that_of_the_mailbox_also_without_working_hours() -> None:
    day = with_entry(start="2026-11-23", end="2026-11-24")
    tokyo = parse_calendar({"time_zone": "Asia/Tokyo", **day})
    assert tokyo.begins == at(15, day=22)
    assert tokyo.working_hours.periods == ()
    assert lasts_whole_days(tokyo.begins, tokyo.ends, tokyo.working_hours.zone)


def test_the_zone_changes_its_clock_as_it_does_in_the_calendar_s_year() -> None:
    day = with_entry(start="2026-10-25", end="2026-10-26")  # of 25 hours
    berlin = parse_calendar({"time_zone": "Europe/Berlin", **day})
    assert (berlin.ends - berlin.begins).total_seconds() == 25 * 3600
    assert lasts_whole_days(berlin.begins, berlin.ends, berlin.working_hours.zone)


def test_replies_are_on_where_the_table_is_there() -> None:
    assert not parse_calendar(with_entry()).replies.enabled
    on = parse_calendar({**with_entry(), "automatic_replies": {"audience": "external"}}).replies
    assert (on.enabled, on.scheduled, on.audience) == (True, False, Audience.EXTERNAL)
    times = {"start": "2026-11-23T10:00:00Z", "end": "2026-11-25T10:00:00Z"}
    calendar = parse_calendar({"automatic_replies": times})
    assert (calendar.replies.scheduled, calendar.begins, calendar.ends) == (True, at(10), at(10, day=25))


def test_time_without_data_is_unknown_and_not_free() -> None:
    calendar = parse_calendar(with_entry(status=BusyType.NO_DATA))
    picture = picture_of(calendar.knowledge(at(10)), DEFAULT, at(10))
    segment = segment_at(picture.timeline, at(10, minute=30))
    assert segment is not None
    assert segment.presence == UNKNOWN


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "the document: must be a table, not an empty list"),
        ({}, "entries: are missing, and there are no scheduled automatic replies either"),
        ({"entries": [], "automatic_replies": {}}, "entries: are missing, and there are no scheduled automatic "),
        ({**with_entry(), "zone": "UTC"}, "zone: this key is not known here"),
        ({**with_entry(), "time_zone": "Mars"}, "time_zone: 'Mars' is no time zone; write it as Europe/Berlin"),
        ({**with_entry(), "time_zone": "../UTC"}, "time_zone: '../UTC' is no time zone; write it as Europe/Berlin"),
        ({**with_entry(), "time_zone": "Europe"}, "time_zone: 'Europe' is no time zone; write it as Europe/Berlin"),
        (with_entry(subject="Secret"), "entries[0].subject: this key is not known here"),
        (with_entry(status="busy"), "entries[0].status: 'busy' is not known; use Free or Tentative or Busy or OOF or "),
        (with_entry(status=...), "entries[0].status: is missing"),
        (with_entry(start=...), "entries[0].start: is missing"),
        (with_entry(start="ten"), "entries[0].start: must be a date and time, such as 2026-11-23T10:00:00Z, or a date"),
        (with_entry(start=10), "entries[0].start: must be a date and time, such as 2026-11-23T10:00:00Z, or a date"),
        (with_entry(end="2026-11-23T09:00:00Z"), "entries[0].end: lies before the start"),
        (with_entry(start="0001-01-01T00:00:00+14:00"), "entries[0].start: must lie from 1970 to 2199"),
        (with_entry(end="2200-01-01T00:00:00Z"), "entries[0].end: must lie from 1970 to 2199"),
        (with_entry(end="2027-11-23T10:00:00Z"), f"entries: a profile is tried on {LONGEST.days} days at most"),
        (with_entry(meeting="yes"), "entries[0].meeting: must be true or false, not a text"),
        ({"automatic_replies": {"start": "2026-11-23"}}, "automatic_replies.end: is missing; give both, or neither"),
        ({"automatic_replies": {"end": "2026-11-23"}}, "automatic_replies.start: is missing; give both, or neither"),
        (
            {"automatic_replies": {"start": "2026-11-23", "end": "2026-11-22"}},
            "automatic_replies.end: lies before the start",
        ),
        ({"automatic_replies": {"audience": "boss"}}, "automatic_replies.audience: 'boss' is not known; use all or "),
        ({**with_entry(), "working_hours": {}}, "working_hours.days: is missing"),
        ({**with_entry(), "working_hours": {"days": ["mon"]}}, "working_hours.days[0]: 'mon' is no weekday; use monda"),
        (
            {**with_entry(), "working_hours": {"days": ["monday"], "start": 9}},
            "working_hours.start: must be a time of ",
        ),
        (
            {**with_entry(), "working_hours": {"days": ["monday"], "start": "09:00+05:00", "end": "17:00"}},
            "working_hours.start: must be a whole minute in the calendar's time_zone, such as 08:30",
        ),
        (
            {**with_entry(), "working_hours": {"days": ["monday"], "start": "09:00", "end": "17:00:30"}},
            "working_hours.end: must be a whole minute in the calendar's time_zone, such as 08:30",
        ),
        (
            {**with_entry(), "working_hours": {"days": ["monday"], "start": "09:00", "end": "25:00"}},
            "working_hours.end: must be a time of day, such as 08:30",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_refused_in_one_line_that_says_where_and_why(document: object, message: str) -> None:
    assert complaint(document).startswith(message)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "entries =", "a.toml: is no TOML: "),
        ("a.json", "{", "a.json: is no JSON: "),
        ("a.json", "[" * 100_000, "a.json: is no JSON: "),
        ("a.JSON", "[]", "the document: must be a table, not an empty list"),
        ("a.json", "#" * 1024 * 1025, "a.json: has more than 1024 KiB"),
    ],
    ids=["no TOML", "no JSON", "too deep", "a list", "too large"],
)
def test_a_file_that_can_t_be_used_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_calendar_file(path)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.json: can't be read \(No such file or directory\)"):
        read_calendar_file(tmp_path / "absent.json")


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.datetimes() | st.dates() | st.times()


@given(
    st.dictionaries(
        st.sampled_from(["time_zone", "working_hours", "automatic_replies", "entries"]),
        VALUES
        | st.dictionaries(st.sampled_from(["start", "end", "days", "audience"]), VALUES | st.lists(VALUES))
        | st.lists(st.dictionaries(st.sampled_from(["start", "end", "status"]), VALUES | st.just("Busy")), max_size=3),
    )
)
def test_whatever_stands_there_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        calendar = parse_calendar(document)
    except ConfigurationError:
        return
    assert picture_of(calendar.knowledge(calendar.begins), DEFAULT, calendar.begins).timeline
