"""What must hold in the template: functions that list what is wrong with one, tried on the real and on broken ones.

They take the template as SAM transforms it, since that is what CloudFormation is given: roles, mappings and layers that
SAM makes by itself are looked at too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

# Actions that know no resource narrower than "*" (Service Authorization Reference, Amazon EC2: CreateNetworkInterface
# needs subnet, group and interface at once; the Describe actions have none).
ACTIONS_WITHOUT_RESOURCE: Final = frozenset(
    {
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    }
)
# Resources whose names are not known when the template is written.
RESOURCES_WITH_A_STAR: Final = {
    "secretsmanager:GetSecretValue": ":secret:${AWS::StackName}/gateways/*",  # secrets are made by the operator
    "dynamodb:ListStreams": "${PresenceTable.Arn}/stream/*",  # finds the table's streams
}


def resources(template: Mapping[str, Any], kind: str) -> dict[str, Mapping[str, Any]]:
    """Return the resources of a type by their logical ids."""
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def functions_without_log_group(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield functions whose logs go to a group that the template does not make, or that keeps them for ever."""
    groups = resources(template, "AWS::Logs::LogGroup")
    for name, function in resources(template, "AWS::Lambda::Function").items():
        group = function["Properties"].get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        if group not in groups:
            yield f"{name} has no log group"
        elif "RetentionInDays" not in groups[group]["Properties"]:
            yield f"{name}: its log group {group} has no retention"
        elif f"-{_folder(function)}" not in str(groups[group]["Properties"]["LogGroupName"]):
            yield f"{name}: its log group {group} is named after another function"


def mappings_without_failure_destination(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield event source mappings whose poison would be lost or would block, and what else they must say."""
    queues = resources(template, "AWS::SQS::Queue")
    for name, mapping in resources(template, "AWS::Lambda::EventSourceMapping").items():
        properties = mapping["Properties"]
        if properties.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name} does not report failures one by one"
        source = _owner(properties["EventSourceArn"])
        if source in queues:
            redrive = queues[source]["Properties"].get("RedrivePolicy", {})
            if _owner(redrive.get("deadLetterTargetArn")) not in queues:
                yield f"{name}: {source} has no dead-letter queue"
            elif redrive["maxReceiveCount"] < 5:
                yield f"{name}: {source} gives up before five attempts"  # AWS's advice for bounded concurrency
        else:
            destination = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            if _owner(destination) not in queues:
                yield f"{name} has no failure destination"
            if not properties.get("BisectBatchOnFunctionError") or properties.get("MaximumRetryAttempts", -1) < 0:
                yield f"{name} would try a poison record for ever"


def crowded_streams(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield streams of tables that have more readers than DynamoDB serves without throttling: two a shard.

    (Amazon DynamoDB developer guide, "Change data capture for DynamoDB Streams", "Reading and processing a stream".)
    """
    tables = resources(template, "AWS::DynamoDB::Table")
    mappings = resources(template, "AWS::Lambda::EventSourceMapping").values()
    readers = Counter(_owner(mapping["Properties"]["EventSourceArn"]) for mapping in mappings)
    for name in tables:
        if readers[name] > 2:
            yield f"the stream of {name} has {readers[name]} readers"


def short_visibility_timeouts(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield queues that give a message away again before its function can have ended: less than six time-outs.

    (Lambda developer guide, "Using Lambda with Amazon SQS", "Configuring a queue".)
    """
    functions = resources(template, "AWS::Lambda::Function")
    queues = resources(template, "AWS::SQS::Queue")
    for name, mapping in resources(template, "AWS::Lambda::EventSourceMapping").items():
        queue = queues.get(_owner(mapping["Properties"]["EventSourceArn"]))
        if queue is None:
            continue
        timeout = functions[mapping["Properties"]["FunctionName"]["Ref"]]["Properties"]["Timeout"]
        visibility = queue["Properties"].get("VisibilityTimeout", 30)
        choices = template["Parameters"][timeout["Ref"]]["AllowedValues"] if isinstance(timeout, dict) else [timeout]
        for choice in choices:
            seconds = _looked_up(template, visibility, timeout, choice)
            if seconds < 6 * int(choice):
                yield f"{name}: time-out {choice} s, but visible again after {seconds} s"


def _looked_up(template: Mapping[str, Any], visibility: Any, timeout: Any, choice: int) -> int:
    if isinstance(visibility, int):
        return visibility
    mapping, parameter, key = visibility["Fn::FindInMap"]
    if parameter != timeout:
        return 0
    return int(template["Mappings"][mapping][str(choice)][key])


def wide_rights(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield statements that allow more than one kind of thing on one kind of resource, beyond the reasoned lists."""
    for name, role in resources(template, "AWS::IAM::Role").items():
        for arn in role["Properties"].get("ManagedPolicyArns", []):
            yield f"{name} has the managed policy {arn}"
        for statement in statements(role):
            for action in actions(statement):
                for resource in (
                    statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                ):
                    text = resource if isinstance(resource, str) else str(resource.get("Fn::Sub", ""))
                    if "*" in action:
                        yield f"{name} may do {action}"
                    elif text == "*" and action not in ACTIONS_WITHOUT_RESOURCE:
                        yield f"{name} may {action} on everything"
                    elif "*" in text and text != "*" and not text.endswith(RESOURCES_WITH_A_STAR.get(action, "\0")):
                        yield f"{name} may {action} on {text}"


def unprotected_tables(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield tables not on demand, recoverable, encrypted or with a TTL, and those lost with the stack."""
    for name, table in resources(template, "AWS::DynamoDB::Table").items():
        properties = table["Properties"]
        if properties.get("BillingMode") != "PAY_PER_REQUEST":
            yield f"{name} is not on demand"
        if not properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
            yield f"{name} has no point-in-time recovery"
        if not properties.get("SSESpecification", {}).get("SSEEnabled"):
            yield f"{name} is not encrypted"
        if properties.get("TimeToLiveSpecification") != {"AttributeName": "expiresAt", "Enabled": True}:
            yield f"{name} has no TTL on expiresAt"
        policies = {table.get("DeletionPolicy"), table.get("UpdateReplacePolicy")}
        if policies != ({"Delete"} if name == "EndpointTable" else {"Retain"}):  # a cache; the others are not
            yield f"{name} would be lost with the stack, or kept for nothing"


def readable_messages(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield queues and topics whose messages are stored unencrypted."""
    for name, queue in resources(template, "AWS::SQS::Queue").items():
        if queue["Properties"].get("SqsManagedSseEnabled") is not True:
            yield f"{name} is not encrypted"
    for name, topic in resources(template, "AWS::SNS::Topic").items():
        if topic["Properties"].get("KmsMasterKeyId") != "alias/aws/sns":
            yield f"{name} is not encrypted"


def missing_alarms(template: Mapping[str, Any]) -> Iterator[str]:
    """Yield what could go wrong without anybody being told."""
    watched = {
        (alarm["Properties"]["MetricName"], _owner(dimension["Value"]))
        for alarm in resources(template, "AWS::CloudWatch::Alarm").values()
        for dimension in alarm["Properties"]["Dimensions"]
        if alarm["Properties"].get("AlarmActions")
    }
    for name in resources(template, "AWS::Lambda::Function"):
        if ("Errors", name) not in watched:
            yield f"errors of {name}"
    queues = resources(template, "AWS::SQS::Queue")
    sources = {name for name, queue in queues.items() if "RedrivePolicy" in queue["Properties"]}
    for name in queues:
        metric = "ApproximateAgeOfOldestMessage" if name in sources else "ApproximateNumberOfMessagesVisible"
        if (metric, name) not in watched:
            yield f"{metric} of {name}"
    if ("UsersWithProblems", "AWS::StackName") not in watched:
        yield "users with problems"


def statements(role: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the statements of a role's own policies, those under a condition too."""
    for policy in role["Properties"].get("Policies", []):
        given: Mapping[str, Any] = policy["Fn::If"][1] if "Fn::If" in policy else policy
        yield from given["PolicyDocument"]["Statement"]


def actions(statement: Mapping[str, Any]) -> list[str]:
    """Return the actions of a statement as a list, as which a single one may not be written."""
    found = statement["Action"]
    return list(found) if isinstance(found, list) else [found]


def _owner(value: Any) -> str:
    """Return the logical id that a `Ref` or a `GetAtt`, in either of its forms, points to."""
    if not isinstance(value, dict):
        return ""
    attribute: Any = value.get("Fn::GetAtt", value.get("Ref", ""))
    return str(attribute.split(".")[0] if isinstance(attribute, str) else attribute[0])


def _folder(function: Mapping[str, Any]) -> str:
    return str(function["Properties"]["FunctionName"]["Fn::Sub"]).rsplit("-", 1)[1]
