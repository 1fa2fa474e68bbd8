"""What stands around the functions: Exchange with its calendars, the table's stream, the topic and a subscriber."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from presence.automatic_replies import NO_REPLIES, AutomaticReplies
from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.errors import Problem
from presence.events import EVENT_TYPE
from presence.instants import MINUTE
from presence.queues import Queue, QueuedMessage
from presence.records import PresenceRecord
from presence.tables.items import to_attributes
from presence.tables.presences import ComingTransition, record_from_item
from tests.model.instances import Instance
from tests.support.memory import MemoryPresenceTable

TIMES_ONLY = "https://mail.example.com/EWS/Exchange.asmx"
DETAILED = "https://mail.example.org/EWS/Exchange.asmx"
_SAID_TWICE = 0.3
VIEWS = {TIMES_ONLY: "FreeBusy", DETAILED: "Detailed"}


@dataclass
class Mailbox:
    """A mailbox as it truly is. Of the stretches `without_data` Exchange tells nothing; `problem`: it can't be read."""

    endpoint: str
    entries: tuple[CalendarEntry, ...] = ()
    replies: AutomaticReplies = NO_REPLIES
    without_data: tuple[tuple[datetime, datetime], ...] = ()
    problem: Problem | None = None
    replies_problem: Problem | None = None

    def told(self, window: Window) -> tuple[CalendarEntry, ...]:
        """Return the entries as the endpoint tells them: what overlaps the window, in the detail that it gives."""
        gaps = self.without_data
        entries = [
            entry
            for entry in self.entries
            if entry.start < window.end
            and entry.end > window.start
            and not any(start <= entry.start and entry.end <= end for start, end in gaps)
        ]
        if VIEWS[self.endpoint] == "FreeBusy":
            entries = [CalendarEntry(entry.start, entry.end, entry.busy_type) for entry in entries]
        cut = [(max(start, window.start), min(end, window.end)) for start, end in gaps]
        return (*entries, *(CalendarEntry(start, end, BusyType.NO_DATA) for start, end in cut if start < end))


@dataclass
class Exchange:
    """The organisation: mailboxes by address, and the endpoints that are out, with what they fail with."""

    mailboxes: dict[str, Mailbox]
    out: dict[str, Problem] = field(default_factory=dict)

    def problem_of(self, address: str) -> Problem | None:
        """Return why a mailbox can't be read now."""
        mailbox = self.mailboxes[address]
        return self.out.get(mailbox.endpoint) or mailbox.problem


@dataclass
class Told:
    """What Exchange told of one mailbox at one asking; `replies` None: it was not asked for them, or did not tell."""

    reading: CalendarReading
    replies: AutomaticReplies | None = None


class InstanceReader:
    """Reads the organisation's calendars for an invocation, and keeps what it told under the instant of reading."""

    def __init__(self, exchange: Exchange, instance: Instance, readings: dict[tuple[str, datetime], Told]) -> None:
        self._exchange = exchange
        self._instance = instance
        self._readings = readings
        self._last: dict[str, Told] = {}

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        read_at = self._instance.clock()
        outcomes = self._instance.operation(lambda: {one: self._read(one, window, read_at) for one in addresses})
        self._instance.told.update(outcomes)
        for address, outcome in outcomes.items():
            if isinstance(outcome, CalendarReading):
                self._last[address] = self._readings[address, read_at] = Told(outcome)
        return outcomes

    def read_automatic_replies(self, addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        return self._instance.operation(lambda: {one: self._read_replies(one) for one in addresses})

    def _read(self, address: str, window: Window, read_at: datetime) -> CalendarReading | Problem:
        mailbox = self._exchange.mailboxes[address]
        endpoint = mailbox.endpoint
        return self._exchange.problem_of(address) or CalendarReading(
            address, window, mailbox.told(window), read_at, endpoint, VIEWS[endpoint]
        )

    def _read_replies(self, address: str) -> AutomaticReplies | Problem:
        mailbox = self._exchange.mailboxes[address]
        problem = self._exchange.problem_of(address) or mailbox.replies_problem
        if problem is not None:
            return problem
        self._last[address].replies = mailbox.replies
        return mailbox.replies


class StreamedTable(MemoryPresenceTable):
    """PresenceTable with its stream: a record for each write, in order, from `published` on not yet handed over."""

    def __init__(self, shards: int) -> None:
        super().__init__(shards)
        self.stream: list[Mapping[str, object]] = []
        self.published = 0
        self._read: dict[str, tuple[Mapping[str, object], PresenceRecord]] = {}

    def record(self, user_id: str) -> PresenceRecord | None:
        """Return a user's record as somebody who only looks on sees it, each item read once."""
        item = self.items.get(user_id)
        if item is None:
            return None
        if user_id not in self._read or self._read[user_id][0] is not item:
            self._read[user_id] = item, record_from_item(item)
        return self._read[user_id][1]

    def coming(self, minute: datetime, shard: int, before: datetime) -> list[ComingTransition]:
        # Most minutes are empty: look before reading the index as the table does.
        records = (self.record(user_id) for user_id in self.items)
        if not any(one and one.next_at and minute <= one.next_at < minute + MINUTE for one in records):
            return []
        return super().coming(minute, shard, before)

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        old = self.items.get(record.user_id)
        written = super().write(record)
        if written is not None:
            new = self.items[record.user_id]
            self.stream.append(
                {
                    "eventName": "INSERT" if old is None else "MODIFY",
                    "dynamodb": {
                        "Keys": to_attributes({"userId": record.user_id}),
                        "NewImage": to_attributes(new),
                        **({} if old is None else {"OldImage": to_attributes(old)}),
                    },
                }
            )
        return written


class Topic:
    """The topic, as `publish_presence` calls it; while it `refuses`, nothing can be published."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.refuses = False

    def publish(self, *, Message: str, **_: object) -> None:  # noqa: N803  as boto3 spells it
        if self.refuses:
            raise ClientError({"Error": {"Code": "InternalError", "Message": "the topic is out"}}, "Publish")
        self.events.append(json.loads(Message))

    def take(self) -> list[dict[str, Any]]:
        """Return what was published since the last call."""
        taken, self.events = self.events, []
        return taken


class SetAside(Queue):
    """The dead-letter queue of what could not be published."""

    def __init__(self) -> None:
        self.users: list[str] = []
        self.ids: set[str] = set()

    def send(self, messages: Sequence[QueuedMessage]) -> None:
        for message in messages:
            event = json.loads(message.body)["event"]
            self.users.append(event["data"]["user"]["id"])
            self.ids.add(event["id"])


class Subscriber:
    """Shows to others what it hears, as docs/events tells it to: a version that is not newer is dropped."""

    def __init__(self) -> None:
        self.shown: dict[str, dict[str, Any]] = {}
        self.heard: dict[str, dict[str, Any]] = {}
        self.said_twice: list[str] = []

    def hear_shuffled(self, events: Sequence[dict[str, Any]], seed: int) -> None:
        """Take events in an order that the seed says, some of them twice."""
        random = Random(seed)  # noqa: S311  it makes a test, not a secret
        several = [*events, *(event for event in events if random.random() < _SAID_TWICE)]
        random.shuffle(several)
        self.hear(several)

    def hear(self, events: Iterable[dict[str, Any]]) -> None:
        """Take events, in whatever order, however often."""
        for event in events:
            if _said(self.heard.setdefault(event["id"], event)) != _said(event):
                self.said_twice.append(event["id"])
            if event["type"] != EVENT_TYPE:
                continue
            user_id = event["data"]["user"]["id"]
            if user_id not in self.shown or event["data"]["version"] > self.shown[user_id]["version"]:
                self.shown[user_id] = event["data"]

    def versions(self, user_id: str) -> set[int]:
        """Return the versions that were heard of a user."""
        events = (event["data"] for event in self.heard.values() if event["type"] == EVENT_TYPE)
        return {data["version"] for data in events if data["user"]["id"] == user_id}


def _said(event: Mapping[str, Any]) -> tuple[object, ...]:
    """Return what an event says of a person, without how old the calendar is that it rests on."""
    data = event["data"]
    return event["type"], data.get("version"), data.get("freshness"), data.get("presence"), data.get("meeting")
