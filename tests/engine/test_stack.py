"""The whole path on the real template: schedules, queues, tables, stream, topic, and each function's rights."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest

from local.demo.subscriber import Delivery, Subscriber
from local.demo.warm_up import warm_up
from local.exchange.faults import ANY, Fault
from local.exchange.organisation import Entry, Mailbox, Organisation
from local.exchange.server import SimulatedExchange
from local.stack.errors import DeploymentError
from local.stack.local_stack import LocalStack, deployed_stack
from presence.log_names import name_of_user

pytestmark = [pytest.mark.timed, pytest.mark.timeout(180)]

T = TypeVar("T")

OK = 200
SHORT_TIME_OUTS = {"CheckIntervalMinutes": "1", "CheckTimeoutSeconds": "5", "TransitionTimeoutSeconds": "5"}


def now() -> datetime:
    return datetime.now(UTC)


def wait_for(what: Callable[[], T], seconds: float = 60.0) -> T:
    """Return what the function gives once that is true; fail if it never is."""
    give_up = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.05)
    return found


class Story:
    """Some users of example.com in a running stack and organisation, and what a subscriber hears of them."""

    def __init__(
        self, stack: LocalStack, exchange: SimulatedExchange, subscriber: Subscriber, addresses: Sequence[str]
    ) -> None:
        self.stack, self.exchange, self.addresses = stack, exchange, addresses
        self._subscriber = subscriber

    def deliveries(self) -> list[Delivery]:
        """Return what was delivered of these users so far."""
        return [each for each in self._subscriber.deliveries() if each.body["subject"] in self.addresses]

    def records(self) -> dict[str, dict[str, Any]]:
        """Return these users' items of PresenceTable by address."""
        deployment = self.stack.deployment
        items = deployment.client("dynamodb").scan(TableName=deployment.outputs["PresenceTableName"])["Items"]
        return {item["address"]["S"]: item for item in items if item["address"]["S"] in self.addresses}

    def stream_length(self) -> int:
        """Return how many records the stream of PresenceTable holds: one for each write that changed an item."""
        deployment = self.stack.deployment
        table = deployment.client("dynamodb").describe_table(TableName=deployment.outputs["PresenceTableName"])["Table"]
        stream = table["LatestStreamArn"]
        streams = deployment.client("dynamodbstreams")
        length = 0
        for shard in streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"]:
            iterator = streams.get_shard_iterator(
                StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while records := (answer := streams.get_records(ShardIterator=iterator))["Records"]:
                length += len(records)
                iterator = answer["NextShardIterator"]
        return length

    def messages(self, output: str) -> int:
        """Return how many messages a queue holds, those being worked on included."""
        deployment = self.stack.deployment
        counts = deployment.client("sqs").get_queue_attributes(
            QueueUrl=deployment.outputs[output],
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
        return sum(int(count) for count in counts.values())

    def answered(self) -> list[int]:
        """Return how many mailboxes each request for availability asked for that Exchange answered."""
        return [each.mailboxes for each in self.exchange.requests.of("GetUserAvailability") if each.status == OK]

    def check_all(self, minutes_ahead: int = 0) -> dict[str, Any]:
        """Let the schedules tick as of a coming minute, so that everybody's turn has come again."""
        return self.stack.schedules.tick(now() + timedelta(minutes=minutes_ahead))


@pytest.fixture(scope="module")
def exchange() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(Organisation([])) as running:
        yield running


@pytest.fixture(scope="module")
def stack(exchange: SimulatedExchange) -> Iterator[LocalStack]:
    # Enabled, so that the engine's own ticks come meanwhile: the first after a minute.
    with deployed_stack(parameters=SHORT_TIME_OUTS | {"SchedulesState": "ENABLED"}) as running:
        running.seed(gateways=exchange.gateways_document(), credentials=exchange.secrets(), addresses=[])
        warm_up(
            running.deployment, concurrent_checks=2
        )  # a cold start on a busy machine takes longer than the time-out
        yield running


@pytest.fixture
def tell(
    stack: LocalStack, exchange: SimulatedExchange, request: pytest.FixtureRequest
) -> Iterator[Callable[[int], Story]]:
    """Return what begins a story with so many users of its own; they leave at its end."""
    name = "".join(letter for letter in request.node.name.removeprefix("test") if letter.isalpha())[:24]
    deployment = stack.deployment
    with Subscriber(deployment.client("sns"), deployment.outputs["PresenceTopicArn"], now) as subscriber:

        def begin(users: int) -> Story:
            addresses = [f"{name}{number}@example.com" for number in range(users)]
            for address in addresses:
                exchange.organisation.add_mailbox(Mailbox(address, address, ZoneInfo("UTC")))
            seeded = stack.seed(
                gateways=exchange.gateways_document(), credentials=exchange.secrets(), addresses=addresses
            )
            return Story(stack, exchange, subscriber, [user.address for user in seeded])

        yield begin
    exchange.faults.clear()
    _empty(deployment.client("dynamodb"), [deployment.outputs[table] for table in TABLES])


TABLES = ("UserTableName", "PresenceTableName", "EndpointTableName", "ConfigTableName")


def _empty(dynamodb: Any, tables: list[str]) -> None:
    for table in tables:
        keys = [key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
        for item in dynamodb.scan(TableName=table)["Items"]:
            if item.get("name") == {"S": "gateways"}:  # which functions remember for half a minute
                continue
            dynamodb.delete_item(TableName=table, Key={key: item[key] for key in keys})


def test_a_meeting_becomes_presence_on_time_and_ends_on_time(tell: Callable[[int], Story]) -> None:
    story = tell(1)
    start = now().replace(microsecond=0) + timedelta(seconds=10)
    end = start + timedelta(seconds=3)
    story.exchange.organisation.add(story.addresses[0], Entry(start, end))
    story.check_all()
    wait_for(lambda: len(story.deliveries()) >= 3)
    deliveries = sorted(story.deliveries(), key=lambda each: int(each.body["data"]["version"]))
    shown = [(each.body["data"]["version"], each.body["data"]["presence"]["availability"]) for each in deliveries]
    assert shown == [(1, "Available"), (2, "Busy"), (3, "Available")]
    for delivery, boundary in zip(deliveries[1:], (start, end), strict=True):
        assert timedelta(0) <= delivery.received_at - boundary < timedelta(seconds=2)


def test_a_hundred_users_take_one_message_and_one_request_and_nothing_new_writes_nothing(
    tell: Callable[[int], Story],
) -> None:
    story = tell(100)
    story.check_all()
    wait_for(lambda: len(story.deliveries()) >= 100)
    wait_for(lambda: story.messages("CheckQueueUrl") == 0)
    before, asked, stream = story.records(), len(story.answered()), story.stream_length()
    assert len(before) == 100
    assert stream >= 100

    answers = story.check_all(minutes_ahead=1)

    assert answers["calendar-presence-schedule_checks"] == {"users": 100, "requests": 1}
    wait_for(lambda: len(story.answered()) > asked)
    wait_for(lambda: story.messages("CheckQueueUrl") == 0)
    assert story.answered()[asked:] == [100]
    assert story.records() == before
    assert story.stream_length() == stream
    assert len(story.deliveries()) == 100


def test_a_check_whose_process_is_killed_is_done_again_and_loses_and_doubles_nobody(
    tell: Callable[[int], Story],
) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("the worker to kill is found through /proc, which this system lacks")
    story = tell(10)
    reached, released = threading.Event(), threading.Event()

    def hold(answer: bytes) -> bytes:
        reached.set()
        released.wait(30)
        return answer

    story.exchange.faults.next(ANY, "/EWS/Exchange.asmx", Fault(body=hold))
    story.check_all()
    assert reached.wait(60)
    killed = _workers("check_calendars")
    for process in killed:
        os.kill(process, signal.SIGKILL)
    released.set()
    assert killed
    assert story.records() == {}
    wait_for(lambda: len(story.deliveries()) >= 10)  # six time-outs later
    wait_for(lambda: story.messages("CheckQueueUrl") == 0)
    assert {record["version"]["N"] for record in story.records().values()} == {"1"}
    assert sorted(each.body["subject"] for each in story.deliveries()) == sorted(story.addresses)
    assert story.messages("CheckDeadLetterQueueUrl") == 0


def _workers(function: str) -> list[int]:
    """Return the processes of a function in this test's engine."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text(encoding="utf-8")
        except OSError:  # it has just ended
            continue
        if f"-{function}-" in command and "calendar-presence-engine-" in command:
            found.append(int(path.parent.name))
    return found


def test_a_message_that_can_t_be_understood_goes_to_the_dead_letters_and_stops_nobody(
    tell: Callable[[int], Story],
) -> None:
    story = tell(1)
    deployment = story.stack.deployment
    sqs, queue = deployment.client("sqs"), deployment.outputs["TransitionQueueUrl"]
    as_deployed = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert as_deployed == {"VisibilityTimeout": "30"}  # six time-outs; five times that is long to wait
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    try:
        sqs.send_message(QueueUrl=queue, MessageBody="not a request")
        story.check_all()
        wait_for(story.deliveries)
        wait_for(lambda: story.messages("TransitionDeadLetterQueueUrl") == 1)
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=as_deployed)


def test_log_lines_name_people_by_the_stack_s_key_and_in_no_other_way(tell: Callable[[int], Story]) -> None:
    story = tell(1)
    story.check_all()
    wait_for(story.deliveries)
    deployment, (user_id,) = story.stack.deployment, [item["userId"]["S"] for item in story.records().values()]
    secrets = deployment.client("secretsmanager")
    key = secrets.get_secret_value(SecretId=deployment.outputs["LogNamesKeyId"])["SecretString"]
    name = name_of_user(key, user_id)
    logs: dict[str, str] = {}

    def all_name_them() -> bool:
        logs.update({each: "".join(deployment.logs_of(each)) for each in ("check_calendars", "publish_presence")})
        return all(name in log for log in logs.values())

    wait_for(all_name_them)
    for log in logs.values():
        assert user_id not in log
        assert story.addresses[0] not in log


def test_a_function_has_the_rights_of_its_role_and_no_others(stack: LocalStack) -> None:
    iam = stack.deployment.client("iam")
    role = stack.deployment.resources["ScheduleTransitionsRole"]
    policy = iam.get_role_policy(RoleName=role, PolicyName="schedule-transitions")["PolicyDocument"]
    narrower = policy | {"Statement": [each for each in policy["Statement"] if each["Sid"] != "ReadComingTransitions"]}
    iam.put_role_policy(RoleName=role, PolicyName="schedule-transitions", PolicyDocument=json.dumps(narrower))
    try:
        with pytest.raises(DeploymentError, match=r"schedule_transitions: .*not authorized to perform: dynamodb:Query"):
            stack.schedules.tick()
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="schedule-transitions", PolicyDocument=json.dumps(policy))
    stack.schedules.tick()


@pytest.mark.parametrize("function", ["schedule_checks", "schedule_transitions"])
def test_a_deployed_schedule_ticks_by_itself(function: str, stack: LocalStack) -> None:
    """The engine hands over the placeholder of the time as it stands, which the function refuses by its name."""
    refused = "MalformedMessage: time: '<aws.scheduler.scheduled-time>'"
    wait_for(lambda: [line for line in stack.deployment.logs_of(function) if refused in line], seconds=100)
