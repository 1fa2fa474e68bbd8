"""What the account of a gateway was given: what its document says for certain, and what Exchange's answers showed."""

from __future__ import annotations

from collections.abc import Callable

from exchange.gateways import Gateway, RepliesFrom
from exchange.mailbox_access import Access, CalendarsFrom
from presence.automatic_replies import AutomaticReplies
from presence.calendar import CalendarReading
from presence.errors import Problem
from presence.rights import Given, RepliesBy, Rights, rights_of

# A document that has Exchange 2007 asked for MailTips is refused.
_BY_DOCUMENT = {
    RepliesFrom.OFF: RepliesBy.NOT_ASKED,
    RepliesFrom.MAIL_TIPS: RepliesBy.MAIL_TIPS,
    RepliesFrom.OOF_SETTINGS: RepliesBy.OOF_SETTINGS,
}


def given_for_certain(gateway: Gateway) -> Given:
    """Return what a gateway's account has if the document is right; more may have been given to it."""
    folders = gateway.mailboxes.calendars is CalendarsFrom.CALENDAR_FOLDER
    return Given(Rights.CALENDAR if folders else Rights.TIMES, _BY_DOCUMENT[gateway.automatic_replies])


def given_by_answers(
    gateway: Gateway,
    reading: CalendarReading,
    replies: AutomaticReplies | Problem | None,
    offers_mail_tips: Callable[[str], bool],
) -> Given:
    """Return what the answers about a mailbox show, which was read through the gateway.

    `replies` are its automatic replies, or why they can't be read, or None if they are not asked for.
    `offers_mail_tips` tells of an address whether its server does; it is asked only where replies may have come from
    there or from the owner's settings.
    """
    known, offered = _replies_by_answer(gateway, reading.address, replies, offers_mail_tips)
    return Given(rights_of(reading.view), known, gateway.mailboxes.access is not Access.NONE, offered)


def _replies_by_answer(
    gateway: Gateway, address: str, replies: AutomaticReplies | Problem | None, offers_mail_tips: Callable[[str], bool]
) -> tuple[RepliesBy, bool]:
    """Return how automatic replies are known, and false if it is known that the server has no MailTips."""
    version = gateway.mailboxes.version
    offered = version is None or version.has_mail_tips
    if replies is None:
        return RepliesBy.NOT_ASKED, offered
    if isinstance(replies, Problem):
        return RepliesBy.NOTHING, offered
    if gateway.automatic_replies is RepliesFrom.OOF_SETTINGS:
        return RepliesBy.OOF_SETTINGS, offered
    if gateway.mailboxes.access is Access.IMPERSONATION and not offers_mail_tips(address):
        return RepliesBy.OOF_SETTINGS, False
    return RepliesBy.MAIL_TIPS, True
