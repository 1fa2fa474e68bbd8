"""Reads template.yaml as far as a cloud in virtual time needs it: functions, tables, queues, and what calls whom.

Every resource has its logical id as its name, URL or ARN.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

STACK_NAME = "day"

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "Fn::Equals": lambda one, other: str(one) == str(other),
    "Fn::Not": lambda condition: not condition,
    "Fn::Join": lambda between, parts: between.join(parts),
}


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its folder, its variables, and what calls it, by the name of the event."""

    folder: Path
    variables: Mapping[str, str]
    events: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        """The folder's name, which is the function's."""
        return self.folder.name

    def sources(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """Yield the properties of the function's events of a type."""
        for event in self.events.values():
            if event["Type"] == kind:
                yield event.get("Properties", {})


class Template:
    """The template of a checkout with values for its parameters; those not given have their defaults."""

    def __init__(self, checkout: Path, parameters: Mapping[str, str]) -> None:
        self._checkout = checkout
        self._document = read_template((checkout / "template.yaml").read_text(encoding="utf-8"))
        declared = self._document["Parameters"]
        if unknown := set(parameters) - set(declared):
            raise ValueError(f"template.yaml has no parameter {', '.join(sorted(unknown))}")
        self._values = {name: str(parameters.get(name, each.get("Default", ""))) for name, each in declared.items()}
        self._values |= {"AWS::StackName": STACK_NAME, "AWS::NoValue": ""}

    def resources(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the logical ids of the resources of a type, and their properties with all references resolved."""
        for name, resource in self._document["Resources"].items():
            if resource["Type"] == kind and self._holds(resource.get("Condition")):
                yield name, self._resolved(resource.get("Properties", {}))

    def functions(self) -> Iterator[Function]:
        """Yield the functions."""
        everywhere = self._resolved(self._document["Globals"]["Function"]["Environment"]["Variables"])
        for _, properties in self.resources("AWS::Serverless::Function"):
            own = properties.get("Environment", {}).get("Variables", {})
            yield Function(
                folder=(self._checkout / properties["CodeUri"]).resolve(),
                variables={name: str(value) for name, value in {**everywhere, **own}.items()},
                events=properties.get("Events", {}),
            )

    def output(self, name: str) -> str:
        """Return the value of an output."""
        return str(self._resolved(self._document["Outputs"][name]["Value"]))

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self._resolved(self._document["Conditions"][condition]))

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._resolved(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._values.get(argument, argument)
            if name == "Fn::GetAtt":
                return argument.split(".")[0]
            if name == "Fn::Sub":
                return re.sub(r"\$\{([\w:.]+)\}", lambda found: self._values.get(found[1], found[1]), argument)
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](*self._resolved(argument))
            if name == "Fn::FindInMap":
                mapping, first, second = self._resolved(argument)
                return self._document["Mappings"][mapping][str(first)][second]
            if name == "Fn::If":
                condition, then, otherwise = argument
                return self._resolved(then if self._holds(condition) else otherwise)
        return {name: self._resolved(each) for name, each in value.items()}


def declared_parameters(checkout: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return what template.yaml of a checkout declares of each parameter: its type, default and bounds."""
    declared: Mapping[str, Mapping[str, Any]] = read_template((checkout / "template.yaml").read_text(encoding="utf-8"))[
        "Parameters"
    ]
    return declared


@cache
def read_template(text: str) -> Mapping[str, Any]:
    """Return a template as plain data, CloudFormation's short forms (`!Ref X`) as their long ones (`{"Ref": "X"}`)."""
    document: Mapping[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506  a SafeLoader with tags
    return document


def period_of(schedule: str) -> timedelta:
    """Return how often a schedule fires. Raises ValueError unless it is a rate."""
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule)
    if match is None:
        raise ValueError(f"{schedule!r} is no rate: no other schedule is known here")
    return timedelta(**{f"{match[2]}s": int(match[1])})


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's tags as well."""


def _long_form(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any = None
    if isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _long_form)
