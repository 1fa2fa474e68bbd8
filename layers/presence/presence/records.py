"""The record of one user's presence: what is shown, what comes, and what went wrong.

`revision` grows with each write and is the condition of each write. `version` grows, without gaps, only when what is
published changes. A record is a value; the table adapter stores it, `presence.decisions` makes the next one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from presence.claims import Source
from presence.errors import Problem
from presence.presences import Presence
from presence.timeline import Segment

_USER_ID = re.compile(r"[0-9a-f]{32}")


def is_user_id(value: object) -> bool:
    """Tell whether a value is a user's id: 128 random bits as 32 hexadecimal digits."""
    return isinstance(value, str) and _USER_ID.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class User:
    """A user as a check knows them: `user_id` (32 hex digits), the SMTP address, and the name of their profile."""

    user_id: str
    address: str
    profile: str = "default"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a presence is shown: the source and the rule of the claim that won."""

    source: Source
    rule: str


@dataclass(frozen=True, slots=True)
class RecordedProblem:
    """A problem as it stands on a record, with the instant at which this problem was first met."""

    problem: Problem
    since: datetime


@dataclass(frozen=True, slots=True)
class PresenceRecord:
    """What is known of one user's presence; all instants in UTC.

    `since` and `until` frame the presence that is shown (`until` None: as far as known). `previous` is what was shown
    before. `next_at` is when the shown presence changes next by itself (None: not by itself). `read_at` is the age of
    the calendar that all this rests on, `failing_since` the first of the checks that have failed since.
    `changed_at` is when this version was decided.
    """

    user_id: str
    address: str
    revision: int
    version: int
    presence: Presence
    since: datetime
    until: datetime | None
    reason: Reason
    previous: Presence
    timeline: tuple[Segment, ...]
    next_at: datetime | None
    read_at: datetime | None
    changed_at: datetime
    failing_since: datetime | None = None
    problem: RecordedProblem | None = None
    traceparent: str | None = None
