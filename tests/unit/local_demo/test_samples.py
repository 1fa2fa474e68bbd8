"""Reading recorded answers, on recordings made up here; the real ones are read by the contract tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.demo import samples

MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
AVAILABILITY = f"""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<GetUserAvailabilityResponse xmlns="{MESSAGES}" xmlns:t="{TYPES}"><FreeBusyResponseArray><FreeBusyResponse>
<ResponseMessage ResponseClass="Success"><ResponseCode>NoError</ResponseCode></ResponseMessage>
<FreeBusyView><t:FreeBusyViewType>FreeBusy</t:FreeBusyViewType><t:CalendarEventArray><t:CalendarEvent>
<t:StartTime>2006-10-16T10:00:00Z</t:StartTime><t:EndTime>2006-10-16T11:00:00Z</t:EndTime>
<t:BusyType>OOF</t:BusyType></t:CalendarEvent></t:CalendarEventArray></FreeBusyView></FreeBusyResponse>
</FreeBusyResponseArray></GetUserAvailabilityResponse></s:Body></s:Envelope>"""
AWAY = {
    "at": "2006-10-16T10:30:00Z",
    "presence": "Away / OutOfOffice",
    "rule": "out-of-office",
    "since": "2006-10-16T10:00:00Z",
    "until": "2006-10-16T11:00:00Z",
}


def run(tmp_path: Path, answers: dict[str, str], expected: dict[str, object]) -> int:
    folder = tmp_path / "answers"
    folder.mkdir()
    for name, text in answers.items():
        (folder / name).write_text(text, encoding="utf-8")
    expectations = tmp_path / "expected.json"
    expectations.write_text(json.dumps({"answers": expected}), encoding="utf-8")
    return samples.main(folder, expectations)


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


def availability(shown: object) -> dict[str, object]:
    window = ["2006-10-16T00:00:00Z", "2006-10-17T00:00:00Z"]
    return {"asked": "availability", "window": window, "shown": {"first@example.com": shown}}


def test_an_answer_is_read_at_the_time_of_its_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, {"a-response.xml": AVAILABILITY}, {"a-response.xml": availability([AWAY])}) == 0
    assert last_line(capsys) == "samples: read=1 refused=0 as_expected=1 of 1"


def test_another_presence_than_expected_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = availability([{**AWAY, "presence": "Busy / Busy"}])
    assert run(tmp_path, {"a-response.xml": AVAILABILITY}, {"a-response.xml": expected}) == 1
    assert last_line(capsys) == "samples: read=1 refused=0 as_expected=0 of 1"


def test_what_must_be_refused_and_is_read_fails_and_the_other_way_round(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"a-response.xml": AVAILABILITY, "b-response.xml": "<html/>", "c-response.xml": "<html/>"}
    expected = {
        "a-response.xml": {"asked": "availability", "refused": "MalformedAnswer"},
        "b-response.xml": {"asked": "autodiscover", "settings": {}},
        "c-response.xml": {"asked": "availability", "refused": "MalformedAnswer"},
    }
    assert run(tmp_path, answers, expected) == 1
    assert last_line(capsys) == "samples: read=1 refused=2 as_expected=1 of 3"


def test_an_answer_of_which_nothing_is_expected_and_one_that_is_missing_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, {"new-response.xml": AVAILABILITY}, {"gone-response.xml": availability([AWAY])}) == 1
    assert last_line(capsys) == "samples: read=0 refused=2 as_expected=0 of 2"


def test_requests_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, {"a-request.xml": "<html/>"}, {}) == 0
    assert last_line(capsys) == "samples: read=0 refused=0 as_expected=0 of 0"


def test_without_recordings_it_says_so_and_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert samples.main(tmp_path / "samples") == 2
    assert "no recorded answers" in capsys.readouterr().out
