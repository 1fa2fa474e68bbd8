"""Which of a directory's addresses is the primary one."""

from __future__ import annotations

import pytest

from presence.errors import InvalidAddress
from presence.proxy_addresses import primary_smtp_address


@pytest.mark.parametrize(
    ("values", "primary"),
    [
        (["smtp:a.smith@example.com", "SMTP:Alice@Example.com", "smtp:alice@example.org"], "alice@example.com"),
        (["SIP:alice@example.org", "SMTP:alice@example.com"], "alice@example.com"),
        (
            [
                "sip:alice@example.org",
                "X500:/o=Example/cn=alice",
                "EUM:1001;phone-context=plan",
                "SMTP:alice@example.com",
            ],
            "alice@example.com",
        ),
        (["SMTP:alice@example.com", "SMTP:ALICE@example.com"], "alice@example.com"),
        ([" SMTP:alice@example.com "], "alice@example.com"),
        (["SMTP:o'neil+calendar@example.com"], "o'neil+calendar@example.com"),
        (["SMTP:alice@bücher.test"], "alice@bücher.test"),
        (["X400:c=US;a= ;p=Example;o=Exchange;s=Smith;", "SMTP:alice@example.com"], "alice@example.com"),
    ],
)
def test_the_one_in_capitals_wins(values: list[str], primary: str) -> None:
    assert primary_smtp_address(values) == primary


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ([], "none of 0 proxy addresses is primary"),
        (["smtp:alice@example.com", "SIP:alice@example.com"], "none of 2 proxy addresses is primary: .* 1 with smtp:"),
        (["Smtp:alice@example.com"], "none of 1 proxy addresses is primary"),
        (["alice@example.com"], "none of 1 proxy addresses is primary"),
        (
            ["SMTP:alice@example.com", "SMTP:bob@example.com"],
            "2 addresses are primary .* alice@example.com, bob@example",
        ),
        (["SMTP:alice"], "'alice' is no SMTP address"),
        (["SMTP:"], "is no SMTP address"),
    ],
)
def test_without_one_primary_address_nothing_is_guessed(values: list[str], complaint: str) -> None:
    with pytest.raises(InvalidAddress, match=complaint):
        primary_smtp_address(values)
