"""What the tables hold of one person, item by item as it is stored: for export and erasure.

Found by their keys, and by the address that stands on records: a user who was removed, or removed and added again,
has left a record under an id of which UserTable knows nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from presence.addresses import parse_smtp_address
from presence.tables.items import from_attributes, query_items, to_attributes
from presence.tables.users import address_key, user_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, object]


@dataclass(frozen=True, slots=True)
class PersonalTables:
    """The names of the tables."""

    users: str
    presences: str
    history: str
    endpoints: str


@dataclass(frozen=True, slots=True)
class Person:
    """An address with the ids of the users who have or had it; none: nobody did, or all of it is gone."""

    address: str
    user_ids: tuple[str, ...]


class PersonalItems:
    """The adapter to the items of one person, in all tables."""

    def __init__(self, client: DynamoDBClient, tables: PersonalTables) -> None:
        self._client = client
        self._tables = tables

    def find(self, address: str) -> Person:
        """Return whose address it is: the user who has it, and those on whose records it still stands.

        Looks through the whole of PresenceTable. Raises `InvalidAddress`.
        """
        wanted = parse_smtp_address(address)
        claim = self._item(self._tables.users, address_key(wanted))
        owner = [] if claim is None else [str(claim["owner"])]
        return Person(wanted, tuple(dict.fromkeys([*owner, *self._on_records(wanted)])))

    def of_users(self, person: Person) -> list[Item]:
        """Return the person's items of UserTable: users and the address."""
        keys = [*(user_key(user_id) for user_id in person.user_ids), address_key(person.address)]
        return self._present(self._tables.users, keys)

    def of_presences(self, person: Person) -> list[Item]:
        """Return the person's items of PresenceTable."""
        return self._present(self._tables.presences, [{"userId": user_id} for user_id in person.user_ids])

    def of_history(self, person: Person, now: datetime) -> list[Item]:
        """Return the person's items of HistoryTable that have not expired by an instant (UTC), by version."""
        items = (
            item
            for user_id in person.user_ids
            for item in query_items(
                self._client,
                TableName=self._tables.history,
                KeyConditionExpression="userId = :user",
                ExpressionAttributeValues=to_attributes({":user": user_id}),
                ConsistentRead=True,
            )
        )
        return [item for item in items if not _has_expired(item, now)]

    def of_endpoints(self, keys: tuple[str, ...], now: datetime) -> list[Item]:
        """Return the items of EndpointTable under the keys that have not expired."""
        items = self._present(self._tables.endpoints, [{"key": key} for key in keys])
        return [item for item in items if not _has_expired(item, now)]

    def take_out_user(self, user_id: str) -> bool:
        """Remove a user's item, so that no check brings them back; the address stays, by which they are found again.

        Return whether there was one.
        """
        return self._delete(self._tables.users, user_key(user_id))

    def remove_record(self, user_id: str, revision: int | None) -> bool:
        """Remove a user's record if its revision is still this one (None: whichever it is); return whether it was."""
        condition: dict[str, Any] = {}
        if revision is not None:
            condition = {
                "ConditionExpression": "revision = :read",
                "ExpressionAttributeValues": to_attributes({":read": revision}),
            }
        try:
            return self._delete(self._tables.presences, {"userId": user_id}, condition)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False

    def free_address(self, person: Person) -> bool:
        """Remove the item of the address, unless it belongs to somebody else by now; return whether it was removed."""
        key = address_key(person.address)
        claim = self._item(self._tables.users, key)
        if claim is None or claim["owner"] not in person.user_ids:
            return False
        condition = {
            "ConditionExpression": "#owner = :owner",  # a reserved word of DynamoDB
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": to_attributes({":owner": claim["owner"]}),
        }
        try:
            return self._delete(self._tables.users, key, condition)
        except self._client.exceptions.ConditionalCheckFailedException:
            return False

    def _on_records(self, address: str) -> Iterator[str]:
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._tables.presences,
            FilterExpression="address = :address",
            ProjectionExpression="userId",
            ExpressionAttributeValues=to_attributes({":address": address}),
            ConsistentRead=True,
        )
        for page in pages:
            yield from (str(from_attributes(found)["userId"]) for found in page["Items"])

    def _present(self, table: str, keys: list[dict[str, object]]) -> list[Item]:
        return [item for key in keys if (item := self._item(table, key)) is not None]

    def _item(self, table: str, key: Mapping[str, object]) -> Item | None:
        answer = self._client.get_item(TableName=table, Key=to_attributes(key), ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def _delete(self, table: str, key: Mapping[str, object], condition: Mapping[str, Any] | None = None) -> bool:
        answer = self._client.delete_item(
            TableName=table, Key=to_attributes(key), ReturnValues="ALL_OLD", **(condition or {})
        )
        return "Attributes" in answer


def _has_expired(item: Mapping[str, object], now: datetime) -> bool:
    expires_at = item.get("expiresAt")
    return isinstance(expires_at, int) and expires_at <= now.timestamp()
