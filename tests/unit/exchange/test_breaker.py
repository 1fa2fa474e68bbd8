"""The circuit breaker of one host, from fact to fact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from exchange.endpoints import Fact, MemoryEndpointCache, Written
from exchange.pool.breaker import BreakerState, after_answer, after_failure, claim_probe, read_breaker
from tests.unit.exchange.hosts import NOW

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Story:
    """A host over the time, remembered as the readers remember it."""

    def __init__(self) -> None:
        self.now = NOW
        self._cache = MemoryEndpointCache(lambda: self.now)

    @property
    def fact(self) -> Fact | None:
        return self._cache.get_many(["host"]).get("host")

    @property
    def state(self) -> BreakerState:
        return read_breaker(self.fact).state

    @property
    def share(self) -> float:
        return read_breaker(self.fact).share(self.now)

    def passes(self, time: timedelta) -> None:
        self.now += time

    def fails(self, code: str = "HostUnreachable", *, at_once: bool = False) -> bool:
        return self._changes(lambda fact: after_failure(fact, self.now, code, at_once=at_once))

    def answers(self) -> bool:
        return self._changes(lambda fact: after_answer(fact, self.now))

    def is_probed(self) -> bool:
        return self._changes(lambda fact: claim_probe(fact, self.now))

    def _changes(self, change: Callable[[Fact | None], Written | None]) -> bool:
        before = self.fact
        return self._cache.update("host", change) != before


@pytest.fixture
def host() -> Story:
    return Story()


@pytest.fixture
def opened(host: Story) -> Story:
    host.fails()
    host.fails()
    return host


def test_a_host_that_nothing_is_known_of_is_asked_and_its_answers_are_not_written_down(host: Story) -> None:
    assert (host.state, host.share) == (BreakerState.CLOSED, 1.0)
    assert not host.answers()
    assert host.fact is None


def test_one_failure_is_suspected_and_two_in_a_row_open(host: Story) -> None:
    host.fails()
    assert (host.state, host.share) == (BreakerState.SUSPECTED, 1.0)
    host.fails()
    assert (host.state, host.share) == (BreakerState.OPEN, 0.0)


def test_an_answer_between_two_failures_clears_the_suspicion(host: Story) -> None:
    host.fails()
    host.answers()
    assert host.fact is None
    host.fails()
    assert host.state is BreakerState.SUSPECTED


def test_two_failures_that_lie_far_apart_do_not_open(host: Story) -> None:
    host.fails()
    host.passes(11 * MINUTE)
    host.fails()
    assert host.state is BreakerState.SUSPECTED


def test_a_failure_that_is_beyond_doubt_opens_at_once(host: Story) -> None:
    host.fails("CredentialsRejected", at_once=True)
    assert host.state is BreakerState.OPEN


def test_an_open_host_is_probed_by_one_when_its_time_is_over_and_not_before(opened: Story) -> None:
    opened.passes(29 * SECOND)
    assert not opened.is_probed()
    opened.passes(SECOND)
    assert opened.is_probed()
    assert (opened.state, opened.share) == (BreakerState.HALF_OPEN, 0.0)
    assert not opened.is_probed()


def test_a_probe_of_which_nothing_is_heard_is_repeated_a_minute_later(opened: Story) -> None:
    opened.passes(30 * SECOND)
    opened.is_probed()
    opened.passes(59 * SECOND)
    assert not opened.is_probed()
    opened.passes(SECOND)
    assert opened.is_probed()


def test_probes_that_fail_become_rarer_down_to_one_in_five_minutes(opened: Story) -> None:
    rests = []
    for _ in range(7):
        began = opened.now
        while not opened.is_probed():
            opened.passes(SECOND)
        rests.append((opened.now - began).total_seconds())
        opened.fails()
    assert rests == [30, 60, 120, 240, 300, 300, 300]


def test_failures_of_requests_that_were_under_way_change_nothing(opened: Story) -> None:
    before = opened.fact
    opened.passes(SECOND)
    assert not any(opened.fails() for _ in range(10))
    assert opened.fact == before


def test_an_open_host_is_known_since_when_however_often_it_was_probed(opened: Story) -> None:
    for _ in range(3):
        opened.passes(10 * MINUTE)
        opened.is_probed()
        opened.fails("Timeout")
    breaker = read_breaker(opened.fact)
    assert (breaker.since, breaker.code) == (NOW, "Timeout")


def test_a_host_that_answers_its_probe_is_given_back_its_mailboxes_within_an_hour(opened: Story) -> None:
    opened.passes(MINUTE)
    opened.is_probed()
    opened.answers()
    assert (opened.state, opened.share) == (BreakerState.RECOVERING, 0.0)
    opened.passes(15 * MINUTE)
    assert opened.share == 0.25
    opened.passes(45 * MINUTE)
    assert (opened.state, opened.share) == (BreakerState.CLOSED, 1.0)
    assert opened.fact is None


def test_a_recovering_host_that_fails_is_open_again_at_once_and_for_longer(opened: Story) -> None:
    opened.passes(MINUTE)
    opened.is_probed()
    opened.answers()
    opened.passes(10 * MINUTE)
    assert not opened.answers()
    opened.fails()
    assert opened.state is BreakerState.OPEN
    opened.passes(59 * SECOND)
    assert not opened.is_probed()
    opened.passes(SECOND)
    assert opened.is_probed()


@pytest.mark.parametrize(
    "spoilt",
    [
        {},
        {"state": "ajar"},
        {"state": "open", "since": "2026-11-21T12:00:00Z", "until": "soon", "failures": "1"},
        {"state": "open", "since": "2026-11-21T12:00:00Z", "until": "2026-11-21T12:00:30Z", "failures": "-1"},
    ],
)
def test_a_fact_that_is_spoilt_is_like_none(spoilt: Fact) -> None:
    assert read_breaker(spoilt).state is BreakerState.CLOSED
    assert claim_probe(spoilt, NOW) is None
