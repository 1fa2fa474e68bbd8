"""The mistakes of others (domain.md) that are made in talking to Exchange, each by its number.

As in tests/unit/presence/test_mistakes.py each judge takes a way of doing something: ours passes it, one with the
mistake in it must not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from exchange.endpoints import MemoryEndpointCache
from exchange.ews.availability import Availability, parse_availability
from exchange.ews.calendar_folder import read_calendar_folder
from exchange.ews.calendar_items import parse_calendar_items
from exchange.ews.requests import availability_request, calendar_folder_request
from exchange.gateways import MOST_MAILBOXES
from exchange.mailbox_access import Access
from local.exchange.kept_host import http
from presence.automatic_replies import AutomaticReplies
from presence.calendar import BusyType, CalendarReading, Window
from presence.check_schedule import group_checks
from presence.checking import CalendarCheck, CheckOptions
from presence.errors import Problem, ProblemError, ProblemKind
from presence.messages import CheckRequest, decode_check_request, new_traceparent
from presence.profiles import BUILT_IN
from presence.records import User
from presence.tables.users import ScheduledUser
from presence.transition_queue import TransitionQueue
from tests.support.memory import MemoryPresenceTable, MemoryQueue, MemoryUserTable
from tests.unit.exchange.folder_answers import calendar_folder, item
from tests.unit.exchange.hosts import (
    NOW,
    Net,
    availability,
    failed_mailbox,
    mailbox_answer,
    pox_settings,
    when_signed_in,
)

WINDOW = Window(NOW, NOW + timedelta(hours=24))
ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
BUSY = ("2026-11-21T12:30:00Z", "2026-11-21T13:00:00Z", "Busy")
AWAY = ("2026-11-21T12:30:00Z", "2026-11-21T13:00:00Z", "OOF")


def fails(judge: Callable[..., None], mistaken: object) -> None:
    """Hold that a judge sees a mistake."""
    with pytest.raises(AssertionError):
        judge(mistaken)


# 3. One failed batch stops everybody's update; no Retry-After; no paging.

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)
USERS = tuple(User(f"{number:032x}", f"user{number:03}@example.com") for number in range(250))
BusyServer = Callable[[Sequence[str]], bool]
Updated = tuple[set[str], dict[str, int]]
"""Whose calendars were read, and who is asked for again after how many seconds."""


def is_busy_for(addresses: Sequence[str]) -> bool:
    """Tell whether the server is busy: it is for the batch that has the hundred-and-first user in it."""
    assert len(addresses) <= 100, "Exchange takes at most 100 mailboxes a request"
    return USERS[100].address in addresses


def judge_batches(update: Callable[[BusyServer], Updated]) -> None:
    read, asked_again = update(is_busy_for)
    failed = {user.address for user in USERS[100:200]}
    assert read == {user.address for user in USERS} - failed
    assert asked_again == dict.fromkeys(failed, 17)


class Server:
    """A CalendarReader whose server asks to be left alone for 17 seconds when it is busy."""

    def __init__(self, is_busy: BusyServer) -> None:
        self.is_busy = is_busy
        self.read: set[str] = set()

    def read_calendars(self, addresses: Sequence[str], window: Window) -> Mapping[str, CalendarReading | Problem]:
        if self.is_busy(addresses):
            return dict.fromkeys(addresses, Problem("ErrorServerBusy", ProblemKind.PASSING, "", "", 17.0))
        self.read |= set(addresses)
        return {one: CalendarReading(one, window, (), TEN, "https://mail.example.com/", "Merged") for one in addresses}

    def read_automatic_replies(self, _addresses: Sequence[str]) -> Mapping[str, AutomaticReplies | Problem]:
        return {}


def as_we_do(is_busy: BusyServer) -> Updated:
    server, queue, users = Server(is_busy), MemoryQueue(), MemoryUserTable()
    scheduled = [ScheduledUser(user, "https://mail.example.com/", enabled=True, paused_until=None) for user in USERS]
    for one in scheduled:
        users.put(one)
    check = CalendarCheck(
        presences=MemoryPresenceTable(),
        users=users,
        reader=server,
        profiles=lambda: BUILT_IN,
        check_queue=queue,
        transition_queue=TransitionQueue(MemoryQueue(), 16),
        clock=lambda: TEN,
        jitter=lambda: 1.0,
        options=CheckOptions(),
    )
    for request in group_checks(scheduled, MOST_MAILBOXES, TEN, new_traceparent()):
        check.run(request)
    retries: list[tuple[CheckRequest, int]] = [
        (decode_check_request(message.body), message.delay) for message in queue.messages
    ]
    return server.read, {user.address: delay for request, delay in retries for user in request.users}


def test_3_a_batch_that_fails_stops_no_other_and_is_asked_again_when_the_server_said() -> None:
    def stops_at_the_first_failure(is_busy: BusyServer) -> Updated:
        read: set[str] = set()
        for start in range(0, len(USERS), 100):
            batch = [user.address for user in USERS[start : start + 100]]
            if is_busy(batch):
                break
            read |= set(batch)
        return read, {}

    def tries_again_at_once(is_busy: BusyServer) -> Updated:
        read, asked_again = as_we_do(is_busy)
        return read, dict.fromkeys(asked_again, 0)

    def reads_the_first_page(is_busy: BusyServer) -> Updated:
        batch = [user.address for user in USERS[:100]]
        return (set() if is_busy(batch) else set(batch)), {}

    judge_batches(as_we_do)
    for mistaken in (stops_at_the_first_failure, tries_again_at_once, reads_the_first_page):
        fails(judge_batches, mistaken)


# 4. Declined or cancelled meetings make people busy: also where Exchange leaves their status Busy.

Counted = Callable[[bytes], int]
"""How many entries of a calendar's folder count."""


def judge_declined(count: Counted) -> None:
    stands = item("a", MyResponseType="Accept", AppointmentState="3", IsCancelled="false")
    declined = item("b", MyResponseType="Decline", AppointmentState="3", IsCancelled="false")
    cancelled = item("c", MyResponseType="Accept", AppointmentState="7", IsCancelled="true")
    assert count(calendar_folder(stands, declined, cancelled)) == 1
    assert count(calendar_folder(declined, cancelled)) == 0


def as_it_stands(answer: bytes) -> int:
    result = read_calendar_folder(lambda _: parse_calendar_items(answer, ALICE, "mail.example.com"), ALICE, WINDOW)
    assert isinstance(result, Availability)
    return len(result.entries)


def by_their_status(answer: bytes) -> int:
    return answer.count(b"<t:LegacyFreeBusyStatus>Busy<")


def test_4_a_meeting_that_was_declined_or_cancelled_does_not_count_whatever_its_status() -> None:
    judge_declined(as_it_stands)
    fails(judge_declined, by_their_status)


# 7. All users in one call, results matched by position with no check of the count.

Read = Callable[[bytes, Sequence[str]], Mapping[str, BusyType | None]]
"""What is read of each of the mailboxes asked for: the status of the one entry; without a calendar nobody is in it."""


def parsed(answer: bytes, addresses: Sequence[str]) -> Mapping[str, BusyType | None]:
    try:
        results = parse_availability(answer, addresses, WINDOW, "mail.example.com")
    except ProblemError:
        return {}
    return {
        address: result.entries[0].busy_type if result.entries else None
        for address, result in zip(addresses, results, strict=True)
        if isinstance(result, Availability)
    }


def judge_matching(read: Read) -> None:
    """Of three mailboxes the answer has two, three or four results."""
    alice, carol = mailbox_answer([BUSY]), mailbox_answer([AWAY])
    assert read(availability(alice, failed_mailbox("ErrorMailRecipientNotFound"), carol), [ALICE, BOB, CAROL]) == {
        ALICE: BusyType.BUSY,
        CAROL: BusyType.OUT_OF_OFFICE,
    }
    for results in ([alice, carol], [alice, alice, carol, carol]):
        told = read(availability(*results), [ALICE, BOB, CAROL])
        assert told == {}, "whose results these are can't be known"


def by_position(answer: bytes, addresses: Sequence[str]) -> Mapping[str, BusyType | None]:
    """Match what there is with what was asked for, as far as it goes."""
    responses = re.findall(r"<FreeBusyResponse>.*?</FreeBusyResponse>", answer.decode(), re.DOTALL)
    return {
        address: BusyType(found[1])
        for address, response in zip(addresses, responses, strict=False)
        if (found := re.search(r"BusyType>(\w+)<", response))
    }


def test_7_nobody_is_shown_what_is_somebody_else_s() -> None:
    judge_matching(parsed)
    fails(judge_matching, by_position)


# 8. A truncated answer parsed as an empty calendar.


def judge_truncation(read: Read) -> None:
    whole = availability(mailbox_answer([BUSY]))
    assert read(whole, [ALICE]) == {ALICE: BusyType.BUSY}
    for length in range(1, len(whole) - 1):
        assert read(whole[:length], [ALICE]) == {}, length


def test_8_an_answer_that_breaks_off_is_no_empty_calendar() -> None:
    def takes_what_there_is(answer: bytes, addresses: Sequence[str]) -> Mapping[str, BusyType | None]:
        found = re.search(rb"BusyType>(\w+)</", answer)
        return dict.fromkeys(addresses, BusyType(found[1].decode()) if found else None)

    judge_truncation(parsed)
    fails(judge_truncation, takes_what_there_is)


# 9. A mailbox moved to another server: no updates until someone disables and enables the user.

OLD, NEW = (f"https://{host}.example.com/EWS/Exchange.asmx" for host in ("old", "new"))


def test_9_a_mailbox_that_moved_is_found_at_its_new_server_by_itself(net: Net) -> None:
    moved: list[bool] = []

    def autodiscover(request: bytes) -> bytes | None:
        return when_signed_in(http(200, pox_settings(NEW if moved else OLD)))(request)

    def old(_request: bytes) -> bytes:
        return http(
            200, availability(failed_mailbox("ErrorProxyRequestNotAllowed") if moved else mailbox_answer([BUSY]))
        )

    net.silent("example.com")
    net.host("autodiscover.example.com", autodiscover)
    net.host("old.example.com", old)
    net.host("new.example.com", lambda _request: http(200, availability(mailbox_answer([AWAY]))))
    cache = MemoryEndpointCache(lambda: NOW)

    def look() -> CalendarReading | Problem:
        return net.reader(cache=cache).read_calendars([ALICE], WINDOW)[ALICE]

    def remember_the_first_server() -> CalendarReading | Problem:
        """Look as somebody does who keeps to the server that a user was found at once."""
        pool = {"kind": "ews", "hosts": ["old.example.com"]}
        return net.reader(pool).read_calendars([ALICE], WINDOW)[ALICE]

    def judge(look: Callable[[], CalendarReading | Problem]) -> None:
        moved.clear()
        before = look()
        moved.append(True)
        look()  # the old server says that the mailbox is gone
        after = look()
        assert isinstance(before, CalendarReading)
        assert before.endpoint == OLD
        assert isinstance(after, CalendarReading)
        assert after.endpoint == NEW
        assert [one.busy_type for one in after.entries] == [BusyType.OUT_OF_OFFICE]

    judge(look)
    fails(judge, remember_the_first_server)


# 10. Localised folder names (カレンダー) break a gateway that looks for "Calendar".


def judge_names(ask: Callable[[str], bytes]) -> None:
    """Hold that the request for a calendar is the same whatever its folder is called, and names no folder."""
    request = ask("カレンダー")
    assert request == ask("Calendar")
    assert b"DisplayName" not in request
    assert set(re.findall(rb'FolderId Id="([^"]*)"', request)) <= {b"calendar"}
    assert not re.search(
        rb">\s*(Calendar|Kalender|\xe3\x82\xab\xe3\x83\xac\xe3\x83\xb3\xe3\x83\x80\xe3\x83\xbc)\s*<", request
    )


def test_10_what_the_calendar_s_folder_is_called_makes_no_difference() -> None:
    def looks_for_the_folder(_folder: str) -> bytes:
        return (
            b'<m:FindFolder Traversal="Shallow"><m:Restriction><t:IsEqualTo>'
            b'<t:FieldURI FieldURI="folder:DisplayName"/><t:FieldURIOrConstant><t:Constant Value="Calendar"/>'
            b"</t:FieldURIOrConstant></t:IsEqualTo></m:Restriction></m:FindFolder>"
        )

    judge_names(lambda _folder: availability_request([ALICE], WINDOW, "Exchange2013"))
    for access in (Access.IMPERSONATION, Access.DELEGATE):
        asked = calendar_folder_request(ALICE, WINDOW, 250, access, "Exchange2013")
        assert b'DistinguishedFolderId Id="calendar"' in asked
        judge_names({"Calendar": asked, "カレンダー": asked}.__getitem__)
    fails(judge_names, looks_for_the_folder)
