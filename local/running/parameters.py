"""The parameters of template.yaml that an operator gives by hand: `CheckIntervalMinutes=1`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from local.stack.packaging import CHECKOUT
from local.virtual.template import declared_parameters
from presence.errors import ConfigurationError

OF_ONE_MACHINE: Final = MappingProxyType(
    {
        "SchedulesState": "DISABLED",  # they are driven from outside: see local.stack.schedules
        "MaximumConcurrentChecks": "2",  # each is a process of its own
        "TransitionShards": "1",  # few people: one message a second, and not one for each who changes
    }
)
"""What differs from the template's defaults, unless the operator says otherwise."""

_OURS: Final = "SchedulesState"


def read_parameters(given: Iterable[str], declared: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, str]:
    """Return the parameters of a stack on one machine, from texts `NAME=VALUE`; `declared` is what the template says.

    Raises `ConfigurationError` for a text of another form, a name that is not known, and a value that is not allowed.
    """
    if declared is None:
        declared = declared_parameters(CHECKOUT)
    parameters = dict(OF_ONE_MACHINE)
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigurationError(f"--parameter: {text!r:.60} is not of the form NAME=VALUE")
        if name not in declared or name == _OURS:
            known = ", ".join(sorted(set(declared) - {_OURS}))
            raise ConfigurationError(f"--parameter: {name!r:.60} is not known; there are {known}")
        if mistake := _mistake(value, declared[name]):
            raise ConfigurationError(f"--parameter: {name}: {value!r:.60} {mistake}")
        parameters[name] = value
    return parameters


def _mistake(value: str, declared: Mapping[str, Any]) -> str | None:
    if declared["Type"] == "Number" and not value.isdecimal():
        return "is no whole number"
    allowed = [str(each) for each in declared.get("AllowedValues", ())]
    if allowed and value not in allowed:
        return f"is none of {', '.join(allowed)}"
    if "MinValue" in declared and int(value) < declared["MinValue"]:
        return f"is less than {declared['MinValue']}"
    if "MaxValue" in declared and int(value) > declared["MaxValue"]:
        return f"is more than {declared['MaxValue']}"
    if "AllowedPattern" in declared and not re.fullmatch(declared["AllowedPattern"], value):
        return "is not of the form that is asked for"
    return None
