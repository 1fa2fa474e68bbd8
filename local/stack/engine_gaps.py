"""Where the engine differs from AWS in a way that matters here: mended after deployment, the template left right."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from local.stack.engine import Engine

# On AWS the right to the one action covers its batch (SQS developer guide, "Amazon SQS API permissions"; SNS likewise).
# The engine asks for an action of the batch's own, which AWS does not know.
_BATCHES: Final = {"sqs:SendMessage": "sqs:SendMessageBatch", "sns:Publish": "sns:PublishBatch"}


def mend(engine: Engine, role_names: Iterable[str]) -> None:
    """Make the engine do what AWS does with the stack just deployed; `role_names` are those of the stack's roles."""
    _make_concurrency_numbers(engine.client("lambda"))
    iam = engine.client("iam")
    for role in role_names:
        _let_batches_pass(iam, role)


def _make_concurrency_numbers(client: Any) -> None:
    # CloudFormation turns a parameter of type Number into a number where a property wants one. The engine leaves it
    # text, on which its pollers of queues fail; botocore already reads a number here.
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        limit = mapping.get("ScalingConfig", {}).get("MaximumConcurrency")
        if limit is not None:
            client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(limit)})


def _let_batches_pass(iam: Any, role: str) -> None:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        changed = False
        for statement in document["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            batches = [_BATCHES[action] for action in actions if action in _BATCHES]
            changed = changed or bool(batches)
            statement["Action"] = actions + batches
        if changed:
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
