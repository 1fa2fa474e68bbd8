"""How the account of a gateway reaches calendars, and which Exchange it meets there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from presence.documents import Section


class Access(StrEnum):
    """In whose name the account opens a mailbox: in no way, in the owner's, or in its own as a delegate."""

    NONE = "none"
    IMPERSONATION = "impersonation"
    DELEGATE = "delegate"


class CalendarsFrom(StrEnum):
    """How calendars are read: as free/busy times, many in a request, or entry by entry from the calendar folder."""

    FREE_BUSY = "free-busy"
    CALENDAR_FOLDER = "calendar-folder"


class ExchangeVersion(StrEnum):
    """A version of Exchange, the oldest first, as it is sold."""

    V2007 = "2007"
    V2010 = "2010"
    V2013 = "2013"
    V2016 = "2016"
    V2019 = "2019"
    SUBSCRIPTION = "SE"

    @property
    def has_mail_tips(self) -> bool:
        """Whether it answers GetMailTips, which came with 2010."""
        return self is not ExchangeVersion.V2007

    @property
    def has_working_elsewhere(self) -> bool:
        """Whether it knows the status WorkingElsewhere, which came with 2013."""
        return self not in {ExchangeVersion.V2007, ExchangeVersion.V2010}


@dataclass(frozen=True, slots=True)
class MailboxAccess:
    """The access of one gateway; the defaults open no mailbox.

    `version` is that of the oldest of its servers, None where it has to be found out.
    """

    access: Access = Access.NONE
    calendars: CalendarsFrom = CalendarsFrom.FREE_BUSY
    version: ExchangeVersion | None = None

    def in_words(self) -> str:
        """Return how calendars are read, and with which rights."""
        if self.calendars is CalendarsFrom.FREE_BUSY:
            return "free/busy times"
        by = "in their owners' names" if self.access is Access.IMPERSONATION else "as a delegate of their owners"
        return f"the calendar folders, {by}"


FREE_BUSY_ONLY = MailboxAccess()


def take_mailbox_access(section: Section, *, speaks_for_owners: bool) -> MailboxAccess:
    """Take the keys of access out of a gateway's section. Raises `ConfigurationError`.

    `speaks_for_owners`: it asks for automatic replies in the names of the mailboxes' owners, so it impersonates.
    """
    least = Access.IMPERSONATION if speaks_for_owners else Access.NONE
    access = section.choice("access", Access, least)
    calendars = section.choice("calendars", CalendarsFrom, CalendarsFrom.FREE_BUSY)
    version = section.choice("exchange_version", ExchangeVersion) if section.has("exchange_version") else None
    if speaks_for_owners and access is not Access.IMPERSONATION:
        raise section.refuse(
            "access",
            f'is {access}, and automatic_replies = "oof-settings" needs impersonation: owners alone are told theirs',
        )
    if calendars is CalendarsFrom.CALENDAR_FOLDER and access is Access.NONE:
        raise section.refuse(
            "calendars", "calendar-folder opens mailboxes, so access must be impersonation or delegate, and is none"
        )
    return MailboxAccess(access, calendars, version)
