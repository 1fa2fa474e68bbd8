"""Fills a deployed stack: gateways, credentials, users. Writes them as the operator's command does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from local.stack.deployment import Deployment
from local.stack.tables import configuration_of, users_of
from presence.records import User
from presence.tables.configuration import GATEWAYS
from presence.tables.users import AddressTaken, UserTable


def seed(
    deployment: Deployment,
    *,
    gateways: Mapping[str, object],
    credentials: Mapping[str, Mapping[str, str]],
    addresses: Iterable[str],
    profile: str = "default",
) -> tuple[User, ...]:
    """Put the gateways document, its secrets and users; return the users, in the order of the addresses.

    What is there already is kept (users) or replaced (all else). `credentials` are username and password by the
    reference with which gateways name them. Raises `ConfigurationError` if an address is none, or the document is too
    large.
    """
    secrets = deployment.client("secretsmanager")
    for reference, credential in credentials.items():
        name = deployment.outputs["SecretPrefix"] + reference
        try:
            secrets.create_secret(Name=name, SecretString=json.dumps(dict(credential)))
        except secrets.exceptions.ResourceExistsException:
            secrets.put_secret_value(SecretId=name, SecretString=json.dumps(dict(credential)))
    configuration_of(deployment).put_document(GATEWAYS, gateways)
    table = users_of(deployment)
    return tuple(_add(table, address, profile) for address in addresses)


def _add(table: UserTable, address: str, profile: str) -> User:
    try:
        return table.add(address, profile)
    except AddressTaken:
        user = table.find(address)
        if user is None:  # removed by somebody in between
            raise
        return user
