"""The tables of a deployed stack, by the outputs of template.yaml, whether it stands in the engine or on AWS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from presence.clock import system_clock
from presence.tables.configuration import ConfigTable
from presence.tables.endpoints import EndpointTable
from presence.tables.history import HistoryTable
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable


class DeployedStack(Protocol):
    """A stack wherever it stands: the template's outputs, and clients of the account."""

    @property
    def outputs(self) -> Mapping[str, str]:
        """Return the values of the template's outputs by their names."""

    def client(self, service: str) -> Any:
        """Return a boto3 client."""


def users_of(stack: DeployedStack) -> UserTable:
    """Return the table of users."""
    return UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"])


def presences_of(stack: DeployedStack, shards: int = 1) -> PresenceTable:
    """Return the table of presences; `shards` are those over which what is written here is spread on the index."""
    return PresenceTable(stack.client("dynamodb"), stack.outputs["PresenceTableName"], shards)


def history_of(stack: DeployedStack) -> HistoryTable:
    """Return the table of history."""
    return HistoryTable(stack.client("dynamodb"), stack.outputs["HistoryTableName"])


def configuration_of(stack: DeployedStack) -> ConfigTable:
    """Return the table of configuration."""
    return ConfigTable(stack.client("dynamodb"), stack.outputs["ConfigTableName"])


def endpoints_of(stack: DeployedStack) -> EndpointTable:
    """Return the table of endpoints."""
    return EndpointTable(stack.client("dynamodb"), stack.outputs["EndpointTableName"], system_clock)
