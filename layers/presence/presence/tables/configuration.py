"""ConfigTable: documents that operators write, with versions, and the little state that the schedules keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from presence import fields
from presence.errors import ConfigurationError
from presence.tables.items import from_attributes, to_attributes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

GATEWAYS = "gateways"
LARGEST_DOCUMENT = 350 * 1024
"""Bytes; DynamoDB holds 400 KB an item, and a document with CA chains has to fit."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document with its version, which grows by one with each change."""

    version: int
    content: Mapping[str, object]


class ConfigTable:
    """The adapter to ConfigTable."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def document(self, name: str) -> Document | None:
        """Return a document; None if nobody has put it yet. Raises `MalformedMessage` if it can't be read."""
        item = self._item(name)
        if item is None:
            return None
        path = f"ConfigTable[{name}]"
        content = fields.parse_json_object(fields.text(item, "content", path), path)
        return Document(fields.whole_number(item, "version", path, least=1), content)

    def put_document(self, name: str, content: Mapping[str, object]) -> Document:
        """Put a document in the place of the present one.

        Raises `ConfigurationError` if it is too large, or if somebody else put one at the same moment.
        """
        text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
        if len(text.encode()) > LARGEST_DOCUMENT:
            raise ConfigurationError(f"{name}: {len(text.encode())} bytes, at most {LARGEST_DOCUMENT} fit")
        item = self._item(name)
        present = 0 if item is None else fields.whole_number(item, "version", f"ConfigTable[{name}]")
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_attributes({"name": name, "version": present + 1, "content": text}),
                ConditionExpression="attribute_not_exists(#name) OR version = :present",
                ExpressionAttributeNames={"#name": "name"},
                ExpressionAttributeValues=to_attributes({":present": present}),
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise ConfigurationError(
                f"{name}: somebody else changed it at the same moment; look at it again"
            ) from error
        return Document(present + 1, content)

    def state(self, name: str) -> Mapping[str, str]:
        """Return what a schedule noted under the name; empty if it has not yet noted anything."""
        item = self._item(f"state#{name}") or {}
        return {key: value for key, value in item.items() if key != "name" and isinstance(value, str)}

    def put_state(self, name: str, state: Mapping[str, str]) -> None:
        """Note a schedule's state under the name."""
        self._client.put_item(TableName=self._table, Item=to_attributes({"name": f"state#{name}", **state}))

    def _item(self, name: str) -> dict[str, object] | None:
        answer = self._client.get_item(TableName=self._table, Key=to_attributes({"name": name}), ConsistentRead=True)
        if "Item" not in answer:
            return None
        return from_attributes(answer["Item"])
