"""UserTable: the real adapter on the template's table and its double in memory keep the same promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from presence.errors import ConfigurationError, InvalidAddress
from presence.messages import CheckReason, CheckRequest, decode_check_request, new_traceparent
from presence.records import User
from presence.tables.items import to_attributes
from presence.tables.users import BUCKETS, AddressTaken, ScheduledUser, UserTable, bucket_of
from tests.support.aws import Account, calls
from tests.support.memory import MemoryUserTable

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
ENDPOINT = "https://mail.example.com/EWS/Exchange.asmx"


@pytest.fixture(params=["real", "memory"])
def table(request: pytest.FixtureRequest) -> UserTable:
    return real(request.getfixturevalue("aws")) if request.param == "real" else MemoryUserTable()


def real(aws: Account) -> UserTable:
    return UserTable(aws.dynamodb, aws.make_table("UserTable"))


def in_bucket(table: UserTable, user: User) -> list[ScheduledUser]:
    return [found for found in table.of_bucket(bucket_of(user.user_id)) if found.user.user_id == user.user_id]


def test_who_is_added_is_found_by_address_however_it_is_written(table: UserTable) -> None:
    alice = table.add(" Alice@Example.COM ", "lync")
    assert (alice.address, alice.profile) == ("alice@example.com", "lync")
    assert table.find("ALICE@example.com") == alice
    assert table.find("bob@example.com") is None


def test_who_is_added_is_checked_at_once(table: UserTable) -> None:
    alice = table.add("alice@example.com")
    assert in_bucket(table, alice) == [ScheduledUser(alice, endpoint=None, enabled=True, paused_until=None)]
    assert in_bucket(table, alice)[0].is_due(TEN)


def test_who_is_added_without_a_profile_has_the_one_that_is_assigned(table: UserTable) -> None:
    alice = table.add("alice@example.com", groups=["Sales", "営業"])
    assert (alice.profile, alice.groups) == (None, ("Sales", "営業"))
    assert in_bucket(table, alice)[0].user == alice
    assert table.find("alice@example.com") == alice


def test_more_groups_than_a_message_carries_are_refused(table: UserTable) -> None:
    with pytest.raises(ConfigurationError, match=r"alice@example\.com is in 51 groups"):
        table.add("alice@example.com", groups=[f"group {number}" for number in range(51)])
    assert table.find("alice@example.com") is None


def test_who_was_removed_is_no_user_any_more(table: UserTable) -> None:
    alice, bob = table.add("alice@example.com"), table.add("bob@example.com")
    table.remove(alice)
    assert (table.has(alice.user_id), table.has(bob.user_id), table.has("0" * 32)) == (False, True, False)


def test_a_calendar_that_is_switched_off_or_paused_is_not_due(table: UserTable) -> None:
    alice = table.add("alice@example.com")
    table.use_calendar(alice.user_id, enabled=False, paused_until=None)
    assert not in_bucket(table, alice)[0].is_due(TEN)
    table.use_calendar(alice.user_id, enabled=True, paused_until=TEN + timedelta(hours=1))
    assert not in_bucket(table, alice)[0].is_due(TEN)
    assert in_bucket(table, alice)[0].is_due(TEN + timedelta(hours=1))
    table.use_calendar(alice.user_id, enabled=True, paused_until=None)
    assert in_bucket(table, alice) == [ScheduledUser(alice, endpoint=None, enabled=True, paused_until=None)]


def test_switching_a_calendar_does_not_bring_a_removed_user_back(table: UserTable) -> None:
    alice = table.add("alice@example.com")
    table.remove(alice)
    table.use_calendar(alice.user_id, enabled=True, paused_until=None)
    assert list(table.every()) == []


def test_ids_are_32_hexadecimal_digits_and_never_the_same(table: UserTable) -> None:
    ids = {table.add(f"user{number}@example.com").user_id for number in range(50)}
    assert len(ids) == 50
    assert all(len(user_id) == 32 and int(user_id, 16) >= 0 for user_id in ids)


def test_a_user_can_be_added_under_a_given_id_once(table: UserTable) -> None:
    alice = table.add("alice@example.com", user_id="a" * 32)
    assert alice.user_id == "a" * 32
    with pytest.raises(ConfigurationError, match="a" * 32):
        table.add("bob@example.com", user_id="a" * 32)
    assert table.find("alice@example.com") == alice
    assert table.find("bob@example.com") is None


@pytest.mark.parametrize("user_id", ["bob", "A" * 32, "a" * 31, "address#x"])
def test_an_id_that_is_none_is_refused(table: UserTable, user_id: str) -> None:
    with pytest.raises(ConfigurationError, match=user_id):
        table.add("alice@example.com", user_id=user_id)
    assert table.find("alice@example.com") is None


def test_an_address_belongs_to_one_user(table: UserTable) -> None:
    alice = table.add("alice@example.com")
    with pytest.raises(AddressTaken, match=r"alice@example\.com"):
        table.add("Alice@EXAMPLE.com")
    assert table.find("alice@example.com") == alice
    assert [found.user for found in table.every()] == [alice]


def test_what_is_no_address_is_refused(table: UserTable) -> None:
    with pytest.raises(InvalidAddress, match="alice"):
        table.add("alice")
    with pytest.raises(InvalidAddress, match="alice"):
        table.find("alice")


def test_who_is_removed_is_gone_and_the_address_is_free_again(table: UserTable) -> None:
    alice = table.add("alice@example.com")
    table.remove(alice)
    assert table.find("alice@example.com") is None
    assert in_bucket(table, alice) == []
    assert table.add("alice@example.com").user_id != alice.user_id


def test_removing_somebody_twice_is_no_error(table: UserTable) -> None:
    alice = table.add("alice@example.com")
    table.remove(alice)
    table.remove(alice)
    assert list(table.every()) == []


def test_the_endpoint_of_a_user_is_remembered(table: UserTable) -> None:
    alice = table.add("alice@example.com")
    table.remember_endpoint(alice.user_id, "https://old.example.com/")
    table.remember_endpoint(alice.user_id, ENDPOINT)
    assert in_bucket(table, alice) == [ScheduledUser(alice, endpoint=ENDPOINT, enabled=True, paused_until=None)]


def test_remembering_an_endpoint_does_not_bring_a_removed_user_back(table: UserTable) -> None:
    alice = table.add("alice@example.com")
    table.remove(alice)
    table.remember_endpoint(alice.user_id, ENDPOINT)
    assert list(table.every()) == []


def test_every_user_is_in_the_bucket_of_their_id_and_in_no_other(table: UserTable) -> None:
    users = [table.add(f"user{number}@example.com") for number in range(30)]
    found = [
        (bucket, scheduled.user)
        for bucket in sorted({bucket_of(user.user_id) for user in users})
        for scheduled in table.of_bucket(bucket)
    ]
    assert sorted(found, key=str) == sorted(((bucket_of(user.user_id), user) for user in users), key=str)
    assert all(0 <= bucket < BUCKETS for bucket, _ in found)


def item(user_id: str = "a" * 32, **attributes: Any) -> dict[str, object]:
    return {
        "bucket": bucket_of(user_id),
        "userId": user_id,
        "address": "alice@example.com",
        "profile": "lync",
        "enabled": True,
        **attributes,
    }


ALICE = ScheduledUser(User("a" * 32, "alice@example.com", "lync"), endpoint=None, enabled=True, paused_until=None)
NOT_CHOSEN = User("a" * 32, "alice@example.com")
READ: dict[str, tuple[dict[str, Any], ScheduledUser]] = {
    "disabled": ({"enabled": False}, replace(ALICE, enabled=False)),
    "without a word about enabled": ({"enabled": None}, ALICE),
    "paused": ({"pausedUntil": "2026-11-23T10:00:00Z"}, replace(ALICE, paused_until=TEN)),
    "an empty profile": ({"profile": ""}, replace(ALICE, user=NOT_CHOSEN)),
    "no profile": ({"profile": None}, replace(ALICE, user=NOT_CHOSEN)),
    "groups": ({"groups": ["Sales", "営業"]}, replace(ALICE, user=replace(ALICE.user, groups=("Sales", "営業")))),
    "groups that are a text": ({"groups": "Sales"}, ALICE),
    "an empty group": ({"groups": ["", "Sales"]}, replace(ALICE, user=replace(ALICE.user, groups=("Sales",)))),
    "more groups than a message carries": (
        {"groups": [f"group {number}" for number in range(60)]},
        replace(ALICE, user=replace(ALICE.user, groups=tuple(f"group {number}" for number in range(50)))),
    ),
    "an empty endpoint": ({"endpoint": ""}, ALICE),
}


@pytest.mark.parametrize(("attributes", "expected"), READ.values(), ids=READ)
def test_an_item_is_read_as_it_stands(aws: Account, attributes: dict[str, Any], expected: ScheduledUser) -> None:
    table = real(aws)
    aws.dynamodb.put_item(TableName="UserTable", Item=to_attributes(item(**attributes)))
    assert list(table.of_bucket(bucket_of("a" * 32))) == [expected]


@pytest.mark.parametrize(
    "spoilt",
    [item(address="alice"), item(address=None), item(pausedUntil="tomorrow"), {**item(), "userId": "alice"}],
    ids=["no SMTP address", "no address at all", "paused until no time", "an id that is none"],
)
def test_a_malformed_item_costs_nobody_else_of_its_bucket_the_check(aws: Account, spoilt: dict[str, object]) -> None:
    """What comes out of a bucket goes into one message, which is refused whole if one part of it is wrong."""
    table = real(aws)
    neighbour = item("b" * 32, address="bob@example.com", bucket=spoilt["bucket"])
    for one in (spoilt, neighbour):
        aws.dynamodb.put_item(TableName="UserTable", Item=to_attributes(one))
    found = tuple(scheduled.user for scheduled in table.of_bucket(bucket_of("a" * 32)))
    assert [user.address for user in found] == ["bob@example.com"]
    request = CheckRequest(CheckReason.SCHEDULE, TEN, found, new_traceparent())
    assert decode_check_request(request.encode()).users == found


def test_a_bucket_larger_than_a_page_is_read_whole(aws: Account) -> None:
    """DynamoDB answers a query with at most 1 MB."""
    table = real(aws)
    for number in range(8):
        long = item(f"{number:032x}", address=f"user{number}@example.com", bucket=7, note="x" * 300_000)
        aws.dynamodb.put_item(TableName="UserTable", Item=to_attributes(long))
    with calls(aws.dynamodb, "dynamodb.Query") as queries:
        assert len(list(table.of_bucket(7))) == 8
    assert len(queries) > 1


def test_who_was_added_a_moment_ago_is_found(aws: Account) -> None:
    """A read that is not consistent may miss what was just written."""
    table = real(aws)
    alice = table.add("alice@example.com")
    with calls(aws.dynamodb, "dynamodb.GetItem") as reads:
        assert table.find("alice@example.com") == alice
    assert [read.get("ConsistentRead") for read in reads] == [True, True]


def test_a_transaction_that_met_another_is_no_address_that_is_taken(
    aws: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB cancels transactions for conflicts and throttling too; only a failed condition says that it is taken."""
    table = real(aws)

    def cancelled(**_: object) -> None:
        raise aws.dynamodb.exceptions.TransactionCanceledException(
            {
                "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
                "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
            },
            "TransactWriteItems",
        )

    monkeypatch.setattr(aws.dynamodb, "transact_write_items", cancelled)
    with pytest.raises(ClientError, match="cancelled"):
        table.add("alice@example.com")
