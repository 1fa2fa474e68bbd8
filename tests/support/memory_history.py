"""HistoryTable in memory; tests/contract holds it to the real one's behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from presence.history import HistoryEntry
from presence.tables.history import HistoryTable, StoredHistory, history_from_items, item_from_entry


class MemoryHistoryTable(HistoryTable):
    """HistoryTable whose items are in `items`, by user id and version."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, int], dict[str, object]] = {}

    def put_item(self, item: Mapping[str, object]) -> None:
        """Put an item as somebody else might, whatever stands in it."""
        key = (str(item["userId"]), int(str(item["version"])))
        self.items[key] = {name: value for name, value in item.items() if value is not None}

    def put(self, entry: HistoryEntry, kept: timedelta) -> None:
        self.put_item(item_from_entry(entry, kept))

    def of_user(self, user_id: str, now: datetime) -> StoredHistory:
        return history_from_items([item for (owner, _), item in self.items.items() if owner == user_id], now)

    def forget(self, user_id: str) -> int:
        keys = [key for key in self.items if key[0] == user_id]
        for key in keys:
            del self.items[key]
        return len(keys)
