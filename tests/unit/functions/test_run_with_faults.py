"""What a run in which much goes wrong logs, stores, queues and publishes is searched for what nobody may read.

Servers give away all they know (`tests.support.faulty_servers`), one signs in by NTLM as Exchange does, records and
messages are malformed, a document is refused; and the root logger, as an operator may have it, is at DEBUG.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from exchange.quiet_loggers import OF_EXCHANGE
from local.exchange.kept_host import KeptHost
from local.exchange.nameserver import NameServer, Zone
from local.exchange.network import demo_network
from local.exchange.organisation import (
    LOCATION_CANARY,
    SUBJECT_CANARY,
    Access,
    Entry,
    Mailbox,
    Organisation,
)
from local.exchange.server import SimulatedExchange
from presence.log_names import name_of_user
from presence.messages import CheckReason, CheckRequest, TransitionRequest, new_traceparent
from presence.quiet_loggers import OF_AWS
from presence.records import User
from presence.tables.configuration import GATEWAYS, ConfigTable
from tests.support import faulty_servers
from tests.support.aws import calls
from tests.support.faulty_servers import FAULTS, address_in
from tests.support.functions import LOG_KEY, Stack, queue_event
from tests.unit.exchange.hosts import Net

ALICE, BOB = "canary.alice@example.com", "canary.bob@branch.test"
OF_TESTS = ("moto", "responses", "werkzeug")


@dataclass(slots=True)
class Run:
    """What came of a run: all that was logged, and all that was stored, queued and published."""

    logged: str
    kept: str
    lines: list[dict[str, Any]]
    problems: Mapping[str, str | None]
    users: Mapping[str, User]
    hosts: Mapping[str, KeptHost]
    passwords: tuple[str, ...]

    def secrets(self) -> dict[str, str]:
        """Return what may stand nowhere, by what it is."""
        accounts = {
            f"credentials {index}": faulty_servers.basic(username, password)
            for index, password in enumerate(self.passwords)
            for username in (faulty_servers.USERNAME, "EXAMPLE\\presence", "HOSTING\\presence")
        }
        passwords = {f"password {index}": password for index, password in enumerate(self.passwords)}
        quoted = {f"password {index} in a URL": quote(each, safe="") for index, each in enumerate(self.passwords)}
        return {
            **accounts,
            **passwords,
            **quoted,
            "account": faulty_servers.ACCOUNT,
            "an account of the simulated organisation": "\\presence",
            "NTLM message": "TlRMTVNT",
            "header": "Authorization",
            "cookie": faulty_servers.COOKIE,
            "subject": "canary-subject",
            "subject in a URL": quote(faulty_servers.SUBJECT),
            "location": "canary-location",
            "key of the log names": LOG_KEY,
        }

    def people(self) -> dict[str, str]:
        """Return what may not stand in a log, by what it is."""
        ids = {f"id of {address}": user.user_id for address, user in self.users.items()}
        return {**ids, "people": "canary.", "an address": "@"}


def found_in(text: str, unwanted: Mapping[str, str]) -> list[str]:
    """Return what of the unwanted stands in a text, whatever its case, also as JSON writes it."""
    lower = text.lower()
    return [
        what for what, value in unwanted.items() if value.lower() in lower or json.dumps(value)[1:-1].lower() in lower
    ]


class _Everything(logging.Handler):
    """Keeps all that reaches the root logger, with what the records carry along."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(OF_TESTS):
            carried = {key: value for key, value in vars(record).items() if key != "service"}
            self.texts.append(f"{record.getMessage()} {carried!r} {logging.Formatter().format(record)}")


@contextlib.contextmanager
def everything_at_debug() -> Iterator[_Everything]:
    """Let the root logger be at DEBUG, and all libraries as they are at import: none is silent yet."""
    root, keeper = logging.getLogger(), _Everything()
    level = root.level
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in {*OF_AWS, *OF_EXCHANGE}:
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate, logger.disabled = [], True, False
            logger.setLevel(logging.NOTSET)
    root.setLevel(logging.DEBUG)
    root.addHandler(keeper)
    try:
        yield keeper
    finally:
        root.removeHandler(keeper)
        root.setLevel(level)


@pytest.fixture
def net() -> Iterator[Net]:
    with contextlib.ExitStack() as exits:
        yield Net(exits, exits.enter_context(NameServer(Zone())))


@pytest.fixture
def exchange() -> Iterator[SimulatedExchange]:
    organisation = Organisation(
        [Mailbox(address, address, ZoneInfo("UTC"), access=Access.DETAILED) for address in (ALICE, BOB)]
    )
    now = datetime(2026, 11, 23, 10, tzinfo=UTC)
    organisation.add(ALICE, Entry(now, now.replace(hour=11), subject=SUBJECT_CANARY, location=LOCATION_CANARY))
    with SimulatedExchange(organisation, demo_network()) as running:
        yield running


@pytest.fixture
def run(
    stack: Stack,
    net: Net,
    exchange: SimulatedExchange,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Run:
    """Play it."""
    gateways, hosts = faulty_servers.start_all(net)
    document = net.content(
        *gateways,
        *({**gateway, "ca": exchange.ca_pem} for gateway in exchange.network.gateways),
        connect={**net.connect, **exchange.connect},
    )
    configuration = ConfigTable(stack.aws.dynamodb, stack.variables["CONFIG_TABLE"])
    configuration.put_document(GATEWAYS, document)
    secrets = exchange.secrets()
    secrets["hosting-reader"] = {**secrets["hosting-reader"], "password": "canary/wrong password"}
    secrets["reader"] = {"username": faulty_servers.USERNAME, "password": faulty_servers.PASSWORD}
    for reference, secret in secrets.items():
        _keep_secret(stack, reference, json.dumps(secret))
    _keep_secret(stack, "malformed", f'{{"username": "{faulty_servers.ACCOUNT}", "{faulty_servers.PASSWORD}"')
    users = {address: stack.users.add(address) for address in (ALICE, BOB, *map(address_in, FAULTS))}
    capfd.readouterr()
    player = _Player(stack, monkeypatch, users)
    # Messages that are held back can't be taken from their queue, so they are looked at when they are sent.
    with calls(stack.aws.sqs, "sqs.SendMessageBatch") as sent, everything_at_debug() as keeper:
        logging.getLogger("control").debug("control line")
        player.check_everybody()
        kept = player.everything_kept()
        player.spoil(users[ALICE])
        player.go_on_with_what_is_malformed(users[ALICE], configuration, document)
        out, err = capfd.readouterr()
    return Run(
        logged="\n".join([out, err, *keeper.texts, *player.raised]),
        kept=kept + player.everything_kept() + json.dumps(sent),
        lines=[line for line in map(json.loads, out.splitlines()) if "_aws" not in line],
        problems=player.problems,
        users=users,
        hosts=hosts,
        passwords=(*(secret["password"] for secret in secrets.values()), "canary/wrong password"),
    )


def _keep_secret(stack: Stack, reference: str, text: str) -> None:
    stack.aws.secrets.create_secret(Name=stack.variables["SECRET_PREFIX"] + reference, SecretString=text)


class _Player:
    """Calls the functions, whose lines are at DEBUG too."""

    def __init__(self, stack: Stack, monkeypatch: pytest.MonkeyPatch, users: Mapping[str, User]) -> None:
        self._stack = stack
        self._monkeypatch = monkeypatch
        self._users = users
        self.problems: dict[str, str | None] = {}
        self.raised: list[str] = []
        self._subscription = stack.aws.make_queue("subscription")
        arn = stack.aws.sqs.get_queue_attributes(QueueUrl=self._subscription, AttributeNames=["QueueArn"])
        stack.aws.sns.subscribe(
            TopicArn=stack.variables["PRESENCE_TOPIC_ARN"], Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"]
        )

    def invoke(self, function: str, event: Mapping[str, Any]) -> None:
        """Call a function; what it raises is what Lambda's runtime would log."""
        handler = self._stack.handler(function)
        self._monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "DEBUG")
        try:
            handler.lambda_handler(event, None)
        except Exception as error:  # noqa: BLE001  likewise
            self.raised.append(f"{type(error).__name__}: {error}")

    def check_everybody(self) -> None:
        self.invoke("check_calendars", queue_event(self._check()))
        records = self._stack.presences.get_many([user.user_id for user in self._users.values()]).found
        for address, user in self._users.items():
            problem = records[user.user_id].problem
            self.problems[address] = None if problem is None else problem.problem.code

    def spoil(self, user: User) -> None:
        """Let a record be malformed, in a way that shows what it holds."""
        self._stack.aws.dynamodb.update_item(
            TableName=self._stack.variables["PRESENCE_TABLE"],
            Key={"userId": {"S": user.user_id}},
            UpdateExpression="SET availability = :spoilt",
            ExpressionAttributeValues={":spoilt": {"S": f"<{user.address}>"}},
        )

    def go_on_with_what_is_malformed(self, user: User, configuration: ConfigTable, document: dict[str, object]) -> None:
        changes = {
            "Records": [
                {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "Keys": {}, "NewImage": item}}
                for number, item in enumerate(self._items())
            ]
        }
        self.invoke("publish_presence", changes)
        self.invoke("record_history", changes)
        due = self._stack.clock.now
        transition = TransitionRequest(due, 0, tuple(each.user_id for each in self._users.values()), new_traceparent())
        self.invoke("apply_transitions", queue_event(transition.encode(), f'{{"userIds": ["{user.address}"]}}'))
        command = {"schemaVersion": 1, "type": "SetPresence", "presence": "Away", "requestedBy": "desk"}
        for address in (ALICE, BOB, "canary.stranger@example.com", "canary.person"):
            self.invoke("set_presence", {**command, "address": address})
        self.invoke("schedule_checks", {"time": f"{user.address} at noon"})
        self.invoke("schedule_transitions", {"time": user.address})
        assignment = {"profile": "default", "users": [user.address, user.address, f"{user.address}@"]}
        configuration.put_document(GATEWAYS, {**document, "profile_assignments": [assignment]})
        self._stack.clock.sleep(60)
        malformed = self._check().replace(user.address, f"{user.address} ")
        self.invoke("check_calendars", queue_event(self._check(), malformed, user.address))

    def everything_kept(self) -> str:
        """Return what stands in tables and was published."""
        tables = [self._stack.aws.dynamodb.scan(TableName=name)["Items"] for name in self._stack.aws.tables]
        published = self._stack.aws.take_messages(self._subscription)
        return json.dumps([tables, published], default=str)

    def _check(self) -> str:
        now, users = self._stack.clock.now, tuple(self._users.values())
        return CheckRequest(CheckReason.SCHEDULE, now, users, new_traceparent()).encode()

    def _items(self) -> list[dict[str, Any]]:
        return list(self._stack.aws.dynamodb.scan(TableName=self._stack.variables["PRESENCE_TABLE"])["Items"])


def test_nothing_that_nobody_may_read_is_logged_stored_queued_or_published(run: Run) -> None:
    assert found_in(run.logged, run.secrets()) == []
    assert found_in(run.logged, run.people()) == []
    assert found_in(run.kept, run.secrets()) == []
    # All of it did happen, or nothing would be shown by this.
    assert run.problems == {
        ALICE: None,
        BOB: "CredentialsRejected",
        **{address_in(name): faulty.code for name, faulty in FAULTS.items()},
    }
    signed_in = {name for name, host in run.hosts.items() if host.was_given_credentials}
    assert signed_in == set(run.hosts) - {"wrong-name", "no-secret", "bad-secret"}
    assert "control line" in run.logged, "the root logger was at DEBUG"
    for what in ("answers with HTTP status 302", "specversion", "CheckRequest", "not a valid Availability", "endpoint"):
        assert what in run.kept, "problems, events, messages, dead letters and endpoints were searched"
    for address, user in run.users.items():
        assert name_of_user(LOG_KEY, user.user_id) in run.logged, address
    # Each line is structured, and found by a trace if its message has one.
    assert {line["function"] for line in run.lines} == {
        "check_calendars",
        "publish_presence",
        "record_history",
        "apply_transitions",
        "set_presence",
        "schedule_checks",
        "schedule_transitions",
    }
    untraced = [(line["message"], line["record"]) for line in run.lines if "correlation_id" not in line]
    assert untraced == [("malformed message", "m1"), ("malformed message", "m2")]


PLANTED = Run("", "", [], {}, {ALICE: User("c0" * 16, ALICE)}, {}, (faulty_servers.PASSWORD, "other"))


@pytest.mark.parametrize("what", [*PLANTED.secrets(), *PLANTED.people()])
def test_the_search_finds_each_of_it(what: str) -> None:
    """In a line of a library that nobody silenced, and as it would stand in a table."""
    unwanted = {**PLANTED.secrets(), **PLANTED.people()}
    with everything_at_debug() as keeper:
        logging.getLogger("some.new.library").debug("sent %s", unwanted[what])
    assert what in found_in("".join(keeper.texts), unwanted)
    assert what in found_in(json.dumps([{"S": unwanted[what]}]), unwanted)
    assert found_in("calendars checked, 3 users on mail.example.com, CredentialsRejected", unwanted) == []
