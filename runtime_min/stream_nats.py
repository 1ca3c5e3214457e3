"""Subjects of NATS, kept by JetStream, written through nats-py."""

from __future__ import annotations

import asyncio
import os
import uuid
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from .stream_sender import Message, Sender, login
from .streams import PATIENCE

_TIMEOUT = 10
#: Below it no server says no (its own limit is usually 1 MiB).
_ALWAYS_TAKEN = 32 * 1024
_ROOM_FOR_HEADERS = 1024


class NatsStream(Sender):
    """`nats://host:4222[,host:4222]/subject`; a stream of JetStream has to take the subject.

    Each message is confirmed by JetStream. One that is sent again has the same
    Nats-Msg-Id, so that it is kept once. The key is the header `key`,
    percent-encoded.
    """

    schemes = ("nats",)

    def __init__(self, path: str, patience: float = PATIENCE, **_: Any) -> None:
        url = urlsplit(path)
        hosts = url.netloc.rpartition("@")[2]
        self._subject = unquote(url.path.strip("/"))
        if not hosts or not self._subject or set(self._subject) & set(" \t\r\n*>"):
            raise ValueError(f"{path!r} names no server or no subject of NATS")
        super().__init__(f"the subject {self._subject!r} on {hosts}", patience=patience)
        self._servers = [f"nats://{host}" for host in hosts.split(",")]
        user, password = login(url, "NATS")
        self._login: dict[str, Any] = {"user": user, "password": password}
        if url.username and url.password is None:
            self._login = {"token": user}
        elif user is None and os.environ.get("NATS_CREDS"):
            self._login = {"user_credentials": os.environ["NATS_CREDS"]}
        self._id = uuid.uuid4().hex
        #: The longest message that the server takes, once it has said so.
        self._longest = 0

    def push(
        self, data: str | bytes, key: str | None = None, shard: int | None = None
    ) -> None:
        encoded = data.encode() if isinstance(data, str) else data
        size = len(encoded) + len(quote(key or "")) + _ROOM_FOR_HEADERS
        if size > (self._longest or _ALWAYS_TAKEN):
            if not self._longest:
                self.open(wait=True)
            if size > self._longest:
                limit = f"it takes at most {self._longest} bytes"
                raise ValueError(f"{self._name} refuses a message: {limit}")
        super().push(encoded, key, shard)

    def _connect(self) -> None:
        from nats.aio.client import Client

        async def ignore(_: Exception) -> None:
            """What goes wrong is told by what waits for it."""

        async def closed() -> None:
            if not self._closing.done():
                self._closing.set_result(None)

        self._loop = asyncio.new_event_loop()
        self._closing = self._loop.create_future()
        self.connection = Client()
        self._loop.run_until_complete(
            self.connection.connect(
                self._servers,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=_TIMEOUT,
                error_cb=ignore,
                closed_cb=closed,
                **self._login,
            )
        )
        self._jetstream = self.connection.jetstream()
        self._longest = self.connection.max_payload

    def _send(self, messages: list[Message]) -> None:
        self._loop.run_until_complete(self._publish(messages))

    async def _publish(self, messages: list[Message]) -> None:
        sent = []
        for message in messages:
            headers = {"Nats-Msg-Id": f"{self._id}-{message.number}"}
            if message.key is not None:
                headers["key"] = quote(message.key)
            publish = self._jetstream.publish_async
            sent.append(await publish(self._subject, message.data, headers=headers))
        answers = asyncio.gather(*sent, return_exceptions=True)
        await asyncio.wait(
            (answers, self._closing),
            timeout=_TIMEOUT,
            return_when=asyncio.FIRST_COMPLETED,
        )
        failures = [
            answer.exception() if answer.done() else asyncio.TimeoutError()
            for answer in sent
        ]
        messages[:] = [
            message for message, failure in zip(messages, failures) if failure
        ]
        for failure in failures:
            if failure is not None:
                raise OSError(f"not confirmed by JetStream: {failure!r}") from failure

    def _look_after(self) -> None:
        # The client answers the server's pings while its loop runs.
        self._loop.run_until_complete(asyncio.sleep(0.01))
        if not self.connection.is_connected:
            raise OSError("the server closed the connection")

    def _disconnect(self) -> None:
        if not self._loop.is_closed():
            try:
                self._loop.run_until_complete(self.connection.close())
            finally:
                self._loop.close()
