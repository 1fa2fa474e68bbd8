from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from local.exchange.operator_folder import to_toml
from local.faults import rows
from local.faults.ews_faults import WAYS
from local.faults.injecting import INJECTIONS, check_injection
from local.faults.rows import CONTROLS, FEWEST_FAULTS, UnusableRowsError, read_rows, selected
from local.faults.tls_faults import FAULTS

SHARED = Path(__file__).resolve().parents[4] / "shared" / "design" / "exchange.md"
FAULT = {"kind": "status", "status": 503}
EXPECT = {
    "problem": "ServerBusy",
    "kind": "passing",
    "retry": 30,
    "shown": "Busy",
    "others": "harmed",
    "mended": "at-once",
    "account": "servers",
}
ROW: dict[str, Any] = {"name": "busy", "group": "HTTP", "faults": [FAULT], "expect": EXPECT}


def read(folder: Path, *entries: dict[str, Any], defaults: dict[str, Any] | None = None) -> tuple[rows.Row, ...]:
    path = folder / "rows.toml"
    path.write_text(to_toml({"defaults": defaults or {}, "rows": list(entries)}))
    return read_rows(check_injection, path)


@pytest.fixture
def any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "FEWEST_FAULTS", 0)
    monkeypatch.setattr(rows, "CONTROLS", 0)


def test_the_rows_of_the_project_can_be_used() -> None:
    found = read_rows(check_injection)
    assert sum(not row.control for row in found) >= 200
    assert sum(bool(row.control) for row in found) == CONTROLS
    assert {row.group for row in found} == {"DNS", "TCP", "TLS", "HTTP", "SOAP"}


def test_every_fault_that_can_be_ordered_is_in_a_row() -> None:
    ordered = [fault for row in read_rows(check_injection) for fault in row.faults]
    assert {name for name, _ in ordered} == set(INJECTIONS)
    assert {arguments["how"] for name, arguments in ordered if name == "answer"} == set(WAYS)
    assert {arguments["fault"] for name, arguments in ordered if name == "certificate"} == FAULTS


def codes_in_rows() -> set[str]:
    ordered = [fault for row in read_rows(check_injection) for fault in row.faults]
    return {arguments["code"] for name, arguments in ordered if name in {"mailbox-code", "soap-fault"}}


def test_every_response_code_of_the_facts_is_in_a_row() -> None:
    if not SHARED.exists():
        pytest.skip("the facts about Exchange are not beside this checkout")
    named = set(re.findall(r"Error[A-Z][A-Za-z]+", SHARED.read_text(encoding="utf-8")))
    assert {code for code in named if len(code) > len("Errors")} - codes_in_rows() == set()


@pytest.mark.usefixtures("any_number")
def test_a_row_is_read_with_the_defaults_of_its_file(tmp_path: Path) -> None:
    short = {**ROW, "expect": {"problem": ["ServerBusy", "Timeout"], "retry": "back-off"}}
    (row,) = read(
        tmp_path, short, defaults={key: EXPECT[key] for key in ("kind", "shown", "others", "mended", "account")}
    )
    assert row.faults == (("status", {"status": 503}),)
    assert row.expect == rows.Expectation(
        ("ServerBusy", "Timeout"), "passing", "back-off", "Busy", "harmed", "at-once", "servers"
    )
    assert (row.way, row.hosts, row.forgotten, row.control) == ("named", ("mail.example.com",), False, "")


@pytest.mark.usefixtures("any_number")
@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"name": ""}, "a row has no name"),
        ({"faults": []}, "'busy': it has no fault"),
        ({"faults": [{"kind": "meteor"}]}, "'busy': 'meteor' is no fault; known are "),
        ({"faults": [{"kind": "status", "statsu": 503}]}, "'busy': fault 'status': missing a required argument"),
        ({"faults": [{**FAULT, "colour": "red"}]}, "'busy': fault 'status': got an unexpected keyword argument"),
        ({"way": "lost"}, "'busy': 'lost' is none of named, discovered, service-record"),
        ({"reason": "whim"}, "'busy': 'whim' is none of schedule, operator"),
        ({"colour": "red"}, "'busy': .*unexpected keyword argument 'colour'"),
        ({"expect": {**EXPECT, "kind": "sad"}}, "'busy': 'sad' is none of passing, lasting, unexpected"),
        ({"expect": {**EXPECT, "problem": "none"}}, "'busy': 'passing' is none of none"),
        ({"expect": {**EXPECT, "others": "amused"}}, "'busy': 'amused' is none of unharmed, harmed"),
        ({"expect": {**EXPECT, "mended": "never"}}, "'busy': 'never' is none of at-once, later, stays"),
        ({"expect": {**EXPECT, "account": "all"}}, "'busy': 'all' is none of servers, nobody"),
        ({"expect": {**EXPECT, "retry": "soon"}}, "'busy': 'soon' is none of none, back-off"),
        ({"expect": {**EXPECT, "kind": "lasting"}}, "'busy': what is lasting is not tried again, yet a retry"),
        ({"expect": {**EXPECT, "mood": "good"}}, "'busy': .*unexpected keyword argument 'mood'"),
        ({"expect": {"problem": "ServerBusy"}}, "'busy': .*missing 6 required positional arguments"),
    ],
)
def test_a_row_with_a_mistake_is_refused_with_its_name(tmp_path: Path, changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UnusableRowsError, match=complaint):
        read(tmp_path, {**ROW, **changed})


@pytest.mark.usefixtures("any_number")
def test_two_rows_have_two_names(tmp_path: Path) -> None:
    with pytest.raises(UnusableRowsError, match="two rows are named 'busy'"):
        read(tmp_path, ROW, ROW)


def test_too_few_faults_or_controls_prove_nothing(tmp_path: Path) -> None:
    enough = [{**ROW, "name": f"busy {number}"} for number in range(FEWEST_FAULTS)]
    controls = [{**ROW, "name": f"control {number}", "control": "it fails"} for number in range(CONTROLS)]
    assert len(read(tmp_path, *enough, *controls)) == FEWEST_FAULTS + CONTROLS
    for entries in (enough[1:] + controls, enough + controls[1:]):
        with pytest.raises(UnusableRowsError, match="70 and 3 are needed"):
            read(tmp_path, *entries)


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.toml"
    path.write_text("rows = [")
    with pytest.raises(UnusableRowsError, match=r"rows\.toml is no TOML"):
        read_rows(check_injection, path)


@pytest.mark.usefixtures("any_number")
def test_rows_are_selected_by_group_and_name_and_controls_always(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        ROW,
        {**ROW, "name": "SRV record", "group": "DNS"},
        {**ROW, "name": "wrong", "control": "it fails"},
    )
    assert [row.name for row in selected(found, "dns srv")] == ["SRV record", "wrong"]
    assert [row.name for row in selected(found, "")] == ["busy", "SRV record", "wrong"]
    assert [row.name for row in selected(found, "meteor")] == ["wrong"]
