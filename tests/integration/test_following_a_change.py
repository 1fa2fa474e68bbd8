"""A change is followed through all functions by one id, from what began it to its publication: in virtual time.

The functions, their variables and their observers are the real ones; the calendar is read over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from local.exchange.faults import Fault
from local.exchange.network import demo_network
from local.exchange.organisation import Entry, Mailbox, Organisation
from local.exchange.server import SimulatedExchange
from local.virtual.cloud import VirtualCloud
from local.virtual.virtual_time import VirtualTime
from presence.log_names import name_of_user
from presence.messages import trace_id_of
from presence.observing import Observer
from presence.tables.configuration import GATEWAYS, ConfigTable
from presence.tables.users import UserTable

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
ALICE, BOB = "alice@example.com", "bob@example.com"
AFTERWARDS = {"publish_presence", "record_history"}


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


class Story:
    """The stack in virtual time, where every user has a turn in every minute that somebody ticks."""

    def __init__(self, exchange: SimulatedExchange, time: VirtualTime, capsys: pytest.CaptureFixture[str]) -> None:
        self.exchange = exchange
        self.time = time
        self.cloud = VirtualCloud(time, {"CheckIntervalMinutes": "1", "HistoryDays": "1"}, observer=Observer)
        self._capsys = capsys
        self._events: list[dict[str, Any]] = []
        self.cloud.sns.subscribers.append(lambda message, _: self._events.append(json.loads(message)))
        outputs, dynamodb = self.cloud.template.output, self.cloud.client("dynamodb")
        ConfigTable(dynamodb, outputs("ConfigTableName")).put_document(GATEWAYS, exchange.gateways_document())
        for reference, secret in exchange.secrets().items():
            self.cloud.secrets.texts[outputs("SecretPrefix") + reference] = json.dumps(secret)
        users = UserTable(dynamodb, outputs("UserTableName"))
        self.ids = {mailbox: users.add(mailbox).user_id for mailbox in (ALICE, BOB)}
        self.key = self.cloud.secrets.texts[outputs("LogNamesKeyId")]

    def begins(self, address: str, after: float) -> None:
        """Let a meeting begin so many seconds after the start."""
        entry = Entry(START + seconds(after), START + seconds(after + 3600))
        self.exchange.organisation.add(address, entry)

    def invoke(self, function: str, event: Mapping[str, Any], lasting: float) -> None:
        """Call a function, and let so many seconds pass."""
        self.time.start(lambda: self.cloud.invoke(function, event))
        self.time.run_until(self.time.now() + seconds(lasting))

    def tick(self, function: str, lasting: float) -> None:
        tick = {"type": "ScheduleTick", "time": self.time.now().isoformat().replace("+00:00", "Z")}
        self.invoke(function, tick, lasting)

    def told(self) -> list[dict[str, Any]]:
        """Return the events since the last time, in the order of their versions."""
        events, self._events[:] = sorted(self._events, key=lambda event: event["data"]["version"]), []
        return events

    def lines(self) -> list[dict[str, Any]]:
        """Return all log lines since the last time; metrics are none."""
        written = [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]
        return [line for line in written if "_aws" not in line]


@pytest.fixture
def story(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    # Powertools keeps a logger per service, with the standard output of the day it was made.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"story {id(monkeypatch)}")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "INFO")
    time = VirtualTime(START)
    organisation = Organisation([Mailbox(address, address, ZoneInfo("UTC")) for address in (ALICE, BOB)])
    with SimulatedExchange(organisation, demo_network(), clock=time.now) as exchange:
        yield Story(exchange, time, capsys)


def traces(lines: list[dict[str, Any]], function: str) -> set[str]:
    return {line["correlation_id"] for line in lines if line["function"] == function}


def functions_of(lines: list[dict[str, Any]], trace: str) -> set[str]:
    return {line["function"] for line in lines if line["correlation_id"] == trace}


def test_from_the_schedule_of_checks_over_both_queues_to_publication_and_history(story: Story) -> None:
    story.begins(ALICE, after=100)
    story.tick("schedule_checks", lasting=120)
    events = [event for event in story.told() if event["subject"] == ALICE]
    assert [event["data"]["presence"]["availability"] for event in events] == ["Available", "Busy"]
    lines = story.lines()
    (trace,) = traces(lines, "schedule_checks")
    assert functions_of(lines, trace) == {"schedule_checks", "check_calendars", "apply_transitions", *AFTERWARDS}
    assert {trace_id_of(event["traceparent"]) for event in events} == {trace}
    assert {line["correlation_id"] for line in lines} == {trace}, "no line goes without it"


def test_from_the_schedule_of_transitions_to_publication_and_history(story: Story) -> None:
    story.begins(ALICE, after=400)
    story.tick("schedule_checks", lasting=300)
    story.told()
    story.lines()
    story.tick("schedule_transitions", lasting=120)
    (event,) = story.told()
    lines = story.lines()
    (trace,) = traces(lines, "schedule_transitions")
    assert functions_of(lines, trace) == {"schedule_transitions", "apply_transitions", *AFTERWARDS}
    assert trace_id_of(event["traceparent"]) == trace


def test_a_check_that_comes_back_for_a_busy_server_is_still_the_same_story(story: Story) -> None:
    refused = Fault(status=503, headers={"Retry-After": "7"})
    story.exchange.faults.next("mail.example.com", "/EWS/Exchange.asmx", refused)
    story.tick("schedule_checks", lasting=30)
    lines = story.lines()
    (trace,) = traces(lines, "schedule_checks")
    checks = [line for line in lines if line["function"] == "check_calendars"]
    assert [line.get("retried", 0) for line in checks] == [2, 0]
    assert {line["correlation_id"] for line in checks} == {trace}
    assert {trace_id_of(event["traceparent"]) for event in story.told()} == {trace}


def test_from_a_command_by_hand_over_the_check_that_it_asks_for(story: Story) -> None:
    story.tick("schedule_checks", lasting=30)
    command = {"schemaVersion": 1, "type": "UseCalendar", "address": ALICE, "requestedBy": "desk"}
    story.invoke("set_presence", {**command, "on": False}, lasting=30)
    story.told()
    story.lines()
    story.invoke("set_presence", {**command, "on": True}, lasting=30)
    events, lines = story.told(), story.lines()
    (trace,) = traces(lines, "set_presence")
    assert functions_of(lines, trace) == {"set_presence", "check_calendars", *AFTERWARDS}
    assert {trace_id_of(event["traceparent"]) for event in events} == {trace}


def test_messages_of_several_traces_in_one_invocation_keep_their_own(story: Story) -> None:
    """Both change in the same second; each was found by another check."""
    taken: list[int] = []
    queue = story.cloud.queues["TransitionQueue"]
    handle = queue.handle
    assert handle is not None

    def counted(event: Mapping[str, Any]) -> Any:
        taken.append(len(event["Records"]))
        return handle(event)

    queue.handle = counted
    for address in (ALICE, BOB):
        story.begins(address, after=140)
        check = {"schemaVersion": 1, "type": "UseCalendar", "address": address, "requestedBy": "desk", "on": True}
        story.invoke("set_presence", check, lasting=20)
    story.time.run_until(START + seconds(160))
    begun = {event["subject"]: event for event in story.told() if event["data"]["presence"]["availability"] == "Busy"}
    lines = story.lines()
    assert max(taken) > 1, "both came in one invocation"
    for address in (ALICE, BOB):
        trace = trace_id_of(begun[address]["traceparent"])
        own = name_of_user(story.key, story.ids[address])
        assert trace is not None
        assert functions_of(lines, trace) == {"set_presence", "check_calendars", "apply_transitions", *AFTERWARDS}
        applied = [line for line in lines if line["message"] == "transitions applied" and line["applied"]]
        assert [line["users"] for line in applied if line["correlation_id"] == trace] == [[own]]
        published = [line for line in lines if line["message"] == "presence published" and line["user"] == own]
        assert {line["correlation_id"] for line in published} == {trace}
    assert trace_id_of(begun[ALICE]["traceparent"]) != trace_id_of(begun[BOB]["traceparent"])


def test_people_are_named_in_every_function_by_the_same_name_and_in_no_other_way(story: Story) -> None:
    story.begins(ALICE, after=100)
    story.tick("schedule_checks", lasting=120)
    lines = story.lines()
    own = name_of_user(story.key, story.ids[ALICE])
    naming = {line["function"] for line in lines if own in json.dumps(line)}
    assert naming == {"check_calendars", "apply_transitions", *AFTERWARDS}
    written = json.dumps(lines)
    for address, user_id in story.ids.items():
        assert address not in written
        assert user_id not in written
