"""The handlers of the functions, each with exactly the variables that the template gives it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from types import ModuleType

import pytest

from tests.support.aws import ENVIRONMENT, Account, account
from tests.support.clocks import Clock
from tests.support.functions import Stack, make_resources
from tests.support.template import function_variables


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def aws() -> Iterator[Account]:
    with account() as made:
        yield made


@pytest.fixture
def stack(
    aws: Account, clock: Clock, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Stack]:
    variables = make_resources(aws)
    loaded: list[ModuleType] = []

    def handler(name: str) -> ModuleType:
        """Load a function with exactly the variables that the template gives it."""
        wanted = function_variables(name)
        for variable, value in {**variables, **_of_the_logger(request)}.items():
            if variable in wanted:
                monkeypatch.setenv(variable, value)
            else:
                monkeypatch.delenv(variable, raising=False)
        module = importlib.import_module(f"functions.{name}.handler")
        module.parts.cache_clear()
        monkeypatch.setattr(module.boto3, "client", aws.client)
        loaded.append(module)
        if hasattr(module, "system_clock"):
            monkeypatch.setattr(module, "system_clock", clock)
        return module

    for variable, value in ENVIRONMENT.items():
        monkeypatch.setenv(variable, value)
    yield Stack(aws, variables, clock, handler)
    for module in loaded:
        module.parts.cache_clear()


def _of_the_logger(request: pytest.FixtureRequest) -> Mapping[str, str]:
    # Powertools keeps a logger per service, with the standard output of the day it was made.
    return {"POWERTOOLS_SERVICE_NAME": request.node.nodeid, "POWERTOOLS_LOG_LEVEL": "INFO"}
