from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from presence.claims import Source
from presence.decisions import Rules
from presence.errors import UsersFailed
from presence.messages import TransitionRequest, new_traceparent
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.records import PresenceRecord, Reason
from presence.timeline import Segment
from presence.transitions import TransitionApplication
from tests.support.memory import MemoryPresenceTable, MemoryQueue

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
ID = "a" * 32
BUSY = Presence(Availability.BUSY, Activity.BUSY)


class SpoiltByAnother(MemoryPresenceTable):
    """Somebody else writes the item between reading and writing, and leaves it malformed."""

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        if record.revision:
            self.put_item({**self.items[record.user_id], "revision": record.revision + 1, "timeline": "["})
        return super().write(record)


def test_a_record_that_was_spoilt_under_our_hands_comes_back_and_is_not_taken_for_done() -> None:
    table = SpoiltByAnother()
    first = PresenceRecord(
        user_id=ID,
        address="alice@example.com",
        revision=0,
        version=1,
        presence=AVAILABLE,
        since=TEN - timedelta(hours=1),
        until=TEN,
        reason=Reason(Source.NONE, "no-claim"),
        previous=AVAILABLE,
        timeline=(Segment(TEN, None, BUSY, Source.CALENDAR, "busy"),),
        next_at=TEN,
        read_at=TEN,
        changed_at=TEN,
    )
    assert table.write(first) is not None
    application = TransitionApplication(table, MemoryQueue(), 16, lambda: TEN, lambda _: None, Rules())
    done = application.run(TransitionRequest(TEN, 0, (ID,), new_traceparent()))
    assert (done.applied, done.nothing_due) == (0, 0)
    with pytest.raises(UsersFailed, match=ID):
        done.raise_errors()
