"""DynamoDB's typed attributes and plain Python values, and the two loops that every batch call needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from presence.errors import CalendarPresenceError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MOST_KEYS = 100
_ATTEMPTS = 5


def to_attributes(item: Mapping[str, object]) -> dict[str, Any]:
    """Return the item in DynamoDB's typed form; keys whose value is None are left out."""
    serializer = TypeSerializer()
    return {
        # Nearly all values are texts, for which the serializer looks through all types first.
        key: {"S": str(value)} if isinstance(value, str) else serializer.serialize(value)
        for key, value in item.items()
        if value is not None
    }


def from_attributes(attributes: Mapping[str, Any]) -> dict[str, object]:
    """Return the item of DynamoDB's typed form, with whole numbers as int."""
    deserializer = TypeDeserializer()
    return {
        key: value["S"] if "S" in value else _plain(deserializer.deserialize(value))
        for key, value in attributes.items()
    }


def get_items(
    client: DynamoDBClient, table: str, keys: Sequence[Mapping[str, object]], *, consistent: bool
) -> Iterator[dict[str, object]]:
    """Yield the items at the keys (BatchGetItem, 100 keys a call).

    Raises `CalendarPresenceError` if the table leaves keys unread at five calls in a row: it is throttled.
    """
    for start in range(0, len(keys), _MOST_KEYS):
        wanted: list[Any] = [to_attributes(key) for key in keys[start : start + _MOST_KEYS]]
        for _ in range(_ATTEMPTS):
            answer = client.batch_get_item(RequestItems={table: {"Keys": wanted, "ConsistentRead": consistent}})
            for attributes in answer["Responses"].get(table, []):
                yield from_attributes(attributes)
            unread = answer.get("UnprocessedKeys", {})
            if table not in unread:
                break
            wanted = list(unread[table]["Keys"])
        else:
            message = f"{table}: {len(wanted)} items stayed unread at {_ATTEMPTS} calls; the table is throttled"
            raise CalendarPresenceError(message)


def _plain(value: object) -> object:
    # A remainder would fail on numbers longer than Python's decimal context; DynamoDB's have up to 38 digits.
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


def query_items(client: DynamoDBClient, **query: Any) -> Iterator[dict[str, object]]:
    """Yield every item of a Query, page after page."""
    for page in client.get_paginator("query").paginate(**query):
        for attributes in page["Items"]:
            yield from_attributes(attributes)
