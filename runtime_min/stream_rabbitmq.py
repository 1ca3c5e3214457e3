"""Exchanges and queues of RabbitMQ, written through pika with publisher confirms."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from .stream_sender import Message, Sender, login
from .streams import PATIENCE

_TIMEOUT = 10
_HEARTBEAT = 60
_PERSISTENT = 2


class RabbitmqStream(Sender):
    """`amqp://host:5672/exchange/routing-key`, `amqp://host:5672/queue`; `amqps` is TLS.

    `?vhost=name` names a virtual host. Exchanges and queues are not created. A message is
    confirmed when the queues that take it have it on disk; one that no queue takes is not
    confirmed. The key is the header `key`.
    """

    schemes = ("amqp", "amqps")

    def __init__(self, path: str, patience: float = PATIENCE, **_: Any) -> None:
        url = urlsplit(path)
        exchange, _slash, key = url.path.strip("/").partition("/")
        if not key:
            exchange, key = "", exchange
        self._exchange, self._routing_key = unquote(exchange), unquote(key)
        if not url.hostname or not key:
            raise ValueError(f"{path!r} names no server, exchange and routing key")
        self._host = url.hostname
        self._tls = url.scheme == "amqps"
        self._port = url.port or (5671 if self._tls else 5672)
        self._vhost = parse_qs(url.query).get("vhost", ["/"])[0]
        self._login = login(url, "RABBITMQ")
        place = f"the exchange {self._exchange!r}" if exchange else "the queue"
        name = f"{place} {self._routing_key!r} on {self._host}:{self._port}"
        super().__init__(name, patience=patience)

    def _connect(self) -> None:
        import pika

        user, password = self._login
        tls = ssl.create_default_context() if self._tls else None
        self.connection = pika.BlockingConnection(
            pika.ConnectionParameters(
                self._host,
                self._port,
                self._vhost,
                pika.PlainCredentials(user or "guest", password or "guest"),
                heartbeat=_HEARTBEAT,
                blocked_connection_timeout=_TIMEOUT,
                socket_timeout=_TIMEOUT,
                stack_timeout=_TIMEOUT,
                ssl_options=tls and pika.SSLOptions(tls, self._host),
            )
        )
        self._channel = self.connection.channel()
        self._channel.confirm_delivery()

    def _send(self, messages: list[Message]) -> None:
        from pika import BasicProperties
        from pika.exceptions import UnroutableError

        while messages:
            key = messages[0].key
            headers = None if key is None else {"key": key}
            try:
                self._channel.basic_publish(
                    self._exchange,
                    self._routing_key,
                    messages[0].data,
                    BasicProperties(delivery_mode=_PERSISTENT, headers=headers),
                    mandatory=True,
                )
            except UnroutableError as exc:
                raise OSError("no queue takes the message") from exc
            del messages[0]

    def _look_after(self) -> None:
        # Sends and reads heartbeats.
        self.connection.process_data_events(0)

    def _disconnect(self) -> None:
        self.connection.close()
