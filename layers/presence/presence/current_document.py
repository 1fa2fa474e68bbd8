"""A document that operators change, as it stands: looked at again every half minute, so a change is live in time.

A broken new version is refused, with a report; the last good one stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from presence.errors import CalendarPresenceError

READ_AGAIN_AFTER = timedelta(seconds=30)

Parsed = TypeVar("Parsed")


class StoredDocument(Protocol):
    """A document as it is stored; its version grows with each change."""

    @property
    def version(self) -> int:
        """The version, from 1."""

    @property
    def content(self) -> Mapping[str, object]:
        """What the operator put."""


class Report(Protocol):
    """Takes what an operator should know; `presence.observing.Observer.failure` is one."""

    def __call__(self, message: str, **details: object) -> None:
        """Log a message with its details."""


class CurrentDocument(Generic[Parsed]):
    """What `parse` makes of the stored document; `absent` as long as nobody has put one, or none that can be used.

    `name` begins the sentence that says what is refused. `stored` returns the document (None: nobody has put one),
    `clock` the present instant in UTC.
    """

    def __init__(
        self,
        name: str,
        stored: Callable[[], StoredDocument | None],
        parse: Callable[[Mapping[str, object]], Parsed],
        absent: Parsed,
        clock: Callable[[], datetime],
        report: Report,
    ) -> None:
        self._name = name
        self._stored = stored
        self._parse = parse
        self._clock = clock
        self._report = report
        self._current = absent
        self._version = 0
        self._looked_at: datetime | None = None
        self.mistake: str | None = None

    def get(self) -> Parsed:
        """Return the last good document. `mistake` says afterwards why the newest is refused, if it is."""
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= READ_AGAIN_AFTER:
            self._look_again()
            self._looked_at = now
        return self._current

    def _look_again(self) -> None:
        try:
            document = self._stored()
            if document is None or document.version == self._version:
                return
            self._current = self._parse(document.content)
        except CalendarPresenceError as error:
            self.mistake = f"{self._name} is refused: {error}"
            self._report(f"{self._name} is refused; the last good one stays", reason=str(error))
            self._version = 0  # the good version may be put back as it was
            return
        self._version = document.version
        self.mistake = None
