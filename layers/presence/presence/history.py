"""History: what was shown of a user, and why: one entry for each version of their record.

Entries are made from records as they are published and never change, so one that is recorded twice is the same entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from presence.freshness import Freshness
from presence.presences import Presence
from presence.records import PresenceRecord


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One version of a user's presence; all instants in UTC.

    `at` is when it was decided: it was shown from then until the next version's `at`. `since` and `until` are what it
    said of itself (`until` None: no end was known). `source` and `rule` are those of the claim that won; `note` stood
    beside the presence.
    """

    user_id: str
    version: int
    at: datetime
    presence: Presence
    previous: Presence
    since: datetime
    until: datetime | None
    source: str
    rule: str
    freshness: Freshness = Freshness.CURRENT
    note: str | None = None


def entry_of(record: PresenceRecord) -> HistoryEntry:
    """Return the entry of the record's version."""
    return HistoryEntry(
        user_id=record.user_id,
        version=record.version,
        at=record.changed_at,
        presence=record.presence,
        previous=record.previous,
        since=record.since,
        until=record.until,
        source=str(record.reason.source),
        rule=record.reason.rule,
        freshness=record.freshness,
        note=record.note,
    )


def shown_between(
    entries: Sequence[HistoryEntry], start: datetime | None, end: datetime | None
) -> tuple[HistoryEntry, ...]:
    """Return the entries that were shown at some instant of [start, end), by version; None leaves a side open.

    The entry that was shown when the stretch began is among them, though it was decided before.
    """
    ordered = sorted(entries, key=lambda entry: entry.version)
    endings: list[datetime | None] = [*(entry.at for entry in ordered[1:]), None]
    return tuple(
        entry
        for entry, ending in zip(ordered, endings, strict=False)  # of no entry there is no ending
        if (end is None or entry.at < end) and (start is None or ending is None or ending > start)
    )
