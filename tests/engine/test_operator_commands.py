"""The operator's command against a stack that is really deployed: the outputs and the function's variables are real."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cli.main import main
from local.demo.subscriber import Subscriber
from local.demo.warm_up import warm_up
from local.exchange.operator_folder import write_operator_folder
from local.exchange.scenario import demo_organisation
from local.exchange.server import SimulatedExchange
from local.stack.deployment import DEFAULT_STACK_NAME
from local.stack.local_stack import LocalStack, deployed_stack
from presence.clock import system_clock
from presence.instants import ceil_to_second, format_instant, parse_instant

pytestmark = pytest.mark.timed

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def local_stack() -> Iterator[LocalStack]:
    # Workers that start while others work may take longer than their messages are hidden: they are started before.
    with deployed_stack(parameters={"MaximumConcurrentChecks": "2", "CheckTimeoutSeconds": "5"}) as running:
        warm_up(running.deployment, concurrent_checks=2)
        yield running


@pytest.fixture
def run(local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for name, value in local_stack.engine.environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, stack: str = DEFAULT_STACK_NAME) -> tuple[int, str, str]:
        code = main([*arguments, "--stack", stack])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def accounts_known(local_stack: LocalStack) -> list[str]:
    """Return the keys of what the functions know of the account of the gateway that serves most users."""
    deployment = local_stack.deployment
    scanned = deployment.client("dynamodb").scan(TableName=deployment.outputs["EndpointTableName"])
    keys = [item["key"]["S"] for item in scanned["Items"]]
    return [key for key in keys if key.startswith("account#headquarters#")]


def test_an_administrators_first_hour(local_stack: LocalStack, run: Run, tmp_path: Path) -> None:
    deployment = local_stack.deployment
    addresses = ["alice@example.com", "tina@research.test", "nobody@example.com"]
    users = tmp_path / "users.csv"
    users.write_text("address\n" + "\n".join(addresses) + "\n", encoding="utf-8")
    with SimulatedExchange(demo_organisation(system_clock())) as exchange:
        document = write_operator_folder(tmp_path, exchange)

        code, _, err = run("gateways", "put", str(document))
        assert code == 2
        assert f"the secret '{DEFAULT_STACK_NAME}/gateways/exchange-reader' is missing" in err
        for reference, secret in exchange.secrets().items():
            name = deployment.outputs["SecretPrefix"] + reference
            deployment.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(secret))
        assert run("gateways", "put", str(document))[0] == 0
        assert "gateway headquarters: autodiscover; ntlm" in run("gateways", "show")[1]

        assert run("users", "import", str(users))[0] == 0
        assert run("users", "list")[1].count("not read yet") == 3

        with Subscriber(deployment.client("sns"), deployment.outputs["PresenceTopicArn"], system_clock) as subscriber:
            for minute in range(5):  # the check interval, in which each user has their turn
                deployment.invoke("schedule_checks", {"time": f"2026-11-21T09:0{minute}:00Z"})
            wait_until(lambda: len(subscriber.deliveries()) >= 3)
            first = {str(delivery.body["id"]): delivery for delivery in subscriber.deliveries()}
            assert {delivery.body["subject"] for delivery in first.values()} == set(addresses)

            assert "MailboxNotFound" in run("users", "list", "--problems")[1]
            assert len(accounts_known(local_stack)) == 1
            assert "nothing was held against the account" in run("gateways", "retry", "headquarters")[1]
            assert accounts_known(local_stack) == []

            heard = len(subscriber.deliveries())
            assert run("replay", "nobody@example.com")[0] == 0
            wait_until(lambda: len(subscriber.deliveries()) > heard)
            again = subscriber.deliveries()[heard]
            assert again.body == first[str(again.body["id"])].body
            assert again.attributes == first[str(again.body["id"])].attributes

    assert run("users", "remove", *addresses)[0] == 0
    assert run("users", "list")[1] == "0 users\n"


def test_what_is_set_by_hand_is_published_at_once_and_ends_by_itself_at_its_second(
    local_stack: LocalStack, run: Run
) -> None:
    deployment = local_stack.deployment
    assert run("users", "add", "carol@example.com")[0] == 0
    with Subscriber(deployment.client("sns"), deployment.outputs["PresenceTopicArn"], system_clock) as subscriber:
        until = ceil_to_second(system_clock() + timedelta(seconds=5))
        code, out, err = run("set", "carol@example.com", "do-not-disturb", "--until", format_instant(until))
        assert (code, err) == (0, "")
        assert f"is shown as DoNotDisturb / DoNotDisturb until {format_instant(until)}" in out
        code, out, err = run("show", "carol@example.com", "--as", "cisco-9")
        assert (code, out, err) == (0, "Do not disturb\n", "")
        wait_until(lambda: len(subscriber.deliveries()) >= 2)
    first, second = (delivery.body for delivery in subscriber.deliveries())
    assert first["data"]["reason"] == {"source": "by-hand", "rule": "set-by-hand"}
    assert (second["data"]["previous"]["availability"], second["data"]["version"]) == ("DoNotDisturb", 2)
    assert timedelta(0) <= parse_instant(second["time"]) - until < timedelta(seconds=3)
    assert run("calendar", "carol@example.com", "off")[0] == 0
    assert run("users", "remove", "carol@example.com")[0] == 0
    assert run("set", "carol@example.com", "away")[::2] == (2, "presence: address: nobody has it; add the user first\n")


def test_a_stack_that_is_not_there_is_named(run: Run) -> None:
    code, out, err = run("users", "list", stack="no-such-stack")
    assert (code, out) == (2, "")
    assert err.startswith("presence: there is no stack 'no-such-stack' in region ")


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.1)
