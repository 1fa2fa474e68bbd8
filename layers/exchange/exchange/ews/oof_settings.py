"""The answer of GetUserOofSettings, read strictly: the automatic replies of one mailbox as its owner set them.

What the replies say is passed over here and goes no further.
"""

from __future__ import annotations

from lxml import etree

from exchange.ews.problems import malformed_replies
from exchange.ews.replies import read_duration, says_something
from exchange.ews.response_messages import read_each, refusal_in, response_in, usable_answer
from exchange.ews.single import only_child, only_text
from exchange.ews.soap import MESSAGES, TYPES
from exchange.web.bounded_xml import MalformedXml
from presence.automatic_replies import NO_REPLIES, Audience, AutomaticReplies
from presence.errors import Problem

_MESSAGE = f"{{{MESSAGES}}}ResponseMessage"
_ALLOWED = f"{{{MESSAGES}}}AllowExternalOof"
_SETTINGS = f"{{{TYPES}}}OofSettings"
# types.xsd, OofState and ExternalAudience.
_STATES = frozenset({"Disabled", "Enabled", "Scheduled"})
_AUDIENCES = frozenset({"None", "Known", "All"})


def parse_oof_settings(document: bytes, address: str, host: str) -> AutomaticReplies | Problem:
    """Read the answer about one mailbox; `host` names the server in problems.

    A Duration counts for scheduled replies only: Exchange sends one along in every state. Its times are in UTC, also
    where they do not say so, as in Microsoft's own sample; the request carries no other zone that could be meant.
    Replies that nobody gets, since they say nothing, are none. Raises `ProblemError` if the answer is no answer:
    MalformedAnswer, or the code of a SOAP fault.
    """
    with usable_answer(host):
        response = response_in(document, "GetUserOofSettingsResponse", host)
    (replies,) = read_each([response], [address], host, _read_response, malformed_replies)
    return replies


def _read_response(response: etree._Element, address: str) -> AutomaticReplies | Problem:
    message = only_child(response, _MESSAGE)
    if message is None:
        raise MalformedXml("GetUserOofSettingsResponse has no ResponseMessage")
    refusal = refusal_in(message, f"Exchange answers for {address}")
    if refusal is not None:
        return refusal
    settings = only_child(response, _SETTINGS)
    if settings is None:
        raise MalformedXml("GetUserOofSettingsResponse has no OofSettings")
    allowed = only_text(response, _ALLOWED)
    return _read_settings(settings, external_allowed=allowed != "None")


def _read_settings(settings: etree._Element, *, external_allowed: bool) -> AutomaticReplies:
    state = only_text(settings, f"{{{TYPES}}}OofState")
    external_to = only_text(settings, f"{{{TYPES}}}ExternalAudience")
    if state not in _STATES:
        raise MalformedXml("OofState is missing or unknown")
    if external_to not in _AUDIENCES:
        raise MalformedXml("ExternalAudience is missing or unknown")
    duration = read_duration(settings, utc=True)
    if state == "Disabled":
        return NO_REPLIES
    if state == "Scheduled" and duration is None:
        raise MalformedXml("OofState is Scheduled, and there is no Duration, or none that ends after its start")
    internal = _is_sent(settings, "InternalReply")
    external = external_allowed and external_to != "None" and _is_sent(settings, "ExternalReply")
    if not internal and not external:
        return NO_REPLIES
    audience = Audience.ALL if internal and external else Audience.INTERNAL if internal else Audience.EXTERNAL
    start, end = duration if duration is not None and state == "Scheduled" else (None, None)
    return AutomaticReplies(enabled=True, start=start, end=end, audience=audience)


def _is_sent(settings: etree._Element, name: str) -> bool:
    reply = only_child(settings, f"{{{TYPES}}}{name}")
    return reply is not None and says_something(reply)
