"""The plan of the demo, played by the oracle alone: it must have one right answer a user, and show enough."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.demo.edits import LAST_EDIT, improvised_edit, planned_edits
from local.demo.expectations import Cadence, Cause, Expected, Snapshot, acceptable_sequences
from local.demo.published import Published
from local.demo.run import Course, _horizon_hours, _seen_in_time
from local.demo.tally import Minimums, Tally
from local.demo.verdict import judge
from local.demo.witness import Witness
from local.exchange.organisation import Organisation
from local.exchange.scenario import demo_organisation

COURSE = Course()
# In the middle of a day, and just where a day of leave in Tokyo and one in Newfoundland lie on the horizon.
STARTS = [
    datetime(2026, 11, 21, 10, 0, 7, tzinfo=UTC),
    datetime(2026, 11, 21, 15, 0, 0, tzinfo=UTC),
    datetime(2026, 3, 8, 3, 29, 58, tzinfo=UTC),
]


class Played:
    """The calendars of a demo that began at `start`, edited at the planned times."""

    def __init__(self, start: datetime) -> None:
        self.now = start + timedelta(seconds=COURSE.head_start)
        self.organisation = demo_organisation(start)
        self.closed = start + timedelta(seconds=COURSE.closes)
        witness = Witness(self.organisation, lambda: self.now)
        for edit in planned_edits(self.organisation, start):
            self.now = start + timedelta(seconds=edit.at)
            with witness.watching(edit.address):
                edit.make()
        self.histories = witness.histories()
        self.cadence = Cadence(
            timedelta(seconds=COURSE.first), timedelta(seconds=COURSE.edit), timedelta(hours=_horizon_hours(start))
        )

    def sequences(self, history: tuple[Snapshot, ...]) -> list[tuple[Expected, ...]]:
        return acceptable_sequences(history, self.cadence, self.closed)


@pytest.fixture(params=STARTS, ids=lambda start: f"{start:%H:%M}")
def played(request: pytest.FixtureRequest) -> Played:
    return Played(request.param)


def test_an_edit_is_never_so_close_to_a_boundary_that_it_could_be_seen_on_either_side(played: Played) -> None:
    at_once = replace(played.cadence, first=timedelta(seconds=5))
    for address, history in played.histories.items():
        sequences = acceptable_sequences(history, at_once, played.closed)
        causes = {tuple(expected.cause for expected in found[1:]) for found in sequences}
        edits = {tuple(cause for cause in found if cause is Cause.EDIT) for found in causes}
        assert len(edits) == 1, address


def publish(address: str, sequence: tuple[Expected, ...]) -> Iterator[Published]:
    previous = ("PresenceUnknown", "PresenceUnknown")
    for version, expected in enumerate(sequence, start=1):
        received = expected.not_before + timedelta(seconds=0.1)
        since = min(expected.since_to, max(received, expected.since_from))
        shown = expected.shown
        yield Published(
            "0" * 32,
            address,
            version,
            shown.presence,
            previous,
            shown.source,
            since,
            expected.until,
            received,
            freshness=expected.freshness,
            note=expected.note,
        )
        previous = shown.presence


def test_played_as_planned_it_shows_all_that_a_demo_must_show(played: Played) -> None:
    judgements = []
    for address, history in played.histories.items():
        sequences = played.sequences(history)
        judgements.append(judge(address, sequences, list(publish(address, sequences[0])), played.closed))
    edits = sum(len(history) - 1 for history in played.histories.values())
    tally = Tally(judgements, edits)
    assert list(tally.complaints(Minimums())) == []
    assert len({judgement.address.rpartition("@")[2] for judgement in judgements}) >= 4


def test_every_edit_of_the_plan_is_made_early_enough_to_be_seen() -> None:
    start = STARTS[0]
    edits = planned_edits(demo_organisation(start), start)
    assert _seen_in_time(edits, COURSE) == edits
    assert max(edit.at for edit in edits) == LAST_EDIT
    assert len(edits) >= 10
    assert len({edit.address for edit in edits}) >= 10


def test_a_course_that_ends_before_the_first_reading_is_due_is_refused() -> None:
    with pytest.raises(ValueError, match="prove nothing"):
        Course(head_start=14, first=18, closes=32)


def test_some_edits_publish_nothing_and_the_others_do(played: Played) -> None:
    changes = {
        address: [expected.cause for expected in played.sequences(history)[0]].count(Cause.EDIT)
        for address, history in played.histories.items()
        if len(history) > 1
    }
    assert changes["carol@example.com"] == 0, "a meeting far ahead"
    assert changes["umar@research.test"] == 0, "another status of what comes"
    assert changes["alice@example.com"] == 0, "data lost where something was known"
    assert changes["bob@example.com"] == 0, "access lost"
    assert sum(changes.values()) >= 10


def test_the_horizon_keeps_away_from_what_stands_in_the_calendars() -> None:
    for start in STARTS:
        hours = _horizon_hours(start)
        organisation = demo_organisation(start)
        horizon = start + timedelta(hours=hours)
        margin = timedelta(minutes=9)
        near = [
            edge
            for address in organisation.users
            if organisation.mailbox(address) is not None
            for found in organisation.entries(address, horizon - margin, horizon + margin)
            for edge in (found.start, found.end)
            if abs(edge - horizon) < margin
        ]
        assert near == []


def test_edits_made_up_on_the_way_fit_whatever_stands_in_the_calendars() -> None:
    start = STARTS[0]
    organisation: Organisation = demo_organisation(start)
    chance = random.Random(7)  # noqa: S311  it makes up calendars
    addresses = [mailbox.address for mailbox in organisation.mailboxes()]
    words = set()
    for second in range(300):
        edit = improvised_edit(organisation, addresses, start + timedelta(seconds=second), chance)
        edit.make()
        words.add(edit.words.split()[0])
    assert words == {"adds", "deletes", "moves", "turns"}
