"""publish_presence: publish an event for each new version of a record."""

from __future__ import annotations

import os
from functools import cache
from typing import NamedTuple

import boto3

from presence.aws import client_config, impatient_config
from presence.batches import BatchAnswer, handle_each, stream_batch
from presence.log_key import people_names
from presence.observing import Observer
from presence.publishing import PresencePublisher
from presence.queues import Queue
from presence.settings import PublishPresenceSettings
from presence.stream_records import person_of


class Parts(NamedTuple):
    """What the function is made of."""

    publisher: PresencePublisher
    observer: Observer


@cache
def parts() -> Parts:
    """Make the function's parts, at its first call."""
    settings = PublishPresenceSettings.from_env(os.environ)
    publisher = PresencePublisher(
        client=boto3.client("sns", config=client_config()),
        topic_arn=settings.topic_arn,
        source=settings.event_source,
        disclosure=settings.disclosure,
        failures=Queue(boto3.client("sqs", config=client_config()), settings.failure_queue_url),
    )
    names = people_names(settings.log_naming, lambda: boto3.client("secretsmanager", config=impatient_config()))
    return Parts(publisher, Observer("publish_presence", names))


def lambda_handler(event: object, _context: object) -> BatchAnswer:
    """Take the stream of PresenceTable; return the records that have to come back."""
    publisher, observer = parts()
    published = 0

    def publish(stream_record: object) -> None:
        nonlocal published
        publication = publisher.handle(stream_record)
        published += publication.published
        if publication.published:
            observer.info("presence published", user=person_of(stream_record), events=publication.published)
        if publication.set_aside is not None:
            observer.failure(
                "set aside in the dead-letter queue", user=person_of(stream_record), reason=publication.set_aside
            )

    answer = handle_each(stream_batch(event), publish, observer)
    observer.count({"EventsPublished": published})
    return answer
