"""`presence users`: whose calendars a deployed stack reads."""

from __future__ import annotations

import csv
from argparse import Namespace
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from cli.stacks import Stack, aws_errors_in_words, find_stack
from presence.addresses import parse_smtp_address
from presence.errors import ConfigurationError, InvalidAddress
from presence.instants import format_instant
from presence.records import PresenceRecord
from presence.tables.presences import PresenceTable
from presence.tables.users import AddressTaken, ScheduledUser, UserTable

_AT_ONCE = 100


def run(arguments: Namespace) -> int:
    """Do what `arguments.action` says."""
    if arguments.action == "load":
        wanted = read_csv(arguments.file)
    elif arguments.action == "add":
        wanted = [parse_smtp_address(address) for address in arguments.addresses]
    else:
        wanted = []
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        users = UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"])
        if arguments.action == "show":
            return _show(stack, users, only_problems=arguments.problems)
        if arguments.action == "remove":
            return _remove(users, arguments.addresses)
        return _add(users, wanted)


def read_csv(path: Path) -> list[str]:
    """Return the addresses of a CSV file.

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


def _rows(path: Path, rows: Iterator[list[str]]) -> Iterator[str]:
    header = [name.strip().lower() for name in next(rows, [])]
    if "address" not in header:
        raise ConfigurationError(f"{path}: the first line has to name the column, address")
    if unknown := [name for name in header if name != "address"]:
        raise ConfigurationError(f"{path}: the column {unknown[0]!r} is not known; there is one, address")
    seen: dict[str, int] = {}
    for line, values in enumerate(rows, 2):
        if not any(value.strip() for value in values):
            continue
        row = dict(zip(header, (value.strip() for value in values), strict=False))
        try:
            address = parse_smtp_address(row.get("address", ""))
        except InvalidAddress as error:
            raise ConfigurationError(f"{path}, line {line}: {error}") from error
        if address in seen:
            raise ConfigurationError(f"{path}, line {line}: {address} stands in line {seen[address]} already")
        seen[address] = line
        yield address


def _add(users: UserTable, wanted: Sequence[str]) -> int:
    taken = 0
    for address in wanted:
        try:
            user = users.add(address)
        except AddressTaken:
            taken += 1
            print(f"{address} is a user already")
        else:
            print(f"{user.address} added as {user.user_id}")
    print(f"{len(wanted) - taken} added, {taken} were there already")
    return 0


def _remove(users: UserTable, addresses: Sequence[str]) -> int:
    found = []
    for address in addresses:
        user = users.find(address)
        if user is None:
            raise ConfigurationError(f"{address} is no user of this stack; nobody was removed")
        found.append(user)
    for user in found:
        users.remove(user)
        print(f"{user.address} removed; what was known of {user.user_id} stays in the table of presences")
    return 0


def _show(stack: Stack, users: UserTable, *, only_problems: bool) -> int:
    presences = PresenceTable(stack.client("dynamodb"), stack.outputs["PresenceTableName"], shards=1)
    every = users.every()
    count = shown = 0
    while batch := list(islice(every, _AT_ONCE)):
        count += len(batch)
        stored = presences.get_many([scheduled.user.user_id for scheduled in batch])
        for scheduled in batch:
            user_id = scheduled.user.user_id
            record = stored.found.get(user_id)
            if user_id in stored.malformed:
                print(f"{scheduled.user.address}  {user_id}  {stored.malformed[user_id]}")
            elif not only_problems or (record is not None and record.problem is not None):
                print(f"{scheduled.user.address}  {user_id}  {_state(scheduled, record)}")
            else:
                continue
            shown += 1
    print(f"{count} users" + (f", {shown} with a problem" if only_problems else ""))
    return 0


def _state(scheduled: ScheduledUser, record: PresenceRecord | None) -> str:
    words = []
    if not scheduled.enabled:
        words.append("switched off")
    if scheduled.paused_until is not None:
        words.append(f"paused until {format_instant(scheduled.paused_until)}")
    if record is None:
        words.append("not read yet")
        return ", ".join(words)
    until = "" if record.until is None else f" until {format_instant(record.until)}"
    words.append(f"{record.presence}{until}")
    if record.problem is not None:
        problem = record.problem.problem
        since = format_instant(record.problem.since)
        words.append(f"{problem.code} since {since}: {problem.text}. To do: {problem.remedy}")
    return ", ".join(words)
