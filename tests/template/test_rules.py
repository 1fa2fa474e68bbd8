"""The rules hold in the real template, and each notices when it is broken."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.template import rules

Template = dict[str, Any]
Rule = Callable[[Mapping[str, Any]], Iterator[str]]

RULES: list[Rule] = [
    rules.functions_without_log_group,
    rules.mappings_without_failure_destination,
    rules.crowded_streams,
    rules.short_visibility_timeouts,
    rules.wide_rights,
    rules.unprotected_tables,
    rules.readable_messages,
    rules.missing_alarms,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_template_keeps_the_rule(rule: Rule, transformed: Template) -> None:
    assert list(rule(transformed)) == []


def _properties(template: Template, name: str) -> dict[str, Any]:
    properties: dict[str, Any] = template["Resources"][name]["Properties"]
    return properties


def _first_statement(template: Template, role: str) -> dict[str, Any]:
    statement: dict[str, Any] = _properties(template, role)["Policies"][0]["PolicyDocument"]["Statement"][0]
    return statement


def _lose_log_group(template: Template) -> None:
    del template["Resources"]["ApplyTransitionsLogGroup"]


def _keep_logs_for_ever(template: Template) -> None:
    del _properties(template, "ApplyTransitionsLogGroup")["RetentionInDays"]


def _log_to_another_functions_group(template: Template) -> None:
    _properties(template, "ApplyTransitionsFunction")["LoggingConfig"]["LogGroup"] = {"Ref": "CheckCalendarsLogGroup"}


def _lose_dead_letter_queue(template: Template) -> None:
    del _properties(template, "CheckQueue")["RedrivePolicy"]


def _give_up_early(template: Template) -> None:
    _properties(template, "CheckQueue")["RedrivePolicy"]["maxReceiveCount"] = 1


def _lose_on_failure(template: Template) -> None:
    del _properties(template, "PublishPresenceFunctionPresenceChanges")["DestinationConfig"]


def _never_bisect(template: Template) -> None:
    _properties(template, "PublishPresenceFunctionPresenceChanges")["BisectBatchOnFunctionError"] = False


def _fail_batches_whole(template: Template) -> None:
    del _properties(template, "ApplyTransitionsFunctionTransitionRequests")["FunctionResponseTypes"]


def _add_a_third_reader(template: Template) -> None:
    mapping = template["Resources"]["RecordHistoryFunctionPresenceChanges"]
    template["Resources"]["Third"] = copy.deepcopy(mapping)


def _shorten_a_visibility_timeout(template: Template) -> None:
    template["Mappings"]["VisibilityTimeout"]["60"]["Seconds"] = 359


def _take_the_visibility_timeout_of_another(template: Template) -> None:
    _properties(template, "CheckQueue")["VisibilityTimeout"]["Fn::FindInMap"][1] = {"Ref": "TransitionTimeoutSeconds"}


def _leave_the_visibility_timeout_out(template: Template) -> None:
    del _properties(template, "TransitionQueue")["VisibilityTimeout"]


def _allow_every_action(template: Template) -> None:
    _first_statement(template, "ApplyTransitionsRole")["Action"] = "sqs:*"


def _allow_every_queue(template: Template) -> None:
    _first_statement(template, "ApplyTransitionsRole")["Resource"] = "*"


def _allow_every_secret(template: Template) -> None:
    statement = _first_statement(template, "CheckCalendarsRole")
    statement["Action"] = "secretsmanager:GetSecretValue"
    statement["Resource"] = {
        "Fn::Sub": "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:*"
    }


def _take_a_managed_policy(template: Template) -> None:
    _properties(template, "CheckCalendarsRole")["ManagedPolicyArns"] = ["arn:aws:iam::aws:policy/AmazonSQSFullAccess"]


def _provision_a_table(template: Template) -> None:
    _properties(template, "UserTable")["BillingMode"] = "PROVISIONED"


def _lose_recovery(template: Template) -> None:
    del _properties(template, "ConfigTable")["PointInTimeRecoverySpecification"]


def _store_in_clear(template: Template) -> None:
    del _properties(template, "EndpointTable")["SSESpecification"]


def _keep_items_for_ever(template: Template) -> None:
    del _properties(template, "PresenceTable")["TimeToLiveSpecification"]


def _lose_users_with_the_stack(template: Template) -> None:
    del template["Resources"]["UserTable"]["DeletionPolicy"]


def _queue_in_clear(template: Template) -> None:
    _properties(template, "PublishFailureQueue")["SqsManagedSseEnabled"] = False


def _publish_in_clear(template: Template) -> None:
    del _properties(template, "PresenceTopic")["KmsMasterKeyId"]


def _forget_the_dead_letters(template: Template) -> None:
    del template["Resources"]["TransitionDeadLetters"]


def _forget_the_age(template: Template) -> None:
    del template["Resources"]["CheckQueueAge"]


def _forget_the_errors(template: Template) -> None:
    del template["Resources"]["PublishPresenceErrors"]


def _tell_nobody(template: Template) -> None:
    del _properties(template, "UsersWithProblems")["AlarmActions"]


BREAKAGES: list[tuple[Rule, Callable[[Template], None]]] = [
    (rules.functions_without_log_group, _lose_log_group),
    (rules.functions_without_log_group, _keep_logs_for_ever),
    (rules.functions_without_log_group, _log_to_another_functions_group),
    (rules.mappings_without_failure_destination, _lose_dead_letter_queue),
    (rules.mappings_without_failure_destination, _give_up_early),
    (rules.mappings_without_failure_destination, _lose_on_failure),
    (rules.mappings_without_failure_destination, _never_bisect),
    (rules.mappings_without_failure_destination, _fail_batches_whole),
    (rules.crowded_streams, _add_a_third_reader),
    (rules.short_visibility_timeouts, _shorten_a_visibility_timeout),
    (rules.short_visibility_timeouts, _take_the_visibility_timeout_of_another),
    (rules.short_visibility_timeouts, _leave_the_visibility_timeout_out),
    (rules.wide_rights, _allow_every_action),
    (rules.wide_rights, _allow_every_queue),
    (rules.wide_rights, _allow_every_secret),
    (rules.wide_rights, _take_a_managed_policy),
    (rules.unprotected_tables, _provision_a_table),
    (rules.unprotected_tables, _lose_recovery),
    (rules.unprotected_tables, _store_in_clear),
    (rules.unprotected_tables, _keep_items_for_ever),
    (rules.unprotected_tables, _lose_users_with_the_stack),
    (rules.readable_messages, _queue_in_clear),
    (rules.readable_messages, _publish_in_clear),
    (rules.missing_alarms, _forget_the_dead_letters),
    (rules.missing_alarms, _forget_the_age),
    (rules.missing_alarms, _forget_the_errors),
    (rules.missing_alarms, _tell_nobody),
]


@pytest.mark.parametrize(
    ("rule", "breakage"), BREAKAGES, ids=[breakage.__name__.strip("_") for _, breakage in BREAKAGES]
)
def test_a_broken_template_is_noticed(rule: Rule, breakage: Callable[[Template], None], transformed: Template) -> None:
    breakage(transformed)
    assert list(rule(transformed))
