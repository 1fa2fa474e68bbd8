"""Whom a test event speaks of, and the records that such users need before the function runs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from presence.claims import Source
from presence.errors import MalformedMessage
from presence.messages import CheckRequest, TransitionRequest, decode_check_request, decode_transition_request
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.records import PresenceRecord, Reason, User
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from presence.timeline import BASE_RULE, Segment

_BUSY = Presence(Availability.BUSY, Activity.BUSY)
_AN_HOUR = timedelta(hours=1)
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


def _user_id(address: str) -> str:
    """Return the same id for an address at every run, so that two runs can be compared."""
    return hashlib.sha256(address.encode()).hexdigest()[:32]


def _bodies(event: object) -> Iterator[object]:
    records = event.get("Records") if isinstance(event, Mapping) else None
    for record in records if isinstance(records, list) else []:
        if isinstance(record, Mapping):
            yield record.get("body")
