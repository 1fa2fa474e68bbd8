from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import spnego
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spnego.channel_bindings import GssChannelBindings

from local.exchange.accounts import CREDENTIAL_FILE, Account, _CredentialFile, credential_file
from local.exchange.authentication import Authentication, channel_binding_of, channel_bindings
from tests.unit.local_exchange.client import availability, basic, ntlm, post, session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import requests
    from requests.auth import AuthBase

    from local.exchange.server import SimulatedExchange

URL = "https://mail.example.com/EWS/Exchange.asmx"
FACTORY_URL = "https://cas1.factory.test/EWS/Exchange.asmx"
NTLM_ONLY_URL = "https://mail.example.org/EWS/Exchange.asmx"
ACCOUNT = Account("reader", "EXAMPLE\\reader", "open sesame")
BINDINGS = channel_bindings(b"d" * 32)


def ask(exchange: SimulatedExchange, auth: AuthBase | None, start: datetime, url: str = URL) -> requests.Response:
    with session(exchange, auth) as made:
        return post(made, url, availability(["alice@example.com"], start, start.replace(hour=12)))


def test_ntlm_with_the_bindings_of_the_connection_signs_in(running: SimulatedExchange, start: datetime) -> None:
    assert ask(running, ntlm(running.accounts["exchange-reader"]), start).status_code == 200


def test_ntlm_without_channel_bindings_is_refused(running: SimulatedExchange, start: datetime) -> None:
    assert ask(running, ntlm(running.accounts["exchange-reader"], send_cbt=False), start).status_code == 401


@pytest.mark.parametrize("kind", ["ntlm", "basic"])
def test_a_wrong_password_is_refused(running: SimulatedExchange, start: datetime, kind: str) -> None:
    account = running.accounts["exchange-reader"]
    wrong = ntlm(account, password="wrong") if kind == "ntlm" else basic(account, password="wrong")
    assert ask(running, wrong, start).status_code == 401


@pytest.mark.parametrize("kind", ["ntlm", "basic"])
def test_an_account_of_another_organisation_is_refused(running: SimulatedExchange, start: datetime, kind: str) -> None:
    account = running.accounts["hosting-reader"]
    assert ask(running, ntlm(account) if kind == "ntlm" else basic(account), start).status_code == 401


def test_without_credentials_the_answer_names_the_schemes(running: SimulatedExchange, start: datetime) -> None:
    answer = ask(running, None, start)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'NTLM, Basic realm="Exchange"'
    assert answer.content == b""


def test_basic_signs_in_where_it_is_offered_and_nowhere_else(running: SimulatedExchange, start: datetime) -> None:
    assert ask(running, basic(running.accounts["exchange-reader"]), start).status_code == 200
    assert ask(running, basic(running.accounts["exchange-reader"]), start, NTLM_ONLY_URL).status_code == 401
    assert ask(running, basic(running.accounts["factory-reader"]), start, FACTORY_URL).status_code == 200


def test_a_user_name_has_no_case(running: SimulatedExchange, start: datetime) -> None:
    account = running.accounts["exchange-reader"]
    shouted = Account("shouted", account.username.upper(), account.password)
    assert ask(running, ntlm(shouted), start).status_code == 200
    assert ask(running, basic(shouted), start).status_code == 200


def test_ntlm_lasts_as_long_as_the_connection_and_no_longer(exchange: SimulatedExchange, start: datetime) -> None:
    with session(exchange, ntlm(exchange.accounts["exchange-reader"])) as made:
        body = availability(["alice@example.com"], start, start.replace(hour=12))
        assert post(made, URL, body).status_code == 200
        made.auth = None
        assert post(made, URL, body).status_code == 200
        made.close()
        assert post(made, URL, body).status_code == 401
    assert [request.status for request in exchange.requests] == [401, 401, 200, 200, 401]
    assert [request.authorization for request in exchange.requests] == [None, "NTLM", "NTLM", None, None]


def test_basic_counts_for_one_request(exchange: SimulatedExchange, start: datetime) -> None:
    with session(exchange, basic(exchange.accounts["exchange-reader"])) as made:
        body = availability(["alice@example.com"], start, start.replace(hour=12))
        assert post(made, URL, body).status_code == 200
        made.auth = None
        assert post(made, URL, body).status_code == 401


@pytest.fixture
def known_account() -> Iterator[None]:
    credential_file.add([ACCOUNT])
    yield
    credential_file.remove([ACCOUNT])


def header(token: bytes | None) -> str:
    return "NTLM " + base64.b64encode(token or b"").decode()


def ntlm_tokens(authentication: Authentication, bindings: GssChannelBindings | None) -> bytes:
    """Return the third message of a client that is bound so."""
    client = spnego.client(
        ACCOUNT.username,
        ACCOUNT.password,
        protocol="ntlm",
        channel_bindings=bindings,
        options=spnego.NegotiateOptions.use_ntlm,
    )
    challenges = authentication.sign_in(header(client.step()))
    assert isinstance(challenges, list)
    return client.step(base64.b64decode(challenges[0].removeprefix("NTLM "))) or b""


@pytest.mark.usefixtures("known_account")
def test_a_sign_in_that_was_bound_to_another_certificate_is_refused() -> None:
    authentication = Authentication([ACCOUNT], ("NTLM",), BINDINGS)
    relayed = ntlm_tokens(authentication, channel_bindings(b"e" * 32))
    assert authentication.sign_in(header(relayed)) == ["NTLM"]


@pytest.mark.usefixtures("known_account")
def test_a_binding_of_zeros_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # It means "knows of no bindings", and the acceptor alone would take it: its proof is right.
    authentication = Authentication([ACCOUNT], ("NTLM",), BINDINGS)
    with monkeypatch.context() as patch:
        patch.setattr("spnego._ntlm.md5", lambda _: bytes(16))
        unbound = ntlm_tokens(authentication, BINDINGS)
    assert channel_binding_of(unbound) == bytes(16)
    assert authentication.sign_in(header(unbound)) == ["NTLM"]


@pytest.mark.usefixtures("known_account")
def test_the_first_version_of_ntlm_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    authentication = Authentication([ACCOUNT], ("NTLM",), BINDINGS)
    with monkeypatch.context() as patch:
        patch.setenv("LM_COMPAT_LEVEL", "1")
        old = ntlm_tokens(authentication, BINDINGS)
    assert channel_binding_of(old) is None
    assert authentication.sign_in(header(old)) == ["NTLM"]


@pytest.mark.usefixtures("known_account")
def test_a_good_third_message_serves_once() -> None:
    authentication = Authentication([ACCOUNT], ("NTLM",), BINDINGS)
    good = ntlm_tokens(authentication, BINDINGS)
    assert authentication.sign_in(header(good)) == ACCOUNT
    assert authentication.sign_in(None) == ACCOUNT
    assert authentication.sign_in(header(good)) == ["NTLM"]
    assert authentication.sign_in(None) == ["NTLM"]


@pytest.mark.usefixtures("known_account")
def test_a_challenge_is_good_for_one_attempt() -> None:
    authentication = Authentication([ACCOUNT], ("NTLM",), BINDINGS)
    good = ntlm_tokens(authentication, BINDINGS)
    assert authentication.sign_in(header(b"NTLMSSP\x00\x03\x00\x00\x00" + bytes(60))) == ["NTLM"]
    assert authentication.sign_in(header(good)) == ["NTLM"]


@pytest.mark.usefixtures("known_account")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_spoilt_message_is_refused_and_never_an_error(data: st.DataObject) -> None:
    authentication = Authentication([ACCOUNT], ("NTLM", "Basic"), BINDINGS)
    good = bytearray(ntlm_tokens(authentication, BINDINGS))
    # The proof covers the response; flip a bit there, or cut the message off, or send rubbish.
    offset = int.from_bytes(good[24:28], "little")
    position = data.draw(st.integers(offset, offset + 60))
    flipped = bytes(good[:position]) + bytes([good[position] ^ 1]) + bytes(good[position + 1 :])
    cut = bytes(good[: data.draw(st.integers(0, offset + 20))])
    rubbish = data.draw(st.binary(max_size=80))
    spoilt = data.draw(st.sampled_from([flipped, cut, rubbish, b"NTLMSSP\x00\x03\x00\x00\x00" + rubbish]))
    refused = authentication.sign_in(header(spoilt))
    assert isinstance(refused, list)
    assert refused == ["NTLM", 'Basic realm="Exchange"']


@pytest.mark.parametrize(
    "value", ["NTLM", "NTLM ???", "Basic", "Basic ???", "Basic eA==", "Bearer abc", "", "Negotiate YII="]
)
def test_what_is_no_credential_gets_a_challenge(value: str) -> None:
    refused = Authentication([ACCOUNT], ("NTLM", "Basic"), BINDINGS).sign_in(value)
    assert refused == ["NTLM", 'Basic realm="Exchange"']


@pytest.mark.parametrize("before", [None, "/somewhere/else"])
def test_two_simulators_of_a_process_share_the_acceptors_file_which_goes_away_with_the_last(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.delenv(CREDENTIAL_FILE, raising=False)
    if before is not None:
        monkeypatch.setenv(CREDENTIAL_FILE, before)
    shared = _CredentialFile()
    other = Account("other", "other@example.com", "secret")
    shared.add([ACCOUNT])
    shared.add([ACCOUNT, other])
    shared.remove([ACCOUNT])
    file = Path(os.environ[CREDENTIAL_FILE])
    assert set(file.read_text().splitlines()) == {"EXAMPLE:reader:open sesame", ":other@example.com:secret"}
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(ValueError, match="two passwords"):
        shared.add([Account("again", "example\\READER", "another")])
    shared.remove([ACCOUNT, other])
    assert os.environ.get(CREDENTIAL_FILE) == before
    assert not file.parent.exists()


def test_an_account_that_the_acceptor_could_not_read_is_refused_and_a_password_is_not_shown() -> None:
    with pytest.raises(ValueError, match="neither name nor password"):
        Account("reader", "EXAMPLE\\reader", "a:b")
    assert "sesame" not in repr(ACCOUNT)
