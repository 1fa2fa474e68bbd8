"""The demo itself, run as users run it, and run on copies of the checkout in which one promise is broken."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(300)

CHECKOUT = Path(__file__).resolve().parents[2]
LAST_LINE = re.compile(
    r"demo: users=(?P<users>\d+) right=(?P<right>\d+) wrong=(?P<wrong>\d+) missed=(?P<missed>\d+)"
    r" published=(?P<published>\d+) transitions=(?P<transitions>\d+) late_p99=(?P<late_p99>-?\d+\.\d+|nan)"
    r" early=(?P<early>\d+)"
)
# The beginning of the scenario: some seconds of boundaries and the edits that can be seen until then.
SHORT = (
    "import sys; from local.demo.run import Course, run; from local.demo.tally import Minimums;"
    " none = Minimums(users=24, statuses=frozenset(), transitions=5, in_one_second=1, edits=3, late_p99=2.0);"
    " sys.exit(run(course=Course(head_start=12, closes=34, minimums=none)))"
)
WHAT_RUNS = ("functions", "layers", "local", "docs/events", "template.yaml")


@dataclass(frozen=True)
class Outcome:
    code: int
    output: str
    counts: dict[str, float]


def run(checkout: Path, *command: str) -> Outcome:
    packages = [checkout / "layers" / "presence", checkout / "layers" / "exchange", checkout]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))},
        "PYTHONPATH": os.pathsep.join(str(package) for package in packages),
    }
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, *command],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    output = done.stdout + done.stderr
    last = LAST_LINE.fullmatch(done.stdout.splitlines()[-1])
    assert last is not None, output
    return Outcome(done.returncode, output, {name: float(value) for name, value in last.groupdict().items()})


def run_timed() -> tuple[Outcome, float]:
    started = time.monotonic()
    outcome = run(CHECKOUT, "-m", "local.demo")
    return outcome, time.monotonic() - started


@pytest.mark.timed
def test_the_demo_shows_all_that_it_must_and_is_right() -> None:
    outcome, seconds = run_timed()
    counts = outcome.counts
    if counts["right"] == counts["users"] and (counts["late_p99"] > 0.5 or seconds >= 90):
        # Everything right but late: the machine may have been busy with something else, once.
        outcome, seconds = run_timed()
        counts = outcome.counts
    assert outcome.code == 0, outcome.output
    assert counts["users"] == counts["right"] >= 24
    assert counts["wrong"] == counts["missed"] == counts["early"] == 0
    assert counts["published"] > counts["users"]
    assert counts["transitions"] >= 24
    assert counts["late_p99"] <= 0.5
    edits = re.search(r"^(\d+) edits of calendars", outcome.output, re.MULTILINE)
    assert edits is not None
    assert int(edits[1]) >= 10
    assert seconds < 90


# What is broken: the file, the line as it is, the line that breaks it.
BROKEN = {
    "an entry is shown as free": (
        "layers/presence/presence/knowledge.py",
        "if judgement.presence is None or entry.start >= entry.end:",
        "if judgement.presence is None or (entry.end - entry.start).total_seconds() == 27:",
    ),
    "transitions are a second early": (
        "functions/apply_transitions/handler.py",
        "clock=system_clock,",
        "clock=lambda: system_clock() + __import__('datetime').timedelta(seconds=1),",
    ),
    "one change is not published": (
        "layers/presence/presence/publishing.py",
        "        if news is None:\n",
        "        if news is None or news.record.address.startswith('carol@'):\n",
    ),
}
# How the demo says so: the count, the words, and the users of whom nothing else may be said.
FOUND_AS = {
    "an entry is shown as free": ("wrong", "instead of 2", {"kate"}),
    "transitions are a second early": ("early", "s early", None),
    "one change is not published": ("missed", "carol@example.com: missed", {"carol"}),
}


def copied(folder: Path) -> Path:
    """Copy what the demo runs; what has been built is the checkout's."""
    for name in WHAT_RUNS:
        source, target = CHECKOUT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    (folder / "build").symlink_to(CHECKOUT / "build")
    return folder


@pytest.mark.parametrize("promise", BROKEN)
def test_a_broken_promise_makes_the_demo_fail(promise: str, tmp_path: Path) -> None:
    checkout = copied(tmp_path)
    name, line, broken = BROKEN[promise]
    text = (checkout / name).read_text(encoding="utf-8")
    assert text.count(line) == 1, f"{name} has changed: break it anew"
    (checkout / name).write_text(text.replace(line, broken), encoding="utf-8")
    outcome = run(checkout, "-c", SHORT)
    assert outcome.code == 1, outcome.output
    count, words, users = FOUND_AS[promise]
    assert outcome.counts[count] > 0, outcome.output
    assert words in outcome.output
    blamed = set(re.findall(r"^wrong: (\S+)@", outcome.output, re.MULTILINE))
    assert users is None or blamed == users, outcome.output
    assert outcome.counts["users"] - outcome.counts["right"] == len(blamed)


def test_an_engine_that_is_not_there_is_a_clear_reason_and_no_traceback(tmp_path: Path) -> None:
    checkout = copied(tmp_path)
    (checkout / "build").unlink()
    outcome = run(checkout, "-m", "local.demo")
    assert outcome.code == 1
    assert "make engine" in outcome.output
    assert "Traceback" not in outcome.output


def test_watching_goes_on_until_it_is_interrupted_and_leaves_nothing_behind() -> None:
    packages = [CHECKOUT / "layers" / "presence", CHECKOUT / "layers" / "exchange", CHECKOUT]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, packages)), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "local.demo", "--watch"],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        seen: list[str] = []
        for line in process.stdout:
            seen.append(line)
            if " is " in line and "version 1" in line:
                break
        children = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0, "".join(seen) + rest
    assert rest.splitlines()[-1] == "Stopped."
    assert children, "the engine ran"
    # Who had an ended parent is reaped by the machine's first process, which takes its time.
    give_up = time.monotonic() + 20
    while left := [child for child in children if Path(f"/proc/{child}").exists()]:
        assert time.monotonic() < give_up, left
        time.sleep(0.1)


def descendants(pid: int) -> list[int]:
    """Return the process ids of all that a process has started, by /proc; empty where there is none."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text(encoding="ascii").split()):
            found += [child, *descendants(child)]
    return found
