"""The same machine over an engine in which one thing is broken on purpose: it has to find each.

Where one is not found any more, the machine has lost its teeth, whatever test_pipeline says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from presence import checking, decisions, freshness, instants, publishing, showing, transition_schedule, waiting
from presence.calendar import BusyType, CalendarReading
from presence.freshness import Belief, Freshness
from presence.known_calendar import remembered
from presence.profiles import DEFAULT
from presence.records import Change, PresenceRecord
from presence.transition_queue import TransitionQueue
from tests.model.judge import BrokenPromiseError
from tests.model.machine import Pipeline
from tests.model.surroundings import StreamedTable
from tests.model.world import SHARDS

SETTINGS = settings(
    max_examples=300,
    stateful_step_count=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
FOLLOWS = "what is shown follows from what is known"
MEANWHILE = " and nobody is shown Available meanwhile"
STALE = {"staleness comes on time", "staleness comes on time" + MEANWHILE}
LATE = {"transitions come on time", "transitions come on time" + MEANWHILE, *STALE}


class UnconditionalTable(StreamedTable):
    """A table whose writes have no condition: the last of two writers wins."""

    def write(self, record: PresenceRecord) -> PresenceRecord | None:
        stored = self.record(record.user_id)
        return super().write(replace(record, revision=0 if stored is None else stored.revision))


class FromOutside(Pipeline):
    """The pipeline as others see it: judged by what is published, and when."""

    inside = False


class OverUnconditionalTable(FromOutside):
    """The pipeline over such a table."""

    presences = staticmethod(lambda: UnconditionalTable(SHARDS))


def first_broken_promise(machine: type[Pipeline] = Pipeline) -> str:
    """Return the promise that the machine finds broken; fail if it finds none."""
    with pytest.raises(BrokenPromiseError) as caught:
        run_state_machine_as_test(machine, settings=SETTINGS)
    return caught.value.promise


def test_the_staleness_rule_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "belief_at", lambda *_: Belief(Freshness.CURRENT, None))
    assert first_broken_promise(FromOutside) in {"what is unknown is never Available", *STALE}


def test_staleness_that_no_transition_brings_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is decided in the next check only: never, if there is none."""
    belief_at = freshness.belief_at

    def unplanned(*known: Any) -> Belief:
        return replace(belief_at(*known), changes_at=None)

    monkeypatch.setattr(showing, "belief_at", unplanned)
    assert first_broken_promise(FromOutside) in STALE


def test_the_condition_on_the_revision_is_missed() -> None:
    assert first_broken_promise(OverUnconditionalTable) in {
        "versions grow by one with each change",
        "a newer reading is never replaced by an older one",
        "nothing is believed again without a reading",
        "nobody is shown Available against their calendar",
        "what is unknown is never Available",
        *LATE,
    }


def test_the_low_water_mark_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick looks five minutes back, and no further after a longer stop."""
    noted = instants.instant_noted

    def forgotten(notes: Mapping[str, str], name: str) -> datetime | None:
        return None if name == "lookBackFrom" else noted(notes, name)

    monkeypatch.setattr(transition_schedule, "instant_noted", forgotten)
    assert first_broken_promise(FromOutside) in LATE


def test_looking_back_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick queues what comes, and never again what was lost."""
    noted = instants.instant_noted

    def forgotten(notes: Mapping[str, str], name: str) -> datetime | None:
        return None if name == "lookBackFrom" else noted(notes, name)

    monkeypatch.setattr(transition_schedule, "instant_noted", forgotten)
    monkeypatch.setattr(transition_schedule, "_LOOKS_BACK", timedelta(0))
    assert first_broken_promise(FromOutside) in LATE


def test_transitions_that_are_not_queued_at_once_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What falls due before the next tick looks there is late."""
    monkeypatch.setattr(TransitionQueue, "queue_soon", lambda *_: 0)
    assert first_broken_promise(FromOutside) in LATE


def test_a_second_too_early_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    early = timedelta(seconds=1)
    wait, apply = waiting.wait_until_due, decisions.at_transition
    monkeypatch.setattr("presence.transitions.wait_until_due", lambda due, *rest: wait(due - early, *rest))
    monkeypatch.setattr(
        "presence.transitions.at_transition", lambda record, now, rules: apply(record, now + early, rules)
    )
    assert first_broken_promise() in {FOLLOWS, "what is due is applied", "nothing is shown from a later time on"}


def test_no_data_taken_for_free_time_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(reading: CalendarReading, _: object) -> tuple[object, ...]:
        told = tuple(entry for entry in reading.entries if entry.busy_type is not BusyType.NO_DATA)
        return remembered(replace(reading, entries=told), None)

    monkeypatch.setattr(decisions, "remembered", forgetful)
    assert first_broken_promise() in {"what is unknown is never Available", FOLLOWS}


def test_a_failed_check_taken_for_an_empty_calendar_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def empty(record: Any, user: Any, problem: object, now: datetime, rules: Any) -> object:
        del problem
        reading = CalendarReading(user.address, checking.window_around(now, timedelta(hours=24)), (), now, "", "")
        return decisions.after_reading(record, user, decisions.Readings(reading), DEFAULT, now, rules)

    monkeypatch.setattr(checking, "after_problem", empty)
    first_broken_promise()


def test_a_reading_that_forgets_what_was_set_by_hand_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "still_standing", lambda *_: ())
    found = {FOLLOWS, "nobody is shown Available against their calendar", "what is begun by another clock is left"}
    assert first_broken_promise() in found


def test_a_late_reading_that_wins_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    decide = decisions.after_reading

    def ageless(record: PresenceRecord | None, *rest: Any) -> object:
        return decide(record and replace(record, read_at=None), *rest)

    monkeypatch.setattr(checking, "after_reading", ageless)
    assert first_broken_promise() == "a newer reading is never replaced by an older one"


def test_changes_that_are_not_published_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    news_of = publishing.news_of

    def only_presence(stream_record: object) -> publishing.News | None:
        news = news_of(stream_record)
        return news if news is not None and news.record.change is Change.PRESENCE else None

    monkeypatch.setattr(publishing, "news_of", only_presence)
    assert first_broken_promise() in {"what is written is published", "versions are published without gaps"}
