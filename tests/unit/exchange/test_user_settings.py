"""The messages of SOAP autodiscover."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.autodiscover.answers import (
    AutodiscoverAnswer,
    RedirectAddress,
    RedirectUrl,
    Refusal,
    ServiceUrls,
    Settings,
)
from exchange.autodiscover.soap import RefusedWhole, parse_user_settings, user_settings_request
from exchange.web.bounded_xml import MalformedXml
from tests.unit.exchange.soap_answers import refused_user, settings_of_user, user_settings, users_asked

ALICE, BOB, CAROL = "alice@example.com", "bob@example.com", "carol@example.com"
EXTERNAL, INTERNAL = "https://mail.example.com/EWS/Exchange.asmx", "https://cas.example.com/EWS/Exchange.asmx"
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "exchange"
GOOD = user_settings(settings_of_user(ALICE, external=EXTERNAL), settings_of_user(BOB, external=EXTERNAL))


def test_the_request_is_about_all_mailboxes_in_their_order_and_names_what_is_wanted() -> None:
    request = user_settings_request(
        [BOB, "o'neil+x@example.com"], "https://a.example.com/autodiscover/autodiscover.svc"
    )

    assert users_asked(request) == [BOB, "o'neil+x@example.com"]
    for setting in ("AutoDiscoverSMTPAddress", "ExternalEwsUrl", "InternalEwsUrl", "EwsSupportedSchemas"):
        assert f"<a:Setting>{setting}</a:Setting>".encode() in request
    assert b"<wsa:To>https://a.example.com/autodiscover/autodiscover.svc</wsa:To>" in request


def test_both_urls_and_the_versions_are_read() -> None:
    told = settings_of_user(
        ALICE, external=EXTERNAL, internal=INTERNAL, EwsSupportedSchemas="Exchange2007, Exchange2013_SP1, <b/>"
    ).replace("<b/>", "&lt;script&gt;")

    (answer,) = parse_user_settings(user_settings(told), [ALICE])

    assert answer == Settings(
        ServiceUrls(EXTERNAL), ServiceUrls(INTERNAL), 1, schemas=("Exchange2007", "Exchange2013_SP1")
    )


@pytest.mark.parametrize(
    ("user", "answer"),
    [
        (refused_user("RedirectAddress", "Alice@Cloud.example.com"), RedirectAddress("alice@cloud.example.com")),
        (refused_user("RedirectUrl", "https://x.test/a"), RedirectUrl("https://x.test/a")),
        (refused_user("InvalidUser"), Refusal("InvalidUser", of_address=True)),
        (refused_user("InvalidDomain"), Refusal("InvalidDomain", of_address=True)),
        (refused_user("ServerBusy"), Refusal("ServerBusy", passing=True)),
        (refused_user("InternalServerError"), Refusal("InternalServerError", passing=True)),
        (refused_user("NotFederated"), Refusal("NotFederated")),
        (refused_user("InvalidSetting"), Refusal("InvalidSetting")),
        (refused_user("RedirectAddress"), None),
        (refused_user("RedirectAddress", "nobody"), None),
        (refused_user("RedirectUrl"), None),
        (refused_user("SomethingNew"), None),
        (refused_user(""), None),
        (settings_of_user(ALICE), None),
    ],
)
def test_what_is_told_of_one_mailbox_concerns_no_other(user: str, answer: AutodiscoverAnswer | None) -> None:
    good = settings_of_user(BOB, external=EXTERNAL)

    assert parse_user_settings(user_settings(user, good), [ALICE, BOB]) == (
        answer,
        Settings(ServiceUrls(EXTERNAL), None),
    )


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (user_settings(settings_of_user(ALICE, external=EXTERNAL)), "is about 1 mailboxes, and 2 were asked for"),
        (user_settings(*[settings_of_user(CAROL, external=EXTERNAL)] * 3), "is about 3 mailboxes, and 2"),
        (user_settings(), "is about 0 mailboxes"),
        (
            user_settings(settings_of_user(BOB, external=EXTERNAL), settings_of_user(ALICE, external=EXTERNAL)),
            "is not in the order",
        ),
        (GOOD.replace(b"UserResponse>", b"User>"), "something else than a UserResponse"),
        (GOOD.replace(b"<UserResponses>", b"<UserResponses/><UserResponses>"), "UserResponses 2 times"),
        (GOOD.replace(b"ExternalEwsUrl", b"AutoDiscoverSMTPAddress"), "has a setting twice"),
        (
            GOOD.replace(b"GetUserSettingsResponseMessage", b"GetDomainSettingsResponseMessage"),
            "has no GetUserSettings",
        ),
        (GOOD.replace(b"<Response ", b"<Answer ").replace(b"</Response>", b"</Answer>"), "has no Response"),
        (GOOD.replace(b"<s:Body>", b"<s:Body><a/>"), "has no Body with one element"),
        (GOOD.replace(b"Envelope", b"Letter"), "another root element"),
        (b"<html/>", "another root element"),
        (b"", "not well-formed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + GOOD[38:], "document type declaration"),
    ],
)
def test_an_answer_that_can_t_be_matched_to_mailboxes_is_refused_whole(document: bytes, why: str) -> None:
    with pytest.raises(MalformedXml, match=why):
        parse_user_settings(document, [ALICE, BOB])


def test_an_answer_that_breaks_off_is_refused_wherever_it_does() -> None:
    for length in range(0, len(GOOD) - 1, 7):
        with pytest.raises(MalformedXml):
            parse_user_settings(GOOD[:length], [ALICE, BOB])


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (user_settings(code="ServerBusy"), "ServerBusy"),
        (user_settings(code="InvalidRequest"), "InvalidRequest"),
        (user_settings(code="SomethingNew"), "unknown"),
        (
            b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault/></s:Body></s:Envelope>',
            "Fault",
        ),
    ],
)
def test_a_request_that_is_refused_whole_says_with_which_code(document: bytes, code: str) -> None:
    with pytest.raises(RefusedWhole) as refused:
        parse_user_settings(document, [ALICE])
    assert refused.value.code == code


def test_an_alias_may_have_another_address() -> None:
    told = user_settings(settings_of_user("primary@example.com", external=EXTERNAL))

    assert parse_user_settings(told, [ALICE]) == (Settings(ServiceUrls(EXTERNAL), None),)


def test_the_answer_that_microsoft_prints_is_one() -> None:
    if not SAMPLES.is_dir():
        pytest.skip("../shared/samples/exchange is absent: Microsoft's samples are not part of the project")
    document = (SAMPLES / "Autodiscover-SOAP-GetUserSettings-response.xml").read_bytes()

    assert parse_user_settings(document, [ALICE]) == (None,), "it is right, and has no EWS URL"
