"""The verdict: what is right passes, and each way of being wrong is found and said."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from local.demo.expectations import Cadence, Expected, Snapshot, acceptable_sequences
from local.demo.oracle import Entry
from local.demo.published import Published
from local.demo.tally import EVERY_STATUS, Minimums, Tally
from local.demo.verdict import Judgement, judge

TEN = datetime(2026, 11, 21, 10, tzinfo=UTC)
USER = "alice@example.com"


def at(seconds: float) -> datetime:
    return TEN + timedelta(seconds=seconds)


CLOSED = at(100)


def right_answers() -> list[tuple[Expected, ...]]:
    """First in a meeting, free at 40, out of office from 60; extended at 70."""
    meeting, away = Entry(at(-600), at(40), "Busy", is_meeting=True), Entry(at(60), at(3600), "OOF")
    history = [
        Snapshot(at(0), (meeting, away)),
        Snapshot(at(70), (meeting, replace(away, end=at(5400)))),
    ]
    return acceptable_sequences(
        history, Cadence(timedelta(seconds=20), timedelta(seconds=10), timedelta(hours=24)), CLOSED
    )


def received() -> list[Published]:
    """Exactly what should be received, 0.1 s after each boundary and 3 s after the edit."""
    first = Published(
        "a" * 32,
        USER,
        1,
        ("Busy", "InAMeeting"),
        ("PresenceUnknown", "PresenceUnknown"),
        "calendar",
        at(-600),
        at(40),
        at(5),
    )
    free = replace(
        first,
        version=2,
        presence=("Available", "Available"),
        previous=first.presence,
        source="none",
        since=at(40),
        until=at(60),
        received_at=at(40.1),
    )
    away = replace(
        free,
        version=3,
        presence=("Away", "OutOfOffice"),
        previous=free.presence,
        source="calendar",
        since=at(60),
        until=at(3600),
        received_at=at(60.1),
    )
    longer = replace(away, version=4, previous=away.presence, until=at(5400), received_at=at(73))
    return [first, free, away, longer]


def judged(changes: list[Published]) -> Judgement:
    return judge(USER, right_answers(), changes, CLOSED)


def test_what_is_right_is_found_right_in_any_order_of_arrival_and_delivered_twice() -> None:
    judgement = judged([*reversed(received()), received()[1]])
    assert (judgement.complaints, judgement.faults, judgement.published) == ([], 0, 4)
    assert [boundary for boundary, _ in judgement.lateness] == [at(40), at(60)]
    assert [late for _, late in judgement.lateness] == pytest.approx([0.1, 0.1])
    assert judgement.statuses == {"Busy", "Free", "OOF"}


Mistake = Callable[[list[Published]], list[Published]]

MISTAKES: dict[str, tuple[Mistake, tuple[int, int, int], str]] = {
    "an entry shown as free": (
        lambda c: [replace(c[0], presence=("Available", "Available"), source="none"), *c[1:]],
        (2, 0, 0),
        "shown as Available instead of Busy / InAMeeting",
    ),
    "a transition a second early": (
        lambda c: [c[0], replace(c[1], received_at=at(39)), *c[2:]],
        (0, 0, 1),
        "1.000 s early",
    ),
    "one change not published, its version missing": (
        lambda c: [c[0], *c[2:]],
        (1, 1, 0),
        "version 2 was never received",
    ),
    "one change not published and its version given to the next": (
        lambda c: [c[0], replace(c[2], version=2, previous=c[0].presence), replace(c[3], version=3)],
        (0, 1, 0),
        "missed: Available",
    ),
    "the last change not published": (lambda c: c[:3], (0, 1, 0), "missed: Away / OutOfOffice"),
    "nothing received at all": (lambda _: [], (0, 4, 0), "missed: Busy / InAMeeting"),
    "the same change under two versions": (
        lambda c: [*c, replace(c[3], version=5)],
        (1, 0, 0),
        "published without cause: version 5",
    ),
    "one version with two contents": (
        lambda c: [*c, replace(c[3], until=at(9000), received_at=at(74))],
        (1, 0, 0),
        "published twice, with different content",
    ),
    "a wrong end": (lambda c: [*c[:3], replace(c[3], until=at(5399))], (1, 0, 0), "until 2026-11-21T11:29:59Z instead"),
    "an end that is not told": (
        lambda c: [*c[:3], replace(c[3], until=None)],
        (1, 0, 0),
        "until further than is known",
    ),
    "a wrong start": (lambda c: [c[0], replace(c[1], since=at(41)), *c[2:]], (1, 0, 0), "since 2026-11-21T10:00:41Z"),
    "a wrong reason": (
        lambda c: [c[0], replace(c[1], source="calendar"), *c[2:]],
        (1, 0, 0),
        "for the reason calendar",
    ),
    "a wrong previous presence": (
        lambda c: [c[0], replace(c[1], previous=("Away", "OutOfOffice")), *c[2:]],
        (1, 0, 0),
        "came before",
    ),
    "an edit seen too late": (lambda c: [*c[:3], replace(c[3], received_at=at(81))], (1, 0, 0), "1.0 s too late"),
    "an edit seen before it was made": (
        lambda c: [*c[:3], replace(c[3], received_at=at(69))],
        (0, 0, 1),
        "1.000 s early",
    ),
    "another user id": (lambda c: [*c[:3], replace(c[3], user_id="b" * 32)], (1, 0, 0), "more than one user id"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_and_said(name: str) -> None:
    make, counts, words = MISTAKES[name]
    judgement = judged(make(received()))
    assert (judgement.wrong, judgement.missed, judgement.early) == counts, judgement.complaints
    assert any(words in complaint for complaint in judgement.complaints), judgement.complaints
    assert not judgement.right


def test_a_boundary_at_the_very_end_may_be_received_or_not() -> None:
    for changes in (received(), received()[:2]):
        judgement = judge(USER, [right_answers()[0][:3]], changes[:3], at(61))
        assert judgement.right


def test_whoever_was_never_published_is_missed_however_soon_the_watching_ended() -> None:
    cadence = Cadence(timedelta(seconds=20), timedelta(seconds=10), timedelta(hours=24))
    for history in ([Snapshot(at(0), ())], [Snapshot(at(0), ()), Snapshot(at(5), ())], [Snapshot(at(0), None)]):
        sequences = acceptable_sequences(history, cadence, at(12))
        assert judge(USER, sequences, [], at(12)).missed == 1


def enough() -> list[Judgement]:
    """24 users of four domains, each with a boundary, eight of them in the same second."""
    return [
        Judgement(
            f"user{number}@{('example.com', 'example.org', 'a.test', 'b.test')[number % 4]}",
            published=2,
            lateness=[(at(40 if number < 8 else number), 0.01 * number)],
            statuses=set(EVERY_STATUS),
        )
        for number in range(24)
    ]


def complaints(judgements: list[Judgement], edits: int = 10) -> list[str]:
    return list(Tally(judgements, edits).complaints(Minimums()))


def test_the_last_line_is_as_promised() -> None:
    tally = Tally(enough(), edits=10)
    assert list(tally.complaints(Minimums())) == []
    assert tally.last_line() == (
        "demo: users=24 right=24 wrong=0 missed=0 published=48 transitions=24 late_p99=0.230 early=0"
    )


def test_a_demo_that_shows_too_little_fails() -> None:
    assert "only 23 users" in complaints(enough()[1:])[0]
    assert complaints(enough(), edits=9) == ["only 9 edits of calendars, at least 10 are needed"]
    spread = [replace(each, lateness=[(at(number), 0.1)]) for number, each in enumerate(enough())]
    assert complaints(spread) == ["at most 1 transitions in one second, at least 8 are needed"]
    few = [replace(each, lateness=each.lateness if number < 23 else []) for number, each in enumerate(enough())]
    assert complaints(few) == ["only 23 transitions, at least 24 are needed"]
    without = [replace(each, statuses=set(EVERY_STATUS - {"NoData", "OOF"})) for each in enough()]
    assert complaints(without) == ["nothing was published of the status NoData, OOF"]
    silent = [replace(each, statuses=set() if each.address.endswith("b.test") else each.statuses) for each in enough()]
    assert complaints(silent) == ["nothing was published of a calendar in b.test"]


def test_lateness_is_judged_by_its_99th_percentile() -> None:
    late = enough()
    late[0] = replace(late[0], lateness=[(at(40), 0.501)])
    assert complaints(late) == ["the 99th percentile of lateness is 0.501 s, above 0.5 s"]
    many = [replace(each, lateness=each.lateness * 5) for each in enough()]
    many[0] = replace(many[0], lateness=[*many[0].lateness, (at(40), 3.0)])
    assert complaints(many) == [], "one of 121 lies beyond the 99th percentile"
    assert math.isnan(Tally([], 0).late_p99())


def test_trouble_of_any_other_kind_fails_the_demo_too() -> None:
    assert list(Tally(enough(), 10, ["the engine stopped"]).complaints(Minimums())) == ["the engine stopped"]
