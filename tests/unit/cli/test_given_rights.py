from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cli.given_rights import given_by_answers, given_for_certain
from exchange.gateways import Gateway, GatewayKind, RepliesFrom
from exchange.mailbox_access import Access, CalendarsFrom, ExchangeVersion, MailboxAccess
from presence.automatic_replies import NO_REPLIES, AutomaticReplies
from presence.calendar import FOLDER_VIEW, CalendarReading, Window
from presence.errors import Problem, ProblemKind
from presence.rights import Given, RepliesBy, Rights

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
ALICE = "alice@example.com"
REFUSED = Problem("AutomaticRepliesRefused", ProblemKind.LASTING, "they are refused", "grant the right")


def gateway(
    replies: RepliesFrom = RepliesFrom.MAIL_TIPS, access: Access = Access.NONE, *, folders: bool = False
) -> Gateway:
    calendars = CalendarsFrom.CALENDAR_FOLDER if folders else CalendarsFrom.FREE_BUSY
    return Gateway(
        "headquarters",
        GatewayKind.AUTODISCOVER,
        ("example.com",),
        "reader",
        automatic_replies=replies,
        mailboxes=MailboxAccess(access, calendars),
    )


def reading(view: str) -> CalendarReading:
    return CalendarReading(ALICE, Window(NOW, NOW + timedelta(hours=1)), (), NOW, "https://mail.example.com", view)


@pytest.mark.parametrize(
    ("view", "rights"),
    [("FreeBusy", Rights.TIMES), ("Detailed", Rights.DETAILED), (FOLDER_VIEW, Rights.CALENDAR)],
)
def test_the_answer_s_view_tells_the_rights_on_the_calendar(view: str, rights: Rights) -> None:
    for replies in (None, NO_REPLIES, REFUSED):
        assert given_by_answers(gateway(), reading(view), replies, lambda _: True).calendar is rights


@pytest.mark.parametrize("access", Access)
def test_whether_mailboxes_may_be_opened_is_as_the_gateway_says(access: Access) -> None:
    given = given_by_answers(gateway(access=access), reading("FreeBusy"), NO_REPLIES, lambda _: True)
    assert given.opens_mailboxes is (access is not Access.NONE)


@pytest.mark.parametrize(
    ("source", "access", "answer", "offers_tips", "known"),
    [
        (RepliesFrom.OFF, Access.NONE, None, True, RepliesBy.NOT_ASKED),
        (RepliesFrom.MAIL_TIPS, Access.NONE, NO_REPLIES, True, RepliesBy.MAIL_TIPS),
        (RepliesFrom.MAIL_TIPS, Access.DELEGATE, NO_REPLIES, True, RepliesBy.MAIL_TIPS),
        (RepliesFrom.MAIL_TIPS, Access.IMPERSONATION, NO_REPLIES, True, RepliesBy.MAIL_TIPS),
        (RepliesFrom.MAIL_TIPS, Access.IMPERSONATION, NO_REPLIES, False, RepliesBy.OOF_SETTINGS),
        (RepliesFrom.MAIL_TIPS, Access.NONE, REFUSED, False, RepliesBy.NOTHING),
        (RepliesFrom.OOF_SETTINGS, Access.IMPERSONATION, REFUSED, True, RepliesBy.NOTHING),
        (RepliesFrom.OOF_SETTINGS, Access.IMPERSONATION, NO_REPLIES, True, RepliesBy.OOF_SETTINGS),
    ],
)
def test_how_automatic_replies_are_known_is_told_by_what_was_asked_and_answered(
    source: RepliesFrom,
    access: Access,
    answer: AutomaticReplies | Problem | None,
    *,
    offers_tips: bool,
    known: RepliesBy,
) -> None:
    given = given_by_answers(gateway(source, access), reading("FreeBusy"), answer, lambda _: offers_tips)
    assert given.replies is known


def test_the_server_is_asked_again_only_where_replies_may_have_come_in_two_ways() -> None:
    asked: list[str] = []

    def offers(address: str) -> bool:
        asked.append(address)
        return True

    for source, access, answer in (
        (RepliesFrom.OFF, Access.IMPERSONATION, None),
        (RepliesFrom.MAIL_TIPS, Access.DELEGATE, NO_REPLIES),
        (RepliesFrom.MAIL_TIPS, Access.IMPERSONATION, REFUSED),
        (RepliesFrom.OOF_SETTINGS, Access.IMPERSONATION, NO_REPLIES),
    ):
        given_by_answers(gateway(source, access), reading("FreeBusy"), answer, offers)
    assert asked == []
    given_by_answers(gateway(access=Access.IMPERSONATION), reading("FreeBusy"), NO_REPLIES, offers)
    assert asked == [ALICE]


def test_that_a_server_has_no_mail_tips_is_known_where_the_document_or_the_server_says_so() -> None:
    old = replace(
        gateway(RepliesFrom.OOF_SETTINGS), mailboxes=MailboxAccess(Access.IMPERSONATION, version=ExchangeVersion.V2007)
    )
    assert not given_by_answers(old, reading("FreeBusy"), NO_REPLIES, lambda _: True).offers_mail_tips
    either = gateway(access=Access.IMPERSONATION)
    assert given_by_answers(either, reading("FreeBusy"), NO_REPLIES, lambda _: True).offers_mail_tips
    assert not given_by_answers(either, reading("FreeBusy"), NO_REPLIES, lambda _: False).offers_mail_tips
    unsaid = gateway(RepliesFrom.OOF_SETTINGS, Access.IMPERSONATION)
    assert given_by_answers(unsaid, reading("FreeBusy"), NO_REPLIES, lambda _: True).offers_mail_tips


def test_a_document_says_the_least_that_is_given() -> None:
    assert given_for_certain(gateway(access=Access.IMPERSONATION)) == Given(Rights.TIMES, RepliesBy.MAIL_TIPS)
    folders = gateway(RepliesFrom.OOF_SETTINGS, Access.IMPERSONATION, folders=True)
    assert given_for_certain(folders) == Given(Rights.CALENDAR, RepliesBy.OOF_SETTINGS)
    assert given_for_certain(gateway(RepliesFrom.OFF)) == Given(Rights.TIMES, RepliesBy.NOT_ASKED)
