"""Puts together what the template's CodeUri and ContentUri name, the way `sam build` and `sam deploy` do on AWS.

Nothing here says how the parts are wired: that stands in template.yaml alone. The packages of the layers were
installed beforehand by `make layers` for the engine's Python, from the same hashes as on AWS.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from local.stack.errors import PackagingError

CHECKOUT: Final = Path(__file__).resolve().parents[2]

_URI: Final = re.compile(r"^(?P<before>\s*(?:CodeUri|ContentUri):\s*)(?P<folder>[\w./-]+?)/?\s*$", re.MULTILINE)
_ANY_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the same content gives the same archive, and so no update


def package_template(template: str, upload: Callable[[str, bytes], str]) -> str:
    """Return the template with each local folder uploaded and replaced by where it lies; all else as it was.

    `upload` takes a key and an archive and returns its s3:// address. Raises `PackagingError` if a folder that the
    template names does not exist, or a layer's packages are not installed.
    """

    def replace(match: re.Match[str]) -> str:
        archive = _archive(match["folder"])
        key = f"{match['folder'].replace('/', '-')}-{hashlib.sha256(archive).hexdigest()[:16]}.zip"
        return match["before"] + upload(key, archive)

    return _URI.sub(replace, template)


def _archive(folder: str) -> bytes:
    source = CHECKOUT / folder
    if not source.is_dir():
        raise PackagingError(f"template.yaml names the folder {folder}, which does not exist.")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        if (source / "requirements.txt").exists():
            packages = CHECKOUT / "build" / folder / "python"
            if not packages.is_dir():
                raise PackagingError(f"The packages of {folder} are not installed. Install them with: make layers")
            _add(archive, packages, "python")
            _add(archive, source / source.name, f"python/{source.name}")
        else:
            _add(archive, source, "")
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, folder: Path, prefix: str) -> None:
    own_bytecode = folder.is_relative_to(CHECKOUT / "build")
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or (path.suffix == ".pyc" and not own_bytecode):
            continue
        name = str(Path(prefix) / path.relative_to(folder))
        archive.writestr(zipfile.ZipInfo(name, _ANY_TIME), path.read_bytes())
