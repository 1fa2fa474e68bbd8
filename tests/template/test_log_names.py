"""The key of the log names: made by the stack, read by those functions that name people, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from presence.log_names import SHORTEST_KEY, LogNames
from tests.support.template import template
from tests.template.rules import actions, resources, statements

Template = dict[str, Any]
KEY = {"Fn::GetAtt": ["LogNamesKey", "Id"]}
SCHEDULES = {"ScheduleChecksFunction", "ScheduleTransitionsFunction"}


def mistakes(transformed: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the key, and with who may read it."""
    ((name, secret),) = resources(transformed, "AWS::SecretsManager::Secret").items()
    made = secret["Properties"].get("GenerateSecretString", {})
    if "SecretString" in secret["Properties"] or made.get("PasswordLength", 32) < SHORTEST_KEY:
        yield f"{name} is no secret of the stack's own making, or short"
    if "Name" in secret["Properties"]:
        yield f"{name} has a name, which another policy may cover and a deleted stack would hold"
    for function, described in resources(transformed, "AWS::Lambda::Function").items():
        told = _plain(described["Properties"]["Environment"]["Variables"].get("LOG_NAMES_KEY")) == KEY
        role = transformed["Resources"][_plain(described["Properties"]["Role"])["Fn::GetAtt"][0]]
        may = any(
            "secretsmanager:GetSecretValue" in actions(statement) and _plain(statement["Resource"]) == KEY
            for statement in statements(role)
        )
        if told != may:
            yield f"{function}: knows of the key: {told}, may read it: {may}"
        if told == (function in SCHEDULES):
            yield f"{function}: knows of the key: {told}"


def _plain(value: Any) -> Any:
    """Return a `GetAtt` in its long form."""
    if isinstance(value, dict) and isinstance(value.get("Fn::GetAtt"), str):
        return {"Fn::GetAtt": value["Fn::GetAtt"].split(".")}
    return value


def test_the_functions_that_name_people_have_the_key_and_no_others(transformed: Template) -> None:
    assert list(mistakes(transformed)) == []


def test_an_operator_may_choose_each_way_to_name_people_and_gets_the_hmac_unasked() -> None:
    parameter = template()["Parameters"]["LogNames"]
    assert parameter["AllowedValues"] == [style.value for style in LogNames]
    assert parameter["Default"] == LogNames.HMAC


def _write_the_key_down(broken: Template) -> None:
    broken["Resources"]["LogNamesKey"]["Properties"] = {"SecretString": "k" * 64}


def _shorten_the_key(broken: Template) -> None:
    broken["Resources"]["LogNamesKey"]["Properties"]["GenerateSecretString"]["PasswordLength"] = 16


def _name_it_as_gateways_are(broken: Template) -> None:
    broken["Resources"]["LogNamesKey"]["Properties"]["Name"] = {"Fn::Sub": "${AWS::StackName}/gateways/log"}


def _forbid_it_to_one(broken: Template) -> None:
    (policy,) = broken["Resources"]["PublishPresenceRole"]["Properties"]["Policies"]
    policy["PolicyDocument"]["Statement"] = [
        each for each in policy["PolicyDocument"]["Statement"] if each["Sid"] != "ReadKeyOfLogNames"
    ]


def _tell_a_schedule(broken: Template) -> None:
    broken["Resources"]["ScheduleChecksFunction"]["Properties"]["Environment"]["Variables"]["LOG_NAMES_KEY"] = KEY


@pytest.mark.parametrize(
    "breakage", [_write_the_key_down, _shorten_the_key, _name_it_as_gateways_are, _forbid_it_to_one, _tell_a_schedule]
)
def test_a_mistake_is_noticed(breakage: Callable[[Template], None], transformed: Template) -> None:
    breakage(transformed)
    assert list(mistakes(transformed))
