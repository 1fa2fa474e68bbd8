"""The published JSON Schemas, ready to validate with."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

DOCS = Path(__file__).resolve().parents[2] / "docs"


def schema(path: str) -> dict[str, Any]:
    """Return a schema below docs/."""
    document: dict[str, Any] = json.loads((DOCS / path).read_text(encoding="utf-8"))
    return document


def validator(path: str) -> Draft202012Validator:
    """Return a validator of a schema below docs/."""
    return Draft202012Validator(schema(path))


def complaints(path: str, document: object) -> list[str]:
    """Return what a schema below docs/ has against a document."""
    return [f"{error.json_path}: {error.message}" for error in validator(path).iter_errors(document)]


def undescribed(described: dict[str, Any], value: object, path: str = "$") -> list[str]:
    """Return the paths of keys that a schema (given whole) does not describe, though it may tolerate them."""
    return _undescribed(described, described, value, path)


def _undescribed(root: dict[str, Any], part: dict[str, Any], value: object, path: str) -> list[str]:
    if "$ref" in part:
        part = root["$defs"][part["$ref"].removeprefix("#/$defs/")]
    found: list[str] = []
    if isinstance(value, dict):
        properties = part.get("properties", {})
        for key, inner in value.items():
            if key not in properties:
                found.append(f"{path}.{key}")
            else:
                found += _undescribed(root, properties[key], inner, f"{path}.{key}")
    elif isinstance(value, list) and "items" in part:
        for index, inner in enumerate(value):
            found += _undescribed(root, part["items"], inner, f"{path}[{index}]")
    return found


Change = Callable[[dict[str, Any]], object]
"""What makes a good document a bad one."""


def changed(document: dict[str, Any], change: Change) -> dict[str, Any]:
    """Return a copy of a document with one change."""
    document = copy.deepcopy(document)
    change(document)
    return document
