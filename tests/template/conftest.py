"""The template as SAM transforms it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

from tests.support.template import template


class _NoManagedPolicies(ManagedPolicyLoader):  # type: ignore[misc]
    """The template names none, so that AWS need not be asked for their addresses."""

    def __init__(self) -> None:
        super().__init__(iam_client=None)

    def load(self) -> dict[str, str]:
        return {}


@pytest.fixture(scope="session")
def transformed_template() -> Mapping[str, Any]:
    """Return what CloudFormation would be given after `sam package`; not to be changed."""
    packaged = copy.deepcopy(dict(template()))
    for resource in packaged["Resources"].values():
        for uri in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][uri] = "s3://artefacts/archive.zip"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        result: Mapping[str, Any] = transform(packaged, {}, _NoManagedPolicies())
    return result


@pytest.fixture
def transformed(transformed_template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the transformed template that a test may break."""
    return copy.deepcopy(dict(transformed_template))
