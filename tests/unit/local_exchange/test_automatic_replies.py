from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from local.exchange.accounts import Account
from local.exchange.automatic_replies import DISABLED
from local.exchange.network import Host, Network
from local.exchange.organisation import Mailbox, Organisation, OutOfOffice
from local.exchange.server import SimulatedExchange
from tests.unit.local_exchange.client import basic, mail_tips, oof_settings, post, session, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOKYO = ZoneInfo("Asia/Tokyo")
ALICE = "alice@example.com"
TIM = "tim@example.com"
EXCLUDED = "excluded@example.com"
URL = "https://mail.example.com/EWS/Exchange.asmx"
HOST = Host("mail.example.com", accounts=("exchange-reader",), mailboxes=frozenset({"example.com"}))


class Asking:
    """An organisation, and one who asks its server."""

    def __init__(self, host: Host = HOST) -> None:
        self.organisation = Organisation(
            [
                Mailbox(ALICE, "Alice", TOKYO),
                Mailbox(TIM, "Tim", TOKYO),
                Mailbox(EXCLUDED, "Excluded", TOKYO, excluded=True),
                Mailbox("other@example.org", "Other", TOKYO),
            ]
        )
        self.exchange = SimulatedExchange(self.organisation, Network((host,)), clock=lambda: START)

    def ask(self, body: str) -> requests.Response:
        with session(self.exchange, basic(self.exchange.accounts["exchange-reader"])) as made:
            return post(made, URL, body)


@pytest.fixture
def asking() -> Iterator[Asking]:
    made = Asking()
    with made.exchange:
        yield made


def fault_code(answer: requests.Response) -> str:
    assert answer.status_code == 500
    (code,) = texts(answer, "//e:ResponseCode")
    return code


OUT = OutOfOffice("away", START - HOUR, START + HOUR)


@pytest.mark.parametrize(
    ("replies", "state", "tip", "duration"),
    [
        (None, "Disabled", "", []),
        (OutOfOffice("away"), "Enabled", "away", []),
        (OUT, "Scheduled", "away", ["2026-11-23T08:00:00Z"]),
        (OutOfOffice("away", START + HOUR, START + 2 * HOUR), "Scheduled", "", []),
        (OutOfOffice("away", internal=False), "Enabled", "", []),
    ],
    ids=["none", "switched on", "scheduled and on", "scheduled for later", "for people outside alone"],
)
def test_automatic_replies_are_told_both_ways(
    asking: Asking, replies: OutOfOffice | None, state: str, tip: str, duration: list[str]
) -> None:
    asking.organisation.set_out_of_office(ALICE, replies)
    assert texts(asking.ask(oof_settings(ALICE, ALICE)), "//t:OofState") == [state]
    tips = asking.ask(mail_tips([ALICE, "nobody@example.com"]))
    assert texts(tips, "//t:OutOfOffice//t:Message") == [tip]
    assert texts(tips, "//t:OutOfOffice/t:Duration/t:StartTime") == duration
    assert texts(tips, "//t:InvalidRecipient") == ["false", "true"]
    assert texts(tips, "//t:RecipientAddress/t:EmailAddress") == [ALICE, "nobody@example.com"]


@pytest.mark.parametrize(
    ("replies", "inside", "outside", "audience"),
    [
        (OutOfOffice("away"), "away", "away", "All"),
        (OutOfOffice("away", audience="None"), "away", "away", "None"),
        (OutOfOffice("away", audience="Known", internal=False), "", "away", "Known"),
    ],
)
def test_the_settings_tell_who_gets_the_replies(
    asking: Asking, replies: OutOfOffice, inside: str, outside: str, audience: str
) -> None:
    asking.organisation.set_out_of_office(ALICE, replies)
    answer = asking.ask(oof_settings(ALICE, ALICE))
    assert texts(answer, "//t:ExternalAudience") == [audience]
    assert texts(answer, "//t:InternalReply/t:Message") == [inside]
    assert texts(answer, "//t:ExternalReply/t:Message") == [outside]


def test_replies_that_are_switched_on_or_off_while_it_runs_are_told_at_once(asking: Asking) -> None:
    states = []
    for replies in (None, OutOfOffice(), OUT, None):
        asking.organisation.set_out_of_office(ALICE, replies)
        states += texts(asking.ask(oof_settings(ALICE, ALICE)), "//t:OofState")
    assert states == ["Disabled", "Enabled", "Scheduled", "Disabled"]
    with pytest.raises(KeyError):
        asking.organisation.set_out_of_office("nobody@example.com", None)


def test_a_recipient_of_another_organisation_is_invalid_here(asking: Asking) -> None:
    asking.organisation.set_out_of_office("other@example.org", OutOfOffice("elsewhere"))
    tips = asking.ask(mail_tips(["other@example.org"]))
    assert texts(tips, "//t:InvalidRecipient") == ["true"]
    assert texts(tips, "//t:Message") == []


def test_mail_tips_have_limits(asking: Asking) -> None:
    assert fault_code(asking.ask(mail_tips([]))) == "ErrorMissingRecipients"
    assert fault_code(asking.ask(mail_tips([ALICE] * 51))) == "ErrorInvalidRequest"


def test_an_organisation_may_have_mail_tips_switched_off() -> None:
    asking = Asking(Host(HOST.name, accounts=HOST.accounts, mailboxes=HOST.mailboxes, refuses_mail_tips=DISABLED))
    with asking.exchange:
        answer = asking.ask(mail_tips([ALICE]))
    assert answer.status_code == 200
    assert texts(answer, "//m:ResponseCode") == [DISABLED]


def test_a_server_before_2010_has_no_mail_tips() -> None:
    code = "ErrorInvalidServerVersion"
    asking = Asking(Host(HOST.name, accounts=HOST.accounts, mailboxes=HOST.mailboxes, refuses_mail_tips=code))
    with asking.exchange:
        assert fault_code(asking.ask(mail_tips([ALICE]))) == code


@pytest.mark.parametrize(
    ("asked", "impersonated", "code"),
    [
        (ALICE, None, "ErrorAccessDenied"),
        (ALICE, TIM, "ErrorAccessDenied"),
        (ALICE, "nobody@example.com", "ErrorNonExistentMailbox"),
        (ALICE, "other@example.org", "ErrorNonExistentMailbox"),
        ("nobody@example.com", ALICE, "ErrorNonExistentMailbox"),
        (EXCLUDED, EXCLUDED, "ErrorImpersonateUserDenied"),
    ],
)
def test_oof_settings_are_their_owners(asking: Asking, asked: str, impersonated: str | None, code: str) -> None:
    assert fault_code(asking.ask(oof_settings(asked, impersonated))) == code


def test_impersonation_needs_the_role_and_an_owner_needs_none(asking: Asking) -> None:
    owner = Account("exchange-reader", "EXAMPLE\\alice", "her own", address=ALICE)
    exchange = SimulatedExchange(asking.organisation, asking.exchange.network, [owner], lambda: START)
    with exchange, session(exchange, basic(owner)) as made:
        assert texts(post(made, URL, oof_settings(ALICE)), "//t:OofState") == ["Disabled"]
        assert fault_code(post(made, URL, oof_settings(TIM, TIM))) == "ErrorImpersonateUserDenied"
