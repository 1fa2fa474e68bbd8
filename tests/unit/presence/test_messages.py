from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from presence.errors import MalformedMessage
from presence.messages import (
    CheckReason,
    CheckRequest,
    TransitionRequest,
    decode_check_request,
    decode_tick,
    decode_transition_request,
    new_traceparent,
)
from presence.records import User
from tests.support.records import check_requests, transition_requests

TWO = datetime(2026, 11, 21, 14, tzinfo=UTC)
ID = "0123456789abcdef" * 2
OTHER_ID = "fedcba9876543210" * 2
Spoil = Callable[[dict[str, Any]], object]


def check_message() -> dict[str, Any]:
    return {
        "schemaVersion": 1,
        "type": "CheckRequest",
        "reason": "schedule",
        "requestedAt": "2026-11-21T14:00:00Z",
        "attempt": 0,
        "traceparent": f"00-{'1' * 32}-{'2' * 16}-01",
        "endpoint": "https://mail.example.com/EWS/Exchange.asmx",
        "domain": "example.com",
        "checks": [
            {"userId": ID, "address": "alice@example.com", "profile": "default"},
            {"userId": OTHER_ID, "address": "bob@example.com", "profile": "lync", "groups": ["Sales", "営業"]},
        ],
    }


def transition_message() -> dict[str, Any]:
    return {
        "schemaVersion": 1,
        "type": "TransitionRequest",
        "due": "2026-11-21T14:00:00Z",
        "shard": 3,
        "traceparent": f"00-{'1' * 32}-{'2' * 16}-01",
        "userIds": [ID, OTHER_ID],
    }


def test_a_check_request_says_whom_to_check_and_why() -> None:
    assert decode_check_request(json.dumps(check_message())) == CheckRequest(
        reason=CheckReason.SCHEDULE,
        requested_at=TWO,
        users=(User(ID, "alice@example.com", "default"), User(OTHER_ID, "bob@example.com", "lync", ("Sales", "営業"))),
        traceparent=f"00-{'1' * 32}-{'2' * 16}-01",
        attempt=0,
        endpoint="https://mail.example.com/EWS/Exchange.asmx",
        domain="example.com",
    )


def test_a_transition_request_says_who_changes_when() -> None:
    assert decode_transition_request(json.dumps(transition_message())) == TransitionRequest(
        due=TWO, shard=3, user_ids=(ID, OTHER_ID), traceparent=f"00-{'1' * 32}-{'2' * 16}-01"
    )


@given(check_requests)
def test_every_check_request_survives_the_queue(request: CheckRequest) -> None:
    assert decode_check_request(request.encode()) == request


@given(transition_requests)
def test_every_transition_request_survives_the_queue(request: TransitionRequest) -> None:
    assert decode_transition_request(request.encode()) == request


def test_a_request_is_sent_in_ascii() -> None:
    """SQS refuses some of the characters that a JSON text may hold, and a whole batch with them."""
    request = CheckRequest(CheckReason.PUSH, TWO, (User(ID, "花子@例え.test", "\uffff"),), new_traceparent())
    assert request.encode().isascii()
    assert decode_check_request(request.encode()) == request


def test_what_a_newer_sender_adds_is_tolerated() -> None:
    check = check_message()
    check["checks"][0]["mood"] = "good"
    assert decode_check_request({**check, "priority": 5}) == decode_check_request(check_message())
    assert decode_transition_request({**transition_message(), "more": {}}) == decode_transition_request(
        transition_message()
    )


def test_what_may_be_absent_has_a_default() -> None:
    message = check_message()
    for key in ("endpoint", "domain", "traceparent"):
        del message[key]
    del message["checks"][1]["profile"]
    del message["checks"][1]["groups"]
    request = decode_check_request(message)
    assert (request.endpoint, request.domain, request.users[1]) == (None, None, User(OTHER_ID, "bob@example.com"))
    assert decode_check_request({**message, "traceparent": request.traceparent}) == request


def test_an_address_is_brought_to_its_one_spelling() -> None:
    message = check_message()
    message["checks"][0]["address"] = "Alice@EXAMPLE.com"
    assert decode_check_request(message).users[0].address == "alice@example.com"


def check(index: int, **wrong: object) -> Spoil:
    return lambda message: message["checks"][index].update(wrong)


def field(**wrong: object) -> Spoil:
    return lambda message: message.update(wrong)


def without(key: str) -> Spoil:
    return lambda message: message.pop(key)


WRONG_CHECKS: dict[str, tuple[Spoil, str, str]] = {
    "of no version": (without("schemaVersion"), "schemaVersion", "not None"),
    "of another version": (field(schemaVersion=2), "schemaVersion", "2 is not understood, only 1"),
    "a version as text": (field(schemaVersion="1"), "schemaVersion", "not '1'"),
    "of no type": (without("type"), "type", "nothing"),
    "of another type": (field(type="TransitionRequest"), "type", "'TransitionRequest' came where CheckRequest"),
    "no reason": (without("reason"), "reason", "nothing"),
    "a reason that nobody knows": (field(reason="whim"), "reason", "'whim' is none of schedule, retry, push, operator"),
    "no time": (without("requestedAt"), "requestedAt", "nothing"),
    "a time without a zone": (field(requestedAt="2026-11-21T14:00:00"), "requestedAt", "no time zone"),
    "no attempt": (without("attempt"), "attempt", "not None"),
    "an attempt below none": (field(attempt=-1), "attempt", "not -1"),
    "an attempt beyond all patience": (field(attempt=101), "attempt", "not 101"),
    "an attempt that is a number with a point": (field(attempt=0.5), "attempt", "not 0.5"),
    "a traceparent of another form": (field(traceparent="00-12-34-01"), "traceparent", "W3C Trace Context"),
    "an endpoint that is no text": (field(endpoint=5), "endpoint", "a number"),
    "a domain that is empty": (field(domain=""), "domain", "an empty text"),
    "no checks": (without("checks"), "checks", "nothing"),
    "checks that are none": (field(checks=[]), "checks", "an empty array"),
    "checks as an object": (field(checks={}), "checks", "an object"),
    "a hundred checks and one": (
        lambda message: message.update(
            checks=[{"userId": f"{number:032x}", "address": "a@example.com"} for number in range(101)]
        ),
        "checks",
        "101 elements, at most 100",
    ),
    "a check that is a text": (lambda message: message["checks"].append("alice"), "checks[2]", "a text"),
    "a user without an id": (check(1, userId=None), "checks[1].userId", "32 hexadecimal digits"),
    "an id that is too short": (check(0, userId="abc"), "checks[0].userId", "not 'abc'"),
    "an id in capitals": (check(0, userId="A" * 32), "checks[0].userId", "32 hexadecimal digits"),
    "an id with a line break": (check(0, userId=ID + "\n"), "checks[0].userId", "32 hexadecimal digits"),
    "an id that is a number": (check(0, userId=5), "checks[0].userId", "not 5"),
    "one user twice": (check(1, userId=ID), "checks", "twice"),
    "no address": (check(1, address=None), "checks[1].address", "nothing"),
    "an address that is none": (check(0, address="alice"), "checks[0].address", "no SMTP address"),
    "a profile that is no text": (check(0, profile=7), "checks[0].profile", "a number"),
    "groups as a text": (check(0, groups="Sales"), "checks[0].groups", "a text"),
    "groups that are none": (check(0, groups=[]), "checks[0].groups", "an empty array"),
    "a group that is a number": (check(0, groups=["Sales", 7]), "checks[0].groups[1]", "a number"),
    "a group without a name": (check(0, groups=[""]), "checks[0].groups[0]", "an empty text"),
    "fifty groups and one": (check(0, groups=["x"] * 51), "checks[0].groups", "51 elements, at most 50"),
}


@pytest.mark.parametrize(("spoil", "path", "reason"), WRONG_CHECKS.values(), ids=WRONG_CHECKS)
def test_a_wrong_check_request_is_refused_by_the_path_of_what_is_wrong(spoil: Spoil, path: str, reason: str) -> None:
    message = check_message()
    spoil(message)
    with pytest.raises(MalformedMessage) as refused:
        decode_check_request(json.dumps(message))
    assert str(refused.value).startswith(f"{path}: ")
    assert reason in str(refused.value)


def test_an_address_that_is_none_is_not_repeated_since_the_refusal_is_logged() -> None:
    message = check_message()
    check(0, address="alice.smith@intranet")(message)
    with pytest.raises(MalformedMessage) as refused:
        decode_check_request(json.dumps(message))
    assert "alice" not in str(refused.value)


WRONG_TRANSITIONS: dict[str, tuple[Spoil, str, str]] = {
    "of no version": (without("schemaVersion"), "schemaVersion", "not None"),
    "of another version": (field(schemaVersion=0), "schemaVersion", "0 is not understood"),
    "of another type": (field(type="CheckRequest"), "type", "'CheckRequest' came where TransitionRequest"),
    "no time": (without("due"), "due", "nothing"),
    "a time that is none": (field(due="soon"), "due", "'soon' is no ISO 8601"),
    "no shard": (without("shard"), "shard", "not None"),
    "a shard below none": (field(shard=-1), "shard", "not -1"),
    "a shard that is true": (field(shard=True), "shard", "not True"),
    "a traceparent of another form": (field(traceparent="x"), "traceparent", "W3C Trace Context"),
    "no users": (without("userIds"), "userIds", "nothing"),
    "users that are none": (field(userIds=[]), "userIds", "an empty array"),
    "a hundred users and one": (field(userIds=[ID] * 101), "userIds", "101 elements, at most 100"),
    "a user that is none": (field(userIds=[ID, "bob"]), "userIds[1]", "not 'bob'"),
    "a user that is nothing": (field(userIds=[None]), "userIds[0]", "not None"),
}


@pytest.mark.parametrize(("spoil", "path", "reason"), WRONG_TRANSITIONS.values(), ids=WRONG_TRANSITIONS)
def test_a_wrong_transition_request_is_refused_by_the_path_of_what_is_wrong(
    spoil: Spoil, path: str, reason: str
) -> None:
    message = transition_message()
    spoil(message)
    with pytest.raises(MalformedMessage) as refused:
        decode_transition_request(json.dumps(message))
    assert str(refused.value).startswith(f"{path}: ")
    assert reason in str(refused.value)


@pytest.mark.parametrize("decode", [decode_check_request, decode_transition_request])
@pytest.mark.parametrize("body", ["", "{", "[]", "null", None, 5])
def test_a_body_that_is_no_message_is_refused(decode: Callable[[object], object], body: object) -> None:
    with pytest.raises(MalformedMessage):
        decode(body)


def test_a_tick_stands_for_its_minute() -> None:
    assert decode_tick({"type": "ScheduleTick", "time": "2026-11-21T14:00:00Z"}) == TWO


@pytest.mark.parametrize(
    "event",
    [None, [], "tick", {}, {"time": 5}, {"time": "<aws.scheduler.scheduled-time>"}, {"time": "2026-11-21T14:00"}],
)
def test_an_event_that_is_no_tick_is_refused_by_name(event: object) -> None:
    with pytest.raises(MalformedMessage, match=r"^(event|time): "):
        decode_tick(event)


def test_a_new_trace_is_of_the_standards_form_and_new() -> None:
    new = new_traceparent()
    assert decode_check_request({**check_message(), "traceparent": new}).traceparent == new
    assert new_traceparent() != new
