from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from local.faults.judging import Person, Seen
from local.faults.rows import Expectation, Row
from local.faults.table import Outcome, last_line, summary, table_of

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
READ = Person("Away", NOON)
FAILED = Person("Busy", NOON, problem="ServerBusy", kind="passing")
EXPECT = Expectation(("ServerBusy",), "passing", 30, "Busy", "unharmed", "at-once", "servers")
ROW = Row("the server is busy", "HTTP", (("status", {"status": 503}),), EXPECT)
CONTROL = replace(ROW, name="the retry is wrong", control="the retry comes in 30 s, not in 9")
SEEN = Seen(FAILED, FAILED, READ, (30,), {"bob@example.com": READ}, {"dan@example.org": READ})

RIGHT = Outcome(ROW, SEEN, ())
WRONG = Outcome(ROW, SEEN, ("the problem is another", "and so is the retry"))
CONTROLLED = Outcome(CONTROL, SEEN, (CONTROL.control,))


def test_a_line_has_what_should_be_seen_beside_what_was() -> None:
    none = replace(EXPECT, problem=("none",), kind="none", retry="none", shown="Away", others="unharmed")
    unplayed = Outcome(replace(ROW, expect=replace(EXPECT, retry="back-off")), None, ("it could not be played",))
    lines = table_of([RIGHT, Outcome(replace(ROW, expect=none), replace(SEEN, retries=()), ("x",)), unplayed])
    words = "ServerBusy (passing), again in 30 s, Busy, others unharmed"
    assert lines[2].count(words) == 2
    assert lines[2].startswith("ok     HTTP   the server is busy  ")
    assert "no problem, Away, others unharmed" in lines[3]
    assert lines[3].endswith("ServerBusy (passing), next turn, Busy, others unharmed")
    assert "again in 12 to 19 s" in lines[4]
    assert lines[4].startswith("WRONG  HTTP")
    assert lines[4].endswith("could not be played")


def test_who_beside_the_mailbox_has_a_problem_is_harmed() -> None:
    (*_, line) = table_of([Outcome(ROW, replace(SEEN, beside={"bob@example.com": FAILED}), ("x",))])
    assert line.endswith("others harmed")


def test_a_fault_is_survived_without_complaint_and_a_control_fails_with_its_own() -> None:
    assert RIGHT.as_it_should_be
    assert not WRONG.as_it_should_be
    assert CONTROLLED.as_it_should_be
    assert not Outcome(CONTROL, SEEN, ()).as_it_should_be
    assert not Outcome(CONTROL, SEEN, ("something else",)).as_it_should_be
    assert not Outcome(CONTROL, None, ("it could not be played",)).as_it_should_be


def test_the_summary_names_what_was_not_as_expected_and_how_the_controls_went() -> None:
    texts = list(summary([RIGHT, WRONG, CONTROLLED, Outcome(CONTROL, SEEN, ())]))
    assert texts == [
        "not as expected: HTTP: the server is busy\n    the problem is another\n    and so is the retry",
        "control: the retry is wrong: failed, as it should\n    the retry comes in 30 s, not in 9",
        "control: the retry is wrong: did not fail with 'the retry comes in 30 s, not in 9'",
    ]


def test_the_last_line_counts_faults_and_no_controls() -> None:
    assert last_line([RIGHT, WRONG, RIGHT, CONTROLLED]) == "faults: survived=2 of 3"
