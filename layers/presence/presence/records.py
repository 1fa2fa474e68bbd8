"""The record of one user's presence: what is shown, what comes, and what went wrong.

`revision` grows with each write and is the condition of each write. `version` grows, without gaps, only when what is
published changes. A record is a value; the table adapter stores it, `presence.decisions` makes the next one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from presence.errors import Problem
from presence.freshness import Freshness
from presence.knowledge import NOTHING_KNOWN, Knowledge
from presence.presences import Presence
from presence.timeline import Segment

MOST_REMIND_MINUTES = 120
MOST_GROUPS = 50

_USER_ID = re.compile(r"[0-9a-f]{32}")


def is_user_id(value: object) -> bool:
    """Tell whether a value is a user's id: 128 random bits as 32 hexadecimal digits."""
    return isinstance(value, str) and _USER_ID.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class User:
    """A user as a check knows them: `user_id` (32 hex digits) and the SMTP address.

    `profile` is their own (None: the one that the gateways document assigns), `groups` are what assignments go by.
    """

    user_id: str
    address: str
    profile: str | None = None
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a presence is shown: the source and the rule of the claim that won."""

    source: str
    rule: str


class Change(StrEnum):
    """What of that which is published changed with a version; of several the first.

    SOURCE: the presence is claimed now and nothing claimed it before, or the other way round.
    """

    PRESENCE = "presence"
    FRESHNESS = "freshness"
    NOTE = "note"
    SOURCE = "source"
    UNTIL = "until"


@dataclass(frozen=True, slots=True)
class Reminders:
    """Whether a user is told that a meeting begins: `before` so long (None: never).

    `reminded_of` are the starts of the meetings ahead that they were told of, in order.
    """

    before: timedelta | None = None
    reminded_of: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedProblem:
    """A problem as it stands on a record, with the instant at which this problem was first met."""

    problem: Problem
    since: datetime


@dataclass(frozen=True, slots=True)
class PresenceRecord:
    """What is known of one user's presence; all instants in UTC.

    `since` and `until` frame the presence that is shown (`until` None: as far as known). `previous` is what was shown
    before, `change` what this version changed. `next_at` is when something changes next by itself: what is shown, how
    far it is believed, or a reminder (None: nothing does). `read_at` is the age of the calendar that all this rests on,
    `failing_since` the first of the checks that have failed since. `changed_at` is when this version was decided.
    `knowledge` is what the timeline was made from, by the rules of the profile named `profile`.
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
    freshness: Freshness = Freshness.CURRENT
    note: str | None = None
    change: Change = Change.PRESENCE
    profile: str = "default"
    knowledge: Knowledge = NOTHING_KNOWN
    reminders: Reminders = Reminders()
