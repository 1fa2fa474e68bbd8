"""Queue: the real adapter and its double in memory, and what only the real one has: batches, and sending again."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from presence.errors import CalendarPresenceError
from presence.queues import LONGEST_DELAY, Queue, QueuedMessage
from tests.support.aws import Account, calls
from tests.support.memory import MemoryQueue

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/checks"


class Answers:
    """A client of SQS that refuses a message as often as `refusals` says, by its body."""

    def __init__(self, refusals: Mapping[str, int]) -> None:
        self._refusals = dict(refusals)
        self._lock = threading.Lock()
        self.calls: list[list[str]] = []
        self.accepted: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:  # noqa: N803  boto3's
        assert QueueUrl == URL
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        with self._lock:
            self.calls.append([entry["MessageBody"] for entry in Entries])
            answer: dict[str, list[Any]] = {"Successful": [], "Failed": []}
            for entry in Entries:
                body = entry["MessageBody"]
                if self._refusals.get(body, 0) > 0:
                    self._refusals[body] -= 1
                    answer["Failed"].append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
                else:
                    self.accepted.append(body)
                    answer["Successful"].append({"Id": entry["Id"]})
        return answer


def queue_that(answers: Answers) -> Queue:
    return Queue(cast("Any", answers), URL)


def messages(number: int, body: str = "message") -> list[QueuedMessage]:
    return [QueuedMessage(f"{body}{index}") for index in range(number)]


@pytest.mark.parametrize("number", [0, 1, 10, 11, 95])
@pytest.mark.parametrize("kind", ["real", "memory"])
def test_everything_that_is_sent_arrives_once(request: pytest.FixtureRequest, kind: str, number: int) -> None:
    sent = messages(number)
    if kind == "memory":
        memory = MemoryQueue()
        memory.send(sent)
        arrived = [message.body for message in memory.messages]
    else:
        aws: Account = request.getfixturevalue("aws")
        url = aws.make_queue("checks")
        Queue(aws.sqs, url).send(sent)
        arrived = aws.take_messages(url)
    assert sorted(arrived) == sorted(message.body for message in sent)


def test_nothing_to_send_is_no_call(aws: Account) -> None:
    with calls(aws.sqs, "sqs.SendMessageBatch") as made:
        Queue(aws.sqs, aws.make_queue("checks")).send([])
    assert made == []


def test_ten_messages_go_in_one_call_and_each_further_ten_in_one_more(aws: Account) -> None:
    queue = Queue(aws.sqs, aws.make_queue("checks"))
    with calls(aws.sqs, "sqs.SendMessageBatch") as made:
        queue.send(messages(25))
    assert sorted(len(call["Entries"]) for call in made) == [5, 10, 10]


def test_a_batch_stays_below_256_kib_counted_in_bytes(aws: Account) -> None:
    """SQS counts what goes over the wire, not characters."""
    url = aws.make_queue("checks")
    large = [QueuedMessage("花" * 30_000) for _ in range(10)]
    with calls(aws.sqs, "sqs.SendMessageBatch") as made:
        Queue(aws.sqs, url).send(large)
    sizes = [sum(len(entry["MessageBody"].encode()) for entry in call["Entries"]) for call in made]
    assert len(sizes) > 1
    assert max(sizes) < 256 * 1024
    assert len(aws.take_messages(url)) == 10


def test_a_message_that_is_too_large_for_a_batch_goes_alone() -> None:
    answers = Answers({})
    queue_that(answers).send([*messages(2, "a"), QueuedMessage("x" * 250_000), *messages(2, "b")])
    assert sorted(map(len, answers.calls)) == [1, 2, 2]
    assert len(answers.accepted) == 5


@pytest.mark.parametrize(("wanted", "given"), [(0, 0), (13, 13), (900, 900), (901, 900), (10**6, 900), (-1, 0)])
def test_a_message_is_held_back_as_long_as_the_queue_can(aws: Account, wanted: int, given: int) -> None:
    with calls(aws.sqs, "sqs.SendMessageBatch") as made:
        Queue(aws.sqs, aws.make_queue("checks")).send([QueuedMessage("later", wanted)])
    assert [entry["DelaySeconds"] for entry in made[0]["Entries"]] == [given]
    assert given <= LONGEST_DELAY


def test_only_what_was_refused_is_sent_again() -> None:
    answers = Answers({"message3": 2, "message7": 1})
    queue_that(answers).send(messages(10))
    assert answers.calls == [[f"message{index}" for index in range(10)], ["message3", "message7"], ["message3"]]
    assert sorted(answers.accepted) == [f"message{index}" for index in range(10)]


def test_what_is_refused_three_times_is_an_error_that_says_where_and_how_much() -> None:
    answers = Answers({"message3": 3, "message14": 3})
    with pytest.raises(CalendarPresenceError, match="queue checks: 2 of 25 messages were refused"):
        queue_that(answers).send(messages(25))
    assert len(answers.accepted) == 23


def test_the_double_refuses_likewise() -> None:
    queue = MemoryQueue()
    queue.refuses = True
    with pytest.raises(CalendarPresenceError, match="refused"):
        queue.send(messages(2))
    queue.send([])
    assert queue.messages == []


def test_a_queue_that_is_not_there_is_an_error(aws: Account) -> None:
    with pytest.raises(ClientError, match="NonExistentQueue"):
        Queue(aws.sqs, aws.make_queue("checks") + "-gone").send(messages(25))
