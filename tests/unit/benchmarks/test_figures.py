from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.figures import Figure, Measurement, percentile


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1.0), (0.01, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_the_value_that_a_share_of_all_does_not_exceed(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


def test_of_nothing_there_is_no_percentile_and_what_is_no_number_keeps_no_bound() -> None:
    nothing = percentile([], 0.5)
    assert math.isnan(nothing)
    assert Figure("late", nothing, "s").holds
    assert not Figure("late", nothing, "s", at_most=1).holds
    assert not Figure("share", nothing, "", at_least=0.6).holds


@pytest.mark.parametrize(
    ("value", "at_most", "at_least", "holds"),
    [
        (1.0, 1, None, True),
        (1.1, 1, None, False),
        (0.6, None, 0.6, True),
        (0.5, None, 0.6, False),
        (9, None, None, True),
    ],
)
def test_bounds_are_included(value: float, at_most: float | None, at_least: float | None, holds: bool) -> None:
    assert Figure("figure", value, "", at_most, at_least).holds is holds


@pytest.mark.parametrize(("late", "code"), [(0.9, 0), (1.1, 1)])
def test_a_broken_bound_is_named_and_fails_and_all_figures_are_written_down(
    late: float, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measurements = (
        Measurement("transitions", lambda: [Figure("late", late, "s", at_most=1.0), Figure("users", 10, "")]),
        Measurement("others", lambda: [Figure("early", 1, "users", at_most=0)]),
    )
    monkeypatch.setattr(benchmarks, "MEASUREMENTS", measurements)
    monkeypatch.setattr(benchmarks, "RESULTS", tmp_path / "build" / "bench.json")
    assert benchmarks.main(["transitions"]) == code
    assert ("broken: transitions: late" in capsys.readouterr().out) == bool(code)
    results = json.loads((tmp_path / "build" / "bench.json").read_text())
    assert list(results["measurements"]) == ["transitions"]
    assert [(each["name"], each["value"]) for each in results["measurements"]["transitions"]] == [
        ("late", late),
        ("users", 10),
    ]


def test_a_measurement_that_there_is_not_is_refused_before_any_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmarks.main(["nothing"])
    assert "timeline_microseconds" in capsys.readouterr().err
