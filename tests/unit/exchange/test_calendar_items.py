"""The strict parser of calendar folders, and what servers and attackers send it."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime

import pytest

from exchange.ews.calendar_items import FolderItem, FolderPage, parse_calendar_items
from presence.calendar import BusyType, CalendarEntry
from presence.errors import Problem, ProblemError, ProblemKind
from tests.unit.exchange.folder_answers import CANARY, calendar_folder, folder, folder_message, folders, item
from tests.unit.exchange.hosts import envelope, fault

ALICE = "alice@example.com"
HOST = "mail.example.com"
ONE, TWO = datetime(2026, 11, 21, 13, tzinfo=UTC), datetime(2026, 11, 21, 14, tzinfo=UTC)


def read(answer: bytes) -> FolderPage | Problem:
    return parse_calendar_items(answer, ALICE, HOST)


def only(answer: bytes) -> FolderItem:
    page = read(answer)
    assert isinstance(page, FolderPage), page
    (found,) = page.items
    return found


def test_an_entry_is_read_with_all_that_only_the_folder_tells() -> None:
    answer = calendar_folder(
        item(
            IsAllDayEvent="false",
            IsMeeting="true",
            IsCancelled="false",
            CalendarItemType="Occurrence",
            MyResponseType="Accept",
            AppointmentState="3",
            Sensitivity="Private",
        )
    )

    entry = CalendarEntry(
        ONE, TWO, BusyType.BUSY, is_meeting=True, is_recurring=True, is_private=True, is_all_day=False
    )
    assert read(answer) == FolderPage((FolderItem("one", entry, stands=True),), is_last=True)


def test_what_is_not_told_is_not_known() -> None:
    assert only(calendar_folder(item())).entry == CalendarEntry(ONE, TWO, BusyType.BUSY)


def test_subject_and_location_that_nobody_asked_for_go_no_further() -> None:
    assert CANARY not in repr(read(calendar_folder(item(), item("two", start="soon"))))
    assert CANARY not in repr(read(calendar_folder(item())))


@pytest.mark.parametrize("status", BusyType)
def test_each_status_is_read_as_itself(status: BusyType) -> None:
    assert only(calendar_folder(item(status=str(status)))).entry.busy_type is status


@pytest.mark.parametrize(
    ("fields", "stands"),
    [
        ({"IsCancelled": "true"}, False),
        ({"IsCancelled": "1", "AppointmentState": "3"}, False),
        ({"IsCancelled": "false", "AppointmentState": "7"}, False),
        ({"AppointmentState": "4"}, False),
        ({"MyResponseType": "Decline"}, False),
        ({"AppointmentState": "3", "IsCancelled": "false"}, True),
        ({"AppointmentState": "11"}, True),
        ({"MyResponseType": "NoResponseReceived"}, True),
        ({"MyResponseType": "Tentative"}, True),
        ({"MyResponseType": "Organizer"}, True),
        ({}, True),
    ],
)
def test_an_entry_does_not_stand_that_was_cancelled_or_declined(fields: dict[str, str], *, stands: bool) -> None:
    assert only(calendar_folder(item(**fields))).stands is stands


@pytest.mark.parametrize(("kind", "recurring"), [("Single", False), ("Occurrence", True), ("Exception", True)])
def test_an_occurrence_is_one_of_a_series(kind: str, *, recurring: bool) -> None:
    assert only(calendar_folder(item(CalendarItemType=kind))).entry.is_recurring is recurring


@pytest.mark.parametrize(
    ("sensitivity", "private"), [("Normal", False), ("Personal", False), ("Private", True), ("Confidential", False)]
)
def test_private_is_what_its_owner_called_private(sensitivity: str, *, private: bool) -> None:
    assert only(calendar_folder(item(Sensitivity=sensitivity))).entry.is_private is private


def test_a_time_with_an_offset_is_the_same_instant() -> None:
    entry = only(calendar_folder(item(start="2026-11-21T22:00:00+09:00", end="2026-11-21T14:00:00.000Z"))).entry
    assert (entry.start, entry.end) == (ONE, TWO)


def test_a_page_says_whether_there_is_more() -> None:
    assert read(calendar_folder(last="true")) == FolderPage((), is_last=True)
    assert read(calendar_folder(last="0")) == FolderPage((), is_last=False)


BAD_ITEMS = [
    (item(status=None), "CalendarItem 1 has no LegacyFreeBusyStatus"),
    (item(status="Lunch"), "CalendarItem 1: LegacyFreeBusyStatus is unknown"),
    (item(start="2026-11-21T13:00:00"), "CalendarItem 1: Start has no time zone"),
    (item(end="tomorrow"), "CalendarItem 1: End is no date and time"),
    (item(end="2026-11-21T12:59:59Z"), "CalendarItem 1: End lies before Start"),
    (item(IsAllDayEvent="perhaps"), "CalendarItem 1: IsAllDayEvent is neither true nor false"),
    (item(IsCancelled="no"), "CalendarItem 1: IsCancelled is neither true nor false"),
    (item(AppointmentState="-4"), "CalendarItem 1: AppointmentState is no number"),
    (item(MyResponseType="Maybe"), "CalendarItem 1: MyResponseType is unknown"),
    (item(Sensitivity="Secret"), "CalendarItem 1: Sensitivity is unknown"),
    (item(CalendarItemType="RecurringMaster"), "CalendarItemType is neither a single entry nor an occurrence"),
    (item(""), "CalendarItem 1 has no ItemId that can be used"),
    (item("x" * 3000), "CalendarItem 1 has no ItemId that can be used"),
    (
        item().replace("<t:Start>", "<t:Start>2026-11-21T09:00:00Z</t:Start><t:Start>"),
        "CalendarItem 1 has Start 2 times",
    ),
    (item().replace(">Busy<", "><t:Free/><"), "LegacyFreeBusyStatus holds elements instead of a text"),
    ("<t:Message/>", "element 1 of Items is no CalendarItem"),
    ("free all day", "Items holds text instead of entries"),
]


@pytest.mark.parametrize(("bad", "what"), BAD_ITEMS, ids=[what for _, what in BAD_ITEMS])
def test_an_entry_that_cant_be_used_costs_the_mailbox_and_is_named(bad: str, what: str) -> None:
    result = read(calendar_folder(bad))

    assert isinstance(result, Problem)
    assert (result.code, result.kind) == ("MalformedCalendar", ProblemKind.LASTING)
    assert what in result.text
    assert ALICE in result.text


@pytest.mark.parametrize(
    ("inside", "what"),
    [
        ("", "has no RootFolder"),
        (folder(last=None), "does not say whether it includes the last item"),
        (folder(last="maybe"), "does not say whether it includes the last item"),
        ('<m:RootFolder IncludesLastItemInRange="true"/>', "RootFolder has no Items"),
        (folder() * 2, "has RootFolder 2 times"),
    ],
)
def test_a_folder_that_may_have_been_cut_off_is_no_empty_one(inside: str, what: str) -> None:
    result = read(folders(folder_message(inside)))

    assert isinstance(result, Problem)
    assert result.code == "MalformedCalendar"
    assert what in result.text


def test_success_and_code_must_agree() -> None:
    for answer in (folder_message(folder(), result="Error"), folder_message(folder(), code="")):
        assert isinstance(read(folders(answer)), Problem)


def test_a_code_is_the_problem_of_the_mailbox() -> None:
    back_off = '<m:MessageXml><t:Value Name="BackOffMilliseconds">17000</t:Value></m:MessageXml>'
    result = read(folders(folder_message(back_off, "ErrorServerBusy", "Error")))

    assert isinstance(result, Problem)
    assert (result.code, result.kind, result.retry_after) == ("ErrorServerBusy", ProblemKind.PASSING, 17.0)


GOOD = calendar_folder(item())


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "MalformedAnswer"),
        (GOOD[:-40], "MalformedAnswer"),
        (b"<html>Sign in</html>", "MalformedAnswer"),
        (GOOD.decode().encode("utf-16"), "MalformedAnswer"),
        (b'<!DOCTYPE x [<!ENTITY a "Free">]>' + GOOD.partition(b"?>")[2], "MalformedAnswer"),
        (GOOD.replace(b"Busy", b"&free;"), "MalformedAnswer"),
        (envelope("<m:FindFolderResponse/>"), "MalformedAnswer"),
        (envelope("<m:FindItemResponse/>"), "MalformedAnswer"),
        (
            envelope("<m:FindItemResponse><m:ResponseMessages><m:Other/></m:ResponseMessages></m:FindItemResponse>"),
            "MalformedAnswer",
        ),
        (envelope("<t:x>" * 400 + "</t:x>" * 400), "MalformedAnswer"),
        (folders(), "AnswerCountMismatch"),
        (folders(*[folder_message(folder())] * 2), "AnswerCountMismatch"),
        (fault("ErrorImpersonateUserDenied"), "ErrorImpersonateUserDenied"),
    ],
    ids=[
        "empty",
        "truncated",
        "a page",
        "another charset",
        "entities declared",
        "an entity that nobody declared",
        "an answer to something else",
        "no messages",
        "other messages",
        "deep nesting",
        "about nobody",
        "about two",
        "a fault",
    ],
)
def test_what_is_no_answer_is_raised(answer: bytes, code: str) -> None:
    with pytest.raises(ProblemError) as raised:
        read(answer)
    assert raised.value.problem.code == code
    assert CANARY not in str(raised.value)


def test_a_thousand_entries_are_read_in_bounded_memory() -> None:
    answer = calendar_folder(*(item(str(number)) for number in range(1000)))
    tracemalloc.start()
    page = read(answer)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(page, FolderPage)
    assert len(page.items) == 1000
    assert peak < 10 * len(answer)
