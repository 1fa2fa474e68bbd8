"""The fifty people of a simulated day: four domains, eight time zones, and what stands in their calendars.

A calendar is written as people say it, in the wall clock of the mailbox's zone on the day: `09:00-10:00 Busy`. Words
after the status: `daily` (also on the days around it, at the same wall clock), `private`, `appointment` (nobody else
is invited). An end before its start is on the next day; `all-day` stands for the local day.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from local.exchange.network import Network, demo_network
from local.exchange.organisation import (
    LOCATION_CANARY,
    SUBJECT_CANARY,
    Access,
    BusyStatus,
    Entry,
    Mailbox,
    Organisation,
    Recurrence,
    TimeForm,
    all_day,
)
from presence.tables.users import bucket_of

DAY = date(2026, 10, 29)
"""A Thursday, at whose end Egypt goes back to standard time: 23:00 to 24:00 come twice in Cairo."""
START = datetime.combine(DAY, time(), UTC)

GHOST = "ghost@factory.test"
"""Listed as a user, and no server has such a mailbox."""
WITHOUT_ACCESS = "quinn@factory.test"
"""The reading account has no access to this mailbox."""

BERLIN, _NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
_TOKYO, _CAIRO, _LONDON = ZoneInfo("Asia/Tokyo"), ZoneInfo("Africa/Cairo"), ZoneInfo("Europe/London")
_KATHMANDU, _ST_JOHNS, _SYDNEY = ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns"), ZoneInfo("Australia/Sydney")

_STAND_UP = "09:00-09:15 Busy daily"
_KINDS: tuple[tuple[str, ...], ...] = (
    # Back to back: no gap may show. What touches at 11:30 is of another kind.
    (_STAND_UP, "10:00-10:45 Busy", "10:45-11:30 Busy", "11:30-12:00 OOF", "14:00-15:00 Busy", "15:00-15:05 Busy"),
    # Nested, with one that has no length: the inner end must not end the outer one.
    ("08:30-12:00 Busy", "09:30-10:00 Busy", "10:30-10:30 Busy", "11:00-12:00 Busy", "13:30-17:00 Busy daily"),
    # Overlapping: out of office wins over busy while both last, and busy over working elsewhere.
    (_STAND_UP, "13:00-15:00 Busy", "14:00-16:00 OOF", "15:30-17:00 Busy", "08:00-18:00 WorkingElsewhere"),
    # Tentative and free hide nothing and show nothing.
    ("09:30-11:00 Tentative", "10:00-10:30 Busy", "all-day Free", "12:00-13:00 Free", "16:00-17:15 Busy private"),
    # At night, over midnight, every day; and a meeting that ends after the day.
    ("22:00-02:00 Busy daily appointment", "21:30-22:00 Busy", "11:00-11:50 Busy daily"),
    # Away all day, with meetings that must not show.
    ("all-day OOF", "10:00-11:00 Busy", _STAND_UP),
    # Busy all day by one entry, out of office for a part of it.
    ("all-day Busy appointment", "12:00-13:00 OOF private", "12:30-14:00 Busy"),
    # Nothing is known of the afternoon.
    (_STAND_UP, "13:00-15:30 NoData", "14:00-14:30 Busy", "16:00-16:30 Busy"),
    # Many short ones.
    tuple(f"{hour:02}:{minute:02}-{hour:02}:{minute + 20:02} Busy" for hour in range(8, 17) for minute in (0, 30)),
    # An empty calendar, until somebody edits it.
    (),
)
_NAMES = {
    "example.com": "alice bob carol dave erin frank gina hugo ines jonas lena marc nora",
    "example.org": "aiko chen kate liam maya nils olga paul ruth seth tomo yuki",
    "branch.test": "lily mia noah olivia peter ravi rosa sam tara usha vik zane",
    "factory.test": "anton bella beth chris cora doris emil fatma goran quinn yuri zoe",
}
_ZONES = {
    "example.com": (BERLIN, BERLIN, _NEW_YORK),
    "example.org": (_TOKYO, _TOKYO, _SYDNEY),
    "branch.test": (_KATHMANDU, _ST_JOHNS, _CAIRO, _LONDON),
    "factory.test": (BERLIN,),
}
_DETAILED = ("example.org",)


def day_organisation() -> Organisation:
    """Return the organisation as it is when the day begins. Every call makes a new one."""
    mailboxes = list(_mailboxes())
    organisation = Organisation(mailboxes, [*(mailbox.address for mailbox in mailboxes), GHOST])
    # All kinds of calendars in each domain.
    for mailbox, kind in zip(mailboxes, itertools.cycle(_KINDS), strict=False):
        for line in kind:
            organisation.add(mailbox.address, entry_of(line, mailbox.zone))
    return organisation


def at_clock(clock: str) -> datetime:
    """Return the instant of a time of the day in UTC: `09:12:34`."""
    return datetime.combine(DAY, time.fromisoformat(clock), UTC)


def entry_of(line: str, zone: ZoneInfo) -> Entry:
    """Return the entry that a line stands for. Raises ValueError if it is none."""
    when, status, *words = line.split()
    if unknown := set(words) - {"daily", "private", "appointment"}:
        raise ValueError(f"{line!r}: {unknown.pop()!r} is no word for an entry")
    begins, ends = all_day(zone, DAY) if when == "all-day" else _span(when, zone)
    return Entry(
        begins,
        ends,
        BusyStatus(status),
        subject=f"{SUBJECT_CANARY} {line}",
        location=LOCATION_CANARY,
        is_meeting="appointment" not in words,
        is_private="private" in words,
        recurrence=Recurrence() if "daily" in words else None,
    )


def user_ids(organisation: Organisation, interval_minutes: int) -> dict[str, str]:
    """Return an id for each user, chosen so that the people of one domain have their turns together.

    Ids are random otherwise. A message carries the checks of up to 100 users of one endpoint, so a domain costs
    Exchange one request every interval, and every third time one for the automatic replies.
    """
    chance = random.Random(f"{DAY}")  # noqa: S311  it makes ids and guards no secret
    turns = {domain: turn for turn, domain in enumerate(_NAMES)}
    ids: dict[str, str] = {}
    for address in organisation.users:
        turn = turns[address.rpartition("@")[2]] % interval_minutes
        candidates = (f"{chance.getrandbits(128):032x}" for _ in itertools.count())
        ids[address] = next(each for each in candidates if bucket_of(each) % interval_minutes == turn)
    return ids


def _mailboxes() -> Iterator[Mailbox]:
    for domain, names in _NAMES.items():
        zones = _ZONES[domain]
        for number, name in enumerate(names.split()):
            address = f"{name}@{domain}"
            access = Access.DETAILED if domain in _DETAILED else Access.FREE_BUSY
            yield Mailbox(
                address,
                name.title(),
                zones[number % len(zones)],
                access=Access.NONE if address == WITHOUT_ACCESS else access,
                time_form=TimeForm.OFFSET if number % 2 else TimeForm.UTC,
            )


def _span(when: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    begin, end = (time.fromisoformat(text) for text in when.split("-"))
    last = DAY + timedelta(days=end < begin)
    return datetime.combine(DAY, begin, zone), datetime.combine(last, end, zone)


def day_network() -> Network:
    """Return the demo's network: one domain is found by autodiscover, of the others the operator names the hosts.

    One domain signs in by NTLM, which takes three requests where others take one.
    """
    network = demo_network()
    gateways = {gateway["name"]: gateway for gateway in network.gateways}
    headquarters, branch = gateways["headquarters"], gateways["branch"]
    return replace(
        network,
        gateways=(
            {**headquarters, "domains": ["example.com"], "auth": "basic"},
            _named("tokyo", "example.org", "mail.example.org", headquarters["credentials"], "ntlm"),
            _named("branch", "branch.test", "mail.hosting.test", branch["credentials"], "basic"),
            gateways["factory"],
        ),
    )


def _named(name: str, domain: str, host: str, credentials: str, authentication: str) -> dict[str, object]:
    """Return a gateway whose host the operator names."""
    return {
        "name": name,
        "kind": "ews",
        "hosts": [host],
        "domains": [domain],
        "credentials": credentials,
        "auth": authentication,
    }
