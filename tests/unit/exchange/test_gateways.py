from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest

from exchange.gateway_documents import parse_gateways
from exchange.gateways import Authentication, DiscoveryStep, GatewayKind, Limits, RepliesFrom, Side
from exchange.mailbox_access import Access, CalendarsFrom, ExchangeVersion, MailboxAccess
from exchange.recipients import RecipientPolicy, Treatment
from exchange.tls.options import NO_EXCEPTIONS, TlsOptions, TlsVersion
from exchange.web.hosts import HostPort
from presence.errors import ConfigurationError, ProblemError

WHOLE: dict[str, Any] = {
    "schema_version": 1,
    "network": {
        "nameservers": ["127.0.0.1:5353", "192.0.2.53"],
        "allow_loopback": True,
        "connect": {"autodiscover.example.com:443": "127.0.0.1:8443"},
    },
    "gateways": [
        {
            "name": "headquarters",
            "kind": "autodiscover",
            "domains": ["Example.com", "*"],
            "credentials": "exchange-reader",
            "trusted_hosts": ["Example.org"],
            "skip": ["root-domain"],
            "autodiscover_urls": {"Example.org": "https://discover.hosting.test/autodiscover/autodiscover.xml"},
            "prefer": "internal",
        },
        {
            "name": "branch",
            "kind": "ews",
            "hosts": ["192.0.2.10:8443", "mail.branch.test", "[2001:db8::1]:444"],
            "domains": ["branch.test"],
            "credentials": "branch-reader",
            "auth": "basic",
        },
    ],
}


def changed(path: str, value: object) -> dict[str, Any]:
    """Return WHOLE with one value set, or removed where it is `...`."""
    document = deepcopy(WHOLE)
    place: Any = document
    *parents, last = path.split("/")
    for key in parents:
        place = place[int(key)] if key.isdigit() else place[key]
    if value is ...:
        del place[last]
    else:
        place[int(last) if last.isdigit() else last] = value
    return document


def test_a_whole_document_is_read() -> None:
    document = parse_gateways(WHOLE)

    headquarters, branch = document.gateways
    assert (headquarters.kind, headquarters.authentication) == (GatewayKind.AUTODISCOVER, Authentication.NTLM)
    assert headquarters.domains == ("example.com", "*")
    assert headquarters.trusted_hosts == {"example.org"}
    assert headquarters.skip == {DiscoveryStep.ROOT_DOMAIN}
    assert headquarters.autodiscover_urls == {
        "example.org": "https://discover.hosting.test/autodiscover/autodiscover.xml"
    }
    assert (headquarters.prefer, branch.prefer) == (Side.INTERNAL, Side.EXTERNAL)
    assert (branch.kind, branch.authentication) == (GatewayKind.EWS, Authentication.BASIC)
    assert branch.hosts == (
        HostPort("192.0.2.10", 8443),
        HostPort("mail.branch.test", 443),
        HostPort("2001:db8::1", 444),
    )
    assert document.network.nameservers == (HostPort("127.0.0.1", 5353), HostPort("192.0.2.53", 53))
    assert document.network.connect == {HostPort("autodiscover.example.com", 443): HostPort("127.0.0.1", 8443)}
    assert document.network.allow_loopback


@pytest.mark.parametrize("way", RepliesFrom)
def test_a_gateway_says_how_it_is_asked_for_automatic_replies(way: RepliesFrom) -> None:
    headquarters, branch = parse_gateways(changed("gateways/1/automatic_replies", str(way))).gateways

    assert headquarters.automatic_replies is RepliesFrom.MAIL_TIPS
    assert branch.automatic_replies is way


def with_access(**keys: str) -> dict[str, Any]:
    document = deepcopy(WHOLE)
    document["gateways"][1].update(keys)
    return document


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, MailboxAccess()),
        ({"access": "delegate"}, MailboxAccess(Access.DELEGATE)),
        (
            {"access": "delegate", "calendars": "calendar-folder", "exchange_version": "2016"},
            MailboxAccess(Access.DELEGATE, CalendarsFrom.CALENDAR_FOLDER, ExchangeVersion.V2016),
        ),
        ({"automatic_replies": "oof-settings"}, MailboxAccess(Access.IMPERSONATION)),
        ({"automatic_replies": "oof-settings", "access": "impersonation"}, MailboxAccess(Access.IMPERSONATION)),
        ({"exchange_version": "SE"}, MailboxAccess(version=ExchangeVersion.SUBSCRIPTION)),
        ({"exchange_version": "2007", "automatic_replies": "off"}, MailboxAccess(version=ExchangeVersion.V2007)),
    ],
)
def test_a_gateway_says_how_its_account_reaches_calendars(keys: dict[str, str], expected: MailboxAccess) -> None:
    headquarters, branch = parse_gateways(with_access(**keys)).gateways

    assert branch.mailboxes == expected
    assert headquarters.mailboxes == MailboxAccess(Access.NONE, CalendarsFrom.FREE_BUSY, None)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"calendars": "calendar-folder"}, "gateways[1].calendars: calendar-folder opens mailboxes, so access must be"),
        ({"calendars": "calendar-folder", "access": "none"}, "gateways[1].calendars: calendar-folder opens mailboxes"),
        ({"automatic_replies": "oof-settings", "access": "none"}, "gateways[1].access: is none, and automatic_replies"),
        ({"automatic_replies": "oof-settings", "access": "delegate"}, "gateways[1].access: is delegate, and"),
        ({"exchange_version": "2007"}, "gateways[1].automatic_replies: is mail-tips, which Exchange 2007 has not"),
        ({"exchange_version": "2003"}, "gateways[1].exchange_version: '2003' is not known; use 2007 or 2010"),
        ({"access": "full"}, "gateways[1].access: 'full' is not known; use none or impersonation or delegate"),
        ({"rooms": "no"}, "gateways[1].rooms: 'no' is not known; use take or refuse"),
    ],
)
def test_access_that_makes_no_sense_is_refused(keys: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_gateways(with_access(**keys))
    assert str(raised.value).startswith(message)


def test_a_gateway_says_which_kinds_of_recipients_it_takes() -> None:
    headquarters, branch = parse_gateways(
        with_access(distribution_lists="take", rooms="refuse", shared_mailboxes="refuse")
    ).gateways

    take, refuse = Treatment.TAKE, Treatment.REFUSE
    assert headquarters.recipients == RecipientPolicy(refuse, take, take)
    assert branch.recipients == RecipientPolicy(take, refuse, refuse)


def test_a_gateway_permits_nothing_of_tls_unless_it_says_so() -> None:
    says = {
        "hostname_checks_common_name": True,
        "x509_strict": False,
        "oldest_tls": "1.0",
        "security_level": Decimal(0),
    }
    document = deepcopy(WHOLE)
    document["gateways"][1].update(says)

    headquarters, branch = parse_gateways(document).gateways

    assert headquarters.tls == NO_EXCEPTIONS == TlsOptions(False, True, TlsVersion.TLS_1_2, 2)  # noqa: FBT003
    assert branch.tls == TlsOptions(True, False, TlsVersion.TLS_1_0, 0)  # noqa: FBT003


def test_a_number_from_a_table_is_a_number() -> None:
    assert parse_gateways({**WHOLE, "schema_version": Decimal(1)}).gateways


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("schema_version", ..., "schema_version: is missing"),
        ("schema_version", 2, "schema_version: 2 is not known; this program reads 1"),
        ("schema_version", "1", "schema_version: must be a whole number, not a text"),
        ("schema_version", True, "schema_version: must be a whole number, not true or false"),
        ("schema_version", Decimal("1.5"), "schema_version: must be a whole number, not this"),
        ("colour", "blue", "colour: this key is not known here"),
        ("gateways", [], "gateways: must be a list of tables, not an empty list"),
        ("gateways", ..., "gateways: is missing"),
        ("gateways/0", "text", "gateways[0]: must be a table, not a text"),
        ("gateways/1/hots", ["a"], "gateways[1].hots: this key is not known here"),
        ("gateways/1/auth", "digest", "gateways[1].auth: 'digest' is not known; use ntlm or basic or kerberos"),
        (
            "gateways/1/automatic_replies",
            "on",
            "gateways[1].automatic_replies: 'on' is not known; use mail-tips or oof-settings or off",
        ),
        ("gateways/1/kind", "webdav", "gateways[1].kind: 'webdav' is not known; use autodiscover or ews"),
        ("gateways/1/kind", ..., "gateways[1].kind: is missing"),
        ("gateways/1/hosts", ["mail.branch.test:0"], "gateways[1].hosts[0]: 'mail.branch.test:0' has no valid port"),
        ("gateways/1/hosts", ["mail branch"], "gateways[1].hosts[0]: 'mail branch' is no host name"),
        ("gateways/1/hosts", [], "gateways[1].hosts: must be a list of texts, not an empty list"),
        ("gateways/1/hosts", ..., "gateways[1].hosts: is missing"),
        ("gateways/1/skip", ["srv"], "gateways[1].skip: this key is not known here"),
        ("gateways/0/hosts", ["mail.example.com"], "gateways[0].hosts: this key is not known here"),
        ("gateways/0/skip", ["dns"], "gateways[0].skip[0]: 'dns' is no step; use root-domain, autodiscover, "),
        (
            "gateways/0/skip",
            ["root-domain", "autodiscover", "http-redirect", "srv"],
            "gateways[0].skip: leaves no step of autodiscover",
        ),
        ("gateways/0/prefer", "inside", "gateways[0].prefer: 'inside' is not known; use external or internal"),
        ("gateways/1/prefer", "internal", "gateways[1].prefer: this key is not known here"),
        ("gateways/1/autodiscover_urls", {}, "gateways[1].autodiscover_urls: this key is not known here"),
        (
            "gateways/0/autodiscover_urls",
            {"example.com": "http://mail.example.com/autodiscover/autodiscover.xml"},
            'gateways[0].autodiscover_urls."example.com": the URL is not https',
        ),
        (
            "gateways/0/autodiscover_urls",
            {"example.com": "https://mail.example.com/owa"},
            'gateways[0].autodiscover_urls."example.com": the URL is no autodiscover URL',
        ),
        (
            "gateways/0/autodiscover_urls",
            {"example.com": "https://u:p@mail.example.com/autodiscover/autodiscover.xml"},
            'gateways[0].autodiscover_urls."example.com": the URL carries a user name',
        ),
        (
            "gateways/0/autodiscover_urls",
            {"exa mple": "https://mail.example.com/autodiscover/autodiscover.xml"},
            "gateways[0].autodiscover_urls.\"exa mple\": 'exa mple' is no domain",
        ),
        ("gateways/0/autodiscover_urls", ["a"], "gateways[0].autodiscover_urls: must be a table, not a list"),
        ("gateways/0/domains", "example.com", "gateways[0].domains: must be a list of texts, not a text"),
        ("gateways/0/domains", ["exa mple"], "gateways[0].domains[0]: 'exa mple' is no domain"),
        ("gateways/0/domains", ..., "gateways[0].domains: is missing, and so is users; nobody would be served"),
        ("gateways/0/users", ["nobody"], "gateways[0].users[0]: 'nobody' is no SMTP address"),
        ("gateways/0/limits", {"concurrent_reads": 0}, "gateways[0].limits.concurrent_reads: must be from 1 to 1000"),
        (
            "gateways/1/limits",
            {"mailboxes_per_request": 101},
            "gateways[1].limits.mailboxes_per_request: must be from 1 to 100",
        ),
        ("gateways/0/limits", {"reads": 1}, "gateways[0].limits.reads: this key is not known here"),
        ("gateways/0/domains", [7], "gateways[0].domains[0]: must be a text, not a number"),
        (
            "gateways/1/domains",
            ["example.com"],
            "gateways[1].domains: 'example.com' is served by gateway 'headquarters' already",
        ),
        ("gateways/1/name", "headquarters", "gateways[1].name: 'headquarters' is the name of another gateway"),
        ("gateways/1/credentials", "../etc/passwd", "gateways[1].credentials: must be letters, digits, and . _ - only"),
        ("gateways/1/credentials", {"password": "x"}, "gateways[1].credentials: must be a text that is not empty"),
        (
            "gateways/1/hostname_checks_common_name",
            "yes",
            "gateways[1].hostname_checks_common_name: must be true or false, not a text",
        ),
        ("gateways/1/x509_strict", 0, "gateways[1].x509_strict: must be true or false, not a number"),
        ("gateways/1/security_level", 3, "gateways[1].security_level: 3 is not known; use 2, 1 or 0"),
        ("gateways/1/security_level", -1, "gateways[1].security_level: -1 is not known; use 2, 1 or 0"),
        ("gateways/1/oldest_tls", "3.0", "gateways[1].oldest_tls: '3.0' is not known; use 1.2 or 1.1 or 1.0"),
        ("gateways/1/oldest_tls", "1.1", 'gateways[1].oldest_tls: "1.1" is spoken with security_level = 0 only'),
        ("gateways/1/check_hostname", False, "gateways[1].check_hostname: this key is not known here"),
        ("gateways/1/verify", False, "gateways[1].verify: this key is not known here"),
        ("gateways/1/ca", "no certificate", "gateways[1].ca: holds no certificate in PEM"),
        ("gateways/1/ca_file", "ca.pem", "gateways[1].ca_file: this key is not known here"),
        (
            "gateways/0/trusted_hosts",
            ["*.example.org"],
            "gateways[0].trusted_hosts[0]: '*.example.org' is no host name",
        ),
        ("network/proxy", "http://proxy", "network.proxy: this key is not known here"),
        ("network/allow_loopback", "yes", "network.allow_loopback: must be true or false, not a text"),
        ("network/nameservers", ["dns.test"], "network.nameservers[0]: 'dns.test' must be an IP address and a port"),
        ("network/connect", {"mail.test": "192.0.2.1:1"}, "network.connect.\"mail.test\": 'mail.test' has no port"),
        (
            "network/connect",
            {"mail.test:443": "other.test:443"},
            "network.connect.\"mail.test:443\": 'other.test:443' must be an IP address and a port",
        ),
        ("network/connect", {"mail.test:443": 8443}, "network.connect.mail.test:443: must be a text that is not empty"),
    ],
    ids=lambda value: value if isinstance(value, str) and ": " in value else "",
)
def test_a_mistake_is_refused_in_one_line_that_says_where_and_why(path: str, value: object, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_gateways(changed(path, value))

    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_password_that_went_astray_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_gateways(changed("gateways/0/password", "hunter2"))

    assert str(caught.value) == "gateways[0].password: this key is not known here"


def test_an_address_goes_to_the_gateway_of_its_domain_else_to_the_one_for_all_others() -> None:
    document = parse_gateways(WHOLE)

    assert document.gateway_for("alice@branch.test").name == "branch"
    assert document.gateway_for("alice@sub.branch.test").name == "headquarters"
    assert document.gateway_for("alice@elsewhere.test").name == "headquarters"


def test_an_address_that_no_gateway_serves_is_a_problem_that_names_the_domain() -> None:
    document = parse_gateways(changed("gateways/0/domains", ["example.com"]))

    with pytest.raises(ProblemError) as caught:
        document.gateway_for("alice@elsewhere.test")

    assert caught.value.problem.code == "NoGateway"
    assert "elsewhere.test" in caught.value.problem.text


def test_a_user_goes_before_the_domain() -> None:
    document = changed("gateways/1/users", ["Alice@Example.com"])
    del document["gateways"][1]["domains"]
    gateways = parse_gateways(document)
    assert gateways.gateway_for("alice@example.com").name == "branch"
    assert gateways.gateway_for("bob@example.com").name == "headquarters"


def test_a_user_of_two_gateways_is_refused() -> None:
    document = changed("gateways/1/users", ["alice@example.com"])
    document["gateways"][0]["users"] = ["ALICE@example.com"]
    with pytest.raises(ConfigurationError, match=r"gateways\[1\]\.users: 'alice@example.com' is served by gateway"):
        parse_gateways(document)


@pytest.mark.parametrize("written", ["münchen.example", "xn--mnchen-3ya.example", "MÜNCHEN.example"])
@pytest.mark.parametrize("address", ["o'neil+desk@münchen.example", "o'neil+desk@xn--mnchen-3ya.example"])
def test_an_international_domain_is_the_same_in_both_forms(written: str, address: str) -> None:
    assert parse_gateways(changed("gateways/1/domains", [written])).gateway_for(address).name == "branch"
    named = parse_gateways(changed("gateways/1/users", [f"o'neil+desk@{written}"]))
    assert named.gateway_for(address).name == "branch"
    assert named.gateway_for(address.replace("desk", "home")).name == "headquarters"


def test_limits_are_read_and_have_defaults() -> None:
    gateways = parse_gateways(changed("gateways/1/limits", {"concurrent_reads": 3, "mailboxes_per_request": 20}))
    assert [gateway.limits for gateway in gateways.gateways] == [Limits(10, 100), Limits(3, 20)]


def test_a_domain_is_refused_to_the_second_gateway_in_its_other_form_too() -> None:
    document = changed("gateways/0/domains", ["münchen.example"])
    document["gateways"][1]["domains"] = ["xn--mnchen-3ya.example"]
    with pytest.raises(ConfigurationError, match=r"gateways\[1\]\.domains: 'xn--mnchen-3ya.example' is served by"):
        parse_gateways(document)
