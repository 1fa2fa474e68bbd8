"""The answer of GetMailTips, read strictly: whether a sender to each mailbox would get an automatic reply now.

What the replies say is passed over here and goes no further. A tip tells less than the settings of a mailbox: replies
that are scheduled ahead show once they have begun, and those to people outside of the organisation alone do not show at
all. That the mailbox's own tips are switched off in the organisation looks like having no replies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from lxml import etree

from exchange.ews.problems import malformed_replies, replies_not_told
from exchange.ews.replies import read_duration, says_something
from exchange.ews.response_codes import problem_for
from exchange.ews.response_messages import messages_in, read_each, refusal_in, response_in, usable_answer
from exchange.ews.single import only_child, only_text
from exchange.ews.soap import MESSAGES, TYPES
from exchange.web.bounded_xml import MalformedXml
from presence.automatic_replies import NO_REPLIES, AutomaticReplies
from presence.errors import Problem, ProblemError
from presence.instants import MINUTE

_TIPS = f"{{{MESSAGES}}}MailTips"
_OUT_OF_OFFICE = f"{{{TYPES}}}OutOfOffice"
_INVALID = f"{{{TYPES}}}InvalidRecipient"
_REPLY = f"{{{TYPES}}}ReplyBody"
_UNKNOWN_MAILBOX = "ErrorMailRecipientNotFound"


def parse_mail_tips(
    document: bytes, addresses: Sequence[str], host: str, now: datetime
) -> tuple[AutomaticReplies | Problem, ...]:
    """Read the answer about `addresses`, in their order; what is wrong with one mailbox costs only that one.

    `host` names the server in problems, `now` is the present instant. A reply with a duration that holds `now` (a
    minute more or less, for clocks that differ) is scheduled; with another, or none, it is simply switched on. Raises
    `ProblemError` if the whole answer can't be used: MalformedAnswer, AnswerCountMismatch, or a response code.
    """
    with usable_answer(host):
        items = _read_array(document, host)
    return read_each(items, addresses, host, partial(_read_mailbox, now=now), malformed_replies)


def _read_array(document: bytes, host: str) -> list[etree._Element]:
    response = response_in(document, "GetMailTipsResponse", host)
    refusal = refusal_in(response, f"{host} answers")
    if refusal is not None:
        raise ProblemError(refusal)
    return messages_in(response, "ResponseMessages", "MailTipsResponseMessageType")


def _read_mailbox(item: etree._Element, address: str, now: datetime) -> AutomaticReplies | Problem:
    refusal = refusal_in(item, f"Exchange answers for {address}")
    if refusal is not None:
        return refusal
    tips = only_child(item, _TIPS)
    if tips is None:
        raise MalformedXml("MailTipsResponseMessageType has no MailTips")
    if only_text(tips, _INVALID) in {"true", "1"}:
        return problem_for(_UNKNOWN_MAILBOX, f"Exchange answers for {address}")
    out_of_office = only_child(tips, _OUT_OF_OFFICE)
    if out_of_office is None:
        return replies_not_told(address)
    reply = only_child(out_of_office, _REPLY)
    if reply is None:
        raise MalformedXml("OutOfOffice has no ReplyBody")
    duration = read_duration(out_of_office)
    if not says_something(reply):
        return NO_REPLIES
    if duration is not None and duration[0] - MINUTE <= now < duration[1] + MINUTE:
        return AutomaticReplies(enabled=True, start=duration[0], end=duration[1])
    return AutomaticReplies(enabled=True)
