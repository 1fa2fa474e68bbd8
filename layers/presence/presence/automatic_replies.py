"""Automatic replies of a mailbox ("out of office"): whether and when they go out, never what they say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Audience(StrEnum):
    """Who gets the replies: everybody, only people of the organisation, or only people outside of it."""

    ALL = "all"
    INTERNAL = "internal"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class AutomaticReplies:
    """Replies that are on, or will be: with `start` and `end` (instants in UTC) scheduled, without simply switched on.

    A mailbox without automatic replies has `NO_REPLIES`. Source: types.xsd, UserOofSettings and OutOfOfficeMailTip.
    """

    enabled: bool
    start: datetime | None = None
    end: datetime | None = None
    audience: Audience = Audience.ALL

    @property
    def scheduled(self) -> bool:
        """Tell whether the replies have a start and an end."""
        return self.enabled and self.start is not None and self.end is not None


NO_REPLIES = AutomaticReplies(enabled=False)
