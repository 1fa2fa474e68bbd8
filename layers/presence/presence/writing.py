"""Writing what was decided about a record, with optimistic locking.

Each write has the revision that was read as its condition. Who loses a race reads again and decides again: what was
decided on an older record may be wrong on the newer one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from presence.decisions import Decision
from presence.errors import ConcurrentWrites
from presence.records import PresenceRecord
from presence.tables.presences import PresenceTable

_ATTEMPTS = 5


def write_decided(
    presences: PresenceTable,
    user_id: str,
    record: PresenceRecord | None,
    decide: Callable[[PresenceRecord | None], Decision],
    traceparent: str,
) -> PresenceRecord | None:
    """Write what `decide` makes of a user's record, and of each newer one that it meets instead.

    `record` is the record as it was read; None: there is none. Returns the record as written, None if there was
    nothing to write. Raises `ConcurrentWrites` if the record changed at each of five attempts, `MalformedMessage` if
    somebody else left it malformed, and botocore's errors.
    """
    for _ in range(_ATTEMPTS):
        decision = decide(record)
        if decision.record is None:
            return None
        written = presences.write(replace(decision.record, traceparent=traceparent))
        if written is not None:
            return written
        record = presences.get(user_id)
    raise ConcurrentWrites(f"user {user_id}: the record changed at each of {_ATTEMPTS} attempts")
