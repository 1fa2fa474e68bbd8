"""An AWS account of one test (moto), with the tables of the real template.

moto forgives expressions that DynamoDB refuses, so each one is held here against DynamoDB's list of reserved words and
its rule that every placeholder given is used (Amazon DynamoDB developer guide, "Reserved words" and "Expressions").
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import moto
from botocore.config import Config
from moto import mock_aws

from tests.support.template import resources

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

REGION = "eu-central-1"
ENVIRONMENT: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Credentials of nobody; every client of a test is made with them."""

_EXPRESSIONS = (
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
    "ProjectionExpression",
    "UpdateExpression",
)
_GRAMMAR = frozenset({"ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"})
_TOKEN = re.compile(r"[#:]?[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Account:
    """The clients of the account, and the tables by their logical ids in the template."""

    dynamodb: DynamoDBClient
    sqs: SQSClient
    sns: SNSClient
    secrets: SecretsManagerClient
    tables: dict[str, str] = field(default_factory=dict)

    def client(self, service: str, config: Config) -> object:
        """Stand in for `boto3.client`, which is slow; `config` is how a function wants it."""
        assert isinstance(config, Config)
        return {"dynamodb": self.dynamodb, "sqs": self.sqs, "sns": self.sns, "secretsmanager": self.secrets}[service]

    def make_table(self, logical_id: str) -> str:
        """Make a table as the template describes it; return its name."""
        described = dict(resources("AWS::DynamoDB::Table"))[logical_id]
        answered = {
            name: described[name]
            for name in ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
            if name in described
        }
        if "StreamSpecification" in described:
            answered["StreamSpecification"] = {"StreamEnabled": True, **described["StreamSpecification"]}
        self.dynamodb.create_table(TableName=logical_id, **answered)
        self.tables[logical_id] = logical_id
        return logical_id

    def make_queue(self, name: str) -> str:
        """Make a queue; return its URL."""
        return self.sqs.create_queue(QueueName=name)["QueueUrl"]

    def take_messages(self, url: str) -> list[str]:
        """Return the bodies of the messages that wait in a queue, and empty it."""
        bodies: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                bodies.append(message["Body"])
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@contextmanager
def calls(client: Any, operation: str) -> Iterator[list[Mapping[str, Any]]]:
    """Give a list that fills with the parameters of each call of an operation, for example `dynamodb.GetItem`."""
    made: list[Mapping[str, Any]] = []

    def note(params: Mapping[str, Any], **_: object) -> None:
        made.append(copy.deepcopy(params))

    event = f"provide-client-params.{operation}"
    client.meta.events.register(event, note)
    try:
        yield made
    finally:
        client.meta.events.unregister(event, note)


@contextmanager
def account() -> Iterator[Account]:
    """Give an empty account, and forget it afterwards."""
    with mock_aws():
        yield Account(*_clients())


@cache
def _clients() -> tuple[DynamoDBClient, SQSClient, SNSClient, SecretsManagerClient]:
    """Make the clients once a run: what they talk to is made anew for each test."""
    session = boto3.Session("testing", "testing", "testing", REGION)
    dynamodb = session.client("dynamodb")
    dynamodb.meta.events.register("provide-client-params.dynamodb.*", _judge)
    return dynamodb, session.client("sqs"), session.client("sns"), session.client("secretsmanager")


def _judge(params: Mapping[str, Any], **_: object) -> None:
    for reason in refusals(params):
        raise AssertionError(f"DynamoDB would refuse this: {reason}")


def refusals(params: Mapping[str, Any]) -> Iterator[str]:
    """Yield what DynamoDB has against the expressions of a call, those of a transaction included."""
    for action in params.get("TransactItems", ()):
        for part in action.values():
            yield from refusals(part)
    names, values = params.get("ExpressionAttributeNames", {}), params.get("ExpressionAttributeValues", {})
    used = {token for name in _EXPRESSIONS for token in _TOKEN.findall(params.get(name, ""))}
    for token in sorted(used):
        if token.upper() in reserved_words() and token.upper() not in _GRAMMAR:
            yield f"{token} is a reserved word"
        if token[0] in "#:" and token not in {**names, **values}:
            yield f"{token} is not defined"
    for placeholder in {**names, **values}:
        if placeholder not in used:
            yield f"{placeholder} is not used"


@cache
def reserved_words() -> frozenset[str]:
    """Return DynamoDB's reserved words, as moto lists them."""
    listed = Path(moto.__file__).parent / "dynamodb" / "parsing" / "reserved_keywords.txt"
    return frozenset(listed.read_text(encoding="utf-8").upper().split())
