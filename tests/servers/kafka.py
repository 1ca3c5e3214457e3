"""A real Apache Kafka broker: one node, loopback only, fetched from Maven Central.

`python -m tests.servers.kafka` fetches the jars into .ci/kafka, where tests find them.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import Server, free_port, missing, wait_until

#: What packages are tested with, and what Nuclio 1.14 can commit to.
NEWEST, NUCLIOS = "4.3.1", "3.9.2"

_JARS = Path(__file__).parents[2] / ".ci" / "kafka"
_LOG4J = "2.25.4"
_CLUSTER = "Z3JhcGhjLWNpLWthZmthMQ"
_POM = """<project><modelVersion>4.0.0</modelVersion>
<groupId>ci</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>{}</dependencies></project>
"""
_DEPENDENCY = (
    "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
)
_LOG4J_PROPERTIES = """rootLogger.level=WARN
rootLogger.appenderRef.c.ref=C
appender.c.type=Console
appender.c.name=C
appender.c.layout.type=PatternLayout
appender.c.layout.pattern=%d{HH:mm:ss.SSS} %p %c{1} %m%n
"""


class Kafka(Server):
    """A broker; `address` is where it is, also after a restart, which keeps its data."""

    def __init__(self, folder: Path, version: str = NEWEST) -> None:
        java = shutil.which("java")
        jars = _JARS / version
        if java is None or not jars.is_dir():
            missing(f"Kafka {version}", "install java and maven, run python -m tests.servers.kafka")
        port, controller = free_port(), free_port()
        folder.mkdir(parents=True, exist_ok=True)
        properties = folder / "server.properties"
        properties.write_text(_properties(folder, port, controller))
        (folder / "log4j2.properties").write_text(_LOG4J_PROPERTIES)
        run = [java, "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        run += ["-cp", f"{jars}/*", f"-Dlog4j2.configurationFile={folder}/log4j2.properties"]
        if not (folder / "data" / "meta.properties").exists():
            command = [*run, "kafka.tools.StorageTool", "format", "-t", _CLUSTER]
            subprocess.run([*command, "-c", str(properties)], check=True, capture_output=True)
        super().__init__([*run, "kafka.Kafka", str(properties)], port, folder)
        self.address = f"127.0.0.1:{port}"
        self._admin: Any = None

    def create(self, *topics: str, partitions: int = 1, settings: Any = None) -> None:
        """Makes topics."""
        from confluent_kafka.admin import NewTopic

        wanted = [NewTopic(topic, partitions, 1, config=settings or {}) for topic in topics]
        made = self.admin().create_topics(wanted)
        for future in made.values():
            future.result(30)

    def delete(self, *topics: str) -> None:
        """Removes topics, and returns when they are gone."""
        for future in self.admin().delete_topics([*topics]).values():
            future.result(30)
        wait_until(lambda: {*topics}.isdisjoint(self.admin().list_topics(timeout=30).topics), 30)

    def admin(self) -> Any:
        from confluent_kafka.admin import AdminClient

        if self._admin is None:
            self._admin = AdminClient(self._client())
        self._admin.list_topics(timeout=30)  # when the broker answers
        return self._admin

    def send(self, topic: str, *messages: str | bytes, partition: int = -1) -> None:
        """Writes messages, and returns when the broker has them."""
        from confluent_kafka import Producer

        producer = Producer(self._client() | {"enable.idempotence": True})
        for message in messages:
            producer.produce(topic, message, partition=partition)
        assert producer.flush(60) == 0

    def read(self, topic: str, count: int | None = None, patience: float = 30) -> list[Any]:
        """The messages of a topic, partition by partition: all, or when there are so many."""
        from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

        settings = {"group.id": "tests", "enable.auto.commit": False, "auto.offset.reset": "error"}
        consumer = Consumer(self._client() | settings)
        try:
            partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
            places = [TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions]
            consumer.assign(places)
            found: list[Any] = []
            end = time.monotonic() + patience
            while time.monotonic() < end:
                found += [
                    message for message in consumer.consume(10_000, 0.2) if not message.error()
                ]
                left = sum(consumer.get_watermark_offsets(place)[1] for place in places)
                if len(found) >= (left if count is None else count):
                    break
            return sorted(found, key=lambda message: (message.partition(), message.offset()))
        finally:
            consumer.close()

    def count(self, topic: str) -> int:
        """How many messages a topic has."""
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer(self._client() | {"group.id": "tests"})
        try:
            partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
            return sum(
                consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=30)[1]
                for number in partitions
            )
        finally:
            consumer.close()

    def committed(self, group: str, topic: str, partition: int = 0) -> int:
        """Up to where a group has read a partition; below 0 if it has committed nothing."""
        from confluent_kafka import Consumer, KafkaException, TopicPartition

        consumer = Consumer(self._client() | {"group.id": group})
        end = time.monotonic() + 30
        try:
            while True:
                try:
                    (found,) = consumer.committed([TopicPartition(topic, partition)], timeout=30)
                except KafkaException:  # a broker that has just started has no coordinator
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.1)
                else:
                    offset: int = found.offset
                    return offset
        finally:
            consumer.close()

    def _client(self) -> dict[str, Any]:
        return {
            "bootstrap.servers": self.address,
            "reconnect.backoff.max.ms": 100,
            "log_level": 0,
        }


@contextmanager
def kafka(folder: Path, version: str = NEWEST) -> Iterator[Kafka]:
    """A broker that runs."""
    broker = Kafka(folder, version)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


def fetch(version: str) -> None:
    """Brings the jars of a version, unless they are there."""
    folder = _JARS / version
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / f"{version}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return
        wanted = [_DEPENDENCY.format("org.apache.kafka", "kafka_2.13", version)]
        if version.startswith("4"):  # else it writes no log
            wanted.append(
                _DEPENDENCY.format("org.apache.logging.log4j", "log4j-slf4j-impl", _LOG4J)
            )
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        (part / "pom.xml").write_text(_POM.format("".join(wanted)))
        command = ["mvn", "-B", "-ntp", "-q", "-f", str(part / "pom.xml")]
        command += ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        subprocess.run([*command, f"-DoutputDirectory={part}/jars"], check=True)
        (part / "jars").rename(folder)
        shutil.rmtree(part)


def _properties(folder: Path, port: int, controller: int) -> str:
    ones = [
        "offsets.topic.num.partitions",
        "offsets.topic.replication.factor",
        "transaction.state.log.num.partitions",
        "transaction.state.log.replication.factor",
        "transaction.state.log.min.isr",
        "share.coordinator.state.topic.num.partitions",
        "share.coordinator.state.topic.replication.factor",
        "share.coordinator.state.topic.min.isr",
    ]
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": folder / "data",
        "num.partitions": 1,
        **dict.fromkeys(ones, 1),  # one node cannot hold three copies
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 500,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        "auto.create.topics.enable": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


if __name__ == "__main__":
    for wanted in sys.argv[1:] or [NEWEST]:
        fetch(wanted)
