"""The list of users that an operator imports: a CSV file with addresses, and profiles and groups where they differ."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from exchange.recipients import RecipientKind, recipient_kind
from presence.addresses import parse_smtp_address
from presence.errors import ConfigurationError, InvalidAddress
from presence.proxy_addresses import primary_smtp_address
from presence.records import User

_KIND = "msexchrecipienttypedetails"
_COLUMNS = ("address", "proxyaddresses", "profile", "groups", _KIND)
_BETWEEN = ";"


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user as a list has them; None where it says nothing of the profile, the groups, or what the address is."""

    address: str
    profile: str | None = None
    groups: tuple[str, ...] | None = None
    kind: RecipientKind | None = None

    def assigned_to(self, user: User) -> tuple[str | None, tuple[str, ...]]:
        """Return the profile and the groups of a user who is there already: what the list does not say stays."""
        return (
            user.profile if self.profile is None else self.profile,
            user.groups if self.groups is None else self.groups,
        )


def read_user_list(path: Path) -> list[ListedUser]:
    """Return the users of a CSV file with the column address and, if wanted, profile and groups (`sales;berlin`).

    Instead of address there may be proxyAddresses as in a directory: `SMTP:alice@example.com;smtp:a@example.org`, and
    msExchRecipientTypeDetails beside it, a number that says what the address stands for.

    Every row is looked at before anything is written: one that is wrong refuses the file. Raises `ConfigurationError`
    with the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_rows(path, csv.reader(file)))
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{path}: is no CSV file in UTF-8") from error


def _rows(path: Path, rows: Iterator[list[str]]) -> Iterator[ListedUser]:
    header = [name.strip().lower() for name in next(rows, [])]
    if ("address" in header) == ("proxyaddresses" in header):
        raise ConfigurationError(
            f"{path}: the first line has to name the columns: address or proxyAddresses, and if wanted profile, groups,"
            " msExchRecipientTypeDetails"
        )
    if unknown := [name for name in header if name not in _COLUMNS]:
        raise ConfigurationError(f"{path}: the column {unknown[0]!r} is not known; there are {', '.join(_COLUMNS)}")
    if len(set(header)) < len(header):
        raise ConfigurationError(f"{path}: a column stands there twice")
    seen: dict[str, int] = {}
    for line, values in enumerate(rows, 2):
        if not any(value.strip() for value in values):
            continue
        row = dict(zip(header, (value.strip() for value in values), strict=False))
        try:
            user = _user(row)
        except (InvalidAddress, ValueError) as error:
            raise ConfigurationError(f"{path}, line {line}: {error}") from error
        if user.address in seen:
            raise ConfigurationError(f"{path}, line {line}: {user.address} stands in line {seen[user.address]} already")
        seen[user.address] = line
        yield user


def _user(row: Mapping[str, str]) -> ListedUser:
    groups = None
    if "groups" in row:
        groups = tuple(name for part in row["groups"].split(_BETWEEN) if (name := part.strip()))
    if "proxyaddresses" in row:
        address = primary_smtp_address(part for part in row["proxyaddresses"].split(_BETWEEN) if part.strip())
    else:
        address = parse_smtp_address(row.get("address", ""))
    details = row.get(_KIND)
    return ListedUser(address, row.get("profile") or None, groups, recipient_kind(details) if details else None)
