"""docs/profiles.md is right about the built-in profiles, its keys, its samples and its commands; so is the schema."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.arguments import parser
from cli.calendar_file import LONGEST, parse_calendar
from cli.main import main
from cli.profile_text import NOTHING, WHAT_WAS_SET
from exchange.gateway_documents import parse_gateways
from presence import profile_documents
from presence.calendar import BusyType
from presence.errors import ConfigurationError
from presence.mapping import DEFAULT_ORDER, Kind, PrivateEntries
from presence.presences import Activity, Availability
from presence.profiles import BUILT_IN, DEFAULT
from presence.rights import LEAST, needs_beyond
from tests.support.markdown import blocks, rows
from tests.support.schemas import DOCS, complaints, schema

GATEWAYS = "schemas/gateways.json"
TEXT = (DOCS / "profiles.md").read_text(encoding="utf-8")


def heading(header: str) -> list[str]:
    return [cell.strip() for cell in TEXT.partition(f"\n| {header} |")[2].partition("\n")[0].strip("|").split("|")]


def test_the_table_of_the_built_in_profiles_is_the_data() -> None:
    profiles = [BUILT_IN.named(name) for name in heading("kind")]
    assert [profile.name for profile in profiles] == list(BUILT_IN.by_name)
    expected = []
    for kind in DEFAULT_ORDER:
        shown = [WHAT_WAS_SET if kind is Kind.BY_HAND else profile.presences.get(kind, NOTHING) for profile in profiles]
        expected.append([f"`{kind}`", *map(str, shown)])
        if kind is Kind.BUSY:
            meetings = [str(profile.meeting or profile.presences[kind]) for profile in profiles]
            expected.append(["`busy`, known to be a meeting", *meetings])
    assert rows(TEXT, "kind") == expected
    assert all(profile.order == DEFAULT_ORDER for profile in profiles)


@pytest.mark.parametrize(
    ("header", "definition"),
    [("key of `[[profiles]]`", "profile"), ("key of `[[profile_assignments]]`", "profile_assignment")],
)
def test_every_key_is_explained_and_no_other(header: str, definition: str) -> None:
    assert [row[0].strip("`") for row in rows(TEXT, header)] == list(
        schema(GATEWAYS)["$defs"][definition]["properties"]
    )


def test_what_counts_without_a_key_is_so() -> None:
    told = {row[0].strip("`"): row[2].strip("`") for row in rows(TEXT, "key of `[[profiles]]`")}
    assert told["based_on"] == DEFAULT.name
    assert told["meeting"] == str(DEFAULT.meeting)
    assert told["all_day_busy"] == str(DEFAULT.all_day_busy).lower()
    assert told["private"] == DEFAULT.private
    assert told["replies_switched_on"] == ("claim" if DEFAULT.replies_switched_on_claim else "note")
    for key in ("minimum_length", "close_gaps", "longest_by_hand"):
        assert int(told[f"{key}_minutes"]) * 60 == getattr(DEFAULT, key).total_seconds()


def test_the_bounds_of_minutes_are_the_same_in_the_document_the_schema_and_the_code() -> None:
    bounds = {
        "minimum_length_minutes": (0, profile_documents.LONGEST_MINIMUM),
        "close_gaps_minutes": (0, profile_documents.LONGEST_GAP),
        "longest_by_hand_minutes": (1, profile_documents.LONGEST_BY_HAND),
    }
    described = schema(GATEWAYS)["$defs"]["profile"]["properties"]
    told = {row[0].strip("`"): row[1] for row in rows(TEXT, "key of `[[profiles]]`")}
    for key, (least, most) in bounds.items():
        assert (described[key]["minimum"], described[key]["maximum"]) == (least, most)
        assert f"({least} to {most})" in told[key]
    assert schema(GATEWAYS)["properties"]["profiles"]["maxItems"] == profile_documents.MOST_PROFILES


def test_the_schema_knows_the_words_that_the_code_knows() -> None:
    definitions = schema(GATEWAYS)["$defs"]
    assert definitions["kind"]["enum"] == list(Kind)
    assert definitions["profile"]["properties"]["private"]["enum"] == list(PrivateEntries)
    kinds = definitions["profile"]["properties"]["presences"]["properties"]
    assert list(kinds) == [kind for kind in DEFAULT_ORDER if kind is not Kind.BY_HAND]


def presences() -> list[str]:
    pairs = [f"{availability} / {activity}" for availability in Availability for activity in Activity]
    return [*Availability, *Activity, *pairs, "none", "None", "busy", " Busy/InAMeeting ", "Busy Busy", "/", ""]


@pytest.mark.parametrize("key", ["busy", "tentative"])
def test_the_schema_takes_the_presences_that_the_code_takes_and_no_others(key: str) -> None:
    for text in presences():
        document = gateways(profiles=[{"name": "own", "presences": {key: text}}])
        assert bool(complaints(GATEWAYS, document)) is is_refused(document), text


def gateways(**keys: Any) -> dict[str, Any]:
    document = tomllib.loads(blocks(TEXT, "toml")[0])
    return {"schema_version": 1, "gateways": document["gateways"], **keys}


def is_refused(document: dict[str, Any]) -> bool:
    try:
        parse_gateways(document)
    except ConfigurationError:
        return True
    return False


def test_the_sample_is_taken_as_it_stands() -> None:
    document = tomllib.loads(blocks(TEXT, "toml")[0])
    assert complaints(GATEWAYS, document) == []
    profiles = parse_gateways(document).profiles
    assert [name for name in profiles.by_name if name not in BUILT_IN.by_name] == ["reception", "board"]
    assert profiles.profile_for("front.desk@example.com").profile.name == "reception"
    assert profiles.profile_for("front.desk@example.com", None, ["board of directors"]).profile.name == "reception"
    assert profiles.profile_for("x@example.com", None, ["board of directors"]).profile.name == "board"
    assert profiles.profile_for("x@example.org").profile.name == "cisco-15"
    assert profiles.profile_for("x@example.com").profile.name == "default"
    written = {key for profile in document["profiles"] for key in profile}
    assert written == set(schema(GATEWAYS)["$defs"]["profile"]["properties"]), "the sample shows every key"


def test_the_refusal_shown_is_what_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gateways.toml"
    last_key = 'replies_switched_on = "claim"\n'
    mistaken = blocks(TEXT, "toml")[0].replace(last_key, f'{last_key}\n[profiles.presences]\nbussy = "Busy"\n')
    path.write_text(mistaken, encoding="utf-8")
    assert main(["profile", "validate", str(path)]) == 2
    assert [f"presence: {block}" for block in blocks(TEXT, "text")] == [capsys.readouterr().err]


def test_the_sample_of_a_calendar_is_taken_as_it_stands_in_toml_and_in_json() -> None:
    document = tomllib.loads(blocks(TEXT, "toml")[1])
    calendar = parse_calendar(document)
    assert [entry.busy_type for entry in calendar.entries] == [
        BusyType.BUSY,
        BusyType.TENTATIVE,
        BusyType.OUT_OF_OFFICE,
    ]
    assert calendar.replies.scheduled
    assert parse_calendar(json.loads(json.dumps(document, default=lambda value: value.isoformat()))) == calendar
    keys = [row[0].strip("`") for row in rows(TEXT, "key")]
    assert sorted(keys) == sorted(document)
    statuses = rows(TEXT, "key")[-1][1]
    assert all(status in statuses for status in BusyType)
    assert f"{LONGEST.days} days" in TEXT


def test_the_table_of_rights_names_every_rule_that_needs_more() -> None:
    own = [{"name": "own", "all_day_busy": False, "private": "plain"}, {"name": "other", "private": "ignored"}]
    profiles = parse_gateways(gateways(profiles=own)).profiles
    needs = [need for name in ("own", "other") for need in needs_beyond(profiles.named(name), LEAST)]
    assert len(rows(TEXT, "rule")) == len({need.rule for need in needs})
    assert sorted(row[1] for row in rows(TEXT, "rule")) == sorted(
        need.right for need in {need.rule: need for need in needs}.values()
    )


def test_every_command_shown_is_one_that_the_command_line_takes() -> None:
    shown = [shlex.split(line) for block in blocks(TEXT, "sh") for line in block.splitlines()]
    assert {words[2] for words in shown} == {"explain", "validate", "try"}
    for words in shown:
        assert words[:2] == ["presence", "profile"]
        parser().parse_args(words[1:])


Change = Callable[[dict[str, Any]], object]

REFUSED: dict[str, Change] = {
    "profiles that are a table": lambda document: document.update(profiles={"name": "own"}),
    "101 profiles": lambda document: document.update(profiles=[{"name": f"p{n}"} for n in range(101)]),
    "a profile without a name": lambda document: document["profiles"][0].pop("name"),
    "a name with a slash": lambda document: document["profiles"][0].update(name="a/b"),
    "the name of a built-in profile": lambda document: document["profiles"][0].update(name=" LYNC"),
    "an unknown key of a profile": lambda document: document["profiles"][0].update(colour="blue"),
    "an empty base": lambda document: document["profiles"][0].update(based_on=" "),
    "an unknown kind": lambda document: document["profiles"][0].update(presences={"free": "Busy"}),
    "a presence by hand": lambda document: document["profiles"][0].update(presences={"by-hand": "Busy"}),
    "a meeting that shows nobody busy": lambda document: document["profiles"][0].update(meeting="Available"),
    "an order of two": lambda document: document["profiles"][0].update(order=["busy", "by-hand"]),
    "an order that names one twice": lambda document: document["profiles"][0].update(order=["busy", *list(Kind)[1:]]),
    "an order with an unknown kind": lambda document: document["profiles"][0].update(order=["free", *list(Kind)[1:]]),
    "a flag in words": lambda document: document["profiles"][0].update(all_day_busy="no"),
    "an unknown way with private entries": lambda document: document["profiles"][0].update(private="hidden"),
    "negative minutes": lambda document: document["profiles"][0].update(minimum_length_minutes=-1),
    "half a minute": lambda document: document["profiles"][0].update(close_gaps_minutes=0.5),
    "too many minutes": lambda document: document["profiles"][0].update(close_gaps_minutes=241),
    "no time by hand": lambda document: document["profiles"][0].update(longest_by_hand_minutes=0),
    "replies that shout": lambda document: document["profiles"][0].update(replies_switched_on="shout"),
    "an assignment without a profile": lambda document: document["profile_assignments"][0].pop("profile"),
    "an assignment to nobody": lambda document: document["profile_assignments"][0].update(groups=[]),
    "an unknown key of an assignment": lambda document: document["profile_assignments"][0].update(group="a"),
    "groups in one text": lambda document: document["profile_assignments"][0].update(groups="a"),
    "an empty user": lambda document: document["profile_assignments"][0].update(users=[""]),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_what_the_schema_refuses_is_refused(change: Change) -> None:
    document = tomllib.loads(blocks(TEXT, "toml")[0])
    change(document)
    assert complaints(GATEWAYS, document)
    assert is_refused(document)
