"""The functions' real handlers, run in the test's own process in the account of `tests.support.deployed`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from cli.event_users import bring_in_users
from local.exchange.server import SimulatedExchange
from presence.clock import system_clock
from presence.errors import MalformedMessage
from presence.history import HistoryEntry
from presence.observing import Observer
from presence.records import PresenceRecord
from presence.tables.configuration import GATEWAYS, ConfigTable
from presence.tables.history import entry_from_item
from presence.tables.items import from_attributes
from presence.tables.presences import PresenceTable, record_from_item
from presence.tables.users import UserTable
from tests.support.deployed import Deployed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call: answer or error, reasons logged, what was written, queued, published and recorded."""

    answer: Any
    error: str | None
    reasons: tuple[str, ...]
    written: tuple[PresenceRecord, ...]
    queued: Mapping[str, int]
    published: tuple[Mapping[str, Any], ...]
    recorded: tuple[HistoryEntry, ...]


class _Noted(Observer):
    """Keeps the reasons of failures instead of logging them."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def info(self, message: str, **details: object) -> None:
        """Log nothing."""

    def warning(self, message: str, **details: object) -> None:
        """Warn nobody."""

    def failure(self, message: str, **details: object) -> None:
        self.reasons.append(f"{message}: {details.get('reason')}")

    @contextmanager
    def following(self, _traceparent: str | None) -> Iterator[None]:
        """Follow nothing."""
        yield

    def as_logged(self, text: str) -> str:
        """Return the text as it is."""
        return text

    def count(self, counts: Mapping[str, int]) -> None:
        """Count nothing."""


class Handlers:
    """Runs handlers beside a simulated organisation. `variables` go before those of the template."""

    def __init__(
        self,
        stack: Deployed,
        exchange: SimulatedExchange,
        monkeypatch: pytest.MonkeyPatch,
        variables: Mapping[str, str],
    ) -> None:
        self._stack = stack
        self._exchange = exchange
        self._monkeypatch = monkeypatch
        self._variables = variables
        ConfigTable(stack.account.dynamodb, stack.outputs["ConfigTableName"]).put_document(
            GATEWAYS, exchange.gateways_document()
        )
        for reference, secret in exchange.secrets().items():
            stack.account.secrets.create_secret(
                Name=stack.outputs["SecretPrefix"] + reference, SecretString=json.dumps(secret)
            )
        self._subscription = stack.account.make_queue("subscription")
        stack.account.sns.subscribe(
            TopicArn=stack.outputs["PresenceTopicArn"],
            Protocol="sqs",
            Endpoint=self._arn_of(self._subscription),
            Attributes={"RawMessageDelivery": "true"},
        )

    def run(self, function: str, event: object) -> Outcome:
        """Bring in the users of an event as `presence invoke` does, and run the function."""
        users = UserTable(self._stack.account.dynamodb, self._stack.outputs["UserTableName"])
        presences = PresenceTable(self._stack.account.dynamodb, self._stack.outputs["PresenceTableName"], 16)
        bring_in_users(function, event, users, presences, self._exchange.organisation.users, system_clock())
        for name, value in {**self._stack.variables_of(function), **self._variables}.items():
            self._monkeypatch.setenv(name, value)
        handler = importlib.import_module(f"functions.{function}.handler")
        handler.parts.cache_clear()
        noted = _Noted()
        parts = handler.parts()._replace(observer=noted)
        handler.parts.cache_clear()
        self._monkeypatch.setattr(handler, "parts", lambda: parts)
        before = self._records()
        answer, error = None, None
        try:
            answer = handler.lambda_handler(event, None)
        except MalformedMessage as raised:
            error = str(raised)
        written = [record for user_id, record in self._records().items() if before.get(user_id) != record]
        return Outcome(
            answer=answer,
            error=error,
            reasons=tuple(noted.reasons),
            written=tuple(sorted(written, key=lambda record: record.address)),
            queued=self._queued(),
            published=tuple(json.loads(body) for body in self._stack.account.take_messages(self._subscription)),
            recorded=self._recorded(),
        )

    def _records(self) -> dict[str, PresenceRecord]:
        items = self._stack.account.dynamodb.scan(TableName=self._stack.outputs["PresenceTableName"])["Items"]
        records = (record_from_item(from_attributes(item)) for item in items)
        return {record.user_id: record for record in records}

    def _recorded(self) -> tuple[HistoryEntry, ...]:
        items = self._stack.account.dynamodb.scan(TableName=self._stack.outputs["HistoryTableName"])["Items"]
        return tuple(entry_from_item(from_attributes(item)) for item in items)

    def _queued(self) -> dict[str, int]:
        counts = {name: self._count(url) for name, url in self._stack.physical.items() if name.endswith("Queue")}
        return {name: count for name, count in counts.items() if count}

    def _count(self, url: str) -> int:
        """Return how many messages stand in a queue, those that it holds back included."""
        stated = self._stack.account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return int(stated["ApproximateNumberOfMessages"]) + int(stated["ApproximateNumberOfMessagesDelayed"])

    def _arn_of(self, url: str) -> str:
        attributes = self._stack.account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return attributes["Attributes"]["QueueArn"]
