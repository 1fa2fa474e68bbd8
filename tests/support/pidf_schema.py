"""The schemas of PIDF and its extensions, ready to validate with. They are ours, after the text of the RFCs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import xmlschema

SCHEMAS = Path(__file__).with_name("pidf")


@cache
def _schema() -> xmlschema.XMLSchema:
    """Return the schema of a document. Elements of extensions are open there, and judged since theirs is known too."""
    schema = xmlschema.XMLSchema(SCHEMAS / "pidf.xsd", allow="local")
    schema.add_schema(str(SCHEMAS / "data-model.xsd"), build=True)
    return schema


def complaints(document: str) -> list[str]:
    """Return what the schemas have against a document."""
    root = ET.fromstring(document.encode())  # noqa: S314  written by the code under test
    return [f"{error.path}: {error.reason}" for error in _schema().iter_errors(root)]
