"""The rows of faults.toml: which fault, and what should be seen of it; read strictly."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROWS = Path(__file__).with_name("faults.toml")
FEWEST_FAULTS = 70
CONTROLS = 3
NO_PROBLEM = "none"
NO_RETRY = "none"
BACK_OFF = "back-off"
"""The server asks for no time, so the product takes its own: the seconds of BACK_OFF_SECONDS, which it spreads."""
BACK_OFF_SECONDS = range(12, 20)
AT_ONCE, LATER, STAYS = "at-once", "later", "stays"
"""When a problem goes by itself once the fault is gone: with the retry (else the next turn), later, or not."""
SERVERS, NOBODY = "servers", "nobody"
"""Who may be given the account under a fault: the servers of the organisation, or nobody at all."""

_KINDS = ("passing", "lasting", "unexpected")
_WAYS = ("named", "discovered", "service-record")
_OTHERS = ("unharmed", "harmed")
_REASONS = ("schedule", "operator")
_WORD_OF_FAULT = "kind"
_NAMED = ("mail.example.com",)


class UnusableRowsError(Exception):
    """The data file is not as it has to be; the text names the row and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What should be seen after the fault.

    `problem` is the code on the record of the mailbox that is struck (NO_PROBLEM: the calendar is read all the same;
    several where it depends on the moment which one it is),
    `kind` what may be done about it. `retry`: the seconds for which the queue is to hold the next attempt back,
    BACK_OFF, or NO_RETRY where it waits for its next turn. `shown` is the availability that goes on being shown,
    `others` whether the other mailboxes of the server are unharmed. `mended`: when the problem goes by itself once the
    fault is gone (AT_ONCE, LATER or STAYS). `account`: who may be given the account under it (SERVERS or NOBODY).
    `replies` is the code of the problem with automatic replies, which costs the calendar nothing.
    """

    problem: tuple[str, ...]
    kind: str
    retry: int | str
    shown: str
    others: str
    mended: str
    account: str
    replies: str = NO_PROBLEM


@dataclass(frozen=True, slots=True)
class Row:
    """A fault, and what should be seen of it.

    `way`: the operator names the server (named), or it is found by autodiscover, on its usual host or by an SRV record.
    `hosts` are those that the operator names; `gateway` are further keys of the gateway. `forgotten`: where the
    mailboxes are has to be found anew; `forgotten_mailbox`: where the one is that is struck. `reason`: a check by an
    operator reads automatic replies in any case. `faults` are the names of injections with their arguments, each of
    which has to take effect. A `control` has a wrong expectation and must not survive: it holds the one complaint that
    the judging has to have.
    """

    name: str
    group: str
    faults: tuple[tuple[str, Mapping[str, Any]], ...]
    expect: Expectation
    way: str = "named"
    hosts: tuple[str, ...] = _NAMED
    gateway: Mapping[str, Any] = field(default_factory=dict)
    forgotten: bool = False
    forgotten_mailbox: bool = False
    reason: str = "schedule"
    control: str = ""


Check = Callable[[str, Mapping[str, Any]], None]
"""Raises ValueError for an injection that is not known, or that does not take these arguments."""


def read_rows(check: Check, path: Path = ROWS) -> tuple[Row, ...]:
    """Read the data file. `check` knows the injections. Raises `UnusableRowsError`."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise UnusableRowsError(f"{path.name} is no TOML: {error}") from error
    defaults = document.get("defaults", {})
    rows = [_row(entry, defaults, check) for entry in document.get("rows", [])]
    _refuse_too_few(rows)
    return tuple(rows)


def selected(rows: Sequence[Row], only: str) -> tuple[Row, ...]:
    """Return the rows whose name or group holds a text, in any case of letters, and all controls."""
    return tuple(row for row in rows if row.control or only.lower() in f"{row.group} {row.name}".lower())


def _row(entry: Mapping[str, Any], defaults: Mapping[str, Any], check: Check) -> Row:
    name = str(entry.get("name", ""))
    if not name:
        raise UnusableRowsError(f"a row has no name: {dict(entry)}")
    try:
        return _checked_row({**entry, "expect": {**defaults, **entry["expect"]}}, check)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise UnusableRowsError(f"{name!r}: {reason}") from error


def _checked_row(entry: Mapping[str, Any], check: Check) -> Row:
    faults = tuple(_fault(fault, check) for fault in entry["faults"])
    if not faults:
        raise ValueError("it has no fault")
    problem = entry["expect"]["problem"]
    problems = (problem,) if isinstance(problem, str) else tuple(problem)
    expect = Expectation(**{**entry["expect"], "problem": problems})
    _check_expectation(expect)
    row = Row(**{**entry, "faults": faults, "expect": expect, "hosts": tuple(entry.get("hosts", _NAMED))})
    for value, known in ((row.way, _WAYS), (row.reason, _REASONS)):
        _one_of(value, known)
    return row


def _fault(fault: Mapping[str, Any], check: Check) -> tuple[str, Mapping[str, Any]]:
    arguments = {key: value for key, value in fault.items() if key != _WORD_OF_FAULT}
    check(fault[_WORD_OF_FAULT], arguments)
    return fault[_WORD_OF_FAULT], arguments


def _check_expectation(expect: Expectation) -> None:
    _one_of(expect.others, _OTHERS)
    _one_of(expect.mended, (AT_ONCE, LATER, STAYS))
    _one_of(expect.account, (SERVERS, NOBODY))
    if expect.problem == (NO_PROBLEM,):
        _one_of(expect.kind, ("none",))
    else:
        _one_of(expect.kind, _KINDS)
    if isinstance(expect.retry, str):
        _one_of(expect.retry, (NO_RETRY, BACK_OFF))
    if expect.kind != "passing" and expect.retry != NO_RETRY:
        raise ValueError(f"what is {expect.kind} is not tried again, yet a retry is expected")


def _one_of(value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}")


def _refuse_too_few(rows: Sequence[Row]) -> None:
    names = [row.name for row in rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UnusableRowsError(f"two rows are named {twice[0]!r}")
    faults = sum(not row.control for row in rows)
    if faults < FEWEST_FAULTS or len(rows) - faults < CONTROLS:
        raise UnusableRowsError(
            f"{faults} faults and {len(rows) - faults} controls: {FEWEST_FAULTS} and {CONTROLS} are needed"
        )
