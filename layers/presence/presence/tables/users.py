"""UserTable: who is checked, spread over 240 buckets so that each minute has its share.

Beside each user stands an item `address#<smtp>` in the bucket -1; it keeps addresses unique and finds a user by
address. A user's id is random, given once, and never changed by a change of address.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from boto3.dynamodb.types import TypeSerializer

from presence.addresses import parse_smtp_address
from presence.errors import ConfigurationError, InvalidAddress
from presence.instants import format_instant, parse_instant
from presence.records import MOST_GROUPS, User, is_user_id
from presence.tables.items import from_attributes, query_items, to_attributes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BUCKETS = 240
_ADDRESS_BUCKET = -1


@dataclass(frozen=True, slots=True)
class ScheduledUser:
    """A user as the schedule sees them; `endpoint` is where their calendar was last read from, if it is known."""

    user: User
    endpoint: str | None
    enabled: bool
    paused_until: datetime | None

    def is_due(self, now: datetime) -> bool:
        """Tell whether the user's calendar is to be read."""
        return self.enabled and (self.paused_until is None or self.paused_until <= now)


class AddressTaken(ConfigurationError):  # noqa: N818  the field's own word for it
    """The address already belongs to a user."""


class UserTable:
    """The adapter to UserTable."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def of_bucket(self, bucket: int) -> Iterator[ScheduledUser]:
        """Yield the users of a bucket.

        Items whose id, address or pause can't be read are left out: one of them would spoil the message of all.
        """
        for item in query_items(
            self._client,
            TableName=self._table,
            KeyConditionExpression="#bucket = :bucket",  # a reserved word of DynamoDB
            ExpressionAttributeNames={"#bucket": "bucket"},
            ExpressionAttributeValues=to_attributes({":bucket": bucket}),
        ):
            user = _scheduled_user(item)
            if user is not None:
                yield user

    def every(self) -> Iterator[ScheduledUser]:
        """Yield all users, bucket by bucket."""
        for bucket in range(BUCKETS):
            yield from self.of_bucket(bucket)

    def add(
        self, address: str, profile: str | None = None, user_id: str | None = None, groups: Sequence[str] = ()
    ) -> User:
        """Add a user, with a new id unless one is given, and with the profile that is assigned unless one is given.

        Raises `InvalidAddress`, `AddressTaken`, or `ConfigurationError` if the id given is none or is in use, or for
        more than 50 groups.
        """
        user = User(user_id or secrets.token_hex(16), parse_smtp_address(address), profile, tuple(groups))
        if not is_user_id(user.user_id):
            raise ConfigurationError(f"{user.user_id!r} is no user id: it needs 32 hexadecimal digits")
        if len(user.groups) > MOST_GROUPS:
            raise ConfigurationError(f"{user.address} is in {len(user.groups)} groups, at most {MOST_GROUPS} are kept")
        item = {
            "bucket": bucket_of(user.user_id),
            "userId": user.user_id,
            "address": user.address,
            "profile": profile,
            "groups": list(groups) or None,
        }
        claim = {**address_key(user.address), "owner": user.user_id}
        condition = "attribute_not_exists(userId)"
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": to_attributes(written),
                            "ConditionExpression": condition,
                        }
                    }
                    for written in (claim, {**item, "enabled": True})
                ]
            )
        except self._client.exceptions.TransactionCanceledException as error:
            # Why, in the order of the actions. A transaction is also cancelled for a conflict or a throttled table.
            reasons = error.response.get("CancellationReasons", [])
            failed = [reason.get("Code") == "ConditionalCheckFailed" for reason in reasons]
            if failed[:1] == [True]:
                raise AddressTaken(f"{user.address} already belongs to a user") from error
            if any(failed):
                raise ConfigurationError(f"the id {user.user_id} already belongs to a user") from error
            raise
        return user

    def has(self, user_id: str) -> bool:
        """Tell whether there is a user of that id: a check may come after its user was removed."""
        answer = self._client.get_item(
            TableName=self._table,
            Key=to_attributes(user_key(user_id)),
            ProjectionExpression="userId",
            ConsistentRead=True,
        )
        return "Item" in answer

    def assign(self, user_id: str, profile: str | None, groups: Sequence[str]) -> None:
        """Give a user a profile of their own (None: the one that is assigned) and groups; removed users stay so."""
        self._update(user_id, {"profile": profile, "groups": list(groups)})

    def use_calendar(self, user_id: str, *, enabled: bool, paused_until: datetime | None) -> None:
        """Note whether the user's calendar is to be read, for the schedule; removed users stay so."""
        until = None if paused_until is None else format_instant(paused_until)
        self._update(user_id, {"enabled": enabled, "pausedUntil": until})

    def find(self, address: str) -> User | None:
        """Return the user who has the address."""
        answer = self._client.get_item(
            TableName=self._table, Key=to_attributes(address_key(parse_smtp_address(address))), ConsistentRead=True
        )
        if "Item" not in answer:
            return None
        user_id = str(from_attributes(answer["Item"])["owner"])
        stored = self._client.get_item(TableName=self._table, Key=to_attributes(user_key(user_id)), ConsistentRead=True)
        found = _scheduled_user(from_attributes(stored["Item"])) if "Item" in stored else None
        return None if found is None else found.user

    def remove(self, user: User) -> None:
        """Remove a user and free the address. The presence record is not touched."""
        self._client.transact_write_items(
            TransactItems=[
                {"Delete": {"TableName": self._table, "Key": to_attributes(user_key(user.user_id))}},
                {"Delete": {"TableName": self._table, "Key": to_attributes(address_key(user.address))}},
            ]
        )

    def remember_endpoint(self, user_id: str, endpoint: str) -> None:
        """Note where a user's calendar was read from, so that the schedule can group them; removed users stay so."""
        self._update(user_id, {"endpoint": endpoint})

    def _update(self, user_id: str, values: Mapping[str, object]) -> None:
        """Set attributes of a user's item, if there still is one."""
        serializer = TypeSerializer()
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_attributes(user_key(user_id)),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression="attribute_exists(userId)",
                # Some of the names are reserved words of DynamoDB.
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues={f":{name}": serializer.serialize(value) for name, value in values.items()},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return


def bucket_of(user_id: str) -> int:
    """Return the bucket of a user: a stable hash of the id, modulo 240."""
    return zlib.crc32(user_id.encode()) % BUCKETS


def user_key(user_id: str) -> dict[str, object]:
    """Return the key of a user's item."""
    return {"bucket": bucket_of(user_id), "userId": user_id}


def address_key(address: str) -> dict[str, object]:
    """Return the key of the item that stands for an address, in the spelling of `parse_smtp_address`."""
    return {"bucket": _ADDRESS_BUCKET, "userId": f"address#{address}"}


def _scheduled_user(item: Mapping[str, object]) -> ScheduledUser | None:
    if not is_user_id(item["userId"]):
        return None
    try:
        address = parse_smtp_address(str(item.get("address", "")))
        paused_until = item.get("pausedUntil")
        return ScheduledUser(
            user=User(str(item["userId"]), address, _text_or_none(item.get("profile")), _texts(item.get("groups"))),
            endpoint=str(item["endpoint"]) if item.get("endpoint") else None,
            enabled=item.get("enabled") is not False,
            paused_until=None if paused_until is None else parse_instant(str(paused_until)),
        )
    except (InvalidAddress, ValueError):
        return None


def _text_or_none(value: object) -> str | None:
    return str(value) if value else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(text) for text in value if text)[:MOST_GROUPS] if isinstance(value, list) else ()
