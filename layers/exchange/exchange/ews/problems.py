"""The problems of answers of EWS that are not Exchange's own response codes: one function a code, with what to do.

No text repeats what a server wrote: a hostile or chatty one may echo what it was sent.
"""

from __future__ import annotations

from presence.errors import Problem, ProblemKind


def malformed_calendar(address: str, what: str) -> Problem:
    """Say that the part of an answer that belongs to one mailbox is not what the schema says."""
    return Problem(
        "MalformedCalendar",
        ProblemKind.LASTING,
        f"the calendar of {address} can't be used: {what}",
        "look at the entry in the mailbox; if it looks right there, the server's answer is at fault",
    )


def count_mismatch(host: str, asked: int, answered: int) -> Problem:
    """Say that results are matched by their order, so a wrong count makes all of them unusable."""
    return Problem(
        "AnswerCountMismatch",
        ProblemKind.UNEXPECTED,
        f"{host} was asked about {asked} mailboxes and answered about {answered}; none of it was used",
        "report the server's version: its answers can't be matched to mailboxes",
    )


def no_calendar_entries(address: str, view: str) -> Problem:
    """Say that the view holds no entries, which is not the same as a free calendar."""
    return Problem(
        "NoCalendarEntries",
        ProblemKind.LASTING,
        f"{address} was answered with the view {view!r}, which holds no calendar entries",
        "a distribution list or an Exchange 2003 mailbox gives no entries: use the address of a mailbox; if the view is"
        ' MergedOnly, distribution_lists = "take" in the gateway takes it',
    )


def request_version_refused(host: str, gateway: str, version: str, code: str) -> Problem:
    """Say that a server is older than its gateway says."""
    return Problem(
        "RequestVersionRefused",
        ProblemKind.LASTING,
        f"{host} answers {code} to a request as Exchange {version}, which gateway {gateway!r} says it is",
        "correct exchange_version of the gateway, or leave it out: then it is found out",
    )


def malformed_replies(address: str, what: str) -> Problem:
    """Say that what came of one mailbox's automatic replies is not what the schema says."""
    return Problem(
        "MalformedAutomaticReplies",
        ProblemKind.LASTING,
        f"what Exchange tells of the automatic replies of {address} can't be used: {what}",
        "look at the automatic replies of the mailbox; if they look right there, the server's answer is at fault",
    )


def replies_not_told(address: str) -> Problem:
    """Say that Exchange left the automatic replies of one mailbox out, which is not the same as having none."""
    return Problem(
        "AutomaticRepliesNotTold",
        ProblemKind.PASSING,
        f"Exchange did not tell whether {address} has automatic replies",
        "nothing; it is tried again",
    )


def replies_refused(host: str, operation: str, code: str) -> Problem:
    """Say that the server does not know the question about automatic replies, or will not answer it."""
    return Problem(
        "AutomaticRepliesRefused",
        ProblemKind.LASTING,
        f"{host} does not answer {operation}: it gives {code}",
        'let the account impersonate and set access to "impersonation", or automatic_replies to "oof-settings",'
        ' which spares the vain question, or to "off"; MailTips are there from Exchange 2010 on',
    )
