"""Looks at the simulated calendars themselves, as they are in memory, and writes their history down for the oracle.

Nothing here goes over the wire: what the simulated Exchange answers may be wrong, what it was told is not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from local.demo.expectations import Snapshot
from local.demo.oracle import Entry, Replies
from local.exchange.organisation import Access, Organisation

_SEEN_BACK = timedelta(days=2)
_SEEN_AHEAD = timedelta(days=3)


class Witness:
    """Keeps the history of the calendars of the organisation's users; `clock` returns the present instant in UTC."""

    def __init__(self, organisation: Organisation, clock: Callable[[], datetime]) -> None:
        self._organisation = organisation
        self._clock = clock
        self._lock = threading.Lock()
        now = clock()
        self._histories = {
            address: [Snapshot(now, self._look(address, now), self._replies(address))]
            for address in _normalised(organisation.users)
        }

    @contextmanager
    def watching(self, address: str) -> Iterator[None]:
        """Write down the edit of this mailbox that is made meanwhile; it may be seen from the first moment on."""
        with self._lock:
            now = self._clock()
            yield
            self._histories[address.lower()].append(Snapshot(now, self._look(address, now), self._replies(address)))

    def histories(self) -> dict[str, tuple[Snapshot, ...]]:
        """Return the history of each user's calendar so far, by address."""
        with self._lock:
            return {address: tuple(history) for address, history in self._histories.items()}

    def _look(self, address: str, now: datetime) -> tuple[Entry, ...] | None:
        mailbox = self._organisation.mailbox(address)
        if mailbox is None or mailbox.access is Access.NONE or mailbox.problem is not None:
            return None
        details = mailbox.access is Access.DETAILED
        return tuple(
            Entry(found.start, found.end, str(found.entry.status), found.entry.is_meeting if details else None)
            for found in self._organisation.entries(address, now - _SEEN_BACK, now + _SEEN_AHEAD)
        )

    def _replies(self, address: str) -> Replies | None:
        mailbox = self._organisation.mailbox(address)
        if mailbox is None or mailbox.out_of_office is None:
            return None
        return Replies(mailbox.out_of_office.start, mailbox.out_of_office.end)


def _normalised(addresses: Iterable[str]) -> list[str]:
    return [address.lower() for address in addresses]
