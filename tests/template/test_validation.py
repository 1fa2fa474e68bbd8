"""The template is valid in three ways: as SAM, for the transformation, and as CloudFormation after it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.template import TEMPLATE

REGION = "eu-central-1"
SAM = TEMPLATE.parent / "build" / "sam" / "bin"


def _run(tmp_path: Path, *command: str) -> subprocess.CompletedProcess[str]:
    if not SAM.is_dir():
        pytest.fail("The SAM CLI is not installed. Install it with: make sam")
    variables = {
        "PATH": f"{SAM}{os.pathsep}{os.defpath}",
        "HOME": str(tmp_path),  # where the SAM CLI notes that it ran; also, no AWS settings of the host
        "SAM_CLI_TELEMETRY": "0",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    return subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603  our own tools


def test_the_sam_cli_finds_nothing_wrong(tmp_path: Path) -> None:
    done = _run(tmp_path, "sam", "validate", "--lint", "--region", REGION, "--template", str(TEMPLATE))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_template_can_be_transformed(transformed_template: Mapping[str, Any]) -> None:
    assert not [
        name
        for name, resource in transformed_template["Resources"].items()
        if resource["Type"].startswith("AWS::Serverless::")
    ]
    assert len(transformed_template["Resources"]) > 40


def test_cloudformation_lint_finds_nothing_wrong_after_the_transformation(
    tmp_path: Path, transformed_template: Mapping[str, Any]
) -> None:
    path = tmp_path / "transformed.json"
    path.write_text(json.dumps(transformed_template), encoding="utf-8")
    done = _run(tmp_path, "cfn-lint", "--regions", REGION, "--template", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_cloudformation_lint_notices_a_mistake(tmp_path: Path, transformed: dict[str, Any]) -> None:
    transformed["Resources"]["CheckQueue"]["Properties"]["VisibilityTimeout"] = "soon"
    path = tmp_path / "transformed.json"
    path.write_text(json.dumps(transformed), encoding="utf-8")
    assert _run(tmp_path, "cfn-lint", "--regions", REGION, "--template", str(path)).returncode != 0
