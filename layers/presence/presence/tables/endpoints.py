"""EndpointTable: what was found out about Exchange, each item with an end.

Keys are `mailbox#<smtp>`, `domain#<domain>` and the like; values are texts. An expired item is ignored on reading,
since the table removes it some time later.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from presence.errors import CalendarPresenceError
from presence.tables.items import from_attributes, get_items, to_attributes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ATTEMPTS = 10
_Value = Mapping[str, str]


class EndpointTable:
    """The adapter to EndpointTable; `clock` gives the present instant in UTC."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """Return the values of the keys that are there and have not expired."""
        found: dict[str, Mapping[str, str]] = {}
        for item in get_items(
            self._client, self._table, [{"key": key} for key in dict.fromkeys(keys)], consistent=False
        ):
            value = self._value(item)
            if value is not None:
                found[str(item["key"])] = value
        return found

    def put(self, key: str, value: Mapping[str, str], ttl_seconds: float) -> None:
        """Keep a value for `ttl_seconds`."""
        expires_at = int(self._clock().timestamp() + ttl_seconds)
        self._client.put_item(
            TableName=self._table,
            Item=to_attributes({"key": key, "value": dict(value), "expiresAt": expires_at}),
        )

    def update(self, key: str, change: Callable[[_Value | None], tuple[_Value, float] | None]) -> _Value | None:
        """Change a value in one step that nobody else can come between, and return what is there afterwards.

        `change` takes the present value (None: there is none, or it has expired) and returns the new one with the
        seconds for which it is kept, or None to leave everything as it is. It may be called several times, since
        whoever was faster makes it begin again. Raises `CalendarPresenceError` after ten times.
        """
        for _ in range(_ATTEMPTS):
            answer = self._client.get_item(TableName=self._table, Key=to_attributes({"key": key}), ConsistentRead=True)
            item = from_attributes(answer.get("Item", {}))
            present = self._value(item)
            changed = change(present)
            if changed is None:
                return present
            value, ttl_seconds = changed
            if self._put_unless_changed(key, item.get("revision"), value, ttl_seconds):
                return dict(value)
        raise CalendarPresenceError(f"{self._table}: others changed {key!r} each of {_ATTEMPTS} times; try again")

    def delete(self, keys: Sequence[str]) -> None:
        """Forget the keys."""
        for key in keys:
            self._client.delete_item(TableName=self._table, Key=to_attributes({"key": key}))

    def _put_unless_changed(self, key: str, revision: object, value: _Value, ttl_seconds: float) -> bool:
        """Put a value if the item still has the revision that was seen; a revision is never used twice."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(revision)"}
        if revision is not None:
            condition = {
                "ConditionExpression": "revision = :seen",
                "ExpressionAttributeValues": to_attributes({":seen": revision}),
            }
        item = {
            "key": key,
            "value": dict(value),
            "expiresAt": int(self._clock().timestamp() + ttl_seconds),
            "revision": uuid.uuid4().hex,
        }
        try:
            self._client.put_item(TableName=self._table, Item=to_attributes(item), **condition)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _value(self, item: Mapping[str, object]) -> _Value | None:
        """Return the value of an item that is well-formed and has not expired."""
        value, expires_at = item.get("value"), item.get("expiresAt")
        if not isinstance(value, Mapping) or not isinstance(expires_at, int):
            return None
        if expires_at <= self._clock().timestamp():
            return None
        return {str(name): str(part) for name, part in value.items()}
