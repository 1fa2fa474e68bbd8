"""The timeline: what is shown from when to when, and why.

One pure function makes it from claims. A timeline covers its window without gap or overlap; the last segment has no
end, since what comes after the horizon is not known. So two timelines that differ only in how far ahead somebody
looked are equal as far as both can tell, and the moving of the window is no change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from presence.calendar import CalendarEntry, Window
from presence.claims import Claim, Source
from presence.presences import AVAILABLE, UNKNOWN, Presence

MAXIMUM_SEGMENTS = 40
"""A stored timeline stays below 3 KB; what lies behind the fortieth segment is read again in good time."""

NO_DATA_RULE = "no-data"
LAST_KNOWN_RULE = "last-known"
BASE_RULE = "no-claim"

# Weaker than any claim of an entry: what a calendar does say counts, also beside what it does not say.
_LAST_KNOWN_STRENGTH = 2
_NO_DATA_STRENGTH = 1


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch [since, until) on which one presence is shown; `until` is None where the end is not known.

    `source` and `rule` say which claim won, `beaten` the rules of the claims that it beat, strongest first.
    """

    since: datetime
    until: datetime | None
    presence: Presence
    source: Source
    rule: str
    beaten: tuple[str, ...] = ()

    def covers(self, instant: datetime) -> bool:
        """Tell whether the instant lies in this segment."""
        return self.since <= instant and (self.until is None or instant < self.until)


def timeline_of(claims: Iterable[Claim], window: Window) -> tuple[Segment, ...]:
    """Return the timeline over the window: on each stretch the strongest claim, else Available.

    Among claims of equal strength the one that began first wins, then the one that ends last, then by rule, so that
    the order in which claims come makes no difference.
    """
    inside = sorted(
        (claim for claim in claims if claim.since < window.end and claim.until > window.start),
        key=_precedence,
    )
    boundaries = sorted(
        {window.start}
        | {claim.since for claim in inside if claim.since > window.start}
        | {claim.until for claim in inside if claim.until < window.end}
    )
    segments: list[Segment] = []
    for since, until in zip(boundaries, [*boundaries[1:], None], strict=True):
        segment = _segment(since, until, [claim for claim in inside if claim.since <= since < claim.until])
        if segments and _same(segments[-1], segment):
            segments[-1] = replace(segments[-1], until=until)
        else:
            segments.append(segment)
    return _bounded(segments)


def segment_at(timeline: Sequence[Segment], instant: datetime) -> Segment | None:
    """Return the segment in which the instant lies; None if the timeline starts later or is empty."""
    return next((segment for segment in timeline if segment.covers(instant)), None)


def stretch_at(timeline: Sequence[Segment], instant: datetime) -> Segment | None:
    """Return the segment of the instant, widened over its neighbours that show the same presence.

    Back-to-back meetings show one presence: its end is the end of the last of them.
    """
    for index, segment in enumerate(timeline):
        if not segment.covers(instant):
            continue
        first = last = index
        while first > 0 and timeline[first - 1].presence == segment.presence:
            first -= 1
        while last + 1 < len(timeline) and timeline[last + 1].presence == segment.presence:
            last += 1
        return replace(segment, since=timeline[first].since, until=timeline[last].until)
    return None


def from_instant(timeline: Sequence[Segment], instant: datetime) -> tuple[Segment, ...]:
    """Return the timeline without what ended by the instant."""
    return tuple(segment for segment in timeline if segment.until is None or segment.until > instant)


def says_the_same(one: Sequence[Segment], other: Sequence[Segment], instant: datetime) -> bool:
    """Tell whether two timelines agree from the instant on: where the running segment began makes no difference."""
    first, second = from_instant(one, instant), from_instant(other, instant)
    if len(first) != len(second):
        return False
    return all(_same(mine, theirs) and mine.until == theirs.until for mine, theirs in zip(first, second, strict=True))


def last_known_claims(
    stretches: Iterable[CalendarEntry], known: Sequence[Segment], known_until: datetime | None
) -> list[Claim]:
    """Return claims that keep, on stretches without data, what an earlier timeline said of them.

    `known_until` is the horizon of the earlier timeline, where its last segment stops being knowledge. Where nothing
    was known the claim is PresenceUnknown: missing data never becomes Available (domain.md, mistake 8).
    """
    claims = []
    for stretch in stretches:
        claims.append(Claim(stretch.start, stretch.end, UNKNOWN, Source.CALENDAR, NO_DATA_RULE, _NO_DATA_STRENGTH))
        for segment in known:
            end = segment.until or known_until
            if end is None or segment.presence == UNKNOWN:
                continue
            since, until = max(segment.since, stretch.start), min(end, stretch.end)
            if since < until:
                claims.append(
                    Claim(since, until, segment.presence, Source.CALENDAR, LAST_KNOWN_RULE, _LAST_KNOWN_STRENGTH)
                )
    return claims


def _precedence(claim: Claim) -> tuple[int, datetime, float, str]:
    return (-claim.strength, claim.since, -claim.until.timestamp(), claim.rule)


def _segment(since: datetime, until: datetime | None, claims: Sequence[Claim]) -> Segment:
    if not claims:
        return Segment(since, until, AVAILABLE, Source.NONE, BASE_RULE)
    winner = claims[0]
    beaten = dict.fromkeys(claim.rule for claim in claims[1:] if claim.rule != winner.rule)
    return Segment(since, until, winner.presence, winner.source, winner.rule, tuple(beaten))


def _same(one: Segment, other: Segment) -> bool:
    return (one.presence, one.source, one.rule, one.beaten) == (other.presence, other.source, other.rule, other.beaten)


def _bounded(segments: list[Segment]) -> tuple[Segment, ...]:
    if len(segments) > MAXIMUM_SEGMENTS:
        segments = segments[:MAXIMUM_SEGMENTS]
        segments[-1] = replace(segments[-1], until=None)
    return tuple(segments)
