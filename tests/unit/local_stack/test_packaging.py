"""The template is deployed as it is: only its folders become archives."""

from __future__ import annotations

import difflib
import io
import zipfile
from pathlib import Path

import pytest

from local.stack import packaging
from local.stack.errors import PackagingError
from local.stack.packaging import CHECKOUT, package_template


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with the real functions and layers, and one package installed for each layer."""
    for folder in ("functions", "layers"):
        (tmp_path / folder).symlink_to(CHECKOUT / folder)
    for layer in ("presence", "exchange"):
        package = tmp_path / "build" / "layers" / layer / "python" / "package"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(packaging, "CHECKOUT", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("installed")
def test_nothing_but_the_folders_is_replaced() -> None:
    archives: dict[str, bytes] = {}

    def upload(key: str, archive: bytes) -> str:
        archives[key] = archive
        return f"s3://bucket/{key}"

    template = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
    packaged = package_template(template, upload)
    changed = [line for line in difflib.ndiff(template.splitlines(), packaged.splitlines()) if line[0] in "+-"]
    folders = len(list((CHECKOUT / "functions").glob("*/handler.py"))) + len(
        list((CHECKOUT / "layers").glob("*/*.toml"))
    )
    assert len(archives) == folders
    assert len(changed) == 2 * folders
    assert all("Uri: " in line for line in changed)


@pytest.mark.usefixtures("installed")
def test_a_layer_holds_its_package_and_what_is_installed_for_it_and_a_function_its_handler() -> None:
    held: dict[str, set[str]] = {}

    def upload(key: str, archive: bytes) -> str:
        held[key.rsplit("-", 1)[0]] = set(zipfile.ZipFile(io.BytesIO(archive)).namelist())
        return "s3://bucket/key"

    package_template((CHECKOUT / "template.yaml").read_text(encoding="utf-8"), upload)
    assert {"python/package/__init__.py", "python/presence/py.typed"} <= held["layers-presence"]
    assert held["functions-check_calendars"] == {"handler.py"}
    assert not [name for names in held.values() for name in names if name.endswith(".pyc") or "requirements" in name]


@pytest.mark.usefixtures("installed")
def test_the_same_content_has_the_same_address() -> None:
    line = "      CodeUri: functions/check_calendars/\n"
    first, second = (package_template(line, lambda key, _archive: f"s3://bucket/{key}") for _ in range(2))
    assert first == second
    assert first.startswith("      CodeUri: s3://bucket/functions-check_calendars-")


def test_a_folder_that_is_missing_is_named() -> None:
    with pytest.raises(PackagingError, match="functions/nothing"):
        package_template("      CodeUri: functions/nothing/\n", lambda _key, _archive: "s3://b/k")


def test_packages_that_are_not_installed_are_named_with_what_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "layers").symlink_to(CHECKOUT / "layers")
    monkeypatch.setattr(packaging, "CHECKOUT", tmp_path)
    with pytest.raises(PackagingError, match=r"layers/presence are not installed.*make layers"):
        package_template("      ContentUri: layers/presence/\n", lambda _key, _archive: "s3://b/k")
