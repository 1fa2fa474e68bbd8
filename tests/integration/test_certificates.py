"""What an operator is told about the certificates of their servers, by the commands and the files they use."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.main import main
from local.exchange.certificates import CertificateAuthority, HostCertificate, Shape, self_signed
from local.exchange.kept_host import KeptHost, http
from local.exchange.nameserver import NameServer, Zone
from tests.unit.exchange.hosts import PASSWORD, USERNAME, Net, availability, mailbox_answer, when_signed_in

HOST = "mail.example.com"
TODAY = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ROOT = CertificateAuthority("Example Root")

Check = Callable[..., tuple[int, str]]


@pytest.fixture
def net() -> Iterator[Net]:
    with NameServer(Zone()) as nameserver, contextlib.ExitStack() as stack:
        yield Net(stack, nameserver)


@pytest.fixture
def check(net: Net, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Check a mailbox of a gateway with these hosts, with files as an operator writes them."""

    def check(*arguments: str, hosts: tuple[str, ...] = (HOST,), options: str = "") -> tuple[int, str]:
        (tmp_path / "ca.pem").write_text(ROOT.pem, encoding="ascii")
        secret = tmp_path / "secrets" / "reader.json"
        secret.parent.mkdir(exist_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(json.dumps({"username": USERNAME, "password": PASSWORD}), encoding="utf-8")
        connect = "\n".join(f'"{asked}" = "{used}"' for asked, used in net.connect.items())
        config = tmp_path / "gateways.toml"
        config.write_text(
            f"schema_version = 1\n[network]\nallow_loopback = true\n[network.connect]\n{connect}\n"
            f'[[gateways]]\nname = "main"\nkind = "ews"\nhosts = {json.dumps(hosts)}\ndomains = ["example.com"]\n'
            f'credentials = "reader"\nauth = "basic"\nca_file = "ca.pem"\n{options}\n',
            encoding="utf-8",
        )
        code = main(["check", "alice@example.com", "--config", str(config), *arguments])
        told = capsys.readouterr()
        assert told.err == ""
        return code, told.out

    return check


def server(net: Net, certificate: HostCertificate, name: str = HOST) -> KeptHost:
    answer = when_signed_in(http(200, availability(mailbox_answer())))
    return net.host(name, answer, tls=certificate.server_context())


def lines_about(out: str, host: str = HOST) -> list[str]:
    """Return the lines of the part about certificates that belong to a host."""
    part = out.partition("\nCertificates\n")[2].partition("\n\n")[0].split("\n")
    start = next(index for index, line in enumerate(part) if line.startswith(f"  {host}:443: "))
    after = [index for index, line in enumerate(part) if index > start and not line.startswith("    ")]
    return [line.strip() for line in part[start : after[0] if after else None]]


def test_a_good_certificate_is_shown_with_its_days(net: Net, check: Check) -> None:
    server(net, ROOT.issue(HOST, "192.0.2.10", shape=Shape(ends=TODAY + 80 * DAY + HOUR)))

    code, out = check()

    verdict, certificate, days = lines_about(out)
    assert code == 0
    assert verdict == f"{HOST}:443: verified"
    assert certificate.startswith(f"CN={HOST} ({HOST}, 192.0.2.10), issued by CN=Example Root, valid ")
    assert days == "80 days left"


@pytest.mark.parametrize(
    ("left", "words"), [(22, "22 days left"), (21, "21 days left; warning: renew it"), (1, "1 day left; warning")]
)
def test_few_days_are_a_warning(net: Net, check: Check, left: int, words: str) -> None:
    server(net, ROOT.issue(HOST, shape=Shape(ends=TODAY + left * DAY + HOUR)))

    code, out = check()

    assert code == 0
    assert lines_about(out)[2].startswith(words)
    assert ("warning" in out) == ("warning" in words)


def test_an_authority_that_ends_first_is_named(net: Net, check: Check) -> None:
    issuing = CertificateAuthority("Example Issuing", issuer=ROOT, shape=Shape(ends=TODAY + 9 * DAY + HOUR))
    server(net, issuing.issue(HOST, sends=(issuing,)))

    _, out = check()
    _, told = check("--json")

    assert lines_about(out)[2] == "9 days left until CN=Example Issuing above it ends; warning: renew it"
    (shown,) = json.loads(told)["certificates"]
    assert (shown["verdict"], shown["fault"]) == ("verified", None)
    assert (shown["host"], shown["subject"], shown["names"]) == (f"{HOST}:443", f"CN={HOST}", [HOST])
    assert (shown["endsFirst"], shown["daysLeft"]) == ("CN=Example Issuing", 9)


def test_an_expired_certificate_is_refused_and_shown_and_the_server_gets_nothing(net: Net, check: Check) -> None:
    kept = server(net, ROOT.issue(HOST, shape=Shape(begins=TODAY - 9 * DAY, ends=TODAY - 3 * DAY + HOUR)))

    code, out = check()

    assert code == 1
    assert kept.ended.acquire(timeout=5)
    assert kept.connections == 1
    assert kept.received == b""
    verdict, _, days = lines_about(out)
    assert verdict == f"{HOST}:443: bad certificates, it has expired"
    assert days == "ended 3 days ago; warning: renew it"
    assert f"Problem CertificateInvalid (lasting): the certificate of {HOST} is not accepted: bad certificates" in out
    assert "to do: renew the certificate of the server" in out


def test_of_a_pool_each_server_is_shown_and_the_good_one_is_read(net: Net, check: Check) -> None:
    bad = server(net, self_signed("cas1.example.com"), "cas1.example.com")
    server(net, ROOT.issue("cas2.example.com"), "cas2.example.com")

    code, out = check(hosts=("cas1.example.com", "cas2.example.com"))

    assert code == 0
    assert lines_about(out, "cas1.example.com")[0].endswith("bad certificates, it is self-signed")
    assert lines_about(out, "cas2.example.com")[0].endswith("verified")
    assert "Calendar, read from https://cas2.example.com/EWS/Exchange.asmx" in out
    assert not bad.was_given_credentials


def test_what_a_gateway_permits_is_in_its_file_and_shown_when_it_is_validated(
    net: Net, check: Check, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server(net, ROOT.issue(HOST, shape=Shape(alternative_names=False, key_identifiers=False)))

    refused, _ = check()
    accepted, _ = check(options="hostname_checks_common_name = true\nx509_strict = false")

    assert (refused, accepted) == (1, 0)
    assert main(["gateways", "validate", str(tmp_path / "gateways.toml")]) == 0
    permits = "  permits certificates by their common name, certificates that are not strictly of RFC 5280\n"
    assert permits in capsys.readouterr().out
