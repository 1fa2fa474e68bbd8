"""ExchangeReader asking hosts about automatic replies, in both ways and not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest

from exchange.endpoints import MemoryEndpointCache, mailbox_key
from local.exchange.kept_host import Respond, http
from presence.automatic_replies import NO_REPLIES, AutomaticReplies
from presence.errors import Problem, ProblemKind
from tests.unit.exchange.hosts import NOW, Net, fault, pox_settings, when_signed_in
from tests.unit.exchange.reply_answers import (
    duration,
    mail_tips,
    mailbox_tips,
    oof_settings,
    recipients,
    reply,
    settings,
    tips,
)

ALICE, BOB, CAROL = "alice@branch.test", "bob@branch.test", "carol@branch.test"
BRANCH = {"kind": "ews", "domains": ["branch.test"], "hosts": ["mail.branch.test"]}
ONE_BY_ONE = {**BRANCH, "automatic_replies": "oof-settings"}
ON = AutomaticReplies(enabled=True)
REFUSED = "AutomaticRepliesRefused"

Replies = dict[str, AutomaticReplies | Problem]


def owner(request: bytes) -> str:
    (address,) = re.findall(rb"<t:Mailbox><t:Address>([^<]*)</t:Address>", request)
    return str(address.decode())


def exchange(request: bytes) -> bytes:
    """Answer as a right server does: everybody but Bob has replies."""
    if b"<m:GetMailTips>" in request:
        answers = [mailbox_tips(reply("" if each == BOB else "away")) for each in recipients(request)]
        return http(200, mail_tips(*answers))
    return http(200, oof_settings(settings("Disabled" if owner(request) == BOB else "Enabled")))


def read(net: Net, respond: Respond, gateway: Mapping[str, object], *addresses: str) -> Replies:
    net.host("mail.branch.test", respond)
    return dict(net.reader(gateway).read_automatic_replies(addresses or (ALICE, BOB, CAROL)))


def codes(replies: Replies) -> list[str | bool]:
    """Return for each address whether replies are on, or the code of its problem."""
    return [result.code if isinstance(result, Problem) else result.enabled for result in replies.values()]


@pytest.mark.parametrize("gateway", [BRANCH, ONE_BY_ONE], ids=["mail-tips", "oof-settings"])
def test_each_mailbox_has_what_belongs_to_it(net: Net, gateway: Mapping[str, object]) -> None:
    assert read(net, exchange, gateway) == {ALICE: ON, BOB: NO_REPLIES, CAROL: ON}


@pytest.mark.parametrize("gateway", [BRANCH, ONE_BY_ONE], ids=["mail-tips", "oof-settings"])
def test_scheduled_replies_come_with_their_time(net: Net, gateway: Mapping[str, object]) -> None:
    when = duration("2026-11-21T11:00:00Z", "2026-11-21T14:00:00Z")
    scheduled = AutomaticReplies(enabled=True, start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=2))

    def respond(request: bytes) -> bytes:
        if b"<m:GetMailTips>" in request:
            return http(200, mail_tips(mailbox_tips(reply("away", when))))
        return http(200, oof_settings(settings("Scheduled", when=when)))

    assert read(net, respond, gateway, ALICE) == {ALICE: scheduled}


def test_a_gateway_that_is_not_to_be_asked_is_not_asked_and_its_mailboxes_are_absent(net: Net) -> None:
    host = net.host("mail.branch.test", exchange)
    off = net.host("mail.off.test", exchange)
    silent = {"kind": "ews", "domains": ["off.test"], "hosts": ["mail.off.test"], "automatic_replies": "off"}

    replies = net.reader(BRANCH, silent).read_automatic_replies([ALICE, "dave@off.test"])

    assert replies == {ALICE: ON}
    assert len(host.requests) == 1
    assert off.connections == 0


def test_nobody_is_looked_for_whose_gateway_is_not_to_be_asked(net: Net) -> None:
    found = net.host("autodiscover.example.com", when_signed_in(http(200)))

    assert net.reader({"automatic_replies": "off"}).read_automatic_replies(["alice@example.com"]) == {}
    assert found.connections == 0


def test_a_hundred_and_twenty_mailboxes_are_three_questions_about_tips(net: Net) -> None:
    host = net.host("mail.branch.test", exchange)
    addresses = [f"user{number}@branch.test" for number in range(120)]

    replies = net.reader(BRANCH).read_automatic_replies([*addresses, addresses[0]])

    assert replies == dict.fromkeys(addresses, ON)
    assert [len(recipients(request)) for request in host.requests] == [50, 50, 20]
    assert all(b'Version="Exchange2010"' in request for request in host.requests)
    wanted = b"<m:MailTipsRequested>OutOfOfficeMessage InvalidRecipient</m:MailTipsRequested>"
    assert all(wanted in request for request in host.requests)


def test_settings_are_asked_for_in_the_owner_s_name(net: Net) -> None:
    host = net.host("mail.branch.test", exchange)

    net.reader(ONE_BY_ONE).read_automatic_replies([ALICE, BOB])

    assert [owner(request) for request in host.requests] == [ALICE, BOB]
    for request, address in zip(host.requests, (ALICE, BOB), strict=True):
        assert f"X-AnchorMailbox: {address}\r\n".encode() in request
        impersonated = f"<t:ConnectingSID><t:PrimarySmtpAddress>{address}</t:PrimarySmtpAddress></t:ConnectingSID>"
        assert f"<t:ExchangeImpersonation>{impersonated}</t:ExchangeImpersonation>".encode() in request


def test_an_address_of_another_script_is_asked_for_without_the_header_that_could_not_hold_it(net: Net) -> None:
    host = net.host("mail.branch.test", exchange)
    address = "田中@branch.test"

    assert net.reader(ONE_BY_ONE).read_automatic_replies([address]) == {address: ON}
    assert b"X-AnchorMailbox" not in host.requests[0]
    assert address.encode() in host.requests[0]


def test_one_mailbox_that_fails_costs_nobody_else(net: Net) -> None:
    answer = mail_tips(
        mailbox_tips(reply()),
        tips("", code="ErrorMailboxMoveInProgress", result="Error"),
        mailbox_tips(reply("")),
    )

    assert codes(read(net, lambda _: http(200, answer), BRANCH)) == [True, "ErrorMailboxMoveInProgress", False]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (http(500, fault("ErrorImpersonateUserDenied")), "ErrorImpersonateUserDenied"),
        (http(500, fault("ErrorNonExistentMailbox")), "ErrorNonExistentMailbox"),
        (http(500, fault("Client")), REFUSED),
        (http(200, oof_settings("", code="ErrorAccessDenied", result="Error")), "ErrorAccessDenied"),
        (http(500, fault("ErrorInternalServerError")), "ErrorInternalServerError"),
        (http(200, b"<html/>"), "MalformedAnswer"),
        (http(200, oof_settings("")), "MalformedAutomaticReplies"),
    ],
)
def test_one_owner_whose_settings_are_refused_costs_nobody_else(net: Net, answer: bytes, code: str) -> None:
    replies = read(net, lambda request: answer if owner(request) == BOB else exchange(request), ONE_BY_ONE)

    assert codes(replies) == [True, code, True]


@pytest.mark.parametrize(
    ("answer", "code", "kind"),
    [
        (http(503), "ServerBusy", ProblemKind.PASSING),
        (http(500, fault("ErrorServerBusy")), "ErrorServerBusy", ProblemKind.PASSING),
        (http(200, oof_settings("", code="ErrorServerBusy", result="Error")), "ErrorServerBusy", ProblemKind.PASSING),
        (http(403), "AccessDenied", ProblemKind.LASTING),
    ],
)
def test_a_server_that_asks_for_peace_is_not_asked_about_the_next_owner(
    net: Net, answer: bytes, code: str, kind: ProblemKind
) -> None:
    host = net.host("mail.branch.test", lambda _: answer)

    replies = net.reader(ONE_BY_ONE).read_automatic_replies([ALICE, BOB, CAROL])

    assert codes(dict(replies)) == [code] * 3
    assert all(isinstance(result, Problem) and result.kind is kind for result in replies.values())
    assert len(host.requests) == 1


@pytest.mark.parametrize(
    "code",
    [
        "ErrorInvalidServerVersion",
        "ErrorIncorrectSchemaVersion",
        "ErrorSchemaValidation",
        "ErrorInvalidRequest",
        "ErrorInvalidOperation",
        "Client",
    ],
)
def test_a_server_that_does_not_know_the_question_has_a_lasting_problem_and_is_asked_once(net: Net, code: str) -> None:
    host = net.host("mail.branch.test", lambda _: http(500, fault(code)))
    addresses = [f"user{number}@branch.test" for number in range(60)]

    replies = net.reader(BRANCH).read_automatic_replies(addresses)

    assert set(codes(dict(replies))) == {REFUSED}
    problem = replies[addresses[0]]
    assert isinstance(problem, Problem)
    assert problem.kind is ProblemKind.LASTING
    assert "GetMailTips" in problem.text
    assert code in problem.text
    assert '"oof-settings"' in problem.remedy
    assert len(host.requests) == 1


def test_mail_tips_that_are_switched_off_are_a_lasting_problem(net: Net) -> None:
    answer = http(200, mail_tips(code="ErrorMailTipsDisabled", result="Error"))
    replies = read(net, lambda _: answer, BRANCH, ALICE)

    problem = replies[ALICE]
    assert isinstance(problem, Problem)
    assert (problem.code, problem.kind) == ("ErrorMailTipsDisabled", ProblemKind.LASTING)


def test_a_wrong_count_costs_the_mailboxes_of_that_question_only(net: Net) -> None:
    addresses = [f"user{number}@branch.test" for number in range(120)]
    second = set(addresses[50:100])

    def respond(request: bytes) -> bytes:
        return http(200, mail_tips()) if second & set(recipients(request)) else exchange(request)

    net.host("mail.branch.test", respond)
    replies = dict(net.reader(BRANCH).read_automatic_replies(addresses))

    assert codes(replies) == [True] * 50 + ["AnswerCountMismatch"] * 50 + [True] * 20


def test_the_next_host_of_a_pool_is_asked_when_one_can_t_be_connected_to(net: Net) -> None:
    net.silent("down.branch.test")
    net.host("mail.branch.test", exchange)
    pool = {**ONE_BY_ONE, "hosts": ["down.branch.test", "mail.branch.test"]}

    assert net.reader(pool).read_automatic_replies([ALICE, BOB]) == {ALICE: ON, BOB: NO_REPLIES}


def test_an_address_that_no_gateway_serves_has_that_problem(net: Net) -> None:
    replies = read(net, exchange, BRANCH, ALICE, "dave@nowhere.test")

    assert replies.keys() == {ALICE, "dave@nowhere.test"}
    assert codes({address: replies[address] for address in (ALICE, "dave@nowhere.test")}) == [True, "NoGateway"]


def test_a_fault_of_this_program_costs_its_endpoint_only(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr("exchange.ews.client.parse_mail_tips", fails)
    net.host("mail.branch.test", exchange)
    net.host("mail.other.test", exchange)
    other = {
        "kind": "ews",
        "domains": ["other.test"],
        "hosts": ["mail.other.test"],
        "automatic_replies": "oof-settings",
    }

    replies = dict(net.reader(BRANCH, other).read_automatic_replies([ALICE, "dave@other.test"]))

    assert codes(replies) == ["UnexpectedError", True]


def test_who_is_not_found_is_looked_for_again(net: Net) -> None:
    discovered = when_signed_in(http(200, pox_settings("https://mail.example.com/EWS/Exchange.asmx")))
    net.host("autodiscover.example.com", discovered)
    net.host("mail.example.com", lambda _: http(200, mail_tips(mailbox_tips("", invalid="true"))))
    net.silent("example.com")
    cache = MemoryEndpointCache(lambda: NOW)
    key = mailbox_key("alice@example.com")
    reader = net.reader({"skip": ["root-domain"]}, cache=cache)

    reader.resolve("alice@example.com")
    assert cache.get_many([key])
    replies = dict(reader.read_automatic_replies(["alice@example.com"]))

    assert codes(replies) == ["ErrorMailRecipientNotFound"]
    assert not cache.get_many([key])


IMPERSONATING = {**BRANCH, "access": "impersonation"}
WITHOUT_TIPS = {
    "a server before 2010": http(500, fault("ErrorInvalidServerVersion")),
    "switched off": http(200, mail_tips(code="ErrorMailTipsDisabled", result="Error")),
}


@pytest.mark.parametrize("refusal", WITHOUT_TIPS.values(), ids=WITHOUT_TIPS.keys())
def test_where_tips_are_not_offered_settings_are_asked_for_in_the_owners_names(net: Net, refusal: bytes) -> None:
    asked: list[str] = []

    def respond(request: bytes) -> bytes:
        if b"<m:GetMailTips>" in request:
            asked.append("tips")
            return refusal
        asked.append(owner(request))
        return exchange(request)

    assert codes(read(net, respond, IMPERSONATING)) == [True, False, True]
    assert asked == ["tips", ALICE, BOB, CAROL]


@pytest.mark.parametrize("access", ["none", "delegate"])
@pytest.mark.parametrize("refusal", WITHOUT_TIPS.values(), ids=WITHOUT_TIPS.keys())
def test_nobodys_name_is_used_that_the_operator_did_not_say(net: Net, refusal: bytes, access: str) -> None:
    host = net.host("mail.branch.test", lambda _request: refusal)
    replies = net.reader({**BRANCH, "access": access}).read_automatic_replies([ALICE, BOB])

    assert all(isinstance(result, Problem) for result in replies.values())
    assert not [request for request in host.requests if b"GetUserOofSettings" in request]


def test_a_server_that_is_only_busy_is_not_asked_for_settings(net: Net) -> None:
    host = net.host("mail.branch.test", lambda _request: http(500, fault("ErrorServerBusy")))
    replies = net.reader(IMPERSONATING).read_automatic_replies([ALICE])

    assert codes(dict(replies)) == ["ErrorServerBusy"]
    assert len(host.requests) == 1


@pytest.mark.parametrize("source", ["mail-tips", "oof-settings"])
@pytest.mark.parametrize("refusal", [None, *WITHOUT_TIPS.values()], ids=["offered", *WITHOUT_TIPS.keys()])
def test_whether_a_server_offers_tips_is_asked_whatever_the_gateway_is_to_ask_for(
    net: Net, refusal: bytes | None, source: str
) -> None:
    def respond(request: bytes) -> bytes:
        return refusal if refusal is not None and b"<m:GetMailTips>" in request else exchange(request)

    host = net.host("mail.branch.test", respond)
    assert net.reader({**IMPERSONATING, "automatic_replies": source}).offers_mail_tips(ALICE) is (refusal is None)
    assert not [request for request in host.requests if b"GetUserOofSettings" in request], "nobody's name is used"


def test_a_server_that_is_only_busy_is_not_said_to_offer_no_tips(net: Net) -> None:
    net.host("mail.branch.test", lambda _request: http(500, fault("ErrorServerBusy")))
    assert net.reader(IMPERSONATING).offers_mail_tips(ALICE)
