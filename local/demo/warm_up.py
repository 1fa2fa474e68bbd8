"""Has the engine start the functions' workers before the demo begins.

The engine unpacks the layers anew for each worker, and many workers at once keep two cores busy for longer than the
two seconds by which a transition's message comes early. On AWS a cold start is shorter than that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from local.stack.deployment import Deployment
from presence.clock import system_clock
from presence.instants import format_instant

_NOBODY = "0" * 32
_CONCURRENT_TRANSITIONS = 5
"""Workers that the engine gives to a queue whose mapping sets no limit."""


def warm_up(deployment: Deployment, *, concurrent_checks: int) -> None:
    """Invoke the functions, as many times at once as they will be, with events that change nothing.

    A check from yesterday is dropped, a transition of nobody finds nobody, a removed record is not published. Raises
    DeploymentError if a function fails.
    """
    events = (
        [("check_calendars", _queued(_check_of_yesterday()))] * concurrent_checks
        + [("apply_transitions", _queued(_transition_of_nobody()))] * _CONCURRENT_TRANSITIONS
        + [("publish_presence", _removal())]
    )
    with ThreadPoolExecutor(len(events)) as pool:
        for call in [pool.submit(deployment.invoke, function, event) for function, event in events]:
            call.result()


def _check_of_yesterday() -> dict[str, object]:
    return {
        "schemaVersion": 1,
        "type": "CheckRequest",
        "reason": "operator",
        "requestedAt": format_instant(system_clock() - timedelta(days=1)),
        "attempt": 0,
        "checks": [{"userId": _NOBODY, "address": "nobody@example.com", "profile": "default"}],
    }


def _transition_of_nobody() -> dict[str, object]:
    return {
        "schemaVersion": 1,
        "type": "TransitionRequest",
        "due": format_instant(system_clock()),
        "shard": 0,
        "userIds": [_NOBODY],
    }


def _queued(message: Mapping[str, object]) -> dict[str, object]:
    return {"Records": [{"messageId": "warm-up", "body": json.dumps(message)}]}


def _removal() -> dict[str, object]:
    return {"Records": [{"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "1"}}]}
