"""When what was set by hand, or is claimed by another system, ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from presence.calendar import Window
from presence.claims import Claim
from presence.presences import AVAILABLE, Activity, Availability, Presence
from presence.standing_claims import Ending, StandingClaim, claims_of_standing, still_standing, with_ends
from tests.support.one_user import at

BUSY = Presence(Availability.BUSY, Activity.BUSY)
AWAY = Presence(Availability.AWAY, Activity.AWAY)
WINDOW = Window(at(-60), at(24 * 60))
DAY = (
    Claim(at(30), at(60), BUSY, "calendar", "busy", 50),
    Claim(at(50), at(90), BUSY, "calendar", "busy", 50),
    Claim(at(120), at(150), AVAILABLE, "calendar", "last-known", 1),
)
STARTS = [at(50), at(30)]


def claim(ending: Ending, since: float = 0, until: float | None = None, source: str = "by-hand") -> StandingClaim:
    return StandingClaim(source, AWAY, 70, at(since), None if until is None else at(until), ending, "alice")


@pytest.mark.parametrize(
    ("made", "ends"),
    [
        pytest.param(claim(Ending.TIME), None, id="without an end until it is taken back"),
        pytest.param(claim(Ending.TIME, until=45), 45, id="at its time, whatever the calendar has"),
        pytest.param(claim(Ending.BOUNDARY, until=480), 30, id="at the next boundary"),
        pytest.param(claim(Ending.BOUNDARY, since=30, until=480), 90, id="entries that cross have no boundary inside"),
        pytest.param(claim(Ending.BOUNDARY, until=20), 20, id="at its time before the next boundary"),
        pytest.param(claim(Ending.BOUNDARY, since=90, until=480), 480, id="where the same is shown is no boundary"),
        pytest.param(claim(Ending.MEETING, until=1440), 30, id="at the next meeting"),
        pytest.param(claim(Ending.MEETING, since=30, until=1440), 50, id="not at a meeting that begins with it"),
        pytest.param(claim(Ending.MEETING, since=50, until=1440), 1440, id="at its latest end without a meeting"),
        pytest.param(claim(Ending.MEETING), 30, id="also without a latest end"),
    ],
)
def test_each_ends_where_it_should(made: StandingClaim, ends: float | None) -> None:
    (ended,) = with_ends([made], DAY, STARTS, WINDOW, at(0))
    assert ended == replace(made, ends_at=None if ends is None else at(ends))


@pytest.mark.parametrize(
    ("made", "ends"),
    [
        pytest.param(claim(Ending.BOUNDARY, until=480), 60, id="at the next boundary, none that has passed"),
        pytest.param(claim(Ending.MEETING, until=1440), 50, id="at the next meeting, none that has begun"),
        pytest.param(claim(Ending.TIME, until=45), 45, id="at its time"),
    ],
)
def test_one_that_has_stood_is_not_ended_by_what_the_calendar_says_now_of_the_time_before(
    made: StandingClaim, ends: float
) -> None:
    (ended,) = with_ends([replace(made, ends_at=at(400))], DAY[:1], STARTS, WINDOW, at(40))
    assert ended == replace(made, ends_at=at(ends))


def test_one_that_has_ended_stays_so() -> None:
    ended = replace(claim(Ending.BOUNDARY, until=480), ends_at=at(10))
    assert with_ends([ended], DAY, STARTS, WINDOW, at(10)) == (ended,)


def test_they_come_in_the_order_of_their_sources() -> None:
    claims = [claim(Ending.TIME, source=source) for source in ("phone", "by-hand", "desk")]
    assert [one.source for one in with_ends(claims, DAY, STARTS, WINDOW, at(0))] == ["by-hand", "desk", "phone"]


def test_one_claim_is_no_boundary_of_another() -> None:
    claims = [claim(Ending.BOUNDARY, until=480), claim(Ending.TIME, since=5, until=10, source="phone")]
    assert [one.ends_at for one in with_ends(claims, DAY, STARTS, WINDOW, at(0))] == [at(30), at(10)]


def test_what_has_ended_is_no_claim_any_more() -> None:
    ended = replace(claim(Ending.TIME), ends_at=at(10))
    assert still_standing([ended], at(10)) == ()
    assert still_standing([ended], at(9)) == (ended,)
    assert still_standing([claim(Ending.TIME)], at(5000)) == (claim(Ending.TIME),)


def test_a_claim_says_who_claims_and_by_which_rule() -> None:
    claims = claims_of_standing([claim(Ending.TIME), claim(Ending.TIME, source="phone")], lambda _claim: 70)
    assert [(one.source, one.rule) for one in claims] == [("by-hand", "set-by-hand"), ("phone", "claimed-by-phone")]
    assert claims_of_standing([replace(claim(Ending.TIME), ends_at=at(0))], lambda _claim: 70) == []
