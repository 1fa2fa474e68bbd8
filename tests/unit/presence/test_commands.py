"""What a command makes of a record: claims by hand and of other systems, each once, each with its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from presence.calendar import BusyType
from presence.commands import ClearPresence, Command, RemindOfMeetings, SetPresence, UseCalendar
from presence.errors import ConfigurationError
from presence.heard import MOST_HEARD
from presence.knowledge import CalendarUse
from presence.mapping import DEFAULT_ORDER, Kind
from presence.presences import AVAILABLE, UNKNOWN, Activity, Availability, Presence
from presence.profiles import DEFAULT
from presence.records import PresenceRecord
from presence.standing_claims import LONGEST_UNTIL_MEETING, MOST_SOURCES, Ending, StandingClaim
from tests.support.one_user import OneUser, at, entry

BUSY = Presence(Availability.BUSY, Activity.BUSY)
MEETING = Presence(Availability.BUSY, Activity.IN_A_MEETING)
AWAY = Presence(Availability.AWAY, Activity.OUT_OF_OFFICE)
IN_A_CALL = Presence(Availability.BUSY, Activity.IN_A_CALL)
DO_NOT_DISTURB = Presence(Availability.DO_NOT_DISTURB, Activity.DO_NOT_DISTURB)


def by_hand(
    until: float | None = None, ending: Ending | None = None, presence: Presence = DO_NOT_DISTURB
) -> SetPresence:
    return SetPresence(presence, "alice", until=None if until is None else at(until), ending=ending)


def call(source: str = "phone", strength: int | None = None) -> SetPresence:
    return SetPresence(IN_A_CALL, "exchange", source=source, strength=strength)


def the_claim(record: PresenceRecord) -> StandingClaim:
    (claim,) = record.knowledge.standing
    return claim


def ends_at(record: PresenceRecord) -> datetime | None:
    return the_claim(record).ends_at


def user(*meetings: tuple[float, float]) -> OneUser:
    made = OneUser()
    made.read(0, *(entry(*times, meeting=True) for times in meetings))
    return made


def test_by_hand_until_a_time_holds_through_meetings_and_ends_to_the_second() -> None:
    someone = user((30, 60), (90, 120))
    someone.ask(10, by_hand(until=100.5))
    assert (someone.presence, someone.record.until) == (DO_NOT_DISTURB, at(100.5))
    assert someone.run_until(120) == [(100.5, MEETING), (120, AVAILABLE)]


def test_by_hand_without_an_end_ends_at_the_next_boundary() -> None:
    someone = user((30, 60), (90, 120))
    someone.ask(10, by_hand())
    assert (the_claim(someone.record).ending, ends_at(someone.record)) == (Ending.BOUNDARY, at(30))
    someone.ask(40, by_hand())
    assert ends_at(someone.record) == at(60)


def test_by_hand_without_a_boundary_ends_after_eight_hours_or_as_the_profile_says() -> None:
    someone = user((9 * 60, 10 * 60))
    someone.ask(10, by_hand())
    assert ends_at(someone.record) == at(10 + 8 * 60)
    shorter = OneUser(replace(DEFAULT, longest_by_hand=timedelta(hours=1)))
    shorter.read(0)
    shorter.ask(10, by_hand())
    assert shorter.run_until(200) == [(70, AVAILABLE)]


def test_until_the_next_meeting_follows_it_when_it_moves() -> None:
    someone = user((30, 60))
    someone.ask(10, by_hand(ending=Ending.MEETING))
    assert ends_at(someone.record) == at(30)
    someone.read(15, entry(45, 75, meeting=True))
    assert (ends_at(someone.record), someone.record.until) == (at(45), at(45))
    someone.read(20, entry(25, 75, meeting=True))
    assert ends_at(someone.record) == at(25)
    someone.run_until(25)
    assert (someone.presence, [claim.source for claim in someone.record.knowledge.standing]) == (MEETING, ["by-hand"])


def test_until_the_next_meeting_passes_over_what_is_none_and_what_runs() -> None:
    someone = OneUser()
    someone.read(0, entry(-30, 90), entry(20, 30, meeting=False), entry(60, 80))
    someone.ask(5, by_hand(ending=Ending.MEETING))
    assert ends_at(someone.record) == at(60), "an entry that may be a meeting, where the rights don't tell"


def test_until_a_meeting_that_never_comes_is_a_day() -> None:
    someone = user()
    someone.ask(10, by_hand(ending=Ending.MEETING))
    assert ends_at(someone.record) == at(10) + LONGEST_UNTIL_MEETING


def test_a_time_bounds_also_what_waits_for_something_else() -> None:
    someone = user((30, 60))
    for ending in (Ending.MEETING, Ending.BOUNDARY):
        someone.ask(10, by_hand(until=20, ending=ending))
        assert ends_at(someone.record) == at(20)


def test_what_has_ended_does_not_begin_again_when_the_calendar_changes() -> None:
    someone = user((30, 60))
    someone.ask(10, by_hand())
    someone.run_until(30)
    someone.read(35)
    assert (someone.presence, someone.record.knowledge.standing) == (AVAILABLE, ())


@pytest.mark.parametrize("ending", [None, Ending.MEETING], ids=["next boundary", "next meeting"])
@pytest.mark.parametrize("meanwhile", [(7, 15), (7, 30)], ids=["is over", "runs"])
def test_a_meeting_that_is_put_where_it_has_been_shown_for_a_while_does_not_end_it(
    ending: Ending | None, meanwhile: tuple[float, float]
) -> None:
    someone = user((60, 90))
    someone.ask(5, by_hand(ending=ending))
    someone.read(20, entry(*meanwhile, meeting=True), entry(60, 90, meeting=True))
    ends = meanwhile[1] if ending is None and meanwhile[1] > 20 else 60
    assert (someone.presence, someone.record.since, ends_at(someone.record)) == (DO_NOT_DISTURB, at(5), at(ends))
    assert someone.run_until(60)[0] == (ends, AVAILABLE if ends == 30 else MEETING)


def test_a_new_claim_of_a_source_takes_the_place_of_the_old_one() -> None:
    someone = user()
    someone.ask(10, by_hand(until=60))
    someone.ask(20, by_hand(until=40, presence=AWAY))
    assert (someone.presence, ends_at(someone.record)) == (AWAY, at(40))
    assert someone.run_until(100) == [(40, AVAILABLE)]


def test_taken_back_ends_it_now_and_without_one_there_is_nothing_to_do() -> None:
    someone = user((0, 60))
    version = someone.record.version
    someone.ask(5, ClearPresence())
    assert someone.record.version == version
    someone.ask(10, by_hand(until=50))
    assert someone.ask(20, ClearPresence())
    assert (someone.presence, someone.record.knowledge.standing) == (MEETING, ())


def test_taking_back_one_source_leaves_the_others() -> None:
    someone = user()
    someone.ask(10, by_hand(until=50))
    someone.ask(11, call())
    someone.ask(12, ClearPresence())
    assert (someone.presence, someone.record.reason.source, someone.record.reason.rule) == (
        IN_A_CALL,
        "phone",
        "claimed-by-phone",
    )


def test_another_system_claims_above_busy_and_below_out_of_office() -> None:
    someone = OneUser()
    someone.read(0, entry(0, 60, meeting=True))
    someone.ask(10, call())
    assert (someone.presence, someone.record.until) == (IN_A_CALL, None)
    away = user((0, 60))
    away.read(5, entry(0, 60, BusyType.OUT_OF_OFFICE))
    away.ask(10, call())
    assert away.presence == AWAY


def test_a_claim_that_asks_for_no_strength_stays_above_busy_when_the_profile_changes() -> None:
    someone = user((0, 60))
    someone.ask(10, call())
    busy_first = (Kind.BY_HAND, Kind.BUSY, *(kind for kind in DEFAULT_ORDER[1:] if kind is not Kind.BUSY))
    someone.profile = replace(DEFAULT, order=busy_first)
    someone.read(20, entry(0, 60, meeting=True))
    assert someone.presence == IN_A_CALL


@pytest.mark.parametrize(("strength", "presence"), [(5, MEETING), (55, IN_A_CALL), (99, IN_A_CALL)])
def test_another_system_may_say_how_strong_it_is(strength: int, presence: Presence) -> None:
    someone = user((0, 60))
    someone.ask(10, call(strength=strength))
    assert someone.presence == presence


@pytest.mark.parametrize("order", [DEFAULT_ORDER, (*DEFAULT_ORDER[1:], Kind.BY_HAND)], ids=["first", "last"])
def test_no_other_system_goes_before_what_was_set_by_hand(order: tuple[Kind, ...]) -> None:
    someone = OneUser(replace(DEFAULT, order=order))
    someone.read(0)
    someone.ask(10, call(strength=99))
    someone.ask(11, by_hand(until=50))
    assert someone.presence == DO_NOT_DISTURB


def test_ten_systems_may_claim_something_and_an_eleventh_is_refused_and_no_hand() -> None:
    someone = user()
    for number in range(MOST_SOURCES):
        someone.ask(1 + number, call(f"system-{number}"))
    with pytest.raises(ConfigurationError, match="10 systems claim"):
        someone.ask(20, call("one-more"))
    someone.ask(21, call("system-3"))
    someone.ask(22, by_hand(until=60))
    assert someone.presence == DO_NOT_DISTURB
    someone.ask(23, ClearPresence("system-0"))
    someone.ask(24, call("one-more"))
    assert len(someone.record.knowledge.standing) == MOST_SOURCES + 1


def test_an_end_that_has_passed_is_refused() -> None:
    someone = user()
    with pytest.raises(ConfigurationError, match="2026-11-23T09:10:00Z has passed"):
        someone.ask(10, by_hand(until=10))


def test_who_set_it_is_kept() -> None:
    someone = user()
    someone.ask(10, by_hand(until=20))
    assert the_claim(someone.record).set_by == "alice"


def test_a_command_for_somebody_who_was_never_read_is_the_first_version() -> None:
    someone = OneUser()
    someone.ask(0, by_hand(until=30))
    assert (someone.record.version, someone.presence, someone.record.since) == (1, DO_NOT_DISTURB, at(0))
    assert someone.run_until(60) == [(30, UNKNOWN)]
    for command in (RemindOfMeetings(timedelta(minutes=5)), UseCalendar(CalendarUse(on=False)), ClearPresence()):
        stranger = OneUser()
        stranger.ask(0, command)
        assert (stranger.record.version, stranger.presence) == (1, UNKNOWN)


@pytest.mark.parametrize(
    "command",
    [
        UseCalendar(CalendarUse(), at(1)),
        RemindOfMeetings(None, at(1)),
        RemindOfMeetings(timedelta(minutes=5), at(1)),
        ClearPresence("phone", at(1)),
        SetPresence(IN_A_CALL, "exchange", "phone", asked_at=at(1)),
    ],
)
def test_a_command_that_comes_twice_writes_once(command: Command) -> None:
    someone = user((30, 60))
    assert someone.ask(1, command)
    assert not someone.ask(2, command)


def test_what_was_heard_is_forgotten_when_nothing_older_is_taken_any_more() -> None:
    someone = user((30, 60))
    for minute in range(60):
        someone.ask(minute, call(f"system-{minute % 8}"))
    assert {one.asked_at for one in someone.record.knowledge.heard} == {at(minute) for minute in range(53, 60)}


def test_no_sender_makes_a_record_grow_without_bound() -> None:
    someone = user()
    for second in range(MOST_HEARD + 5):
        someone.ask(1 + second / 60, ClearPresence(f"system-{second:02}"))
    heard = someone.record.knowledge.heard
    assert [one.subject for one in heard] == [f"system-{second:02}" for second in range(5, MOST_HEARD + 5)]


def test_a_claim_without_length_leaves_no_trace() -> None:
    someone = user((30, 60))
    someone.ask(10, by_hand(until=20))
    someone.ask(10, ClearPresence())
    assert [segment.presence for segment in someone.record.timeline] == [AVAILABLE, MEETING, AVAILABLE]
