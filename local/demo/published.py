"""Reads what the subscriber received: the published changes, and whether their envelopes keep the contract.

The contract is that of PresenceChanged (docs/events/asyncapi.yaml): CloudEvents 1.0 in JSON, the id made of user id and
version, message attributes that repeat what a filter policy needs. The JSON Schema beside it is checked too.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from local.demo.subscriber import Delivery


@dataclass(frozen=True, slots=True)
class Published:
    """One published change of one person; instants in UTC, `received_at` is when the subscriber had it.

    `freshness` says how far it can be believed, `note` what stands beside the presence (None: nothing).
    """

    user_id: str
    address: str
    version: int
    presence: tuple[str, str]
    previous: tuple[str, str]
    source: str
    since: datetime
    until: datetime | None
    received_at: datetime
    freshness: str = "current"
    note: str | None = None

    @property
    def words(self) -> str:
        """The presence as people read it: the activity only where it says more than the availability."""
        availability, activity = self.presence
        return availability if availability == activity else f"{availability} / {activity}"


def read_published(delivery: Delivery) -> Published:
    """Return the change that an event tells of. Raises ValueError, naming the field, if it tells of none."""
    try:
        data = delivery.body["data"]
        presence, previous = data["presence"], data["previous"]
        until = presence.get("until")
        return Published(
            user_id=str(data["user"]["id"]),
            address=str(data["user"]["email"]),
            version=int(data["version"]),
            presence=(presence["availability"], presence["activity"]),
            previous=(previous["availability"], previous["activity"]),
            source=str(data["reason"]["source"]),
            since=_instant(presence["since"]),
            until=_instant(until) if until is not None else None,
            received_at=delivery.received_at,
            freshness=str(data["freshness"]),
            note=presence.get("note"),
        )
    except KeyError as error:
        raise ValueError(f"the event has no {error.args[0]}") from error
    except (TypeError, AttributeError) as error:
        raise ValueError(f"the event is of another form: {error}") from error


def changes_by_person(
    deliveries: Iterable[Delivery], contract: Path
) -> tuple[dict[str, tuple[list[Published], list[str]]], list[str]]:
    """Return by address the changes received and the mistakes of their envelopes; and what was no change at all.

    `contract` is the folder of the events' schemas (docs/events).
    """
    validator = event_validator(contract)
    received: defaultdict[str, tuple[list[Published], list[str]]] = defaultdict(lambda: ([], []))
    troubles = []
    for delivery in deliveries:
        try:
            change = read_published(delivery)
        except ValueError as error:
            troubles.append(str(error))
            continue
        changes, mistakes = received[change.address]
        changes.append(change)
        mistakes += envelope_mistakes(delivery, change, validator)
    return dict(received), troubles


def event_validator(folder: Path, name: str = "presence-changed.v1.schema.json") -> Draft202012Validator:
    """Return a validator of published events from the JSON Schema of that name in `folder` (docs/events).

    Raises FileNotFoundError if there is none: a demo that could not check its events must not say that they are right.
    """
    schema = json.loads((folder / name).read_text(encoding="utf-8"))
    return Draft202012Validator(schema, format_checker=FormatChecker())


def envelope_mistakes(delivery: Delivery, change: Published, validator: Draft202012Validator) -> Iterator[str]:
    """Yield what is wrong with an event's envelope and attributes, in words."""
    body: Mapping[str, Any] = delivery.body
    for error in validator.iter_errors(dict(body)):
        yield f"its event does not keep to the JSON Schema: {error.json_path}: {error.message}"
    promised = {
        "id": f"{change.user_id}:{change.version}",
        "subject": change.address,
        "sequence": f"{change.version:020d}",
        "expirytime": body["data"]["presence"].get("until"),
    }
    for name, value in promised.items():
        if body.get(name) != value:
            yield f"its event's {name} is {body.get(name)!r} and should be {value!r}"
    attributes = {
        "type": body.get("type"),
        "availability": change.presence[0],
        "activity": change.presence[1],
        "reason": change.source,
        "domain": change.address.rpartition("@")[2],
    }
    for name, value in attributes.items():
        if delivery.attributes.get(name) != value:
            yield f"its message attribute {name} is {delivery.attributes.get(name)!r} and should be {value!r}"
    told = delivery.attributes.get("change")
    if told not in _changes_that_may_be_told(change):
        yield f"its message attribute change is {told!r}, of {change.previous} that became {change.presence}"


def _changes_that_may_be_told(change: Published) -> set[str]:
    """Return what the attribute `change` may say: who leaves out moved ends must not miss another presence by it."""
    if change.presence != change.previous or change.version == 1:
        return {"presence"}
    same = {"freshness", "note", "source", "until"}
    return same | {"presence"} if change.source == "option" else same


def _instant(text: str) -> datetime:
    if not text.endswith("Z"):
        raise ValueError(f"{text!r} is no UTC instant with Z")
    return datetime.fromisoformat(text).astimezone(UTC)
