"""Recording: from PresenceTable's stream to HistoryTable, an entry for each new version of a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from presence import fields
from presence.errors import MalformedMessage
from presence.events import encode_event
from presence.history import entry_of
from presence.publishing import changed_record, keys_of
from presence.queues import Queue, QueuedMessage
from presence.records import is_user_id
from presence.tables.history import HistoryTable


@dataclass(frozen=True, slots=True)
class Recording:
    """What became of a stream record: recorded, so many entries forgotten, or set aside with the reason."""

    recorded: bool = False
    forgotten: int = 0
    set_aside: str | None = None


class HistoryRecorder:
    """The use case of `record_history`. Entries are kept for `kept`; `failures` takes what can't be read."""

    def __init__(self, history: HistoryTable, kept: timedelta, failures: Queue) -> None:
        self._history = history
        self._kept = kept
        self._failures = failures

    def handle(self, stream_record: object) -> Recording:
        """Record what a record of the stream says, if its version moved; forget a user whose record was removed.

        The stream keeps the order of one user's records, so nothing is recorded of somebody after they were removed.
        What can't be read goes to the dead-letter queue, with the keys and nothing else of it, and does not hold up
        the stream. Raises botocore's errors if the table or that queue can't be reached: Lambda tries it again.
        """
        try:
            removed = removed_user(stream_record)
            record = None if removed is not None else changed_record(stream_record)
        except MalformedMessage as error:
            self._failures.send([QueuedMessage(encode_event({"reason": str(error), "keys": keys_of(stream_record)}))])
            return Recording(set_aside=str(error))
        if removed is not None:
            return Recording(forgotten=self._history.forget(removed))
        if record is None:
            return Recording()
        self._history.put(entry_of(record), self._kept)
        return Recording(recorded=True)


def removed_user(stream_record: object) -> str | None:
    """Return the id of the user whose record was removed; None if the record was written.

    Raises `MalformedMessage` if it says that a record was removed, and not whose.
    """
    source = fields.as_object(stream_record, "stream record")
    if source.get("eventName") != "REMOVE":
        return None
    keys = fields.as_object(keys_of(stream_record), "stream record.dynamodb.Keys")
    attribute = keys.get("userId")
    user_id = attribute.get("S") if isinstance(attribute, Mapping) else None
    if not isinstance(user_id, str) or not is_user_id(user_id):
        raise MalformedMessage("stream record.dynamodb.Keys: no user id")
    return user_id
