"""Functions and layers: what they are built for, what they are told, and where it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from presence import settings
from presence.errors import ConfigurationError
from presence.observing import METRIC_NAMESPACE, Observer
from tests.support.template import TEMPLATE, function_variables, resources, template

CHECKOUT = TEMPLATE.parent
FOLDERS = sorted(path.parent.name for path in CHECKOUT.glob("functions/*/handler.py"))
SETTINGS: dict[str, Callable[[Any], object]] = {
    "schedule_checks": settings.ScheduleChecksSettings.from_env,
    "check_calendars": settings.CheckCalendarsSettings.from_env,
    "schedule_transitions": settings.ScheduleTransitionsSettings.from_env,
    "apply_transitions": settings.ApplyTransitionsSettings.from_env,
    "publish_presence": settings.PublishPresenceSettings.from_env,
    "record_history": settings.RecordHistorySettings.from_env,
    "set_presence": settings.SetPresenceSettings.from_env,
}
LEAST_DEPLOYED = {"HistoryDays": "1"}  # with fewer days there is no function to tell
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}  # read by the library itself


class RecordingEnvironment(dict[str, str]):
    """An environment that notes which variables it is asked for."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return super().__getitem__(key)


def _variables(folder: str, choice: str = "Default") -> dict[str, str]:
    """Return a function's own variables as a deployment sets them; `choice` says which value of a parameter."""
    values: dict[str, str] = {}
    for name, value in _function(folder).get("Environment", {}).get("Variables", {}).items():
        if isinstance(value, str):
            values[name] = value
            continue
        parameter = template()["Parameters"].get(value.get("Ref"), {})
        chosen = str(parameter.get(choice, parameter.get("Default", "something")))
        values[name] = LEAST_DEPLOYED.get(value.get("Ref"), chosen) if chosen == "0" else chosen
    return values


def _function(folder: str) -> Any:
    return next(
        properties
        for _, properties in resources("AWS::Serverless::Function")
        if properties["CodeUri"] == f"functions/{folder}/"
    )


def test_every_folder_is_deployed_and_named_after_itself() -> None:
    deployed = {
        properties["CodeUri"]: properties["FunctionName"] for _, properties in resources("AWS::Serverless::Function")
    }
    assert deployed == {f"functions/{folder}/": {"Fn::Sub": f"${{AWS::StackName}}-{folder}"} for folder in FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_is_told_what_its_settings_read_and_nothing_else(folder: str) -> None:
    environment = RecordingEnvironment(_variables(folder))
    SETTINGS[folder](environment)
    assert environment.asked == function_variables(folder) - POWERTOOLS


@pytest.mark.parametrize("choice", ["MinValue", "MaxValue"])
@pytest.mark.parametrize("folder", FOLDERS)
def test_what_the_parameters_allow_the_settings_take(folder: str, choice: str) -> None:
    SETTINGS[folder](_variables(folder, choice))


@pytest.mark.parametrize(("bound", "beyond"), [("MinValue", -1), ("MaxValue", 1)])
@pytest.mark.parametrize("folder", FOLDERS)
def test_what_the_parameters_do_not_allow_the_settings_refuse(folder: str, bound: str, beyond: int) -> None:
    variables, parameters = _variables(folder), template()["Parameters"]
    for name, value in _function(folder).get("Environment", {}).get("Variables", {}).items():
        limit = parameters.get(value.get("Ref"), {}).get(bound) if isinstance(value, dict) else None
        if limit is not None:
            with pytest.raises(ConfigurationError, match=name):
                SETTINGS[folder]({**variables, name: str(limit + beyond)})


def test_every_check_interval_that_may_be_chosen_divides_the_buckets_and_has_its_seconds() -> None:
    choices = template()["Parameters"]["CheckIntervalMinutes"]["AllowedValues"]
    assert [choice for choice in choices if 240 % choice] == []
    assert template()["Mappings"]["CheckInterval"] == {str(choice): {"Seconds": 60 * choice} for choice in choices}


def test_every_time_out_that_may_be_chosen_has_a_visibility_timeout() -> None:
    for parameter in ("CheckTimeoutSeconds", "TransitionTimeoutSeconds"):
        choices = template()["Parameters"][parameter]["AllowedValues"]
        assert {str(choice) for choice in choices} == template()["Mappings"]["VisibilityTimeout"].keys()


def test_every_parameter_is_described_and_used() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, parameter in template()["Parameters"].items():
        assert len(parameter.get("Description", "")) > 20, name
        assert (
            f"!Ref {name}\n" in text or f"!Ref {name}," in text or f"!Ref {name} " in text or f"!Ref {name}]" in text
        ), name


def test_the_functions_run_on_python313_on_arm64() -> None:
    common = template()["Globals"]["Function"]
    assert (common["Runtime"], common["Architectures"], common["Handler"]) == (
        "python3.13",
        ["arm64"],
        "handler.lambda_handler",
    )
    assert not [name for name, function in resources("AWS::Serverless::Function") if "Runtime" in function]


def test_layers_are_built_for_the_runtime_of_the_functions() -> None:
    common = template()["Globals"]["Function"]
    layers = {
        name: layer
        for name, layer in template()["Resources"].items()
        if layer["Type"] == "AWS::Serverless::LayerVersion"
    }
    assert layers.keys() == {"PresenceLayer", "ExchangeLayer"}
    for name, layer in layers.items():
        assert layer["Metadata"]["BuildMethod"] == common["Runtime"], name
        assert [layer["Metadata"]["BuildArchitecture"]] == common["Architectures"], name
        assert layer["Properties"]["CompatibleRuntimes"] == [common["Runtime"]], name
        assert layer["Properties"]["CompatibleArchitectures"] == common["Architectures"], name


def test_only_what_talks_to_exchange_has_the_exchange_layer_and_joins_a_vpc() -> None:
    assert template()["Globals"]["Function"]["Layers"] == [{"Ref": "PresenceLayer"}]
    for key in ("Layers", "VpcConfig"):
        assert [name for name, function in resources("AWS::Serverless::Function") if key in function] == [
            "CheckCalendarsFunction"
        ]


def test_toward_exchange_concurrency_is_bounded() -> None:
    event = _function("check_calendars")["Events"]["CheckRequests"]["Properties"]
    assert event["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "MaximumConcurrentChecks"}}


def test_both_schedules_tick_every_minute_and_tell_the_time() -> None:
    for folder in ("schedule_checks", "schedule_transitions"):
        schedule = _function(folder)["Events"]["EveryMinute"]["Properties"]
        assert schedule["ScheduleExpression"] == "rate(1 minute)"
        assert json.loads(schedule["Input"]) == {"type": "ScheduleTick", "time": "<aws.scheduler.scheduled-time>"}


@pytest.fixture
def metrics(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the metrics of a function that has counted users with problems, under the template's variables."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "the-stack")
    Observer("check_calendars").count({"UsersWithProblems": 3})
    emitted: dict[str, Any] = json.loads(capsys.readouterr().out)
    return emitted


def test_the_alarm_on_users_with_problems_watches_what_is_emitted(metrics: dict[str, Any]) -> None:
    alarm = next(
        properties
        for _, properties in resources("AWS::CloudWatch::Alarm")
        if properties["MetricName"] == "UsersWithProblems"
    )
    assert alarm["Namespace"] == METRIC_NAMESPACE
    (emitted,) = metrics["_aws"]["CloudWatchMetrics"]
    assert emitted["Namespace"] == alarm["Namespace"]
    assert [metric["Name"] for metric in emitted["Metrics"]] == [alarm["MetricName"]]
    assert emitted["Dimensions"] == [[dimension["Name"] for dimension in alarm["Dimensions"]]]
    assert metrics["service"] == "the-stack"
    of_all = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert of_all["POWERTOOLS_SERVICE_NAME"] == alarm["Dimensions"][0]["Value"] == {"Ref": "AWS::StackName"}


def test_nothing_else_in_the_folder_of_a_function_but_its_handler() -> None:
    for folder in FOLDERS:
        found = {path.name for path in Path(CHECKOUT / "functions" / folder).iterdir()} - {"__pycache__"}
        assert found == {"handler.py"}
