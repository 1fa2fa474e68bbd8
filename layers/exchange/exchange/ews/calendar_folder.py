"""A calendar folder as a whole, page by page.

A calendar view has no offset (CalendarView, in Microsoft's EWS reference): the next page is asked for from where the
last entry of this one begins. What lies across that instant comes again, and counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from exchange.ews.availability import Availability
from exchange.ews.calendar_items import FolderItem, FolderPage
from exchange.ews.problems import malformed_calendar
from presence.calendar import FOLDER_VIEW, CalendarEntry, Window
from presence.errors import Problem

PAGE = 250
"""Entries asked for at once: below what the throttling policy of any Exchange lets through (EWSFindCountLimit)."""
_MOST_ENTRIES = 1000
"""Of one mailbox, as in the answer about free/busy times."""
_MOST_PAGES = 8


def read_calendar_folder(
    ask: Callable[[Window], FolderPage | Problem], address: str, window: Window
) -> Availability | Problem:
    """Return the entries of a calendar folder that overlap the window and stand, with their true start and end.

    `ask` asks for the first entries of a window. A calendar that can't be read to its end is a problem: nobody is
    called free because of a page that is missing.
    """
    items: dict[str, FolderItem] = {}
    since = window.start
    for _ in range(_MOST_PAGES):
        page = ask(Window(since, window.end))
        if isinstance(page, Problem):
            return page
        # Of an entry that was changed between two pages the later state counts.
        items.update({item.item_id: item for item in page.items})
        if len(items) > _MOST_ENTRIES:
            return malformed_calendar(address, f"it has more than {_MOST_ENTRIES} entries in the time asked for")
        if page.is_last:
            return Availability(_standing(items.values(), window), FOLDER_VIEW)
        starts = [item.entry.start for item in page.items]
        if starts != sorted(starts):
            return malformed_calendar(address, "there is more than came, and what came is not in order")
        if not starts or not since < starts[-1] < window.end:
            return malformed_calendar(address, "there is more than came, and no time from which on to ask for it")
        since = starts[-1]
    return malformed_calendar(address, f"it has more than {_MOST_PAGES} pages")


def _standing(items: Iterable[FolderItem], window: Window) -> tuple[CalendarEntry, ...]:
    """Return the entries that were neither cancelled nor declined; one without length claims no time."""
    entries = [item.entry for item in items if item.stands]
    overlapping = (each for each in entries if each.start < window.end and each.end > max(window.start, each.start))
    return tuple(sorted(overlapping, key=_order))


def _order(entry: CalendarEntry) -> tuple[datetime, datetime]:
    return entry.start, entry.end
