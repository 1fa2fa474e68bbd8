"""Whom a test event speaks of, and the records that such users need before the function runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.claims import Source
from presence.commands import Command, SetPresence, UseCalendar
from presence.decisions import Readings, after_command, after_reading, first_record
from presence.errors import MalformedMessage
from presence.freshness import Rules
from presence.knowledge import CalendarUse
from presence.messages import CheckRequest, TransitionRequest, decode_check_request, decode_transition_request
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.profiles import DEFAULT
from presence.records import PresenceRecord, Reason, User
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from presence.timeline import BASE_RULE, Segment

_BUSY = Presence(Availability.BUSY, Activity.BUSY)
_AWAY = Presence(Availability.AWAY, Activity.AWAY)
_ENDPOINT = "https://mail.research.test/EWS/Exchange.asmx"
_AN_HOUR = timedelta(hours=1)
_A_DAY = timedelta(days=1)
_COMING = timedelta(seconds=60)
_OVERDUE = timedelta(seconds=-60)


def bring_in_users(
    function: str, event: object, users: UserTable, presences: PresenceTable, addresses: Sequence[str], now: datetime
) -> int:
    """Bring in whom the function needs to find: the users that its event names, or all for a tick of a schedule.

    Of those whose presence changes by itself a record is written; return how many. `now` is an instant in UTC.
    """
    if function == "check_calendars":
        for user in users_to_check(event):
            users.add(user.address, user.profile, user.user_id)
    if function == "schedule_checks":
        for address in addresses:
            users.add(address, user_id=_user_id(address))
    records: list[PresenceRecord] = []
    if function == "schedule_transitions":
        known = [users.add(address, user_id=_user_id(address)) for address in addresses]
        records = [record_before(user, now + (_COMING if index else _OVERDUE), now) for index, user in enumerate(known)]
    if function == "set_presence":
        known = [users.add(address, user_id=_user_id(address)) for address in addresses if address == _address(event)]
        records = [record_to_command(user, event, now) for user in known]
    if function == "apply_transitions":
        due = transitions_to_apply(event)
        known = [User(user_id, address) for user_id, address in zip(due, addresses, strict=False)]
        records = [record_before(user, due[user.user_id], now) for user in known]
    for record in records:
        presences.write(record)
    return len(records)


def users_to_check(event: object) -> list[User]:
    """Return the users whose calendars the CheckRequests of an event ask for; malformed messages name nobody."""
    found: dict[str, User] = {}
    for body in _bodies(event):
        try:
            request: CheckRequest = decode_check_request(body)
        except MalformedMessage:
            continue
        found.update({user.user_id: user for user in request.users})
    return list(found.values())


def transitions_to_apply(event: object) -> dict[str, datetime]:
    """Return when each user of the TransitionRequests of an event is due; malformed messages name nobody."""
    found: dict[str, datetime] = {}
    for body in _bodies(event):
        try:
            request: TransitionRequest = decode_transition_request(body)
        except MalformedMessage:
            continue
        found.update(dict.fromkeys(request.user_ids, request.due))
    return found


def record_before(user: User, due: datetime, now: datetime) -> PresenceRecord:
    """Return the record of a user who is available until `due`, and then busy, still an hour from `now` (UTC)."""
    read, free_again = due - _AN_HOUR, max(due, now) + _AN_HOUR
    return PresenceRecord(
        user_id=user.user_id,
        address=user.address,
        revision=0,
        version=1,
        presence=AVAILABLE,
        since=read,
        until=due,
        reason=Reason(Source.NONE, BASE_RULE),
        previous=AVAILABLE,
        timeline=(
            Segment(read, due, AVAILABLE, Source.NONE, BASE_RULE),
            Segment(due, free_again, _BUSY, Source.CALENDAR, "busy"),
            Segment(free_again, None, AVAILABLE, Source.NONE, BASE_RULE),
        ),
        next_at=due,
        read_at=read,
        changed_at=read,
    )


def record_to_command(user: User, event: object, now: datetime) -> PresenceRecord:
    """Return the record of a user who has been busy for an hour at `now`, and is for another.

    So that there is something to take back, a command to clear finds them set to Away by hand, and one to switch the
    calendar on finds it off.
    """
    entry = CalendarEntry(now - _AN_HOUR, now + _AN_HOUR, BusyType.BUSY)
    window = Window(now - _AN_HOUR, now + _A_DAY)
    reading = CalendarReading(user.address, window, (entry,), now, _ENDPOINT, "FreeBusy")
    rules = Rules()
    record = after_reading(None, user, Readings(reading), DEFAULT, now, rules).record or first_record(user, now)
    asked = event if isinstance(event, Mapping) else {}
    command: Command | None = None
    if asked.get("type") == "ClearPresence":
        command = SetPresence(_AWAY, set_by="presence invoke", until=now + _AN_HOUR)
    elif asked.get("type") == "UseCalendar" and asked.get("on") is True and not asked.get("pausedUntil"):
        command = UseCalendar(CalendarUse(on=False))
    if command is None:
        return record
    return after_command(record, user, command, DEFAULT, now, rules).record or record


def _address(event: object) -> object:
    return event.get("address") if isinstance(event, Mapping) else None


def _user_id(address: str) -> str:
    """Return the same id for an address at every run, so that two runs can be compared."""
    return hashlib.sha256(address.encode()).hexdigest()[:32]


def _bodies(event: object) -> Iterator[object]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    for record in records if isinstance(records, list) else []:
        if isinstance(record, Mapping):
            yield record.get("body")
