"""What people do to their calendars while the demo runs: the plan of a minute, and what goes on after it.

The plan fits the demo organisation (`local.exchange.scenario`), whose calendars it changes: entries are added, moved,
extended, shortened, deleted and given another status, now and ahead, and some edits must publish nothing. Times are
seconds after the start. No edit of the plan lies so close before a boundary of the same calendar that one could not
tell whether it was seen before it or after.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.exchange.organisation import Access, BusyStatus, Entry, Organisation

_HOUR = 3600
LAST_EDIT = 46
"""The second of the plan's last edit."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Something that a person does to a calendar `at` seconds after the start; `words` say what."""

    at: float
    address: str
    words: str
    make: Callable[[], object]


class Plan:
    """Collects the edits of an organisation whose calendars began at `start`."""

    def __init__(self, organisation: Organisation, start: datetime) -> None:
        self._organisation = organisation
        self._start = start
        self._edits: list[Edit] = []

    def edits(self) -> list[Edit]:
        """Return the edits in order of time."""
        return sorted(self._edits, key=lambda edit: edit.at)

    def add(self, at: float, address: str, words: str, entry: tuple[float, float, BusyStatus]) -> None:
        """Plan to add an entry: from, to and status."""
        begins, ends, status = entry
        new = Entry(self._instant(begins), self._instant(ends), status)
        self._plan(at, address, words, lambda: self._organisation.add(address, new))

    def retime(self, at: float, address: str, words: str, number: int, times: tuple[float, float]) -> None:
        """Plan to give the calendar's entry of this number (the last is -1) other times."""
        start, end = (self._instant(seconds) for seconds in times)
        self._change(at, address, words, number, start=start, end=end)

    def become(self, at: float, address: str, words: str, number: int, status: BusyStatus) -> None:
        """Plan to give the calendar's entry of this number another status."""
        self._change(at, address, words, number, status=status)

    def delete(self, at: float, address: str, words: str, number: int) -> None:
        """Plan to delete the calendar's entry of this number."""
        self._plan(
            at,
            address,
            words,
            lambda: self._organisation.remove(address, _entry_id(self._organisation, address, number)),
        )

    def close(self, at: float, address: str, words: str) -> None:
        """Plan to take away the right to read the calendar."""
        self._plan(at, address, words, lambda: self._organisation.change_mailbox(address, access=Access.NONE))

    def _change(self, at: float, address: str, words: str, number: int, **changes: object) -> None:
        def make() -> None:
            entry_id = _entry_id(self._organisation, address, number)
            self._organisation.change(address, entry_id, **changes)

        self._plan(at, address, words, make)

    def _plan(self, at: float, address: str, words: str, make: Callable[[], object]) -> None:
        self._edits.append(Edit(at, address, words, make))

    def _instant(self, seconds: float) -> datetime:
        return self._start + timedelta(seconds=seconds)


def planned_edits(organisation: Organisation, start: datetime) -> list[Edit]:
    """Return the edits of the demo organisation that was made for `start`, in order of time."""
    plan = Plan(organisation, start)
    plan.add(12, "sam@branch.test", "adds a meeting that runs already", (-60, _HOUR, BusyStatus.BUSY))
    plan.retime(30, "sam@branch.test", "extends the running meeting by an hour", -1, (-60, 2 * _HOUR))
    plan.delete(44, "sam@branch.test", "deletes the running meeting", -1)
    plan.add(14, "rosa@branch.test", "adds leave for later", (3 * _HOUR, 4 * _HOUR, BusyStatus.OUT_OF_OFFICE))
    plan.retime(42, "rosa@branch.test", "moves the leave from later to now", -1, (-60, _HOUR))
    plan.become(22, "iris@example.org", "turns a day of leave into a busy one", 0, BusyStatus.BUSY)
    plan.delete(46, "xenia@research.test", "deletes that the work is elsewhere", 0)
    plan.retime(28, "tina@research.test", "shortens the running meeting: over in this minute", 1, (24, 50))
    plan.become(26, "dave@example.com", "accepts what was tentative", 1, BusyStatus.BUSY)
    plan.become(43, "henry@example.org", "turns time that was free into leave", 1, BusyStatus.OUT_OF_OFFICE)
    plan.retime(28, "erin@example.com", "extends the work elsewhere past its old end", 0, (24, 2 * _HOUR))
    plan.retime(29, "kate@example.org", "shortens the leave", 0, (26, 45))
    plan.delete(15, "will@research.test", "deletes a meeting before it begins", 0)
    plan.delete(35, "vera@research.test", "deletes the running meeting", 1)
    plan.add(44, "chris@factory.test", "adds a meeting for later", (5 * _HOUR, 6 * _HOUR, BusyStatus.BUSY))
    plan.add(
        24, "carol@example.com", "adds a meeting far ahead: nothing to publish", (5 * _HOUR, 6 * _HOUR, BusyStatus.BUSY)
    )
    plan.retime(22, "noah@branch.test", "moves the meeting of this minute to later", 0, (_HOUR, 2 * _HOUR))
    plan.become(24, "umar@research.test", "turns the coming meeting into leave", 0, BusyStatus.OUT_OF_OFFICE)
    plan.become(25, "alice@example.com", "loses the data of what comes: what is known stays", 1, BusyStatus.NO_DATA)
    plan.close(32, "bob@example.com", "takes the right to read away: what is known stays, and ends in time")
    plan.retime(44, "yuri@factory.test", "extends the running meeting past its old end", 0, (40, _HOUR))
    return plan.edits()


def improvised_edit(organisation: Organisation, addresses: Sequence[str], now: datetime, chance: random.Random) -> Edit:
    """Return an edit of a calendar by chance, to be made at once: somebody adds, extends, moves or deletes an entry."""
    address = chance.choice(addresses)
    whole = now.replace(microsecond=0)
    begins = whole + timedelta(seconds=chance.randint(-60, 60))
    ends = max(begins, whole) + timedelta(seconds=chance.randint(10, 120))
    status = chance.choice(list(BusyStatus))
    present = [
        entry_id
        for entry_id, entry in organisation.calendar(address).items()
        if entry.recurrence is None and whole < entry.end < whole + timedelta(hours=3)
    ]
    if not present or chance.random() < 0.4:  # noqa: PLR2004  a little less than half: calendars neither fill nor empty
        new = Entry(begins, ends, status)
        return Edit(0, address, f"adds {status} until {ends:%H:%M:%S}Z", lambda: organisation.add(address, new))
    entry_id = chance.choice(present)
    changes: list[tuple[str, Callable[[], object]]] = [
        ("deletes an entry", lambda: organisation.remove(address, entry_id)),
        (
            f"moves an entry to {begins:%H:%M:%S}Z",
            lambda: organisation.change(address, entry_id, start=begins, end=ends),
        ),
        (f"turns an entry into {status}", lambda: organisation.change(address, entry_id, status=status)),
    ]
    return Edit(0, address, *chance.choice(changes))


def _entry_id(organisation: Organisation, address: str, number: int) -> str:
    return list(organisation.calendar(address))[number]
