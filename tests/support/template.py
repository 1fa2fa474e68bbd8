"""The real template.yaml as plain data, so that tests take names, keys and variables from where they are deployed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Ref X`) as their long ones (`{"Ref": "X"}`)."""


def _long_form(loader: _TemplateLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        value = loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


_TemplateLoader.add_multi_constructor("!", _long_form)


@cache
def template() -> Mapping[str, Any]:
    """Return the template."""
    document: Mapping[str, Any] = yaml.load(TEMPLATE.read_text(encoding="utf-8"), Loader=_TemplateLoader)  # noqa: S506  a SafeLoader with tags
    return document


def resources(kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the logical ids and properties of the resources of a type."""
    for name, resource in template()["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def function_variables(folder: str) -> set[str]:
    """Return the names of the variables that the function of a folder is deployed with, those of all included."""
    of_all = set(template()["Globals"]["Function"]["Environment"]["Variables"])
    for _, properties in resources("AWS::Serverless::Function"):
        if properties["CodeUri"].rstrip("/") == f"functions/{folder}":
            return of_all | set(properties.get("Environment", {}).get("Variables", {}))
    raise LookupError(folder)
