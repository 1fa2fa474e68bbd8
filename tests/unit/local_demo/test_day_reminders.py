"""The reminders of the simulated day: one for each meeting, at its time, and none without cause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from local.demo.day_reminders import BEFORE, EVENT_TYPE, REMINDED, is_reminder, reminder_mistakes
from local.demo.published import event_validator
from local.demo.subscriber import Delivery
from local.exchange.organisation import BusyStatus, Entry, Mailbox, Organisation
from local.virtual.cloud import CHECKOUT
from presence.events import REMINDER_TYPE

NINE = datetime(2026, 10, 29, 9, tzinfo=UTC)
VALIDATOR = event_validator(CHECKOUT / "docs" / "events", "meeting-starting-soon.v1.schema.json")


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def reminder(start: float, received: float | None = None, subject: str = REMINDED) -> Delivery:
    due = at(start) - BEFORE
    body = {
        "specversion": "1.0",
        "id": f"{'a' * 32}:meeting:{int(at(start).timestamp())}",
        "source": "urn:calendar-presence:day",
        "type": EVENT_TYPE,
        "subject": subject,
        "time": text(due),
        "datacontenttype": "application/json",
        "dataschema": "urn:calendar-presence:schema:meeting-starting-soon:v1",
        "expirytime": text(at(start)),
        "data": {
            "user": {"id": "a" * 32, "email": subject},
            "meeting": {"startsAt": text(at(start))},
            "minutesBefore": 10,
        },
    }
    return Delivery(body, {}, due + timedelta(seconds=0.3) if received is None else at(received))


def mistakes(*received: Delivery) -> list[str]:
    organisation = Organisation([Mailbox(REMINDED, "Ines", ZoneInfo("UTC"))])
    organisation.add(REMINDED, Entry(at(5), at(10)))  # too soon to be reminded of
    organisation.add(REMINDED, Entry(at(30), at(60)))
    organisation.add(REMINDED, Entry(at(90), at(120)))
    organisation.add(REMINDED, Entry(at(60), at(90), BusyStatus.OUT_OF_OFFICE))
    organisation.add(REMINDED, Entry(at(200), at(210)))
    return list(reminder_mistakes(organisation, received, NINE, at(120), VALIDATOR))


def test_one_reminder_for_each_meeting_is_right() -> None:
    assert mistakes(reminder(30), reminder(90)) == []
    assert EVENT_TYPE == REMINDER_TYPE
    assert is_reminder(reminder(30))


def test_a_reminder_that_is_missing_or_comes_twice_is_noticed() -> None:
    assert mistakes(reminder(30)) == [f"{REMINDED} was reminded 0 times of the meeting at 10:30:00Z"]
    assert mistakes(reminder(30), reminder(90), reminder(90)) == [
        f"{REMINDED} was reminded 2 times of the meeting at 10:30:00Z"
    ]


def test_a_reminder_at_another_time_is_noticed() -> None:
    assert "-60.000 s late" in mistakes(reminder(30, received=19), reminder(90))[0]
    assert "60.000 s late" in mistakes(reminder(30, received=21), reminder(90))[0]


def test_a_reminder_without_cause_is_noticed() -> None:
    assert "without cause" in mistakes(reminder(30), reminder(60), reminder(90))[0]
    assert "without cause" in mistakes(reminder(30), reminder(90), reminder(30, subject="bob@example.com"))[0]


def test_the_schema_is_asked() -> None:
    broken = reminder(30)
    del broken.body["expirytime"]  # type: ignore[attr-defined]
    assert "JSON Schema" in mistakes(broken, reminder(90))[0]
