"""set_presence: what people and other systems say of somebody's presence, and whether their calendar is used."""

from __future__ import annotations

import os
from functools import cache
from typing import NamedTuple

import boto3

from presence.aws import client_config
from presence.clock import system_clock
from presence.command_requests import decode_command_request
from presence.commanding import CommandExecution
from presence.current_profiles import current_profiles
from presence.errors import ConfigurationError, MalformedMessage
from presence.instants import format_instant
from presence.messages import new_traceparent
from presence.observing import Observer
from presence.queues import Queue
from presence.settings import SetPresenceSettings
from presence.tables.configuration import ConfigTable
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from presence.transition_queue import TransitionQueue


class Parts(NamedTuple):
    """What the function is made of."""

    execution: CommandExecution
    observer: Observer


@cache
def parts() -> Parts:
    """Make the function's parts, at its first call."""
    settings = SetPresenceSettings.from_env(os.environ)
    observer = Observer("set_presence")
    dynamodb = boto3.client("dynamodb", config=client_config())
    sqs = boto3.client("sqs", config=client_config())
    execution = CommandExecution(
        presences=PresenceTable(dynamodb, settings.presence_table, settings.transition_shards),
        users=UserTable(dynamodb, settings.user_table),
        profiles=current_profiles(ConfigTable(dynamodb, settings.config_table), system_clock, observer.failure),
        check_queue=Queue(sqs, settings.check_queue_url),
        transition_queue=TransitionQueue(Queue(sqs, settings.transition_queue_url), settings.transition_shards),
        clock=system_clock,
        rules=settings.rules,
    )
    return Parts(execution, observer)


def lambda_handler(event: object, _context: object) -> dict[str, object]:
    """Take a command; return what is shown of the user now, or why the command was refused."""
    execution, observer = parts()
    traceparent = new_traceparent()
    try:
        request = decode_command_request(event, system_clock())
    except MalformedMessage as refusal:
        return _refused(refusal, observer, traceparent)
    try:
        done = execution.run(request, traceparent)
    except ConfigurationError as refusal:
        return _refused(refusal, observer, traceparent)
    # The line by which one sees later who set whose presence.
    observer.info(
        "command carried out",
        command=type(request.command).__name__,
        user_id=done.user.user_id,
        requested_by=request.requested_by,
        why=done.why,
        traceparent=traceparent,
    )
    observer.count({"CommandsCarriedOut": 1})
    record = done.record
    return {
        "userId": done.user.user_id,
        "presence": str(record.presence),
        "until": None if record.until is None else format_instant(record.until),
        "reason": {"source": str(record.reason.source), "rule": record.reason.rule},
        "version": record.version,
        "why": done.why,
    }


def _refused(refusal: Exception, observer: Observer, traceparent: str) -> dict[str, object]:
    observer.failure("command refused", reason=str(refusal), traceparent=traceparent)
    observer.count({"CommandsRefused": 1})
    return {"refused": str(refusal)}
