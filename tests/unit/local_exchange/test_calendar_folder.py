"""The simulated FindItem: who may open which calendar folder, and what stands there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from local.exchange.accounts import Account
from local.exchange.network import Host, Network
from local.exchange.organisation import (
    LOCATION_CANARY,
    SUBJECT_CANARY,
    BusyStatus,
    Entry,
    Mailbox,
    Organisation,
    Recurrence,
)
from local.exchange.server import SimulatedExchange
from tests.unit.local_exchange.client import availability, basic, find, find_items, post, session, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
ALICE, BOB, ROOM, EVERYBODY = (f"{name}@example.com" for name in ("alice", "bob", "room", "everybody"))
URL = "https://mail.example.com/EWS/Exchange.asmx"
READER = Account("reader", "EXAMPLE\\reader-of-folders", "a password of the tests", may_impersonate=True)
DELEGATE = Account("delegate", "EXAMPLE\\delegate-of-folders", "a password of the tests")
OWNER = Account("owner", "EXAMPLE\\owner-of-folders", "a password of the tests", address=ALICE)


class Asking:
    """An organisation and the accounts that ask its server."""

    def __init__(self, newest_version: str | None = None) -> None:
        self.organisation = Organisation(
            [
                Mailbox(ALICE, "Alice", BERLIN, readers=frozenset({"delegate"})),
                Mailbox(BOB, "Bob", BERLIN, excluded=True),
                Mailbox(ROOM, "Room", BERLIN),
                Mailbox(EVERYBODY, "Everybody", BERLIN, members=(ALICE, BOB, "gone@example.com")),
            ]
        )
        accounts = (READER, DELEGATE, OWNER)
        host = Host(
            "mail.example.com",
            schemes=("Basic",),
            accounts=tuple(account.reference for account in accounts),
            mailboxes=frozenset({"example.com"}),
            newest_version=newest_version,
        )
        self.exchange = SimulatedExchange(self.organisation, Network((host,)), accounts)

    def ask(self, body: str, account: Account = READER) -> requests.Response:
        with session(self.exchange, basic(account)) as made:
            return post(made, URL, body)


@pytest.fixture
def asking() -> Iterator[Asking]:
    made = Asking()
    with made.exchange:
        yield made


def folder(address: str, impersonated: str | None = None, hours: float = 24, most: int | None = None) -> str:
    return find_items(address, START, START + hours * HOUR, impersonated=impersonated, most=most)


@pytest.mark.parametrize(
    ("account", "address", "impersonated", "status", "code"),
    [
        (READER, ALICE, ALICE, 200, "NoError"),
        (READER, ROOM, ROOM, 200, "NoError"),
        (READER, ALICE, None, 200, "ErrorFolderNotFound"),
        (READER, ALICE, ROOM, 200, "ErrorFolderNotFound"),
        (READER, BOB, BOB, 500, "ErrorImpersonateUserDenied"),
        (READER, "nobody@example.com", "nobody@example.com", 500, "ErrorNonExistentMailbox"),
        (READER, EVERYBODY, EVERYBODY, 200, "ErrorNonExistentMailbox"),
        (DELEGATE, ALICE, None, 200, "NoError"),
        (DELEGATE, ROOM, None, 200, "ErrorFolderNotFound"),
        (DELEGATE, "nobody@example.com", None, 200, "ErrorNonExistentMailbox"),
        (DELEGATE, ALICE, ALICE, 500, "ErrorImpersonateUserDenied"),
        (OWNER, ALICE, None, 200, "NoError"),
        (OWNER, ROOM, None, 200, "ErrorFolderNotFound"),
    ],
)
def test_a_folder_is_its_owners_and_of_those_whom_they_let_read_it(
    asking: Asking, account: Account, address: str, impersonated: str | None, status: int, code: str
) -> None:
    answer = asking.ask(folder(address, impersonated), account)
    assert (answer.status_code, texts(answer, "//m:ResponseCode | //e:ResponseCode")) == (status, [code])


def test_an_entry_shows_what_is_asked_for_and_nothing_else(asking: Asking) -> None:
    asking.organisation.add(
        ALICE, Entry(START, START + HOUR, is_private=True, is_cancelled=True, response="Decline", is_all_day=True)
    )
    answer = asking.ask(folder(ALICE, ALICE))
    assert texts(answer, "//t:CalendarItem/*[not(self::t:ItemId)]") == [
        "Private",
        "2026-11-23T09:00:00Z",
        "2026-11-23T10:00:00Z",
        "true",
        "Busy",
        "true",
        "true",
        "false",
        "Single",
        "Decline",
        "7",
    ]
    assert SUBJECT_CANARY not in answer.text
    named = asking.ask(
        find_items(ALICE, START, START + DAY, fields=("item:Subject", "calendar:Location"), impersonated=ALICE)
    )
    assert (SUBJECT_CANARY in named.text, LOCATION_CANARY in named.text) == (True, True)


def test_a_series_comes_as_occurrences_each_with_an_id_of_its_own(asking: Asking) -> None:
    asking.organisation.add(ALICE, Entry(START, START + HOUR, recurrence=Recurrence()))
    answer = asking.ask(folder(ALICE, ALICE, hours=72))
    assert texts(answer, "//t:Start") == [f"2026-11-{day}T09:00:00Z" for day in (23, 24, 25)]
    assert texts(answer, "//t:CalendarItemType") == ["Occurrence"] * 3
    assert len({item_id.get("Id") for item_id in find(answer, "//t:ItemId")}) == 3


def test_a_page_has_the_first_entries_and_says_whether_it_has_the_last(asking: Asking) -> None:
    for number in (3, 1, 2):
        asking.organisation.add(ALICE, Entry(START + number * HOUR, START + (number + 1) * HOUR))
    for most, starts, last in (
        (2, ["10", "11"], "false"),
        (3, ["10", "11", "12"], "true"),
        (None, ["10", "11", "12"], "true"),
    ):
        answer = asking.ask(folder(ALICE, ALICE, most=most))
        assert [start[11:13] for start in texts(answer, "//t:Start")] == starts
        assert [root.get("IncludesLastItemInRange") for root in find(answer, "//m:RootFolder")] == [last]


def test_a_problem_of_a_mailbox_is_told_of_that_mailbox(asking: Asking) -> None:
    asking.organisation.change_mailbox(ALICE, problem="ErrorMailboxMoveInProgress")
    assert texts(asking.ask(folder(ALICE, ALICE)), "//m:ResponseCode") == ["ErrorMailboxMoveInProgress"]


def test_of_a_distribution_list_the_members_times_are_told_as_one_string(asking: Asking) -> None:
    asking.organisation.add(ALICE, Entry(START, START + HOUR / 2))
    asking.organisation.add(BOB, Entry(START + HOUR / 2, START + HOUR, BusyStatus.OUT_OF_OFFICE))
    answer = asking.ask(availability([EVERYBODY], START, START + 2 * HOUR, "DetailedMerged"))
    assert texts(answer, "//t:FreeBusyViewType") == ["MergedOnly"]
    assert texts(answer, "//t:MergedFreeBusy") == ["2300"]
    assert texts(answer, "//t:CalendarEvent") == []


def test_a_list_of_very_many_is_not_worked_out(asking: Asking) -> None:
    members = tuple(f"user{number}@example.com" for number in range(101))
    asking.organisation.change_mailbox(EVERYBODY, members=members)
    answer = asking.ask(availability([EVERYBODY], START, START + HOUR))
    assert texts(answer, "//m:ResponseCode") == ["ErrorFreeBusyDLLimitReached"]


def test_an_old_server_refuses_what_is_newer_than_itself() -> None:
    old = Asking("Exchange2010_SP2")
    header = '<s:Header><t:RequestServerVersion Version="{}"/>'
    with old.exchange:
        for version, status in (("Exchange2013", 500), ("Exchange2010_SP2", 200), ("Exchange2007_SP1", 200)):
            request = availability([ALICE], START, START + HOUR).replace("<s:Header>", header.format(version))
            assert old.ask(request).status_code == status
        assert old.ask(availability([ALICE], START, START + HOUR)).status_code == 200
