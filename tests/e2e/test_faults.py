"""Every fault is survived, and as soon as one promise is broken the faults that show it are not."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exchange.autodiscover.trust import Trust
from exchange.tls import connections
from exchange.tls.contexts import looking_context
from local.faults.injecting import INJECTIONS, check_injection, inject
from local.faults.judging import Seen
from local.faults.rows import NO_PROBLEM, Row, read_rows
from local.faults.running import outcomes_of, run
from local.faults.stage import Effect, Stage
from local.virtual.cloud import VirtualCloud
from presence.calendar import CalendarReading, Window
from presence.errors import Problem
from presence.observing import Observer

pytestmark = pytest.mark.timeout(300)

CHECKOUT = Path(__file__).resolve().parents[2]
ROWS = read_rows(check_injection)
LONGEST = 120


def rows_of(words: str) -> list[Row]:
    """Return the rows whose name matches."""
    found = [row for row in ROWS if re.search(words, row.name)]
    assert found, words
    return found


def complaints_of(words: str, tmp_path: Path, prepare: Callable[[VirtualCloud], None] | None = None) -> list[str]:
    """Play the rows whose name matches, each of which has to have a complaint, and return all complaints and leaks."""
    outcomes, leaks = outcomes_of(rows_of(words), prepare, tmp_path / "faults.log")
    assert all(outcome.complaints for outcome in outcomes) or leaks, [outcome.row.name for outcome in outcomes]
    return [*(complaint for outcome in outcomes for complaint in outcome.complaints), *leaks]


def used_by_others() -> float:
    """Return the seconds of processor time that ended processes of this one have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_faults(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "local.faults", *arguments]
    return subprocess.run(  # noqa: S603  our own program
        command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=280
    )


@pytest.mark.xdist_group("faults.log")
def test_every_fault_is_survived() -> None:
    started, used = time.monotonic(), used_by_others()
    done = run_faults()
    seconds, of_processor = time.monotonic() - started, used_by_others() - used
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    lines = done.stdout.splitlines()
    faults = sum(not row.control for row in ROWS)
    assert lines[-1] == f"faults: survived={faults} of {faults}"
    assert sum(line.startswith("ok ") for line in lines) == len(ROWS)
    assert sum("failed, as it should" in line for line in lines) == 3
    # Where others keep the machine busy, what it needs by itself counts.
    assert min(seconds, of_processor) < LONGEST
    log = (CHECKOUT / "build" / "faults.log").read_text(encoding="utf-8")
    assert '"message":"calendars checked"' in log


@pytest.mark.xdist_group("faults.log")
def test_a_few_faults_can_be_played_alone_and_a_misspelt_word_finds_none() -> None:
    few = run_faults("--only", "retry-after in seconds")
    assert (few.returncode, few.stdout.splitlines()[-1]) == (0, "faults: survived=2 of 2")
    none = run_faults("--only", "meteor")
    assert (none.returncode, none.stdout, none.stderr) == (2, "", "no row has 'meteor' in its name or group\n")


def test_a_wrong_expectation_and_a_control_that_survives_make_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = rows_of(r"^503, Retry-After in seconds")
    wrong = replace(row, name="a wrong expectation", expect=replace(row.expect, problem=("Timeout",)))
    survives = replace(row, name="a control that survives", control="the retry comes in 120 s, not in 30")
    assert run([row], log=tmp_path / "log") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "faults: survived=1 of 1"
    assert run([row, wrong], log=tmp_path / "log") == 1
    printed = capsys.readouterr().out
    assert "not as expected: HTTP: a wrong expectation\n    the problem is ServerBusy, not Timeout" in printed
    assert printed.splitlines()[-1] == "faults: survived=1 of 2"
    assert run([row, survives], log=tmp_path / "log") == 1
    printed = capsys.readouterr().out
    assert "control: a control that survives: did not fail with" in printed
    assert printed.splitlines()[-1] == "faults: survived=1 of 1"


Outcomes = Mapping[str, CalendarReading | Problem]


def reading(change: Callable[[Outcomes, Window], Outcomes]) -> Callable[[VirtualCloud], None]:
    """Return what lets the function take something else for what was read."""

    def prepare(cloud: VirtualCloud) -> None:
        check: Any = cloud.handler("check_calendars").parts().check
        read = check._reader.read_calendars
        check._reader.read_calendars = lambda addresses, window: change(read(addresses, window), window)

    return prepare


def as_free(outcomes: Outcomes, window: Window) -> Outcomes:
    return {
        address: CalendarReading(address, window, (), window.end, "https://x/", "FreeBusy")
        if isinstance(outcome, Problem)
        else outcome
        for address, outcome in outcomes.items()
    }


def impatient(outcomes: Outcomes, _window: Window) -> Outcomes:
    return {
        address: replace(outcome, retry_after=None) if isinstance(outcome, Problem) else outcome
        for address, outcome in outcomes.items()
    }


def one_for_all(outcomes: Outcomes, _window: Window) -> Outcomes:
    problems = [outcome for outcome in outcomes.values() if isinstance(outcome, Problem)]
    return dict.fromkeys(outcomes, problems[0]) if problems else outcomes


def telling(outcomes: Outcomes, _window: Window) -> Outcomes:
    return {
        address: replace(outcome, text="the meeting canary-subject can't be read")
        if isinstance(outcome, Problem)
        else outcome
        for address, outcome in outcomes.items()
    }


@pytest.mark.parametrize(
    ("promise", "change", "rows", "words"),
    [
        ("what can't be read is not free", as_free, r"ErrorMailboxMoveInProgress|NXDOMAIN", "Available is shown, not"),
        ("nobody becomes Available", as_free, r"^503 without Retry-After", "Available was written or published"),
        (
            "the server is given the time it asks for",
            impatient,
            r"Retry-After in seconds|Retry-After as a date$",
            r"the retry comes in 1\d s",
        ),
        ("one mailbox does not harm another", one_for_all, r"the mailbox is being moved \(", "should be unharmed"),
        ("nothing secret is stored", telling, r"^404", "the subject of a meeting stands in a table"),
    ],
)
def test_a_promise_that_is_broken_is_noticed(
    promise: str,
    change: Callable[[Outcomes, Window], Outcomes],
    rows: str,
    words: str,
    tmp_path: Path,
) -> None:
    complaints = complaints_of(rows, tmp_path, reading(change))
    assert any(re.search(words, complaint) for complaint in complaints), (promise, complaints)


def test_what_is_never_tried_again_is_noticed(tmp_path: Path) -> None:
    def prepare(cloud: VirtualCloud) -> None:
        check: Any = cloud.handler("check_calendars").parts().check
        check._check_queue = SimpleNamespace(send=lambda _messages: None)

    assert "no retry is on the queue" in complaints_of(r"^503, Retry-After in seconds", tmp_path, prepare)


def test_a_certificate_that_is_accepted_wrongly_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "client_context", lambda _ca, options: looking_context(options))
    rows = r"^the certificate (has expired|is for another name|is self-signed)|unknown authority"
    complaints = complaints_of(rows, tmp_path)
    assert sum("the problem is" in complaint and "not CertificateInvalid" in complaint for complaint in complaints) == 4
    assert complaints.count("mail.example.com was given the account, and nobody should be") == 4


def test_credentials_for_a_stranger_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trust, "may_have_credentials", lambda *_: True)
    rows = r"^autodiscover refers to a stranger with a valid certificate|SRV record leads to a stranger"
    complaints = complaints_of(rows, tmp_path)
    assert complaints.count("stranger.test was given credentials") == len(rows_of(rows))


def test_libraries_that_are_not_silenced_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.reader.silence_loggers", lambda: None)
    leaks = complaints_of(r"^404", tmp_path)
    assert any(re.fullmatch(r"an NTLM message stands in line \d+ of faults.log", leak) for leak in leaks), leaks


@pytest.mark.parametrize(
    ("told", "leak"),
    [
        (lambda cloud: list(cloud.secrets.texts.values()), "a password"),
        (lambda cloud: [item["address"] for item in cloud.tables["PresenceTable"].items()], "an address or a user id"),
        (lambda cloud: [item["userId"] for item in cloud.tables["PresenceTable"].items()], "an address or a user id"),
    ],
    ids=["passwords", "addresses", "user ids"],
)
def test_what_may_not_be_in_the_log_is_noticed(
    told: Callable[[VirtualCloud], list[object]], leak: str, tmp_path: Path
) -> None:
    def prepare(cloud: VirtualCloud) -> None:
        class Talkative(Observer):
            def info(self, message: str, **details: object) -> None:
                super().info(message, **details, record=told(cloud))

        cloud.handler("check_calendars").Observer = Talkative  # type: ignore[attr-defined]

    leaks = complaints_of(r"^404", tmp_path, prepare)
    assert any(re.fullmatch(rf"{leak} stands in line \d+ of faults.log", each) for each in leaks), leaks


STRUCK_NOBODY = "the fault {} struck nobody: all that it was to change went as usual"


def test_a_row_that_strikes_nobody_is_no_proof(tmp_path: Path) -> None:
    (row,) = rows_of(r"^404")
    elsewhere = replace(row, faults=(("status", {"status": 404, "host": "mail2.example.com"}),))
    (outcome,), _ = outcomes_of([elsewhere], None, tmp_path / "log")
    seen: Seen | None = outcome.seen
    assert seen is None
    assert outcome.complaints == (STRUCK_NOBODY.format("status"),)


def test_one_fault_of_two_that_strikes_nobody_is_enough(tmp_path: Path) -> None:
    (row,) = rows_of(r"^both servers of a pool refuse the connection")
    (first, _) = row.faults
    elsewhere = replace(row, faults=(first, ("refused", {"host": "cas1.mail.example.com"})))
    (outcome,), _ = outcomes_of([elsewhere], None, tmp_path / "log")
    assert outcome.complaints == (STRUCK_NOBODY.format("refused"),)


def rows_of_each_fault() -> list[Row]:
    """Return a row of each injection, one that expects nothing to be wrong where there is such a row."""
    by_name: dict[str, Row] = {}
    for row in sorted(ROWS, key=lambda row: row.expect.problem != (NO_PROBLEM,)):
        for name, _ in row.faults:
            if not row.control:
                by_name.setdefault(name, row)
    assert set(by_name) == set(INJECTIONS)
    return list({row.name: row for row in by_name.values()}.values())


def test_a_fault_whose_injection_does_nothing_is_not_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken_back(stage: Stage) -> list[tuple[str, Effect]]:
        injected = inject(stage)
        stage.undo.close()
        return injected

    monkeypatch.setattr("local.faults.playing.inject", taken_back)
    outcomes, _ = outcomes_of(rows_of_each_fault(), None, tmp_path / "log")
    for outcome in outcomes:
        names = ", ".join(name for name, _ in outcome.row.faults)
        assert outcome.complaints == (STRUCK_NOBODY.format(names),), outcome.row.name
