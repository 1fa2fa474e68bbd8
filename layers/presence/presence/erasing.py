"""Erasing a person: what is published last, and the steps, of which each may be the last before a crash.

The user goes first, so that no check is scheduled and none brings the record back; the address goes last, since by it
the rest is found when the command is run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from presence.claims import Source
from presence.errors import ConcurrentWrites
from presence.freshness import Freshness
from presence.knowledge import NOTHING_KNOWN
from presence.presences import UNKNOWN
from presence.records import Change, PresenceRecord, Reason, Reminders
from presence.tables.endpoints import EndpointTable
from presence.tables.history import HistoryTable
from presence.tables.personal import Person, PersonalItems
from presence.tables.presences import PresenceTable

ERASED_RULE = "erased"
_ATTEMPTS = 5


@dataclass(slots=True)
class Erased:
    """What was removed, in numbers of items; `published_unknown`: records of which that was published before."""

    users: int = 0
    records: int = 0
    published_unknown: int = 0
    history: int = 0
    endpoints: int = 0
    addresses: int = 0


def farewell(record: PresenceRecord, now: datetime) -> PresenceRecord:
    """Return the last version of a record: unknown and with nothing ahead, so that nobody goes on showing another."""
    return replace(
        record,
        version=record.version + 1,
        presence=UNKNOWN,
        since=now,
        until=None,
        reason=Reason(Source.NONE, ERASED_RULE),
        previous=record.presence,
        timeline=(),
        next_at=None,
        read_at=None,
        changed_at=now,
        failing_since=None,
        problem=None,
        freshness=Freshness.UNKNOWN,
        note=None,
        change=Change.PRESENCE,
        knowledge=NOTHING_KNOWN,
        reminders=Reminders(),
    )


class Erasure:
    """The use case of `presence user erase`; `clock` gives the present instant in UTC."""

    def __init__(
        self,
        items: PersonalItems,
        presences: PresenceTable,
        history: HistoryTable,
        endpoints: EndpointTable,
        clock: Callable[[], datetime],
    ) -> None:
        self._items = items
        self._presences = presences
        self._history = history
        self._endpoints = endpoints
        self._clock = clock

    def run(self, person: Person, endpoint_keys: Sequence[str]) -> Erased:
        """Remove all that is stored of a person.

        Safe to be run again after it broke off anywhere. Raises `ConcurrentWrites` if a record changed at each of five
        attempts, and botocore's errors.
        """
        erased = Erased()
        for user_id in person.user_ids:
            erased.users += self._items.take_out_user(user_id)
        for user_id in person.user_ids:
            erased.history += self._history.forget(user_id)
            self._remove_record(user_id, erased)
            # What was recorded meanwhile. What the stream still brings goes when record_history sees the removal.
            erased.history += self._history.forget(user_id)
        erased.endpoints += len(self._endpoints.get_many(endpoint_keys))
        self._endpoints.delete(endpoint_keys)
        erased.addresses += self._items.free_address(person)
        return erased

    def _remove_record(self, user_id: str, erased: Erased) -> None:
        """Publish the user as unknown and remove the record, with nothing published in between.

        The stream keeps the order: publish_presence has the last version before it learns of the removal.
        """
        for _ in range(_ATTEMPTS):
            stored = self._presences.get_many([user_id])
            if user_id in stored.malformed:
                # Nobody can say what is shown of this user; publish_presence could not either.
                erased.records += self._items.remove_record(user_id, None)
                return
            record = stored.found.get(user_id)
            if record is None:
                return
            if record.presence != UNKNOWN:
                written = self._presences.write(farewell(record, self._clock()))
                if written is None:
                    continue
                erased.published_unknown += 1
                record = written
            if self._items.remove_record(user_id, record.revision):
                erased.records += 1
                return
        raise ConcurrentWrites(f"user {user_id}: the record changed at each of {_ATTEMPTS} attempts; run it again")
