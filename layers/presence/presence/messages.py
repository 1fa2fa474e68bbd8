"""The messages on the two queues, and the tick of the schedules. JSON Schemas: docs/schemas.

`decode` functions raise `MalformedMessage` with the path of the field that is wrong; `encode` gives the JSON text.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from presence import fields
from presence.addresses import parse_smtp_address
from presence.errors import InvalidAddress, MalformedMessage
from presence.instants import format_instant
from presence.records import MOST_GROUPS, User, is_user_id

SCHEMA_VERSION = 1
MOST_CHECKS = 100
"""EWS takes at most 100 mailboxes in one GetUserAvailability (ErrorMailboxDataArrayTooBig)."""
MOST_USERS_A_TRANSITION = 100
MOST_ATTEMPTS = 100
"""Far more than fit into an interval; the time until the next attempt doubles with each."""

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class CheckReason(StrEnum):
    """Why a check was asked for."""

    SCHEDULE = "schedule"
    RETRY = "retry"
    PUSH = "push"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """Asks for the calendars of up to 100 users to be read.

    `endpoint` says which endpoint the users were last read from, `domain` whose they are: both only group users, since
    no message may decide where credentials go. `attempt` counts from 0. `traceparent` (W3C Trace Context, section
    3.2) follows a change from the schedule to its publication.
    """

    reason: CheckReason
    requested_at: datetime
    users: tuple[User, ...]
    traceparent: str
    attempt: int = 0
    endpoint: str | None = None
    domain: str | None = None

    def encode(self) -> str:
        """Return the message as JSON text."""
        message: dict[str, object] = {
            "schemaVersion": SCHEMA_VERSION,
            "type": "CheckRequest",
            "reason": self.reason.value,
            "requestedAt": format_instant(self.requested_at),
            "attempt": self.attempt,
            "traceparent": self.traceparent,
            "checks": [_check(user) for user in self.users],
        }
        if self.endpoint is not None:
            message["endpoint"] = self.endpoint
        if self.domain is not None:
            message["domain"] = self.domain
        return json.dumps(message, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class TransitionRequest:
    """Asks for the stored timelines of up to 100 users to be applied at the instant `due`."""

    due: datetime
    shard: int
    user_ids: tuple[str, ...]
    traceparent: str

    def encode(self) -> str:
        """Return the message as JSON text."""
        message = {
            "schemaVersion": SCHEMA_VERSION,
            "type": "TransitionRequest",
            "due": format_instant(self.due),
            "shard": self.shard,
            "traceparent": self.traceparent,
            "userIds": list(self.user_ids),
        }
        return json.dumps(message, separators=(",", ":"))


def decode_check_request(body: object) -> CheckRequest:
    """Read a CheckRequest from the body of a queue's message."""
    message = _message(body, "CheckRequest")
    try:
        reason = CheckReason(fields.text(message, "reason"))
    except ValueError as error:
        raise MalformedMessage(f"reason: {message['reason']!r:.40} is none of {', '.join(CheckReason)}") from error
    checks = fields.array(message, "checks", longest=MOST_CHECKS)
    users = tuple(_user(check, f"checks[{index}]") for index, check in enumerate(checks))
    if len({user.user_id for user in users}) != len(users):
        raise MalformedMessage("checks: a userId stands there twice")
    return CheckRequest(
        reason=reason,
        requested_at=fields.instant(message, "requestedAt"),
        users=users,
        traceparent=_traceparent(message),
        attempt=fields.whole_number(message, "attempt", most=MOST_ATTEMPTS),
        endpoint=fields.optional_text(message, "endpoint"),
        domain=fields.optional_text(message, "domain"),
    )


def decode_transition_request(body: object) -> TransitionRequest:
    """Read a TransitionRequest from the body of a queue's message."""
    message = _message(body, "TransitionRequest")
    user_ids = fields.array(message, "userIds", longest=MOST_USERS_A_TRANSITION)
    return TransitionRequest(
        due=fields.instant(message, "due"),
        shard=fields.whole_number(message, "shard"),
        user_ids=tuple(_user_id(user_id, f"userIds[{index}]") for index, user_id in enumerate(user_ids)),
        traceparent=_traceparent(message),
    )


def decode_tick(event: object) -> datetime:
    """Return the instant of a schedule's tick: the event's `time`, the minute that the tick stands for."""
    return fields.instant(fields.as_object(event, "event"), "time")


def new_traceparent() -> str:
    """Return a new traceparent: version 00, random ids, sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_id_of(traceparent: str) -> str | None:
    """Return the trace id, by which all log lines on the way of a change are found; None if it is no traceparent."""
    match = _TRACEPARENT.fullmatch(traceparent)
    return match[1] if match else None


def traceparent_in(body: object) -> str | None:
    """Return the traceparent that stands in the body of a message, also of a malformed one; None if there is none."""
    match = re.search(rf'"traceparent"\s*:\s*"({_TRACEPARENT.pattern})"', body) if isinstance(body, str) else None
    return match[1] if match else None


def _message(body: object, expected: str) -> Mapping[str, object]:
    message = fields.parse_json_object(body, expected)
    version = fields.whole_number(message, "schemaVersion")
    if version != SCHEMA_VERSION:
        raise MalformedMessage(f"schemaVersion: {version} is not understood, only {SCHEMA_VERSION}")
    found = fields.text(message, "type")
    if found != expected:
        raise MalformedMessage(f"type: {found!r:.40} came where {expected} was expected")
    return message


def _check(user: User) -> dict[str, object]:
    check: dict[str, object] = {"userId": user.user_id, "address": user.address}
    if user.profile is not None:
        check["profile"] = user.profile
    if user.groups:
        check["groups"] = list(user.groups)
    return check


def _user(check: object, path: str) -> User:
    fields_of_check = fields.as_object(check, path)
    try:
        address = parse_smtp_address(fields.text(fields_of_check, "address", path))
    except InvalidAddress as error:
        # Without the address itself: this text is logged.
        raise MalformedMessage(f"{path}.address: no SMTP address") from error
    return User(
        user_id=_user_id(fields_of_check.get("userId"), f"{path}.userId"),
        address=address,
        profile=fields.optional_text(fields_of_check, "profile", path),
        groups=fields.texts(fields_of_check, "groups", path, longest=MOST_GROUPS),
    )


def _user_id(value: object, path: str) -> str:
    if not is_user_id(value):
        raise MalformedMessage(f"{path}: 32 hexadecimal digits were expected, not {value!r:.40}")
    return str(value)


def _traceparent(message: Mapping[str, object]) -> str:
    value = fields.optional_text(message, "traceparent")
    if value is None:
        return new_traceparent()
    if not _TRACEPARENT.fullmatch(value):
        raise MalformedMessage(f"traceparent: {value!r:.60} is not of the form of W3C Trace Context")
    return value
