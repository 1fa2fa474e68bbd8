"""Tables: what `boto3.client("dynamodb")` answers the functions, in memory and at once.

Items are kept in DynamoDB's typed form, so that what the functions write goes the same way there and back as on AWS.
Only calls and parameters that the functions use are known; any other fails, and is not answered wrongly.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from local.virtual.expressions import comparable, condition_of, update_of

Item = dict[str, Any]
OnChange = Callable[[Item | None, Item | None], None]
_MOST_KEYS = 100
_OF_CONDITIONS = ("ConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues")


class ConditionalCheckFailedError(ClientError):
    """The condition of a write was not fulfilled."""


class TransactionCanceledError(ClientError):
    """One of the actions of a transaction had a condition that was not fulfilled."""


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a table or an index: the attribute of its partitions and, if it has one, that of the order."""

    partition: str
    order: str | None = None

    def of(self, item: Mapping[str, Any]) -> tuple[object, object] | None:
        """Return the item's place, None for an item that lacks the key: an index leaves it out."""
        if self.partition not in item or (self.order is not None and self.order not in item):
            return None
        order = comparable(item[self.order]) if self.order is not None else None
        return comparable(item[self.partition]), order


@dataclass(slots=True)
class VirtualTable:
    """One table: its key, the keys of its indexes, which hold keys only, and who is told of each change."""

    key: Key
    indexes: Mapping[str, Key] = field(default_factory=dict)
    on_change: list[OnChange] = field(default_factory=list)
    _items: dict[tuple[object, object], Item] = field(default_factory=dict)
    _partitions: dict[tuple[str, object], dict[tuple[object, object], Item]] = field(
        default_factory=lambda: defaultdict(dict)
    )

    def items(self) -> list[Item]:
        """Return every item."""
        return list(self._items.values())

    def get(self, key: Mapping[str, Any]) -> Item | None:
        """Return the item at a key."""
        return self._items.get(self._place(key))

    def put(self, item: Item) -> None:
        """Put an item; it must not be changed any more."""
        place = self._place(item)
        before = self._items.get(place)
        self._unlist(place, before)
        self._items[place] = item
        for name, key in self._keys():
            found = key.of(item)
            if found is not None:
                self._partitions[name, found[0]][place] = item
        self._tell(before, item)

    def delete(self, key: Mapping[str, Any]) -> None:
        """Remove the item at a key, if there is one."""
        place = self._place(key)
        before = self._items.pop(place, None)
        self._unlist(place, before)
        if before is not None:
            self._tell(before, None)

    def partition(self, index: str | None, value: Mapping[str, Any]) -> list[Item]:
        """Return the items of one partition of the table or an index, in order; of an index the keys only."""
        key = self.key if index is None else self.indexes[index]
        found = list(self._partitions.get((index or "", comparable(value)), {}).values())
        if key.order is not None:
            order = key.order
            found.sort(key=lambda item: comparable(item[order]))
        if index is None:
            return found
        kept = {key.partition, key.order, self.key.partition, self.key.order}
        return [{name: value for name, value in item.items() if name in kept} for item in found]

    def _keys(self) -> Iterator[tuple[str, Key]]:
        yield "", self.key
        yield from self.indexes.items()

    def _place(self, item: Mapping[str, Any]) -> tuple[object, object]:
        place = self.key.of(item)
        if place is None:
            _refuse("ValidationException", "the key is incomplete")
        return place

    def _unlist(self, place: tuple[object, object], item: Item | None) -> None:
        for name, key in self._keys() if item is not None else ():
            found = key.of(item or {})
            if found is not None:
                self._partitions[name, found[0]].pop(place, None)

    def _tell(self, before: Item | None, after: Item | None) -> None:
        if before != after:
            for told in self.on_change:
                told(before, after)


class VirtualDynamoDB:
    """A client of the tables, of which every method may be called from any thread.

    Each method takes the parameters of its operation under AWS's names, and raises TypeError for one that is not known.
    """

    def __init__(self, tables: Mapping[str, VirtualTable]) -> None:
        self._tables = tables
        self._lock = threading.RLock()  # of writers: readers take what is there in one step
        self.exceptions = _Exceptions()

    def get_item(self, **call: Any) -> dict[str, Any]:
        """Answer GetItem."""
        _know(call, "TableName", "Key", "ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames")
        item = self._tables[call["TableName"]].get(call["Key"])
        return {} if item is None else {"Item": _projected(item, call)}

    def batch_get_item(self, **call: Any) -> dict[str, Any]:
        """Answer BatchGetItem."""
        _know(call, "RequestItems")
        answers: dict[str, list[Item]] = {}
        for name, wanted in call["RequestItems"].items():
            _know(wanted, "Keys", "ConsistentRead")
            if len(wanted["Keys"]) > _MOST_KEYS:
                _refuse("ValidationException", "too many keys")
            found = [self._tables[name].get(key) for key in wanted["Keys"]]
            answers[name] = [item for item in found if item is not None]
        return {"Responses": answers, "UnprocessedKeys": {}}

    def put_item(self, **call: Any) -> dict[str, Any]:
        """Answer PutItem."""
        _know(call, "TableName", "Item", *_OF_CONDITIONS)
        with self._lock:
            table = self._tables[call["TableName"]]
            _demand(table.get(call["Item"]), call, "PutItem")
            table.put(call["Item"])
        return {}

    def update_item(self, **call: Any) -> dict[str, Any]:
        """Answer UpdateItem."""
        _know(call, "TableName", "Key", "UpdateExpression", "ReturnValues", *_OF_CONDITIONS)
        with self._lock:
            table = self._tables[call["TableName"]]
            before = table.get(call["Key"])
            _demand(before, call, "UpdateItem")
            update = update_of(call["UpdateExpression"], call.get("ExpressionAttributeNames", {}))
            after = update(before or call["Key"], call.get("ExpressionAttributeValues", {}))
            table.put(after)
        return {"Attributes": after} if call.get("ReturnValues") == "ALL_NEW" else {}

    def delete_item(self, **call: Any) -> dict[str, Any]:
        """Answer DeleteItem."""
        _know(call, "TableName", "Key", *_OF_CONDITIONS)
        with self._lock:
            table = self._tables[call["TableName"]]
            _demand(table.get(call["Key"]), call, "DeleteItem")
            table.delete(call["Key"])
        return {}

    def query(self, **call: Any) -> dict[str, Any]:
        """Answer Query, in one page."""
        _know(
            call,
            "TableName",
            "IndexName",
            "ConsistentRead",
            "KeyConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
        )
        names, values = call.get("ExpressionAttributeNames", {}), call["ExpressionAttributeValues"]
        condition = condition_of(call["KeyConditionExpression"], names)
        # The partition stands first in every key condition of the functions.
        first, _, placeholder = call["KeyConditionExpression"].split(None, 3)[:3]
        table, index = self._tables[call["TableName"]], call.get("IndexName")
        key = table.key if index is None else table.indexes[index]
        if names.get(first, first) != key.partition:
            _refuse("ValidationException", f"{first} is not the partition of {call['TableName']}")
        return {"Items": [item for item in table.partition(index, values[placeholder]) if condition(item, values)]}

    def transact_write_items(self, **call: Any) -> dict[str, Any]:
        """Answer TransactWriteItems: all actions or none."""
        _know(call, "TransactItems")
        writes = {"Put": self.put_item, "Update": self.update_item, "Delete": self.delete_item}
        with self._lock:
            actions = [next(iter(action.items())) for action in call["TransactItems"]]
            possible = [self._is_possible(parameters) for _, parameters in actions]
            if not all(possible):
                reasons = [{"Code": "None" if each else "ConditionalCheckFailed"} for each in possible]
                error: Any = {**_error("TransactionCanceledException"), "CancellationReasons": reasons}
                raise TransactionCanceledError(error, "TransactWriteItems")
            for kind, parameters in actions:
                if kind != "ConditionCheck":
                    writes[kind](**parameters)
        return {}

    def get_paginator(self, operation: str) -> _Pages:
        """Return what yields the pages of an operation: here there is always one."""
        return _Pages({"query": self.query}[operation])

    def _is_possible(self, parameters: Mapping[str, Any]) -> bool:
        table = self._tables[parameters["TableName"]]
        return _fulfilled(table.get(parameters.get("Key") or parameters["Item"]), parameters)


class _Pages:
    def __init__(self, operation: Callable[..., dict[str, Any]]) -> None:
        self._operation = operation

    def paginate(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        yield self._operation(**parameters)


class _Exceptions:
    """The client's exceptions under the names that boto3 gives them."""

    ClientError = ClientError
    ConditionalCheckFailedException = ConditionalCheckFailedError
    TransactionCanceledException = TransactionCanceledError


def _know(call: Mapping[str, Any], *names: str) -> None:
    """Raise TypeError for a parameter that is not known here: it must not be left aside in silence."""
    if unknown := set(call) - set(names):
        raise TypeError(f"the parameter {', '.join(sorted(unknown))} is not known here")


def _projected(item: Item, call: Mapping[str, Any]) -> Item:
    if "ProjectionExpression" not in call:
        return item
    asked = [name.strip() for name in call["ProjectionExpression"].split(",")]
    names = {call.get("ExpressionAttributeNames", {}).get(name, name) for name in asked}
    return {name: value for name, value in item.items() if name in names}


def _demand(item: Item | None, call: Mapping[str, Any], operation: str) -> None:
    if not _fulfilled(item, call):
        raise ConditionalCheckFailedError(_error("ConditionalCheckFailedException"), operation)


def _fulfilled(item: Item | None, call: Mapping[str, Any]) -> bool:
    expression = call.get("ConditionExpression")
    if expression is None:
        return True
    condition = condition_of(expression, call.get("ExpressionAttributeNames", {}))
    return condition(item or {}, call.get("ExpressionAttributeValues", {}))


def _error(code: str) -> Any:
    return {"Error": {"Code": code, "Message": code}}


def _refuse(code: str, message: str) -> NoReturn:
    raise ClientError({"Error": {"Code": code, "Message": message}}, "virtual")
