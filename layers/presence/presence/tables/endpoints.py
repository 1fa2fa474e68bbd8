"""EndpointTable: what was found out about Exchange, each item with an end.

Keys are `mailbox#<smtp>`, `domain#<domain>` and the like; values are texts. An expired item is ignored on reading,
since the table removes it some time later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from presence.tables.items import get_items, to_attributes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class EndpointTable:
    """The adapter to EndpointTable; `clock` gives the present instant in UTC."""

    def __init__(self, client: DynamoDBClient, table: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def get_many(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """Return the values of the keys that are there and have not expired."""
        now = self._clock().timestamp()
        found: dict[str, Mapping[str, str]] = {}
        for item in get_items(
            self._client, self._table, [{"key": key} for key in dict.fromkeys(keys)], consistent=False
        ):
            value, expires_at = item.get("value"), item.get("expiresAt")
            if isinstance(value, Mapping) and isinstance(expires_at, int) and expires_at > now:
                found[str(item["key"])] = {str(name): str(part) for name, part in value.items()}
        return found

    def put(self, key: str, value: Mapping[str, str], ttl_seconds: float) -> None:
        """Keep a value for `ttl_seconds`."""
        expires_at = int(self._clock().timestamp() + ttl_seconds)
        self._client.put_item(
            TableName=self._table,
            Item=to_attributes({"key": key, "value": dict(value), "expiresAt": expires_at}),
        )

    def delete(self, keys: Sequence[str]) -> None:
        """Forget the keys."""
        for key in keys:
            self._client.delete_item(TableName=self._table, Key=to_attributes({"key": key}))
