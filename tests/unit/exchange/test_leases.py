"""Leases of concurrent reads: the bound holds over all instances, and nobody is left out for good."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from exchange.endpoints import Change, EndpointCache, Fact, MemoryEndpointCache, lease_key
from exchange.gateways import Authentication, Gateway, GatewayKind, Limits
from exchange.throttling.leases import Lease, given_back, shares, taken
from exchange.throttling.reads import new_read
from presence.errors import CalendarPresenceError, ProblemError, ProblemKind
from presence.tables.endpoints import EndpointTable
from tests.support.aws import Account
from tests.support.clocks import TEN, Clock
from tests.support.endpoint_tables import TableOfThreads


@pytest.fixture(params=["real", "memory"])
def cache(request: pytest.FixtureRequest, clock: Clock) -> EndpointCache:
    if request.param == "memory":
        return MemoryEndpointCache(clock)
    made: Account = request.getfixturevalue("aws")
    return EndpointTable(made.dynamodb, made.make_table("EndpointTable"), clock)


def gateway(most: int) -> Gateway:
    kind, auth = GatewayKind.EWS, Authentication.NTLM
    return Gateway("branch", kind, ("branch.test",), "reader", authentication=auth, limits=Limits(most))


def took(lease: Lease, seconds: float = 40) -> bool:
    try:
        lease.take(seconds)
    except ProblemError as error:
        return error.problem.code != "GatewayBusy"
    return True


@pytest.mark.parametrize("most", [1, 4, 5, 6, 10, 27, 1000])
def test_the_shares_of_all_facts_are_the_whole_and_none_is_large(most: int) -> None:
    each = shares(most)
    assert sum(each) == most
    assert max(each) <= 5
    assert max(each) - min(each) <= 1


@pytest.mark.parametrize("most", [1, 7, 10])
def test_no_more_leases_are_taken_than_there_are_and_each_comes_back(
    cache: EndpointCache, clock: Clock, most: int
) -> None:
    leases = [Lease(gateway(most), cache, clock, new_read()) for _ in range(most + 3)]
    assert [took(lease) for lease in leases] == [True] * most + [False] * 3
    assert took(leases[0]), "who has one keeps it"
    leases[0].give_back()
    leases[0].give_back()
    assert [took(lease) for lease in leases[most:]] == [True, False, False]


def test_the_lease_of_a_function_that_was_killed_comes_free_at_its_end(cache: EndpointCache, clock: Clock) -> None:
    killed, next_one = (Lease(gateway(1), cache, clock, new_read()) for _ in range(2))
    assert took(killed, 40)
    clock.now += timedelta(seconds=39.9)
    assert not took(next_one)
    clock.now += timedelta(seconds=0.1)
    assert took(next_one)
    killed.give_back()  # late: it is not its own any more
    assert not took(Lease(gateway(1), cache, clock, new_read()))


def test_who_finds_none_is_told_to_come_back_in_some_seconds_and_not_with_all_others(clock: Clock) -> None:
    cache = MemoryEndpointCache(clock)
    Lease(gateway(1), cache, clock, new_read()).take(40)
    waits = []
    for _ in range(20):
        with pytest.raises(ProblemError) as refused:
            Lease(gateway(1), cache, clock, new_read()).take(40)
        problem = refused.value.problem
        assert (problem.code, problem.kind, problem.unasked) == ("GatewayBusy", ProblemKind.PASSING, True)
        assert "'branch'" in problem.text
        assert problem.retry_after is not None
        waits.append(problem.retry_after)
    assert 4 <= min(waits) < max(waits) <= 12
    assert len(set(waits)) == 20


def test_who_finds_none_writes_nothing() -> None:
    full = taken(None, "one", TEN, TEN + timedelta(seconds=40), 1)
    assert full is not None
    assert taken(full[0], "two", TEN, TEN + timedelta(seconds=40), 1) is None
    assert given_back(full[0], "two", TEN) is None


def test_a_fact_lives_longer_than_its_last_lease() -> None:
    """EndpointTable rounds the end of a fact down, and another instance's clock may be behind."""
    long = taken(None, "one", TEN, TEN + timedelta(seconds=40), 2)
    assert long is not None
    both = taken(long[0], "two", TEN, TEN + timedelta(seconds=10), 2)
    assert both is not None
    assert both[1] > 40


class Failing(MemoryEndpointCache):
    """Fails in a way of its own when told to, or for one key."""

    error: Exception | None = None
    only_for = ""

    def update(self, key: str, change: Change) -> Fact | None:
        if self.error is not None and key.startswith(self.only_for):
            raise self.error
        return super().update(key, change)


def test_a_lease_that_can_t_be_given_back_costs_nobody_what_was_read(clock: Clock) -> None:
    cache = Failing(clock)
    lease = Lease(gateway(1), cache, clock, new_read())
    lease.take(40)
    cache.error = OSError("no way to DynamoDB")
    lease.give_back()


def test_a_fact_that_others_always_change_first_is_left_and_the_next_is_tried(clock: Clock) -> None:
    cache = Failing(clock)
    cache.error, cache.only_for = CalendarPresenceError("others changed it each of 10 times"), lease_key("branch", 0)
    leases = [Lease(gateway(10), cache, clock, new_read()) for _ in range(6)]
    assert [took(lease) for lease in leases] == [True] * 5 + [False]


class UnderWay:
    """Counts the reads that are under way in threads, and the most that ever were."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._now += 1
            self.most = max(self.most, self._now)
            self._changed.notify_all()

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._now -= 1

    def wait_for(self, readers: int) -> None:
        """Wait until so many have been under way at once."""
        with self._changed:
            self._changed.wait_for(lambda: self.most >= readers, timeout=10)


@pytest.mark.parametrize(("real", "readers"), [(False, 24), (True, 6)], ids=["memory", "real"])
def test_many_instances_never_have_more_than_the_bound_and_all_get_through_also_after_kills(
    request: pytest.FixtureRequest, clock: Clock, *, real: bool, readers: int
) -> None:
    most = 4
    cache: EndpointCache = MemoryEndpointCache(clock)
    if real:
        aws: Account = request.getfixturevalue("aws")
        cache = TableOfThreads(aws.dynamodb, aws.make_table("EndpointTable"), clock)

    def read(under_way: UnderWay, together: int) -> None:
        lease = Lease(gateway(most), cache, clock, new_read())
        while not took(lease, 40):
            threading.Event().wait(0.005)  # the queue brings it back
        with under_way:
            under_way.wait_for(together)
            threading.Event().wait(0.002)
        lease.give_back()

    def run(together: int) -> int:
        under_way = UnderWay()
        with ThreadPoolExecutor(readers) as pool:
            list(pool.map(lambda _: read(under_way, together), range(readers)))
        return under_way.most

    for _ in range(most - 1):  # these are killed
        Lease(gateway(most), cache, clock, new_read()).take(40)
    assert run(together=1) == 1
    clock.now += timedelta(seconds=40)
    assert run(together=most) == most
    assert [took(Lease(gateway(most), cache, clock, new_read())) for _ in range(most + 1)] == [True] * most + [False]
