"""Tables in virtual time, through the real adapters: they behave as moto's do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.virtual.cloud import VirtualCloud
from local.virtual.virtual_time import VirtualTime
from presence.errors import ConfigurationError
from presence.tables.configuration import ConfigTable
from presence.tables.endpoints import EndpointTable
from presence.tables.presences import ComingTransition, PresenceTable
from presence.tables.users import AddressTaken, UserTable
from tests.support.aws import account
from tests.support.records import available_record

NOON = datetime(2026, 10, 29, 12, tzinfo=UTC)
TABLES = ("UserTable", "PresenceTable", "EndpointTable", "ConfigTable")


@pytest.fixture(params=["virtual", "moto"])
def dynamodb(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "virtual":
        yield VirtualCloud(VirtualTime(NOON)).client("dynamodb")
        return
    with account() as aws:
        for name in TABLES:
            aws.make_table(name)
        yield aws.dynamodb


def test_a_record_is_written_under_its_revision_and_found_again(dynamodb: Any) -> None:
    table = PresenceTable(dynamodb, "PresenceTable", 1)
    record = available_record("a" * 32, NOON, NOON + timedelta(hours=1))
    written = table.write(record)
    assert written is not None
    assert table.write(record) is None, "somebody else wrote it first"
    assert table.get_many(["a" * 32, "b" * 32]).found == {"a" * 32: written}
    again = table.write(replace(written, address="alice@example.com"))
    assert again is not None
    assert table.write(written) is None


def test_coming_transitions_are_found_by_minute_in_order(dynamodb: Any) -> None:
    table = PresenceTable(dynamodb, "PresenceTable", 1)
    for user, seconds in (("a", 50), ("b", 10), ("c", 61), ("d", 10)):
        table.write(available_record(user * 32, NOON, NOON + timedelta(seconds=seconds)))
    table.write(available_record("e" * 32, NOON))
    first = [
        ComingTransition(user * 32, NOON + timedelta(seconds=at)) for user, at in (("b", 10), ("d", 10), ("a", 50))
    ]
    assert table.coming(NOON, 0, NOON + timedelta(minutes=5)) == first
    assert table.coming(NOON, 0, NOON + timedelta(seconds=50)) == first[:2]
    assert len(table.coming(NOON + timedelta(minutes=1), 0, NOON + timedelta(minutes=5))) == 1


def test_a_transition_that_was_applied_is_not_on_the_index_any_more(dynamodb: Any) -> None:
    table = PresenceTable(dynamodb, "PresenceTable", 1)
    written = table.write(available_record("a" * 32, NOON, NOON + timedelta(seconds=10)))
    assert written is not None
    table.write(replace(written, next_at=None))
    assert table.coming(NOON, 0, NOON + timedelta(minutes=5)) == []


def test_an_address_belongs_to_one_user(dynamodb: Any) -> None:
    table = UserTable(dynamodb, "UserTable")
    alice = table.add("alice@example.com")
    with pytest.raises(AddressTaken):
        table.add("alice@example.com")
    with pytest.raises(ConfigurationError):
        table.add("bob@example.com", user_id=alice.user_id)
    assert table.find("bob@example.com") is None
    assert table.find("alice@example.com") == alice
    assert table.has(alice.user_id)
    table.remember_endpoint(alice.user_id, "https://mail.example.com/EWS/Exchange.asmx")
    (scheduled,) = table.every()
    assert (scheduled.user, scheduled.endpoint) == (alice, "https://mail.example.com/EWS/Exchange.asmx")
    table.remove(alice)
    assert list(table.every()) == []
    table.remember_endpoint(alice.user_id, "https://mail.example.com/EWS/Exchange.asmx")
    assert list(table.every()) == [], "who was removed stays so"


def test_documents_have_versions_and_schedules_their_notes(dynamodb: Any) -> None:
    table = ConfigTable(dynamodb, "ConfigTable")
    assert table.document("gateways") is None
    assert table.put_document("gateways", {"a": 1}).version == 1
    assert table.put_document("gateways", {"a": 2}).version == 2
    found = table.document("gateways")
    assert found is not None
    assert (found.version, found.content) == (2, {"a": 2})
    table.put_state("checks", {"servedUntil": "2026-10-29T12:00:00Z"})
    assert table.state("checks") == {"servedUntil": "2026-10-29T12:00:00Z"}


def test_what_is_remembered_of_endpoints_expires(dynamodb: Any) -> None:
    now = NOON
    table = EndpointTable(dynamodb, "EndpointTable", lambda: now)
    table.put("mailbox#alice@example.com", {"url": "https://mail.example.com"}, 60)
    table.put("domain#example.com", {"url": "https://mail.example.com"}, 600)
    keys = ["mailbox#alice@example.com", "domain#example.com"]
    assert set(table.get_many(keys)) == set(keys)
    now = NOON + timedelta(seconds=61)
    assert set(table.get_many(keys)) == {"domain#example.com"}
    table.delete(["domain#example.com"])
    assert table.get_many(keys) == {}


def test_a_parameter_that_is_not_known_is_not_left_aside() -> None:
    client = VirtualCloud(VirtualTime(NOON)).client("dynamodb")
    with pytest.raises(TypeError, match="FilterExpression"):
        client.query(
            TableName="ConfigTable",
            KeyConditionExpression="name = :name",
            ExpressionAttributeValues={":name": {"S": "gateways"}},
            FilterExpression="version > :name",
        )
