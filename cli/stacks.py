"""A deployed stack as the operator's command finds it: by its name, through CloudFormation's outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from presence.aws import client_config
from presence.errors import CalendarPresenceError, ConfigurationError

_OURS = "PresenceTopicArn"
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "AuthFailure"})


class AwsError(CalendarPresenceError):
    """AWS did not do what it was asked; the text says what and what to do."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: its name and the outputs of template.yaml."""

    name: str
    outputs: Mapping[str, str]

    def client(self, service: str) -> Any:
        """Return a boto3 client, in the region and with the credentials of the environment."""
        return boto3.client(service, config=client_config())  # type: ignore[call-overload]

    def variables_of(self, function: str) -> dict[str, str]:
        """Return the environment variables that a function was deployed with."""
        answer = self.client("lambda").get_function_configuration(FunctionName=f"{self.name}-{function}")
        return dict(answer["Environment"]["Variables"])


def find_stack(name: str) -> Stack:
    """Return the stack of that name. Raises `ConfigurationError` if there is none, or it is another program's."""
    client = boto3.client("cloudformation", config=client_config())
    try:
        stacks = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":  # what CloudFormation calls a stack it does not know
            raise
        raise ConfigurationError(
            f"there is no stack {name!r} in region {client.meta.region_name}; see --stack, AWS_REGION and AWS_PROFILE"
        ) from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    if _OURS not in outputs:
        raise ConfigurationError(f"the stack {name!r} is no Calendar Presence: it has no output {_OURS}")
    return Stack(name, outputs)


@contextmanager
def aws_errors_in_words() -> Iterator[None]:
    """Turn errors of AWS and of the way to it into one line that says what to do."""
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise ConfigurationError("AWS credentials are missing: set AWS_PROFILE, or sign in with the AWS CLI") from error
    except NoRegionError as error:
        raise ConfigurationError("no AWS region is set: set AWS_REGION") from error
    except ProfileNotFound as error:
        raise ConfigurationError(f"{error}: see AWS_PROFILE") from error
    except EndpointConnectionError as error:
        raise AwsError(f"{error}: check the region and the network") from error
    except ClientError as error:
        raise _in_words(error) from error
    except BotoCoreError as error:
        raise AwsError(f"AWS can't be asked: {error}") from error


def _in_words(error: ClientError) -> CalendarPresenceError:
    code, what = error.response["Error"]["Code"], error.operation_name
    if code in _EXPIRED:
        return ConfigurationError("the AWS credentials have expired: sign in again")
    if code in _UNKNOWN:
        return ConfigurationError(f"AWS does not accept the credentials ({code}): see AWS_PROFILE")
    if code.startswith("AccessDenied"):
        return AwsError(f"AWS does not allow {what}: the account or role that you use needs that right")
    return AwsError(f"AWS refused {what} with {code}: {error.response['Error'].get('Message', '')}".splitlines()[0])
