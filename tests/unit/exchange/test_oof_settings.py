from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exchange.ews.oof_settings import parse_oof_settings
from presence.automatic_replies import NO_REPLIES, Audience, AutomaticReplies
from presence.errors import Problem, ProblemError, ProblemKind
from tests.unit.exchange.hosts import envelope, fault
from tests.unit.exchange.reply_answers import CANARY, duration, oof_settings, settings

ALICE = "alice@example.com"
HOST = "mail.example.com"
START, END = datetime(2026, 12, 24, 8, tzinfo=UTC), datetime(2027, 1, 4, 8, tzinfo=UTC)
CHRISTMAS = duration("2026-12-24T08:00:00Z", "2027-01-04T08:00:00Z")
EMPTY = "&lt;html&gt;&lt;body&gt;&lt;/body&gt;&lt;/html&gt;"


def read(answer: bytes) -> AutomaticReplies | Problem:
    return parse_oof_settings(answer, ALICE, HOST)


@pytest.mark.parametrize(
    ("inside", "replies"),
    [
        (settings("Disabled", when=CHRISTMAS), NO_REPLIES),
        (settings("Enabled"), AutomaticReplies(enabled=True)),
        (settings("Enabled", when=CHRISTMAS), AutomaticReplies(enabled=True)),
        (settings("Scheduled", when=CHRISTMAS), AutomaticReplies(enabled=True, start=START, end=END)),
        (
            settings("Scheduled", when=duration("2026-12-24T08:00:00", "2027-01-04T08:00:00")),
            AutomaticReplies(enabled=True, start=START, end=END),
        ),
        (
            settings("Scheduled", when=duration("2026-12-24T17:00:00+09:00", "2027-01-04T08:00:00.0000000Z")),
            AutomaticReplies(enabled=True, start=START, end=END),
        ),
    ],
    ids=[
        "off, with an old schedule",
        "on",
        "on, with an old schedule",
        "scheduled",
        "scheduled, in UTC without saying so",
        "scheduled, with an offset and a fraction",
    ],
)
def test_the_state_says_whether_and_when_replies_go_out(inside: str, replies: AutomaticReplies) -> None:
    result = read(oof_settings(inside))

    assert result == replies
    assert "canary" not in repr(result)


@pytest.mark.parametrize(
    ("inside", "allowed", "audience"),
    [
        (settings(), "All", Audience.ALL),
        (settings(audience="Known"), "All", Audience.ALL),
        (settings(audience="None"), "All", Audience.INTERNAL),
        (settings(external=""), "All", Audience.INTERNAL),
        (settings(external=None), "All", Audience.INTERNAL),
        (settings(), "None", Audience.INTERNAL),
        (settings(internal=""), "All", Audience.EXTERNAL),
        (settings(internal=None, audience="Known"), "Known", Audience.EXTERNAL),
        (settings(internal=EMPTY), "All", Audience.EXTERNAL),
        (settings(internal="", external=""), "All", None),
        (settings(internal=EMPTY, audience="None"), "All", None),
        (settings(internal=None, external=None), "All", None),
    ],
)
def test_who_gets_replies_is_who_gets_one_that_says_something(
    inside: str, allowed: str, audience: Audience | None
) -> None:
    result = read(oof_settings(inside, allowed=allowed))

    assert result == (NO_REPLIES if audience is None else AutomaticReplies(enabled=True, audience=audience))


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (oof_settings(""), "has no OofSettings"),
        (oof_settings(settings() * 2), "has OofSettings 2 times"),
        (oof_settings(settings("Perhaps")), "OofState is missing or unknown"),
        (oof_settings("<t:OofSettings/>"), "OofState is missing or unknown"),
        (oof_settings(settings(audience="Some")), "ExternalAudience is missing or unknown"),
        (oof_settings(settings("Scheduled")), "there is no Duration"),
        (
            oof_settings(settings("Scheduled", when=duration("2027-01-04T08:00:00Z", "2026-12-24T08:00:00Z"))),
            "none that",
        ),
        (oof_settings(settings("Disabled", when=duration("soon", "later"))), "StartTime of Duration is no time"),
        (oof_settings(settings(internal="<t:Bold/>")), "Message holds elements"),
        (oof_settings(settings(), result="Error"), "NoError and is no success"),
        (envelope("<m:GetUserOofSettingsResponse/>"), "has no ResponseMessage"),
    ],
)
def test_settings_that_are_not_as_the_schema_says_are_a_problem(answer: bytes, what: str) -> None:
    result = read(answer)

    assert isinstance(result, Problem)
    assert (result.code, result.kind) == ("MalformedAutomaticReplies", ProblemKind.LASTING)
    assert what in result.text
    assert CANARY not in result.text


def test_a_code_is_the_problem_of_the_mailbox() -> None:
    result = read(oof_settings("", code="ErrorAccessDenied", result="Error"))

    assert isinstance(result, Problem)
    assert (result.code, result.kind) == ("ErrorAccessDenied", ProblemKind.LASTING)
    assert ALICE in result.text


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", "MalformedAnswer"),
        (oof_settings(settings())[:-30], "MalformedAnswer"),
        (envelope("<m:GetMailTipsResponse/>"), "MalformedAnswer"),
        (fault("ErrorImpersonateUserDenied"), "ErrorImpersonateUserDenied"),
    ],
)
def test_what_is_no_answer_is_raised(answer: bytes, code: str) -> None:
    with pytest.raises(ProblemError) as raised:
        read(answer)
    assert raised.value.problem.code == code
