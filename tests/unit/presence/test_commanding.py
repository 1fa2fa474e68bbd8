"""What people and other systems say of a presence, in time: through commands, checks and transitions together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from presence.calendar import BusyType
from presence.commanding import Commanded
from presence.errors import ConfigurationError, MalformedMessage, Problem, ProblemKind
from presence.freshness import Freshness
from presence.mapping import Kind
from presence.messages import decode_check_request
from presence.profiles import CISCO_15, DEFAULT
from presence.records import Change
from presence.tables.presences import item_from_record
from tests.support.desk import Desk, at, entry

BY_HAND = "Away by set-by-hand"
MEETING = "Busy by busy"
FREE = "Available by no-claim"
SERVER_BUSY = Problem("ErrorServerBusy", ProblemKind.PASSING, "the server is busy", "wait")


def desk(now: str, *entries: tuple[str, str]) -> Desk:
    """Return a desk whose calendar was just read."""
    made = Desk(now, *(entry(*times) for times in entries))
    made.check()
    return made


def seen(desk: Desk, *times: str) -> list[str]:
    """Return what is shown at each of the times, on the way."""
    shown = []
    for time in times:
        desk.go_on(time)
        shown.append(desk.shown)
    return shown


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

    def test_another_one_takes_its_place(self) -> None:
        alice = desk("12:00")
        alice.say("SetPresence", presence="Away", until="2026-11-23T18:00:00Z")
        alice.go_on("12:10")
        alice.say("SetPresence", presence="DoNotDisturb", until="2026-11-23T13:00:00Z")
        assert alice.shown == "DoNotDisturb by set-by-hand"
        assert seen(alice, "13:00") == [FREE]

    def test_im_back_ends_it_early_and_what_is_shown_holds_from_then_on(self) -> None:
        alice = desk("09:00", ("10:30", "13:00"))
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

    def test_im_back_without_anything_to_take_back_writes_nothing(self) -> None:
        alice = desk("12:00")
        writes = alice.records.writes
        alice.say("ClearPresence")
        assert alice.records.writes == writes

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


class TestOtherSystems:
    @pytest.mark.parametrize(
        ("strength", "shown"),
        [(None, "InACall by claimed-by-phone"), (51, "InACall by claimed-by-phone"), (49, MEETING), (1, MEETING)],
    )
    def test_the_stronger_of_call_and_meeting_is_shown(self, strength: int | None, shown: str) -> None:
        alice = desk("12:00", ("11:00", "13:00"))
        alice.say("SetPresence", presence="Busy / InACall", source="phone", strength=strength)
        assert alice.shown == shown
        assert alice.record.timeline[0].beaten == (("busy",) if shown != MEETING else ("claimed-by-phone",))

    def test_a_weak_claim_is_shown_where_nothing_stronger_is(self) -> None:
        alice = desk("12:00", ("12:30", "13:00"))
        alice.say("SetPresence", presence="Available / WorkingElsewhere", source="desktop", strength=5)
        shown = "WorkingElsewhere by claimed-by-desktop"
        assert [alice.shown, *seen(alice, "12:30", "13:00")] == [shown, MEETING, shown]

    def test_a_call_does_not_go_before_out_of_office_unless_it_is_stronger(self) -> None:
        alice = Desk("12:00", entry("11:00", "13:00", BusyType.OUT_OF_OFFICE))
        alice.check()
        alice.say("SetPresence", presence="Busy / InACall", source="phone")
        assert alice.shown == "OutOfOffice by out-of-office"
        alice.say("SetPresence", presence="Busy / InACall", source="phone", strength=61)
        assert alice.shown == "InACall by claimed-by-phone"

    def test_no_system_goes_before_a_hand_however_strong(self) -> None:
        alice = desk("12:00")
        alice.say("SetPresence", presence="Away", until="2026-11-23T13:00:00Z")
        alice.say("SetPresence", presence="Busy / InACall", source="phone", strength=99)
        assert [alice.shown, *seen(alice, "12:59", "13:00")] == [BY_HAND, BY_HAND, "InACall by claimed-by-phone"]

    def test_a_claim_without_an_end_stands_through_boundaries_until_it_is_taken_back(self) -> None:
        alice = desk("12:00", ("12:30", "13:00"))
        alice.say("SetPresence", presence="Busy / InACall", source="phone")
        assert seen(alice, "12:30", "13:30", "30:00") == ["InACall by claimed-by-phone"] * 3
        alice.say("ClearPresence", source="desktop")
        assert alice.shown == "InACall by claimed-by-phone"
        alice.say("ClearPresence", source="phone")
        assert alice.shown == FREE

    def test_an_eleventh_system_is_refused_and_a_hand_is_not(self) -> None:
        alice = desk("12:00")
        for number in range(10):
            alice.say("SetPresence", presence="Away", source=f"system-{number}")
        with pytest.raises(ConfigurationError, match="10 systems") as refused:
            alice.say("SetPresence", presence="Away", source="system-10")
        assert "@" not in str(refused.value), "it is logged"
        assert alice.say("SetPresence", presence="Busy").record.reason.rule == "set-by-hand"
        assert alice.say("SetPresence", presence="Busy", source="system-9").record.revision


class TestCalendarOff:
    def test_no_calendar_is_read_nothing_of_it_stays_and_that_is_published_once(self) -> None:
        alice = desk("12:00", ("12:30", "13:00"))
        alice.say("RemindOfMeetings", minutesBefore=30)
        assert alice.record.reminders.reminded_of == at("12:30")
        before = alice.record.version
        alice.say("UseCalendar", on=False)
        readings = alice.readings
        assert alice.check().dropped == 1, "a check that is asked for all the same"
        assert seen(alice, "12:30", "13:00", "20:00") == ["PresenceUnknown by calendar-off"] * 3
        assert alice.readings == readings
        assert (alice.record.version, alice.record.change) == (before + 1, Change.PRESENCE)
        assert (alice.record.reason.source, alice.record.freshness) == ("option", Freshness.CURRENT)
        item = {key: value for key, value in item_from_record(alice.record, 16).items() if value is not None}
        kept = {"entries", "horizon", "endpoint", "view", "workingHours", "replies", "readAt", "remindedOf", "note"}
        assert kept.isdisjoint(item)
        assert "12:30" not in str(item)

    def test_it_is_published_also_where_nothing_was_known_and_said_again_is_nothing_new(self) -> None:
        alice = Desk("12:00")
        alice.calendar = SERVER_BUSY
        alice.check()
        assert (alice.shown, alice.record.version) == ("PresenceUnknown by not-read", 1)
        alice.say("UseCalendar", on=False)
        assert (alice.shown, alice.record.version) == ("PresenceUnknown by calendar-off", 2)
        writes = alice.records.writes
        alice.go_on("12:10")
        alice.say("UseCalendar", on=False)
        assert alice.records.writes == writes

    def test_what_is_set_by_hand_and_calls_are_shown_as_ever(self) -> None:
        alice = desk("12:00", ("11:00", "15:00"))
        alice.say("UseCalendar", on=False)
        alice.say("SetPresence", presence="Away", until="2026-11-23T13:00:00Z")
        assert [alice.shown, *seen(alice, "13:00")] == [BY_HAND, "PresenceUnknown by calendar-off"]

    def test_on_again_a_check_is_queued_at_once_and_shows_the_calendar(self) -> None:
        alice = desk("12:00", ("11:00", "15:00"))
        alice.say("UseCalendar", on=False)
        alice.go_on("12:07")
        assert alice.checks.messages == []
        alice.say("UseCalendar", on=True)
        assert alice.shown == "PresenceUnknown by not-read", "never Available before it is read"
        (queued,) = alice.checks.take()
        request = decode_check_request(queued.body)
        assert (request.requested_at, request.users, queued.delay) == (at("12:07"), (alice.alice,), 0)
        alice.check()
        assert (alice.shown, alice.record.since) == (MEETING, at("12:07"))

    def test_a_pause_ends_by_itself_and_the_next_check_reads(self) -> None:
        alice = desk("12:00", ("11:00", "15:00"))
        alice.say("UseCalendar", on=True, pausedUntil="2026-11-23T12:31:00Z")
        readings = alice.readings
        assert alice.checks.messages == []
        paused = "PresenceUnknown by calendar-paused"
        assert [alice.shown, *seen(alice, "12:05", "12:30:59")] == [paused] * 3
        assert alice.readings == readings
        assert seen(alice, "12:35") == [MEETING]

    def test_a_reading_under_way_when_it_is_switched_off_is_not_shown(self) -> None:
        alice = desk("12:00")
        alice.calendar = (entry("11:00", "15:00"),)
        alice.while_reading = lambda: alice.say("UseCalendar", on=False)
        alice.check()
        assert alice.shown == "PresenceUnknown by calendar-off"
        assert alice.record.knowledge.calendar is None

    def test_a_check_that_fails_meanwhile_leaves_no_problem(self) -> None:
        alice = desk("12:00")
        alice.calendar = SERVER_BUSY
        alice.while_reading = lambda: alice.say("UseCalendar", on=False)
        alice.check()
        assert (alice.record.problem, alice.record.failing_since) == (None, None)

    def test_a_crash_before_the_schedule_was_told_is_healed_by_saying_it_again(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alice = desk("12:00")

        def crash(*_: object, **__: object) -> None:
            raise TimeoutError

        for on in (False, True):
            with monkeypatch.context() as broken:
                broken.setattr(alice.users, "use_calendar", crash)
                with pytest.raises(TimeoutError):
                    alice.say("UseCalendar", on=on)
            (scheduled,) = alice.users.every()
            assert (alice.record.knowledge.use.on, scheduled.enabled) == (on, not on)
            alice.say("UseCalendar", on=on)
            (scheduled,) = alice.users.every()
            assert (alice.record.knowledge.use.on, scheduled.enabled) == (on, on)
        assert len(alice.checks.messages) == 1


class TestLateOrTwice:
    def test_a_duplicate_at_once_writes_nothing(self) -> None:
        alice = desk("12:00")
        message = alice.message("SetPresence", presence="Away", forMinutes=30)
        alice.take(message)
        writes = alice.records.writes
        alice.now += timedelta(seconds=40)
        assert alice.take(message).record.until == at("12:30")
        assert alice.records.writes == writes

    def test_a_duplicate_does_not_begin_again_what_the_next_meeting_has_ended(self) -> None:
        alice = desk("12:00", ("12:01", "13:00"))
        message = alice.message("SetPresence", presence="Away", ending="meeting")
        alice.take(message)
        assert seen(alice, "12:02") == [MEETING]
        alice.take(message)
        assert alice.shown == MEETING

    @pytest.mark.parametrize("late", [{"presence": "Away"}, {"presence": "Away", "until": "2026-11-23T18:00:00Z"}])
    def test_what_was_said_before_does_not_take_the_place_of_what_was_said_after(self, late: dict[str, object]) -> None:
        alice = desk("12:00")
        message = alice.message("SetPresence", **late)
        alice.now += timedelta(seconds=20)
        alice.say("SetPresence", presence="Busy", until="2026-11-23T13:00:00Z")
        assert alice.take(message).record.reason.rule == "set-by-hand"
        assert alice.shown == "Busy by set-by-hand"

    def test_a_late_im_back_does_not_take_back_what_was_set_after_it(self) -> None:
        alice = desk("12:00")
        message = alice.message("ClearPresence")
        alice.now += timedelta(seconds=20)
        alice.say("SetPresence", presence="Away")
        alice.take(message)
        assert alice.shown == BY_HAND

    def test_what_comes_later_than_five_minutes_is_refused(self) -> None:
        alice = desk("12:00")
        message = alice.message("SetPresence", presence="Away")
        alice.now += timedelta(minutes=5)
        alice.take(message)
        alice.now += timedelta(seconds=1)
        with pytest.raises(MalformedMessage, match="requestedAt: more than 5 minutes ago"):
            alice.take(message)

    def test_a_sender_whose_clock_is_fast_says_it_now(self) -> None:
        alice = desk("12:00")
        alice.say("SetPresence", presence="Away", requestedAt="2026-11-23T12:03:00Z", forMinutes=10)
        assert (alice.shown, alice.record.since, alice.record.until) == (BY_HAND, at("12:00"), at("12:10"))


class TestRefused:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"address": "bob@example.org"},
            {"until": "2026-11-23T12:00:00Z"},
            {"presence": "Asleep"},
            {"source": "calendar"},
            {"source": "phone", "strength": 100},
            {"until": "2026-11-23T13:00:00Z", "forMinutes": 10},
        ],
    )
    def test_nothing_is_written_and_no_address_told(self, wrong: dict[str, object]) -> None:
        alice = desk("12:00")
        writes = alice.records.writes
        with pytest.raises((MalformedMessage, ConfigurationError)) as refused:
            alice.say("SetPresence", **{"presence": "Away", **wrong})
        assert "@" not in str(refused.value)
        assert (alice.records.writes, alice.shown) == (writes, FREE)


def test_who_loses_a_race_decides_again_and_answers_with_what_stands() -> None:
    alice = desk("12:00", ("12:30", "13:00"))
    write = alice.records.write

    def somebody_else_first(record: object) -> object:
        alice.records.write = write  # type: ignore[method-assign]
        alice.calendar = ()
        alice.check()
        return write(record)  # type: ignore[arg-type]

    alice.records.write = somebody_else_first  # type: ignore[method-assign,assignment]
    done: Commanded = alice.say("SetPresence", presence="Away")
    assert (done.record, done.record.until) == (alice.record, at("20:00"))


def test_reminders_are_asked_for_and_taken_back() -> None:
    alice = desk("12:00", ("12:30", "13:00"))
    alice.say("RemindOfMeetings", minutesBefore=10)
    assert alice.record.next_at == at("12:20")
    alice.say("RemindOfMeetings")
    assert (alice.record.reminders.before, alice.record.next_at) == (None, at("12:30"))
