"""check_calendars and apply_transitions: what comes from a queue, and what goes back to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from presence.automatic_replies import AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.errors import MalformedMessage, Problem
from presence.log_names import name_of_user
from presence.messages import CheckReason, CheckRequest, TransitionRequest, new_traceparent
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.records import User
from presence.tables.users import bucket_of
from tests.support.clocks import Clock
from tests.support.functions import LOG_KEY, Stack, queue_event
from tests.support.records import available_record

BUSY = Presence(Availability.BUSY, Activity.BUSY)
ENDPOINT = "https://mail.example.com/EWS/Exchange.asmx"
QUEUES = ["check_calendars", "apply_transitions"]


def user_id(number: int) -> str:
    return f"{number:032x}"


def check(stack: Stack, *users: User) -> str:
    return CheckRequest(CheckReason.SCHEDULE, stack.clock.now, users, new_traceparent()).encode()


class BusyNow:
    """Reads everybody's calendar as an hour of Busy; stands where the reader of Exchange stands."""

    def __init__(self, *, clock: Clock, **_: Any) -> None:
        self._clock = clock

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        now = self._clock()
        entries = (CalendarEntry(now, now + timedelta(minutes=1), BusyType.BUSY),)
        return {address: CalendarReading(address, window, entries, now, ENDPOINT, "FreeBusy") for address in addresses}

    def read_automatic_replies(self, _addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        return {}


def test_a_check_writes_the_record_remembers_the_endpoint_and_queues_what_comes_soon(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    alice = stack.users.add("alice@example.com")
    handler = stack.handler("check_calendars")
    monkeypatch.setattr(handler, "CurrentGatewaysReader", BusyNow)
    assert handler.lambda_handler(queue_event(check(stack, alice)), None) == {"batchItemFailures": []}
    record = stack.presences.get_many([alice.user_id]).found[alice.user_id]
    assert (record.presence, record.version) == (BUSY, 1)
    assert record.next_at == stack.clock.now + timedelta(minutes=1)
    delayed = stack.aws.sqs.get_queue_attributes(
        QueueUrl=stack.variables["TRANSITION_QUEUE_URL"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert delayed["Attributes"] == {"ApproximateNumberOfMessagesDelayed": "1"}
    assert [scheduled.endpoint for scheduled in stack.users.of_bucket(bucket_of(alice.user_id))] == [ENDPOINT]
    out = capsys.readouterr().out
    assert '"CalendarsChecked":[1.0]' in out
    assert "alice" not in out


def test_a_malformed_check_comes_back_alone(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = stack.users.add("alice@example.com"), stack.users.add("bob@example.com")
    handler = stack.handler("check_calendars")
    monkeypatch.setattr(handler, "CurrentGatewaysReader", BusyNow)
    event = queue_event(check(stack, alice), '{"type":"CheckRequest"}', check(stack, bob))
    assert handler.lambda_handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert set(stack.presences.get_many([alice.user_id, bob.user_id]).found) == {alice.user_id, bob.user_id}


def test_before_anybody_has_put_gateways_people_are_unknown_and_never_available(stack: Stack) -> None:
    alice = stack.users.add("alice@example.com")
    handler = stack.handler("check_calendars")
    assert handler.lambda_handler(queue_event(check(stack, alice)), None) == {"batchItemFailures": []}
    record = stack.presences.get_many([alice.user_id]).found[alice.user_id]
    assert record.presence == UNKNOWN
    assert record.problem is not None
    assert record.problem.problem.code == "NoGateways"


def falls_due(stack: Stack, number: int, seconds: float) -> str:
    """Write a record that becomes Busy in so many seconds; return the request to apply it."""
    now, due = stack.clock.now, stack.clock.now + timedelta(seconds=seconds)
    assert stack.presences.write(available_record(user_id(number), now, due)) is not None
    return TransitionRequest(due, 0, (user_id(number),), new_traceparent()).encode()


@pytest.fixture
def apply_transitions(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Any:
    handler = stack.handler("apply_transitions")
    monkeypatch.setattr(handler, "time", SimpleNamespace(sleep=stack.clock.sleep))
    return handler


def test_transitions_are_applied_each_at_its_second_the_earliest_first(stack: Stack, apply_transitions: Any) -> None:
    bodies = [falls_due(stack, number, seconds) for number, seconds in ((1, 2.0), (2, 1.0), (3, 0.0))]
    start = stack.clock.now
    assert apply_transitions.lambda_handler(queue_event(*bodies), None) == {"batchItemFailures": []}
    records = stack.presences.get_many([user_id(1), user_id(2), user_id(3)]).found
    assert {number: records[user_id(number)].changed_at for number in (1, 2, 3)} == {
        1: start + timedelta(seconds=2),
        2: start + timedelta(seconds=1),
        3: start,
    }
    assert {record.presence for record in records.values()} == {BUSY}


def test_a_malformed_transition_comes_back_alone(stack: Stack, apply_transitions: Any) -> None:
    good = falls_due(stack, 1, 0)
    answer = apply_transitions.lambda_handler(queue_event("{", good, good.replace("due", "when")), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m2"}]}
    assert stack.presences.get_many([user_id(1)]).found[user_id(1)].presence == BUSY


def test_a_transition_that_comes_much_too_early_is_put_back_and_not_applied(
    stack: Stack, apply_transitions: Any
) -> None:
    start = stack.clock.now
    early = falls_due(stack, 1, 4.0)
    assert apply_transitions.lambda_handler(queue_event(early), None) == {"batchItemFailures": []}
    assert stack.clock.now == start
    assert stack.presences.get_many([user_id(1)]).found[user_id(1)].presence == AVAILABLE
    delayed = stack.aws.sqs.get_queue_attributes(
        QueueUrl=stack.variables["TRANSITION_QUEUE_URL"], AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )
    assert delayed["Attributes"] == {"ApproximateNumberOfMessagesDelayed": "1"}


@pytest.mark.parametrize("name", QUEUES)
@pytest.mark.parametrize("event", [None, {}, {"Records": []}, {"Records": [{"body": "{}"}]}])
def test_what_is_no_event_of_a_queue_is_an_error_that_says_so(stack: Stack, name: str, event: Any) -> None:
    with pytest.raises(MalformedMessage, match=r"^event"):
        stack.handler(name).lambda_handler(event, None)


@pytest.mark.parametrize("name", QUEUES)
def test_a_user_whose_record_is_malformed_comes_back(
    stack: Stack, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apply, check_it = falls_due(stack, 1, 0), check(stack, User(user_id(1), "user1@example.com"))
    handler = stack.handler(name)
    if name == "check_calendars":
        monkeypatch.setattr(handler, "CurrentGatewaysReader", BusyNow)
    stack.aws.dynamodb.update_item(
        TableName="PresenceTable",
        Key={"userId": {"S": user_id(1)}},
        UpdateExpression="SET timeline = :spoilt",
        ExpressionAttributeValues={":spoilt": {"S": "["}},
    )
    event = queue_event(apply if name == "apply_transitions" else check_it)
    assert handler.lambda_handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    out = capsys.readouterr().out
    assert name_of_user(LOG_KEY, user_id(1)) in out
    assert user_id(1) not in out


@pytest.mark.parametrize(
    ("style", "called", "key_is_lost"),
    [
        ("hmac", name_of_user(LOG_KEY, user_id(1)), False),
        ("user-id", user_id(1), False),
        ("address", "", False),
        ("hmac", "user-unnamed", True),
        ("user-id", user_id(1), True),
    ],
)
@pytest.mark.usefixtures("apply_transitions")
def test_people_are_named_as_the_operator_wants_and_a_lost_key_stops_nothing(
    stack: Stack, capsys: pytest.CaptureFixture[str], style: str, called: str, key_is_lost: bool
) -> None:
    if key_is_lost:
        stack.aws.secrets.delete_secret(SecretId=stack.variables["LOG_NAMES_KEY"], ForceDeleteWithoutRecovery=True)
    due = falls_due(stack, 1, 0)
    address = stack.presences.get_many([user_id(1)]).found[user_id(1)].address
    stack.variables["LOG_NAMES"] = style
    assert stack.handler("apply_transitions").lambda_handler(queue_event(due), None) == {"batchItemFailures": []}
    out = capsys.readouterr().out
    (line,) = [json.loads(text) for text in out.splitlines() if "transitions applied" in text]
    assert line["users"] == [called or address]
    assert (address in out) == (style == "address")
    assert stack.presences.get_many([user_id(1)]).found[user_id(1)].presence == BUSY


@pytest.mark.parametrize("name", QUEUES)
def test_what_a_table_refuses_comes_back(stack: Stack, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = {
        "check_calendars": check(stack, User(user_id(1), "a@example.com")),
        "apply_transitions": falls_due(stack, 1, 0),
    }
    handler = stack.handler(name)
    if name == "check_calendars":
        monkeypatch.setattr(handler, "CurrentGatewaysReader", BusyNow)
    stack.aws.dynamodb.delete_table(TableName="PresenceTable")
    assert handler.lambda_handler(queue_event(bodies[name]), None) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
