"""The key of the log names: read once, from a client that is made late, and never waited for."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from presence.log_key import LogKey, people_names
from presence.log_names import LogNames, Person, name_of_user
from presence.settings import LogNaming

KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
DENIED = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetSecretValue")
AWAY = ConnectTimeoutError(endpoint_url="https://secretsmanager.test")


class Secrets:
    """Stands for Secrets Manager: holds a text, or raises an error."""

    def __init__(self, held: str | Exception) -> None:
        self.held = held
        self.asked: list[str] = []
        self.made = 0

    def client(self) -> Any:
        self.made += 1
        return self

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803  AWS's spelling
        self.asked.append(SecretId)
        if isinstance(self.held, Exception):
            raise self.held
        return {"SecretString": self.held}


def test_the_key_is_read_when_it_is_needed_and_once() -> None:
    secrets = Secrets(KEY)
    key = LogKey(secrets.client, "the-secret")
    assert secrets.made == 0
    assert [key(), key()] == [KEY, KEY]
    assert (secrets.made, secrets.asked) == (1, ["the-secret"])


@pytest.mark.parametrize("fault", [DENIED, AWAY, "too short", ""], ids=["denied", "away", "short", "empty"])
def test_a_key_that_can_t_be_had_is_asked_for_again_a_minute_later(fault: str | Exception) -> None:
    secrets, now = Secrets(fault), [5.0]
    key = LogKey(secrets.client, "the-secret", lambda: now[0])
    assert [key(), key()] == [None, None]
    now[0] += 59
    assert key() is None
    assert len(secrets.asked) == 1, "no line waits for it again within the minute"
    now[0] += 2
    secrets.held = KEY
    assert key() == KEY


def test_a_function_names_people_as_its_settings_say() -> None:
    alice = Person("6f1c0a9b8d7e6f5a4b3c2d1e0f9a8b7c", "alice@example.com")
    secrets = Secrets(KEY)
    assert people_names(LogNaming(LogNames.HMAC, "s"), secrets.client).of(alice) == name_of_user(KEY, alice.user_id)
    assert people_names(LogNaming(LogNames.ADDRESS, "s"), secrets.client).of(alice) == "alice@example.com"
