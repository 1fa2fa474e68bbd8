"""Mailboxes that move from one endpoint to another while the system runs, seen through the schedule and the check.

The organisation has two servers behind one autodiscover service, and a partner to whose domain mailboxes move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from exchange.account.credentials import Credentials
from exchange.endpoints import MemoryEndpointCache
from exchange.gateway_documents import parse_gateways
from exchange.reader import ExchangeReader, ReadTimes
from local.exchange.accounts import Account
from local.exchange.directory import ServiceUrls
from local.exchange.network import Host, Network, ews_url
from local.exchange.organisation import BusyStatus, Entry, Mailbox, Organisation
from local.exchange.scenario import BERLIN
from local.exchange.server import SimulatedExchange
from presence.check_schedule import group_checks
from presence.check_summary import CheckSummary
from presence.checking import CalendarCheck, CheckOptions
from presence.messages import new_traceparent
from presence.profiles import BUILT_IN
from presence.records import User
from presence.tables.users import ScheduledUser, bucket_of
from presence.timeline import stretch_at
from presence.transition_queue import TransitionQueue
from tests.support.memory import MemoryPresenceTable, MemoryQueue, MemoryUserTable

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OLD, NEW, PARTNER = "old.example.com", "new.example.com", "mail.partner.test"
ALICE, BOB, CAROL = (
    User(f"{number:032x}", f"{name}@example.com") for number, name in enumerate(("alice", "bob", "carol"))
)
BUSY, AWAY = "Busy / Busy", "Away / OutOfOffice"
ACCOUNT = Account("reader", "EXAMPLE\\moving-reader", "a password of one process", may_impersonate=True)


def network() -> Network:
    def autodiscover(domain: str, server: str) -> Host:
        urls = {domain: ServiceUrls(ews_url(server))}
        return Host(f"autodiscover.{domain}", accounts=("reader",), autodiscover=urls)

    return Network(
        hosts=(
            autodiscover("example.com", OLD),
            autodiscover("partner.test", PARTNER),
            *(Host(name, accounts=("reader",), mailboxes=frozenset({"example.com"})) for name in (OLD, NEW)),
            Host(PARTNER, accounts=("reader",), mailboxes=frozenset({"partner.test"})),
        ),
        silent_hosts=(("example.com", 443), ("partner.test", 443)),
        gateways=(
            {
                "name": "headquarters",
                "kind": "autodiscover",
                "domains": ["example.com"],
                "credentials": "reader",
                "trusted_hosts": ["autodiscover.partner.test", PARTNER],
            },
        ),
    )


def organisation() -> Organisation:
    """Return mailboxes that are busy all day; at the partner's there is one for each of them, out of office."""
    people = [Mailbox(user.address, "Somebody", BERLIN) for user in (ALICE, BOB, CAROL)]
    partners = [Mailbox(at_partner(user), "Somebody", BERLIN) for user in (ALICE, BOB, CAROL)]
    made = Organisation([*people, *partners])
    for mailbox in (*people, *partners):
        status = BusyStatus.BUSY if mailbox in people else BusyStatus.OUT_OF_OFFICE
        made.add(
            mailbox.address, Entry(START - timedelta(hours=8), START + timedelta(hours=48), status, is_meeting=False)
        )
    return made


def at_partner(user: User) -> str:
    return user.address.replace("example.com", "partner.test")


class GivenSecret:
    def credentials(self, _reference: str) -> Credentials:
        return Credentials(ACCOUNT.username, ACCOUNT.password)


@dataclass
class System:
    """The schedule's grouping and the check of calendars over a simulated Exchange, a turn every five minutes."""

    exchange: SimulatedExchange
    now: datetime = START
    users: MemoryUserTable = field(default_factory=MemoryUserTable)
    presences: MemoryPresenceTable = field(default_factory=MemoryPresenceTable)

    def __post_init__(self) -> None:
        for user in (ALICE, BOB, CAROL):
            self.users.put(ScheduledUser(user, endpoint=None, enabled=True, paused_until=None))
        self._cache = MemoryEndpointCache(lambda: self.now)

    def turn(self) -> list[CheckSummary]:
        """Check everybody once, each request by an instance of the function of its own."""
        self.now += timedelta(minutes=5)
        requests = list(group_checks(map(self.scheduled, (ALICE, BOB, CAROL)), 100, self.now, new_traceparent()))
        return [self._check().run(request) for request in requests]

    def scheduled(self, user: User) -> ScheduledUser:
        return next(each for each in self.users.of_bucket(bucket_of(user.user_id)) if each.user == user)

    def shown(self, user: User) -> str:
        record = self.presences.get_many([user.user_id]).found[user.user_id]
        stretch = stretch_at(record.timeline, self.now)
        assert stretch is not None
        return str(stretch.presence)

    def _check(self) -> CalendarCheck:
        clock = lambda: self.now  # noqa: E731  a clock is a function
        return CalendarCheck(
            presences=self.presences,
            users=self.users,
            reader=ExchangeReader(
                parse_gateways(self.exchange.gateways_document()),
                GivenSecret(),
                self._cache,
                clock,
                ReadTimes(2.0, 2.0),
            ),
            profiles=lambda: BUILT_IN,
            check_queue=MemoryQueue(),
            transition_queue=TransitionQueue(MemoryQueue(), 16),
            clock=clock,
            jitter=lambda: 1.0,
            options=CheckOptions(),
        )


@pytest.fixture
def system() -> Iterator[System]:
    with SimulatedExchange(organisation(), network(), [ACCOUNT], clock=lambda: START) as exchange:
        yield System(exchange)


def to_another_server(exchange: SimulatedExchange) -> None:
    """Move her to the other server of the organisation; the old one does not know her any more."""
    exchange.organisation.change_mailbox(ALICE.address, server=NEW)


def server_taken_down(exchange: SimulatedExchange) -> None:
    """Move everybody to the other server, and take the old one down for good."""
    for user in (ALICE, BOB, CAROL):
        exchange.organisation.change_mailbox(user.address, server=NEW)
    exchange.stop_host(OLD)


def to_the_partner(exchange: SimulatedExchange) -> None:
    """Move her to the partner's domain; autodiscover of the old domain tells her new address."""
    exchange.organisation.change_mailbox(ALICE.address, redirect_address=at_partner(ALICE), server="nowhere.test")


@pytest.mark.parametrize(
    ("move", "server", "shown"),
    [
        (to_another_server, NEW, BUSY),
        (server_taken_down, NEW, BUSY),
        (to_the_partner, PARTNER, AWAY),
    ],
)
def test_a_mailbox_that_moves_is_found_again_within_two_checks(
    system: System, move: Callable[[SimulatedExchange], None], server: str, shown: str
) -> None:
    system.turn()
    assert system.scheduled(ALICE).endpoint == ews_url(OLD)
    before = system.shown(ALICE)
    assert before == BUSY

    move(system.exchange)
    first = system.turn()
    assert sum(sum(each.problems.values()) for each in first) >= 1, "the first check meets the old endpoint"
    assert system.shown(ALICE) == before, "what was known stands meanwhile"
    second = system.turn()

    assert [each.problems for each in second] == [{}] * len(second)
    assert system.scheduled(ALICE).endpoint == ews_url(server)
    assert system.shown(ALICE) == shown
    third = system.turn()
    assert [each.problems for each in third] == [{}] * len(third)
    assert system.scheduled(ALICE).endpoint == ews_url(server)


def test_who_does_not_move_is_not_looked_for_again(system: System) -> None:
    system.turn()
    to_another_server(system.exchange)
    system.turn()
    system.exchange.requests.clear()

    system.turn()

    asked = {address for each in system.exchange.requests.of("Autodiscover") for address in each.addresses}
    assert asked == {ALICE.address}
    assert system.scheduled(BOB).endpoint == ews_url(OLD)


def test_a_mailbox_that_comes_back_is_found_again_as_well(system: System) -> None:
    system.turn()
    to_the_partner(system.exchange)
    system.turn()
    system.turn()
    assert system.shown(ALICE) == AWAY

    system.exchange.organisation.change_mailbox(ALICE.address, redirect_address=None, server=None)
    system.exchange.organisation.change_mailbox(at_partner(ALICE), server="nowhere.test")
    system.turn()
    system.turn()

    assert system.scheduled(ALICE).endpoint == ews_url(OLD)
    assert system.shown(ALICE) == BUSY
