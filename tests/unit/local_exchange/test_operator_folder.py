from __future__ import annotations

import json
import threading
import tomllib
from typing import TYPE_CHECKING

import pytest

from local.exchange.__main__ import main
from local.exchange.operator_folder import to_toml, write_operator_folder

if TYPE_CHECKING:
    from pathlib import Path

    from local.exchange.server import SimulatedExchange


def test_the_folder_holds_the_same_document_with_the_ca_in_a_file(running: SimulatedExchange, tmp_path: Path) -> None:
    document = tomllib.loads(write_operator_folder(tmp_path, running).read_text())
    expected = running.gateways_document()
    for gateway in expected["gateways"]:
        assert gateway.pop("ca") == (tmp_path / "ca.pem").read_text()
        gateway["ca_file"] = "ca.pem"
    assert document == expected


def test_secrets_can_be_read_by_their_owner_only_and_are_in_no_other_file(
    running: SimulatedExchange, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir(mode=0o755)
    left_open = tmp_path / "secrets" / "exchange-reader.json"
    left_open.touch(mode=0o644)
    write_operator_folder(tmp_path, running)
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    for reference, secret in running.secrets().items():
        path = tmp_path / "secrets" / f"{reference}.json"
        assert json.loads(path.read_text()) == secret
        assert path.stat().st_mode & 0o077 == 0
        assert secret["password"] not in (tmp_path / "gateways.toml").read_text()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"a": 'quote " and \\ and é and 能', "b": [1, 2], "c": True, "d": []},
        {"t": {"x:1": "y", "u": {"v": 1}}, "last": 1},
        {"list": [{"a": 1, "inner": {"b": 2}}, {"a": 3, "more": [{"c": 4}, {"c": 5}]}]},
    ],
)
def test_what_is_written_as_toml_reads_back_the_same(document: dict[str, object]) -> None:
    assert tomllib.loads(to_toml(document)) == document


def test_standing_alone_it_writes_the_folder_and_names_everybody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = threading.Event()
    stop.set()
    assert main([str(tmp_path / "new")], stop) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "new" / "gateways.toml").is_file()
    for line in ("alice@example.com", "no such mailbox", "the reading account has no access"):
        assert line in printed
    secrets = [json.loads(path.read_text())["password"] for path in (tmp_path / "new" / "secrets").iterdir()]
    assert len(secrets) == 3
    assert not any(secret in printed for secret in secrets)
