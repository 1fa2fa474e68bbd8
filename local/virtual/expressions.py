"""DynamoDB's expressions, as far as the functions use them: conditions, key conditions and updates.

Source: Amazon DynamoDB developer guide, "Condition and filter expressions" and "Update expressions". What is not known
here is refused with `UnsupportedExpressionError`, so that nothing is answered wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any

Attribute = Mapping[str, Any]
"""A value in DynamoDB's typed form, for example `{"S": "text"}`."""
Item = Mapping[str, Attribute]
Condition = Callable[[Item, Mapping[str, Attribute]], bool]
Operand = Callable[[Item, Mapping[str, Attribute]], Attribute | None]
Change = Callable[[dict[str, Attribute], Item, Mapping[str, Attribute]], None]

_TOKEN = re.compile(r"\s*(<>|<=|>=|[-+=<>(),]|[A-Za-z_#:][A-Za-z0-9_]*)")
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: bool(one == other),
    "<>": lambda one, other: bool(one != other),
    "<": lambda one, other: bool(one < other),
    "<=": lambda one, other: bool(one <= other),
    ">": lambda one, other: bool(one > other),
    ">=": lambda one, other: bool(one >= other),
}


class UnsupportedExpressionError(Exception):
    """The expression has a form that is not known here; the text says which."""


def condition_of(expression: str, names: Mapping[str, str]) -> Condition:
    """Return the condition that an expression states; `names` are its ExpressionAttributeNames."""
    return _condition(expression, tuple(sorted(names.items())))


def update_of(expression: str, names: Mapping[str, str]) -> Callable[[Item, Mapping[str, Attribute]], dict[str, Any]]:
    """Return the function that applies an UpdateExpression: of the item as it is and the values, the item after it."""
    changes = _changes(expression, tuple(sorted(names.items())))

    def update(item: Item, values: Mapping[str, Attribute]) -> dict[str, Any]:
        after: dict[str, Any] = dict(item)
        for change in changes:
            change(after, item, values)
        return after

    return update


def comparable(attribute: Attribute) -> Any:
    """Return what a typed value is compared by: numbers by their value, all else as it stands."""
    ((kind, value),) = attribute.items()
    return Decimal(value) if kind == "N" else value


@cache
def _condition(expression: str, names: tuple[tuple[str, str], ...]) -> Condition:
    parser = _Parser(expression, dict(names))
    found = parser.any_of()
    parser.end()
    return found


@cache
def _changes(expression: str, names: tuple[tuple[str, str], ...]) -> Sequence[Change]:
    parser = _Parser(expression, dict(names))
    changes: list[Change] = []
    while parser.more():
        clause = parser.take().upper()
        if clause not in {"SET", "REMOVE"}:
            raise UnsupportedExpressionError(f"{clause} in {expression!r}")
        changes.append(parser.assignment() if clause == "SET" else parser.removal())
        while parser.accept(","):
            changes.append(parser.assignment() if clause == "SET" else parser.removal())
    return changes


class _Parser:
    """Reads one expression from left to right; each method takes one form off its front."""

    def __init__(self, expression: str, names: Mapping[str, str]) -> None:
        self._expression = expression
        self._names = names
        self._tokens: list[str] = []
        position = 0
        text = expression.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise UnsupportedExpressionError(f"{text[position:]!r} in {expression!r}")
            self._tokens.append(match[1])
            position = match.end()
        self._tokens.reverse()

    def more(self) -> bool:
        return bool(self._tokens)

    def take(self) -> str:
        if not self._tokens:
            raise UnsupportedExpressionError(f"{self._expression!r} ends too early")
        return self._tokens.pop()

    def accept(self, token: str) -> bool:
        if self._tokens and self._tokens[-1].upper() == token:
            self._tokens.pop()
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise UnsupportedExpressionError(f"{token!r} was expected in {self._expression!r}")

    def end(self) -> None:
        if self._tokens:
            raise UnsupportedExpressionError(f"{self._tokens[-1]!r} in {self._expression!r}")

    def any_of(self) -> Condition:
        parts = [self.all_of()]
        while self.accept("OR"):
            parts.append(self.all_of())
        return parts[0] if len(parts) == 1 else lambda item, values: any(part(item, values) for part in parts)

    def all_of(self) -> Condition:
        parts = [self.single()]
        while self.accept("AND"):
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else lambda item, values: all(part(item, values) for part in parts)

    def single(self) -> Condition:
        if self.accept("NOT"):
            negated = self.single()
            return lambda item, values: not negated(item, values)
        if self.accept("("):
            inner = self.any_of()
            self.expect(")")
            return inner
        if self._tokens and self._tokens[-1] in {"attribute_exists", "attribute_not_exists", "begins_with"}:
            return self.function()
        return self.comparison()

    def function(self) -> Condition:
        function = self.take()
        self.expect("(")
        name = self.name()
        if function == "begins_with":
            self.expect(",")
            prefix = self.operand()
            self.expect(")")
            return lambda item, values: (
                name in item and str(comparable(item[name])).startswith(str(comparable(prefix(item, values) or {})))
            )
        self.expect(")")
        wanted = function == "attribute_exists"
        return lambda item, _: (name in item) == wanted

    def comparison(self) -> Condition:
        left = self.operand()
        if self.accept("BETWEEN"):
            low = self.operand()
            self.expect("AND")
            high = self.operand()
            at_least, at_most = _COMPARISONS[">="], _COMPARISONS["<="]
            return lambda item, values: (
                _holds(at_least, left(item, values), low(item, values))
                and _holds(at_most, left(item, values), high(item, values))
            )
        sign = self.take()
        if sign not in _COMPARISONS:
            raise UnsupportedExpressionError(f"{sign!r} in {self._expression!r}")
        right, compare = self.operand(), _COMPARISONS[sign]
        return lambda item, values: _holds(compare, left(item, values), right(item, values))

    def operand(self) -> Operand:
        if self._tokens and self._tokens[-1].startswith(":"):
            value = self.take()
            return lambda _, values: values[value]
        name = self.name()
        return lambda item, _: item.get(name)

    def name(self) -> str:
        token = self.take()
        if not re.fullmatch(r"#?[A-Za-z_]\w*", token):
            raise UnsupportedExpressionError(f"{token!r} in {self._expression!r}")
        return self._names[token] if token.startswith("#") else token

    def assignment(self) -> Change:
        name = self.name()
        self.expect("=")
        value = self.assigned()
        if self._tokens and self._tokens[-1] in {"+", "-"}:
            factor = 1 if self.take() == "+" else -1
            added = self.assigned()

            def add(after: dict[str, Attribute], item: Item, values: Mapping[str, Attribute]) -> None:
                one, other = value(item, values), added(item, values)
                if one is None or other is None:
                    raise UnsupportedExpressionError(f"{self._expression!r} adds to what is not there")
                after[name] = {"N": str(Decimal(one["N"]) + factor * Decimal(other["N"]))}

            return add

        def assign(after: dict[str, Attribute], item: Item, values: Mapping[str, Attribute]) -> None:
            given = value(item, values)
            if given is None:
                raise UnsupportedExpressionError(f"{self._expression!r} assigns what is not there")
            after[name] = given

        return assign

    def assigned(self) -> Operand:
        if not self.accept("IF_NOT_EXISTS"):
            return self.operand()
        self.expect("(")
        name = self.name()
        self.expect(",")
        otherwise = self.operand()
        self.expect(")")
        return lambda item, values: item[name] if name in item else otherwise(item, values)

    def removal(self) -> Change:
        name = self.name()

        def remove(after: dict[str, Attribute], _item: Item, _values: Mapping[str, Attribute]) -> None:
            after.pop(name, None)

        return remove


def _holds(compare: Callable[[Any, Any], bool], one: Attribute | None, other: Attribute | None) -> bool:
    """Compare two typed values; what is absent, or of another type, fulfils no comparison but "is not"."""
    if one is None or other is None or one.keys() != other.keys():
        return one is not None and other is not None and compare is _COMPARISONS["<>"]
    return compare(comparable(one), comparable(other))
