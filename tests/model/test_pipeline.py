"""The whole pipeline against the oracle, in random order, until quiet.

`make model EXAMPLES=20000` runs that many fresh examples instead of the fixed ones of every run.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import Pipeline

FRESH = int(os.environ.get("MODEL_EXAMPLES", "0"))
SETTINGS = settings(
    max_examples=FRESH or 200,
    stateful_step_count=30,
    derandomize=not FRESH,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


# It takes half a minute; a failure is made short for up to five.
@pytest.mark.timeout(0 if FRESH else 420)
def test_in_whatever_order_things_happen_no_promise_is_broken() -> None:
    run_state_machine_as_test(Pipeline, settings=SETTINGS)
