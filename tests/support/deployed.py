"""What the real template deploys that moto can make, with outputs and variables as deployed.

moto's CloudFormation and Lambda need packages that nothing else here does, so the two calls that the operator's command
makes of them are answered here; tests/engine makes them of the embedded engine.
"""

from __future__ import annotations

import importlib
import io
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.aws import ENVIRONMENT, REGION, Account, account
from tests.support.template import resources, template

STACK = "under-test"
_CALLS = count()


@dataclass(frozen=True, slots=True)
class Deployed:
    """The stack: the account, physical ids by logical ids, parameters that are not at their default."""

    account: Account
    physical: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def outputs(self) -> dict[str, str]:
        """The template's outputs."""
        return {name: self._value(output["Value"]) for name, output in template()["Outputs"].items()}

    def client(self, service: str) -> Any:
        """Return a client of the account."""
        return _client(service)

    def variables_of(self, folder: str) -> dict[str, str]:
        """Return the environment variables that the function of a folder is deployed with."""
        everywhere = template()["Globals"]["Function"]["Environment"]["Variables"]
        for _, properties in resources("AWS::Serverless::Function"):
            if properties["CodeUri"].rstrip("/") == f"functions/{folder}":
                own = properties["Environment"]["Variables"]
                return {name: self._value(value) for name, value in {**everywhere, **own}.items()}
        raise LookupError(folder)

    def _value(self, value: Any) -> str:
        if isinstance(value, dict) and "Ref" in value:
            return self._named(value["Ref"])
        if isinstance(value, dict) and "Fn::Sub" in value:
            return re.sub(r"\$\{([\w:]+)\}", lambda match: self._named(match[1]), value["Fn::Sub"])
        if isinstance(value, dict) and value.get("Fn::GetAtt", "").endswith(".Id"):
            return self._named(value["Fn::GetAtt"].removesuffix(".Id"))
        assert isinstance(value, str | int), f"{value} is of a form that this helper does not know"
        return str(value)

    def _named(self, name: str) -> str:
        if name == "AWS::StackName":
            return STACK
        if name in self.physical:
            return self.physical[name]
        return self.parameters.get(name) or str(template()["Parameters"][name]["Default"])


@contextmanager
def deployed(monkeypatch: pytest.MonkeyPatch, **parameters: str) -> Iterator[Deployed]:
    """Give an account in which the stack stands, also for the operator's command, and forget it afterwards."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with account() as aws:
        physical = {name: aws.make_table(name) for name, _ in resources("AWS::DynamoDB::Table")}
        physical |= {name: aws.make_queue(name) for name, _ in resources("AWS::SQS::Queue")}
        physical |= {name: aws.sns.create_topic(Name=name)["TopicArn"] for name, _ in resources("AWS::SNS::Topic")}
        for name, _ in resources("AWS::Logs::LogGroup"):
            _client("logs").create_log_group(logGroupName=name)
            physical[name] = name
        for name, _ in resources("AWS::SecretsManager::Secret"):
            physical[name] = aws.secrets.create_secret(Name=name, SecretString=secrets.token_hex(32))["ARN"]
        made = Deployed(aws, physical, parameters)
        answered = {"cloudformation": _CloudFormation(made), "lambda": _Lambda(made)}
        monkeypatch.setattr(boto3, "client", lambda service, **_: answered.get(service) or _client(service))
        yield made


@cache
def _client(service: str) -> Any:
    """Make a client once a run, since that takes long: what it talks to is made anew for each test."""
    return boto3.Session("testing", "testing", "testing", REGION).client(service)  # type: ignore[call-overload]


class _CloudFormation:
    """Answers DescribeStacks as CloudFormation does."""

    def __init__(self, made: Deployed) -> None:
        self._made = made
        self.meta = type("Meta", (), {"region_name": REGION})

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803  AWS's spelling
        if StackName == STACK:
            outputs = [{"OutputKey": key, "OutputValue": value} for key, value in self._made.outputs.items()]
            return {"Stacks": [{"StackName": STACK, "Outputs": outputs}]}
        if StackName == "another-program":
            return {"Stacks": [{"StackName": StackName}]}
        text = f"Stack with id {StackName} does not exist"
        raise ClientError({"Error": {"Code": "ValidationError", "Message": text}}, "DescribeStacks")


class _Lambda:
    """Answers GetFunctionConfiguration with a function's variables as deployed, and Invoke by running the function."""

    def __init__(self, made: Deployed) -> None:
        self._made = made

    def get_function_configuration(self, *, FunctionName: str) -> Any:  # noqa: N803  AWS's spelling
        folder = FunctionName.removeprefix(f"{STACK}-")
        return {"FunctionName": FunctionName, "Environment": {"Variables": self._made.variables_of(folder)}}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803  AWS's spelling
        folder = FunctionName.removeprefix(f"{STACK}-")
        handler = importlib.import_module(f"functions.{folder}.handler")
        handler.parts.cache_clear()
        answer: dict[str, Any] = {"StatusCode": 200}
        with pytest.MonkeyPatch.context() as environment:
            for name, value in self._made.variables_of(folder).items():
                environment.setenv(name, value)
            # Powertools keeps a logger per service, with the standard output of the day it was made.
            environment.setenv("POWERTOOLS_SERVICE_NAME", f"{FunctionName} {next(_CALLS)}")
            try:
                payload = handler.lambda_handler(json.loads(Payload), None)
            except Exception as error:  # noqa: BLE001  Lambda's runtime answers with whatever a function raises
                answer["FunctionError"] = "Unhandled"
                payload = {"errorType": type(error).__name__, "errorMessage": str(error)}
        handler.parts.cache_clear()
        return {**answer, "Payload": io.BytesIO(json.dumps(payload).encode())}


def audited(stack: Deployed) -> list[dict[str, Any]]:
    """Return the lines of the audit, oldest first."""
    answer = stack.client("logs").filter_log_events(logGroupName=stack.outputs["AuditLogGroupName"])
    return [json.loads(event["message"]) for event in sorted(answer["events"], key=lambda event: event["timestamp"])]
