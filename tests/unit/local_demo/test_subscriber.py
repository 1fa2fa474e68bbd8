"""The subscriber, spoken to over HTTP as a topic would, and what it reads out of events."""

from __future__ import annotations

import http.client
import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from local.demo import subscriber as module
from local.demo.published import envelope_mistakes, read_published
from local.demo.subscriber import Delivery, Subscriber, SubscriptionError
from local.demo.verdict import judge_everybody
from tests.support.schemas import DOCS

ARRIVAL = datetime(2026, 11, 21, 14, 0, 0, 250000, tzinfo=UTC)


class Topic:
    """Does over HTTP what SNS does; `asks` off, it never asks a subscriber to confirm."""

    def __init__(self, *, asks: bool = True) -> None:
        self._asks = asks
        self.endpoint = ""
        self.confirmed: list[str] = []

    def subscribe(self, **request: str) -> None:
        assert (request["TopicArn"], request["Protocol"]) == ("arn:topic", "http")
        self.endpoint = request["Endpoint"]
        if self._asks:
            threading.Thread(target=self.post, args=("SubscriptionConfirmation", {"Token": "token-1"})).start()

    def confirm_subscription(self, **request: str) -> None:
        self.confirmed.append(request["Token"])

    def post(self, kind: str, body: object) -> None:
        host = self.endpoint.removeprefix("http://").rstrip("/")
        connection = http.client.HTTPConnection(host, timeout=5)
        try:
            connection.request("POST", "/", json.dumps(body), {"x-amz-sns-message-type": kind})
            assert connection.getresponse().status == 200
        finally:
            connection.close()


def event() -> dict[str, Any]:
    return {
        "id": f"{'a' * 32}:2",
        "type": "calendar-presence.presence.changed.v1",
        "subject": "alice@example.com",
        "sequence": f"{2:020d}",
        "expirytime": "2026-11-21T15:00:00Z",
        "data": {
            "user": {"id": "a" * 32, "email": "alice@example.com"},
            "version": 2,
            "freshness": "current",
            "reason": {"source": "calendar", "rule": "busy-meeting"},
            "presence": {
                "availability": "Busy",
                "activity": "InAMeeting",
                "since": "2026-11-21T14:00:00Z",
                "until": "2026-11-21T15:00:00Z",
            },
            "previous": {"availability": "Available", "activity": "Available"},
        },
    }


def attributes() -> dict[str, str]:
    return {
        "type": "calendar-presence.presence.changed.v1",
        "availability": "Busy",
        "activity": "InAMeeting",
        "reason": "calendar",
        "domain": "example.com",
        "change": "presence",
    }


def test_it_confirms_and_then_collects_what_is_delivered_with_the_time_of_arrival() -> None:
    topic, seen = Topic(), list[Delivery]()
    with Subscriber(topic, "arn:topic", lambda: ARRIVAL, seen.append) as subscriber:
        assert topic.confirmed == ["token-1"]
        notification = {
            "Message": json.dumps(event()),
            "MessageAttributes": {"domain": {"Type": "String", "Value": "example.com"}},
        }
        topic.post("Notification", notification)
        assert subscriber.deliveries() == seen == [Delivery(event(), {"domain": "example.com"}, ARRIVAL)]
        assert subscriber.unreadable() == []


@pytest.mark.parametrize("body", [[], {"Message": "no JSON"}, {"NoMessage": "{}"}])
def test_a_notification_that_is_no_event_is_not_swallowed(body: object) -> None:
    topic = Topic()
    with Subscriber(topic, "arn:topic", lambda: ARRIVAL) as subscriber:
        topic.post("Notification", body)
        assert len(subscriber.unreadable()) == 1
        assert subscriber.deliveries() == []


def test_a_topic_that_never_asks_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CONFIRMATION_SECONDS", 0.05)
    with (
        pytest.raises(SubscriptionError, match="arn:topic"),
        Subscriber(Topic(asks=False), "arn:topic", lambda: ARRIVAL),
    ):
        pass


def test_an_event_is_read_in_full() -> None:
    change = read_published(Delivery(event(), attributes(), ARRIVAL))
    assert (change.version, change.presence, change.previous) == (2, ("Busy", "InAMeeting"), ("Available", "Available"))
    assert change.since == datetime(2026, 11, 21, 14, tzinfo=UTC)
    assert change.until == datetime(2026, 11, 21, 15, tzinfo=UTC)
    assert (change.source, change.address, change.received_at) == ("calendar", "alice@example.com", ARRIVAL)


@pytest.mark.parametrize("missing", ["version", "freshness", "user", "presence", "previous", "reason"])
def test_an_event_that_lacks_something_is_refused_by_name(missing: str) -> None:
    body = event()
    del body["data"][missing]
    with pytest.raises(ValueError, match=missing):
        read_published(Delivery(body, attributes(), ARRIVAL))


def test_an_instant_without_z_is_refused() -> None:
    body = event()
    body["data"]["presence"]["since"] = "2026-11-21T14:00:00+00:00"
    with pytest.raises(ValueError, match="no UTC instant"):
        read_published(Delivery(body, attributes(), ARRIVAL))


def mistakes(body: dict[str, Any], found: dict[str, str], schema: dict[str, object] | None = None) -> list[str]:
    delivery = Delivery(body, found, ARRIVAL)
    return list(envelope_mistakes(delivery, read_published(delivery), Draft202012Validator(schema or {})))


def test_an_envelope_that_keeps_the_contract_has_no_mistakes() -> None:
    assert mistakes(event(), attributes()) == []


@pytest.mark.parametrize("name", ["id", "subject", "sequence", "expirytime"])
def test_an_envelope_must_agree_with_its_data(name: str) -> None:
    assert [name in mistake for mistake in mistakes({**event(), name: "other"}, attributes())] == [True]


@pytest.mark.parametrize("name", ["type", "availability", "activity", "reason", "domain", "change"])
def test_each_attribute_must_repeat_what_the_event_says(name: str) -> None:
    found = attributes()
    del found[name]
    assert [f"attribute {name}" in mistake for mistake in mistakes(event(), found)] == [True]


@pytest.mark.parametrize(
    ("previous", "told", "is_right"),
    [
        ("Available", "presence", True),
        ("Available", "until", False),
        ("Busy", "until", True),
        ("Busy", "presence", False),
    ],
)
def test_the_attribute_by_which_moved_ends_are_left_out_must_fit_what_changed(
    previous: str, told: str, *, is_right: bool
) -> None:
    body = event()
    activity = "InAMeeting" if previous == "Busy" else "Available"
    body["data"]["previous"] = {"availability": previous, "activity": activity}
    assert (mistakes(body, {**attributes(), "change": told}) == []) is is_right


def test_the_schema_is_asked() -> None:
    assert "JSON Schema" in mistakes(event(), attributes(), {"required": ["specversion"]})[0]


def test_a_wrong_envelope_counts_for_its_person_and_what_is_of_nobody_is_told() -> None:
    of_a_stranger = event()
    of_a_stranger["data"]["user"]["email"] = "bob@example.com"
    deliveries = [Delivery(body, {}, ARRIVAL) for body in (event(), of_a_stranger, {})]
    ((alice,), troubles) = judge_everybody({"alice@example.com": [()]}, deliveries, DOCS / "events", ARRIVAL)
    assert "its message attribute domain is None and should be 'example.com'" in alice.complaints
    assert alice.wrong == len(alice.complaints)
    assert troubles == ["the event has no data", "something was published for bob@example.com, who is no user"]
