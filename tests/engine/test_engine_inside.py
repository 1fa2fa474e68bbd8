"""What is mended inside the engine: who may ask it, and what it keeps on disk."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.stack.engine import ACCOUNT, REGION, Engine
from local.stack.errors import EngineError

TABLE = {
    "TableName": "table",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "key", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "key", "KeyType": "HASH"}],
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}
SIGNED = (
    "AWS4-HMAC-SHA256 Credential={}/20261129/us-east-1/secretsmanager/aws4_request, SignedHeaders=host, Signature={}"
)
NOBODYS_KEY = f"AKIA{secrets.token_hex(8).upper()}"
SECRET = {"X-Amz-Target": "secretsmanager.GetSecretValue", "Content-Type": "application/x-amz-json-1.1"}
PRESIGNED = (
    "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F20261129%2Fus-east-1%2Fsecretsmanager%2Faws4_request"
)


def test_nobody_gets_in_without_the_key_that_its_starter_has() -> None:
    with Engine() as engine:
        engine.client("secretsmanager").create_secret(Name="secret", SecretString="of-the-gateway")
        for path, headers in (
            ("/", SECRET),
            ("/", SECRET | {"Authorization": SIGNED.format(ACCOUNT, "0" * 64)}),
            ("/", SECRET | {"Authorization": SIGNED.format("test", "0" * 64)}),
            ("/", SECRET | {"Authorization": SIGNED.format("111122223333", "0" * 64)}),
            ("/", SECRET | {"Authorization": f"AWS {ACCOUNT}:AAAA"}),
            (PRESIGNED.format(ACCOUNT), SECRET),
            (PRESIGNED.format(ACCOUNT), SECRET | {"Authorization": SIGNED.format(NOBODYS_KEY, "0" * 64)}),
            ("/_ministack/reset", {}),
        ):
            status, answer = _ask(engine, path, headers)
            assert (status, b"of-the-gateway" in answer) == (403, False), (path, headers)
        status, answer = _ask(engine, "/", SECRET | {"Authorization": SIGNED.format(NOBODYS_KEY, "0" * 64)})
        assert status >= 400
        assert b"of-the-gateway" not in answer
        with pytest.raises(ClientError, match="not signed with the engine's key"):
            _client_with("another-key", engine).get_secret_value(SecretId="secret")
        assert engine.client("secretsmanager").get_secret_value(SecretId="secret")["SecretString"] == "of-the-gateway"


def _ask(engine: Engine, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(engine.endpoint_url).netloc, timeout=10)
    try:
        connection.request("POST", path, json.dumps({"SecretId": "secret"}), dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _client_with(secret_key: str, engine: Engine) -> Any:
    session = boto3.Session(ACCOUNT, secret_key, region_name=REGION)
    return session.client("secretsmanager", endpoint_url=engine.endpoint_url, config=Config(proxies={}))


def test_a_crash_loses_no_write_to_a_table_and_no_record_of_its_stream(tmp_path: Path) -> None:
    with Engine(state=tmp_path) as engine:
        dynamodb = engine.client("dynamodb")
        dynamodb.create_table(**TABLE)
        _put(dynamodb, "before")
        engine.save()
        assert (tmp_path / "engine" / "journal").stat().st_size == 0  # it stands in the tables now
        _put(dynamodb, "after")
        dynamodb.delete_item(TableName="table", Key={"key": {"S": "before"}})
        os.killpg(engine.process_id, signal.SIGKILL)
    for _ in range(2):  # also after a crash during which nothing was written down
        with Engine(state=tmp_path) as engine:
            assert _keys(engine) == ["after"]
            assert _stream(engine) == [("INSERT", "before"), ("INSERT", "after"), ("REMOVE", "before")]
            os.killpg(engine.process_id, signal.SIGKILL)


def test_a_stop_keeps_what_waits_and_no_credentials(tmp_path: Path) -> None:
    with Engine(state=tmp_path) as engine:
        engine.client("dynamodb").create_table(**TABLE)
        _put(engine.client("dynamodb"), "one")
        queue = engine.client("sqs").create_queue(QueueName="queue")["QueueUrl"]
        engine.client("sqs").send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=600)
        engine.client("secretsmanager").create_secret(Name="stack/gateways/reader", SecretString="of-the-gateway")
        engine.client("secretsmanager").create_secret(Name="stack-key", SecretString="of-the-stack")
        engine.save()
    assert [path for path in tmp_path.rglob("*") if path.is_file() and b"of-the-gateway" in path.read_bytes()] == []
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "engine").rglob("*")} == {0}
    with Engine(state=tmp_path) as engine:
        _put(engine.client("dynamodb"), "two")
        assert _stream(engine) == [("INSERT", "one"), ("INSERT", "two")]
        name = "ApproximateNumberOfMessagesDelayed"
        queue = engine.client("sqs").get_queue_url(QueueName="queue")["QueueUrl"]
        counts = engine.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=[name])["Attributes"]
        assert counts[name] == "1"
        secrets = engine.client("secretsmanager")
        assert [secret["Name"] for secret in secrets.list_secrets()["SecretList"]] == ["stack-key"]
        assert secrets.get_secret_value(SecretId="stack-key")["SecretString"] == "of-the-stack"


def test_state_that_can_t_be_read_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with Engine(state=tmp_path) as engine:
        engine.client("sqs").create_queue(QueueName="queue")
    state = tmp_path / "engine" / "sqs.json"
    state.write_text(broken := state.read_text(encoding="utf-8")[:-2], encoding="utf-8")
    with pytest.raises(
        EngineError, match=r"(?s)ended with code 1 while starting\. .*\n[^\n]* can't be read: sqs\.json\.$"
    ):
        Engine(state=tmp_path).start()
    assert state.read_text(encoding="utf-8") == broken


def test_log_lines_are_forgotten_after_the_days_of_their_group(tmp_path: Path) -> None:
    now = int(time.time() * 1000)
    with Engine(state=tmp_path) as engine:
        logs = engine.client("logs")
        for group in ("short", "endless"):
            logs.create_log_group(logGroupName=group)
            logs.create_log_stream(logGroupName=group, logStreamName="stream")
            lines = [{"timestamp": now - age * 86_400_000, "message": f"{age} days old"} for age in (5, 1, 0)]
            logs.put_log_events(logGroupName=group, logStreamName="stream", logEvents=lines)
        logs.put_retention_policy(logGroupName="short", retentionInDays=3)
        engine.save()
        left = {
            group: [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
            for group in ("short", "endless")
        }
    assert left == {
        "short": ["1 days old", "0 days old"],
        "endless": ["5 days old", "1 days old", "0 days old"],
    }


def _put(dynamodb: Any, key: str) -> None:
    dynamodb.put_item(TableName="table", Item={"key": {"S": key}})


def _keys(engine: Engine) -> list[str]:
    items = engine.client("dynamodb").scan(TableName="table")["Items"]
    return sorted(item["key"]["S"] for item in items)


def _stream(engine: Engine) -> list[tuple[str, str]]:
    """Return what the table's stream holds, as event and key."""
    arn = engine.client("dynamodb").describe_table(TableName="table")["Table"]["LatestStreamArn"]
    streams = engine.client("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
    records = streams.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return [(record["eventName"], record["dynamodb"]["Keys"]["key"]["S"]) for record in records]
