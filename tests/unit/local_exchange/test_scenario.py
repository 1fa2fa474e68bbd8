from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from local.exchange.network import demo_network
from local.exchange.organisation import LOCATION_CANARY, SUBJECT_CANARY, Access, BusyStatus, TimeForm
from local.exchange.scenario import (
    FIRST_CHANGE,
    LAST_CHANGE,
    RUSH,
    UNKNOWN_USERS,
    USER_WITHOUT_ACCESS,
    demo_organisation,
)

STARTS = [datetime(2026, 11, 23, 9, 0, 0, 250_000, tzinfo=UTC), datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)]
DOMAINS = {"example.com", "example.org", "branch.test", "research.test", "factory.test"}


@pytest.mark.parametrize("start", STARTS, ids=["a morning", "the hour in which summer time begins"])
def test_a_minute_brings_many_changes_and_a_rush(start: datetime) -> None:
    organisation = demo_organisation(start)
    begun = start.replace(microsecond=0)
    boundaries: Counter[timedelta] = Counter()
    for mailbox in organisation.mailboxes():
        for occurrence in organisation.entries(mailbox.address, begun, begun + timedelta(seconds=60)):
            boundaries.update({occurrence.start - begun, occurrence.end - begun})
    seconds = {int(at.total_seconds()): number for at, number in boundaries.items()}
    within = {at: number for at, number in seconds.items() if 0 < at <= 60}
    assert min(within) == FIRST_CHANGE
    assert max(within) == LAST_CHANGE
    assert sum(within.values()) >= 40
    assert within[RUSH] >= 12


def test_every_kind_of_calendar_is_there() -> None:
    organisation = demo_organisation(STARTS[0])
    mailboxes = organisation.mailboxes()
    entries = [entry for mailbox in mailboxes for entry in organisation.calendar(mailbox.address).values()]
    assert len(organisation.users) >= 26
    assert {address.partition("@")[2] for address in organisation.users} == DOMAINS
    assert {entry.status for entry in entries} == set(BusyStatus)
    assert any(entry.recurrence for entry in entries)
    assert any(entry.is_private for entry in entries)
    assert any(not entry.is_meeting for entry in entries)
    assert any(entry.end - entry.start >= timedelta(hours=23) for entry in entries)
    assert len({mailbox.zone for mailbox in mailboxes}) >= 6
    assert {mailbox.access for mailbox in mailboxes} == set(Access)
    assert {mailbox.time_form for mailbox in mailboxes} == set(TimeForm)
    assert all(SUBJECT_CANARY in entry.subject and LOCATION_CANARY in entry.location for entry in entries)


def test_the_unknown_users_are_listed_and_have_no_mailbox() -> None:
    organisation = demo_organisation(STARTS[0])
    missing = {address for address in organisation.users if organisation.mailbox(address) is None}
    assert missing == set(UNKNOWN_USERS)
    without_access = organisation.mailbox(USER_WITHOUT_ACCESS)
    assert without_access is not None
    assert without_access.access is Access.NONE


def test_every_domain_has_a_gateway_and_a_server() -> None:
    network = demo_network()
    assert {domain for gateway in network.gateways for domain in gateway["domains"]} == DOMAINS
    assert {domain for host in network.hosts for domain in host.mailboxes} == DOMAINS


def test_each_call_makes_an_organisation_of_its_own() -> None:
    one, other = demo_organisation(STARTS[0]), demo_organisation(STARTS[0])
    one.remove("alice@example.com", next(iter(one.calendar("alice@example.com"))))
    assert len(one.calendar("alice@example.com")) + 1 == len(other.calendar("alice@example.com"))


def test_a_start_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a zone"):
        demo_organisation(datetime(2026, 11, 23, 9, 0))  # noqa: DTZ001  that is what is refused
