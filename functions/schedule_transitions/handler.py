"""schedule_transitions: each minute, queue the transitions that fall due soon, and those that were lost."""

from __future__ import annotations

import os
from functools import cache
from typing import NamedTuple

import boto3

from presence.aws import client_config
from presence.clock import system_clock
from presence.messages import decode_tick, new_traceparent
from presence.observing import Observer
from presence.queues import Queue
from presence.settings import ScheduleTransitionsSettings
from presence.tables.configuration import ConfigTable
from presence.tables.presences import PresenceTable
from presence.transition_queue import TransitionQueue
from presence.transition_schedule import TransitionSchedule


class Parts(NamedTuple):
    """What the function is made of."""

    schedule: TransitionSchedule
    observer: Observer


@cache
def parts() -> Parts:
    """Make the function's parts, at its first call."""
    settings = ScheduleTransitionsSettings.from_env(os.environ)
    dynamodb = boto3.client("dynamodb", config=client_config())
    queue = Queue(boto3.client("sqs", config=client_config()), settings.transition_queue_url)
    schedule = TransitionSchedule(
        presences=PresenceTable(dynamodb, settings.presence_table, settings.transition_shards),
        state=ConfigTable(dynamodb, settings.config_table),
        queue=TransitionQueue(queue, settings.transition_shards),
        shards=settings.transition_shards,
    )
    return Parts(schedule, Observer("schedule_transitions"))


def lambda_handler(event: object, _context: object) -> dict[str, int]:
    """Take a tick of the schedule; return how many transitions were queued, coming and overdue."""
    schedule, observer = parts()
    traceparent = new_traceparent()
    with observer.following(traceparent):
        decode_tick(event)
        queued = schedule.tick(system_clock(), traceparent)
        observer.info("transitions queued", coming=queued.coming, overdue=queued.overdue)
        observer.count({"TransitionsQueued": queued.coming, "TransitionsOverdue": queued.overdue})
    return {"coming": queued.coming, "overdue": queued.overdue}
