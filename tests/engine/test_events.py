"""Test events through the functions as they are deployed into the embedded engine, held to events/expected.toml."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.main import main
from cli.workbench import Workbench, set_up_workbench
from tests.support.expected_events import (
    EVENTS,
    event_of,
    expectations,
    expected_answer,
    kept,
    mistakes,
    shown,
    stable,
    told,
)

pytestmark = pytest.mark.xdist_group("events")  # one engine for all

IN_THE_ENGINE = (
    "schedule_checks/tick",
    "schedule_checks/time_without_zone",
    "check_calendars/every_way_to_exchange",
    "check_calendars/one_endpoint",
    "check_calendars/one_fails_one_does_not",
    "check_calendars/no_access",
    "check_calendars/too_old",
    "check_calendars/good_and_malformed",
    "schedule_transitions/tick",
    "schedule_transitions/no_time",
    "apply_transitions/many_in_one_second",
    "apply_transitions/not_yet_due",
    "apply_transitions/good_and_malformed",
    "publish_presence/presence_changed",
    "publish_presence/meeting_starting_soon",
    "publish_presence/read_again",
    "publish_presence/good_and_malformed",
    "record_history/presence_changed",
    "record_history/good_and_malformed",
    "record_history/changed_and_removed",
    "set_presence/by_hand",
    "set_presence/clear",
    "set_presence/calendar_off",
    "set_presence/calendar_on",
    "set_presence/unknown_address",
)


@pytest.fixture(scope="module")
def workbench() -> Iterator[Workbench]:
    with set_up_workbench() as running:
        yield running


@pytest.mark.parametrize("case", IN_THE_ENGINE)
def test_an_event_does_the_same_in_the_embedded_engine(case: str, workbench: Workbench) -> None:
    function, stated = case.partition("/")[0], expectations()[case]
    done = workbench.run(function, event_of(case))
    assert done.error == stated.get("error")
    assert stable(done.answer) == expected_answer(case)
    for reason in stated.get("reasons", []):
        assert [line for line in done.log if reason.partition(": ")[2] in line]
    assert shown(done.written) == stated.get("written", {})
    assert {name: queued.count for name, queued in done.queued.items() if queued.count} == stated.get("queued", {})
    # There the stream is at work too: what a function writes is published.
    of_written = {f"{record.user_id}:{record.version}": str(record.presence) for record in done.written}
    assert told(done.published) == of_written | stated.get("published", {})
    assert kept(done.recorded) == stated.get("recorded", {})
    assert [mistakes(event) for event in done.published] == [[]] * len(done.published)


def test_presence_invoke_prints_answer_log_and_what_was_written_and_published(
    capsys: pytest.CaptureFixture[str],
) -> None:
    event = EVENTS / "check_calendars" / "one_user.json"
    assert main(["invoke", "check_calendars", "-e", str(event)]) == 0
    out = capsys.readouterr().out
    assert 'Answer: {"batchItemFailures": []}' in out
    assert '"message":"calendars checked"' in out
    assert "Written: 1\n  tina@research.test: Busy / Busy until " in out
    assert "Queued: nothing" in out
    assert 'Published: 1\n  {"specversion": "1.0"' in out


def test_presence_invoke_fails_with_the_function(capsys: pytest.CaptureFixture[str]) -> None:
    event = EVENTS / "schedule_checks" / "no_time.json"
    assert main(["invoke", "schedule_checks", "-e", str(event)]) == 1
    out = capsys.readouterr().out
    assert "Error: time: a text was expected, not nothing" in out
    assert "Written: nothing" in out
