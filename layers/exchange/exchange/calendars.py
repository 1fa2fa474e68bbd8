"""How a gateway is asked for calendars: as free/busy times of many, or folder by folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from exchange.ews.availability import Availability
from exchange.ews.client import EwsClient
from exchange.gateways import Gateway
from exchange.locating import Resolution
from exchange.mailbox_access import CalendarsFrom
from presence.calendar import CalendarReading, Window
from presence.errors import Problem

_Ask = Callable[[EwsClient, str, Sequence[Resolution]], Sequence[CalendarReading | Problem]]


def question_of_calendars(window: Window, clock: Callable[[], datetime]) -> Callable[[Gateway], tuple[int, _Ask]]:
    """Return what to ask a gateway: about how many mailboxes at once, and how.

    `clock` gives the present instant in UTC: a reading is as old as its question.
    """

    def ask_for_times(client: EwsClient, url: str, asked: Sequence[Resolution]) -> list[CalendarReading | Problem]:
        asked_at = clock()
        found = client.read_availability(url, [resolution.mailbox for resolution in asked], window)
        return [
            _reading(resolution, window, result, asked_at, url) for resolution, result in zip(asked, found, strict=True)
        ]

    def ask_for_folders(client: EwsClient, url: str, asked: Sequence[Resolution]) -> list[CalendarReading | Problem]:
        results = []
        for resolution in asked:
            asked_at = clock()
            result = client.read_calendar_folder(url, resolution.mailbox, window)
            results.append(_reading(resolution, window, result, asked_at, url))
        return results

    def question(gateway: Gateway) -> tuple[int, _Ask]:
        if gateway.mailboxes.calendars is CalendarsFrom.CALENDAR_FOLDER:
            return 1, ask_for_folders
        return gateway.limits.mailboxes_per_request, ask_for_times

    return question


def _reading(
    resolution: Resolution, window: Window, result: Availability | Problem, asked_at: datetime, url: str
) -> CalendarReading | Problem:
    if isinstance(result, Problem):
        return result
    return CalendarReading(resolution.address, window, result.entries, asked_at, url, result.view, result.working_hours)
