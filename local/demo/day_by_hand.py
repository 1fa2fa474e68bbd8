"""What people set by hand during a simulated day, as commands to set_presence and as news for the oracle.

Instants are in UTC on the day of `local.demo.day_people`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time

from local.demo.day_expectations import News, SetByHand, TakenBack
from local.demo.day_people import DAY, START
from local.demo.oracle import Shown

_SOURCE = "by-hand"


@dataclass(frozen=True, slots=True)
class Command:
    """A command at an instant: the event that set_presence gets, and what the oracle is told."""

    at: datetime
    address: str
    event: Mapping[str, object]
    news: News


def commands(until: datetime) -> Iterator[Command]:
    """Yield the commands before an instant."""
    for command in _every():
        if command.at < until:
            yield command


def _every() -> Iterator[Command]:
    # Do not disturb through a meeting, until a time; then the calendar shows again.
    yield _set("09:12:34", "bob@example.com", "DoNotDisturb", "DoNotDisturb", until="12:34:56")
    # Back before the meeting is over: available until what the calendar says changes.
    yield _set("13:20:05", "chris@factory.test", "Available", "Available")
    yield _set("07:40:00", "ines@example.com", "BeRightBack", "BeRightBack")
    yield _set("10:02:30", "nils@example.org", "Away", "Away", until="12:30:00")
    yield _back("11:11:11", "nils@example.org")
    # One thing after the other: the later one replaces the earlier.
    yield _set("14:05:00", "cora@factory.test", "Busy", "Busy", until="15:30:00")
    yield _set("14:25:30", "cora@factory.test", "DoNotDisturb", "Presenting", until="15:10:20")


def _set(at: str, address: str, availability: str, activity: str, until: str | None = None) -> Command:
    shown = Shown(availability, activity, _SOURCE)
    event = {"type": "SetPresence", "presence": f"{availability} / {activity}"}
    if until is not None:
        event["until"] = _text(until)
    return _command(at, address, event, SetByHand(_at(at), shown, _at(until) if until is not None else None))


def _back(at: str, address: str) -> Command:
    return _command(at, address, {"type": "ClearPresence"}, TakenBack(_at(at)))


def _command(at: str, address: str, event: Mapping[str, object], news: News) -> Command:
    return Command(_at(at), address, {"schemaVersion": 1, "address": address, "requestedBy": address, **event}, news)


def _at(clock: str) -> datetime:
    return datetime.combine(DAY, time.fromisoformat(clock), START.tzinfo)


def _text(clock: str) -> str:
    return _at(clock).isoformat().replace("+00:00", "Z")
