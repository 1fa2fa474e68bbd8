"""The demo organisation: who works there and what stands in their calendars, relative to the instant of the start.

Times below are seconds after the start. Most of what happens lies between FIRST_CHANGE and LAST_CHANGE, so that a run
of a minute sees it; at RUSH many change in the same second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from local.exchange.organisation import (
    LOCATION_CANARY,
    SUBJECT_CANARY,
    Access,
    BusyStatus,
    Entry,
    Mailbox,
    Organisation,
    OutOfOffice,
    Recurrence,
    TimeForm,
    WorkingHours,
    all_day,
)

FIRST_CHANGE = 20
RUSH = 40
LAST_CHANGE = 58
HOUR = 3600
DAY = 24 * HOUR

# Listed as users of the presence system: one that autodiscover does not know, one that the server does not know.
UNKNOWN_USERS = ("nobody@example.com", "ghost@factory.test")
USER_WITHOUT_ACCESS = "quinn@research.test"

BERLIN = ZoneInfo("Europe/Berlin")
LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
TOKYO = ZoneInfo("Asia/Tokyo")
SYDNEY = ZoneInfo("Australia/Sydney")
KATHMANDU = ZoneInfo("Asia/Kathmandu")
ST_JOHNS = ZoneInfo("America/St_Johns")

FREE = BusyStatus.FREE
TENTATIVE = BusyStatus.TENTATIVE
BUSY = BusyStatus.BUSY
OOF = BusyStatus.OUT_OF_OFFICE
ELSEWHERE = BusyStatus.WORKING_ELSEWHERE
NO_DATA = BusyStatus.NO_DATA


@dataclass(frozen=True, slots=True)
class Planned:
    """An entry of the plan: from and to in seconds after the start, or `all_day` on the local date of the start."""

    begins: int
    ends: int
    status: BusyStatus
    all_day: bool = False
    meeting: bool = True
    private: bool = False
    daily: bool = False


def demo_organisation(start: datetime) -> Organisation:
    """Return the organisation whose changes begin FIRST_CHANGE seconds after `start`, taken down to a whole second.

    `start` must have a zone (ValueError). Every call makes a new organisation.
    """
    if start.tzinfo is None:
        raise ValueError("the demo's start needs a zone")
    start = start.astimezone(UTC).replace(microsecond=0)
    people = (*_example_com(), *_example_org(), *_branch(start), *_research(), *_factory())
    users = [*(_address_listed(mailbox) for mailbox, _ in people), *UNKNOWN_USERS]
    organisation = Organisation((mailbox for mailbox, _ in people), users)
    for mailbox, plan in people:
        for number, planned in enumerate(plan, 1):
            organisation.add(mailbox.address, _entry(mailbox, planned, start, number))
    return organisation


People = list[tuple[Mailbox, tuple[Planned, ...]]]


def _example_com() -> People:
    """Found on the root domain. Free/busy times only; Berlin and New York."""
    return [
        (  # back to back: no gap may show between the two
            Mailbox("alice@example.com", "Alice", BERLIN),
            (Planned(20, RUSH, BUSY), Planned(RUSH, 58, BUSY)),
        ),
        (  # nested: the short one's end must not end the long one
            Mailbox("bob@example.com", "Bob", BERLIN, time_form=TimeForm.OFFSET),
            (Planned(21, 56, BUSY), Planned(30, 35, BUSY)),
        ),
        (  # overlapping: out of office wins over busy while both last
            Mailbox("carol@example.com", "Carol", NEW_YORK),
            (Planned(22, 40, BUSY), Planned(36, 50, OOF)),
        ),
        (  # busy already at the start, then tentative
            Mailbox("dave@example.com", "Dave", NEW_YORK, time_form=TimeForm.OFFSET),
            (Planned(-600, 23, BUSY), Planned(23, 50, TENTATIVE)),
        ),
        (
            Mailbox("erin@example.com", "Erin", BERLIN, working_hours=WorkingHours((0, 1, 2, 3), 540, 1080)),
            (Planned(24, 52, ELSEWHERE),),
        ),
        (  # every day at this time, since the day before yesterday
            Mailbox("frank@example.com", "Frank", BERLIN),
            (Planned(RUSH - 2 * DAY, 55 - 2 * DAY, BUSY, daily=True),),
        ),
    ]


def _example_org() -> People:
    """Found on `autodiscover.`. Detailed rights; Tokyo."""
    detailed = Access.DETAILED
    return [
        (
            Mailbox("grace@example.org", "Grace", TOKYO, access=detailed),
            (Planned(RUSH, 54, BUSY, private=True),),
        ),
        (  # an appointment with nobody else, then free by an entry that says so
            Mailbox("henry@example.org", "Henry", TOKYO, access=detailed, time_form=TimeForm.OFFSET),
            (Planned(25, RUSH, BUSY, meeting=False), Planned(RUSH, HOUR, FREE, meeting=False)),
        ),
        (  # away all day, with a meeting that must not show
            Mailbox("iris@example.org", "Iris", TOKYO, access=detailed, out_of_office=OutOfOffice()),
            (Planned(0, 0, OOF, all_day=True), Planned(30, 45, BUSY)),
        ),
        (  # a free all-day entry (a birthday) hides nothing
            Mailbox("jack@example.org", "Jack", TOKYO, access=detailed),
            (Planned(0, 0, FREE, all_day=True, meeting=False), Planned(RUSH, 57, BUSY)),
        ),
        (Mailbox("kate@example.org", "Kate", TOKYO, access=detailed), (Planned(26, 53, OOF, meeting=False),)),
        (  # moved to example.com: autodiscover sends on to the new address
            Mailbox("liam@example.com", "Liam", TOKYO, aliases=("liam@example.org",), access=detailed),
            (Planned(RUSH, 56, BUSY),),
        ),
    ]


def _branch(start: datetime) -> People:
    """Found by the redirect over plain HTTP. Zones off the whole hour, and one in the south."""
    replies = OutOfOffice(start=start - timedelta(hours=1), end=start + timedelta(days=3))
    return [
        (Mailbox("mia@branch.test", "Mia", SYDNEY), (Planned(27, 41, BUSY), Planned(41, 51, OOF))),
        (  # whose autodiscover sends on to another host
            Mailbox(
                "noah@branch.test",
                "Noah",
                SYDNEY,
                redirect_url="https://discover.hosting.test/autodiscover/autodiscover.xml",
            ),
            (Planned(RUSH, 50, BUSY),),
        ),
        (
            Mailbox("olivia@branch.test", "Olivia", KATHMANDU, time_form=TimeForm.OFFSET),
            (Planned(28, 49, ELSEWHERE), Planned(33, 42, BUSY)),
        ),
        (  # busy all day
            Mailbox("peter@branch.test", "Peter", ST_JOHNS, time_form=TimeForm.OFFSET),
            (Planned(0, 0, BUSY, all_day=True), Planned(RUSH, 52, OOF)),
        ),
        (Mailbox("rosa@branch.test", "Rosa", KATHMANDU, out_of_office=replies), (Planned(29, RUSH, TENTATIVE),)),
        (Mailbox("sam@branch.test", "Sam", ST_JOHNS), ()),
    ]


def _research() -> People:
    """Found by the SRV record. London."""
    return [
        (  # nothing known of the morning, then a meeting
            Mailbox("tina@research.test", "Tina", LONDON),
            (Planned(-HOUR, 24, NO_DATA), Planned(24, HOUR, BUSY)),
        ),
        (
            Mailbox("umar@research.test", "Umar", LONDON, access=Access.DETAILED),
            (Planned(RUSH, 53, BUSY, private=True),),
        ),
        (Mailbox("vera@research.test", "Vera", LONDON), (Planned(-HOUR, 31, OOF), Planned(31, 47, BUSY))),
        (Mailbox("will@research.test", "Will", LONDON), (Planned(32, 48, BUSY), Planned(34, 60 * 60, TENTATIVE))),
        (Mailbox("xenia@research.test", "Xenia", LONDON), (Planned(RUSH, 2 * HOUR, ELSEWHERE),)),
        (Mailbox(USER_WITHOUT_ACCESS, "Quinn", LONDON, access=Access.NONE), (Planned(30, 50, BUSY),)),
    ]


def _factory() -> People:
    """People of a pool of servers, which no autodiscover finds. Berlin, in shifts."""
    early = WorkingHours((0, 1, 2, 3, 4, 5), 360, 840)
    return [
        (Mailbox("yuri@factory.test", "Yuri", BERLIN, working_hours=early), (Planned(RUSH, 58, BUSY),)),
        (Mailbox("zoe@factory.test", "Zoe", BERLIN, working_hours=early), (Planned(RUSH, 55, OOF),)),
        (Mailbox("anton@factory.test", "Anton", BERLIN), (Planned(37, 46, BUSY), Planned(46, 57, BUSY))),
        (Mailbox("bella@factory.test", "Bella", BERLIN), (Planned(38, 54, ELSEWHERE), Planned(44, 49, OOF))),
        (Mailbox("chris@factory.test", "Chris", BERLIN), (Planned(-300, RUSH, BUSY), Planned(-300, 20, OOF))),
        (  # an apostrophe and a plus sign are good in an address
            Mailbox("d'arcy+shift@factory.test", "D'Arcy", BERLIN, time_form=TimeForm.OFFSET),
            (Planned(39, 51, BUSY), Planned(45, 45, BUSY)),
        ),
    ]


def _address_listed(mailbox: Mailbox) -> str:
    """Return the address under which the presence system knows somebody: of who moved, the old one."""
    return mailbox.aliases[0] if mailbox.aliases else mailbox.address


def _entry(mailbox: Mailbox, planned: Planned, start: datetime, number: int) -> Entry:
    if planned.all_day:
        begins, ends = all_day(mailbox.zone, start.astimezone(mailbox.zone).date())
    else:
        begins, ends = (start + timedelta(seconds=seconds) for seconds in (planned.begins, planned.ends))
    return Entry(
        begins,
        ends,
        planned.status,
        subject=f"{SUBJECT_CANARY} {number} of {mailbox.name} & others",
        location=f"{LOCATION_CANARY} {number}",
        is_meeting=planned.meeting,
        is_private=planned.private,
        recurrence=Recurrence() if planned.daily else None,
    )
