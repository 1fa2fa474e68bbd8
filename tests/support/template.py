"""The real template.yaml as plain data, so that tests take names, keys and variables from where they are deployed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.virtual.template import read_template

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"


def template() -> Mapping[str, Any]:
    """Return the template."""
    return read_template(TEMPLATE.read_text(encoding="utf-8"))


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
