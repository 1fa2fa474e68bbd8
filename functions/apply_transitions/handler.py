"""apply_transitions: at their second, let the stored timelines of users take effect."""

from __future__ import annotations

import gc
import os
import time
from functools import cache
from typing import NamedTuple

import boto3

from presence.aws import client_config, impatient_config
from presence.batches import BatchAnswer, decode_queue_event, handle_each
from presence.clock import system_clock
from presence.log_key import people_names
from presence.messages import TransitionRequest, decode_transition_request
from presence.observing import Observer
from presence.queues import Queue
from presence.settings import ApplyTransitionsSettings
from presence.tables.presences import PresenceTable
from presence.transitions import TransitionApplication


class Parts(NamedTuple):
    """What the function is made of."""

    application: TransitionApplication
    observer: Observer


@cache
def parts() -> Parts:
    """Make the function's parts, at its first call."""
    settings = ApplyTransitionsSettings.from_env(os.environ)
    dynamodb = boto3.client("dynamodb", config=client_config())
    application = TransitionApplication(
        presences=PresenceTable(dynamodb, settings.presence_table, settings.transition_shards),
        queue=Queue(boto3.client("sqs", config=client_config()), settings.transition_queue_url),
        shards=settings.transition_shards,
        clock=system_clock,
        sleep=time.sleep,
        rules=settings.rules,
    )
    names = people_names(settings.log_naming, lambda: boto3.client("secretsmanager", config=impatient_config()))
    observer = Observer("apply_transitions", names)
    # What there is by now stays. Thousands of records start the garbage collector again and again, which would look
    # through all of botocore each time: a fifth of the processor time in the second that counts.
    gc.freeze()
    return Parts(application, observer)


def lambda_handler(event: object, _context: object) -> BatchAnswer:
    """Take TransitionRequests from the queue and apply them together; return those that have to come back."""
    application, observer = parts()
    batch = decode_queue_event(event, decode_transition_request)
    summaries = application.run(request for _, request in batch.items)

    def report(request: TransitionRequest) -> None:
        done = summaries[request]
        observer.info(
            "transitions applied",
            due=request.due,
            applied=done.applied,
            nothing_due=done.nothing_due,
            postponed=done.postponed,
            users=done.users,
        )
        observer.count({"TransitionsApplied": done.applied})
        done.raise_errors()

    return handle_each(batch, report, observer)
