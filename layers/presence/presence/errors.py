"""The errors of Calendar Presence, and the problems that it records.

::

    CalendarPresenceError
    ├── ConfigurationError   what a person wrote is wrong: say which word, change nothing
    │   └── InvalidAddress   an address that is no SMTP address
    ├── MalformedMessage     a message, event or stored item is not what its schema says
    ├── ConcurrentWrites     a record kept changing under our hands: the queue tries again
    ├── UsersFailed          some users of a message could not be served: the queue tries again
    └── ProblemError         Exchange, or the way to it, failed; carries a `Problem`

An error ends a call. A `Problem` is a value: it is what a mailbox gets instead of a reading, it is stored
on the user's record and shown to the administrator, and its kind decides what happens next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    """What may be done about a problem.

    PASSING: tried again, after the time that the server asked for. LASTING: recorded, and somebody has to act.
    UNEXPECTED: nobody foresaw it; it goes to the dead-letter queue, where an alarm looks.
    """

    PASSING = "passing"
    LASTING = "lasting"
    UNEXPECTED = "unexpected"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a mailbox could not be read, in words for an administrator.

    `code` is stable (Exchange's own response code where Exchange gave one), `text` says what happened and to which
    mailbox or host, `remedy` what to do, `retry_after` (seconds) is what the server asked for, if it did.
    `unasked`: nobody was asked, since it is not the time for it yet; that says nothing of the mailbox.
    """

    code: str
    kind: ProblemKind
    text: str
    remedy: str
    retry_after: float | None = None
    unasked: bool = False


class CalendarPresenceError(Exception):
    """Whatever Calendar Presence raises on purpose."""


class ConfigurationError(CalendarPresenceError):
    """What an operator wrote can't be used; the text is one line that says which part and why."""


class InvalidAddress(ConfigurationError):  # noqa: N818  the field's own word for it
    """A text that is no SMTP address."""


class MalformedMessage(CalendarPresenceError):  # noqa: N818  likewise
    """A message, event or stored item is not what its schema says; the text names the field."""


class ConcurrentWrites(CalendarPresenceError):  # noqa: N818  likewise
    """A record changed under our hands at every attempt; the message goes back to the queue."""


class UsersFailed(CalendarPresenceError):  # noqa: N818  likewise
    """Some users of a message could not be served, by user id; the others were, and lose nothing if it comes again."""

    def __init__(self, errors: Mapping[str, Exception]) -> None:
        reasons = (
            f"user {user_id}: {error if isinstance(error, CalendarPresenceError) else type(error).__name__}"
            for user_id, error in errors.items()
        )
        super().__init__("; ".join(reasons))


class ProblemError(CalendarPresenceError):
    """Carries a `Problem` up to where it becomes the result of one mailbox."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.text}")
        self.problem = problem
