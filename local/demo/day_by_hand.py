"""What people and a telephone set during a simulated day, as commands to set_presence and as news for the oracle.

Instants are in UTC on the day of `local.demo.day_people`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from local.demo.day_expectations import BY_HAND_SOURCE, Claimed, News, Switched, TakenBack
from local.demo.day_people import at_clock
from local.demo.oracle import Shown

_PHONE = "phone"


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
    # On a call, in and out of meetings; a hand is stronger than the telephone.
    yield _set("08:40:10", "marc@example.com", "Busy", "InACall", source=_PHONE)
    yield _set("08:50:00", "marc@example.com", "Away", "Away", until="09:05:00")
    yield _back("09:31:45", "marc@example.com", source=_PHONE)
    yield _set("10:15:00", "zoe@factory.test", "Busy", "InACall", until="10:36:07", source=_PHONE)
    # Somebody wants their calendar left alone, for some hours.
    yield _switch("13:05:20", "dave@example.com", on=False)
    yield _switch("15:41:33", "dave@example.com", on=True)
    # One thing after the other: the later one replaces the earlier.
    yield _set("14:05:00", "cora@factory.test", "Busy", "Busy", until="15:30:00")
    yield _set("14:25:30", "cora@factory.test", "DoNotDisturb", "Presenting", until="15:10:20")


def _set(
    at: str, address: str, availability: str, activity: str, until: str | None = None, source: str = BY_HAND_SOURCE
) -> Command:
    shown = Shown(availability, activity, source)
    event = {"type": "SetPresence", "presence": f"{availability} / {activity}", "source": source}
    if until is not None:
        event["until"] = _text(until)
    return _command(at, address, event, Claimed(at_clock(at), shown, at_clock(until) if until is not None else None))


def _back(at: str, address: str, source: str = BY_HAND_SOURCE) -> Command:
    return _command(at, address, {"type": "ClearPresence", "source": source}, TakenBack(at_clock(at), source))


def _switch(at: str, address: str, *, on: bool) -> Command:
    return _command(at, address, {"type": "UseCalendar", "on": on}, Switched(at_clock(at), on))


def _command(at: str, address: str, event: Mapping[str, object], news: News) -> Command:
    return Command(
        at_clock(at), address, {"schemaVersion": 1, "address": address, "requestedBy": address, **event}, news
    )


def _text(clock: str) -> str:
    return at_clock(clock).isoformat().replace("+00:00", "Z")
