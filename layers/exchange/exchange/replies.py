"""How a gateway is asked for automatic replies: as a sender is told of them, or in their owners' names."""

from __future__ import annotations

from collections.abc import Sequence

from exchange.ews.client import EwsClient
from exchange.ews.requests import MOST_RECIPIENTS
from exchange.gateways import Gateway, RepliesFrom
from exchange.locating import Resolution
from exchange.mailbox_access import Access
from exchange.questions import Question
from presence.automatic_replies import AutomaticReplies
from presence.errors import Problem

# The server knows no MailTips, or they are switched off in its organisation.
_WITHOUT_TIPS = frozenset({"AutomaticRepliesRefused", "ErrorMailTipsDisabled"})


def question_of_replies(gateway: Gateway) -> Question[AutomaticReplies]:
    """Return how a gateway is asked for automatic replies, as its document says."""
    if gateway.automatic_replies is RepliesFrom.OOF_SETTINGS:
        return question_of_settings(gateway)
    return question_of_tips(gateway)


def question_of_tips(_gateway: Gateway) -> Question[AutomaticReplies]:
    """Return how any gateway is asked for what senders are told of automatic replies."""
    return Question("automatic replies", MOST_RECIPIENTS, _ask_for_mail_tips)


def question_of_settings(_gateway: Gateway) -> Question[AutomaticReplies]:
    """Return how any gateway is asked for the settings of owners, one by one."""
    return Question("settings", 1, _ask_for_settings)


def has_no_mail_tips(result: AutomaticReplies | Problem) -> bool:
    """Tell whether a mailbox has no result because its server offers no MailTips."""
    return isinstance(result, Problem) and result.code in _WITHOUT_TIPS


def may_ask_for_settings(gateway: Gateway) -> bool:
    """Tell whether the settings of owners may be asked for where a gateway's servers offer no MailTips."""
    return gateway.automatic_replies is RepliesFrom.MAIL_TIPS and gateway.mailboxes.access is Access.IMPERSONATION


def _ask_for_mail_tips(
    client: EwsClient, url: str, asked: Sequence[Resolution]
) -> Sequence[AutomaticReplies | Problem]:
    return client.read_mail_tips(url, [resolution.mailbox for resolution in asked])


def _ask_for_settings(client: EwsClient, url: str, asked: Sequence[Resolution]) -> list[AutomaticReplies | Problem]:
    return [client.read_oof_settings(url, resolution.mailbox) for resolution in asked]
