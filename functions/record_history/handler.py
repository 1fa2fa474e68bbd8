"""record_history: keep each new version of a record in the history, and forget users who were removed."""

from __future__ import annotations

import os
from functools import cache
from typing import NamedTuple

import boto3

from presence.aws import client_config, impatient_config
from presence.batches import BatchAnswer, handle_each, stream_batch
from presence.log_key import people_names
from presence.observing import Observer
from presence.queues import Queue
from presence.recording import HistoryRecorder
from presence.settings import RecordHistorySettings
from presence.stream_records import person_of
from presence.tables.history import HistoryTable


class Parts(NamedTuple):
    """What the function is made of."""

    recorder: HistoryRecorder
    observer: Observer


@cache
def parts() -> Parts:
    """Make the function's parts, at its first call."""
    settings = RecordHistorySettings.from_env(os.environ)
    recorder = HistoryRecorder(
        history=HistoryTable(boto3.client("dynamodb", config=client_config()), settings.history_table),
        kept=settings.kept,
        failures=Queue(boto3.client("sqs", config=client_config()), settings.failure_queue_url),
    )
    names = people_names(settings.log_naming, lambda: boto3.client("secretsmanager", config=impatient_config()))
    return Parts(recorder, Observer("record_history", names))


def lambda_handler(event: object, _context: object) -> BatchAnswer:
    """Take the stream of PresenceTable; return the records that have to come back."""
    recorder, observer = parts()
    recorded = forgotten = 0

    def record(stream_record: object) -> None:
        nonlocal recorded, forgotten
        done = recorder.handle(stream_record)
        recorded += done.recorded
        forgotten += done.forgotten
        if done.recorded or done.forgotten:
            what = "version recorded" if done.recorded else "history forgotten"
            observer.info(what, user=person_of(stream_record))
        if done.set_aside is not None:
            observer.failure("set aside in the dead-letter queue", user=person_of(stream_record), reason=done.set_aside)

    answer = handle_each(stream_batch(event), record, observer)
    observer.count({"HistoryRecorded": recorded, "HistoryForgotten": forgotten})
    return answer
