"""How people are named in log lines: by a keyed HMAC, unless the operator asks otherwise.

A user's id is no name to log: events carry it beside the address, so that every subscriber could tell whose lines these
are. The HMAC (RFC 2104, with SHA-256) of the id, under a key of the stack, is the same in all functions and after a
change of the address; only who has the key can tell whose it is. Addresses that stand in texts get one of their own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SHORTEST_KEY: Final = 32
"""Characters: the key of an HMAC should be as long as its hash (RFC 2104, section 3)."""
_LENGTH: Final = 16
"""Hexadecimal digits of an HMAC that are shown: 64 bits, too many for two of a million users to share a name."""

_USER_ID: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
# Generous: what stands around an @ is rather taken for an address once too often.
_BREAKS: Final = r"\s\"<>()\[\]{},;:@"
_ADDRESS: Final = re.compile(rf"[^{_BREAKS}'][^{_BREAKS}]*@[^{_BREAKS}']*[^{_BREAKS}'.]")

# RFC 5322, atext; but behind a slash the address stands in the name of a role's session, and it may be quoted.
_NO_LONGER_BEFORE: Final = r"(?<![\w.!#$%&*+=?^`{|}~-])(?<!\w')"


class LogNames(StrEnum):
    """How an operator wants people named: by an HMAC, by user ids (addresses still by an HMAC), or by addresses."""

    HMAC = "hmac"
    USER_ID = "user-id"
    ADDRESS = "address"


def holds_address(text: str, address: str) -> bool:
    """Tell whether an SMTP address stands in a text, in capitals or not, and not only as a part of a longer one."""
    whole = rf"{_NO_LONGER_BEFORE}{re.escape(address)}(?!\.?[\w-])"
    return re.search(whole, text, re.IGNORECASE) is not None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom a log line is about; the address where it is known."""

    user_id: str
    address: str | None = None


class PeopleNames:
    """Names people for log lines. `key` returns the key, None while it can't be had: nobody has a name then."""

    def __init__(self, style: LogNames, key: Callable[[], str | None]) -> None:
        self._style = style
        self._key = key

    def of(self, person: Person) -> str:
        """Return how a person is called."""
        if self._style is LogNames.ADDRESS:
            return person.address or person.user_id
        return person.user_id if self._style is LogNames.USER_ID else self._user(person.user_id)

    def in_text(self, text: str) -> str:
        """Return a text in which user ids and addresses, whoever wrote them there, are replaced by names."""
        if self._style is LogNames.HMAC:
            text = _USER_ID.sub(lambda found: self._user(found[0]), text)
        if self._style is not LogNames.ADDRESS and "@" in text:
            text = _ADDRESS.sub(lambda found: self._address(found[0]), text)
        return text

    def in_value(self, value: object) -> object:
        """Return a detail of a log line in which nobody is named but by this; numbers and instants stay as they are."""
        if isinstance(value, Person):
            return self.of(value)
        if isinstance(value, Mapping):
            return {self.in_text(str(key)): self.in_value(each) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.in_value(each) for each in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.in_text(str(value))

    def _user(self, user_id: str) -> str:
        key = self._key()
        return "user-unnamed" if key is None else name_of_user(key, user_id)

    def _address(self, address: str) -> str:
        key = self._key()
        return "address-unnamed" if key is None else name_of_address(key, address)


def name_of_user(key: str, user_id: str) -> str:
    """Return the name of a user in log lines, for example `user-4c2f0e9d8b7a6150`."""
    return f"user-{_digest(key, f'user {user_id}')}"


def name_of_address(key: str, address: str) -> str:
    """Return the name of an address that stands in a text, for example `address-90d1c2b3a4f5e687`."""
    return f"address-{_digest(key, f'address {address.lower()}')}"


def _digest(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:_LENGTH]


NOBODY_NAMED: Final = PeopleNames(LogNames.HMAC, lambda: None)
"""For functions that name nobody and have no key: should a text hold somebody all the same, it is struck out."""
