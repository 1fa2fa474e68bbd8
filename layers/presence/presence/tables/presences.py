"""PresenceTable: one item a user, and the index of coming transitions.

Each write is made under the condition that the record's revision is the one that was read, so of two writers one
loses, reads again and decides again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from presence import fields
from presence.errors import MalformedMessage, Problem, ProblemKind
from presence.freshness import Freshness
from presence.instants import MINUTE, format_instant, parse_instant
from presence.presences import Activity, Availability, Presence
from presence.records import (
    MOST_REMIND_MINUTES,
    Change,
    PresenceRecord,
    Reason,
    RecordedProblem,
    Reminders,
    is_user_id,
)
from presence.tables.items import get_items, query_items, to_attributes
from presence.tables.knowledge import attributes_of_knowledge, knowledge_from_attributes
from presence.timeline import Segment

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COMING_TRANSITIONS_INDEX = "coming-transitions"


@dataclass(frozen=True, slots=True)
class StoredRecords:
    """What was found of the users asked for: records, and the errors of items that could not be read."""

    found: Mapping[str, PresenceRecord]
    malformed: Mapping[str, MalformedMessage]


@dataclass(frozen=True, slots=True)
class ComingTransition:
    """A user whose stored timeline changes what is shown at the instant `due`."""

    user_id: str
    due: datetime


class PresenceTable:
    """The adapter to PresenceTable. `shards` spreads the transitions of one minute over that many index keys."""

    def __init__(self, client: DynamoDBClient, table: str, shards: int) -> None:
        self._client = client
        self._table = table
        self._shards = shards

    def get_many(self, user_ids: Sequence[str]) -> StoredRecords:
        """Read the records of the users, consistently. Users without a record are in neither mapping."""
        found: dict[str, PresenceRecord] = {}
        malformed: dict[str, MalformedMessage] = {}
        keys = [{"userId": user_id} for user_id in dict.fromkeys(user_ids)]
        for item in get_items(self._client, self._table, keys, consistent=True):
            user_id = str(item["userId"])
            try:
                found[user_id] = record_from_item(item)
            except MalformedMessage as error:
                malformed[user_id] = error
        return StoredRecords(found, malformed)

    def get(self, user_id: str) -> PresenceRecord | None:
        """Read the record of a user, consistently; None: there is none. Raises `MalformedMessage` if it is broken."""
        stored = self.get_many([user_id])
        if user_id in stored.malformed:
            raise stored.malformed[user_id]
        return stored.found.get(user_id)

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        """Write the record if its revision is still the stored one.

        Return the record as written, with the next revision; None if somebody else wrote in between.
        """
        written = replace(record, revision=record.revision + 1)
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(userId)"}
        if record.revision:
            condition = {
                "ConditionExpression": "revision = :read",
                "ExpressionAttributeValues": to_attributes({":read": record.revision}),
            }
        try:
            self._client.put_item(
                TableName=self._table, Item=to_attributes(item_from_record(written, self._shards)), **condition
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return written

    def coming(self, minute: datetime, shard: int, before: datetime) -> list[ComingTransition]:
        """Return the transitions of one minute and shard that are due before an instant, earliest first.

        Entries of malformed items are left out: `get_many` names them at each check of their user.
        """
        items = query_items(
            self._client,
            TableName=self._table,
            IndexName=COMING_TRANSITIONS_INDEX,
            KeyConditionExpression="nextMinute = :minute AND nextAt < :before",
            ExpressionAttributeValues=to_attributes(
                {":minute": _minute_key(minute, shard), ":before": format_instant(before)}
            ),
        )
        # The index sorts texts, among which a second comes after its own fractions.
        transitions = [transition for item in items if (transition := coming_transition(item)) is not None]
        return sorted((one for one in transitions if one.due < before), key=lambda one: (one.due, one.user_id))


def coming_transition(item: Mapping[str, object]) -> ComingTransition | None:
    """Return the transition that an entry of the index stands for; None if the entry is malformed."""
    if not is_user_id(item["userId"]):
        return None
    try:
        return ComingTransition(str(item["userId"]), parse_instant(str(item["nextAt"])))
    except ValueError:
        return None


def shard_of(user_id: str, shards: int) -> int:
    """Return the shard of a user: ids are random, so their first digits spread evenly."""
    return int(user_id[:8], 16) % shards


def item_from_record(record: PresenceRecord, shards: int) -> dict[str, object]:
    """Return the item that stores the record. Absent values have no attribute, so the index stays sparse."""
    next_at = record.next_at
    problem = record.problem
    before = record.reminders.before
    return {
        "userId": record.user_id,
        "address": record.address,
        "revision": record.revision,
        "version": record.version,
        "availability": record.presence.availability.value,
        "activity": record.presence.activity.value,
        "since": format_instant(record.since),
        "until": _optional(record.until),
        "source": str(record.reason.source),
        "rule": record.reason.rule,
        "previousAvailability": record.previous.availability.value,
        "previousActivity": record.previous.activity.value,
        "timeline": json.dumps([_segment_to_list(segment) for segment in record.timeline], separators=(",", ":")),
        "nextMinute": None if next_at is None else _minute_key(next_at, shard_of(record.user_id, shards)),
        "nextAt": _optional(next_at),
        "readAt": _optional(record.read_at),
        "changedAt": format_instant(record.changed_at),
        "failingSince": _optional(record.failing_since),
        "problem": None
        if problem is None
        else {
            "code": problem.problem.code,
            "kind": problem.problem.kind.value,
            "text": problem.problem.text,
            "remedy": problem.problem.remedy,
            "since": format_instant(problem.since),
        },
        "traceparent": record.traceparent,
        "freshness": record.freshness.value,
        "note": record.note,
        "change": record.change.value,
        "profile": record.profile,
        "remindMinutes": None if before is None else before // MINUTE,
        "remindedOf": _instants_text(record.reminders.reminded_of),
        **attributes_of_knowledge(record.knowledge),
    }


def record_from_item(item: Mapping[str, object]) -> PresenceRecord:
    """Return the record that an item stores. Raises `MalformedMessage` naming the user and the attribute."""
    user_id = fields.text(item, "userId", "PresenceTable")
    path = f"PresenceTable[{user_id}]"
    try:
        return PresenceRecord(
            user_id=user_id,
            address=fields.text(item, "address", path),
            revision=fields.whole_number(item, "revision", path, least=1),
            version=fields.whole_number(item, "version", path, least=1),
            presence=_presence(item["availability"], item["activity"]),
            since=fields.instant(item, "since", path),
            until=_optional_instant(item, "until", path),
            reason=Reason(fields.text(item, "source", path), fields.text(item, "rule", path)),
            previous=_presence(item["previousAvailability"], item["previousActivity"]),
            timeline=tuple(_segment_from_list(segment) for segment in json.loads(fields.text(item, "timeline", path))),
            next_at=_optional_instant(item, "nextAt", path),
            read_at=_optional_instant(item, "readAt", path),
            changed_at=fields.instant(item, "changedAt", path),
            failing_since=_optional_instant(item, "failingSince", path),
            problem=_problem(item, path),
            traceparent=fields.optional_text(item, "traceparent", path),
            freshness=Freshness(fields.optional_text(item, "freshness", path) or Freshness.CURRENT),
            note=fields.optional_text(item, "note", path),
            change=Change(fields.optional_text(item, "change", path) or Change.PRESENCE),
            profile=fields.optional_text(item, "profile", path) or "default",
            knowledge=knowledge_from_attributes(item, path),
            reminders=Reminders(_minutes(item, path), reminded_of(item)),
        )
    except MalformedMessage:
        raise
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedMessage(f"{path}: {type(error).__name__}: {error!s:.100}") from error


def reminded_of(item: Mapping[str, object]) -> tuple[datetime, ...]:
    """Return the starts of the meetings that the user of an item was reminded of.

    Raises ValueError, TypeError or RecursionError if they can't be read.
    """
    stored = item.get("remindedOf")
    starts = [] if stored is None else json.loads(str(stored))
    if not isinstance(starts, list):
        message = "the meetings reminded of are no list"
        raise TypeError(message)
    return tuple(parse_instant(str(start)) for start in starts)


def _instants_text(instants: Sequence[datetime]) -> str | None:
    return json.dumps([format_instant(instant) for instant in instants], separators=(",", ":")) if instants else None


def _minute_key(instant: datetime, shard: int) -> str:
    return f"{instant:%Y-%m-%dT%H:%M}#{shard}"


def _optional(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _optional_instant(item: Mapping[str, object], key: str, path: str) -> datetime | None:
    return None if item.get(key) is None else fields.instant(item, key, path)


def _minutes(item: Mapping[str, object], path: str) -> timedelta | None:
    if item.get("remindMinutes") is None:
        return None
    return MINUTE * fields.whole_number(item, "remindMinutes", path, most=MOST_REMIND_MINUTES)


@cache
def _presence(availability: object, activity: object) -> Presence:
    return Presence(Availability(str(availability)), Activity(str(activity)))


def _segment_to_list(segment: Segment) -> list[object]:
    return [
        format_instant(segment.since),
        _optional(segment.until),
        segment.presence.availability.value,
        segment.presence.activity.value,
        str(segment.source),
        segment.rule,
        list(segment.beaten),
    ]


def _segment_from_list(values: Sequence[object]) -> Segment:
    since, until, availability, activity, source, rule, beaten = values
    if not isinstance(beaten, list):
        message = "the beaten claims of a segment are no list"
        raise TypeError(message)
    return Segment(
        since=parse_instant(str(since)),
        until=None if until is None else parse_instant(str(until)),
        presence=_presence(availability, activity),
        source=str(source),
        rule=str(rule),
        beaten=tuple(map(str, beaten)),
    )


def _problem(item: Mapping[str, object], path: str) -> RecordedProblem | None:
    if item.get("problem") is None:
        return None
    stored = fields.as_object(item["problem"], f"{path}.problem")
    problem = Problem(
        code=fields.text(stored, "code", path),
        kind=ProblemKind(fields.text(stored, "kind", path)),
        # A server may have answered with a code and nothing else.
        text="" if stored.get("text") == "" else fields.text(stored, "text", path),
        remedy="" if stored.get("remedy") == "" else fields.text(stored, "remedy", path),
    )
    return RecordedProblem(problem, fields.instant(stored, "since", path))
