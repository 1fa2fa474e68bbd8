from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchange.ews.availability import Availability, parse_availability
from presence.calendar import BusyType, CalendarEntry, Window
from presence.errors import Problem, ProblemKind
from tests.unit.exchange.hosts import availability, failed_mailbox, free_busy_response, mailbox_answer

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
HOST = "mail.example.com"
WINDOW = Window(datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 22, tzinfo=UTC))
BUSY = ("2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z", "Busy")
GOOD = mailbox_answer([BUSY])


def at(hour: float) -> datetime:
    return WINDOW.start + timedelta(hours=hour)


def read(response: str) -> Availability | Problem:
    """Read an answer about three mailboxes; the neighbours of the one looked at must be unharmed."""
    first, result, last = parse_availability(availability(GOOD, response, GOOD), [ALICE, BOB, CAROL], WINDOW, HOST)
    assert first == last == Availability((CalendarEntry(at(9), at(10), BusyType.BUSY),), "FreeBusy")
    return result


def entries(response: str) -> tuple[CalendarEntry, ...]:
    result = read(response)
    assert isinstance(result, Availability), result
    return result.entries


def event(inside: str) -> str:
    return free_busy_response(
        "<t:FreeBusyViewType>Detailed</t:FreeBusyViewType>"
        f"<t:CalendarEventArray><t:CalendarEvent>{inside}</t:CalendarEvent></t:CalendarEventArray>"
    )


START, END = "<t:StartTime>2026-11-21T09:00:00Z</t:StartTime>", "<t:EndTime>2026-11-21T10:00:00Z</t:EndTime>"


def test_each_status_is_read_as_itself() -> None:
    for busy_type in BusyType:
        (entry,) = entries(mailbox_answer([(BUSY[0], BUSY[1], str(busy_type))]))
        assert entry.busy_type is busy_type


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z"),
        ("2026-11-21T10:00:00+01:00", "2026-11-21T11:00:00+01:00"),
        ("2026-11-20T23:15:00-09:45", "2026-11-21T00:15:00-09:45"),
        ("2026-11-21T09:00:00.0000000Z", "2026-11-21T10:00:00.000Z"),
    ],
)
def test_a_time_with_any_offset_is_the_same_instant(start: str, end: str) -> None:
    assert entries(mailbox_answer([(start, end, "Busy")])) == (CalendarEntry(at(9), at(10), BusyType.BUSY),)


def test_details_are_read_and_subject_and_location_go_no_further() -> None:
    details = (
        "<t:CalendarEventDetails><t:ID>x</t:ID><t:Subject>Takeover</t:Subject><t:Location>Room 7</t:Location>"
        "<t:IsMeeting>true</t:IsMeeting><t:IsRecurring>0</t:IsRecurring><t:IsException>false</t:IsException>"
        "<t:IsReminderSet>true</t:IsReminderSet><t:IsPrivate>1</t:IsPrivate></t:CalendarEventDetails>"
    )

    result = read(event(f"{START}{END}<t:BusyType>Busy</t:BusyType>{details}"))

    expected = CalendarEntry(at(9), at(10), BusyType.BUSY, is_meeting=True, is_recurring=False, is_private=True)
    assert result == Availability((expected,), "Detailed")
    assert "Takeover" not in repr(result)
    assert "Room 7" not in repr(result)


def test_an_entry_that_reaches_over_the_window_keeps_its_true_start_and_end() -> None:
    long = ("2026-11-19T00:00:00Z", "2026-11-25T00:00:00Z", "OOF")

    assert entries(mailbox_answer([long])) == (CalendarEntry(at(-48), at(96), BusyType.OUT_OF_OFFICE),)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-20T22:00:00Z", "2026-11-21T00:00:00Z"),
        ("2026-11-22T00:00:00Z", "2026-11-22T01:00:00Z"),
        ("2026-11-21T09:00:00Z", "2026-11-21T09:00:00Z"),
    ],
)
def test_an_entry_that_claims_no_time_of_the_window_is_dropped(start: str, end: str) -> None:
    assert entries(mailbox_answer([(start, end, "Busy")])) == ()


def test_an_empty_array_of_entries_is_an_empty_calendar() -> None:
    view = "<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray/>"

    assert entries(free_busy_response(view)) == ()


@pytest.mark.parametrize(
    ("response", "what"),
    [
        (event(f"{START}{END}"), "CalendarEvent 1 has no BusyType"),
        (event(f"{START}{END}<t:BusyType/>"), "CalendarEvent 1: BusyType is unknown"),
        (event(f"{START}{END}<t:BusyType>Napping</t:BusyType>"), "CalendarEvent 1: BusyType is unknown"),
        (event(f"{END}<t:BusyType>Busy</t:BusyType>"), "CalendarEvent 1 has no StartTime"),
        (event(f"{START}<t:BusyType>Busy</t:BusyType>"), "CalendarEvent 1 has no EndTime"),
        (
            mailbox_answer([BUSY, ("2026-11-21T09:00:00", "2026-11-21T10:00:00Z", "Busy")]),
            "CalendarEvent 2: StartTime '2026-11-21T09:00:00' has no time zone",
        ),
        (
            mailbox_answer([("2026-11-21T09:00:00Z", "2026-11-21T10:00:00.123", "Busy")]),
            "CalendarEvent 1: EndTime '2026-11-21T10:00:00.123' has no time zone",
        ),
        (
            mailbox_answer([("2026-11-21T10:00:00Z", "2026-11-21T09:59:59Z", "Busy")]),
            "CalendarEvent 1: EndTime lies before StartTime",
        ),
        (
            mailbox_answer([("2026-13-21T10:00:00Z", "2026-11-21T09:59:59Z", "Busy")]),
            "CalendarEvent 1: StartTime '2026-13-21T10:00:00Z' is no date and time",
        ),
        (mailbox_answer([("20261121T10Z", BUSY[1], "Busy")]), "StartTime '20261121T10Z' is no date and time"),
        (mailbox_answer([("", BUSY[1], "Busy")]), "CalendarEvent 1: StartTime is no date and time"),
        (mailbox_answer([("Takeover", BUSY[1], "Busy")]), "CalendarEvent 1: StartTime is no date and time"),
        (
            event(
                f"{START}{END}<t:BusyType>Busy</t:BusyType>"
                "<t:CalendarEventDetails><t:IsMeeting>perhaps</t:IsMeeting></t:CalendarEventDetails>"
            ),
            "CalendarEvent 1: IsMeeting is neither true nor false",
        ),
        (
            free_busy_response(
                "<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray><t:Note/></t:CalendarEventArray>"
            ),
            "element 1 of CalendarEventArray is no CalendarEvent",
        ),
        (free_busy_response("<t:CalendarEventArray/>"), "FreeBusyView has no FreeBusyViewType"),
        (free_busy_response("<t:FreeBusyViewType>Else</t:FreeBusyViewType>"), "FreeBusyViewType is unknown"),
        (
            free_busy_response("<t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType>"),
            "FreeBusyView has neither CalendarEventArray nor MergedFreeBusy",
        ),
        ("<m:FreeBusyResponse/>", "FreeBusyResponse has no ResponseMessage"),
        (
            '<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Success"/></m:FreeBusyResponse>',
            "ResponseMessage has no ResponseCode",
        ),
        (failed_mailbox("NoError"), "ResponseMessage has the code NoError and is no success"),
        (GOOD.partition("<m:FreeBusyView>")[0] + "</m:FreeBusyResponse>", "FreeBusyResponse has no FreeBusyView"),
    ],
    ids=lambda value: "" if value.startswith("<") else value,
)
def test_what_is_wrong_with_one_mailbox_is_named_and_costs_only_that_one(response: str, what: str) -> None:
    problem = read(response)

    assert isinstance(problem, Problem)
    assert (problem.code, problem.kind) == ("MalformedCalendar", ProblemKind.LASTING)
    assert what in problem.text
    assert BOB in problem.text
    assert "Takeover" not in problem.text


@pytest.mark.parametrize("view", ["None", "MergedOnly"])
def test_a_view_without_entries_is_no_empty_calendar(view: str) -> None:
    problem = read(free_busy_response(f"<t:FreeBusyViewType>{view}</t:FreeBusyViewType>"))

    assert isinstance(problem, Problem)
    assert problem.code == "NoCalendarEntries"
    assert view in problem.text


def merged(digits: str, array: str = "") -> str:
    return free_busy_response(
        f"<t:FreeBusyViewType>FreeBusyMerged</t:FreeBusyViewType><t:MergedFreeBusy>{digits}</t:MergedFreeBusy>{array}"
    )


def test_a_missing_array_is_an_empty_calendar_where_the_merged_string_says_so() -> None:
    assert entries(merged("0" * 48)) == ()


@pytest.mark.parametrize("digits", ["0" * 47, "0" * 47 + "2", "0" * 47 + "x", "2" * 48])
def test_a_missing_array_is_no_empty_calendar_where_it_does_not(digits: str) -> None:
    assert isinstance(read(merged(digits)), Problem)


def test_a_merged_string_that_shows_times_of_which_there_is_no_entry_is_a_contradiction() -> None:
    problem = read(merged("0" * 20 + "22" + "0" * 26, "<t:CalendarEventArray/>"))

    assert isinstance(problem, Problem)
    assert "MergedFreeBusy shows times of which CalendarEventArray has no entry" in problem.text


FREE = (
    f"<t:CalendarEventArray><t:CalendarEvent>{START}{END}<t:BusyType>Free</t:BusyType></t:CalendarEvent>"
    "</t:CalendarEventArray>"
)


@pytest.mark.parametrize(
    ("digits", "array", "what"),
    [
        ("0" * 18 + "2200" + "22" + "0" * 24, FREE, "shows times of which CalendarEventArray has no entry"),
        ("0" * 18 + "22" + "0" * 8 + "22" + "0" * 18, "{GOOD}", "shows times of which CalendarEventArray has no entry"),
        ("0" * 8, "<t:CalendarEventArray/>", "does not cover the time asked for"),
        ("0" * 18 + "22", "{GOOD}", "does not cover the time asked for"),
        ("", "<t:CalendarEventArray/>", "CalendarEventArray is empty, and MergedFreeBusy is missing"),
    ],
)
def test_an_answer_from_which_entries_were_lost_is_no_free_time(digits: str, array: str, what: str) -> None:
    problem = read(merged(digits, array.replace("{GOOD}", FREE.replace("Free<", "Busy<"))))

    assert isinstance(problem, Problem)
    assert what in problem.text


def test_a_merged_string_may_count_from_another_minute_than_was_asked_from() -> None:
    busy = FREE.replace("Free<", "Busy<")

    for digits in ("0" * 18 + "22" + "0" * 28, "0" * 17 + "22" + "0" * 28, "0" * 19 + "22" + "0" * 27, "0" * 50):
        assert entries(merged(digits, busy)) == (CalendarEntry(at(9), at(10), BusyType.BUSY),)


def test_a_merged_string_without_end_costs_no_time() -> None:
    found = entries(merged("4" * 3_000_000, "<t:CalendarEventArray/>"))

    assert found == (CalendarEntry(at(0), at(24), BusyType.NO_DATA),)


DETAILED = "<t:FreeBusyViewType>Detailed</t:FreeBusyViewType>"


@pytest.mark.parametrize(
    ("response", "what"),
    [
        (
            free_busy_response(f"{DETAILED}<t:CalendarEventArray/>{FREE}"),
            "FreeBusyView has CalendarEventArray 2 times",
        ),
        (free_busy_response(f"{DETAILED}{DETAILED}{FREE}"), "FreeBusyView has FreeBusyViewType 2 times"),
        (
            event(f"{START}{END}<t:BusyType>Free</t:BusyType><t:BusyType>Busy</t:BusyType>"),
            "CalendarEvent 1 has BusyType 2 times",
        ),
        (event(f"{START}{START}{END}<t:BusyType>Busy</t:BusyType>"), "CalendarEvent 1 has StartTime 2 times"),
        (event(f"{START}{END}{END}<t:BusyType>Busy</t:BusyType>"), "CalendarEvent 1 has EndTime 2 times"),
        (
            event(f"{START}{END}<t:BusyType>Busy</t:BusyType><t:CalendarEventDetails/><t:CalendarEventDetails/>"),
            "CalendarEvent 1 has CalendarEventDetails 2 times",
        ),
        *(
            (
                event(
                    f"{START}{END}<t:BusyType>Busy</t:BusyType><t:CalendarEventDetails><t:{name}>true</t:{name}>"
                    f"<t:{name}>false</t:{name}></t:CalendarEventDetails>"
                ),
                f"CalendarEvent 1 has {name} 2 times",
            )
            for name in ("IsMeeting", "IsRecurring", "IsPrivate")
        ),
        (
            free_busy_response(
                f"{DETAILED}<t:MergedFreeBusy>{'0' * 48}</t:MergedFreeBusy>"
                f"<t:MergedFreeBusy>{'2' * 48}</t:MergedFreeBusy>{FREE}"
            ),
            "FreeBusyView has MergedFreeBusy 2 times",
        ),
        (
            event(f"{START}{END}<t:BusyType>Free<t:BusyType>Busy</t:BusyType></t:BusyType>"),
            "CalendarEvent 1: BusyType holds elements instead of a text",
        ),
        (
            GOOD.replace(
                "</m:FreeBusyResponse>", f"<m:FreeBusyView>{DETAILED}{FREE}</m:FreeBusyView></m:FreeBusyResponse>"
            ),
            "FreeBusyResponse has FreeBusyView 2 times",
        ),
        (
            free_busy_response(f"{DETAILED}<t:CalendarEventArray>Busy from 9 to 10</t:CalendarEventArray>"),
            "CalendarEventArray holds text instead of entries",
        ),
        (mailbox_answer([BUSY] * 1001), "CalendarEventArray has 1001 entries, more than 1000"),
    ],
)
def test_of_two_elements_where_there_should_be_one_neither_is_believed(response: str, what: str) -> None:
    problem = read(response)

    assert isinstance(problem, Problem)
    assert (problem.code, problem.kind) == ("MalformedCalendar", ProblemKind.LASTING)
    assert what in problem.text
    assert "from 9" not in problem.text


def test_what_the_schema_does_not_know_yet_may_come_twice() -> None:
    news = "<t:Colour>red</t:Colour><t:Colour>green</t:Colour>"

    assert entries(event(f"{news}{START}{END}<t:BusyType>Busy</t:BusyType>")) == entries(GOOD)


def test_what_exchange_has_no_data_for_is_no_free_time() -> None:
    found = entries(merged("4444" + "0" * 40 + "4444", "<t:CalendarEventArray/>"))

    assert found == (
        CalendarEntry(at(0), at(2), BusyType.NO_DATA),
        CalendarEntry(at(22), at(24), BusyType.NO_DATA),
    )


def test_digit_four_is_working_elsewhere_where_an_entry_says_so() -> None:
    elsewhere = (
        "<t:CalendarEventArray><t:CalendarEvent><t:StartTime>2026-11-21T00:00:00Z</t:StartTime>"
        "<t:EndTime>2026-11-21T02:00:00Z</t:EndTime><t:BusyType>WorkingElsewhere</t:BusyType></t:CalendarEvent>"
        "</t:CalendarEventArray>"
    )

    assert entries(merged("4444" + "0" * 44, elsewhere)) == (CalendarEntry(at(0), at(2), BusyType.WORKING_ELSEWHERE),)


def test_a_response_code_costs_only_its_mailbox_and_the_message_text_is_not_repeated() -> None:
    text = "<m:MessageText>Takeover</m:MessageText>"

    problem = read(failed_mailbox("ErrorNoFreeBusyAccess", text))

    assert isinstance(problem, Problem)
    assert (problem.code, problem.kind) == ("ErrorNoFreeBusyAccess", ProblemKind.LASTING)
    assert BOB in problem.text
    assert "Takeover" not in problem.text


def test_a_busy_server_says_for_one_mailbox_how_long_to_wait() -> None:
    inside = '<m:MessageXml><t:Value Name="BackOffMilliseconds">2500</t:Value></m:MessageXml>'

    problem = read(failed_mailbox("ErrorServerBusy", inside))

    assert isinstance(problem, Problem)
    assert problem.retry_after == 2.5
