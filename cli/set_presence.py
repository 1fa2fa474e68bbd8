"""`presence set`, `clear`, `calendar` and `remind`: commands about one user, carried out by the deployed function.

The command line has no rights on the tables for this, and no rules of its own: the function refuses what can't be done.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from cli.presence_words import instant_of, minutes_of, presence_of
from cli.record_explanation import in_words
from cli.stacks import AwsError, Stack, aws_errors_in_words, find_stack
from presence.clock import system_clock
from presence.errors import ConfigurationError
from presence.instants import format_instant
from presence.messages import SCHEMA_VERSION

_FUNCTION = "set_presence"
_ARGUMENTS: Final[Mapping[str, str]] = {
    "until": "--until",
    "forMinutes": "--for",
    "source": "--source",
    "strength": "--strength",
    "pausedUntil": "--until",
    "minutesBefore": "MINUTES",
}
_DIGITS = 5


def run(arguments: Namespace) -> int:
    """Have the command carried out, and say what is shown now. Raises `ConfigurationError` for what is refused."""
    asked = command_of(arguments)
    with aws_errors_in_words():
        stack = find_stack(arguments.stack)
        caller = stack.client("sts").get_caller_identity()["Arn"]
        answer = invoke(stack, message_of(asked, arguments.address, caller, system_clock()))
    print("\n".join(lines_of(asked, arguments.address, answer)))
    return 0


def command_of(arguments: Namespace) -> dict[str, object]:
    """Return what was asked for, as the function takes it. Raises `ConfigurationError` naming the argument."""
    if arguments.action == "set":
        asked: dict[str, object] = {
            "type": "SetPresence",
            "presence": str(presence_of(arguments.presence)),
            "source": arguments.source,
            "strength": arguments.strength,
            "until": _until(arguments.until),
            "forMinutes": None if arguments.length is None else minutes_of(arguments.length),
            "ending": "meeting" if arguments.until_next_meeting else None,
        }
    elif arguments.action == "clear":
        asked = {"type": "ClearPresence", "source": arguments.source}
    elif arguments.action == "calendar":
        asked = {"type": "UseCalendar", "on": arguments.use != "off", "pausedUntil": _paused_until(arguments)}
    else:
        minutes = None if arguments.minutes == "off" else _minutes(arguments.minutes)
        asked = {"type": "RemindOfMeetings", "minutesBefore": minutes}
    return {key: value for key, value in asked.items() if value is not None}


def message_of(asked: Mapping[str, object], address: str, caller: str, now: datetime) -> dict[str, object]:
    """Return the event for the function; `caller` is the ARN of who asks."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        **asked,
        "address": address,
        "requestedBy": caller,
        "requestedAt": format_instant(now),
    }


def invoke(stack: Stack, message: Mapping[str, object]) -> dict[str, Any]:
    """Return the function's answer. Raises `ConfigurationError` for a refusal, `AwsError` if the function failed."""
    name = f"{stack.name}-{_FUNCTION}"
    try:
        answer = stack.client("lambda").invoke(FunctionName=name, Payload=json.dumps(message).encode())
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise ConfigurationError(f"the stack {stack.name!r} has no function {name}: deploy it again") from error
    payload = json.loads(answer["Payload"].read() or b"null")
    if answer.get("FunctionError"):
        kind = payload.get("errorType") if isinstance(payload, dict) else None
        raise AwsError(
            f"{name} failed ({kind or answer['FunctionError']}), and what was asked for may be done or not: ask again; "
            f"why stands in the log group /aws/lambda/{name}"
        )
    if "refused" in payload:
        raise ConfigurationError(_as_typed(payload["refused"]))
    return dict(payload)


def lines_of(asked: Mapping[str, object], address: str, answer: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is shown now, until when and why."""
    if asked["type"] == "UseCalendar":
        yield _calendar_line(asked)
    if asked["type"] == "RemindOfMeetings":
        minutes = asked.get("minutesBefore")
        yield "no reminders of meetings" if minutes is None else f"a reminder {minutes} minutes before each meeting"
    reason = answer["reason"]
    until = "" if answer["until"] is None else f" until {answer['until']}"
    yield f"{address} is shown as {answer['presence']}{until}"
    yield f"  because: {in_words(reason['rule'])} (source {reason['source']}, rule {reason['rule']})"
    if asked["type"] == "SetPresence" and asked["presence"] != answer["presence"]:
        yield f"  {asked['presence']} was taken, but is not shown now: this goes before it, or it has ended"
    yield f"  {answer['why']}"


def _as_typed(refusal: str) -> str:
    """Return a refusal, which names a field of the event, with the argument that the field came from."""
    field, colon, reason = refusal.partition(": ")
    return f"{_ARGUMENTS.get(field, field)}{colon}{reason}"


def _calendar_line(asked: Mapping[str, object]) -> str:
    if asked.get("pausedUntil") is not None:
        return f"the calendar is not read before {asked['pausedUntil']}"
    return "the calendar is read, now and from now on" if asked["on"] else "the calendar is not read any more"


def _paused_until(arguments: Namespace) -> str | None:
    if (arguments.use == "pause") != (arguments.until is not None):
        raise ConfigurationError("--until: goes with pause, which needs it: presence calendar ADDRESS pause --until T")
    return _until(arguments.until)


def _until(text: str | None) -> str | None:
    return None if text is None else format_instant(instant_of("--until", text))


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < _DIGITS):
        raise ConfigurationError(f"MINUTES: {text!r:.40} is neither a number of minutes nor off")
    return int(text)
