"""HistoryTable: an item a version of a user, each with an end.

The key is user and version, so an entry that is put twice is one item. An expired item is ignored on reading, since
the table removes it some time later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from presence import fields
from presence.errors import CalendarPresenceError, MalformedMessage
from presence.freshness import Freshness
from presence.history import HistoryEntry
from presence.instants import format_instant
from presence.presences import Activity, Availability, Presence
from presence.tables.items import query_items, to_attributes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MOST_DELETES = 25
"""BatchWriteItem takes so many (Amazon DynamoDB API reference)."""
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class StoredHistory:
    """What was found of a user: the entries by version, and the errors of items that could not be read."""

    entries: tuple[HistoryEntry, ...]
    malformed: tuple[MalformedMessage, ...]


class HistoryTable:
    """The adapter to HistoryTable."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def put(self, entry: HistoryEntry, kept: timedelta) -> None:
        """Keep an entry until so long after it was decided."""
        self._client.put_item(TableName=self._table, Item=to_attributes(item_from_entry(entry, kept)))

    def of_user(self, user_id: str, now: datetime) -> StoredHistory:
        """Return the entries of a user that have not expired by `now` (UTC), read consistently, by version."""
        return history_from_items(self._items(user_id), now)

    def forget(self, user_id: str) -> int:
        """Remove all items of a user, expired ones too; return how many there were.

        Raises `CalendarPresenceError` if the table leaves some undone at five calls in a row: it is throttled.
        """
        keys = [{"userId": item["userId"], "version": item["version"]} for item in self._items(user_id, keys_only=True)]
        for start in range(0, len(keys), _MOST_DELETES):
            self._delete(keys[start : start + _MOST_DELETES])
        return len(keys)

    def _items(self, user_id: str, *, keys_only: bool = False) -> list[dict[str, object]]:
        query: dict[str, Any] = {"ProjectionExpression": "userId, version"} if keys_only else {}
        return list(
            query_items(
                self._client,
                TableName=self._table,
                KeyConditionExpression="userId = :user",
                ExpressionAttributeValues=to_attributes({":user": user_id}),
                ConsistentRead=True,
                **query,
            )
        )

    def _delete(self, keys: Sequence[Mapping[str, object]]) -> None:
        wanted: Any = [{"DeleteRequest": {"Key": to_attributes(key)}} for key in keys]
        for _ in range(_ATTEMPTS):
            answer = self._client.batch_write_item(RequestItems={self._table: wanted})
            wanted = answer.get("UnprocessedItems", {}).get(self._table)
            if not wanted:
                return
        message = f"{self._table}: {len(wanted)} items were not removed at {_ATTEMPTS} calls; the table is throttled"
        raise CalendarPresenceError(message)


def history_from_items(items: Sequence[Mapping[str, object]], now: datetime) -> StoredHistory:
    """Return what a user's items say, without those that have expired by an instant (UTC)."""
    entries: list[HistoryEntry] = []
    malformed: list[MalformedMessage] = []
    for item in items:
        try:
            if _expires_at(item) > now.timestamp():
                entries.append(entry_from_item(item))
        except MalformedMessage as error:
            malformed.append(error)
    return StoredHistory(tuple(sorted(entries, key=lambda entry: entry.version)), tuple(malformed))


def item_from_entry(entry: HistoryEntry, kept: timedelta) -> dict[str, object]:
    """Return the item that stores an entry for `kept`; the same entry gives the same item, whenever it is put."""
    return {
        "userId": entry.user_id,
        "version": entry.version,
        "at": format_instant(entry.at),
        "availability": entry.presence.availability.value,
        "activity": entry.presence.activity.value,
        "previousAvailability": entry.previous.availability.value,
        "previousActivity": entry.previous.activity.value,
        "since": format_instant(entry.since),
        "until": None if entry.until is None else format_instant(entry.until),
        "source": entry.source,
        "rule": entry.rule,
        "freshness": entry.freshness.value,
        "note": entry.note,
        "expiresAt": int((entry.at + kept).timestamp()),
    }


def entry_from_item(item: Mapping[str, object]) -> HistoryEntry:
    """Return the entry that an item stores. Raises `MalformedMessage` naming the user, version and attribute."""
    path = _path(item)
    try:
        return HistoryEntry(
            user_id=fields.text(item, "userId", path),
            version=fields.whole_number(item, "version", path, least=1),
            at=fields.instant(item, "at", path),
            presence=_presence(item["availability"], item["activity"]),
            previous=_presence(item["previousAvailability"], item["previousActivity"]),
            since=fields.instant(item, "since", path),
            until=None if item.get("until") is None else fields.instant(item, "until", path),
            source=fields.text(item, "source", path),
            rule=fields.text(item, "rule", path),
            freshness=Freshness(fields.text(item, "freshness", path)),
            note=fields.optional_text(item, "note", path),
        )
    except (KeyError, ValueError) as error:
        raise MalformedMessage(f"{path}: {type(error).__name__}: {error!s:.100}") from error


def _path(item: Mapping[str, object]) -> str:
    return f"HistoryTable[{item.get('userId')}, {item.get('version')}]"


def _expires_at(item: Mapping[str, object]) -> int:
    return fields.whole_number(item, "expiresAt", _path(item))


def _presence(availability: object, activity: object) -> Presence:
    return Presence(Availability(str(availability)), Activity(str(activity)))
