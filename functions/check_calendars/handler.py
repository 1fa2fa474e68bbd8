"""check_calendars: read the calendars of users from Exchange and write what changed of their presence."""

from __future__ import annotations

import os
import random
from functools import cache
from typing import NamedTuple

import boto3

from exchange.account.credentials import SecretsManagerSecrets
from exchange.current_gateways import CurrentGatewaysReader
from exchange.reader import ReadTimes
from presence.aws import client_config, impatient_config
from presence.batches import BatchAnswer, decode_queue_event, handle_each
from presence.checking import CalendarCheck, CheckOptions
from presence.clock import system_clock
from presence.current_profiles import current_profiles
from presence.log_key import people_names
from presence.messages import CheckRequest, decode_check_request
from presence.observing import Observer
from presence.queues import Queue
from presence.settings import CheckCalendarsSettings
from presence.tables.configuration import GATEWAYS, ConfigTable
from presence.tables.endpoints import EndpointTable
from presence.tables.presences import PresenceTable
from presence.tables.users import UserTable
from presence.transition_queue import TransitionQueue


class Parts(NamedTuple):
    """What the function is made of."""

    check: CalendarCheck
    observer: Observer


@cache
def parts() -> Parts:
    """Make the function's parts, at its first call."""
    settings = CheckCalendarsSettings.from_env(os.environ)
    names = people_names(settings.log_naming, lambda: boto3.client("secretsmanager", config=impatient_config()))
    observer = Observer("check_calendars", names)
    dynamodb = boto3.client("dynamodb", config=client_config())
    sqs = boto3.client("sqs", config=client_config())
    secrets = boto3.client("secretsmanager", config=client_config())
    configuration = ConfigTable(dynamodb, settings.config_table)
    reader = CurrentGatewaysReader(
        stored=lambda: configuration.document(GATEWAYS),
        secrets=SecretsManagerSecrets(secrets, settings.secret_prefix),
        cache=EndpointTable(dynamodb, settings.endpoint_table, system_clock),
        clock=system_clock,
        times=ReadTimes(
            settings.connect_timeout, settings.read_timeout, settings.longest_read, settings.longest_replies_read
        ),
        report=observer.failure,
        warn=observer.warning,
    )
    check = CalendarCheck(
        presences=PresenceTable(dynamodb, settings.presence_table, settings.transition_shards),
        users=UserTable(dynamodb, settings.user_table),
        reader=reader,
        profiles=current_profiles(configuration, system_clock, observer.failure),
        check_queue=Queue(sqs, settings.check_queue_url),
        transition_queue=TransitionQueue(Queue(sqs, settings.transition_queue_url), settings.transition_shards),
        clock=system_clock,
        jitter=lambda: random.uniform(0.75, 1.25),  # noqa: S311  it spreads retries and guards no secret
        options=CheckOptions(settings.check_interval, settings.horizon, rules=settings.rules),
    )
    return Parts(check, observer)


def lambda_handler(event: object, _context: object) -> BatchAnswer:
    """Take CheckRequests from the queue; return those that have to come back."""
    check, observer = parts()
    batch = decode_queue_event(event, decode_check_request)

    def run(request: CheckRequest) -> None:
        done = check.run(request)
        observer.info("calendars checked", **done.as_details())
        observer.count(
            {
                "CalendarsChecked": done.checked,
                "RecordsWritten": done.written,
                "ChecksDropped": done.dropped,
                "UsersWithProblems": done.unread,
            }
        )
        done.raise_errors()

    return handle_each(batch, run, observer)
