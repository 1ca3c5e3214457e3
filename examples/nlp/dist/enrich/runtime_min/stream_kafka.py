"""Kafka topics, written through confluent-kafka."""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .streams import PATIENCE

_LOGGER = logging.getLogger(__name__)
#: Seconds before it is told again that messages wait.
_SILENCE = 30.0
_SETTINGS = {
    # In order, once each, and confirmed only when all replicas that keep up have it.
    "enable.idempotence": True,
    "acks": "all",
    "message.timeout.ms": int(PATIENCE * 1000),
    "linger.ms": 5,
    "reconnect.backoff.max.ms": 1000,
    # Keys lead to the partitions to which Java's and kafka-python's producers put them.
    "partitioner": "murmur2_random",
    # It has a line for each attempt to connect; `_tell_trouble` is enough.
    "log_level": 0,
}
#: Refusals of one message, which a later attempt would meet again.
_REFUSED = (
    "MSG_SIZE_TOO_LARGE",
    "_UNKNOWN_PARTITION",
    "INVALID_RECORD",
    "_INVALID_ARG",
)


class KafkaStream:
    """A topic: `kafka://broker:9092/topic`, `kafka://broker?topic=topic`.

    `brokers` are further ones, or all where the path is the topic alone; `settings` those
    of librdkafka; what other streams are told is passed over. Messages that wait are sent
    again until PATIENCE is over, by librdkafka itself, and in order.
    """

    schemes = ("kafka",)

    def __init__(
        self,
        path: str,
        brokers: str | list[str] | None = None,
        settings: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        self._topic, self._brokers = _topic_and_brokers(path, brokers)
        self._settings = {**_SETTINGS, **(settings or {})}
        #: Has anything been sent since the last `flush`?
        self._sent = False
        self._failures: list[tuple[Any, Any]] = []
        #: What librdkafka has met since messages began to wait, and when that may be told.
        self._trouble = ""
        self._tell_from = 0.0
        # It connects behind the scenes; settings that make no sense end the start.
        self._producer = self._start()

    def push(
        self, data: str | bytes, key: str | None = None, shard: int | None = None
    ) -> None:
        producer = self._producer = self._producer or self._start()
        partition = -1 if shard is None else shard
        self._sent = True
        try:
            try:
                producer.produce(self._topic, data, key, partition)
            except BufferError:  # more is under way than librdkafka keeps
                self.flush()
                self.push(data, key, shard)
        except self._error as exc:
            error = exc.args[0]
            if error.name() in _REFUSED:
                raise ValueError(f"{self} refuses a message: {error.str()}") from exc
            self._producer = None
            raise OSError(f"{self} is down: {error.str()}") from exc

    def flush(self) -> None:
        if not self._sent:
            return
        self._sent = False
        error = None
        for _, message in self._delivered():
            # A batch is refused as a whole; most of it may be welcome by itself.
            place = message.partition()
            self._producer.produce(self._topic, message.value(), message.key(), place)
            for alone, _ in self._delivered():
                error = alone
        if error is not None:
            raise ValueError(f"{self} refuses a message: {error.str()}")

    def under_way(self) -> bool:
        return self._producer is not None and self._producer.flush(0) > 0

    def _delivered(self) -> list[tuple[Any, Any]]:
        """The messages that were refused, and why; raises OSError for what did not arrive."""
        # Each message arrives or fails when its time is over, so this ends.
        while self._producer is not None and self._producer.flush(1.0):
            self._tell_trouble()
        self._trouble, self._tell_from = "", 0.0
        failures, self._failures = self._failures, []
        for error, _ in failures:
            if error.name() not in _REFUSED:
                # After a fatal error a producer takes nothing more; a new one does.
                self._producer = None
                raise OSError(f"{self} is down: {error.str()}")
        return failures

    def close(self) -> None:
        if self._producer is not None:
            self._producer.flush(1.0)
            self._producer = None

    def __str__(self) -> str:
        return f"the topic {self._topic!r} on {self._brokers}"

    def _start(self) -> Any:
        from confluent_kafka import KafkaException, Producer

        self._error = KafkaException
        settings = {**self._settings, "bootstrap.servers": self._brokers}
        try:
            return Producer(
                {**settings, "on_delivery": self._failed, "error_cb": self._met}
            )
        except KafkaException as exc:
            raise ValueError(f"{self}: {exc.args[0].str()}") from exc

    def _met(self, error: Any) -> None:
        self._trouble = error.str()

    def _tell_trouble(self) -> None:
        now = time.monotonic()
        if now >= self._tell_from:
            self._tell_from = now + _SILENCE
            why = self._trouble or "no answer"
            _LOGGER.warning("messages wait for %s: %s", self, why)

    def _failed(self, error: Any, message: Any) -> None:
        if error is not None:
            self._failures.append((error, message))


def _topic_and_brokers(path: str, brokers: str | list[str] | None) -> tuple[str, str]:
    """As mlrun 1.12 reads them (`parse_kafka_url`); raises ValueError."""
    url = urlsplit(path)
    more = brokers.split(",") if isinstance(brokers, str) else brokers or []
    topic = parse_qs(url.query).get("topic", [url.path.lstrip("/")])[0]
    addresses = [address for address in (url.netloc, *more) if address]
    if not topic or not addresses:
        raise ValueError(f"{path!r} names no {'broker' if topic else 'topic'}")
    return topic, ",".join(addresses)
