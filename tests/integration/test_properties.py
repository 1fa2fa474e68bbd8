"""Properties of what is shown, over everything that can be known of somebody, against an oracle that looks at instants.

10,000 examples each time; `make properties EXAMPLES=1000000` tries as many as it is told to, on all processors.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presence.calendar import BusyType, CalendarEntry, CalendarReading, Window
from presence.claims import Claim
from presence.commands import ClearPresence, SetPresence
from presence.decisions import Readings, after_command, after_reading, at_transition, first_record, repainted
from presence.freshness import Rules
from presence.knowledge import _strength, claims_of_entries, picture_of
from presence.mapping import Judgement, Profile
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.records import User
from presence.standing_claims import still_standing
from presence.timeline import Segment, from_instant, says_the_same, segment_at, timeline_of
from tests.support.scenarios import HOUR, MINUTE, Scenario, scenario_of, simpler

MOMENT = timedelta(microseconds=1)
Value = TypeVar("Value")
ALICE = User("a" * 32, "alice@example.com")
IN_A_CALL = Presence(Availability.BUSY, Activity.IN_A_CALL)
A_PART = 10_000
EXAMPLES = int(os.environ.get("EXAMPLES", "10000"))


def shows_what_a_look_at_each_instant_shows(scenario: Scenario) -> None:
    picture, naive = scenario.picture, scenario.naive
    assert picture.note == naive.note()
    boundaries = [segment.since for segment in picture.timeline]
    for at in {*boundaries, *scenario.instants()}:
        for instant in (at - MOMENT, at):
            if scenario.now - HOUR <= instant < naive.end:
                segment = segment_at(picture.timeline, instant)
                assert segment is not None
                assert (segment.presence, segment.source) == naive.shown_at(instant), instant


def covers_the_window_without_gap_or_overlap(scenario: Scenario) -> None:
    timeline = scenario.picture.timeline
    assert timeline[0].since == scenario.now - HOUR
    assert all(one.until == other.since and one.since < other.since for one, other in pairwise(timeline))
    assert timeline[-1].until is None
    assert all(one != replace(other, since=one.since, until=one.until) for one, other in pairwise(timeline))


def is_the_same_in_whatever_order(scenario: Scenario) -> None:
    order = random.Random(scenario.now.timestamp())  # noqa: S311  any order will do

    def shuffled(values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(order.sample(values, len(values)))

    again = replace(
        scenario,
        entries=None if scenario.entries is None else shuffled(scenario.entries),
        before=None if scenario.before is None else shuffled(scenario.before),
        periods=None if scenario.periods is None else shuffled(scenario.periods),
        standing=shuffled(scenario.standing),
    )
    assert again.picture.timeline == scenario.picture.timeline


def is_the_same_when_it_is_made_again(scenario: Scenario) -> None:
    picture = scenario.picture
    assert picture_of(picture.knowledge, scenario.profile, scenario.now) == picture


def shows_nobody_available_where_a_claim_stands(scenario: Scenario) -> None:
    """Where nothing is said to claim otherwise, nothing does."""
    calendar = scenario.picture.knowledge.calendar
    claims = [
        (known.entry.start, known.entry.end)
        for known in (() if calendar is None else calendar.entries)
        if known.rule in {"busy", "busy-meeting", "out-of-office", "no-data", "last-known"}
        and known.entry.busy_type is not BusyType.FREE
        and known.entry.start < known.entry.end
    ]
    for segment in scenario.picture.timeline:
        if segment.source == "none" and segment.presence == AVAILABLE:
            until = segment.until or scenario.known_until
            assert not [claim for claim in claims if claim[0] < until and claim[1] > segment.since]


def says_the_same_as_time_goes_on(scenario: Scenario) -> None:
    """Also when it is worked out again behind the horizon."""
    picture = scenario.picture
    for minutes in (17, 300, 1700):
        later = scenario.now + minutes * MINUTE
        knowledge = replace(picture.knowledge, standing=still_standing(picture.knowledge.standing, later))
        again = picture_of(knowledge, scenario.profile, later).timeline
        assert says_the_same(picture.timeline, again, later), minutes


def forgets_a_claim_that_was_taken_back(scenario: Scenario) -> None:
    now, profile = scenario.now, scenario.profile
    picture = scenario.picture
    knowledge = replace(picture.knowledge, standing=still_standing(picture.knowledge.standing, now))
    first = replace(first_record(ALICE, now), version=1, knowledge=knowledge, read_at=now)
    known = repainted(first, profile, now, Rules())
    claimed = after_command(known, ALICE, SetPresence(IN_A_CALL, "exchange", "fax"), profile, now, Rules()).record
    assert claimed is not None
    freed = after_command(claimed, ALICE, ClearPresence("fax"), profile, now, Rules()).record
    assert freed is not None
    knowledge = replace(freed.knowledge, heard=())
    assert (freed.timeline, knowledge, freed.presence) == (known.timeline, known.knowledge, known.presence)
    assert from_instant(known.timeline, now) == freed.timeline


def has_nothing_new_at_the_next_check(scenario: Scenario) -> None:
    """The window of a reading moves; as long as no entry comes or ends in what it moves over, that is no change."""
    now, later = scenario.now, scenario.at_the_next_check()
    if later is None or not scenario.use.allows(now):
        return
    rules, profile = Rules(), scenario.profile
    standing = still_standing(scenario.picture.knowledge.standing, now)
    earlier = replace(scenario.knowledge, calendar=scenario.known_before, standing=standing)
    first = replace(first_record(ALICE, now), version=1, knowledge=earlier)
    record = after_reading(first, ALICE, Readings(scenario.at_this_check()), profile, now, rules).record
    assert record is not None
    # Where an entry ends that was told beside "no data", there is none from then on.
    edges = {at for entry in scenario.entries or () for at in (entry.start, entry.end)}
    edges |= {segment.since for segment in record.timeline}
    passed = any(now < at <= later.read_at for at in edges)
    while record.next_at is not None and record.next_at <= later.read_at:
        record = at_transition(record, record.next_at, rules).record
        assert record is not None
    again = after_reading(record, ALICE, Readings(later), profile, later.read_at, rules)
    assert again.record is None or (passed and again.record.version == record.version), again.why


PROPERTIES: tuple[Callable[[Scenario], None], ...] = (
    covers_the_window_without_gap_or_overlap,
    is_the_same_in_whatever_order,
    is_the_same_when_it_is_made_again,
    shows_nobody_available_where_a_claim_stands,
    says_the_same_as_time_goes_on,
    forgets_a_claim_that_was_taken_back,
    has_nothing_new_at_the_next_check,
    shows_what_a_look_at_each_instant_shows,
)


def broken(scenario: Scenario) -> AssertionError | None:
    """Return how a property does not hold."""
    for holds in PROPERTIES:
        try:
            holds(scenario)
        except AssertionError as error:
            return AssertionError(f"{holds.__name__}: {error}\n{scenario}")
    return None


def simplest(scenario: Scenario, error: AssertionError) -> AssertionError:
    """Return what is wrong with the simplest scenario like this one."""
    for one in simpler(scenario):
        found = broken(one)
        if found is not None:
            return simplest(one, found)
    return error


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", range(-(-EXAMPLES // A_PART)))
def test_what_is_shown_has_its_properties(part: int) -> None:
    @settings(max_examples=min(A_PART, EXAMPLES), deadline=None, database=None, derandomize=False)
    @given(st.integers(0, 2**63))
    def holds(seed: int) -> None:
        judge(seed)

    del part  # each part tries other examples
    holds()


def judge(seed: int) -> None:
    """Raise AssertionError if a property does not hold of the scenario of a seed: `judge(7)` tries one again."""
    scenario = scenario_of(seed)
    error = broken(scenario)
    if error is not None:
        raise simplest(scenario, error)


def without(source: str) -> Callable[[Iterable[Claim], Window], tuple[Segment, ...]]:
    """Return a way to make timelines that leaves out the claims of a source."""
    return lambda claims, window: timeline_of([claim for claim in claims if claim.source != source], window)


def backwards(claims: Iterable[Claim], window: Window) -> tuple[Segment, ...]:
    """Make a timeline in which the weaker claim wins."""
    return timeline_of([replace(claim, strength=-claim.strength) for claim in claims], window)


def a_second_late(claims: Iterable[Claim], window: Window) -> tuple[Segment, ...]:
    """Make a timeline in which claims end a second late."""
    later = timedelta(seconds=1)
    return timeline_of([replace(one, until=one.until and one.until + later) for one in claims], window)


def merging(claims: Iterable[Claim], window: Window) -> tuple[Segment, ...]:
    """Make a timeline in which an entry that begins inside another one ends it."""
    ordered = sorted(claims, key=lambda claim: claim.since)
    cut = [
        replace(one, until=min(one.until, other.since)) if one.until and one.source == other.source else one
        for one, other in pairwise(ordered)
    ]
    return timeline_of([*cut, *ordered[-1:]], window)


def ending_where_the_reading_ends(
    judged: Iterable[tuple[CalendarEntry, Judgement]], profile: Profile, horizon: datetime
) -> list[Claim]:
    """Return the claims of entries as if all of their ends were known."""
    return claims_of_entries(judged, profile, horizon + timedelta(days=9))


BREAKS: dict[str, tuple[str, object]] = {
    "automatic replies are forgotten": ("presence.knowledge.timeline_of", without("automatic-reply")),
    "what is off work is forgotten": ("presence.knowledge.timeline_of", without("working-hours")),
    "other systems are forgotten": ("presence.knowledge.timeline_of", without("phone")),
    "the weaker claim wins": ("presence.knowledge.timeline_of", backwards),
    "claims end a second late": ("presence.knowledge.timeline_of", a_second_late),
    "a short entry ends the long one around it": ("presence.knowledge.timeline_of", merging),
    "no data is free": ("tests.support.scenarios.remembered", lambda reading, _earlier: told_by(reading)),
    "what was known is forgotten": ("tests.support.scenarios.remembered", lambda reading, _earlier: reading.entries),
    "a reading ends what it did not see end": ("presence.knowledge.claims_of_entries", ending_where_the_reading_ends),
    "no gap is closed": ("presence.knowledge._closed_gaps", lambda _busy, _profile: []),
    "no meeting begins": ("presence.knowledge.meeting_starts", lambda _calendar: []),
    "no entry lasts all day": ("presence.mapping.lasts_whole_days", lambda _start, _end, _zone: False),
    "the audience makes no difference": ("presence.knowledge._are_seen_inside", lambda replies: replies.enabled),
    "there is never a note": ("presence.knowledge._note", lambda _knowledge, _profile: None),
    "by hand is as strong as it was when it was set": (
        "presence.knowledge._strength",
        lambda claim, _profile: claim.strength or 55,
    ),
    "a claim that asks for no strength is as strong in every profile": (
        "presence.knowledge._strength",
        lambda claim, profile: _strength(replace(claim, strength=claim.strength or 55), profile),
    ),
}


def told_by(reading: CalendarReading) -> tuple[CalendarEntry, ...]:
    """Return the entries of a reading, as if there were no stretches without data."""
    return tuple(entry for entry in reading.entries if entry.busy_type is not BusyType.NO_DATA)


@pytest.mark.parametrize(("target", "replacement"), BREAKS.values(), ids=BREAKS)
def test_a_broken_engine_is_seen(monkeypatch: pytest.MonkeyPatch, target: str, replacement: object) -> None:
    monkeypatch.setattr(target, replacement)
    assert any(broken(scenario_of(seed)) for seed in range(5000))
