"""set_presence: what people and other systems say of somebody's presence, and whether their calendar is used."""

from __future__ import annotations

import os
from functools import cache
from typing import NamedTuple

import boto3

from presence.aws import client_config, impatient_config
from presence.clock import system_clock
from presence.command_requests import CommandRequest, decode_command_request
from presence.commanding import Commanded, CommandExecution
from presence.current_profiles import current_profiles
from presence.errors import ConfigurationError, MalformedMessage
from presence.log_key import people_names
from presence.log_names import Person, holds_address
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
    names = people_names(settings.log_naming, lambda: boto3.client("secretsmanager", config=impatient_config()))
    observer = Observer("set_presence", names)
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
    with observer.following(traceparent):
        try:
            request = decode_command_request(event, system_clock())
        except MalformedMessage as refusal:
            return _refused(refusal, observer)
        try:
            done = execution.run(request, traceparent)
        except ConfigurationError as refusal:
            return _refused(refusal, observer)
        _note(done, request, observer)
        return done.as_answer()


def _note(done: Commanded, request: CommandRequest, observer: Observer) -> None:
    """Write the line by which one sees later who set whose presence: who asked stands there as they named themselves.

    Who asked for themselves is the exception: their address would give away whose name it is that stands beside it.
    """
    asked = request.requested_by
    by_themselves = holds_address(asked, done.user.address)
    observer.info(
        "command carried out",
        command=type(request.command).__name__,
        user=Person(done.user.user_id, done.user.address),
        requested_by=observer.as_logged(asked) if by_themselves else asked,
        why=done.why,
    )
    observer.count({"CommandsCarriedOut": 1})


def _refused(refusal: Exception, observer: Observer) -> dict[str, object]:
    observer.failure("command refused", reason=str(refusal))
    observer.count({"CommandsRefused": 1})
    return {"refused": str(refusal)}
