"""DynamoDB's expressions in virtual time: what they mean, and that unknown forms are refused."""

from __future__ import annotations

from typing import Any

import pytest

from local.virtual.expressions import UnsupportedExpressionError, condition_of, update_of

ITEM: dict[str, dict[str, Any]] = {"name": {"S": "alice"}, "size": {"N": "10"}, "open": {"BOOL": True}}
VALUES = {":alice": {"S": "alice"}, ":al": {"S": "al"}, ":nine": {"N": "9"}, ":ten": {"N": "10.0"}, ":text": {"S": "9"}}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("attribute_exists(name)", True),
        ("attribute_not_exists(name)", False),
        ("attribute_not_exists(other)", True),
        ("name = :alice", True),
        ("#n = :alice", True),
        ("name <> :alice", False),
        ("size > :nine", True),
        ("size <= :nine", False),
        ("size = :ten", True),
        ("size > :text", False),
        ("size <> :text", True),
        ("other = :alice", False),
        ("size BETWEEN :nine AND :ten", True),
        ("begins_with(name, :al)", True),
        ("begins_with(other, :al)", False),
        ("NOT name = :alice", False),
        ("name = :alice AND size < :nine", False),
        ("name = :alice OR size < :nine", True),
        ("attribute_not_exists(other) AND (size < :nine OR name = :alice)", True),
        ("size < :nine OR size > :nine AND name = :alice", True),
    ],
)
def test_conditions(expression: str, holds: bool) -> None:
    assert condition_of(expression, {"#n": "name"})(ITEM, VALUES) is holds


@pytest.mark.parametrize(
    ("expression", "changes"),
    [
        ("SET size = :nine", {"size": {"N": "9"}}),
        ("SET other = :alice, size = :nine REMOVE name", {"other": {"S": "alice"}, "size": {"N": "9"}, "name": None}),
        ("REMOVE name, other", {"name": None}),
        ("SET size = size + :nine", {"size": {"N": "19"}}),
        ("SET size = size - :nine", {"size": {"N": "1"}}),
        ("SET size = if_not_exists(size, :nine)", {}),
        ("SET other = if_not_exists(other, :nine)", {"other": {"N": "9"}}),
        ("set #n = :al", {"name": {"S": "al"}}),
    ],
)
def test_updates(expression: str, changes: dict[str, Any]) -> None:
    before = dict(ITEM)
    after = update_of(expression, {"#n": "name"})(before, VALUES)
    assert after == {name: value for name, value in {**ITEM, **changes}.items() if value is not None}
    assert before == ITEM, "an item is never changed in its place"


@pytest.mark.parametrize(
    "expression", ["size(name) > :nine", "contains(name, :al)", "name = ", "a.b = :al", "name = :al x"]
)
def test_a_condition_of_an_unknown_form_is_refused(expression: str) -> None:
    with pytest.raises(UnsupportedExpressionError):
        condition_of(expression, {})


@pytest.mark.parametrize("expression", ["ADD size :nine", "SET name :al", "DELETE name :al"])
def test_an_update_of_an_unknown_form_is_refused(expression: str) -> None:
    with pytest.raises(UnsupportedExpressionError):
        update_of(expression, {})
