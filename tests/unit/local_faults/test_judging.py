from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from local.faults.judging import Person, Seen, judge
from local.faults.rows import AT_ONCE, BACK_OFF, NO_PROBLEM, NO_RETRY, NOBODY, SERVERS, STAYS, Expectation

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
KEPT = Person("Busy", NOON)
READ = Person("Away", NOON)
FAILED = Person("Busy", NOON, problem="ServerBusy", kind="passing", text="it is busy")
LASTING = replace(FAILED, problem="AccessDenied", kind="lasting")

EXPECTED = Expectation(("ServerBusy",), "passing", 30, "Busy", "unharmed", AT_ONCE, SERVERS)
NOTHING = Expectation((NO_PROBLEM,), "none", NO_RETRY, "Away", "unharmed", AT_ONCE, SERVERS)
SEEN = Seen(
    before=KEPT,
    after=FAILED,
    mended=READ,
    retries=(30,),
    beside={"bob@example.com": READ},
    away={"dan@example.org": READ},
    availabilities=frozenset({"Busy", "Away"}),
)
UNTOUCHED = replace(SEEN, after=READ, retries=())


def test_what_is_as_expected_has_no_complaint() -> None:
    assert judge(EXPECTED, SEEN) == ()
    assert judge(NOTHING, UNTOUCHED) == ()


@pytest.mark.parametrize(
    ("seen", "complaint"),
    [
        ({"after": replace(FAILED, problem="Timeout")}, "the problem is Timeout, not ServerBusy: it is busy"),
        ({"after": KEPT}, "the problem is none, not ServerBusy"),
        ({"after": replace(FAILED, kind="lasting")}, "ServerBusy is lasting, not passing"),
        (
            {"after": replace(FAILED, replies="ErrorMailTipsDisabled")},
            "the problem with automatic replies is ErrorMailTipsDisabled, not none",
        ),
        ({"retries": ()}, "no retry is on the queue"),
        ({"retries": (31,)}, "the retry comes in 31 s, not in 30"),
        ({"retries": (30, 30)}, "2 retries are on the queue"),
        ({"before": READ}, "Away was shown before the fault, not Busy"),
        ({"after": replace(FAILED, availability="Available")}, "Available is shown, not Busy"),
        ({"after": replace(FAILED, availability="PresenceUnknown")}, "PresenceUnknown is shown, not Busy"),
        ({"after": replace(FAILED, until=None)}, f"Busy is shown until None, and should be until {NOON}"),
        ({"after": replace(FAILED, freshness="stale")}, "what is shown is stale at once"),
        ({"availabilities": frozenset({"Busy", "Available"})}, "Available was written or published"),
        ({"availabilities": frozenset({"AvailableIdle"})}, "AvailableIdle was written or published"),
        (
            {"beside": {"bob@example.com": FAILED}},
            "bob@example.com has the problem ServerBusy, and should be unharmed",
        ),
        ({"beside": {"bob@example.com": KEPT}}, "bob@example.com was not read: Busy is shown, not Away"),
        ({"away": {"dan@example.org": FAILED}}, "dan@example.org has the problem ServerBusy, and should be unharmed"),
        ({"away": {"dan@example.org": KEPT}}, "dan@example.org was not read: Busy is shown, not Away"),
        ({"mended": FAILED}, "the fault is gone, and the problem ServerBusy stays: it is busy"),
        ({"mended": KEPT}, "the fault is gone, and Busy is shown, not Away"),
        ({"misplaced": ("a stranger was given credentials",)}, "a stranger was given credentials"),
        ({"leaks": ("a password stands in a table",)}, "a password stands in a table"),
        ({"broken": ("check_calendars raised KeyError",)}, "check_calendars raised KeyError"),
    ],
)
def test_each_thing_that_is_not_as_expected_is_complained_of(seen: dict[str, Any], complaint: str) -> None:
    assert judge(EXPECTED, replace(SEEN, **seen)) == (complaint,)


def test_a_mailbox_that_is_read_may_wait_for_no_retry() -> None:
    assert judge(NOTHING, replace(UNTOUCHED, retries=(15,))) == ("a retry is on the queue, for in 15 s",)


@pytest.mark.parametrize(("seconds", "right"), [(11, False), (12, True), (19, True), (20, False)])
def test_a_wait_of_the_product_s_own_is_spread_by_a_quarter(seconds: int, right: bool) -> None:
    complaints = judge(replace(EXPECTED, retry=BACK_OFF), replace(SEEN, retries=(seconds,)))
    assert complaints == (() if right else (f"the retry comes in {seconds} s, not in 12 to 19",))


def test_where_it_depends_on_the_moment_any_of_the_problems_will_do() -> None:
    either = replace(EXPECTED, problem=("HostUnreachable", "ServerBusy"))
    assert judge(either, SEEN) == ()
    assert judge(either, replace(SEEN, after=replace(FAILED, problem="Timeout", text=""))) == (
        "the problem is Timeout, not HostUnreachable or ServerBusy",
    )


def test_who_is_harmed_has_the_same_problem_and_keeps_what_was_known() -> None:
    harmed = replace(EXPECTED, others="harmed")
    words = "bob@example.com is shown as {}, not harmed as the one beside it"
    assert judge(harmed, replace(SEEN, beside={"bob@example.com": FAILED})) == ()
    assert judge(harmed, replace(SEEN, beside={"bob@example.com": LASTING})) == (
        words.format("Busy with AccessDenied"),
    )
    assert judge(harmed, SEEN) == (words.format("Away with none"),)
    lost = replace(FAILED, availability="Available")
    assert judge(harmed, replace(SEEN, beside={"bob@example.com": lost})) == (
        words.format("Available with ServerBusy"),
    )


def test_a_fault_may_be_one_under_which_nobody_is_given_the_account() -> None:
    given = replace(SEEN, given=frozenset({"mail.example.com"}))
    assert judge(EXPECTED, given) == ()
    assert judge(replace(EXPECTED, account=NOBODY), given) == (
        "mail.example.com was given the account, and nobody should be",
    )
    assert judge(replace(EXPECTED, account=NOBODY), SEEN) == ()


def test_a_problem_that_should_stay_may_not_go_by_itself() -> None:
    stays = replace(EXPECTED, mended=STAYS)
    assert judge(stays, replace(SEEN, mended=FAILED)) == ()
    assert judge(stays, SEEN) == ("the problem is gone by itself, and should stay until somebody acts",)
