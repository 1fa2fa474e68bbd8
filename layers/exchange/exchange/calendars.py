"""How a gateway is asked for calendars: as free/busy times of many, or folder by folder.

Working hours come along with free/busy times alone. Where folders are read they are asked for afterwards, of as many at
once as there may be; without them a calendar is as good, and whoever needs them falls back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from exchange.ews.availability import Availability
from exchange.ews.client import EwsClient
from exchange.ews.merged import LISTS_INTERVAL
from exchange.gateways import Gateway
from exchange.locating import Resolution
from exchange.mailbox_access import CalendarsFrom
from exchange.questions import Question
from exchange.recipients import Treatment
from presence.calendar import FOLDER_VIEW, CalendarReading, Window
from presence.errors import Problem
from presence.working_hours import WorkingHours

_TOPIC = "calendars"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Readings = Mapping[str, CalendarReading | Problem]


def question_of_calendars(
    window: Window, clock: Callable[[], datetime]
) -> Callable[[Gateway], Question[CalendarReading]]:
    """Return how a gateway is asked for the calendars of a window.

    `clock` gives the present instant in UTC: a reading is as old as its question.
    """

    def ask_for_times(
        asked_window: Window, client: EwsClient, url: str, asked: Sequence[Resolution]
    ) -> list[CalendarReading | Problem]:
        asked_at = clock()
        found = client.read_availability(url, [resolution.mailbox for resolution in asked], asked_window)
        return [
            _reading(resolution, asked_window, result, asked_at, url)
            for resolution, result in zip(asked, found, strict=True)
        ]

    def ask_for_folders(client: EwsClient, url: str, asked: Sequence[Resolution]) -> list[CalendarReading | Problem]:
        results = []
        for resolution in asked:
            asked_at = clock()
            result = client.read_calendar_folder(url, resolution.mailbox, window)
            results.append(_reading(resolution, window, result, asked_at, url))
        return results

    def question(gateway: Gateway) -> Question[CalendarReading]:
        if gateway.mailboxes.calendars is CalendarsFrom.CALENDAR_FOLDER:
            return Question(_TOPIC, 1, ask_for_folders)
        takes_lists = gateway.recipients.distribution_lists is Treatment.TAKE
        asked_window = _from_a_boundary(window) if takes_lists else window
        return Question(_TOPIC, gateway.limits.mailboxes_per_request, partial(ask_for_times, asked_window))

    return question


def _from_a_boundary(window: Window) -> Window:
    """Return the window from a whole interval of the merged string on.

    A string that began somewhere else at each read would show the same meeting at other times each time.
    """
    return Window(window.start - (window.start - _EPOCH) % LISTS_INTERVAL, window.end)


def question_of_working_hours(window: Window) -> Callable[[Gateway], Question[WorkingHours | None]]:
    """Return how a gateway is asked for the working hours at the beginning of a window."""
    begin = Window(window.start, window.start + timedelta(hours=1))

    def ask(client: EwsClient, url: str, asked: Sequence[Resolution]) -> list[WorkingHours | None]:
        found = client.read_availability(url, [resolution.mailbox for resolution in asked], begin, times_only=True)
        return [result.working_hours if isinstance(result, Availability) else None for result in found]

    return lambda gateway: Question("working hours", gateway.limits.mailboxes_per_request, ask)


def with_working_hours(
    readings: _Readings, ask: Callable[[Sequence[str]], Mapping[str, WorkingHours | Problem | None]]
) -> _Readings:
    """Return the readings, those of folders with the working hours that `ask` brings of their addresses."""
    without = [
        address
        for address, result in readings.items()
        if isinstance(result, CalendarReading) and result.view == FOLDER_VIEW
    ]
    told = ask(without) if without else {}
    return {
        address: replace(result, working_hours=hours)
        if isinstance(hours := told.get(address), WorkingHours) and isinstance(result, CalendarReading)
        else result
        for address, result in readings.items()
    }


def _reading(
    resolution: Resolution, window: Window, result: Availability | Problem, asked_at: datetime, url: str
) -> CalendarReading | Problem:
    if isinstance(result, Problem):
        return result
    return CalendarReading(resolution.address, window, result.entries, asked_at, url, result.view, result.working_hours)
