"""`presence run` before and beside its engine: mistakes start nothing, and what is changed is put in place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.main import main
from cli.run_inputs import Follower, Place, read_inputs
from presence.tables.configuration import GATEWAYS, ConfigTable
from presence.tables.users import UserTable
from tests.support.deployed import Deployed, deployed

DOCUMENT = """
schema_version = 1

[[gateways]]
name = "headquarters"
kind = "ews"
hosts = ["mail.example.com"]
domains = ["example.com"]
credentials = "reader"
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with a document, its secret, and a list of users."""
    (tmp_path / "gateways.toml").write_text(DOCUMENT, encoding="utf-8")
    _write_secret(tmp_path, "reader", "first")
    (tmp_path / "users.csv").write_text("address,groups\nalice@example.com,sales\n", encoding="utf-8")
    return tmp_path


def _write_secret(folder: Path, reference: str, password: str) -> None:
    (folder / "secrets").mkdir(exist_ok=True)
    path = folder / "secrets" / f"{reference}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"username": "EXAMPLE\\presence", "password": password}), encoding="utf-8")


def _remove_document(folder: Path) -> None:
    (folder / "gateways.toml").unlink()


def _break_document(folder: Path) -> None:
    (folder / "gateways.toml").write_text(DOCUMENT + "timeout = 3\n", encoding="utf-8")


def _remove_secret(folder: Path) -> None:
    (folder / "secrets" / "reader.json").unlink()


def _show_secret(folder: Path) -> None:
    (folder / "secrets" / "reader.json").chmod(0o640)


def _break_users(folder: Path) -> None:
    (folder / "users.csv").write_text("address\nalice\n", encoding="utf-8")


def _name_a_profile_that_is_not_there(folder: Path) -> None:
    (folder / "users.csv").write_text("address,profile\nalice@example.com,odd\n", encoding="utf-8")


def _put_other_things(folder: Path) -> None:
    (folder / "state").mkdir()
    (folder / "state" / "other").touch()


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (_remove_document, "gateways.toml"),
        (_break_document, "gateways[0].timeout"),
        (_remove_secret, "secret 'reader': "),
        (_show_secret, "may be read by others; chmod 600 it"),
        (_break_users, "users.csv, line 2: "),
        (_name_a_profile_that_is_not_there, "'odd'"),
        (_put_other_things, "holds other things"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_started(
    files: Path, break_it: Callable[[Path], None], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    break_it(files)
    before = sorted(files.rglob("*"))
    assert _run(files) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("presence: ")
    assert words in told.err
    assert told.err.count("\n") == 1
    assert sorted(files.rglob("*")) == before


def test_a_parameter_that_is_not_known_is_refused_before_anything_is_started(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(files, "--parameter", "Interval=1") == 2
    assert "--parameter: 'Interval' is not known" in capsys.readouterr().err
    assert not (files / "state").exists()


def _run(files: Path, *options: str) -> int:
    names = ["--config", str(files / "gateways.toml"), "--users", str(files / "users.csv")]
    return main(["run", *names, "--state", str(files / "state"), *options])


def test_what_differs_is_put_in_place_once_and_what_is_broken_is_refused_once(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with deployed(monkeypatch) as stack:
        place = Place(stack)
        given = (files / "gateways.toml", files / "secrets", files / "users.csv")
        inputs = read_inputs(*given)
        live = "is in place; it is live within a minute"
        first = place.put(inputs)
        assert first == [
            "secret reader is in place",
            f"version 1 of the gateways document {live}",
            "1 users added, 0 changed",
        ]
        follower = Follower(place, *given, inputs)
        assert follower.look() == []

        _break_document(files)
        (refused,) = follower.look()
        assert refused.startswith("refused: gateways[0].timeout: ")
        assert refused.endswith("; what was in place before stays")
        assert follower.look() == []
        assert _document(stack) == inputs.document

        (files / "gateways.toml").write_text(DOCUMENT.replace("reader", "other"), encoding="utf-8")
        (refused,) = follower.look()
        assert refused.startswith("refused: secret 'other': ")
        assert _document(stack) == inputs.document

        _write_secret(files, "other", "second")
        mended = follower.look()
        assert mended == [
            "the mistake is mended",
            "secret other is in place",
            f"version 2 of the gateways document {live}",
        ]
        assert _password(stack, "other") == "second"

        _write_secret(files, "other", "third")
        (files / "users.csv").write_text("address,groups\nalice@example.com,\nbob@example.com,\n", encoding="utf-8")
        assert follower.look() == ["secret other is in place", "1 users added, 1 changed"]
        assert _password(stack, "other") == "third"
        users = UserTable(stack.client("dynamodb"), stack.outputs["UserTableName"])
        assert {each.user.address: each.user.groups for each in users.every()} == {
            "alice@example.com": (),
            "bob@example.com": (),
        }
        # The next run finds all but the secrets, which no state keeps.
        before = _version(stack, "other")
        again = Place(stack).put(read_inputs(*given))
        assert again == ["secret other is in place"]
        assert _version(stack, "other") == before  # or rejected credentials would be tried anew by each run


def _document(stack: Deployed) -> object:
    stored = ConfigTable(stack.client("dynamodb"), stack.outputs["ConfigTableName"]).document(GATEWAYS)
    return None if stored is None else stored.content


def _password(stack: Deployed, reference: str) -> str:
    name = stack.outputs["SecretPrefix"] + reference
    secret = json.loads(stack.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    return str(secret["password"])


def _version(stack: Deployed, name: str) -> str:
    answer = stack.client("secretsmanager").get_secret_value(SecretId=stack.outputs["SecretPrefix"] + name)
    return str(answer["VersionId"])


def test_a_secret_for_kerberos_has_no_password(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = files / "secrets" / "reader.json"
    path.write_text(json.dumps({"username": "presence@EXAMPLE.COM"}), encoding="utf-8")
    with deployed(monkeypatch) as stack:
        Place(stack).put(read_inputs(files / "gateways.toml", files / "secrets", None))
        name = stack.outputs["SecretPrefix"] + "reader"
        stored = stack.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]
    assert json.loads(stored) == {"username": "presence@EXAMPLE.COM"}


def test_an_engine_that_is_not_installed_is_named_with_what_installs_it(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("local.stack.engine.CHECKOUT", files)
    assert _run(files) == 1
    assert "environment is missing" in (told := capsys.readouterr().err)
    assert told.endswith("Make it with: make engine\n")
