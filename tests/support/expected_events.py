"""The test events below events/, and what events/expected.toml says of them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from presence.events import EVENT_TYPE, REMINDER_TYPE
from presence.history import HistoryEntry
from presence.records import PresenceRecord
from tests.support.schemas import complaints

SCHEMAS = {
    EVENT_TYPE: "events/presence-changed.v1.schema.json",
    REMINDER_TYPE: "events/meeting-starting-soon.v1.schema.json",
}
EVENTS = Path(__file__).resolve().parents[2] / "events"
KEYS = {"says", "answer", "comes_back", "error", "reasons", "written", "queued", "published", "recorded"}


def cases() -> list[str]:
    """Return each event as function/case."""
    return sorted(f"{path.parent.name}/{path.stem}" for path in EVENTS.glob("*/*.json"))


def event_of(case: str) -> Any:
    """Return an event."""
    return json.loads((EVENTS / f"{case}.json").read_text(encoding="utf-8"))


def expectations() -> dict[str, dict[str, Any]]:
    """Return what is expected of each event, by function/case."""
    document = tomllib.loads((EVENTS / "expected.toml").read_text(encoding="utf-8"))
    return {f"{function}/{case}": stated for function, cases in document.items() for case, stated in cases.items()}


def expected_answer(case: str) -> Any:
    """Return the answer that is expected; None if the event as a whole is refused."""
    stated = expectations()[case]
    if "error" in stated:
        return None
    if "answer" in stated:
        return stated["answer"]
    records = event_of(case)["Records"]
    back = (records[number - 1] for number in stated.get("comes_back", []))
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in back]}


def stable(answer: Any) -> Any:
    """Return an answer without what differs from run to run: of what is shown of somebody, its instants and version."""
    if not isinstance(answer, dict) or "presence" not in answer:
        return answer
    return {"presence": answer["presence"], **answer["reason"]}


def shown(records: Iterable[PresenceRecord]) -> dict[str, str]:
    """Return the records as expected.toml writes them."""
    return {
        record.address: str(record.presence) + (f" ({record.problem.problem.code})" if record.problem else "")
        for record in records
    }


def told(events: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return published events as expected.toml writes them."""
    return {str(event["id"]): _said(event["data"]) for event in events}


def mistakes(event: Mapping[str, Any]) -> list[str]:
    """Return what the JSON Schema of its type has against a published event."""
    return complaints(SCHEMAS[event["type"]], event)


def kept(entries: Iterable[HistoryEntry]) -> dict[str, str]:
    """Return entries of the history as expected.toml writes them."""
    return {f"{entry.user_id}:{entry.version}": f"{entry.presence} by {entry.rule}" for entry in entries}


def _said(data: Mapping[str, Any]) -> str:
    if "meeting" in data:
        return f"a meeting at {data['meeting']['startsAt']}"
    return f"{data['presence']['availability']} / {data['presence']['activity']}"
