"""The pages for operators are right about commands, samples, parameters, alarms, keys, steps and problem codes."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.arguments import parser
from exchange.account import problems as account_problems
from exchange.autodiscover import problems as autodiscover_problems
from exchange.ews import problems as ews_problems
from exchange.ews import response_codes
from exchange.gateway_documents import parse_gateways, read_gateways_file
from exchange.gateways import DiscoveryStep
from exchange.tls import problems as tls_problems
from exchange.tls.certificates import Verdict
from exchange.web import problems as web_problems
from local.exchange.certificates import CertificateAuthority
from presence import data_gaps
from presence.errors import ProblemKind
from presence.log_names import LogNames
from tests.support.markdown import blocks, rows
from tests.support.schemas import DOCS, complaints, schema
from tests.support.template import resources, template

CHECKOUT = DOCS.parent
FIRST = DOCS / "operations.md"
PAGES = (FIRST, *sorted((DOCS / "operations").glob("*.md")))
DOCUMENTS = (*PAGES, CHECKOUT / "README.md", CHECKOUT / "events" / "README.md")
TABLES = CHECKOUT / "layers" / "presence" / "presence" / "tables"
CALLS = re.compile(r"client\.(?:get_paginator\(\"(\w+)\"\)|((?:get|put|update|delete|batch|transact)_\w+)\()")
# What begins a command line and is not ours to check.
OTHERS = {"aws", "sam", "make", "git", "cd", "python", "python3"}


def page(name: str) -> str:
    return (DOCS / "operations" / f"{name}.md").read_text(encoding="utf-8")


def first_page() -> str:
    return FIRST.read_text(encoding="utf-8")


def samples() -> list[str]:
    return [sample for each in PAGES for sample in blocks(each.read_text(encoding="utf-8"), "toml")]


def commands() -> Iterator[list[str]]:
    for document in DOCUMENTS:
        for block in blocks(document.read_text(encoding="utf-8"), "sh"):
            for line in block.splitlines():
                if words := shlex.split(line, comments=True):
                    yield words


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_command_shown_is_one_that_the_command_line_takes(capsys: pytest.CaptureFixture[str]) -> None:
    shown = [words for words in commands() if Path(words[0]).name == "presence"]
    for words in shown:
        parser().parse_args(words[1:])
        assert not capsys.readouterr().err
    actions = parser()._subparsers
    assert actions is not None
    known = set(actions._group_actions[0].choices or ())
    assert {words[1] for words in shown} == known - {"demo"}  # which the Makefile calls
    assert {Path(words[0]).name for words in commands()} <= OTHERS | {"presence"}


def test_the_events_that_commands_name_are_there() -> None:
    named = [Path(word) for words in commands() for word in words if word.startswith("events/")]
    assert named
    for path in named:
        assert (CHECKOUT / path).is_file(), path


@pytest.mark.parametrize("index", [0, 1])
def test_a_sample_configuration_is_taken_as_it_stands(tmp_path: Path, index: int) -> None:
    sample = samples()[index]
    (tmp_path / "ca.pem").write_text(CertificateAuthority("Test CA").pem, encoding="ascii")
    path = tmp_path / "gateways.toml"
    path.write_text(sample, encoding="utf-8")
    assert read_gateways_file(path).gateways
    assert complaints("schemas/gateways.json", tomllib.loads(sample)) == []
    assert len(samples()) == 2


def test_the_samples_differ_from_what_is_refused() -> None:
    document = tomllib.loads(samples()[1])
    document["gateways"][1].pop("ca_file")
    assert parse_gateways(document).gateway_for("x@anything.test").name == "all-others"
    assert parse_gateways(document).gateway_for("x@branch.test").name == "branch"


def test_every_key_of_the_gateways_document_is_explained_and_no_other() -> None:
    definitions = schema("schemas/gateways.json")["$defs"]
    known = {*definitions["gateway"]["properties"], *definitions["network"]["properties"]} - {"ca"}
    explained = [name for row in rows(page("gateways"), "key") for name in names(row[0])]
    assert sorted(explained) == sorted(known)


def test_the_steps_of_autodiscover_stand_there_in_their_order() -> None:
    shown = [names(row[0])[0] for row in rows(page("gateways"), "step")]
    assert shown == [step.value for step in DiscoveryStep]


def test_every_parameter_is_named_by_a_need_and_no_other() -> None:
    shown = [name for row in rows(first_page(), "need") for name in names(row[1])]
    assert sorted(set(shown)) == sorted(template()["Parameters"])


def test_whoever_uses_the_commands_is_told_of_each_action_on_the_tables_that_they_need() -> None:
    sources = "".join(each.read_text(encoding="utf-8") for each in TABLES.glob("*.py"))
    called = {name for names in CALLS.findall(sources) for name in names if name}
    actions = {name.title().replace("_", "") for name in called}
    # A transaction needs what is done in it: here items are put and deleted.
    assert set(re.findall(r"^ +\{?\"(Put|Delete|Update|ConditionCheck)\":", sources, re.MULTILINE)) == {"Put", "Delete"}
    (needs,) = (part for part in first_page().split("\n\n") if part.startswith("The commands use the region"))
    told = {name.removeprefix("dynamodb:") for name in names(needs)}
    assert {name for name in told if name[0].isupper()} == actions - {"TransactWriteItems"}


def test_every_way_to_name_people_is_explained() -> None:
    shown = [names(row[0])[0] for row in rows(page("monitoring"), "value")]
    assert shown == [style.value for style in LogNames]


def test_every_alarm_is_explained_and_no_other() -> None:
    shown = [names(row[0])[0] for row in rows(page("monitoring"), "alarm")]
    assert shown == [name for name, _ in resources("AWS::CloudWatch::Alarm")]


def test_every_dead_letter_queue_is_explained_and_no_other() -> None:
    shown = {names(row[0])[0] for row in rows(page("monitoring"), "queue (output)")}
    of_functions = {"CheckQueueUrl", "TransitionQueueUrl"}
    assert shown == {name for name in template()["Outputs"] if name.endswith("QueueUrl")} - of_functions


def test_every_problem_of_ours_is_explained_and_no_other() -> None:
    shown = {names(row[0])[0]: row[1] for row in rows(page("problems"), "code")}
    modules = [*(CHECKOUT / "layers/exchange/exchange").rglob("problems.py"), Path(data_gaps.__file__)]
    assert set(shown) == {"UnknownResponseCode"}.union(*map(codes_in, modules))
    assert all(set(kind.split(" or ")) <= set(ProblemKind) for kind in shown.values())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (problem.code, problem.kind)
        for problem in (
            web_problems.host_unreachable("h", "r"),
            web_problems.host_not_found("h"),
            web_problems.timed_out("h", "to answer", 5),
            tls_problems.certificate_invalid("h", "w", "r"),
            tls_problems.tls_failed("h", "r"),
            tls_problems.tls_too_weak("h", "w", "r"),
            account_problems.credentials_rejected("h", "g", "NTLM"),
            web_problems.http_status("h", 403),
            web_problems.http_status("h", 404),
            web_problems.http_status("h", 440),
            web_problems.http_status("h", 500),
            web_problems.http_status("h", 503),
            ews_problems.count_mismatch("h", 2, 1),
            web_problems.malformed_answer("h", "w"),
            ews_problems.malformed_calendar("a", "w"),
            ews_problems.no_calendar_entries("a", "None"),
            autodiscover_problems.host_not_trusted("h", "d", "w"),
            account_problems.secret_unusable("g", "r"),
            autodiscover_problems.mailbox_not_found("a", "h"),
            data_gaps.no_free_busy_data("a"),
        )
    ],
)
def test_a_problem_is_of_the_kind_that_is_shown(code: str, kind: ProblemKind) -> None:
    shown = {names(row[0])[0]: row[1] for row in rows(page("problems"), "code")}
    assert shown[code] == kind


def test_every_word_for_a_certificate_is_explained_and_no_other() -> None:
    assert sorted(row[0] for row in rows(page("certificates"), "word")) == sorted(Verdict)


def test_every_exception_for_a_server_is_explained() -> None:
    explained = [name.partition(" ")[0] for row in rows(page("certificates"), "option") for name in names(row[0])[:1]]
    shown = [name for row in rows(page("gateways"), "key") for name in names(row[0])]
    assert set(explained) == {"hostname_checks_common_name", "x509_strict", "security_level", "oldest_tls"}
    assert set(explained) <= set(shown)


def test_exchanges_codes_are_explained_as_the_code_has_them() -> None:
    shown = [
        (code, row[1], row[2], row[3]) for row in rows(page("problems"), "Exchange's codes") for code in names(row[0])
    ]
    assert shown == [
        (code, meaning.kind, meaning.text, meaning.remedy) for code, meaning in response_codes.ANSWERS.items()
    ]


def test_the_secret_shown_is_one() -> None:
    shown = re.search(r"secrets/exchange-reader\.json +(\{[^}]*\})", first_page())
    assert shown
    assert json.loads(shown[1]) == {"username": "EXAMPLE\\presence", "password": "…"}


def codes_in(path: Path) -> Iterator[str]:
    """Yield the texts in a module that are written as problem codes are."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, str) and re.fullmatch(r"(?:[A-Z][a-z]+){2,}|Timeout", value):
            yield value
