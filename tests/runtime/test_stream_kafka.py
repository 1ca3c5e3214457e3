"""What the Kafka driver writes to a real broker, and what it says when the broker is away."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from graphc.runtime_min.stream_kafka import KafkaStream
from servers.kafka import Kafka


def shown(messages: list[Any]) -> list[tuple[Any, ...]]:
    return [(message.partition(), message.key(), message.value()) for message in messages]


def partition_of(key: bytes, partitions: int) -> int:
    """Where the producers of Java and of kafka-python put a key (murmur2)."""
    mixer, mask = 0x5BD1E995, 0xFFFFFFFF
    found = 0x9747B28C ^ len(key)
    whole = len(key) & ~3
    for start in range(0, whole, 4):
        part = int.from_bytes(key[start : start + 4], "little") * mixer & mask
        part = (part ^ part >> 24) * mixer & mask
        found = found * mixer & mask ^ part
    if key[whole:]:
        found = (found ^ int.from_bytes(key[whole:], "little")) * mixer & mask
    found = (found ^ found >> 13) * mixer & mask
    return ((found ^ found >> 15) & 0x7FFFFFFF) % partitions


def test_messages_keys_and_partitions(broker: Kafka) -> None:
    broker.create("keys", partitions=3)
    stream = KafkaStream(f"kafka://{broker.address}/keys")
    stream.push("ü")
    stream.push(b"\xff", "a", 2)
    stream.flush()
    for key in ("a", "b", "c", "käse"):
        stream.push(key, key)
    stream.flush()
    stream.close()
    found = shown(broker.read("keys"))
    assert {(key, value) for _, key, value in found if value in ("ü".encode(), b"\xff")} == {
        (None, "ü".encode()),
        (b"a", b"\xff"),
    }
    assert (2, b"a", b"\xff") in found
    places = {key: partition for partition, key, value in found if key == value}
    assert places == {key: partition_of(key, 3) for key in (b"a", b"b", b"c", "käse".encode())}


@pytest.mark.parametrize("path", ["kafka://{}?topic=ways", "kafka://{}/ways", "ways"])
def test_ways_to_name_a_topic(broker: Kafka, path: str) -> None:
    if path == "ways":
        broker.create("ways")
    brokers = broker.address if "{}" not in path else None
    stream = KafkaStream(path.format(broker.address), brokers=brokers)
    stream.push("{}")
    assert str(stream) == f"the topic 'ways' on {broker.address}"


@pytest.mark.parametrize("path", ["kafka:///t", "kafka://broker", "t"])
def test_paths_that_name_no_topic(path: str) -> None:
    with pytest.raises(ValueError, match="names no"):
        KafkaStream(path)


def test_what_a_topic_never_takes(broker: Kafka) -> None:
    broker.create("small", settings={"max.message.bytes": "1000"})
    stream = KafkaStream(f"kafka://{broker.address}/small")
    with pytest.raises(ValueError, match="refuses a message"):
        stream.push("x" * 1_100_000)
    stream.push("a")
    stream.flush()
    with pytest.raises(ValueError, match="refuses a message"):
        stream.push("b", None, 7)
    stream.push("c")
    stream.flush()
    stream.push("x" * 2000)  # the client does not know of the topic's own limit
    stream.push("d")
    with pytest.raises(ValueError, match="refuses a message"):
        stream.flush()
    assert [value for *_, value in shown(broker.read("small"))] == [b"a", b"c", b"d"]


def test_more_than_librdkafka_keeps(broker: Kafka) -> None:
    broker.create("many")
    settings = {"queue.buffering.max.messages": 100}
    stream = KafkaStream(f"kafka://{broker.address}/many", settings=settings)
    for number in range(1000):
        stream.push(str(number))
    stream.flush()
    assert [int(value) for *_, value in shown(broker.read("many"))] == list(range(1000))


def test_a_broker_that_goes_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    broker = Kafka(tmp_path)
    broker.start()
    try:
        broker.create("away")
        stream = KafkaStream(f"kafka://{broker.address}/away")
        stream.push("0")
        stream.flush()
        caplog.clear()
        broker.kill()
        back = threading.Timer(2, broker.start)
        back.start()
        for number in range(1, 500):
            stream.push(str(number))
        stream.flush()
        back.join()
        # That is told once, and librdkafka says nothing by itself.
        (told,) = caplog.messages
        assert told.startswith(f"messages wait for the topic 'away' on {broker.address}: ")
        assert "rdkafka" not in capfd.readouterr().err
        assert [int(value) for *_, value in shown(broker.read("away"))] == list(range(500))

        # Away for longer than anyone waits: the message fails, and later ones do not.
        impatient = KafkaStream(
            f"kafka://{broker.address}/away", settings={"message.timeout.ms": 3000}
        )
        impatient.push("before")
        impatient.flush()
        broker.stop()
        impatient.push("lost")
        started = time.monotonic()
        with pytest.raises(OSError, match=r"is down: .*timed out"):
            impatient.flush()
        assert time.monotonic() - started < 40
        broker.start()
        impatient.push("after")
        impatient.flush()
        values = [value for *_, value in shown(broker.read("away"))]
        assert values[-2:] == [b"before", b"after"]
    finally:
        broker.kill()


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match=r"the topic 't' on b:1: .*compression"):
        KafkaStream("kafka://b:1/t", settings={"compression.type": "none of them"})
