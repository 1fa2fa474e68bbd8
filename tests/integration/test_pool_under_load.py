"""A host of a pool dies under load and comes back: who is read, where, and what it costs.

Three hundred users, three hosts, four function instances that share what they know, checks grouped as the schedule
groups them. The hosts are real servers on loopback; only the minutes pass faster.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from exchange.account.credentials import Credentials
from exchange.endpoints import MemoryEndpointCache, breaker_key
from exchange.gateway_documents import parse_gateways
from exchange.pool.breaker import BreakerState, read_breaker
from exchange.reader import ExchangeReader, ReadTimes
from exchange.tls import connections
from exchange.web.hosts import HostPort
from exchange.web.sockets import Allowance, BoundedSocket, open_address
from local.exchange.authentication import BASIC
from local.exchange.network import Host, Network
from local.exchange.organisation import Entry, Mailbox, Organisation
from local.exchange.server import SimulatedExchange
from presence.calendar import CalendarReading, Window
from presence.check_schedule import group_checks
from presence.records import User
from presence.tables.users import ScheduledUser, bucket_of

START = datetime(2026, 11, 23, 8, tzinfo=UTC)
INTERVAL = 5
INSTANCES = 4
HOSTS = tuple(f"cas{number}.factory.test" for number in (1, 2, 3))
DEAD = HOSTS[0]
USERS = tuple(
    User(hashlib.md5(f"{number}".encode(), usedforsecurity=False).hexdigest(), f"user{number}@factory.test")
    for number in range(300)
)


class CountingCache(MemoryEndpointCache):
    """What the instances share, as EndpointTable; counts what is written about pools."""

    def __init__(self, now: list[datetime]) -> None:
        super().__init__(lambda: now[0])
        self.written: Counter[str] = Counter()

    def put(self, key: str, value: Mapping[str, str], ttl_seconds: float) -> None:
        """Keep a fact, which `update` does through this."""
        kind = key.partition("#")[0]
        if kind in {"turn", "placement", "breaker"}:
            self.written[kind] += 1
        super().put(key, value, ttl_seconds)


class Load:
    """The checks of all users, minute by minute, over four instances at once."""

    def __init__(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange
        self.now = [START]
        self.cache = CountingCache(self.now)
        self.endpoints: dict[str, str] = {}
        self.moves: Counter[str] = Counter()
        self.misses: Counter[str] = Counter()
        self.requests = 0
        account = exchange.accounts["factory-reader"]
        secrets = _Secrets(Credentials(account.username, account.password))
        self._readers = [
            ExchangeReader(
                gateways=parse_gateways(exchange.gateways_document()),
                secrets=secrets,
                cache=self.cache,
                clock=lambda: self.now[0],
                times=ReadTimes(5.0, 5.0),
            )
            for _ in range(INSTANCES)
        ]

    def turn(self, *, group_size: int = 100, during: Mapping[int, threading.Thread] | None = None) -> None:
        """Check everybody once; a thread of `during` runs beside the requests of its minute."""
        seen = len(self.exchange.requests)
        for minute in range(INTERVAL):
            self.now[0] += timedelta(minutes=1)
            due = [self._scheduled(user) for user in USERS if bucket_of(user.user_id) % INTERVAL == minute]
            groups = list(group_checks(due, group_size, self.now[0], "00-0-0-00"))
            beside = (during or {}).get(minute)
            if beside is not None:
                beside.start()
            with ThreadPoolExecutor(INSTANCES) as pool:
                list(pool.map(self._check, range(len(groups)), [group.users for group in groups]))
            if beside is not None:
                beside.join()
        self.requests = len(self.exchange.requests) - seen

    def spread(self) -> dict[str, int]:
        """Return how many users were read from each host at the last turn."""
        counts = Counter(endpoint.split("/")[2] for endpoint in self.endpoints.values())
        return {host: counts[host] for host in HOSTS}

    def at(self, host: str) -> set[str]:
        """Return who was read from a host at the last turn."""
        return {address for address, endpoint in self.endpoints.items() if endpoint.split("/")[2] == host}

    def state(self, host: str) -> BreakerState:
        """Return what is known of a host."""
        key = breaker_key("factory", f"{host}:443")
        return read_breaker(self.cache.get_many([key]).get(key)).state

    def _scheduled(self, user: User) -> ScheduledUser:
        return ScheduledUser(user, self.endpoints.get(user.address), enabled=True, paused_until=None)

    def _check(self, number: int, users: tuple[User, ...]) -> None:
        window = Window(self.now[0] - timedelta(hours=1), self.now[0] + timedelta(hours=24))
        reader = self._readers[number % INSTANCES]
        for address, result in reader.read_calendars([user.address for user in users], window).items():
            if not isinstance(result, CalendarReading):
                self.misses[address] += 1
                continue
            assert len(result.entries) == 1, "the meeting that everybody has"
            self.moves[address] += self.endpoints.get(address, result.endpoint) != result.endpoint
            self.endpoints[address] = result.endpoint


class _Secrets:
    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def credentials(self, _reference: str) -> Credentials:
        return self._credentials


@pytest.fixture
def load() -> Iterator[Load]:
    zone = ZoneInfo("Europe/Berlin")
    organisation = Organisation(Mailbox(user.address, user.address, zone) for user in USERS)
    for user in USERS:
        organisation.add(user.address, Entry(START, START + timedelta(hours=12)))
    network = Network(
        hosts=tuple(
            Host(name, schemes=(BASIC,), accounts=("factory-reader",), mailboxes=frozenset({"factory.test"}))
            for name in HOSTS
        ),
        gateways=(
            {
                "name": "factory",
                "kind": "ews",
                "hosts": list(HOSTS),
                "domains": ["factory.test"],
                "credentials": "factory-reader",
                "auth": "basic",
            },
        ),
    )
    with SimulatedExchange(organisation, network) as exchange:
        yield Load(exchange)


@pytest.fixture
def attempts(load: Load, monkeypatch: pytest.MonkeyPatch) -> dict[datetime, int]:
    """Return how often the host that dies was connected to, minute by minute."""
    port = int(load.exchange.connect[f"{DEAD}:443"].rpartition(":")[2])
    counted: defaultdict[datetime, int] = defaultdict(int)
    connect = open_address

    def counting(address: HostPort, allowance: Allowance, at_most: float) -> BoundedSocket:
        counted[load.now[0]] += address.port == port
        return connect(address, allowance, at_most)

    monkeypatch.setattr(connections, "open_address", counting)
    return counted


def killer(load: Load) -> threading.Thread:
    """Return what stops the host as soon as it has answered a request of the minute that begins."""

    def kill() -> None:
        seen = len(load.exchange.requests)
        give_up = time.monotonic() + 10
        while not any(request.host == DEAD for request in list(load.exchange.requests)[seen:]):
            assert time.monotonic() < give_up, "nobody asks the host"
            time.sleep(0.001)
        load.exchange.stop_host(DEAD)

    return threading.Thread(target=kill)


def test_a_host_that_dies_under_load_costs_nobody_a_check_and_is_given_back_its_users(
    load: Load, attempts: dict[datetime, int]
) -> None:
    figures: dict[str, object] = {}
    load.turn()
    figures["spread"] = load.spread()
    assert figures["spread"] == dict.fromkeys(HOSTS, 100)
    own = load.at(DEAD)
    load.cache.written.clear()
    load.turn()
    figures["requests a turn"], figures["written when all is well"] = load.requests, dict(load.cache.written)
    assert (load.requests, load.cache.written) == (3 * INTERVAL, Counter()), figures

    attempts.clear()
    load.turn(group_size=10, during={2: killer(load)})
    figures["misses when it dies"] = dict(load.misses)
    load.turn()
    load.turn()
    figures["misses"] = sum(load.misses.values())
    figures["spread without it"] = load.spread()
    killed_at = START + timedelta(minutes=2 * INTERVAL + 3)
    afterwards = {(at - killed_at) // timedelta(minutes=1): count for at, count in attempts.items() if at > killed_at}
    figures["attempts in the minutes after it died"] = afterwards
    figures["moved away"] = len([address for address, moves in load.moves.items() if moves])
    assert load.misses == Counter(), figures
    assert load.spread()[DEAD] == 0, figures
    assert min(load.spread()[host] for host in HOSTS[1:]) > 130, figures
    assert {address for address, moves in load.moves.items() if moves} == own, figures
    # Those who ask at once know nothing of each other; from the next minute on it is one probe at a time.
    assert afterwards[1] <= INSTANCES, figures
    assert max(count for minute, count in afterwards.items() if minute > 1) == 1, figures
    assert sum(count for minute, count in afterwards.items() if minute > 1) <= 5, figures
    assert set(load.cache.written) == {"breaker"}, figures
    assert load.state(DEAD) is BreakerState.OPEN, figures

    load.exchange.start_host(DEAD)
    back: list[int] = []
    for _ in range(4):
        load.turn()
        back.append(load.spread()[DEAD])
        load.now[0] += timedelta(minutes=15)
    load.turn()
    figures["given back, every 20 minutes"] = [*back, load.spread()[DEAD]]
    figures["moves in all"] = sum(load.moves.values())
    figures["written in all"] = dict(load.cache.written)
    assert load.misses == Counter(), figures
    assert load.at(DEAD) == own, figures
    assert load.spread() == dict.fromkeys(HOSTS, 100), figures
    assert back == sorted(back), figures
    assert 10 < back[1] < 60 < back[2] < 95, figures
    assert sum(load.moves.values()) <= 2 * 100 + 4, figures
    assert {address for address, moves in load.moves.items() if moves} == own, figures
