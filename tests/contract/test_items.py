"""The loops around BatchGetItem and Query, the typed form of values, and the judge of expressions that tests use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.errors import CalendarPresenceError
from presence.tables.items import from_attributes, get_items, to_attributes
from tests.support.aws import refusals


class Throttled:
    """A client of DynamoDB that reads at most so many keys a call, as it does when a table is throttled."""

    def __init__(self, keys_a_call: int) -> None:
        self._keys_a_call = keys_a_call
        self.calls: list[int] = []

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: N803  boto3's
        asked = RequestItems["Presence"]
        assert asked["ConsistentRead"] is True
        keys = asked["Keys"]
        self.calls.append(len(keys))
        left = keys[self._keys_a_call :]
        return {
            "Responses": {"Presence": keys[: self._keys_a_call]},
            "UnprocessedKeys": {"Presence": {"Keys": left, "ConsistentRead": True}} if left else {},
        }


def read(client: Throttled, number: int) -> list[dict[str, object]]:
    keys = [{"userId": f"{index}"} for index in range(number)]
    return list(get_items(cast("Any", client), "Presence", keys, consistent=True))


def test_keys_that_were_left_unread_are_read_again() -> None:
    client = Throttled(keys_a_call=40)
    assert read(client, 150) == [{"userId": f"{index}"} for index in range(150)]
    assert client.calls == [100, 60, 20, 50, 10]


def test_keys_that_stay_unread_are_an_error_and_never_users_without_a_record() -> None:
    client = Throttled(keys_a_call=10)
    with pytest.raises(CalendarPresenceError, match="Presence: 50 items stayed unread at 5 calls"):
        read(client, 100)


def test_what_is_absent_gets_no_attribute() -> None:
    assert to_attributes({"userId": "a", "nextAt": None}) == {"userId": {"S": "a"}}


@given(
    st.dictionaries(
        st.text(min_size=1), st.text() | st.integers(-(10**37), 10**38 - 1) | st.booleans() | st.lists(st.text())
    )
)
def test_values_survive_the_typed_form(item: dict[str, object]) -> None:
    assert from_attributes(to_attributes(item)) == item


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a reserved word": ({"KeyConditionExpression": "bucket = :b", "ExpressionAttributeValues": {":b": 1}}, "bucket is"),
    "a value that is not given": ({"ConditionExpression": "revision = :read"}, ":read is not defined"),
    "a value that is not used": (
        {"ConditionExpression": "attribute_not_exists(userId)", "ExpressionAttributeValues": {":read": 1}},
        ":read is not used",
    ),
    "a name that is not used": ({"ExpressionAttributeNames": {"#name": "name"}}, "#name is not used"),
    "a reserved word in a transaction": (
        {"TransactItems": [{"Put": {"ConditionExpression": "attribute_not_exists(owner)"}}]},
        "owner is",
    ),
}


@pytest.mark.parametrize(("params", "reason"), REFUSED.values(), ids=REFUSED)
def test_the_judge_refuses_what_dynamodb_refuses(params: dict[str, Any], reason: str) -> None:
    assert any(reason in found for found in refusals(params))


def test_the_judge_lets_good_expressions_pass() -> None:
    good = {
        "UpdateExpression": "SET endpoint = :e",
        "ConditionExpression": "attribute_exists(userId) AND (#name = :n OR revision = :e)",
        "ExpressionAttributeNames": {"#name": "name"},
        "ExpressionAttributeValues": {":e": 1, ":n": 2},
    }
    assert list(refusals(good)) == []
