from __future__ import annotations

import pytest

from cli.discovery_text import settings_as_json, settings_as_lines
from exchange.autodiscover.answers import ServiceUrls, Settings

SECRET = "dXNlcjpwYXNzd29yZA=="


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://mail.example.com/EWS/Exchange.asmx", "https://mail.example.com/EWS/Exchange.asmx"),
        ("https://mail.example.com:8443/ews/exchange.asmx?x=1", "https://mail.example.com:8443/ews/exchange.asmx"),
        (f"https://mail.example.com/{SECRET}", "https://mail.example.com/…"),
        (f"https://u:{SECRET}@mail.example.com/EWS/Exchange.asmx", "one that carries a user name"),
        (f"http://mail.example.com/{SECRET}", "one that is not https"),
    ],
)
def test_of_a_url_that_a_server_told_only_what_exchange_has_is_shown(url: str, shown: str) -> None:
    settings = Settings(ServiceUrls(url, url), None)

    assert list(settings_as_lines(settings)) == [
        "What autodiscover told",
        f"  EWS external URL: {shown}",
        f"  OOF external URL: {shown}",
        "  EWS internal URL: not told",
    ]
    assert SECRET not in repr(settings_as_json(settings))


def test_versions_are_shown_where_they_are_told() -> None:
    settings = Settings(None, ServiceUrls("https://a.test/ews/exchange.asmx"), schemas=("Exchange2007", "Exchange2013"))

    assert list(settings_as_lines(settings))[-1] == "  EWS speaks Exchange2007, Exchange2013"
