"""What `presence check` says of the way to a mailbox: each step with what it met, and what autodiscover told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from local.exchange.operator_folder import write_operator_folder
from local.exchange.scenario import demo_organisation
from local.exchange.server import SimulatedExchange

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PATH = "/autodiscover/autodiscover.xml"
Check = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def exchange() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(demo_organisation(START)) as running:
        yield running


@pytest.fixture
def check(exchange: SimulatedExchange, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    document = write_operator_folder(tmp_path, exchange)

    def check(*arguments: str) -> tuple[int, str]:
        code = main(["check", *arguments, "--config", str(document), "--at", START.isoformat()])
        return code, capsys.readouterr().out

    return check


def test_each_step_says_what_was_asked_where_with_which_certificate_and_what_it_means(
    check: Check, exchange: SimulatedExchange
) -> None:
    _, told = check("mia@branch.test")

    way = told.partition("How the mailbox was looked for\n")[2].partition("\n\n")[0]
    for varying, word in ((r"127\.0\.0\.1:\d+", "HERE"), (r"\d+ ms", "N ms"), (r"\d+ days", "N days")):
        way = re.sub(varying, word, way)
    own, hosting = "autodiscover.branch.test", "autodiscover.hosting.test"
    issued = "issued by CN=Simulated Exchange CA, N days left"
    no_xml = (
        "the autodiscover answer has a document type declaration, which is refused: another service, perhaps a website"
    )
    assert way.splitlines() == [
        f"  1. root-domain: https://branch.test{PATH} at HERE HTTP 200 (N ms): {no_xml}",
        f"     certificate: verified; CN=branch.test, {issued}",
        f"  2. autodiscover: https://{own}{PATH} at HERE (N ms): {own} can't be reached: HERE: Connection refused",
        f"  3. http-redirect: http://{own}{PATH} at HERE HTTP 302 (N ms): redirects to {hosting}",
        f"  4. http-redirect: https://{hosting}{PATH} at HERE HTTP 200 (N ms): tells where the mailbox is",
        f"     certificate: verified; CN={hosting}, {issued}",
    ]
    for secret in exchange.secrets().values():
        assert secret["password"] not in told
        assert secret["username"] not in told


def test_the_same_stands_in_json(check: Check) -> None:
    _, told = check("alice@example.com", "--json")
    (step,) = json.loads(told)["steps"]

    certificate: dict[str, Any] = step.pop("certificate")
    assert (certificate["host"], certificate["verdict"]) == ("example.com:443", "verified")
    assert certificate["daysLeft"] > 0
    assert step["status"] == 200
    assert set(step) == {"step", "asked", "addresses", "status", "milliseconds", "sentence"}


def test_the_urls_that_autodiscover_tells_are_shown(check: Check) -> None:
    url = "https://mail.example.com/EWS/Exchange.asmx"

    _, told = check("alice@example.com")
    assert told.partition("What autodiscover told\n")[2].partition("\n\n")[0].splitlines() == [
        f"  {line}: {url}" for line in ("EWS external URL", "OOF external URL", "EWS internal URL", "OOF internal URL")
    ]
    _, told = check("alice@example.com", "--json")
    side = {"ews": url, "oof": url}
    assert json.loads(told)["urls"] == {"external": side, "internal": side, "schemas": []}


def test_where_the_operator_names_the_server_nothing_is_told(check: Check) -> None:
    _, told = check("yuri@factory.test", "--json")
    assert json.loads(told)["urls"] is None
