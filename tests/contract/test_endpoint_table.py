"""EndpointTable and the cache in memory that stands in for it keep the same promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchange.endpoints import EndpointCache, MemoryEndpointCache
from presence.tables.endpoints import EndpointTable
from presence.tables.items import to_attributes
from tests.support.aws import Account, calls

ALICE, BOB = "mailbox#alice@example.com", "mailbox#bob@example.com"
VALUE = {"gateway": "headquarters", "url": "https://mail.example.com/EWS/Exchange.asmx"}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["real", "memory"])
def cache(request: pytest.FixtureRequest, clock: Clock) -> EndpointCache:
    if request.param == "memory":
        return MemoryEndpointCache(clock)
    aws: Account = request.getfixturevalue("aws")
    return EndpointTable(aws.dynamodb, aws.make_table("EndpointTable"), clock)


def test_what_was_put_is_there(cache: EndpointCache) -> None:
    cache.put(ALICE, VALUE, 60)
    assert cache.get_many([ALICE, BOB]) == {ALICE: VALUE}


def test_nothing_asked_for_is_nothing_found(cache: EndpointCache) -> None:
    assert cache.get_many([]) == {}


def test_a_key_asked_for_twice_is_found_once(cache: EndpointCache) -> None:
    cache.put(ALICE, VALUE, 60)
    assert cache.get_many([ALICE, ALICE]) == {ALICE: VALUE}


def test_more_keys_than_one_call_takes_are_all_found(cache: EndpointCache) -> None:
    keys = [f"mailbox#user{number}@example.com" for number in range(130)]
    for key in keys:
        cache.put(key, {"url": key}, 60)
    assert cache.get_many(keys) == {key: {"url": key} for key in keys}


def test_what_has_expired_is_not_there_though_nobody_deleted_it(cache: EndpointCache, clock: Clock) -> None:
    cache.put(ALICE, VALUE, 60)
    cache.put(BOB, VALUE, 61)
    clock.pass_seconds(60)
    assert cache.get_many([ALICE, BOB]) == {BOB: VALUE}
    clock.pass_seconds(3600)
    assert cache.get_many([ALICE, BOB]) == {}


def test_a_value_put_again_has_a_new_end(cache: EndpointCache, clock: Clock) -> None:
    cache.put(ALICE, VALUE, 60)
    clock.pass_seconds(50)
    cache.put(ALICE, {"url": "https://cas2.example.com/"}, 60)
    clock.pass_seconds(50)
    assert cache.get_many([ALICE]) == {ALICE: {"url": "https://cas2.example.com/"}}


def test_what_was_deleted_is_gone_and_deleting_it_again_is_no_error(cache: EndpointCache) -> None:
    cache.put(ALICE, VALUE, 60)
    cache.put(BOB, VALUE, 60)
    cache.delete([ALICE])
    cache.delete([ALICE])
    assert cache.get_many([ALICE, BOB]) == {BOB: VALUE}


def test_the_table_removes_expired_items_by_itself(aws: Account, clock: Clock) -> None:
    """DynamoDB wants whole seconds since 1970 in the attribute that the template names."""
    EndpointTable(aws.dynamodb, aws.make_table("EndpointTable"), clock).put(ALICE, VALUE, 60.5)
    stored = aws.dynamodb.get_item(TableName="EndpointTable", Key={"key": {"S": ALICE}})["Item"]
    assert stored["expiresAt"] == {"N": str(int(clock.now.timestamp()) + 60)}


@pytest.mark.parametrize(
    "spoilt",
    [{"value": "a text"}, {"expiresAt": "later"}, {"expiresAt": None}, {"value": None}],
    ids=["a value that is no map", "an end that is no number", "no end", "no value"],
)
def test_a_malformed_item_counts_as_not_there(aws: Account, clock: Clock, spoilt: dict[str, object]) -> None:
    table = EndpointTable(aws.dynamodb, aws.make_table("EndpointTable"), clock)
    table.put(BOB, VALUE, 60)
    item = {"key": ALICE, "value": VALUE, "expiresAt": int(clock.now.timestamp()) + 60, **spoilt}
    aws.dynamodb.put_item(TableName="EndpointTable", Item=to_attributes(item))
    assert table.get_many([ALICE, BOB]) == {BOB: VALUE}


def test_reading_does_not_pay_for_consistency(aws: Account, clock: Clock) -> None:
    table = EndpointTable(aws.dynamodb, aws.make_table("EndpointTable"), clock)
    with calls(aws.dynamodb, "dynamodb.BatchGetItem") as reads:
        table.get_many([ALICE])
    assert [read["RequestItems"]["EndpointTable"]["ConsistentRead"] for read in reads] == [False]
