"""Every test event through its handler, held to events/expected.toml."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from cli.arguments import FUNCTIONS
from local.exchange.scenario import demo_organisation
from local.exchange.server import SimulatedExchange
from presence.clock import system_clock
from tests.support.deployed import Deployed
from tests.support.expected_events import (
    KEYS,
    cases,
    event_of,
    expectations,
    expected_answer,
    kept,
    mistakes,
    shown,
    stable,
    told,
)
from tests.support.handlers import Handlers


@pytest.fixture(scope="module")
def exchange() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(demo_organisation(system_clock() - timedelta(minutes=2))) as running:
        yield running


def test_no_event_is_without_an_expectation_and_no_expectation_without_an_event() -> None:
    assert set(cases()) == set(expectations())
    for case, stated in expectations().items():
        assert stated["says"], case
        assert set(stated) <= KEYS, case


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_has_good_events_and_malformed_ones(function: str) -> None:
    of_function = [stated for case, stated in expectations().items() if case.startswith(f"{function}/")]
    refused = [stated for stated in of_function if {"error", "reasons"} & set(stated)]
    assert len(refused) >= 4
    assert len(of_function) - len(refused) >= 2


@pytest.mark.parametrize("case", cases())
def test_an_event_does_what_is_expected_of_it(
    case: str, stack: Deployed, exchange: SimulatedExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    function, stated = case.partition("/")[0], expectations()[case]
    # As the workbench deploys it, so that each user has their turn in every minute.
    handlers = Handlers(stack, exchange, monkeypatch, {"CHECK_INTERVAL_MINUTES": "1", "HISTORY_DAYS": "30"})
    done = handlers.run(function, event_of(case))
    assert done.error == stated.get("error")
    assert stable(done.answer) == expected_answer(case)
    assert list(done.reasons) == stated.get("reasons", [])
    assert shown(done.written) == stated.get("written", {})
    assert done.queued == stated.get("queued", {})
    assert told(done.published) == stated.get("published", {})
    assert kept(done.recorded) == stated.get("recorded", {})
    assert [mistakes(event) for event in done.published] == [[]] * len(done.published)
