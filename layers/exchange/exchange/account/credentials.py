"""The accounts that read calendars, kept outside the gateways document: in files or in AWS Secrets Manager."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from presence.errors import ConfigurationError

_KEEP_SECONDS = 300.0
_OTHERS_MAY_READ = 0o077
_FORMS = ({"username", "password"}, {"username"})
_LACKING = frozenset({"ResourceNotFoundException", "AccessDeniedException", "InvalidRequestException"})


@dataclass(frozen=True, slots=True)
class Credentials:
    r"""A user name (`DOMAIN\user` or a UPN) and a password, which no repr shows; none where Kerberos needs none.

    `version` changes when the secret does, so that a corrected password is tried at once.
    """

    username: str
    password: str = field(repr=False, default="")
    version: str = ""


class SecretSource(Protocol):
    """Where secrets are kept."""

    def credentials(self, reference: str) -> Credentials:
        """Return the secret of that name; raises `ConfigurationError` that names it if it is missing or unusable."""


class FileSecrets:
    """Secrets as files `<folder>/<reference>.json` that only their owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def credentials(self, reference: str) -> Credentials:
        """Read the file anew. Raises `ConfigurationError` if it is missing, readable by others, or malformed."""
        path = self._folder / f"{reference}.json"
        try:
            state = path.stat()
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"secret {reference!r}: {path} can't be read") from error
        if state.st_mode & _OTHERS_MAY_READ:
            raise ConfigurationError(f"secret {reference!r}: {path} may be read by others; chmod 600 it")
        return _parse(reference, text, str(state.st_mtime_ns))


class SecretsManagerSecrets:
    """Secrets of AWS Secrets Manager named `<prefix><reference>`, kept for five minutes.

    `client` is a boto3 client of `secretsmanager`; faults of AWS other than a missing secret are raised as they are.
    """

    def __init__(self, client: Any, prefix: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._prefix = prefix
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, Credentials]] = {}

    def credentials(self, reference: str) -> Credentials:
        """Return the secret, asked for at most every five minutes. Raises `ConfigurationError` if it is missing."""
        kept = self._kept.get(reference)
        if kept and self._monotonic() < kept[0]:
            return kept[1]
        name = self._prefix + reference
        try:
            answer = self._client.get_secret_value(SecretId=name)
        except self._client.exceptions.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code not in _LACKING:
                raise
            raise ConfigurationError(f"secret {name!r}: is missing or may not be read ({code})") from error
        credentials = _parse(name, answer.get("SecretString", ""), str(answer.get("VersionId", "")))
        self._kept[reference] = (self._monotonic() + _KEEP_SECONDS, credentials)
        return credentials


def _parse(name: str, text: str, version: str) -> Credentials:
    """Read the JSON of a secret; no error ever repeats what stands in it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ConfigurationError(f"secret {name!r}: is no JSON") from None
    if not isinstance(document, dict) or set(document) not in _FORMS:
        raise ConfigurationError(f"secret {name!r}: must hold username and password (for kerberos: username) alone")
    if not all(isinstance(part, str) and part for part in document.values()):
        raise ConfigurationError(f"secret {name!r}: username and password must be texts that are not empty")
    return Credentials(document["username"], document.get("password", ""), version)
