"""The key of the stack's log names, which AWS Secrets Manager made and holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from presence.log_names import SHORTEST_KEY, PeopleNames
from presence.settings import LogNaming

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_TRY_AGAIN_SECONDS = 60.0


def people_names(naming: LogNaming, client: Callable[[], SecretsManagerClient]) -> PeopleNames:
    """Return what names people in the log lines of a function; `client` makes the client that reads the key."""
    return PeopleNames(naming.style, LogKey(client, naming.key_secret))


class LogKey:
    """Reads the key when the first name is needed, and keeps it as long as the function's instance lives.

    `client` makes the client, `secret` is the secret's name or ARN, `monotonic` a clock in seconds. A log line must
    neither fail nor wait for its names: a key that can't be had is None, and is asked for again after a minute.
    """

    def __init__(
        self,
        client: Callable[[], SecretsManagerClient],
        secret: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._secret = secret
        self._monotonic = monotonic
        self._key: str | None = None
        self._ask_at = 0.0

    def __call__(self) -> str | None:
        """Return the key; None if it can't be had at present."""
        if self._key is None and self._monotonic() >= self._ask_at:
            self._ask_at = self._monotonic() + _TRY_AGAIN_SECONDS
            self._key = self._read()
        return self._key

    def _read(self) -> str | None:
        try:
            text = self._client().get_secret_value(SecretId=self._secret).get("SecretString", "")
        except (ClientError, BotoCoreError):
            return None
        return text if len(text) >= SHORTEST_KEY else None
