"""What an operator gives `presence run`: the gateways document, the secrets, the users. Read, checked, put in place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.document_lines import lines_told
from cli.user_list import ListedUser, read_user_list
from exchange.account.credentials import Credentials, FileSecrets
from exchange.gateway_documents import load_gateways_document, parse_gateways
from local.stack.tables import DeployedStack, configuration_of, users_of
from presence.errors import ConfigurationError
from presence.tables.configuration import GATEWAYS


@dataclass(frozen=True, slots=True)
class Inputs:
    """The gateways document as plain data, its secrets by reference, and the users (None: no list was given)."""

    document: Mapping[str, object]
    secrets: Mapping[str, Credentials]
    users: Sequence[ListedUser] | None


def read_inputs(config: Path, secrets_folder: Path, users: Path | None) -> Inputs:
    """Read and check everything.

    Raises `ConfigurationError` for the first mistake: in the document, a secret of it that is missing or that others
    may read, a line of the list of users, a profile there that the document does not have.
    """
    with lines_told(config):
        content = load_gateways_document(config)
        document = parse_gateways(content)
    source = FileSecrets(secrets_folder)
    secrets = {
        reference: source.credentials(reference)
        for reference in sorted({gateway.credentials for gateway in document.gateways})
    }
    listed = None if users is None else read_user_list(users)
    for name in sorted({user.profile for user in listed or () if user.profile is not None}):
        document.profiles.named(name)
    return Inputs(content, secrets, listed)


class Place:
    """Puts inputs into a stack, as far as they differ from what is there."""

    def __init__(self, stack: DeployedStack) -> None:
        self._secretsmanager = stack.client("secretsmanager")
        self._secret_prefix = stack.outputs["SecretPrefix"]
        self._configuration = configuration_of(stack)
        self._users = users_of(stack)
        self._secrets: dict[str, Credentials] = {}

    def put(self, inputs: Inputs) -> list[str]:
        """Put everything in its place; return what that changed, in words.

        The secrets come first, so that no function meets a gateway without one. Raises `ConfigurationError` if the
        document is too large.
        """
        return [
            *self._put_secrets(inputs.secrets),
            *self._put_document(inputs.document),
            *self._put_users(inputs.users or ()),
        ]

    def _put_secrets(self, secrets: Mapping[str, Credentials]) -> list[str]:
        done = []
        for reference, credentials in secrets.items():
            if self._secrets.get(reference) == credentials:
                continue
            self._put_secret(self._secret_prefix + reference, credentials)
            self._secrets[reference] = credentials
            done.append(f"secret {reference} is in place")
        return done

    def _put_secret(self, name: str, credentials: Credentials) -> None:
        form = {"username": credentials.username} | ({"password": credentials.password} if credentials.password else {})
        # The version is that of the file, so that a run does not try rejected credentials anew that the last run tried.
        version = hashlib.sha256(f"{name} {credentials.version}".encode()).hexdigest()
        value = {"SecretString": json.dumps(form), "ClientRequestToken": version}
        try:
            self._secretsmanager.create_secret(Name=name, **value)
        except self._secretsmanager.exceptions.ResourceExistsException:
            self._secretsmanager.put_secret_value(SecretId=name, **value)

    def _put_document(self, content: Mapping[str, object]) -> list[str]:
        stored = self._configuration.document(GATEWAYS)
        if stored is not None and _as_stored(stored.content) == _as_stored(content):
            return []
        put = self._configuration.put_document(GATEWAYS, content)
        return [f"version {put.version} of the gateways document is in place; it is live within a minute"]

    def _put_users(self, listed: Sequence[ListedUser]) -> list[str]:
        there = {scheduled.user.address: scheduled.user for scheduled in self._users.every()} if listed else {}
        added = changed = 0
        for user in listed:
            present = there.get(user.address)
            if present is None:
                self._users.add(user.address, user.profile, groups=user.groups or ())
                added += 1
            elif (wanted := user.assigned_to(present)) != (present.profile, present.groups):
                self._users.assign(present.user_id, *wanted)
                changed += 1
        return [f"{added} users added, {changed} changed"] if added or changed else []


def _as_stored(content: Mapping[str, object]) -> Any:
    return json.loads(json.dumps(content))


class Follower:
    """Follows the operator's files while the system runs: puts in place what is changed, refuses what is broken."""

    def __init__(self, place: Place, config: Path, secrets_folder: Path, users: Path | None, inputs: Inputs) -> None:
        self._place = place
        self._files = (config, secrets_folder, users)
        self._inputs = inputs
        self._mistake: str | None = None

    def look(self) -> list[str]:
        """Read the files again; return what is to be told: what was put in place, or a mistake, once each."""
        try:
            inputs = read_inputs(*self._files)
            if inputs == self._inputs and self._mistake is None:
                return []
            told = self._place.put(inputs)
        except ConfigurationError as error:
            if str(error) == self._mistake:
                return []
            self._mistake = str(error)
            return [f"refused: {error}; what was in place before stays"]
        if self._mistake is not None:
            told.insert(0, "the mistake is mended")
        self._inputs, self._mistake = inputs, None
        return told
