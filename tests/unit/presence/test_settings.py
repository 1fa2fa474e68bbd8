from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest

from presence.errors import ConfigurationError
from presence.events import Disclosure
from presence.freshness import Rules
from presence.log_names import LogNames
from presence.settings import (
    ApplyTransitionsSettings,
    CheckCalendarsSettings,
    LogNaming,
    PublishPresenceSettings,
    RecordHistorySettings,
    ScheduleChecksSettings,
    ScheduleTransitionsSettings,
    SetPresenceSettings,
)
from tests.support.template import function_variables

GOOD: dict[str, str] = {
    "USER_TABLE": "users",
    "PRESENCE_TABLE": "presences",
    "ENDPOINT_TABLE": "endpoints",
    "CONFIG_TABLE": "config",
    "CHECK_QUEUE_URL": "https://sqs.test/checks",
    "TRANSITION_QUEUE_URL": "https://sqs.test/transitions",
    "TRANSITION_SHARDS": "16",
    "CHECK_INTERVAL_MINUTES": "5",
    "GROUP_SIZE": "100",
    "HORIZON_HOURS": "24",
    "SECRET_PREFIX": "test/gateways/",
    "CONNECT_TIMEOUT_SECONDS": "5",
    "READ_TIMEOUT_SECONDS": "20",
    "FUNCTION_TIMEOUT_SECONDS": "60",
    "STALE_AFTER_MINUTES": "30",
    "UNKNOWN_AFTER_HOURS": "12",
    "PRESENCE_TOPIC_ARN": "arn:aws:sns:eu-central-1:123456789012:presence",
    "EVENT_SOURCE": "urn:calendar-presence:test",
    "PUBLISH_FAILURE_QUEUE_URL": "https://sqs.test/failures",
    "PUBLISH_UNTIL": "true",
    "PUBLISH_NEXT": "false",
    "HISTORY_TABLE": "history",
    "HISTORY_DAYS": "30",
    "HISTORY_FAILURE_QUEUE_URL": "https://sqs.test/history-failures",
    "LOG_NAMES": "hmac",
    "LOG_NAMES_KEY": "log-names-key",
}
"""Every variable of every function, as a deployed stack has it."""

READ_BY: dict[str, Callable[[Mapping[str, str]], object]] = {
    "schedule_checks": ScheduleChecksSettings.from_env,
    "check_calendars": CheckCalendarsSettings.from_env,
    "schedule_transitions": ScheduleTransitionsSettings.from_env,
    "apply_transitions": ApplyTransitionsSettings.from_env,
    "publish_presence": PublishPresenceSettings.from_env,
    "record_history": RecordHistorySettings.from_env,
    "set_presence": SetPresenceSettings.from_env,
}
NUMBERS = {name for name, value in GOOD.items() if value.isdigit()}
FLAGS = {name for name, value in GOOD.items() if value in {"true", "false"}}


class Watched(dict[str, str]):
    """An environment that notes what is read of it."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.read.add(key)
        return super().__getitem__(key)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("settings name what they read")


def variables(function: str) -> set[str]:
    environment = Watched(GOOD)
    READ_BY[function](environment)
    return environment.read


CASES = sorted((function, variable) for function in READ_BY for variable in variables(function))


@pytest.mark.parametrize("function", READ_BY)
def test_a_function_reads_exactly_the_variables_that_the_template_gives_it(function: str) -> None:
    of_the_logger = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
    assert variables(function) | of_the_logger == function_variables(function)


@pytest.mark.parametrize(("function", "variable"), CASES)
def test_a_variable_that_is_missing_or_empty_is_named(function: str, variable: str) -> None:
    for environment in ({**GOOD, variable: ""}, {name: value for name, value in GOOD.items() if name != variable}):
        with pytest.raises(ConfigurationError, match=f"variable {variable} is missing"):
            READ_BY[function](environment)


@pytest.mark.parametrize(("function", "variable"), [case for case in CASES if case[1] in NUMBERS])
@pytest.mark.parametrize(
    "wrong", ["five", "-1", "0", "1.5", " 5", "5 ", "\N{ARABIC-INDIC DIGIT FIVE}", "²", "1_0", "1000000", "9" * 5000]
)
def test_a_number_that_is_none_or_out_of_bounds_is_named(function: str, variable: str, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=f"variable {variable} is .*not a number from"):
        READ_BY[function]({**GOOD, variable: wrong})


@pytest.mark.parametrize(("function", "variable"), [case for case in CASES if case[1] in FLAGS])
@pytest.mark.parametrize("wrong", ["True", "yes", "1", "on", " true"])
def test_a_switch_that_is_neither_true_nor_false_is_named(function: str, variable: str, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=f"variable {variable} is '{wrong}', neither true nor false"):
        READ_BY[function]({**GOOD, variable: wrong})


def test_settings_of_schedule_checks() -> None:
    assert ScheduleChecksSettings.from_env(GOOD) == ScheduleChecksSettings(
        user_table="users",
        config_table="config",
        check_queue_url="https://sqs.test/checks",
        check_interval_minutes=5,
        group_size=100,
    )


def test_settings_of_check_calendars() -> None:
    assert CheckCalendarsSettings.from_env({**GOOD, "PUBLISH_UNTIL": "false"}) == CheckCalendarsSettings(
        user_table="users",
        presence_table="presences",
        endpoint_table="endpoints",
        config_table="config",
        check_queue_url="https://sqs.test/checks",
        transition_queue_url="https://sqs.test/transitions",
        transition_shards=16,
        check_interval=timedelta(minutes=5),
        horizon=timedelta(hours=24),
        secret_prefix="test/gateways/",
        connect_timeout=5,
        read_timeout=20,
        longest_read=36,
        longest_replies_read=9,
        rules=Rules(unknown_after=timedelta(hours=12), publish_until=False),
        log_naming=LogNaming(LogNames.HMAC, "log-names-key"),
    )


def test_settings_of_schedule_transitions() -> None:
    assert ScheduleTransitionsSettings.from_env(GOOD) == ScheduleTransitionsSettings(
        presence_table="presences",
        config_table="config",
        transition_queue_url="https://sqs.test/transitions",
        transition_shards=16,
    )


def test_settings_of_apply_transitions() -> None:
    assert ApplyTransitionsSettings.from_env(GOOD) == ApplyTransitionsSettings(
        presence_table="presences",
        transition_queue_url="https://sqs.test/transitions",
        transition_shards=16,
        rules=Rules(unknown_after=timedelta(hours=12), publish_until=True),
        log_naming=LogNaming(LogNames.HMAC, "log-names-key"),
    )


def test_settings_of_set_presence() -> None:
    environment = {**GOOD, "STALE_AFTER_MINUTES": "20", "CHECK_INTERVAL_MINUTES": "10", "PUBLISH_UNTIL": "false"}
    assert SetPresenceSettings.from_env(environment) == SetPresenceSettings(
        user_table="users",
        presence_table="presences",
        config_table="config",
        check_queue_url="https://sqs.test/checks",
        transition_queue_url="https://sqs.test/transitions",
        transition_shards=16,
        rules=Rules(
            stale_after=timedelta(minutes=20),
            unknown_after=timedelta(hours=12),
            check_interval=timedelta(minutes=10),
            publish_until=False,
        ),
        log_naming=LogNaming(LogNames.HMAC, "log-names-key"),
    )


@pytest.mark.parametrize("until", ["true", "false"])
@pytest.mark.parametrize("following", ["true", "false"])
def test_settings_of_publish_presence(until: str, following: str) -> None:
    environment = {**GOOD, "PUBLISH_UNTIL": until, "PUBLISH_NEXT": following}
    assert PublishPresenceSettings.from_env(environment) == PublishPresenceSettings(
        topic_arn="arn:aws:sns:eu-central-1:123456789012:presence",
        event_source="urn:calendar-presence:test",
        failure_queue_url="https://sqs.test/failures",
        disclosure=Disclosure(until=until == "true", next=following == "true"),
        log_naming=LogNaming(LogNames.HMAC, "log-names-key"),
    )


@pytest.mark.parametrize("function", [case[0] for case in CASES if case[1] == "LOG_NAMES"])
@pytest.mark.parametrize("wrong", ["HMAC", "name", "hmac ", "user_id"])
def test_a_way_to_name_people_that_is_none_is_named(function: str, wrong: str) -> None:
    with pytest.raises(ConfigurationError, match=f"variable LOG_NAMES is '{wrong}', none of hmac, user-id, address"):
        READ_BY[function]({**GOOD, "LOG_NAMES": wrong})


def test_settings_do_not_change() -> None:
    settings = ScheduleChecksSettings.from_env(GOOD)
    with pytest.raises(FrozenInstanceError):
        settings.group_size = 1  # type: ignore[misc]
