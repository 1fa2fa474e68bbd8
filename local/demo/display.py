"""Shows the demo: on a terminal a live table of the people and the latest changes, elsewhere one plain line a change.

Everything shown comes from what the subscriber received, so what is seen is what any other system would see.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local.demo.published import Published, read_published
from local.demo.subscriber import Delivery

_LATEST = 12
_TABLE_FRAME = 5
_COLOURS = {"Available": "green", "Busy": "red", "Away": "yellow", "PresenceUnknown": "bright_black"}


class Display:
    """Shows people, changes and edits while it is entered; every method may be called from any thread."""

    def __init__(self, addresses: Iterable[str], console: Console | None = None) -> None:
        self._console = console or Console()
        self._lock = threading.Lock()
        self._shown: dict[str, tuple[Published, str] | None] = dict.fromkeys(addresses)
        self._latest: deque[str] = deque(maxlen=_LATEST)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4, get_renderable=self._picture)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, line: str) -> None:
        """Tell what the demo does; on a terminal above the table."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def edited(self, moment: datetime, address: str, words: str) -> None:
        """Show that somebody changed a calendar."""
        self._note(f"{_clock(moment)}  {address} {words}")

    def delivered(self, delivery: Delivery) -> None:
        """Show a change that the subscriber received; what can't be read is for the verdict to tell."""
        try:
            change = read_published(delivery)
        except ValueError:
            return
        rule = str(delivery.body["data"]["reason"].get("rule", ""))
        with self._lock:
            known = self._shown.get(change.address)
            if known is None or known[0].version < change.version:
                self._shown[change.address] = (change, rule)
        self._note(
            f"{_clock(change.received_at)}  {change.address} is {change.words}"
            f" (version {change.version}, by {rule}, until {_end(change)})"
        )

    def _note(self, line: str) -> None:
        if self._live is None:
            self.say(line)
            return
        with self._lock:
            self._latest.append(line)

    def _picture(self) -> Group:
        table = Table("person", "presence", "why", "since", "until", title="Presence, as published", expand=True)
        with self._lock:
            for address, shown in self._shown.items():
                if shown is None:
                    table.add_row(address, Text("not published yet", "bright_black"), "", "", "")
                    continue
                change, rule = shown
                presence = Text(change.words, _COLOURS.get(change.presence[0], ""))
                table.add_row(address, presence, rule, _clock(change.since), _end(change))
            latest = Text("\n".join(self._latest), no_wrap=True, overflow="ellipsis")
        # Where not everything fits, the end is cut off: then the changes go first.
        everything = table.row_count + _TABLE_FRAME + len(self._latest)
        return Group(table, latest) if everything <= self._console.height else Group(latest, table)


def _end(change: Published) -> str:
    return "as far as is known" if change.until is None else _clock(change.until)


def _clock(instant: datetime) -> str:
    return f"{instant:%H:%M:%S}Z"
