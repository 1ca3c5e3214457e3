"""The drivers for NATS, RabbitMQ and MQTT, on the real servers."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

import pytest

from graphc.runtime_min import stream_mqtt, stream_nats, stream_rabbitmq, stream_sender
from servers.mosquitto import Mosquitto, Subscriber
from servers.nats import Nats
from servers.rabbitmq import Rabbitmq


class OnNats:
    """A server with a stream of JetStream, and a driver that writes there."""

    server_class, crash = Nats, True

    def __init__(self, server: Any) -> None:
        self.server, self._count = server, 0

    def path(self) -> str:
        self._count += 1
        self.server.add_stream(f"S{self._count}", f"orders.{self._count}")
        return f"nats://{self.server.address}/orders.{self._count}"

    def stream(self, path: str, patience: float = 30) -> Any:
        return stream_nats.NatsStream(path, patience=patience)

    def arrived(self, wanted: int) -> list[tuple[bytes, str | None]]:
        kept = self.server.messages(f"S{self._count}")
        keys = [headers.get("key") for _, headers in kept]
        return [(data, key and unquote(key)) for (data, _), key in zip(kept, keys, strict=True)]

    def close(self) -> None:
        """Nothing is open."""


class OnRabbitmq:
    server_class, crash = Rabbitmq, True

    def __init__(self, server: Any) -> None:
        self.server, self._count = server, 0

    def path(self) -> str:
        self._count += 1
        self.server.declare("events", f"orders.{self._count}", f"reader{self._count}")
        return f"amqp://guest:guest@{self.server.address}/events/orders.{self._count}"

    def stream(self, path: str, patience: float = 30) -> Any:
        return stream_rabbitmq.RabbitmqStream(path, patience=patience)

    def arrived(self, wanted: int) -> list[tuple[bytes, str | None]]:
        waiting = self.server.messages(f"reader{self._count}")
        return [(data, headers.get("key")) for data, headers in waiting]

    def close(self) -> None:
        """Nothing is open."""


class OnMosquitto:
    # A crash of this broker loses what it has not handed on yet.
    server_class, crash = Mosquitto, False

    def __init__(self, server: Any) -> None:
        self.server, self._count = server, 0
        self._subscriber: Any = None

    def path(self) -> str:
        self.close()
        self._count += 1
        self._subscriber = Subscriber(self.server, f"orders/{self._count}")
        return f"mqtt://{self.server.address}/orders/{self._count}"

    def stream(self, path: str, patience: float = 30) -> Any:
        return stream_mqtt.MqttStream(path, patience=patience)

    def arrived(self, wanted: int) -> list[tuple[bytes, str | None]]:
        end = time.monotonic() + 10
        while len(self._subscriber.messages) < wanted and time.monotonic() < end:
            time.sleep(0.05)
        return [(data, None) for data in self._subscriber.messages]

    def close(self) -> None:
        if self._subscriber is not None:
            self._subscriber.close()


@pytest.fixture(
    scope="module", params=[OnNats, OnRabbitmq, OnMosquitto], ids=["nats", "rabbitmq", "mqtt"]
)
def place(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    server = request.param.server_class(tmp_path_factory.mktemp("server"))
    try:
        server.start()
        found = request.param(server)
        yield found
        found.close()
    finally:
        server.close()


@contextmanager
def closing(stream: Any) -> Iterator[Any]:
    try:
        yield stream
    finally:
        stream.close()


def numbers(found: list[tuple[bytes, str | None]]) -> list[int]:
    return [int(data) for data, _ in found]


def test_all_arrives_in_order_with_its_key(place: Any) -> None:
    with closing(place.stream(place.path())) as stream:
        for number in range(1200):
            stream.push(str(number), None if number % 3 == 0 else f"ключ{number}")
        stream.push("ö".encode())
        stream.flush()
        stream.flush()
        found = place.arrived(1201)
    assert numbers(found[:-1]) == list(range(1200))
    assert found[-1] == ("ö".encode(), None)
    if not isinstance(place, OnMosquitto):
        keys = [None if number % 3 == 0 else f"ключ{number}" for number in range(1200)]
        assert [key for _, key in found[:-1]] == keys


def test_nothing_is_lost_while_the_server_is_away(place: Any) -> None:
    with closing(place.stream(place.path())) as stream:
        for number in range(300):
            stream.push(str(number))
        if place.crash:
            place.server.kill()
        else:
            stream.flush()
            place.server.stop()
        for number in range(300, 600):
            stream.push(str(number))
        again = threading.Timer(2, place.server.start)
        again.start()
        stream.flush()
        again.join()
        found = numbers(place.arrived(600))
    # What was confirmed to nobody is sent again, behind what came before.
    assert list(dict.fromkeys(found)) == list(range(600))
    if isinstance(place, OnNats):
        assert len(found) == 600  # Nats-Msg-Id


def test_a_server_that_stays_away(place: Any) -> None:
    with closing(place.stream(place.path(), patience=1.5)) as stream:
        stream.push("0")
        stream.flush()
        place.server.stop()
        try:
            stream.push("1")
            began = time.monotonic()
            with pytest.raises(OSError, match=r"orders.*127\.0\.0\.1"):
                stream.flush()
            assert time.monotonic() - began < 40
            stream.flush()  # what was given up is not waited for
        finally:
            place.server.start()
        stream.push("2")
        stream.flush()
        assert numbers(place.arrived(2)) == [0, 2]


def test_an_idle_connection(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server hears from the driver, so it keeps the connection; if it goes, another is made."""
    monkeypatch.setattr(stream_sender, "_IDLE", 0.2)
    monkeypatch.setattr(stream_rabbitmq, "_HEARTBEAT", 1)
    monkeypatch.setattr(stream_mqtt, "_KEEPALIVE", 1)
    with closing(place.stream(place.path())) as stream:
        stream.push("0")
        stream.flush()
        client = stream.connection
        time.sleep(4)
        stream.push("1")
        stream.flush()
        assert stream.connection is client
        place.server.stop()
        place.server.start()
        time.sleep(0.5)
        stream.push("2")
        stream.flush()
        assert stream.connection is not client
        assert numbers(place.arrived(3)) == [0, 1, 2]


@pytest.mark.parametrize("place", [OnNats], ids=["nats"], indirect=True)
def test_messages_too_long_for_nats(place: Any) -> None:
    with closing(place.stream(place.path())) as stream:
        with pytest.raises(ValueError, match="refuses a message: it takes at most 1048576 bytes"):
            stream.push("x" * 2_000_000)
        stream.push("x" * 900_000)
        stream.flush()
        assert [len(data) for data, _ in place.arrived(1)] == [900_000]


@pytest.mark.parametrize("place", [OnNats, OnRabbitmq], ids=["nats", "rabbitmq"], indirect=True)
def test_what_nobody_keeps(place: Any) -> None:
    """A subject without a stream, a key without a queue: not confirmed."""
    with closing(place.stream(place.path() + ".nobody", patience=0.5)) as stream:
        stream.push("1")
        with pytest.raises(OSError, match=r"not confirmed by JetStream|no queue takes the message"):
            stream.flush()


@pytest.mark.parametrize(
    ("driver", "path"),
    [
        (stream_nats.NatsStream, "nats://h:4222"),
        (stream_nats.NatsStream, "nats://h/a.*"),
        (stream_nats.NatsStream, "nats:///a"),
        (stream_rabbitmq.RabbitmqStream, "amqp://h:5672/"),
        (stream_rabbitmq.RabbitmqStream, "amqp:///e/k"),
        (stream_mqtt.MqttStream, "mqtt://h"),
        (stream_mqtt.MqttStream, "mqtt://h/a/#"),
    ],
)
def test_paths_that_name_nothing(driver: Any, path: str) -> None:
    with pytest.raises(ValueError, match="names no"):
        driver(path)


def test_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the path; else of the environment, where no file shows them."""
    monkeypatch.setenv("RABBITMQ_USERNAME", "env")
    monkeypatch.setenv("RABBITMQ_PASSWORD", "secret")
    own = stream_rabbitmq.RabbitmqStream("amqp://a%40b:p%2Fw@h/e/k")
    assert own._login == ("a@b", "p/w")
    assert stream_rabbitmq.RabbitmqStream("amqp://h/e/k")._login == ("env", "secret")
    broken = stream_rabbitmq.RabbitmqStream("amqp://u:hidden@localhost:1/e/k", patience=0)
    broken.push("1")
    with pytest.raises(OSError, match=r"the exchange 'e' 'k' on localhost:1: ") as caught:
        broken.flush()
    assert "hidden" not in str(caught.value)
