"""The files with which an operator would point the command line at the simulated organisation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.exchange.server import SimulatedExchange

GATEWAYS_FILE = "gateways.toml"
CA_FILE = "ca.pem"
SECRETS_FOLDER = "secrets"
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def write_operator_folder(folder: Path, exchange: SimulatedExchange) -> Path:
    """Write the gateways document, the CA and the secrets of a running organisation; return the document's path.

    Files of an earlier run are replaced, others are left alone. Secrets can be read by their owner only.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CA_FILE).write_text(exchange.ca_pem)
    secrets = folder / SECRETS_FOLDER
    secrets.mkdir(exist_ok=True)
    secrets.chmod(PRIVATE_FOLDER)
    for reference, secret in exchange.secrets().items():
        path = secrets / f"{reference}.json"
        path.unlink(missing_ok=True)
        path.touch(mode=PRIVATE_FILE)
        path.write_text(json.dumps(secret) + "\n")
    document = exchange.gateways_document()
    document["gateways"] = [_with_ca_file(gateway) for gateway in document["gateways"]]
    gateways = folder / GATEWAYS_FILE
    gateways.write_text(to_toml(document))
    return gateways


def _with_ca_file(gateway: Mapping[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in gateway.items() if key != "ca"}, "ca_file": CA_FILE}


def to_toml(document: Mapping[str, Any]) -> str:
    """Return a document of plain values, tables and lists of tables as TOML."""
    return "\n".join(_table((), document)).lstrip("\n") + "\n"


def _table(path: tuple[str, ...], table: Mapping[str, Any]) -> list[str]:
    # Plain values first: after the header of a table inside, they would belong to that one.
    lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if not _is_table(value)]
    for key, value in table.items():
        inner = (*path, key)
        name = ".".join(_key(part) for part in inner)
        if isinstance(value, Mapping):
            lines += ["", f"[{name}]", *_table(inner, value)]
        elif _is_table(value):
            for each in value:
                lines += ["", f"[[{name}]]", *_table(inner, each)]
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and isinstance(value[0], Mapping))


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: Any) -> str:
    # Strings, numbers, booleans and lists of them are written alike in JSON and in TOML.
    return json.dumps(value, ensure_ascii=False)
