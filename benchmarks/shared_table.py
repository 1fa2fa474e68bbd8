"""A stand-in for a DynamoDB table that several processes share, and the client that the adapters are given.

Each item has a place of its own in a file that all processes map into their memory. A call takes a fixed time; a write
takes effect at its end, under its condition. What a call of the real client costs in processor time
besides the item's JSON (signing, HTTP) is not in it.
"""

from __future__ import annotations

import json
import mmap
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Lock
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from botocore.exceptions import ClientError

TABLE: Final = "PresenceTable"

WRITE_SECONDS: Final = 0.005
READ_SECONDS: Final = 0.010
"""How long a call takes: a conditional write of one item, a consistent read of up to a hundred."""

_HEAD: Final = struct.Struct("<QQQdd")
"""Of a place: length of the item's JSON, revision, number of writes, when the first was asked for and took effect."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the items lie: the file, the users in the order of their places, and the size of a place in bytes."""

    path: Path
    user_ids: Sequence[str]
    place: int


@dataclass(frozen=True, slots=True)
class Stored:
    """An item as it stands, the number of its writes, and of the first when it was asked for and took effect (Unix)."""

    item: dict[str, Any]
    writes: int
    asked_at: float
    written_at: float


def lay_out(path: Path, items: Sequence[Mapping[str, Any]]) -> Layout:
    """Make the file of a table with these items, in DynamoDB's typed form; each may grow to twice its size."""
    texts = [json.dumps(item).encode() for item in items]
    place = _HEAD.size + 2 * max(map(len, texts))
    with path.open("wb") as file:
        for item, text in zip(items, texts, strict=True):
            file.write((_HEAD.pack(len(text), int(item["revision"]["N"]), 0, 0.0, 0.0) + text).ljust(place, b"\0"))
    return Layout(path, [item["userId"]["S"] for item in items], place)


class SharedTable:
    """The table as one process has it. `locks` are shared by all: a place is guarded by one of them."""

    def __init__(self, layout: Layout, locks: Sequence[Lock]) -> None:
        self._places = {user_id: number * layout.place for number, user_id in enumerate(layout.user_ids)}
        self._size = layout.place
        self._locks = locks
        with layout.path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)

    def close(self) -> None:
        """Let go of the file."""
        self._memory.close()

    def get(self, user_id: str) -> Stored | None:
        """Return an item; None if there is no such user."""
        with self._place_of(user_id) as place:
            if place is None:
                return None
            length, _, writes, asked_at, written_at = _HEAD.unpack_from(self._memory, place)
            text = self._memory[place + _HEAD.size : place + _HEAD.size + length]
        return Stored(json.loads(text), writes, asked_at, written_at)

    def put(self, item: Mapping[str, Any], revision: int, asked_at: float) -> bool:
        """Put an item in place of the one with a revision; tell whether it was that one that stood there."""
        text = json.dumps(item).encode()
        if _HEAD.size + len(text) > self._size:
            raise ValueError(f"{len(text)} bytes are more than the table has room for")
        with self._place_of(item["userId"]["S"]) as place:
            if place is None:
                return False
            _, stored, writes, *first = _HEAD.unpack_from(self._memory, place)
            if stored != revision:
                return False
            head = _HEAD.pack(
                len(text), int(item["revision"]["N"]), writes + 1, *(first if writes else (asked_at, time.time()))
            )
            self._memory[place : place + len(head) + len(text)] = head + text
            return True

    @contextmanager
    def _place_of(self, user_id: str) -> Iterator[int | None]:
        place = self._places.get(user_id)
        with self._locks[0 if place is None else place // self._size % len(self._locks)]:
            yield place


class ConditionalCheckFailedError(ClientError):
    """The condition of a write did not hold."""

    def __init__(self) -> None:
        super().__init__({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")


class TableClient:
    """What stands for boto3's DynamoDB client: the calls that apply_transitions makes, and no others.

    `connections` is how many calls may be under way at once, as many as the client's pool holds; more wait.
    """

    exceptions = SimpleNamespace(ConditionalCheckFailedException=ConditionalCheckFailedError)

    def __init__(self, table: SharedTable, connections: int) -> None:
        self._table = table
        self._connections = threading.BoundedSemaphore(connections)

    def batch_get_item(self, **call: Any) -> dict[str, Any]:
        """Return the items at the keys."""
        keys = call["RequestItems"][TABLE]["Keys"]
        with self._connections:
            time.sleep(READ_SECONDS)
            found = [self._table.get(key["userId"]["S"]) for key in keys]
        return {"Responses": {TABLE: [stored.item for stored in found if stored is not None]}, "UnprocessedKeys": {}}

    def put_item(self, **call: Any) -> dict[str, Any]:
        """Put an item under the one condition that is known here."""
        asked_at = time.time()
        if call["ConditionExpression"] != "revision = :read":
            raise ValueError(f"the stand-in knows the condition on a revision only, not {call['ConditionExpression']}")
        with self._connections:
            time.sleep(WRITE_SECONDS)
            if not self._table.put(call["Item"], int(call["ExpressionAttributeValues"][":read"]["N"]), asked_at):
                raise ConditionalCheckFailedError
        return {}
