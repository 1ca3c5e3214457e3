"""Kafka's topics, read through confluent-kafka, which is loaded when there is need."""

from __future__ import annotations

import asyncio
import importlib
import logging
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any

from ..diagnostics import GraphError
from .process import Log
from .sources import Claims, Message, Partition
from .triggers import SESSION_TIMEOUT, StreamTrigger, seconds
from .worker import topic_of

#: Seconds before the same is said again.
_SILENCE = 30.0
#: Seconds that a read waits for the first message.
_PAUSE = 0.1
#: Seconds that the broker has to answer.
_PATIENCE = 5.0


class KafkaSource:
    """The topics of a trigger, for its group.

    librdkafka's calls block, so they are made on a thread of their own, one after another; it is
    there, inside of a read, that partitions come and go.
    """

    def __init__(self, trigger: StreamTrigger, brokers: str, log: Log) -> None:
        self._trigger = trigger
        self._brokers = brokers
        self._log = log
        self._kafka = confluent_kafka()
        #: Streams by their topics: what is no topic's name has one made of it.
        self._streams = {topic_of(stream): stream for stream in trigger.streams}
        self._topics = {stream: topic for topic, stream in self._streams.items()}
        self._thread = _Thread(f"kafka {trigger.name}")
        self._consumer: Any = None
        self._claims: Claims | None = None
        self._claimed: set[Partition] = set()
        #: When a kind of trouble may be said again.
        self._said: dict[str, float] = {}

    @property
    def is_at_end(self) -> bool:
        return True  # It cannot be told.

    async def open(self, claims: Claims) -> None:
        loop = asyncio.get_running_loop()
        self._claims = claims

        def on_loop(answer: Coroutine[Any, Any, Any]) -> Any:
            return asyncio.run_coroutine_threadsafe(answer, loop).result()

        async def told(tell: Callable[[Sequence[Partition]], None], these: list[Partition]) -> None:
            tell(these)

        def assigned(_: Any, partitions: Sequence[Any]) -> None:
            these = self._named(partitions)
            self._claimed.update(these)
            on_loop(told(claims.claimed, these))

        def revoked(consumer: Any, partitions: Sequence[Any]) -> None:
            positions = on_loop(claims.release(self._given_up(consumer, partitions)))
            try:
                self._commit(positions)
            except OSError as error:
                self._not_committed(error)

        def lost(consumer: Any, partitions: Sequence[Any]) -> None:
            on_loop(told(claims.lost, self._given_up(consumer, partitions)))

        def start() -> None:
            self._consumer = self._kafka.Consumer(self._settings(), logger=_silent())
            self._consumer.subscribe(
                list(self._streams), on_assign=assigned, on_revoke=revoked, on_lost=lost
            )

        try:
            await self._thread.call(start)
        except self._kafka.KafkaException as error:
            raise GraphError(
                f"trigger {self._trigger.name} cannot be read: {error.args[0]}", code="GC043"
            ) from None

    def _named(self, partitions: Sequence[Any]) -> list[Partition]:
        return [(self._streams[each.topic], each.partition) for each in partitions]

    def _given_up(self, consumer: Any, partitions: Sequence[Any]) -> list[Partition]:
        # librdkafka holds them for whom they come back to, too.
        consumer.resume(partitions)
        these = self._named(partitions)
        self._claimed.difference_update(these)
        return these

    async def read(self, most: int) -> Sequence[Message]:
        def read() -> list[Any]:
            first = self._consumer.poll(_PAUSE)
            return [] if first is None else [first, *self._consumer.consume(most - 1, 0)]

        messages = []
        for record in await self._thread.call(read):
            if record.error() is not None:
                self._say(record.error())
                continue
            headers = {name: value or b"" for name, value in record.headers() or ()}
            messages.append(
                Message(
                    self._streams[record.topic()],
                    record.partition(),
                    record.offset(),
                    record.value() or b"",
                    max(record.timestamp()[1], 0) // 1000,
                    headers,
                )
            )
        return messages

    async def hold(self, partitions: Sequence[Partition], held: bool) -> None:
        call = self._consumer.pause if held else self._consumer.resume
        with suppress(self._kafka.KafkaException):  # It may just have been taken away.
            await self._thread.call(call, self._positions(dict.fromkeys(partitions, 0)))

    async def rewind(self, positions: Mapping[Partition, int]) -> None:
        for position in self._positions(positions):
            try:
                await self._thread.call(self._consumer.seek, position)
            except self._kafka.KafkaException as error:
                raise OSError(error.args[0].str()) from None

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        await self._thread.call(self._commit, positions)

    async def close(self) -> None:
        if self._claims is None or self._consumer is None:
            return
        positions = await self._claims.release(list(self._claimed))
        try:
            await asyncio.wait_for(self.commit(positions), _PATIENCE)
        except (OSError, TimeoutError) as error:
            self._not_committed(error)
        # Without a broker it may never return.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._thread.call(self._consumer.close), _PATIENCE)

    def _commit(self, positions: Mapping[Partition, int]) -> None:
        if not positions:
            return
        try:
            done = self._consumer.commit(offsets=self._positions(positions), asynchronous=False)
        except self._kafka.KafkaException as error:
            raise OSError(error.args[0].str()) from None
        for each in done:
            if each.error is not None:
                raise OSError(each.error.str())

    def _not_committed(self, error: Exception) -> None:
        self._log(f"what was done last is not committed and comes again: {error or 'no answer'}")

    def _positions(self, positions: Mapping[Partition, int]) -> list[Any]:
        return [
            self._kafka.TopicPartition(self._topics[stream], partition, offset)
            for (stream, partition), offset in positions.items()
        ]

    def _settings(self) -> dict[str, Any]:
        trigger, attributes = self._trigger, self._trigger.attributes
        session = seconds(attributes.get("sessionTimeout"), SESSION_TIMEOUT)
        return {
            "bootstrap.servers": self._brokers,
            "group.id": trigger.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest" if trigger.from_start else "latest",
            "partition.assignment.strategy": (
                "roundrobin" if attributes.get("balanceStrategy") == "roundrobin" else "range"
            ),
            "session.timeout.ms": round(session * 1000),
            "heartbeat.interval.ms": round(
                1000 * min(seconds(attributes.get("heartbeatInterval"), 3.0), session / 3)
            ),
            # A handler has all the time it takes, as far as librdkafka lets it.
            "max.poll.interval.ms": 86_400_000,
            # A topic that is made later is seen soon, and a broker that is back.
            "topic.metadata.refresh.interval.ms": 2_000,
            "reconnect.backoff.max.ms": 1_000,
            "error_cb": self._say,
            **_security(attributes),
        }

    def _say(self, error: Any) -> None:
        """Once in a while, however often it is met: librdkafka tries again."""
        name, now = error.name(), time.monotonic()
        if now >= self._said.get(name, now):
            self._said[name] = now + _SILENCE
            self._log(f"{self._trigger.name}: {error.str()}")


class _Thread:
    """Makes calls one after another; one that never returns does not keep the process."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    async def call(self, call: Callable[..., Any], *arguments: Any) -> Any:
        future: Future[Any] = Future()
        self._calls.put((future, partial(call, *arguments)))
        return await asyncio.wrap_future(future)

    def _run(self) -> None:
        while True:
            future, call = self._calls.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call())
                except BaseException as error:
                    future.set_exception(error)


def confluent_kafka() -> Any:
    """The library; GC043 if it is not there."""
    try:
        import confluent_kafka
    except ImportError:
        raise GraphError(
            "a Kafka broker is read with confluent-kafka, which is not installed",
            code="GC043",
            help="pip install 'graphc[kafka]'",
        ) from None
    return confluent_kafka


async def make_topics(brokers: str, topics: Mapping[str, int]) -> None:
    """Make the topics that are missing, with so many partitions; GC043 if the broker is."""
    await asyncio.to_thread(_make_topics, brokers, topics)


def _make_topics(brokers: str, topics: Mapping[str, int]) -> None:
    kafka = confluent_kafka()
    administration = importlib.import_module("confluent_kafka.admin")

    admin = administration.AdminClient(
        {"bootstrap.servers": brokers, "reconnect.backoff.max.ms": 1_000}, logger=_silent()
    )
    try:
        there = admin.list_topics(timeout=_PATIENCE).topics
    except kafka.KafkaException as error:
        raise GraphError(
            f"the broker {brokers} does not answer: {error.args[0].str()}",
            code="GC043",
            help="--broker names it as kafka://host:port",
        ) from None
    wanted = [
        administration.NewTopic(name, num_partitions=count, replication_factor=1)
        for name, count in topics.items()
        if name not in there
    ]
    for name, made in (admin.create_topics(wanted) if wanted else {}).items():
        try:
            made.result(_PATIENCE)
        except kafka.KafkaException as error:
            if error.args[0].code() != kafka.KafkaError.TOPIC_ALREADY_EXISTS:
                raise GraphError(
                    f"the topic {name} cannot be made: {error.args[0].str()}", code="GC043"
                ) from None


def _security(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What Nuclio's attributes `sasl`, `tls` and `caCert` say, as librdkafka has it."""
    sasl, tls = attributes.get("sasl"), attributes.get("tls")
    settings: dict[str, Any] = {}
    encrypted = isinstance(tls, dict) and tls.get("enable") is True
    authentic = isinstance(sasl, dict) and sasl.get("enable") is True
    if "BEGIN CERTIFICATE" in str(attributes.get("caCert")):
        encrypted, settings["ssl.ca.pem"] = True, attributes["caCert"]
    if isinstance(tls, dict) and tls.get("insecureSkipVerify") is True:
        settings["enable.ssl.certificate.verification"] = False
    if isinstance(sasl, dict) and authentic:
        settings["sasl.mechanism"] = str(sasl.get("mechanism") or "PLAIN")
        settings["sasl.username"] = str(sasl.get("user") or "")
        settings["sasl.password"] = str(sasl.get("password") or "")
    if encrypted or authentic:
        settings["security.protocol"] = ("SASL_" if authentic else "") + (
            "SSL" if encrypted else "PLAINTEXT"
        )
    return settings


def _silent() -> logging.Logger:
    """What librdkafka logs beside the errors that it reports."""
    logger = logging.getLogger("graphc.kafka")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    return logger
