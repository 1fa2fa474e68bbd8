"""ConfigTable: the real adapter on the template's table and its double in memory keep the same promises."""

from __future__ import annotations

from typing import Any

import pytest

from presence.errors import ConfigurationError, MalformedMessage
from presence.tables.configuration import GATEWAYS, LARGEST_DOCUMENT, ConfigTable, Document
from presence.tables.items import to_attributes
from tests.support.aws import Account
from tests.support.memory import MemoryConfigTable
from tests.support.template import resources


@pytest.fixture(params=["real", "memory"])
def table(request: pytest.FixtureRequest) -> ConfigTable:
    return real(request.getfixturevalue("aws")) if request.param == "real" else MemoryConfigTable()


def real(aws: Account) -> ConfigTable:
    return ConfigTable(aws.dynamodb, aws.make_table("ConfigTable"))


def test_nobody_has_put_a_document_yet(table: ConfigTable) -> None:
    assert table.document(GATEWAYS) is None


def test_each_change_of_a_document_is_its_next_version(table: ConfigTable) -> None:
    first: dict[str, object] = {"schema_version": 1, "gateways": [{"name": "本社", "hosts": ["192.0.2.10:443"]}]}
    assert table.put_document(GATEWAYS, first) == Document(1, first)
    assert table.document(GATEWAYS) == Document(1, first)
    assert table.put_document(GATEWAYS, {"gateways": []}) == Document(2, {"gateways": []})
    assert table.document(GATEWAYS) == Document(2, {"gateways": []})


def test_documents_have_versions_of_their_own(table: ConfigTable) -> None:
    table.put_document(GATEWAYS, {"a": 1})
    table.put_document(GATEWAYS, {"a": 2})
    assert table.put_document("profiles", {"b": 1}) == Document(1, {"b": 1})
    assert table.document(GATEWAYS) == Document(2, {"a": 2})


def test_roles_may_read_documents_that_there_are_and_no_others() -> None:
    granted = {
        key
        for _, role in resources("AWS::IAM::Role")
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]
        for keys in statement.get("Condition", {}).values()
        for key in keys.get("dynamodb:LeadingKeys", [])
    }
    assert granted == {GATEWAYS, "state#*"}


@pytest.mark.parametrize("before", [0, 1, 3])
def test_of_two_who_put_a_document_at_once_the_second_is_told(
    table: ConfigTable, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    for number in range(before):
        table.put_document(GATEWAYS, {"before": number})
    read_first = "document" if isinstance(table, MemoryConfigTable) else "_item"
    read = getattr(table, read_first)

    def read_while_another_puts(name: str) -> Any:
        found = read(name)
        monkeypatch.setattr(table, read_first, read)
        table.put_document(name, {"of": "another"})
        return found

    monkeypatch.setattr(table, read_first, read_while_another_puts)
    with pytest.raises(ConfigurationError, match="gateways: somebody else"):
        table.put_document(GATEWAYS, {"of": "mine"})
    assert table.document(GATEWAYS) == Document(before + 1, {"of": "another"})


def test_the_largest_document_fits_and_one_byte_more_is_refused(table: ConfigTable) -> None:
    frame = len('{"ca":""}')
    largest = {"ca": "é" * ((LARGEST_DOCUMENT - frame) // 2) + "x" * ((LARGEST_DOCUMENT - frame) % 2)}
    assert table.put_document(GATEWAYS, largest).version == 1
    with pytest.raises(ConfigurationError, match=str(LARGEST_DOCUMENT + 1)):
        table.put_document(GATEWAYS, {"ca": largest["ca"] + "x"})
    assert table.document(GATEWAYS) == Document(1, largest)


def test_state_is_kept_by_name_and_replaced_whole(table: ConfigTable) -> None:
    assert table.state("checks") == {}
    table.put_state("checks", {"servedUntil": "2026-11-23T10:00:00Z", "other": "x"})
    table.put_state("transitions", {"queuedThrough": "2026-11-23T10:02:30Z"})
    table.put_state("checks", {"servedUntil": "2026-11-23T10:01:00Z"})
    assert table.state("checks") == {"servedUntil": "2026-11-23T10:01:00Z"}
    assert table.state("transitions") == {"queuedThrough": "2026-11-23T10:02:30Z"}


def test_state_and_document_of_one_name_do_not_touch_each_other(table: ConfigTable) -> None:
    table.put_document("checks", {"a": 1})
    table.put_state("checks", {"servedUntil": "x"})
    assert table.document("checks") == Document(1, {"a": 1})
    assert table.state("checks") == {"servedUntil": "x"}


def test_the_schedules_write_only_keys_that_their_policy_allows(aws: Account) -> None:
    """template.yaml lets them touch `state#*` and nothing else."""
    real(aws).put_state("checks", {"servedUntil": "x"})
    assert [item["name"] for item in aws.dynamodb.scan(TableName="ConfigTable")["Items"]] == [{"S": "state#checks"}]


@pytest.mark.parametrize(
    ("item", "named"),
    [
        ({"version": 1, "content": "{"}, "ConfigTable\\[gateways\\]: not JSON"),
        ({"version": 1, "content": "[]"}, "ConfigTable\\[gateways\\]"),
        ({"version": 1}, "ConfigTable\\[gateways\\].content"),
        ({"version": "one", "content": "{}"}, "ConfigTable\\[gateways\\].version"),
        ({"content": "{}"}, "ConfigTable\\[gateways\\].version"),
    ],
    ids=["no JSON", "no object", "no content", "a version that is a text", "no version"],
)
def test_a_document_that_can_not_be_read_is_named(aws: Account, item: dict[str, object], named: str) -> None:
    table = real(aws)
    aws.dynamodb.put_item(TableName="ConfigTable", Item=to_attributes({"name": GATEWAYS, **item}))
    with pytest.raises(MalformedMessage, match=named):
        table.document(GATEWAYS)
