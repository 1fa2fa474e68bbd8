"""The audit trail: who looked at what is stored of somebody, exported it or erased it, in a log group of its own.

A line is written before anything is shown or done, and nothing is if it can't be written. It names the caller of AWS
(not the login of this machine), the user by their id, never by an address, and no presence.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from cli.stacks import AwsError, Stack
from presence.clock import system_clock
from presence.errors import ConfigurationError
from presence.instants import format_instant

if TYPE_CHECKING:
    from datetime import datetime

EVERYBODY: Final = "*"
"""Stands for a user id where all users of a stack are shown."""

_RIGHTS: Final = "sts:GetCallerIdentity, logs:CreateLogStream and logs:PutLogEvents"


def record(stack: Stack, action: str, user_id: str, **details: str) -> None:
    """Write that the caller of AWS is about to do `action` to a user; details are, say, the stretch of time asked for.

    Raises `AwsError` if the line can't be written, `ConfigurationError` if the stack is too old to have the log group:
    then nothing may be shown or done.
    """
    group = stack.outputs.get("AuditLogGroupName")
    if group is None:
        raise ConfigurationError(
            f"the stack {stack.name!r} has no log group for the audit, without which nothing is shown: deploy it again"
        )
    now = system_clock()
    try:
        line = {
            "time": format_instant(now),
            "caller": stack.client("sts").get_caller_identity()["Arn"],
            "action": action,
            "user": user_id,
            "stack": stack.name,
            **({"details": details} if details else {}),
        }
        rejected = _put(stack, group, f"{now:%Y-%m-%d}", now, json.dumps(line, ensure_ascii=False))
    except ClientError as error:
        reason = f"{error.operation_name}: {error.response['Error']['Code']}"
        raise AwsError(f"{_not_written(group)} ({reason}); you need the rights {_RIGHTS}") from error
    except BotoCoreError as error:
        raise AwsError(f"{_not_written(group)}: {error}") from error
    if rejected:
        raise AwsError(f"{_not_written(group)}, because CloudWatch refuses its time; set this machine's clock right")


def _put(stack: Stack, group: str, stream: str, now: datetime, line: str) -> bool:
    """Write the line into the day's stream, made by whoever comes first; tell whether it was rejected."""
    logs = stack.client("logs")
    event = {"timestamp": int(now.timestamp() * 1000), "message": line}
    try:
        answer = logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
    except logs.exceptions.ResourceNotFoundException:
        with suppress(logs.exceptions.ResourceAlreadyExistsException):  # somebody else came first
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
        answer = logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
    # An event too far from the present is dropped though the call succeeds (PutLogEvents, rejectedLogEventsInfo).
    return bool(answer.get("rejectedLogEventsInfo"))


def _not_written(group: str) -> str:
    return f"nothing was shown or done, because the line of the audit can't be written to {group}"
