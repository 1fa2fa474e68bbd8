"""Standing claims: what somebody set by hand, and what other systems say of a person (on a call, signed in).

They are claims like those of the calendar and end by themselves: at a time, at the next boundary of the day, or where
the next meeting begins. The last two follow the calendar as long as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from presence.calendar import Window
from presence.claims import Claim, Source
from presence.presences import Presence
from presence.timeline import timeline_of

SET_BY_HAND_RULE = "set-by-hand"
MOST_SOURCES = 10
"""Systems that may claim something of the same person at the same time."""

LONGEST_UNTIL_MEETING = timedelta(hours=24)
"""A claim that waits for the next meeting ends by then, if no meeting comes."""


class Ending(StrEnum):
    """What ends a claim, at the latest at its `until`."""

    TIME = "time"
    BOUNDARY = "boundary"
    MEETING = "meeting"


@dataclass(frozen=True, slots=True)
class StandingClaim:
    """A claim of a source on what is shown from `since` on; all instants in UTC.

    `strength` is what its source asked for (None: nothing, so the profile says it). `until` is its latest end (None:
    until it is taken back), `ends_at` the end as far as the calendar is known now. One source has one claim; a new one
    takes its place. `set_by` names who set it.
    """

    source: str
    presence: Presence
    strength: int | None
    since: datetime
    until: datetime | None
    ending: Ending
    set_by: str
    ends_at: datetime | None = None

    @property
    def rule(self) -> str:
        """The rule under which the claim stands in timelines."""
        return SET_BY_HAND_RULE if self.source == Source.BY_HAND else f"claimed-by-{self.source}"


def still_standing(standing: Iterable[StandingClaim], now: datetime) -> tuple[StandingClaim, ...]:
    """Return the claims that have not ended. One that has ended stays so, whatever the calendar becomes."""
    return tuple(claim for claim in standing if claim.ends_at is None or claim.ends_at > now)


def with_ends(
    standing: Sequence[StandingClaim],
    others: Sequence[Claim],
    meetings: Iterable[datetime],
    window: Window,
    now: datetime,
) -> tuple[StandingClaim, ...]:
    """Return the claims with the instant at which each ends, in the order of their sources.

    `others` are the claims of all but the standing ones: where what they show changes is a boundary. `meetings` are the
    starts of meetings. A new claim, which has no end yet, ends at the first after its start; one that has stood until
    now (an instant in UTC) ends at the first to come: an edit of the calendar takes nothing back that was shown.
    """
    starts = sorted(meetings)
    day = timeline_of(others, window) if any(claim.ending is Ending.BOUNDARY for claim in standing) else ()
    boundaries = [after.since for before, after in pairwise(day) if before.presence != after.presence]
    ends = {Ending.TIME: [], Ending.BOUNDARY: boundaries, Ending.MEETING: starts}
    return tuple(
        _with_end(claim, ends[claim.ending], now) for claim in sorted(standing, key=lambda claim: claim.source)
    )


def claims_of_standing(standing: Iterable[StandingClaim], strength_of: Callable[[StandingClaim], int]) -> list[Claim]:
    """Return what standing claims claim, each so strongly; one whose end is not after its start claims nothing."""
    return [
        Claim(claim.since, claim.ends_at, claim.presence, claim.source, claim.rule, strength_of(claim))
        for claim in standing
        if claim.ends_at is None or claim.ends_at > claim.since
    ]


def _with_end(claim: StandingClaim, instants: Iterable[datetime], now: datetime) -> StandingClaim:
    is_new = claim.ends_at is None
    if not is_new and not still_standing([claim], now):
        return claim
    stood_until = claim.since if is_new else max(claim.since, now)
    following = next((instant for instant in instants if instant > stood_until), None)
    ends = [instant for instant in (claim.until, following) if instant is not None]
    return replace(claim, ends_at=min(ends, default=None))
