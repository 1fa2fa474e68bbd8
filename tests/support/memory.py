"""The adapters in memory, for tests of what stands on them. tests/contract holds each to the real one's behaviour."""

from __future__ import annotations

import copy
import json
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from presence.addresses import parse_smtp_address
from presence.errors import CalendarPresenceError, ConfigurationError, MalformedMessage
from presence.queues import Queue, QueuedMessage
from presence.records import MOST_GROUPS, PresenceRecord, User, is_user_id
from presence.tables.configuration import LARGEST_DOCUMENT, ConfigTable, Document
from presence.tables.presences import (
    ComingTransition,
    PresenceTable,
    StoredRecords,
    coming_transition,
    item_from_record,
    record_from_item,
)
from presence.tables.users import AddressTaken, ScheduledUser, UserTable, bucket_of


class MemoryPresenceTable(PresenceTable):
    """PresenceTable whose items are in `items`, by user id. `writes` counts those that took effect."""

    def __init__(self, shards: int = 16) -> None:
        self._shards = shards
        self._lock = threading.Lock()
        self.items: dict[str, dict[str, object]] = {}
        self.writes = 0

    def put_item(self, item: Mapping[str, object]) -> None:
        """Put an item as somebody else might, whatever stands in it."""
        self.items[str(item["userId"])] = {key: value for key, value in item.items() if value is not None}

    def get_many(self, user_ids: Sequence[str]) -> StoredRecords:
        found: dict[str, PresenceRecord] = {}
        malformed: dict[str, MalformedMessage] = {}
        for user_id in user_ids:
            if user_id not in self.items:
                continue
            try:
                found[user_id] = record_from_item(self.items[user_id])
            except MalformedMessage as error:
                malformed[user_id] = error
        return StoredRecords(found, malformed)

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        written = replace(record, revision=record.revision + 1)
        with self._lock:
            stored = self.items.get(record.user_id)
            if (0 if stored is None else stored["revision"]) != record.revision:
                return None
            self.put_item(item_from_record(written, self._shards))
            self.writes += 1
        return written

    def coming(self, minute: datetime, shard: int, before: datetime) -> list[ComingTransition]:
        key = f"{minute:%Y-%m-%dT%H:%M}#{shard}"
        entries = [coming_transition(item) for item in self.items.values() if item.get("nextMinute") == key]
        transitions = [one for one in entries if one is not None and one.due < before]
        return sorted(transitions, key=lambda one: (one.due, one.user_id))


class MemoryUserTable(UserTable):
    """UserTable over a dictionary of users."""

    def __init__(self) -> None:
        self._users: dict[str, ScheduledUser] = {}
        self._buckets: dict[str, int] = {}

    def put(self, user: ScheduledUser) -> None:
        """Put a user as they stand, in the bucket of their id."""
        self._users[user.user.user_id] = user
        self._buckets[user.user.user_id] = bucket_of(user.user.user_id)

    def of_bucket(self, bucket: int) -> Iterator[ScheduledUser]:
        here = sorted(user_id for user_id in self._users if self._buckets[user_id] == bucket)
        yield from (self._users[user_id] for user_id in here)

    def add(
        self, address: str, profile: str | None = None, user_id: str | None = None, groups: Sequence[str] = ()
    ) -> User:
        user = User(user_id or secrets.token_hex(16), parse_smtp_address(address), profile, tuple(groups))
        if not is_user_id(user.user_id) or user.user_id in self._users:
            raise ConfigurationError(f"{user.user_id!r} can't be the id of a new user")
        if len(user.groups) > MOST_GROUPS:
            raise ConfigurationError(f"{user.address} is in {len(user.groups)} groups")
        if self.find(address) is not None:
            raise AddressTaken(f"{user.address} already belongs to a user")
        self.put(ScheduledUser(user, endpoint=None, enabled=True, paused_until=None))
        return user

    def has(self, user_id: str) -> bool:
        return user_id in self._users

    def use_calendar(self, user_id: str, *, enabled: bool, paused_until: datetime | None) -> None:
        if user_id in self._users:
            self._users[user_id] = replace(self._users[user_id], enabled=enabled, paused_until=paused_until)

    def find(self, address: str) -> User | None:
        wanted = parse_smtp_address(address)
        return next((user.user for user in self._users.values() if user.user.address == wanted), None)

    def remove(self, user: User) -> None:
        self._users.pop(user.user_id, None)

    def assign(self, user_id: str, profile: str | None, groups: Sequence[str]) -> None:
        if user_id in self._users:
            known = self._users[user_id]
            user = replace(known.user, profile=profile, groups=tuple(groups))
            self._users[user_id] = replace(known, user=user)

    def remember_endpoint(self, user_id: str, endpoint: str) -> None:
        if user_id in self._users:
            self._users[user_id] = replace(self._users[user_id], endpoint=endpoint)


class MemoryConfigTable(ConfigTable):
    """ConfigTable over two dictionaries."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}
        self._states: dict[str, dict[str, str]] = {}

    def document(self, name: str) -> Document | None:
        return copy.deepcopy(self._documents.get(name))

    def put_document(self, name: str, content: Mapping[str, object]) -> Document:
        length = len(json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode())
        if length > LARGEST_DOCUMENT:
            raise ConfigurationError(f"{name}: {length} bytes, at most {LARGEST_DOCUMENT} fit")
        present = self.document(name)
        written = Document(1 if present is None else present.version + 1, dict(content))
        if self._documents.get(name) != present:
            raise ConfigurationError(f"{name}: somebody else changed it at the same moment; look at it again")
        self._documents[name] = written
        return written

    def state(self, name: str) -> Mapping[str, str]:
        return dict(self._states.get(name, {}))

    def put_state(self, name: str, state: Mapping[str, str]) -> None:
        self._states[name] = dict(state)


class MemoryQueue(Queue):
    """Queue that keeps what is sent in `messages`; while `refuses` it takes nothing."""

    def __init__(self) -> None:
        self.messages: list[QueuedMessage] = []
        self.refuses = False

    def send(self, messages: Sequence[QueuedMessage]) -> None:
        if self.refuses and messages:
            raise CalendarPresenceError(f"queue memory: {len(messages)} of {len(messages)} messages were refused")
        self.messages.extend(messages)

    def take(self) -> list[QueuedMessage]:
        """Return what was sent since the last call."""
        taken, self.messages = self.messages, []
        return taken
