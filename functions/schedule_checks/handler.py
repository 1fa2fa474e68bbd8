"""schedule_checks: each minute, queue the checks of the users whose turn it is."""

from __future__ import annotations

import os
from functools import cache
from typing import NamedTuple

import boto3

from presence.aws import client_config
from presence.check_schedule import CheckSchedule
from presence.clock import system_clock
from presence.messages import decode_tick, new_traceparent
from presence.observing import Observer
from presence.queues import Queue
from presence.settings import ScheduleChecksSettings
from presence.tables.configuration import ConfigTable
from presence.tables.users import UserTable


class Parts(NamedTuple):
    """What the function is made of."""

    schedule: CheckSchedule
    observer: Observer


@cache
def parts() -> Parts:
    """Make the function's parts, at its first call."""
    settings = ScheduleChecksSettings.from_env(os.environ)
    dynamodb = boto3.client("dynamodb", config=client_config())
    schedule = CheckSchedule(
        users=UserTable(dynamodb, settings.user_table),
        state=ConfigTable(dynamodb, settings.config_table),
        queue=Queue(boto3.client("sqs", config=client_config()), settings.check_queue_url),
        interval_minutes=settings.check_interval_minutes,
        group_size=settings.group_size,
    )
    return Parts(schedule, Observer("schedule_checks"))


def lambda_handler(event: object, _context: object) -> dict[str, int]:
    """Take a tick of the schedule; return how many users were queued, in how many requests."""
    schedule, observer = parts()
    traceparent = new_traceparent()
    with observer.following(traceparent):
        tick = decode_tick(event)
        queued = schedule.tick(tick, system_clock(), traceparent)
        observer.info("checks queued", users=queued.users, requests=queued.requests)
        observer.count({"ChecksQueued": queued.users})
    return {"users": queued.users, "requests": queued.requests}
