"""What is set by hand, in time: nothing fights it, it ends by itself, and then what stands is shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presence.calendar import BusyType, CalendarEntry
from presence.errors import Problem
from presence.mapping import Kind, Profile
from presence.profiles import CISCO_15, DEFAULT
from presence.records import Change
from tests.support.desk import BY_HAND, FREE, MEETING, SERVER_BUSY, Desk, at, desk, entry, seen


class TestByHand:
    def test_readings_and_transitions_in_between_leave_it_and_it_ends_to_the_second(self) -> None:
        alice = desk("12:00", ("12:10", "12:30"), ("12:40", "14:00"))
        done = alice.say("SetPresence", presence="Away", until="2026-11-23T12:45:30Z")
        assert (alice.shown, alice.record.until) == (BY_HAND, at("12:45:30"))
        assert seen(alice, "12:05", "12:10", "12:20", "12:40", "12:45:29.9") == [BY_HAND] * 5
        assert alice.record.version == done.record.version, "nothing of what went on beneath was published"
        assert seen(alice, "12:45:30") == [MEETING]
        assert (alice.record.changed_at, alice.record.since) == (at("12:45:30"), at("12:45:30"))

    def test_what_is_shown_afterwards_is_what_stands_then_and_not_what_stood_before(self) -> None:
        alice = desk("12:00", ("11:00", "12:20"))
        assert alice.shown == MEETING
        alice.say("SetPresence", presence="Away", until="2026-11-23T12:30:00Z")
        assert seen(alice, "12:29:59", "12:30") == [BY_HAND, FREE]

    def test_it_ends_also_when_nothing_runs_any_more_but_the_transitions(self) -> None:
        alice = desk("12:00")
        alice.say("SetPresence", presence="Away", forMinutes=45)
        alice.now = at("12:45")
        alice.apply_transitions()
        assert alice.shown == FREE

    def test_an_edit_of_the_calendar_leaves_it(self) -> None:
        alice = desk("12:00")
        alice.say("SetPresence", presence="Away", until="2026-11-23T13:00:00Z")
        alice.calendar = (entry("12:00", "18:00", BusyType.OUT_OF_OFFICE), entry("12:30", "12:45"))
        assert seen(alice, "12:05", "12:30", "12:45", "12:59:59") == [BY_HAND] * 4
        assert seen(alice, "13:00") == ["OutOfOffice by out-of-office"]

    def test_an_outage_leaves_it(self) -> None:
        alice = desk("12:00")
        alice.say("SetPresence", presence="Away", until="2026-11-24T12:00:00Z")
        alice.calendar = SERVER_BUSY
        assert seen(alice, "13:00", "24:30", "35:59:59") == [BY_HAND] * 3
        assert seen(alice, "36:00")[0].startswith("PresenceUnknown by ")

    def test_another_profile_leaves_it(self) -> None:
        alice = desk("12:00", ("11:00", "14:00"))
        alice.say("SetPresence", presence="Away", until="2026-11-23T13:00:00Z")
        alice.profile = replace(CISCO_15, name="default")
        assert seen(alice, "12:05", "12:59") == [BY_HAND] * 2
        assert seen(alice, "13:00") == ["InAMeeting by busy"]

    @pytest.mark.parametrize(
        ("order", "shown"),
        [
            (tuple(Kind), BY_HAND),
            (
                (Kind.OUT_OF_OFFICE, *(kind for kind in Kind if kind is not Kind.OUT_OF_OFFICE)),
                "OutOfOffice by out-of-office",
            ),
        ],
    )
    def test_it_goes_before_out_of_office_unless_the_profile_says_otherwise_also_when_it_says_so_later(
        self, order: tuple[Kind, ...], shown: str
    ) -> None:
        alice = Desk("12:00", entry("09:00", "18:00", BusyType.OUT_OF_OFFICE))
        alice.check()
        alice.say("SetPresence", presence="Away", until="2026-11-23T13:00:00Z")
        assert alice.shown == BY_HAND
        alice.profile = replace(DEFAULT, order=order)
        assert seen(alice, "12:05") == [shown]

    def test_a_hand_of_an_order_that_has_changed_is_as_strong_as_one_of_now(self) -> None:
        alice = Desk("12:00", entry("09:00", "18:00", BusyType.OUT_OF_OFFICE))
        alice.profile = replace(DEFAULT, order=tuple(reversed(Kind)))
        alice.check()
        alice.say("SetPresence", presence="Away", until="2026-11-23T13:00:00Z")
        assert alice.shown == "OutOfOffice by out-of-office"
        alice.profile = DEFAULT
        assert seen(alice, "12:05") == [BY_HAND]

    def test_a_length_of_time_is_not_cut_short_and_ends_on_a_whole_second(self) -> None:
        alice = desk("12:00:00.25")
        alice.say("SetPresence", presence="Away", forMinutes=30)
        assert alice.record.until == at("12:30:01")

    def test_another_one_takes_its_place(self) -> None:
        alice = desk("12:00")
        alice.say("SetPresence", presence="Away", until="2026-11-23T18:00:00Z")
        alice.go_on("12:10")
        alice.say("SetPresence", presence="DoNotDisturb", until="2026-11-23T13:00:00Z")
        assert alice.shown == "DoNotDisturb by set-by-hand"
        assert seen(alice, "13:00") == [FREE]

    def test_im_back_ends_it_early_and_what_is_shown_holds_from_then_on(self) -> None:
        alice = desk("09:00", ("11:30", "13:00"))
        alice.say("SetPresence", presence="Away", until="2026-11-23T18:00:00Z")
        alice.go_on("12:00")
        alice.say("ClearPresence")
        assert (alice.shown, alice.record.since) == (MEETING, at("12:00"))

    def test_im_back_shows_free_time_from_then_on_and_not_from_where_the_timeline_begins(self) -> None:
        alice = desk("09:00")
        alice.say("SetPresence", presence="Away", until="2026-11-23T18:00:00Z")
        alice.go_on("12:00")
        alice.say("ClearPresence")
        assert (alice.shown, alice.record.since) == (FREE, at("12:00"))

    def test_im_back_without_anything_to_take_back_changes_nothing(self) -> None:
        alice = desk("12:00")
        before = alice.record
        alice.say("ClearPresence")
        assert (alice.record.version, alice.shown, alice.record.since) == (before.version, FREE, before.since)

    def test_somebody_whose_calendar_was_never_read_can_be_set_and_is_unknown_afterwards(self) -> None:
        alice = Desk("12:00")
        done = alice.say("SetPresence", presence="Away", forMinutes=10)
        assert (alice.shown, done.record.version) == (BY_HAND, 1)
        alice.now = at("12:10")
        alice.apply_transitions()
        assert alice.shown == "PresenceUnknown by not-read"


class TestNextBoundary:
    def test_in_free_time_it_ends_where_the_next_meeting_begins(self) -> None:
        alice = desk("12:00", ("13:00", "14:00"))
        alice.say("SetPresence", presence="Away")
        assert alice.record.until == at("13:00")
        assert seen(alice, "12:59:59", "13:00", "14:00") == [BY_HAND, MEETING, FREE]

    def test_in_a_meeting_it_ends_where_the_meeting_does(self) -> None:
        alice = desk("12:00", ("11:00", "12:30"))
        alice.say("SetPresence", presence="Available")
        assert seen(alice, "12:29:59", "12:30") == ["Available by set-by-hand", FREE]

    def test_where_it_begins_is_no_boundary_that_ends_it(self) -> None:
        alice = desk("12:00", ("12:00", "12:30"))
        alice.say("SetPresence", presence="Away")
        assert (alice.shown, alice.record.until) == (BY_HAND, at("12:30"))

    def test_between_two_meetings_that_show_the_same_is_no_boundary(self) -> None:
        alice = desk("12:00", ("11:00", "12:30"), ("12:30", "13:00"))
        alice.say("SetPresence", presence="Available")
        assert seen(alice, "12:30", "12:59", "13:00") == ["Available by set-by-hand"] * 2 + [FREE]

    def test_where_the_day_has_none_it_ends_after_eight_hours_or_what_the_profile_says(self) -> None:
        alice, bob = desk("08:00"), desk("08:00")
        bob.profile = replace(DEFAULT, longest_by_hand=timedelta(minutes=30))
        for one in (alice, bob):
            one.say("SetPresence", presence="Away")
        assert (alice.record.until, bob.record.until) == (at("16:00"), at("08:30"))
        assert seen(alice, "15:59:59", "16:00") == [BY_HAND, FREE]

    def test_it_follows_a_meeting_that_is_moved_put_in_or_cancelled(self) -> None:
        alice = desk("12:00", ("13:00", "14:00"))
        alice.say("SetPresence", presence="Away")
        alice.calendar = (entry("13:30", "14:30"),)
        assert (seen(alice, "12:05"), alice.record.until) == ([BY_HAND], at("13:30"))
        alice.calendar = (entry("12:20", "12:25"), entry("13:30", "14:30"))
        assert (seen(alice, "12:10"), alice.record.until) == ([BY_HAND], at("12:20"))
        alice.calendar = ()
        assert (seen(alice, "12:15"), alice.record.until) == ([BY_HAND], at("20:00"))

    def test_what_has_ended_does_not_begin_again_when_the_meeting_that_ended_it_is_cancelled(self) -> None:
        alice = desk("12:00", ("12:20", "14:00"))
        alice.say("SetPresence", presence="Away")
        assert seen(alice, "12:20") == [MEETING]
        alice.calendar = ()
        assert seen(alice, "12:25", "12:30") == [FREE, FREE]


class TestNextMeeting:
    def test_it_is_not_the_running_one_and_no_appointment(self) -> None:
        alice = Desk("12:00", entry("11:00", "12:30"), entry("12:40", "12:50", meeting=False), entry("13:00", "14:00"))
        alice.check()
        alice.say("SetPresence", presence="Away", ending="meeting")
        assert seen(alice, "12:30", "12:45", "12:59:59", "13:00") == [BY_HAND] * 3 + [MEETING]

    @pytest.mark.parametrize(
        ("edited", "end"),
        [
            ([("12:30", "13:00")], "12:30"),
            ([("15:00", "16:00")], "15:00"),
            ([("14:00", "15:00")], "14:00"),
            ([], "36:00"),
        ],
        ids=["moved earlier", "moved later", "cancelled, another comes", "cancelled, none comes"],
    )
    def test_it_follows_the_meeting(self, edited: list[tuple[str, str]], end: str) -> None:
        alice = desk("12:00", ("13:00", "13:30"), ("14:00", "15:00"))
        alice.say("SetPresence", presence="Away", ending="meeting")
        assert alice.record.until == at("13:00")
        alice.calendar = tuple(entry(*times) for times in edited)
        assert (seen(alice, "12:05"), alice.record.until) == ([BY_HAND], at(end))

    def test_an_end_of_its_own_comes_first(self) -> None:
        alice = desk("12:00", ("14:00", "15:00"))
        alice.say("SetPresence", presence="Away", ending="meeting", until="2026-11-23T13:00:00Z")
        assert alice.record.until == at("13:00")

    def test_a_meeting_known_from_an_earlier_reading_counts_where_exchange_has_no_data(self) -> None:
        alice = desk("12:00", ("13:00", "14:00"))
        alice.say("SetPresence", presence="Away", ending="meeting")
        alice.calendar = (entry("12:00", "36:00", BusyType.NO_DATA),)
        assert seen(alice, "12:10", "12:59:59", "13:00") == [BY_HAND, BY_HAND, "Busy by last-known"]

    def test_a_meeting_that_runs_is_none_because_the_data_ends_in_it(self) -> None:
        alice = desk("12:00", ("11:30", "15:00"))
        alice.say("SetPresence", presence="Away", ending="meeting")
        alice.calendar = (entry("12:10", "36:00", BusyType.NO_DATA),)
        assert seen(alice, "12:15", "14:00") == [BY_HAND] * 2


class TestSince:
    def test_what_a_reading_finds_after_hours_without_one_is_shown_from_the_reading_on(self) -> None:
        alice = desk("08:00")
        alice.say("UseCalendar", on=False)
        alice.go_on("12:00")
        alice.say("UseCalendar", on=True)
        alice.check()
        assert (alice.shown, alice.record.since) == (FREE, at("12:00"))


_MINUTES = st.integers(-60, 240)
_ENTRIES = st.lists(
    st.builds(
        lambda start, length, status: CalendarEntry(
            at("12:00") + timedelta(minutes=start), at("12:00") + timedelta(minutes=start + length), status
        ),
        _MINUTES,
        st.integers(0, 240),
        st.sampled_from(BusyType),
    ),
    max_size=4,
).map(tuple)
_PROFILES = st.sampled_from([DEFAULT, replace(CISCO_15, name="default"), replace(DEFAULT, all_day_busy=False)])


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(_ENTRIES | st.just(SERVER_BUSY), _PROFILES), min_size=1, max_size=5),
    st.integers(1, 180),
    st.sampled_from([None, "phone"]),
)
def test_whatever_happens_meanwhile_it_is_shown_until_its_end_and_no_longer(
    days: list[tuple[tuple[CalendarEntry, ...] | Problem, Profile]], minutes: int, other: str | None
) -> None:
    alice = desk("12:00")
    version = alice.say("SetPresence", presence="Away", forMinutes=minutes).record.version
    if other is not None:
        alice.say("SetPresence", presence="Busy / InACall", source=other, strength=99)
    end = at("12:00") + timedelta(minutes=minutes)
    while alice.now < end - timedelta(seconds=1):
        alice.calendar, alice.profile = days[alice.readings % len(days)]
        alice.go_on_to(min(alice.now + timedelta(minutes=7), end - timedelta(seconds=1)))
        assert (alice.shown, alice.record.until) == (BY_HAND, end)
        assert alice.record.version == version or alice.record.change is not Change.PRESENCE
    alice.go_on_to(end)
    assert alice.record.reason.rule != "set-by-hand"
