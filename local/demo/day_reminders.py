"""The reminders of a simulated day: one person asked to be told before each meeting, and is told once of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from jsonschema import Draft202012Validator

from local.demo.subscriber import Delivery
from local.exchange.organisation import BusyStatus, Organisation

REMINDED = "ines@example.com"
"""Whose calendar nobody edits, so that its meetings are known from the first reading on."""
BEFORE = timedelta(minutes=10)
PROMPT = timedelta(seconds=1)
EVENT_TYPE = "calendar-presence.meeting.starting-soon.v1"


def is_reminder(delivery: Delivery) -> bool:
    """Tell whether an event is a reminder."""
    return delivery.body.get("type") == EVENT_TYPE


def reminder_mistakes(
    organisation: Organisation,
    received: Sequence[Delivery],
    asked: datetime,
    closes: datetime,
    validator: Draft202012Validator,
) -> Iterator[str]:
    """Yield in words what is wrong with the reminders received until `closes`; `asked`: when they were asked for."""
    due = {
        found.start - BEFORE: found.start
        for found in organisation.entries(REMINDED, asked, closes + BEFORE)
        if found.entry.status is BusyStatus.BUSY
        and asked < found.start - BEFORE
        and found.start - BEFORE <= closes - PROMPT
    }
    told: Counter[datetime] = Counter()
    for delivery in received:
        for error in validator.iter_errors(dict(delivery.body)):
            yield f"a reminder does not keep to the JSON Schema: {error.json_path}: {error.message}"
        start = datetime.fromisoformat(delivery.body["data"]["meeting"]["startsAt"])
        told[start] += 1
        late = delivery.received_at - (start - BEFORE)
        if delivery.body["subject"] != REMINDED or start not in due.values():
            yield f"{delivery.body['subject']} was reminded of {start:%H:%M:%S}Z without cause"
        elif not timedelta(0) <= late <= PROMPT:
            yield f"{REMINDED} was reminded of {start:%H:%M:%S}Z {late.total_seconds():.3f} s late"
    for start in due.values():
        if told[start] != 1:
            yield f"{REMINDED} was reminded {told[start]} times of the meeting at {start:%H:%M:%S}Z"
