"""Answers of GetMailTips and GetUserOofSettings, right ones and others."""

from __future__ import annotations

import re

from tests.unit.exchange.hosts import envelope

CANARY = "back on Monday, ask canary"


def duration(start: str, end: str) -> str:
    """Return a Duration."""
    return f"<t:Duration><t:StartTime>{start}</t:StartTime><t:EndTime>{end}</t:EndTime></t:Duration>"


def reply(message: str | None = CANARY, inside: str = "") -> str:
    """Return an OutOfOffice tip; None: the element for the message is missing."""
    body = "" if message is None else f"<t:Message>{message}</t:Message>"
    return f'<t:OutOfOffice><t:ReplyBody xml:lang="en-US">{body}</t:ReplyBody>{inside}</t:OutOfOffice>'


def tips(inside: str, *, code: str = "NoError", result: str = "Success") -> str:
    """Return the message about one recipient."""
    return (
        f'<m:MailTipsResponseMessageType ResponseClass="{result}"><m:ResponseCode>{code}</m:ResponseCode>{inside}'
        "</m:MailTipsResponseMessageType>"
    )


def mailbox_tips(inside: str, *, invalid: str = "false") -> str:
    """Return the message about a recipient with these tips."""
    return tips(
        "<m:MailTips><t:RecipientAddress><t:Name/><t:EmailAddress>alice@example.com</t:EmailAddress>"
        f"</t:RecipientAddress><t:PendingMailTips/>{inside}<t:InvalidRecipient>{invalid}</t:InvalidRecipient>"
        "</m:MailTips>"
    )


def mail_tips(*messages: str, code: str = "NoError", result: str = "Success", inside: str = "") -> bytes:
    """Return a whole answer of GetMailTips."""
    return envelope(
        f'<m:GetMailTipsResponse ResponseClass="{result}"><m:ResponseCode>{code}</m:ResponseCode>{inside}'
        f"<m:ResponseMessages>{''.join(messages)}</m:ResponseMessages></m:GetMailTipsResponse>"
    )


def settings(
    state: str = "Enabled",
    audience: str = "All",
    when: str = "",
    internal: str | None = CANARY,
    external: str | None = CANARY,
) -> str:
    """Return OofSettings; a reply that is None is missing."""
    replies = "".join(
        f"<t:{name}><t:Message>{message}</t:Message></t:{name}>"
        for name, message in (("InternalReply", internal), ("ExternalReply", external))
        if message is not None
    )
    return (
        f"<t:OofSettings><t:OofState>{state}</t:OofState><t:ExternalAudience>{audience}</t:ExternalAudience>"
        f"{when}{replies}</t:OofSettings>"
    )


def oof_settings(inside: str, *, allowed: str = "All", code: str = "NoError", result: str = "Success") -> bytes:
    """Return a whole answer of GetUserOofSettings."""
    return envelope(
        f'<m:GetUserOofSettingsResponse><m:ResponseMessage ResponseClass="{result}"><m:ResponseCode>{code}'
        f"</m:ResponseCode></m:ResponseMessage>{inside}<m:AllowExternalOof>{allowed}</m:AllowExternalOof>"
        "</m:GetUserOofSettingsResponse>"
    )


def recipients(request: bytes) -> list[str]:
    """Return whom GetMailTips asks about."""
    part = request.partition(b"<m:Recipients>")[2]
    return [address.decode() for address in re.findall(rb"<t:EmailAddress>([^<]*)</t:EmailAddress>", part)]
