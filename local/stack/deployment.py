"""Deploys template.yaml, as it is, into a running engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError, WaiterError

from local.stack.engine import Engine
from local.stack.engine_gaps import mend
from local.stack.errors import DeploymentError
from local.stack.packaging import CHECKOUT, package_template

DEFAULT_STACK_NAME: Final = "calendar-presence"

_BUCKET: Final = "artefacts"
_TEMPLATE_KEY: Final = "template.yaml"
_WAIT: Final = {"Delay": 1, "MaxAttempts": 60}


@dataclass(frozen=True, slots=True)
class Deployment:
    """A stack that stands in an engine: the template's outputs by name, `resources` physical ids by logical ids."""

    engine: Engine
    stack_name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, str]

    def client(self, service: str) -> Any:
        """Return a boto3 client of the engine that the stack stands in."""
        return self.engine.client(service)

    def invoke(self, function: str, event: Mapping[str, object]) -> Any:
        """Invoke a function by the name of its folder and return what it returned.

        Raises `DeploymentError` if the function raised; the text carries its error.
        """
        answer = self.client("lambda").invoke(
            FunctionName=f"{self.stack_name}-{function}", Payload=json.dumps(event).encode()
        )
        payload = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError"):
            raise DeploymentError(f"{function} failed: {json.dumps(payload)}")
        return payload

    def logs_of(self, function: str) -> list[str]:
        """Return what a function has written so far, by the name of its folder, as far as the engine has stored it."""
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=f"/aws/lambda/{self.stack_name}-{function}")
        )
        return [event["message"] for page in pages for event in page["events"]]

    def read_queues(self, *, enabled: bool) -> None:
        """Let functions take messages of their queues, or no more of them; streams are read in any case."""
        client = self.client("lambda")
        for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
            if ":sqs:" in mapping["EventSourceArn"]:
                client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)

    def variables_of(self, function: str) -> dict[str, str]:
        """Return the environment variables that a function was deployed with."""
        configuration = self.client("lambda").get_function_configuration(FunctionName=f"{self.stack_name}-{function}")
        return dict(configuration["Environment"]["Variables"])


def deploy(
    engine: Engine, *, stack_name: str = DEFAULT_STACK_NAME, parameters: Mapping[str, str] | None = None
) -> Deployment:
    """Deploy template.yaml into a running engine, or bring a stack of that name up to date with it.

    `parameters` are those of the template that differ from their defaults. Raises `PackagingError` if a folder or a
    layer's packages are missing, `DeploymentError` if the engine refused the template or could not make a resource.
    """
    cloudformation = engine.client("cloudformation")
    upload = _uploader(engine)
    template = package_template((CHECKOUT / "template.yaml").read_text(encoding="utf-8"), upload)
    upload(_TEMPLATE_KEY, template.encode())
    wanted = {
        "StackName": stack_name,
        # A template that is sent along may have 51,200 bytes (CloudFormation user guide, "Quotas").
        "TemplateURL": f"{engine.endpoint_url}/{_BUCKET}/{_TEMPLATE_KEY}",
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value} for key, value in sorted((parameters or {}).items())
        ],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    try:
        if _exists(cloudformation, stack_name):
            _update(cloudformation, wanted)
        else:
            cloudformation.create_stack(**wanted)
            _wait(cloudformation, "stack_create_complete", stack_name)
    except ClientError as error:
        raise DeploymentError(f"The engine refused template.yaml: {error}") from error
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    resources = [resource for page in pages for resource in page["StackResourceSummaries"]]
    mend(engine, [role["PhysicalResourceId"] for role in resources if role["ResourceType"] == "AWS::IAM::Role"])
    return Deployment(
        engine=engine,
        stack_name=stack_name,
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        resources={resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources},
    )


def _uploader(engine: Engine) -> Any:
    s3 = engine.client("s3")
    s3.create_bucket(Bucket=_BUCKET)

    def upload(key: str, archive: bytes) -> str:
        s3.put_object(Bucket=_BUCKET, Key=key, Body=archive)
        return f"s3://{_BUCKET}/{key}"

    return upload


def _exists(cloudformation: Any, stack_name: str) -> bool:
    try:
        stacks = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # what CloudFormation calls a stack it does not know
            return False
        raise
    return bool(stacks)


def _update(cloudformation: Any, wanted: Mapping[str, Any]) -> None:
    try:
        cloudformation.update_stack(**wanted)
    except ClientError as error:
        if "No updates are to be performed" in error.response["Error"]["Message"]:  # it has no code of its own
            return
        raise
    _wait(cloudformation, "stack_update_complete", wanted["StackName"])


def _wait(cloudformation: Any, state: str, stack_name: str) -> None:
    # Deploying takes the engine about two seconds, so that its first answer after one second is mostly the last.
    try:
        cloudformation.get_waiter(state).wait(StackName=stack_name, WaiterConfig=_WAIT)
    except WaiterError as error:
        events = cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
        ]
        raise DeploymentError(
            "The engine could not deploy template.yaml:\n" + "\n".join(reasons or [str(error)])
        ) from error
