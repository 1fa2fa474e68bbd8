"""The people of the simulated day, and what happens to them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from local.demo.day_by_hand import commands
from local.demo.day_edits import happenings
from local.demo.day_expectations import News, Observation, Switched
from local.demo.day_news import RepliesWitness, observations, silences
from local.demo.day_people import DAY, GHOST, START, day_network, day_organisation, entry_of, user_ids
from local.demo.expectations import Snapshot
from local.demo.oracle import Entry, Replies
from local.exchange.http_messages import LoggedRequest
from local.exchange.organisation import BusyStatus, Mailbox, Organisation, OutOfOffice
from local.exchange.server import SimulatedExchange
from presence.command_requests import decode_command_request
from presence.tables.users import bucket_of

CAIRO = ZoneInfo("Africa/Cairo")
END = START + timedelta(days=1)


def test_there_are_fifty_of_them_with_every_status_in_four_domains() -> None:
    organisation = day_organisation()
    assert len(organisation.users) == 50
    assert [address for address in organisation.users if organisation.mailbox(address) is None] == [GHOST]
    assert len({address.partition("@")[2] for address in organisation.users}) == 4
    entries = [
        found.entry
        for mailbox in organisation.mailboxes()
        for found in organisation.entries(mailbox.address, START, END)
    ]
    assert {entry.status for entry in entries} == set(BusyStatus)
    assert any(entry.is_private for entry in entries)
    assert any(entry.start == entry.end for entry in entries)
    assert not all(entry.is_meeting for entry in entries)


def test_many_change_in_the_same_second() -> None:
    organisation = day_organisation()
    starts = Counter(
        found.start
        for mailbox in organisation.mailboxes()
        for found in organisation.entries(mailbox.address, START, END)
    )
    assert max(starts.values()) >= 8


def test_the_clocks_of_one_zone_are_changed_during_the_day() -> None:
    organisation = day_organisation()
    assert CAIRO in {mailbox.zone for mailbox in organisation.mailboxes()}
    assert START.astimezone(CAIRO).utcoffset() != (END - timedelta(minutes=1)).astimezone(CAIRO).utcoffset()
    night = entry_of("22:00-02:00 Busy", CAIRO)
    assert night.end - night.start == timedelta(hours=4), "by the wall clock"
    assert night.end.astimezone(UTC) - night.start.astimezone(UTC) == timedelta(hours=5)


def test_entries_are_read_as_people_say_them() -> None:
    entry = entry_of("09:00-10:30 OOF daily private appointment", CAIRO)
    assert (entry.start, entry.end) == (
        datetime(2026, 10, 29, 9, tzinfo=CAIRO),
        datetime(2026, 10, 29, 10, 30, tzinfo=CAIRO),
    )
    assert (entry.status, entry.is_private, entry.is_meeting) == (BusyStatus.OUT_OF_OFFICE, True, False)
    assert entry.recurrence is not None
    whole = entry_of("all-day Busy", CAIRO)
    assert (whole.start.hour, whole.end.date() - whole.start.date()) == (0, timedelta(days=1))


@pytest.mark.parametrize("line", ["09:00 Busy", "09:00-10:00 Occupied", "09:00-10:00 Busy weekly", "25:00-26:00 Busy"])
def test_what_is_no_entry_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        entry_of(line, CAIRO)


def test_people_of_a_domain_have_their_turn_in_the_same_minute_and_others_in_another() -> None:
    ids = user_ids(day_organisation(), 5)
    assert len(set(ids.values())) == 50
    assert ids == user_ids(day_organisation(), 5), "the same on every run"
    turns = {(address.partition("@")[2], bucket_of(user_id) % 5) for address, user_id in ids.items()}
    assert len(turns) == len({turn for _, turn in turns}) == 4


def test_what_happens_can_be_done_and_is_the_same_on_every_run() -> None:
    words = []
    for _ in range(2):
        organisation = day_organisation()
        with SimulatedExchange(organisation, day_network()) as exchange:
            happened = happenings(exchange, END)
            for each in happened:
                each.make()
            assert sum(each.address is not None for each in happened) > 100
            assert [each.at for each in happened] == sorted(each.at for each in happened)
            assert happenings(exchange, START) == []
        calendars = {mailbox.address: organisation.calendar(mailbox.address) for mailbox in organisation.mailboxes()}
        words.append((calendars, organisation.mailboxes()))
    assert words[0] == words[1]


def test_commands_are_those_that_the_function_takes() -> None:
    users = day_organisation().users
    made = list(commands(END))
    assert len(made) > 5
    for command in made:
        request = decode_command_request(command.event, command.at)
        assert request.address == command.address
        assert command.address in users
        assert command.news.at == command.at
        assert command.at.date() == DAY
    assert list(commands(START)) == []


def test_replies_are_told_as_each_question_tells_them() -> None:
    organisation = Organisation([Mailbox("alice@example.com", "Alice", CAIRO)])
    witness = RepliesWitness(organisation, START)
    noon, evening = START + timedelta(hours=12), START + timedelta(hours=18)
    organisation.change_mailbox("alice@example.com", out_of_office=OutOfOffice(start=noon, end=evening))
    changed = START + timedelta(hours=1)
    witness.look("alice@example.com", changed)
    told = Replies(noon, evening)
    assert witness.told("alice@example.com", START, "GetUserOofSettings") is None
    assert witness.told("alice@example.com", changed, "GetUserOofSettings") == told
    assert witness.told("alice@example.com", changed, "GetMailTips") is None, "they do not go out yet"
    assert witness.told("alice@example.com", noon, "GetMailTips") == told
    assert witness.told("alice@example.com", evening, "GetMailTips") is None
    assert witness.told("bob@example.com", noon, "GetMailTips") is None


def request(minutes: float, operation: str | None, status: int = 200, host: str = "mail.example.com") -> LoggedRequest:
    at = START + timedelta(minutes=minutes)
    path = "/EWS/Exchange.asmx"
    return LoggedRequest(at, "POST", "https", host, path, None, None, status, operation, ("Alice@example.com",))


def test_observations_are_what_stands_in_the_log_with_the_calendar_of_that_instant() -> None:
    organisation = Organisation([Mailbox("alice@example.com", "Alice", CAIRO)])
    entries = (Entry(START, END, "Busy"),)
    histories = {
        "alice@example.com": (Snapshot(START, ()), Snapshot(START + timedelta(minutes=3), entries)),
        "bob@example.org": (Snapshot(START, ()),),
    }
    log = [
        request(1, "GetUserAvailability"),
        request(2, None, 401),
        request(5, "GetUserAvailability"),
        request(5, "GetMailTips"),
        request(9, None, 503, "mail.example.com"),
        request(10, None, 0, "mail.example.com"),
        request(11, None, 503, "other.example.com"),
        request(12, "Autodiscover"),
    ]
    found = observations(log, histories, RepliesWitness(organisation, START), {"mail.example.com": "example.com"})
    assert found["bob@example.org"] == []
    assert found["alice@example.com"] == [
        Observation(START + timedelta(minutes=1), ()),
        Observation(START + timedelta(minutes=5), entries, asked_replies=True, replies=None),
        Observation(START + timedelta(minutes=9), None),
        Observation(START + timedelta(minutes=10), None),
    ]


def failed_at(*minutes: float) -> list[Observation]:
    return [Observation(START + timedelta(minutes=minute), None) for minute in minutes]


def test_a_host_that_asks_to_be_left_alone_is_and_no_longer_than_that() -> None:
    wait, end = timedelta(minutes=10), START + timedelta(minutes=20)
    assert silences(failed_at(4, 14.1), START, end, wait) == []
    assert silences(failed_at(4, 4.05, 14.1), START, end, wait) == [], "two that were under way together"
    assert silences(failed_at(4, 14.1), START, end) != []
    assert silences(failed_at(4, 15), START, end, wait) == ["not asked for between 00:04:00Z and 00:15:00Z"]
    assert silences(failed_at(4, 9, 19), START, end, wait) == [
        "asked for at 00:09:00Z, before the end of the wait asked for"
    ]
    read = [Observation(START + timedelta(minutes=minute), ()) for minute in (4, 14)]
    assert silences(read, START, START + timedelta(minutes=15), wait) != [], "a host that answers asks for nothing"


def test_silence_is_noticed() -> None:
    asked = [Observation(START + timedelta(minutes=minute), ()) for minute in (1, 6, 14, 19)]
    assert silences(asked, START, START + timedelta(minutes=20)) == ["not asked for between 00:06:00Z and 00:14:00Z"]
    assert silences([], START, START + timedelta(minutes=5)) == []
    assert silences(asked, START, START + timedelta(minutes=30)) != []
    off: list[News] = [
        *asked[:2],
        Switched(START + timedelta(minutes=7), on=False),
        Switched(START + timedelta(minutes=13), on=True),
    ]
    assert silences([*off, *asked[2:]], START, START + timedelta(minutes=20)) == []
