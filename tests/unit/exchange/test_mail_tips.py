from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from exchange.ews.mail_tips import parse_mail_tips
from presence.automatic_replies import NO_REPLIES, Audience, AutomaticReplies
from presence.errors import Problem, ProblemError, ProblemKind
from tests.unit.exchange.hosts import envelope, fault
from tests.unit.exchange.reply_answers import CANARY, duration, mail_tips, mailbox_tips, reply, tips

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
HOST = "mail.example.com"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SWITCHED_ON = AutomaticReplies(enabled=True)
NONE = mailbox_tips(reply(""))


def read(message: str) -> AutomaticReplies | Problem:
    """Read an answer about three mailboxes; the neighbours of the one looked at must be unharmed."""
    answer = mail_tips(NONE, message, mailbox_tips(reply()))
    first, result, last = parse_mail_tips(answer, [ALICE, BOB, CAROL], HOST, NOW)
    assert (first, last) == (NO_REPLIES, SWITCHED_ON)
    return result


@pytest.mark.parametrize(
    ("tip", "replies"),
    [
        (reply(), SWITCHED_ON),
        (reply("&lt;p&gt;away&lt;/p&gt;"), SWITCHED_ON),
        (reply(""), NO_REPLIES),
        (reply(None), NO_REPLIES),
        (reply(" \n "), NO_REPLIES),
        (reply("&lt;html&gt;&#10;&lt;body&gt;&lt;div&gt;&amp;nbsp;&lt;/div&gt;&lt;/body&gt;&lt;/html&gt;"), NO_REPLIES),
        (reply("", duration("2026-11-21T11:00:00Z", "2026-11-21T13:00:00Z")), NO_REPLIES),
        (
            reply(CANARY, duration("2026-11-21T11:00:00Z", "2026-11-21T14:00:00+01:00")),
            AutomaticReplies(enabled=True, start=NOW - HOUR, end=NOW + HOUR),
        ),
        (
            reply(CANARY, duration("2026-11-21T12:00:45Z", "2026-11-21T13:00:00Z")),
            AutomaticReplies(enabled=True, start=NOW + timedelta(seconds=45), end=NOW + HOUR),
        ),
        (
            reply(CANARY, duration("2026-11-21T11:00:00Z", "2026-11-21T11:59:15Z")),
            AutomaticReplies(enabled=True, start=NOW - HOUR, end=NOW - timedelta(seconds=45)),
        ),
        (reply(CANARY, duration("2026-11-20T12:00:00Z", "2026-11-21T11:00:00Z")), SWITCHED_ON),
        (reply(CANARY, duration("2026-11-21T13:00:00Z", "2026-11-22T12:00:00Z")), SWITCHED_ON),
        (reply(CANARY, duration("2026-11-21T13:00:00Z", "2026-11-21T11:00:00Z")), SWITCHED_ON),
        (reply(CANARY, duration("2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z")), SWITCHED_ON),
    ],
    ids=[
        "a reply",
        "a reply in HTML",
        "no reply",
        "no message",
        "white space",
        "HTML without a word",
        "a duration alone",
        "scheduled, and on",
        "on by the server's clock, soon by ours",
        "on by the server's clock, over by ours",
        "a duration that is long over",
        "a duration ahead",
        "a duration that ends before it starts",
        "a duration without length",
    ],
)
def test_a_tip_tells_whether_and_for_how_long_replies_go_out(tip: str, replies: AutomaticReplies) -> None:
    result = read(mailbox_tips(tip))

    assert result == replies
    assert isinstance(result, AutomaticReplies)
    assert result.audience is Audience.ALL
    assert "canary" not in repr(result)


def test_a_recipient_that_is_none_is_a_mailbox_that_is_not_found() -> None:
    result = read(mailbox_tips("", invalid="true"))

    assert isinstance(result, Problem)
    assert (result.code, result.kind) == ("ErrorMailRecipientNotFound", ProblemKind.LASTING)
    assert BOB in result.text


def test_tips_that_leave_the_replies_out_are_not_the_same_as_no_replies() -> None:
    pending = tips(
        "<m:MailTips><t:RecipientAddress><t:Name/></t:RecipientAddress>"
        "<t:PendingMailTips>OutOfOfficeMessage</t:PendingMailTips></m:MailTips>"
    )
    result = read(pending)

    assert isinstance(result, Problem)
    assert (result.code, result.kind) == ("AutomaticRepliesNotTold", ProblemKind.PASSING)


def test_a_code_for_one_mailbox_is_its_problem() -> None:
    result = read(tips("", code="ErrorMailboxMoveInProgress", result="Error"))

    assert isinstance(result, Problem)
    assert (result.code, result.kind) == ("ErrorMailboxMoveInProgress", ProblemKind.PASSING)


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (tips(""), "has no MailTips"),
        (tips("<m:MailTips/><m:MailTips/>"), "has MailTips 2 times"),
        (tips("", result="Error"), "has the code NoError and is no success"),
        (tips("", result="Warning"), "has the code NoError and is no success"),
        (mailbox_tips(reply() * 2), "has OutOfOffice 2 times"),
        (mailbox_tips("<t:OutOfOffice/>"), "OutOfOffice has no ReplyBody"),
        (mailbox_tips(reply("<t:Bold/>")), "Message holds elements instead of a text"),
        (
            mailbox_tips(reply(CANARY, duration("2026-11-21T11:00:00", "2026-11-21T13:00:00Z"))),
            "StartTime of Duration has no time zone",
        ),
        (
            mailbox_tips(reply(CANARY, duration("2026-11-21T11:00:00Z", "tomorrow"))),
            "EndTime of Duration is no time",
        ),
        (mailbox_tips(reply(CANARY, "<t:Duration/>")), "StartTime of Duration is no time"),
        ('<m:MailTipsResponseMessageType ResponseClass="Success"/>', "has no ResponseCode"),
    ],
)
def test_a_part_that_is_not_as_the_schema_says_is_a_problem_of_its_mailbox(message: str, what: str) -> None:
    result = read(message)

    assert isinstance(result, Problem)
    assert (result.code, result.kind) == ("MalformedAutomaticReplies", ProblemKind.LASTING)
    assert what in result.text
    assert "canary" not in result.text


GOOD = mailbox_tips(reply())
WHOLE = mail_tips(GOOD, GOOD)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (mail_tips(GOOD), "AnswerCountMismatch"),
        (mail_tips(GOOD, GOOD, GOOD), "AnswerCountMismatch"),
        (mail_tips(), "AnswerCountMismatch"),
        (WHOLE[: len(WHOLE) // 2], "MalformedAnswer"),
        (b"", "MalformedAnswer"),
        (mail_tips(GOOD, "<m:Note/>"), "MalformedAnswer"),
        (mail_tips(GOOD, GOOD, result="Error"), "MalformedAnswer"),
        (envelope("<m:GetMailTipsResponse/>"), "MalformedAnswer"),
        (envelope("<m:GetUserAvailabilityResponse/>"), "MalformedAnswer"),
        (
            envelope(
                '<m:GetMailTipsResponse ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>'
                "</m:GetMailTipsResponse>"
            ),
            "MalformedAnswer",
        ),
        (mail_tips(code="ErrorMailTipsDisabled", result="Error"), "ErrorMailTipsDisabled"),
        (fault("ErrorServerBusy"), "ErrorServerBusy"),
    ],
    ids=[
        "one too few",
        "one too many",
        "none",
        "cut off",
        "nothing",
        "something else between",
        "no error and no success",
        "no code",
        "another answer",
        "no messages",
        "a code for all",
        "a fault",
    ],
)
def test_an_answer_that_can_t_be_used_is_used_for_nobody(answer: bytes, code: str) -> None:
    with pytest.raises(ProblemError) as raised:
        parse_mail_tips(answer, [ALICE, BOB], HOST, NOW)
    assert raised.value.problem.code == code


def test_a_server_that_is_busy_says_for_how_long() -> None:
    wait = '<m:MessageXml><t:Value Name="BackOffMilliseconds">4000</t:Value></m:MessageXml>'
    with pytest.raises(ProblemError) as raised:
        parse_mail_tips(mail_tips(code="ErrorServerBusy", result="Error", inside=wait), [ALICE], HOST, NOW)
    assert raised.value.problem.retry_after == 4.0


def test_a_long_reply_of_brackets_takes_no_time_to_pass_over() -> None:
    assert read(mailbox_tips(reply("&lt;" * 200_000))) == SWITCHED_ON
