"""What goes to standard output is what CloudWatch reads: a JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from presence.observing import METRIC_NAMESPACE, Observer

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    # Powertools keeps a logger per service, with the standard output of the day it was made.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"stack-{request.node.name}")
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "INFO")


def lines(capsys: pytest.CaptureFixture[str]) -> list[Mapping[str, Any]]:
    out, err = capsys.readouterr()
    assert err == ""
    return [json.loads(line) for line in out.split("\n") if line]


def test_a_line_says_what_was_done_by_which_function_with_its_details(capsys: pytest.CaptureFixture[str]) -> None:
    Observer("apply_transitions").info("transitions applied", due=TEN, applied=3, traceparent="00-1-2-01")
    (line,) = lines(capsys)
    assert line["level"] == "INFO"
    assert line["message"] == "transitions applied"
    assert line["function"] == "apply_transitions"
    assert line["applied"] == 3
    assert line["traceparent"] == "00-1-2-01"
    assert line["due"].startswith("2026-11-23")
    assert line["service"].startswith("stack-")


def test_a_failure_is_logged_as_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    Observer("check_calendars").failure("record not handled", record="m1", reason="user 1: changed")
    (line,) = lines(capsys)
    assert (line["level"], line["record"], line["reason"]) == ("ERROR", "m1", "user 1: changed")


def test_a_warning_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    Observer("check_calendars").warning("a certificate ends soon", days_left=9)
    (line,) = lines(capsys)
    assert (line["level"], line["days_left"], line["function"]) == ("WARNING", 9, "check_calendars")


def test_a_text_over_several_lines_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Observer("check_calendars").failure("record not handled", reason="first\nsecond\u2028third")
    (line,) = lines(capsys)
    assert line["reason"] == "first\nsecond\u2028third"


def test_the_level_comes_from_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "ERROR")
    observer = Observer("check_calendars")
    observer.info("calendars checked")
    observer.failure("record not handled")
    assert [line["level"] for line in lines(capsys)] == ["ERROR"]


def test_counts_are_metrics_in_embedded_format_with_the_stack_as_their_dimension(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Observer("check_calendars").count({"CalendarsChecked": 100, "RecordsWritten": 0})
    (line,) = lines(capsys)
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert described["Namespace"] == METRIC_NAMESPACE
    assert described["Dimensions"] == [["service"]]
    assert {metric["Name"]: metric["Unit"] for metric in described["Metrics"]} == {
        "CalendarsChecked": "Count",
        "RecordsWritten": "Count",
    }
    assert (line["CalendarsChecked"], line["RecordsWritten"]) == ([100.0], [0.0])
    assert line["service"].startswith("stack-")


def test_what_was_counted_once_is_not_counted_again(capsys: pytest.CaptureFixture[str]) -> None:
    observer = Observer("check_calendars")
    observer.count({"CalendarsChecked": 5})
    observer.count({"CalendarsChecked": 7})
    assert [line["CalendarsChecked"] for line in lines(capsys)] == [[5.0], [7.0]]
