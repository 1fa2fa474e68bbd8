"""EndpointTable and the cache in memory that stands in for it keep the same promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from exchange.endpoints import EndpointCache, Fact, MemoryEndpointCache
from presence.errors import CalendarPresenceError
from presence.tables.endpoints import EndpointTable
from presence.tables.items import to_attributes
from tests.support.aws import Account, calls
from tests.support.clocks import Clock

ALICE, BOB = "mailbox#alice@example.com", "mailbox#bob@example.com"
VALUE = {"gateway": "headquarters", "url": "https://mail.example.com/EWS/Exchange.asmx"}


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
    clock.sleep(60)
    assert cache.get_many([ALICE, BOB]) == {BOB: VALUE}
    clock.sleep(3600)
    assert cache.get_many([ALICE, BOB]) == {}


def test_a_value_put_again_has_a_new_end(cache: EndpointCache, clock: Clock) -> None:
    cache.put(ALICE, VALUE, 60)
    clock.sleep(50)
    cache.put(ALICE, {"url": "https://cas2.example.com/"}, 60)
    clock.sleep(50)
    assert cache.get_many([ALICE]) == {ALICE: {"url": "https://cas2.example.com/"}}


def test_what_was_deleted_is_gone_and_deleting_it_again_is_no_error(cache: EndpointCache) -> None:
    cache.put(ALICE, VALUE, 60)
    cache.put(BOB, VALUE, 60)
    cache.delete([ALICE])
    cache.delete([ALICE])
    assert cache.get_many([ALICE, BOB]) == {BOB: VALUE}


def one_more(present: Fact | None) -> tuple[Fact, float]:
    return {"count": str(int((present or {}).get("count", "0")) + 1)}, 60


def test_an_update_makes_the_next_value_of_the_present_one(cache: EndpointCache) -> None:
    assert cache.update(ALICE, one_more) == {"count": "1"}
    assert cache.update(ALICE, one_more) == {"count": "2"}
    assert cache.get_many([ALICE]) == {ALICE: {"count": "2"}}


def test_an_update_that_changes_nothing_leaves_value_and_end(cache: EndpointCache, clock: Clock) -> None:
    assert cache.update(ALICE, lambda _: None) is None
    cache.update(ALICE, one_more)
    clock.sleep(50)
    assert cache.update(ALICE, lambda _: None) == {"count": "1"}
    clock.sleep(10)
    assert cache.get_many([ALICE]) == {}


def test_an_update_takes_what_has_expired_for_absent(cache: EndpointCache, clock: Clock) -> None:
    cache.update(ALICE, one_more)
    clock.sleep(60)
    assert cache.update(ALICE, one_more) == {"count": "1"}


def test_an_update_begins_again_when_others_were_faster(cache: EndpointCache) -> None:
    """Two instances that count at the same time count two."""
    interrupted = iter([True])

    def change(present: Fact | None) -> tuple[Fact, float]:
        if isinstance(cache, EndpointTable) and next(interrupted, False):
            cache.update(ALICE, one_more)
        return one_more(present)

    cache.update(ALICE, one_more)
    expected = 3 if isinstance(cache, EndpointTable) else 2
    assert cache.update(ALICE, change) == {"count": str(expected)}


def test_what_was_removed_and_made_anew_meanwhile_is_not_overwritten(aws: Account, clock: Clock) -> None:
    table = EndpointTable(aws.dynamodb, aws.make_table("EndpointTable"), clock)
    interrupted = iter([True])

    def change(present: Fact | None) -> tuple[Fact, float]:
        if next(interrupted, False):
            table.delete([ALICE])
            table.update(ALICE, lambda _: ({"count": "10"}, 60))
        return one_more(present)

    table.update(ALICE, one_more)
    assert table.update(ALICE, change) == {"count": "11"}


def test_an_update_that_others_are_always_faster_than_says_so(aws: Account, clock: Clock) -> None:
    table = EndpointTable(aws.dynamodb, aws.make_table("EndpointTable"), clock)

    def change(present: Fact | None) -> tuple[Fact, float]:
        table.update(ALICE, one_more)
        return one_more(present)

    with pytest.raises(CalendarPresenceError, match=r"others changed .* each of 10 times"):
        table.update(ALICE, change)


def test_updates_of_many_threads_are_all_counted() -> None:
    cache = MemoryEndpointCache(Clock())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: cache.update(ALICE, one_more), range(400)))
    assert cache.get_many([ALICE]) == {ALICE: {"count": "400"}}


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
