"""What each function is told by its environment: one frozen dataclass a function.

A missing or wrong variable raises `ConfigurationError` naming it. Nothing is read until `from_env()` is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from presence.errors import ConfigurationError
from presence.events import Disclosure
from presence.freshness import Rules
from presence.log_names import LogNames

LONGEST_INTERVAL_MINUTES = 240


@dataclass(frozen=True, slots=True)
class LogNaming:
    """How log lines name people, and the secret that holds the key for it, by name or ARN."""

    style: LogNames
    key_secret: str


@dataclass(frozen=True, slots=True)
class ScheduleChecksSettings:
    """Of `schedule_checks`."""

    user_table: str
    config_table: str
    check_queue_url: str
    check_interval_minutes: int
    group_size: int

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings. Raises `ConfigurationError`."""
        return cls(
            user_table=_text(environment, "USER_TABLE"),
            config_table=_text(environment, "CONFIG_TABLE"),
            check_queue_url=_text(environment, "CHECK_QUEUE_URL"),
            check_interval_minutes=_number(environment, "CHECK_INTERVAL_MINUTES", 1, LONGEST_INTERVAL_MINUTES),
            group_size=_number(environment, "GROUP_SIZE", 1, 100),
        )


@dataclass(frozen=True, slots=True)
class CheckCalendarsSettings:
    """Of `check_calendars`; the time-outs are in seconds."""

    user_table: str
    presence_table: str
    endpoint_table: str
    config_table: str
    check_queue_url: str
    transition_queue_url: str
    transition_shards: int
    check_interval: timedelta
    horizon: timedelta
    secret_prefix: str
    connect_timeout: float
    read_timeout: float
    longest_read: float
    longest_replies_read: float
    rules: Rules
    log_naming: LogNaming

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings. Raises `ConfigurationError`."""
        return cls(
            user_table=_text(environment, "USER_TABLE"),
            presence_table=_text(environment, "PRESENCE_TABLE"),
            endpoint_table=_text(environment, "ENDPOINT_TABLE"),
            config_table=_text(environment, "CONFIG_TABLE"),
            check_queue_url=_text(environment, "CHECK_QUEUE_URL"),
            transition_queue_url=_text(environment, "TRANSITION_QUEUE_URL"),
            transition_shards=_number(environment, "TRANSITION_SHARDS", 1, 64),
            check_interval=_check_interval(environment),
            horizon=timedelta(hours=_number(environment, "HORIZON_HOURS", 2, 48)),
            secret_prefix=_text(environment, "SECRET_PREFIX"),
            connect_timeout=_number(environment, "CONNECT_TIMEOUT_SECONDS", 1, 30),
            read_timeout=_number(environment, "READ_TIMEOUT_SECONDS", 1, 120),
            # A quarter of the function's time is left for writing what was read.
            longest_read=0.6 * _number(environment, "FUNCTION_TIMEOUT_SECONDS", 1, 900),
            longest_replies_read=0.15 * _number(environment, "FUNCTION_TIMEOUT_SECONDS", 1, 900),
            rules=_rules(environment),
            log_naming=_log_naming(environment),
        )


@dataclass(frozen=True, slots=True)
class ScheduleTransitionsSettings:
    """Of `schedule_transitions`."""

    presence_table: str
    config_table: str
    transition_queue_url: str
    transition_shards: int

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings. Raises `ConfigurationError`."""
        return cls(
            presence_table=_text(environment, "PRESENCE_TABLE"),
            config_table=_text(environment, "CONFIG_TABLE"),
            transition_queue_url=_text(environment, "TRANSITION_QUEUE_URL"),
            transition_shards=_number(environment, "TRANSITION_SHARDS", 1, 64),
        )


@dataclass(frozen=True, slots=True)
class ApplyTransitionsSettings:
    """Of `apply_transitions`."""

    presence_table: str
    transition_queue_url: str
    transition_shards: int
    rules: Rules
    log_naming: LogNaming

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings. Raises `ConfigurationError`."""
        return cls(
            presence_table=_text(environment, "PRESENCE_TABLE"),
            transition_queue_url=_text(environment, "TRANSITION_QUEUE_URL"),
            transition_shards=_number(environment, "TRANSITION_SHARDS", 1, 64),
            rules=_rules(environment),
            log_naming=_log_naming(environment),
        )


@dataclass(frozen=True, slots=True)
class SetPresenceSettings:
    """Of `set_presence`."""

    user_table: str
    presence_table: str
    config_table: str
    check_queue_url: str
    transition_queue_url: str
    transition_shards: int
    rules: Rules
    log_naming: LogNaming

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings. Raises `ConfigurationError`."""
        return cls(
            user_table=_text(environment, "USER_TABLE"),
            presence_table=_text(environment, "PRESENCE_TABLE"),
            config_table=_text(environment, "CONFIG_TABLE"),
            check_queue_url=_text(environment, "CHECK_QUEUE_URL"),
            transition_queue_url=_text(environment, "TRANSITION_QUEUE_URL"),
            transition_shards=_number(environment, "TRANSITION_SHARDS", 1, 64),
            rules=_rules(environment),
            log_naming=_log_naming(environment),
        )


@dataclass(frozen=True, slots=True)
class PublishPresenceSettings:
    """Of `publish_presence`; `event_source` is the CloudEvents source, a URI."""

    topic_arn: str
    event_source: str
    failure_queue_url: str
    disclosure: Disclosure
    log_naming: LogNaming

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings. Raises `ConfigurationError`."""
        return cls(
            topic_arn=_text(environment, "PRESENCE_TOPIC_ARN"),
            event_source=_text(environment, "EVENT_SOURCE"),
            failure_queue_url=_text(environment, "PUBLISH_FAILURE_QUEUE_URL"),
            disclosure=Disclosure(until=_flag(environment, "PUBLISH_UNTIL"), next=_flag(environment, "PUBLISH_NEXT")),
            log_naming=_log_naming(environment),
        )


@dataclass(frozen=True, slots=True)
class RecordHistorySettings:
    """Of `record_history`, which is deployed only where the days are more than 0."""

    history_table: str
    kept: timedelta
    failure_queue_url: str
    log_naming: LogNaming

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings. Raises `ConfigurationError`."""
        return cls(
            history_table=_text(environment, "HISTORY_TABLE"),
            kept=timedelta(days=_number(environment, "HISTORY_DAYS", 1, 365)),
            failure_queue_url=_text(environment, "HISTORY_FAILURE_QUEUE_URL"),
            log_naming=_log_naming(environment),
        )


def _rules(environment: Mapping[str, str]) -> Rules:
    return Rules(
        stale_after=timedelta(minutes=_number(environment, "STALE_AFTER_MINUTES", 1, 24 * 60)),
        unknown_after=timedelta(hours=_number(environment, "UNKNOWN_AFTER_HOURS", 1, 48)),
        check_interval=_check_interval(environment),
        publish_until=_flag(environment, "PUBLISH_UNTIL"),
    )


def _log_naming(environment: Mapping[str, str]) -> LogNaming:
    style = _text(environment, "LOG_NAMES")
    if style not in set(LogNames):
        words = ", ".join(LogNames)
        raise ConfigurationError(f"the environment variable LOG_NAMES is {style[:40]!r}, none of {words}")
    return LogNaming(LogNames(style), _text(environment, "LOG_NAMES_KEY"))


def _check_interval(environment: Mapping[str, str]) -> timedelta:
    return timedelta(minutes=_number(environment, "CHECK_INTERVAL_MINUTES", 1, LONGEST_INTERVAL_MINUTES))


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ConfigurationError(f"the environment variable {name} is missing; template.yaml sets it")
    return value


def _number(environment: Mapping[str, str], name: str, least: int, most: int) -> int:
    value = _text(environment, name)
    if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
        shown = value[:40]
        raise ConfigurationError(f"the environment variable {name} is {shown!r}, not a number from {least} to {most}")
    return int(value)


def _flag(environment: Mapping[str, str], name: str) -> bool:
    value = _text(environment, name)
    if value not in {"true", "false"}:
        raise ConfigurationError(f"the environment variable {name} is {value!r}, neither true nor false")
    return value == "true"
