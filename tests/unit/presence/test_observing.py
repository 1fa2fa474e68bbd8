"""What goes to standard output is what CloudWatch reads: a JSON object a line."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from presence.errors import ConcurrentWrites
from presence.log_names import LogNames, PeopleNames, Person, name_of_address, name_of_user
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
    Observer("apply_transitions").info("transitions applied", due=TEN, applied=3)
    (line,) = lines(capsys)
    assert line["level"] == "INFO"
    assert line["message"] == "transitions applied"
    assert line["function"] == "apply_transitions"
    assert line["applied"] == 3
    assert "correlation_id" not in line
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


def test_what_is_logged_while_a_trace_is_followed_has_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    observer = Observer("check_calendars")
    with observer.following(f"00-{'1' * 32}-{'b' * 16}-01"):
        observer.info("first")
        with observer.following(f"00-{'2' * 32}-{'b' * 16}-01"):
            observer.warning("second")
        observer.failure("third")
        observer.count({"CalendarsChecked": 1})
        with observer.following("no traceparent"):
            observer.info("fourth")
    observer.info("fifth")
    found = [line.get("correlation_id") for line in lines(capsys)]
    assert found == ["1" * 32, "2" * 32, "1" * 32, "1" * 32, None, None]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConcurrentWrites(f"user {'a' * 32}: changed"), "user user-unnamed: changed"),
        (RuntimeError(f"password of {'a' * 32}"), "RuntimeError"),
    ],
)
def test_an_error_with_which_a_function_fails_is_found_by_the_trace(
    error: Exception, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    observer = Observer("set_presence")
    with pytest.raises(type(error)) as raised, observer.following(f"00-{'1' * 32}-{'b' * 16}-01"):
        raise error
    (line,) = lines(capsys)
    assert (line["message"], line["reason"], line["correlation_id"]) == ("failed", reason, "1" * 32)
    if isinstance(error, ConcurrentWrites):
        assert str(raised.value) == reason, "the runtime logs it"


def test_threads_that_work_side_by_side_follow_their_own_traces(capsys: pytest.CaptureFixture[str]) -> None:
    observer = Observer("apply_transitions")
    both_follow = threading.Barrier(2)

    def work(digit: str) -> None:
        with observer.following(f"00-{digit * 32}-{'b' * 16}-01"):
            both_follow.wait(5)
            observer.info(f"line {digit}")

    threads = [threading.Thread(target=work, args=(digit,)) for digit in "12"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {line["message"]: line["correlation_id"] for line in lines(capsys)} == {
        "line 1": "1" * 32,
        "line 2": "2" * 32,
    }


def test_people_are_named_wherever_they_stand_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    user_id, key = "6f1c0a9b8d7e6f5a4b3c2d1e0f9a8b7c", "k" * 32
    observer = Observer("check_calendars", PeopleNames(LogNames.HMAC, lambda: key))
    observer.failure(
        "record not handled",
        record=user_id,  # a number that AWS gave may look so
        reason=f"user {user_id}: alice@example.com",
        changed=[Person(user_id, "alice@example.com")],
        requested_by="alice@example.com",
    )
    (line,) = lines(capsys)
    name, mailbox = name_of_user(key, user_id), name_of_address(key, "alice@example.com")
    assert (line["reason"], line["changed"]) == (f"user {name}: {mailbox}", [name])
    assert (line["record"], line["requested_by"]) == (user_id, "alice@example.com")
    assert observer.as_logged(f"PresenceTable[{user_id}]") == f"PresenceTable[{name}]"


def test_a_function_that_names_nobody_strikes_people_out(capsys: pytest.CaptureFixture[str]) -> None:
    Observer("schedule_checks").failure("failed", reason=f"user {'a' * 32}: bob@example.org")
    (line,) = lines(capsys)
    assert line["reason"] == "user user-unnamed: address-unnamed"


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
