"""The timeline: what is shown from when to when, and why.

One pure function makes it from claims. A timeline covers its window without gap or overlap; the last segment has no
end, since what comes after the horizon is not known. So two timelines that differ only in how far ahead somebody
looked are equal as far as both can tell, and the moving of the window is no change. A day too crowded to be kept is
cut, and what lies behind the cut is unknown.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from presence.calendar import Window
from presence.claims import Claim, Source
from presence.presences import AVAILABLE, UNKNOWN, Presence

MAXIMUM_SEGMENTS = 100
"""As many are kept, and one more that says that what follows is not known. A full timeline is stored in 9.5 KB."""

BASE_RULE = "no-claim"
BEYOND_HORIZON_RULE = "beyond-horizon"

# Presence, source, rule and the rules beaten: a segment without its times.
_Shown = tuple[Presence, str, str, tuple[str, ...]]
_BASE: _Shown = (AVAILABLE, Source.NONE, BASE_RULE, ())
_BEYOND_HORIZON: _Shown = (UNKNOWN, Source.NONE, BEYOND_HORIZON_RULE, ())
_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch [since, until) on which one presence is shown; `until` is None where the end is not known.

    `source` and `rule` say which claim won, `beaten` the rules of the claims that it beat, strongest first.
    """

    since: datetime
    until: datetime | None
    presence: Presence
    source: str
    rule: str
    beaten: tuple[str, ...] = ()

    def covers(self, instant: datetime) -> bool:
        """Tell whether the instant lies in this segment."""
        return self.since <= instant and (self.until is None or instant < self.until)


def timeline_of(claims: Iterable[Claim], window: Window) -> tuple[Segment, ...]:
    """Return the timeline over the window: on each stretch the strongest claim, else Available.

    Behind the last of `MAXIMUM_SEGMENTS` the presence is unknown: that there was no room for claims frees nobody.

    Among claims of equal strength the one that began first wins, then the one that ends last, then by rule, so that
    the order in which claims come makes no difference.
    """
    ranked = sorted((claim for claim in claims if _lies_in(claim, window)), key=precedence)
    changes = sorted(
        [(max(claim.since, window.start), rank, True) for rank, claim in enumerate(ranked)]
        + [
            (claim.until, rank, False)
            for rank, claim in enumerate(ranked)
            if claim.until is not None and claim.until < window.end
        ]
    )
    # A sweep over the instants at which a claim begins or ends; `standing` holds the ranks of those that hold.
    standing: list[int] = []
    shown: _Shown = _BASE
    stretches = [(window.start, shown)]
    for index, (instant, rank, begins) in enumerate(changes):
        if begins:
            insort(standing, rank)
        else:
            del standing[bisect_left(standing, rank)]
        if index + 1 < len(changes) and changes[index + 1][0] == instant:
            continue
        before, shown = shown, _shown(ranked, standing)
        if instant == window.start:
            stretches[0] = (instant, shown)
        elif shown != before:
            stretches.append((instant, shown))
            if len(stretches) > MAXIMUM_SEGMENTS:
                break
    if len(stretches) > MAXIMUM_SEGMENTS:
        stretches[MAXIMUM_SEGMENTS] = (stretches[MAXIMUM_SEGMENTS][0], _BEYOND_HORIZON)
    ends = [since for since, _ in stretches[1:]]
    return tuple(Segment(since, until, *shown) for (since, shown), until in zip(stretches, [*ends, None], strict=True))


def is_cut(timeline: Sequence[Segment]) -> bool:
    """Tell whether a timeline had more segments than are kept."""
    return len(timeline) > MAXIMUM_SEGMENTS


def segment_at(timeline: Sequence[Segment], instant: datetime) -> Segment | None:
    """Return the segment in which the instant lies; None if the timeline starts later or is empty."""
    return next((segment for segment in timeline if segment.covers(instant)), None)


def stretch_at(timeline: Sequence[Segment], instant: datetime) -> Segment | None:
    """Return the segment of the instant, widened over its neighbours that show the same presence.

    Back-to-back meetings show one presence: its end is the end of the last of them. Where nothing claims, a stretch of
    its own begins, also beside somebody who wants to be shown as available: a consumer tells the two apart.
    """
    for index, segment in enumerate(timeline):
        if not segment.covers(instant):
            continue
        first = last = index
        while first > 0 and _goes_on(timeline[first - 1], segment):
            first -= 1
        while last + 1 < len(timeline) and _goes_on(timeline[last + 1], segment):
            last += 1
        return replace(segment, since=timeline[first].since, until=timeline[last].until)
    return None


def _goes_on(one: Segment, other: Segment) -> bool:
    """Tell whether two neighbours show the same for the same reason, as far as others are told of reasons."""
    return one.presence == other.presence and (one.source == Source.NONE) == (other.source == Source.NONE)


def from_instant(timeline: Sequence[Segment], instant: datetime) -> tuple[Segment, ...]:
    """Return the timeline without what ended by the instant."""
    return tuple(segment for segment in timeline if segment.until is None or segment.until > instant)


def says_the_same(one: Sequence[Segment], other: Sequence[Segment], instant: datetime) -> bool:
    """Tell whether two timelines agree from the instant on: where the running segment began makes no difference."""
    first, second = from_instant(one, instant), from_instant(other, instant)
    if len(first) != len(second):
        return False
    return all(_same(mine, theirs) and mine.until == theirs.until for mine, theirs in zip(first, second, strict=True))


def _lies_in(claim: Claim, window: Window) -> bool:
    until = claim.until
    return claim.since < window.end and (until is None or (until > window.start and until > claim.since))


def precedence(claim: Claim) -> tuple[int, datetime, float, str, str, str, str]:
    """Return by what claims are ranked: of those that hold at an instant the least is shown."""
    until = _NEVER if claim.until is None else -claim.until.timestamp()
    presence = claim.presence
    return -claim.strength, claim.since, until, claim.rule, claim.source, presence.availability, presence.activity


def _shown(ranked: Sequence[Claim], standing: Sequence[int]) -> _Shown:
    """Return what is shown while claims stand, by their ranks: the strongest, and the rules of those that it beats."""
    if not standing:
        return _BASE
    winner = ranked[standing[0]]
    beaten: tuple[str, ...] = ()
    if len(standing) > 1:
        rules = dict.fromkeys([ranked[rank].rule for rank in standing])
        del rules[winner.rule]
        beaten = tuple(rules)
    return winner.presence, winner.source, winner.rule, beaten


def _same(one: Segment, other: Segment) -> bool:
    return (one.presence, one.source, one.rule, one.beaten) == (other.presence, other.source, other.rule, other.beaten)
