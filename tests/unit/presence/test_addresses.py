from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.addresses import domain_of, in_own_script, parse_smtp_address
from presence.errors import ConfigurationError, InvalidAddress


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("alice@example.com", "alice@example.com"),
        ("  Alice.Smith@EXAMPLE.Com\n", "alice.smith@example.com"),
        ("o'neil+tag=1/x_y@sub.example.org", "o'neil+tag=1/x_y@sub.example.org"),
        ("花子@例え.test", "花子@例え.test"),
        ("mu\u0308ller@example.com", "müller@example.com"),
        ("x@a-b.1c.test", "x@a-b.1c.test"),
        ("x@a_b.example.com", "x@a_b.example.com"),
        (f"{'l' * 64}@example.com", f"{'l' * 64}@example.com"),
        (f"x@{'d' * 63}.example.com", f"x@{'d' * 63}.example.com"),
    ],
)
def test_an_address_has_one_spelling(written: str, address: str) -> None:
    assert parse_smtp_address(written) == address


REFUSED: dict[str, tuple[str, str]] = {
    "nothing": ("", "it needs a name, one @ and a domain"),
    "a word": ("alice", "it needs a name, one @ and a domain"),
    "no name": ("@example.com", "it needs a name, one @ and a domain"),
    "no domain": ("alice@", "it needs a name, one @ and a domain"),
    "two at signs": ("alice@bob@example.com", "'alice@bob' can't stand before the @"),
    "a space": ("alice smith@example.com", "can't stand before the @"),
    "a display name": ("Alice <alice@example.com>", "can't stand before the @"),
    "two addresses": ("a@example.com,b@example.com", "can't stand before the @"),
    "a dot first": (".alice@example.com", "can't stand before the @"),
    "a dot last": ("alice.@example.com", "can't stand before the @"),
    "two dots": ("al..ice@example.com", "can't stand before the @"),
    "a line break inside": ("al\nice@example.com", "can't stand before the @"),
    "a prefix of proxyAddresses": ("SMTP:alice@example.com", "can't stand before the @"),
    "a domain without a dot": ("alice@localhost", "no full domain"),
    "an empty label": ("alice@example..com", "'' is no part of a domain"),
    "a dot at the end": ("alice@example.com.", "'' is no part of a domain"),
    "a hyphen first": ("alice@-example.com", "'-example' is no part of a domain"),
    "a hyphen last": ("alice@example-.com", "'example-' is no part of a domain"),
    "a label of 64": (f"alice@{'d' * 64}.com", "no part of a domain"),
    "an IP address": ("alice@192.0.2.10", "IP address"),
    "an address literal": ("alice@[192.0.2.10]", "no part of a domain"),
    "a name of 65": (f"{'l' * 65}@example.com", "too long"),
    "255 characters": (f"a@{'d' * 49}.{'.'.join(['e' * 50] * 4)}", "too long"),
    "a control character": ("al\x85ice@example.com", "can't"),
    "a mark that turns the direction": ("al\u202eice@example.com", "can't be seen"),
    "a space without width": ("al\u200bice@example.com", "can't be seen"),
    "half of a surrogate pair": ("al\ud83dice@example.com", "can't be seen"),
}


@pytest.mark.parametrize(("written", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_address_is_refused_with_the_reason(written: str, reason: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        parse_smtp_address(written)
    assert reason in str(refused.value)
    assert isinstance(refused.value, ConfigurationError)


@pytest.mark.parametrize(
    "written",
    [
        "al\nice@example.com",
        "al\u202eice@example.com",
        "al\ud83dice@example.com",
        "x" * 10_000,
        f"{'x' * 10_000}@a.test",
    ],
    ids=["line break", "direction", "surrogate", "long", "long name"],
)
def test_the_refusal_is_one_printable_line_however_long_the_text(written: str) -> None:
    with pytest.raises(InvalidAddress) as refused:
        parse_smtp_address(written)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 200


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_written_is_an_address_in_its_one_spelling_or_refused(name: str, domain: str) -> None:
    for written in (f"{name}@{domain}", f"{name}@{domain}.example.com"):
        try:
            address = parse_smtp_address(written)
        except InvalidAddress:
            continue
        assert parse_smtp_address(address) == address
        assert address.count("@") == 1
        assert not any(character.isspace() for character in address)
        assert address == f"{address.partition('@')[0]}@{domain_of(address)}"


def test_the_domain_is_what_follows_the_at_sign() -> None:
    assert domain_of("alice@sub.example.com") == "sub.example.com"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("xn--a@xn--bcher-kva.test", "xn--a@bücher.test"),
        ("a@mail.xn--bcher-kva.xn--wgv71a119e", "a@mail.bücher.日本語"),
        ("xn--bcher-kva.test", "bücher.test"),
        ("a@bücher.test", "a@bücher.test"),
        ("a@example.com", "a@example.com"),
        ("a@xn--ü.test", "a@xn--ü.test"),
        ("a@xn--99999999999999.test", "a@xn--99999999999999.test"),
    ],
)
def test_both_forms_of_an_international_domain_are_read_as_one(written: str, read: str) -> None:
    assert in_own_script(written) == read


@given(st.text(max_size=30), st.text("xn-abc019", max_size=40))
def test_whatever_is_no_form_of_a_domain_stays_without_an_error(name: str, label: str) -> None:
    assert in_own_script(f"{name}@xn--{label}.test").startswith(f"{name}@")
