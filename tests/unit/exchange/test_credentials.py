from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from exchange.account.credentials import Credentials, FileSecrets, SecretsManagerSecrets
from presence.errors import ConfigurationError

SECRET = json.dumps({"username": "EXAMPLE\\reader", "password": "hunter2"})


def put(folder: Path, text: str, mode: int = 0o600) -> None:
    path = folder / "reader.json"
    path.write_text(text)
    path.chmod(mode)


def test_no_repr_shows_the_password() -> None:
    assert "hunter2" not in repr(Credentials("EXAMPLE\\reader", "hunter2"))


def test_a_file_that_only_its_owner_reads_is_a_secret(tmp_path: Path) -> None:
    put(tmp_path, SECRET)

    credentials = FileSecrets(tmp_path).credentials("reader")

    assert (credentials.username, credentials.password) == ("EXAMPLE\\reader", "hunter2")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    put(tmp_path, SECRET, mode)

    with pytest.raises(ConfigurationError, match=r"secret 'reader': .* may be read by others; chmod 600 it"):
        FileSecrets(tmp_path).credentials("reader")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"secret 'absent': .*absent\.json can't be read"):
        FileSecrets(tmp_path).credentials("absent")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hunter2", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('["hunter2"]', "must hold username and password (for kerberos: username) alone"),
        ('{"password": "hunter2"}', "must hold username and password (for kerberos: username) alone"),
        (
            '{"username": "u", "password": "hunter2", "x": 1}',
            "must hold username and password (for kerberos: username) alone",
        ),
        ('{"username": ""}', "username and password must be texts that are not empty"),
        ('{"username": "", "password": "hunter2"}', "username and password must be texts that are not empty"),
        ('{"username": "hunter2", "password": 7}', "username and password must be texts that are not empty"),
    ],
)
def test_a_malformed_secret_is_refused_without_repeating_it(tmp_path: Path, text: str, reason: str) -> None:
    put(tmp_path, text)

    with pytest.raises(ConfigurationError) as caught:
        FileSecrets(tmp_path).credentials("reader")

    assert str(caught.value) == f"secret 'reader': {reason}"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


class SecretsManager:
    """Answers as boto3's client does."""

    class exceptions:  # noqa: N801  as boto3 spells it
        ClientError = ClientError

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.asked: list[str] = []

    def get_secret_value(self, SecretId: str) -> dict[str, Any]:  # noqa: N803  as boto3 spells it
        self.asked.append(SecretId)
        if self.fault:
            raise ClientError({"Error": {"Code": self.fault, "Message": "no"}}, "GetSecretValue")
        return {"SecretString": SECRET, "VersionId": "v1"}


def test_secrets_manager_is_asked_once_in_five_minutes() -> None:
    client, now = SecretsManager(), [0.0]
    secrets = SecretsManagerSecrets(client, "stack/gateways/", monotonic=lambda: now[0])

    first = secrets.credentials("reader")
    now[0] = 299.0
    secrets.credentials("reader")
    assert client.asked == ["stack/gateways/reader"]
    now[0] = 301.0
    secrets.credentials("reader")

    assert len(client.asked) == 2
    assert (first.username, first.password, first.version) == ("EXAMPLE\\reader", "hunter2", "v1")


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException"])
def test_a_missing_secret_is_named(code: str) -> None:
    secrets = SecretsManagerSecrets(SecretsManager(code), "stack/gateways/")

    with pytest.raises(ConfigurationError, match="secret 'stack/gateways/reader': is missing or may not be read"):
        secrets.credentials("reader")


def test_a_fault_of_aws_is_not_taken_for_a_missing_secret() -> None:
    secrets = SecretsManagerSecrets(SecretsManager("ThrottlingException"), "stack/gateways/")

    with pytest.raises(ClientError):
        secrets.credentials("reader")
