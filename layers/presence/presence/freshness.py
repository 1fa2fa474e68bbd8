"""How far what is shown can still be believed, when the calendar can't be read (architecture: kept, stale, unknown).

Counted from the first check that failed, or that brought no data for its own instant; where no check ends at all, from
when the next reading should have been noted at the latest, if that is earlier. So presence grows stale also when
nothing runs any more but the transitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

READ_AT_REFRESH = timedelta(hours=1)
"""A check that finds nothing new writes nothing, but for the age of the reading, once an hour at most."""

_LATE_CHECK = timedelta(minutes=10)
"""How late the check may come that should bring news of a calendar whose horizon is reached: no sooner is it missed."""


class Freshness(StrEnum):
    """Whether what is shown rests on a calendar that is read, on one that could not be read of late, or on none."""

    CURRENT = "current"
    STALE = "stale"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator sets for all decisions.

    `stale_after` and `unknown_after`: how long checks may fail until the last known timeline is marked stale, and until
    it is no longer believed. `check_interval`: between two checks of a user. `publish_until`: whether the end of a
    presence is published, so that moving it alone makes a new version.
    """

    stale_after: timedelta = timedelta(minutes=30)
    unknown_after: timedelta = timedelta(hours=12)
    publish_until: bool = True
    check_interval: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Belief:
    """The freshness at an instant, and when it changes next by itself (None: it does not)."""

    freshness: Freshness
    changes_at: datetime | None


def unread_since(read_at: datetime, failing_since: datetime | None, rules: Rules) -> datetime:
    """Return from when on a calendar that was read at `read_at` counts as not read, if it has not been read since."""
    silent_since = read_at + READ_AT_REFRESH + rules.check_interval
    # A check that fails is no news: after a longer silence it must not make anything believable again.
    return silent_since if failing_since is None else min(failing_since, silent_since)


def belief_at(
    now: datetime, read_at: datetime, failing_since: datetime | None, horizon: datetime, rules: Rules
) -> Belief:
    """Return how far a calendar that was read at `read_at`, as far as `horizon`, is believed at `now`."""
    since = unread_since(read_at, failing_since, rules)
    stale_at = since + rules.stale_after
    # What lies beyond the horizon was never known, and a calendar does not go on being believed there, stale or not.
    read_until = max(horizon, since + min(rules.stale_after, _LATE_CHECK))
    unknown_at = min(max(stale_at, since + rules.unknown_after), read_until)
    if now >= unknown_at:
        return Belief(Freshness.UNKNOWN, None)
    if now >= stale_at:
        return Belief(Freshness.STALE, unknown_at)
    return Belief(Freshness.CURRENT, min(stale_at, unknown_at))
