"""History is off unless switched on, and what is there only while it is on hangs on the one condition."""

from __future__ import annotations

from typing import Any

from presence.tables.history import HistoryTable
from tests.support.aws import account, calls
from tests.support.template import template

CONDITION = "HistoryIsKept"
ON = {"RecordHistory", "HistoryFailure"}


def test_history_is_off_by_default() -> None:
    parameter = template()["Parameters"]["HistoryDays"]
    assert (parameter["Default"], parameter["MinValue"], parameter["MaxValue"]) == (0, 0, 365)
    assert template()["Conditions"][CONDITION] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "HistoryDays"}, 0]}]}


def test_off_there_is_the_table_and_nothing_else(transformed: dict[str, Any]) -> None:
    """Transformed, so that the mapping and the rights that SAM makes are looked at too."""
    resources = transformed["Resources"]
    of_history = {name for name in resources if any(part in name for part in ON)}
    assert {"RecordHistoryFunction", "RecordHistoryRole", "RecordHistoryFunctionPresenceChanges"} <= of_history
    assert {name for name in resources if resources[name].get("Condition") == CONDITION} == of_history
    assert "Condition" not in resources["HistoryTable"]
    outputs = transformed["Outputs"]
    assert [name for name in outputs if outputs[name].get("Condition") == CONDITION] == ["HistoryFailureQueueUrl"]


def test_the_function_may_read_keys_of_the_history_and_reads_no_more(transformed: dict[str, Any]) -> None:
    (policy,) = transformed["Resources"]["RecordHistoryRole"]["Properties"]["Policies"]
    allowed = [
        statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:Attributes"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "dynamodb:Query"
    ]
    with account() as aws, calls(aws.dynamodb, "dynamodb.Query") as made:
        HistoryTable(aws.dynamodb, aws.make_table("HistoryTable")).forget("a" * 32)
    assert [call["ProjectionExpression"].split(", ") for call in made] == allowed


def test_the_audit_outlives_the_stack_and_ends_when_the_operator_says() -> None:
    group = template()["Resources"]["AuditLogGroup"]
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("Retain", "Retain")
    # A name of its own would stand in the way of the next stack of the same name.
    assert group["Properties"] == {"RetentionInDays": {"Ref": "AuditRetentionDays"}}


def test_who_set_somebody_s_presence_is_known_as_long_as_the_audit_is_kept() -> None:
    group = template()["Resources"]["SetPresenceLogGroup"]
    assert group["Properties"]["RetentionInDays"] == {"Ref": "AuditRetentionDays"}
