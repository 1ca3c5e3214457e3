"""Topics of MQTT, written through paho-mqtt with QoS 1: the broker confirms each message."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import unquote, urlsplit

from .stream_sender import Denied, Message, Sender, login
from .streams import PATIENCE

_TIMEOUT = 10.0
_KEEPALIVE = 60
_QOS = 1
_BATCH = 500


class MqttStream(Sender):
    """`mqtt://host:1883/topic/of/levels`, `mqtts://...` (TLS). Messages have no keys.

    A broker also confirms what nobody has subscribed to, and forgets it.
    """

    schemes = ("mqtt", "mqtts")

    def __init__(self, path: str, patience: float = PATIENCE, **_: Any) -> None:
        url = urlsplit(path)
        self._topic = unquote(url.path.strip("/"))
        if not url.hostname or not self._topic or set(path) & set("+#\0"):
            raise ValueError(f"{path!r} names no broker or no topic of MQTT")
        self._host = url.hostname
        self._tls = url.scheme == "mqtts"
        self._port = url.port or (8883 if self._tls else 1883)
        self._login = login(url, "MQTT")
        name = f"the topic {self._topic!r} on {self._host}:{self._port}"
        super().__init__(name, _BATCH, patience)

    def _connect(self) -> None:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self.connection = Client(CallbackAPIVersion.VERSION2)
        user, password = self._login
        if user is not None:
            self.connection.username_pw_set(user, password)
        if self._tls:
            self.connection.tls_set()
        self.connection.max_inflight_messages_set(_BATCH)
        answers: list[Any] = []
        self.connection.on_connect = lambda *arguments: answers.append(arguments[3])
        self.connection.connect(self._host, self._port, _KEEPALIVE)
        self._turn(lambda: bool(answers))
        if answers[0].is_failure:
            raise Denied(f"the broker does not let us in: {answers[0]}")

    def _send(self, messages: list[Message]) -> None:
        sent = [
            self.connection.publish(self._topic, message.data, _QOS)
            for message in messages
        ]
        try:
            self._turn(lambda: all(map(_arrived, sent)))
        finally:
            messages[:] = [
                message
                for message, publish in zip(messages, sent)
                if not _arrived(publish)
            ]

    def _turn(self, done: Any) -> None:
        """Let the client read and write until it is done; raises OSError if it cannot."""
        from paho.mqtt.client import error_string

        end = time.monotonic() + _TIMEOUT
        while not done():
            if time.monotonic() > end:
                raise OSError("the broker did not answer in time")
            problem = self.connection.loop(0.1)
            if problem:
                raise OSError(error_string(problem))

    def _look_after(self) -> None:
        # Sends and reads pings.
        problem = self.connection.loop(0)
        if problem:
            raise OSError(f"the connection ended: {problem}")

    def _disconnect(self) -> None:
        self.connection.disconnect()


def _arrived(publish: Any) -> bool:
    return publish.rc == 0 and bool(publish.is_published())
