"""What other systems say of a presence, the calendar's switch, and commands that come late, twice or wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from presence.calendar import BusyType
from presence.commanding import Commanded
from presence.errors import ConfigurationError, MalformedMessage
from presence.freshness import Freshness
from presence.messages import decode_check_request
from presence.records import Change
from presence.tables.presences import item_from_record
from tests.support.desk import BY_HAND, FREE, MEETING, SERVER_BUSY, Desk, at, desk, entry, seen


class TestOtherSystems:
    @pytest.mark.parametrize(
        ("strength", "shown"),
        [(None, "InACall by claimed-by-phone"), (51, "InACall by claimed-by-phone"), (49, MEETING), (3, MEETING)],
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

    @pytest.mark.parametrize("strength", [1, 2])
    def test_none_is_so_weak_that_it_says_nothing_where_nothing_is_known(self, strength: int) -> None:
        alice = Desk("12:00")
        with pytest.raises(MalformedMessage, match="strength: a whole number from 3 to 99"):
            alice.say("SetPresence", presence="Busy / InACall", source="phone", strength=strength)
        alice.say("SetPresence", presence="Busy / InACall", source="phone", strength=3)
        call = "InACall by claimed-by-phone"
        assert alice.shown == call, "nothing was read"
        alice.calendar = (entry("09:00", "36:00", BusyType.NO_DATA),)
        alice.check()
        assert alice.shown == call, "there is no data"
        alice.say("UseCalendar", on=True, pausedUntil="2026-11-23T13:00:00Z")
        assert alice.shown == call, "the calendar is paused"
        alice.say("UseCalendar", on=False)
        assert alice.shown == call, "the calendar is off"

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
        assert alice.record.reminders.reminded_of == (at("12:30"),)
        before = alice.record.version
        alice.say("UseCalendar", on=False)
        readings = alice.readings
        assert alice.check().dropped == 1, "a check that is asked for all the same"
        assert seen(alice, "12:30", "13:00", "20:00") == ["PresenceUnknown by calendar-off"] * 3
        assert alice.readings == readings
        assert (alice.record.version, alice.record.change) == (before + 1, Change.PRESENCE)
        assert (alice.record.reason.source, alice.record.freshness) == ("option", Freshness.CURRENT)
        item = {key: value for key, value in item_from_record(alice.record, 16).items() if value is not None}
        kept = {"entries", "horizon", "endpoint", "view", "workingHours", "replies", "repliesProblem"}
        kept |= {"readAt", "remindedOf", "note"}
        assert kept.isdisjoint(item)
        assert "12:30" not in str(item)

    def test_it_is_published_also_where_nothing_was_known_and_said_again_is_nothing_new(self) -> None:
        alice = Desk("12:00")
        alice.calendar = SERVER_BUSY
        alice.check()
        assert (alice.shown, alice.record.version) == ("PresenceUnknown by not-read", 1)
        alice.say("UseCalendar", on=False)
        assert (alice.shown, alice.record.version) == ("PresenceUnknown by calendar-off", 2)
        assert (alice.record.change, alice.record.since) == (Change.PRESENCE, at("12:00"))
        alice.go_on("12:10")
        alice.say("UseCalendar", on=False)
        assert (alice.shown, alice.record.version) == ("PresenceUnknown by calendar-off", 2)

    def test_it_is_published_also_where_exchange_had_no_data(self) -> None:
        alice = Desk("12:00", entry("09:00", "36:00", BusyType.NO_DATA))
        alice.check()
        assert (alice.shown, alice.record.freshness) == ("PresenceUnknown by no-data", Freshness.CURRENT)
        alice.say("UseCalendar", on=False)
        assert (alice.shown, alice.record.version) == ("PresenceUnknown by calendar-off", 2)

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
        assert (alice.record.knowledge.calendar, alice.record.read_at) == (None, None)

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

    def test_of_two_that_cross_the_schedule_follows_the_one_that_stands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        alice = desk("12:00")
        tell = alice.users.use_calendar

        def the_other_first(user_id: str, *, enabled: bool, paused_until: datetime | None) -> None:
            monkeypatch.setattr(alice.users, "use_calendar", tell)
            alice.say("UseCalendar", on=True)
            tell(user_id, enabled=enabled, paused_until=paused_until)

        monkeypatch.setattr(alice.users, "use_calendar", the_other_first)
        alice.say("UseCalendar", on=False)
        (scheduled,) = alice.users.every()
        assert (alice.record.knowledge.use.on, scheduled.enabled) == (True, True)


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
        assert alice.take(message).why == "this was heard before, or something newer since: that stays"
        assert alice.shown == "Busy by set-by-hand"

    def test_a_late_im_back_does_not_take_back_what_was_set_after_it(self) -> None:
        alice = desk("12:00")
        message = alice.message("ClearPresence")
        alice.now += timedelta(seconds=20)
        alice.say("SetPresence", presence="Away")
        alice.take(message)
        assert alice.shown == BY_HAND

    def test_what_was_taken_back_does_not_begin_again(self) -> None:
        alice = desk("12:00")
        message = alice.message("SetPresence", presence="Away", forMinutes=60)
        alice.take(message)
        alice.go_on("12:01")
        alice.say("ClearPresence")
        for time in ("12:02", "12:05"):
            alice.go_on(time)
            alice.take(message)
            assert alice.shown == FREE

    def test_an_im_back_that_comes_before_what_it_takes_back_takes_it_back(self) -> None:
        alice = desk("12:00")
        message = alice.message("SetPresence", presence="Busy / InACall", source="phone")
        alice.now += timedelta(seconds=20)
        alice.say("ClearPresence", source="phone")
        alice.take(message)
        assert alice.shown == FREE
        alice.say("SetPresence", presence="Away", requestedAt="2026-11-23T12:00:10Z")
        assert alice.shown == BY_HAND, "another source has been told nothing"

    def test_what_has_ended_does_not_begin_again_because_the_meeting_that_ended_it_was_moved(self) -> None:
        alice = desk("12:00", ("12:01", "13:00"))
        message = alice.message("SetPresence", presence="Away")
        alice.take(message)
        assert seen(alice, "12:02") == [MEETING]
        alice.calendar = ()
        alice.check()
        alice.take(message)
        assert alice.shown == FREE

    def test_what_comes_twice_ends_where_it_would_have_ended(self) -> None:
        alice = desk("12:00")
        message = alice.message("SetPresence", presence="Away")
        alice.take(message)
        alice.calendar = (entry("12:01", "12:02"), entry("14:00", "15:00"))
        alice.go_on("12:03")
        alice.check()
        alice.take(message)
        assert (alice.shown, alice.record.until) == (BY_HAND, at("14:00"))

    def test_what_was_replaced_does_not_come_back_when_what_replaced_it_has_ended(self) -> None:
        alice = desk("12:00")
        message = alice.message("SetPresence", presence="Away", forMinutes=60)
        alice.take(message)
        alice.go_on("12:01")
        alice.say("SetPresence", presence="Busy", forMinutes=1)
        alice.go_on("12:03")
        alice.take(message)
        assert alice.shown == FREE

    def test_a_pause_that_comes_twice_does_not_stop_a_calendar_that_is_on_again(self) -> None:
        alice = desk("12:00", ("11:00", "15:00"))
        pause = alice.message("UseCalendar", on=True, pausedUntil="2026-11-23T18:00:00Z")
        alice.take(pause)
        alice.go_on("12:01")
        alice.say("UseCalendar", on=True)
        alice.check()
        alice.go_on("12:03")
        alice.take(pause)
        (scheduled,) = alice.users.every()
        assert (alice.shown, alice.record.knowledge.use.paused_until, scheduled.paused_until) == (MEETING, None, None)

    def test_reminders_that_were_switched_off_stay_off(self) -> None:
        alice = desk("12:00", ("12:30", "13:00"))
        message = alice.message("RemindOfMeetings", minutesBefore=10)
        alice.take(message)
        alice.go_on("12:01")
        alice.say("RemindOfMeetings")
        alice.take(message)
        assert alice.record.reminders.before is None

    def test_a_call_that_begins_and_ends_within_what_a_clock_tells_has_ended(self) -> None:
        alice = desk("12:00")
        call = alice.message("SetPresence", presence="Busy / InACall", source="phone")
        alice.take(call)
        alice.say("ClearPresence", source="phone")
        assert alice.shown == FREE
        alice.take(call)
        assert alice.shown == FREE

    def test_of_two_at_the_same_instant_the_one_that_came_last_is_shown(self) -> None:
        alice = desk("12:00")
        alice.say("SetPresence", presence="Busy", forMinutes=10)
        alice.say("SetPresence", presence="Away", forMinutes=10)
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


def test_who_is_overtaken_by_the_same_command_answers_with_what_that_one_wrote() -> None:
    alice = desk("12:00")
    message = alice.message("SetPresence", presence="Away")
    write = alice.records.write

    def the_same_first(record: object) -> object:
        alice.records.write = write  # type: ignore[method-assign]
        alice.take(message)
        return write(record)  # type: ignore[arg-type]

    alice.records.write = the_same_first  # type: ignore[method-assign,assignment]
    done = alice.take(message)
    assert (done.record, done.why) == (alice.record, "nothing new")
    assert alice.shown == BY_HAND


def test_reminders_are_asked_for_and_taken_back() -> None:
    alice = desk("12:00", ("12:30", "13:00"))
    alice.say("RemindOfMeetings", minutesBefore=10)
    assert alice.record.next_at == at("12:20")
    alice.say("RemindOfMeetings")
    assert (alice.record.reminders.before, alice.record.next_at) == (None, at("12:30"))
