"""Reads recorded answers of Exchange through the code of the product, with the recording's own date as the clock.

The answers are those that Microsoft's documentation prints; they lie beside the checkout and not in it. What is to
come of each, and which must be refused, stands in `recorded_answers.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from exchange.autodiscover.answers import Refusal, Settings
from exchange.autodiscover.pox import parse_pox
from exchange.ews.availability import Availability, parse_availability
from exchange.web.bounded_xml import MalformedXml
from presence.calendar import CalendarReading, Window
from presence.decisions import Readings, after_reading
from presence.errors import Problem, ProblemError
from presence.freshness import Rules
from presence.instants import format_instant, parse_instant
from presence.profiles import DEFAULT
from presence.records import User

_CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = _CHECKOUT.parent / "shared" / "samples" / "exchange"
EXPECTATIONS = Path(__file__).with_name("recorded_answers.json")

EXIT_NO_SAMPLES = 2
_HOST = "mail.example.com"
_URL = f"https://{_HOST}/EWS/Exchange.asmx"


class RefusedError(Exception):
    """An answer that the product's code refuses; the text is the code of the reason."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one answer: what was read of it, or why it was refused; and how that differs from what should."""

    name: str
    read: bool
    found: str
    difference: str | None


def main(folder: Path = FOLDER, expectations: Path = EXPECTATIONS) -> int:
    """Read all answers in the folder and print what came of each.

    Returns 0 if each is as expected, 1 if not, 2 if there are no recorded answers.
    """
    if not folder.is_dir():
        print(f"There are no recorded answers here: {folder.name} belongs into {folder.parent} beside the checkout.")
        return EXIT_NO_SAMPLES
    expected: dict[str, Mapping[str, Any]] = json.loads(expectations.read_text(encoding="utf-8"))["answers"]
    names = sorted({path.name for path in folder.glob("*.xml") if "-request" not in path.name} | set(expected))
    outcomes = [_outcome(folder / name, expected.get(name)) for name in names]
    for outcome in outcomes:
        print(f"{'read   ' if outcome.read else 'refused'}  {outcome.name}: {outcome.found}")
        if outcome.difference is not None:
            print(f"         not as expected: {outcome.difference}")
    read = sum(outcome.read for outcome in outcomes)
    right = sum(outcome.difference is None for outcome in outcomes)
    print(f"samples: read={read} refused={len(outcomes) - read} as_expected={right} of {len(outcomes)}")
    return 0 if right == len(outcomes) else 1


def _outcome(path: Path, expected: Mapping[str, Any] | None) -> Outcome:
    if not path.is_file():
        return Outcome(path.name, read=False, found="missing", difference="there is no such recorded answer")
    if expected is None:
        difference = f"nothing is said of it in {EXPECTATIONS.name}"
        return Outcome(path.name, read=False, found="not looked at", difference=difference)
    try:
        found, wanted = _read(path.read_bytes(), expected)
    except RefusedError as refusal:
        reason = expected.get("refused")
        unlike = None if str(refusal) == reason else f"{reason or 'an answer that is read'} was expected"
        return Outcome(path.name, read=False, found=str(refusal), difference=unlike)
    unlike = None if found == wanted else f"{json.dumps(wanted)} was expected"
    return Outcome(path.name, read=True, found=_in_lines(found), difference=unlike)


def _read(document: bytes, expected: Mapping[str, Any]) -> tuple[Mapping[str, object], object]:
    """Return what was read and what should have been, in the same form."""
    if expected["asked"] == "autodiscover":
        return _settings(document), expected.get("settings")
    shown: Mapping[str, list[Mapping[str, Any]]] = expected.get("shown", {"first@example.com": []})
    window = Window(*(parse_instant(text) for text in expected.get("window", _ANY_DAY)))
    interval = timedelta(minutes=expected.get("interval_minutes", 30))
    try:
        results = parse_availability(document, list(shown), window, _HOST, interval)
    except ProblemError as error:
        raise RefusedError(error.problem.code) from error
    found = {
        address: [_shown(address, result, window, moment) for moment in shown[address]]
        for address, result in zip(shown, results, strict=True)
    }
    return found, expected.get("shown")


def _in_lines(found: Mapping[str, object]) -> str:
    lines = []
    for name, value in found.items():
        values = value if isinstance(value, list) else [value]
        lines += [f"\n         {name}: {one if isinstance(one, str | int) else json.dumps(one)}" for one in values]
    return "".join(lines)


_ANY_DAY = ("2006-10-16T00:00:00Z", "2006-10-17T00:00:00Z")


def _settings(document: bytes) -> dict[str, object]:
    try:
        answer = parse_pox(document)
    except MalformedXml as error:
        raise RefusedError(type(error).__name__) from error
    if isinstance(answer, Refusal):
        raise RefusedError(f"ErrorCode {answer.code}")
    if not isinstance(answer, Settings):
        raise RefusedError(type(answer).__name__)
    return {
        "external_path": urlsplit(answer.external.ews if answer.external else "").path,
        "internal_path": urlsplit(answer.internal.ews if answer.internal else "").path,
        "ttl_hours": answer.ttl_hours,
    }


def _shown(
    address: str, result: Availability | Problem, window: Window, moment: Mapping[str, Any]
) -> dict[str, object]:
    """Return what the product shows of a mailbox at a moment of the recorded day."""
    if isinstance(result, Problem):
        raise RefusedError(result.code)
    now = parse_instant(moment["at"])
    reading = CalendarReading(address, window, result.entries, now, _URL, result.view)
    record = after_reading(None, User("0" * 32, address), Readings(reading), DEFAULT, now, Rules()).record
    if record is None:
        raise RefusedError("a first reading made no record")
    shown: dict[str, object] = {
        "at": format_instant(now),
        "presence": str(record.presence),
        "rule": record.reason.rule,
        "until": _instant(record.until),
    }
    return shown | ({"since": _instant(record.since)} if "since" in moment else {})


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
