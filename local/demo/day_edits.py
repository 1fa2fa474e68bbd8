"""What happens during a simulated day: people edit their calendars, servers fail and come back, mailboxes go away.

Most edits are made up, the same ones on every run; those below are planned, since each must be seen. Instants are in
UTC on the day of `local.demo.day_people`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.demo.day_people import BERLIN, DAY, START, WITHOUT_ACCESS, at_clock, entry_of
from local.demo.day_reminders import REMINDED
from local.exchange.faults import Fault
from local.exchange.organisation import Access, BusyStatus, Entry, OutOfOffice
from local.exchange.server import SimulatedExchange

EWS = "/ews/exchange.asmx"
HOSTS = {"mail.hosting.test": "branch.test", "mail.example.org": "example.org"}
"""Hosts that fail, and the domain whose mailboxes each serves."""
WAITS = {"branch.test": timedelta(minutes=10)}
"""How long the host of a domain asks to be left alone when it fails."""

_EDITS_AN_HOUR = 5
_STATUSES = [status for status in BusyStatus if status is not BusyStatus.NO_DATA]
_STEP = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens at an instant; `address` is whose calendar or mailbox it changes, if it is one's."""

    at: datetime
    words: str
    make: Callable[[], object]
    address: str | None = None


def happenings(exchange: SimulatedExchange, until: datetime) -> list[Happening]:
    """Return what happens before an instant, in order of time."""
    found = [*_planned(exchange), *_improvised(exchange)]
    return sorted((each for each in found if each.at < until), key=lambda each: each.at)


def _planned(exchange: SimulatedExchange) -> Iterator[Happening]:
    organisation = exchange.organisation

    def change(at: str, address: str, words: str, **fields: object) -> Happening:
        return Happening(at_clock(at), words, lambda: organisation.change_mailbox(address, **fields), address)

    def replies(at: str, address: str, begins: str, ends: str) -> Happening:
        scheduled = OutOfOffice(start=at_clock(begins), end=at_clock(ends))
        return change(at, address, f"schedules automatic replies from {begins} to {ends}", out_of_office=scheduled)

    wait = f"{WAITS['branch.test'].total_seconds():.0f}"
    busy = Fault(status=503, headers={"Retry-After": wait}, before_authentication=True)
    yield Happening(
        at_clock("01:58:20"),
        "mail.hosting.test is too busy",
        lambda: exchange.faults.always("mail.hosting.test", EWS, busy),
    )
    yield Happening(at_clock("15:21:40"), "mail.hosting.test answers again", exchange.faults.clear)
    dropped = Fault(drop=True, before_authentication=True)
    yield Happening(
        at_clock("16:03:30"),
        "mail.example.org hangs up",
        lambda: exchange.faults.always("mail.example.org", EWS, dropped),
    )
    yield Happening(at_clock("16:51:10"), "mail.example.org answers again", exchange.faults.clear)
    # The pool has other hosts, so nobody notices.
    yield Happening(
        at_clock("03:10:00"), "cas1.factory.test goes down", lambda: exchange.stop_host("cas1.factory.test")
    )
    yield Happening(
        at_clock("07:40:00"), "cas1.factory.test is up again", lambda: exchange.start_host("cas1.factory.test")
    )
    yield change("08:12:45", "emil@factory.test", "is removed", problem="ErrorMailRecipientNotFound")
    yield change("10:31:10", WITHOUT_ACCESS, "lets the calendar be read", access=Access.FREE_BUSY)
    yield change("13:44:05", "beth@factory.test", "does not let the calendar be read any more", access=Access.NONE)
    yield replies("06:20:30", "hugo@example.com", "06:00:00", "17:17:17")
    yield replies("09:10:00", "kate@example.org", "11:00:00", "14:30:00")
    yield change("12:40:00", "goran@factory.test", "switches automatic replies on", out_of_office=OutOfOffice())
    yield change("18:05:00", "goran@factory.test", "switches automatic replies off", out_of_office=None)
    yield Happening(
        at_clock("12:01:15"),
        "loses the data of the afternoon: what is known stays",
        lambda: organisation.add("alice@example.com", entry_of("13:30-16:00 NoData", BERLIN)),
        "alice@example.com",
    )


def _improvised(exchange: SimulatedExchange) -> Iterator[Happening]:
    """Yield edits of calendars by chance: what is done is decided when the time has come, by what then stands there."""
    chance = random.Random(f"{DAY}")  # noqa: S311  it makes up calendars
    organisation = exchange.organisation
    addresses = [mailbox.address for mailbox in organisation.mailboxes() if mailbox.address != REMINDED]
    for number in range(24 * _EDITS_AN_HOUR):
        at = START + timedelta(hours=number / _EDITS_AN_HOUR, seconds=chance.randint(0, 600))
        address = chance.choice(addresses)
        yield Happening(
            at,
            "edits the calendar",
            _edit(exchange, address, at, random.Random(chance.random())),  # noqa: S311  likewise
            address,
        )


def _edit(exchange: SimulatedExchange, address: str, now: datetime, chance: random.Random) -> Callable[[], object]:
    organisation = exchange.organisation

    def make() -> None:
        begins = now.replace(second=0, microsecond=0) + _STEP * chance.randint(-8, 24)
        if not chance.randrange(5):  # at an odd second: nothing may count in whole minutes
            begins += timedelta(seconds=chance.randint(1, 59))
        ends = begins + _STEP * chance.randint(1, 24)
        ahead = [
            entry_id
            for entry_id, entry in organisation.calendar(address).items()
            if entry.recurrence is None and now < entry.end < now + timedelta(hours=4)
        ]
        status = chance.choice(_STATUSES)
        kind = chance.choice(("add", "add", "remove", "retime", "status")) if ahead else "add"
        if kind == "add":
            organisation.add(address, Entry(begins, ends, status, is_meeting=chance.choice((True, False))))
            return
        entry_id = chance.choice(ahead)
        if kind == "remove":
            organisation.remove(address, entry_id)
        elif kind == "retime":
            organisation.change(address, entry_id, end=max(ends, organisation.calendar(address)[entry_id].start))
        else:
            organisation.change(address, entry_id, status=status)

    return make
