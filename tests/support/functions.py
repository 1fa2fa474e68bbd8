"""The functions wired as they are on AWS, in an account of one test: for tests/unit/functions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from tests.support.aws import Account
from tests.support.clocks import Clock

SHARDS = 4
LOG_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/"


@dataclass(slots=True)
class Stack:
    """What the functions find in the account, and their handlers by the name of their folder."""

    aws: Account
    variables: dict[str, str]
    clock: Clock
    handler: Callable[[str], ModuleType]

    @property
    def presences(self) -> PresenceTable:
        return PresenceTable(self.aws.dynamodb, self.variables["PRESENCE_TABLE"], SHARDS)

    @property
    def users(self) -> UserTable:
        return UserTable(self.aws.dynamodb, self.variables["USER_TABLE"])

    def taken_from(self, variable: str) -> list[dict[str, Any]]:
        """Return the messages that wait in the queue of a variable, and empty it."""
        return [json.loads(body) for body in self.aws.take_messages(self.variables[variable])]


def queue_event(*bodies: str) -> dict[str, Any]:
    """An event of SQS, as Lambda hands it over, as far as the functions look at it."""
    return {"Records": [{"messageId": f"m{index}", "body": body} for index, body in enumerate(bodies)]}


def make_resources(aws: Account) -> dict[str, str]:
    """Make what the template makes; return the variables of all functions."""
    return {
        "USER_TABLE": aws.make_table("UserTable"),
        "PRESENCE_TABLE": aws.make_table("PresenceTable"),
        "ENDPOINT_TABLE": aws.make_table("EndpointTable"),
        "CONFIG_TABLE": aws.make_table("ConfigTable"),
        "CHECK_QUEUE_URL": aws.make_queue("checks"),
        "TRANSITION_QUEUE_URL": aws.make_queue("transitions"),
        "PUBLISH_FAILURE_QUEUE_URL": aws.make_queue("failures"),
        "PRESENCE_TOPIC_ARN": aws.sns.create_topic(Name="presence")["TopicArn"],
        "TRANSITION_SHARDS": str(SHARDS),
        "CHECK_INTERVAL_MINUTES": "240",
        "GROUP_SIZE": "100",
        "HORIZON_HOURS": "24",
        "SECRET_PREFIX": "test/gateways/",
        "CONNECT_TIMEOUT_SECONDS": "5",
        "READ_TIMEOUT_SECONDS": "20",
        "FUNCTION_TIMEOUT_SECONDS": "60",
        "STALE_AFTER_MINUTES": "30",
        "UNKNOWN_AFTER_HOURS": "12",
        "EVENT_SOURCE": "urn:calendar-presence:test",
        "PUBLISH_UNTIL": "true",
        "PUBLISH_NEXT": "false",
        "HISTORY_TABLE": aws.make_table("HistoryTable"),
        "HISTORY_DAYS": "30",
        "HISTORY_FAILURE_QUEUE_URL": aws.make_queue("history-failures"),
        "LOG_NAMES": "hmac",
        "LOG_NAMES_KEY": aws.secrets.create_secret(Name="log-names-key", SecretString=LOG_KEY)["ARN"],
    }
