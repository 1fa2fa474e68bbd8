"""What changes in the organisation: calendars, automatic replies, mailboxes and endpoints that fail or move."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from presence.automatic_replies import NO_REPLIES, Audience, AutomaticReplies
from presence.calendar import CalendarEntry
from presence.instants import ceil_to_second
from tests.model import actions
from tests.model.surroundings import DETAILED, TIMES_ONLY, Exchange, Mailbox
from tests.model.users import USERS

ENDPOINTS = (TIMES_ONLY, DETAILED)
_MOST_ENTRIES = 12


def organisation() -> Exchange:
    """Return the organisation as it is in the beginning: empty calendars, each user's home by their domain."""
    return Exchange({user.address: Mailbox(DETAILED if user.address.endswith("org") else TIMES_ONLY) for user in USERS})


def change(exchange: Exchange, action: Any, now: datetime) -> None:
    """Let something change; times count from the next whole second."""
    if isinstance(action, actions.FailEndpoint):
        endpoint = ENDPOINTS[action.endpoint]
        exchange.out.pop(endpoint, None)
        if action.problem is not None:
            exchange.out[endpoint] = action.problem
        return
    mailbox = exchange.mailboxes[USERS[action.who].address]
    now = ceil_to_second(now)
    match action:
        case actions.EditCalendar():
            entries = tuple(_entry(sketch, now) for sketch in action.entries)
            mailbox.entries = (*mailbox.entries, *entries)[-_MOST_ENTRIES:] if action.keeps else entries
        case actions.SetReplies():
            start, end = _stretch(action.minutes, now) or (None, None)
            audience = Audience.EXTERNAL if action.outside_only else Audience.ALL
            mailbox.replies = AutomaticReplies(action.on, start, end, audience) if action.on else NO_REPLIES
        case actions.LoseData():
            gap = _stretch(action.minutes, now)
            mailbox.without_data = () if gap is None else (gap,)
        case actions.FailMailbox():
            if action.replies_only:
                mailbox.replies_problem = action.problem
            else:
                mailbox.problem = action.problem
        case actions.MoveMailbox():
            mailbox.endpoint = ENDPOINTS[action.endpoint]
        case _:
            raise TypeError(action)


def _entry(sketch: actions.Sketch, now: datetime) -> CalendarEntry:
    start = now + timedelta(seconds=sketch.start)
    return CalendarEntry(start, start + timedelta(seconds=sketch.length), sketch.busy_type, sketch.is_meeting)


def _stretch(minutes: tuple[int, int] | None, now: datetime) -> tuple[datetime, datetime] | None:
    if minutes is None:
        return None
    start, end = minutes
    return now + timedelta(minutes=start), now + timedelta(minutes=end)
