"""What the drivers share whose clients wait for the server's word.

A thread sends what was pushed, in order, and tries again while the server is away: the
handler goes on with its event meanwhile. It also keeps the connection of an idle function
alive, or finds out that it is gone.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import NamedTuple
from urllib.parse import SplitResult, unquote

from .streams import PATIENCE, attempts

#: As many messages wait at most; `push` waits beyond that.
_MOST = 10_000
#: Seconds without messages after which connections are looked after.
_IDLE = 5.0
#: Statuses of HTTP below 500 after which another attempt may succeed.
_LATER = frozenset((408, 425, 429))
#: What says that the message is wrong, and not that there is nobody to take it.
_WRONG = frozenset((400, 413, 415, 422))


class Message(NamedTuple):
    """What is sent."""

    data: bytes
    key: str | None
    shard: int | None
    #: Among those of this stream; the same whenever it is sent again.
    number: int


class Refused(ValueError):
    """The server will never take one of the messages."""


class Denied(OSError):
    """The server takes nothing from us, and another attempt would not change that."""


class Sender:
    """A stream (`streams.Stream`); what differs between servers are four methods.

    All four are called by one thread only. Whatever they raise ends the connection; the
    messages that are left are sent through another one, until `patience` seconds have
    passed without progress. Then they are given up, and `flush` raises OSError. Only a
    message that is Refused is given up alone.
    """

    def __init__(self, name: str, batch: int = 100, patience: float = PATIENCE) -> None:
        self._name = name
        self._batch = batch
        self._patience = patience
        self._waiting: deque[Message] = deque()
        self._sending: list[Message] = []
        self._count = 0
        self._failure: OSError | None = None
        self._refusal: Refused | None = None
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._connected = False
        #: Is a connection made before there is something to send?
        self._wanted = False
        self._closed = False

    def _connect(self) -> None:
        """Make a connection."""

    def _send(self, messages: list[Message]) -> None:
        """Send messages, and take out of the list those that the server has confirmed."""
        raise NotImplementedError

    def _look_after(self) -> None:
        """Answer the server's questions whether somebody is there."""

    def _disconnect(self) -> None:
        """Close the connection, whatever its state."""

    # -- for those who send

    def push(
        self, data: str | bytes, key: str | None = None, shard: int | None = None
    ) -> None:
        """Send a message behind those before it."""
        encoded = data.encode() if isinstance(data, str) else data
        with self._changed:
            while len(self._waiting) >= _MOST:
                self._changed.wait()
            self._waiting.append(Message(encoded, key, shard, self._count))
            self._count += 1
            self._start()
            self._changed.notify_all()

    def flush(self) -> None:
        """Return when the server has confirmed everything; raises OSError if it has not.

        Raises ValueError if it has but for messages that it will never take.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self.under_way())
            failure, self._failure = self._failure, None
            refusal, self._refusal = self._refusal, None
        if failure is not None:
            raise OSError(f"{self._name}: {failure}") from failure
        if refusal is not None:
            raise ValueError(f"{self._name} refuses a message: {refusal}") from refusal

    def under_way(self) -> bool:
        with self._changed:
            return bool(self._waiting or self._sending) and self._failure is None

    def close(self) -> None:
        """End the thread, and the connection with it."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_IDLE)

    def open(self, wait: bool = False) -> None:
        """Make the connection now; `wait` for it, or raise OSError."""
        with self._changed:
            self._wanted = not self._connected
            self._start()
            self._changed.notify_all()
            if wait and not self._changed.wait_for(
                lambda: self._connected, self._patience
            ):
                raise OSError(f"{self._name}: no connection")

    def _start(self) -> None:
        if self._thread is None:
            self._closed = False
            self._thread = threading.Thread(
                target=self._work, name=self._name, daemon=True
            )
            self._thread.start()

    # -- in the thread

    def _work(self) -> None:
        while True:
            with self._changed:
                if not (self._waiting or self._closed or self._wanted):
                    self._changed.wait(_IDLE)
                self._sending = list(islice(self._waiting, self._batch))
                for _ in self._sending:
                    self._waiting.popleft()
                self._changed.notify_all()
                ends = self._closed and not self._sending
            if ends:
                self._hang_up()
                return
            if self._sending:
                self._deliver()
            else:
                self._rest()

    def _deliver(self) -> None:
        """Send what is in `_sending`, or give it up with all that waits behind it."""
        failure: Exception | None = None
        count = len(self._sending)
        waits = attempts(self._patience)
        while self._sending and next(waits, None) is not None:
            part = self._sending[:count]
            tried = len(part)
            failure = self._attempt(part)
            if isinstance(failure, Denied):
                break
            if isinstance(failure, Refused):
                # A batch is refused as a whole, be it for one message.
                if tried == count == 1:
                    self._refusal, part = failure, []
                count = 1
                waits = attempts(self._patience)
            elif len(part) < tried:
                waits = attempts(self._patience)
            self._sending[:tried] = part
        with self._changed:
            if self._sending:
                self._failure = (
                    failure if isinstance(failure, OSError) else OSError(f"{failure!r}")
                )
                self._sending = []
                self._waiting.clear()
            self._changed.notify_all()

    def _attempt(self, messages: list[Message]) -> Exception | None:
        try:
            self._open()
            self._send(messages)
        # Each client has exceptions of its own; this thread must outlive them.
        except Exception as exc:  # noqa: BLE001
            self._hang_up()
            return exc
        return None

    def _rest(self) -> None:
        try:
            if self._connected:
                self._look_after()
            elif self._wanted:
                self._open()
        except Exception:  # noqa: BLE001
            # Nobody waits; whoever sends the next message is told.
            self._hang_up()
            with self._changed:
                if not self._waiting and not self._closed:
                    self._changed.wait(_IDLE)

    def _open(self) -> None:
        if not self._connected:
            self._connect()
            with self._changed:
                self._connected, self._wanted = True, False
                self._changed.notify_all()

    def _hang_up(self) -> None:
        self._connected = False
        with suppress(Exception):  # it is of no use any more
            self._disconnect()


def login(url: SplitResult, service: str) -> tuple[str | None, str | None]:
    """User and password: the URL's, else those of the environment."""
    if url.username is not None:
        return unquote(url.username), unquote(url.password or "")
    return os.environ.get(f"{service}_USERNAME"), os.environ.get(f"{service}_PASSWORD")


def address(url: SplitResult) -> str:
    """Scheme, host and port, without user and password; for messages."""
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}"


def raise_for_status(status: int, text: str) -> None:
    """Raises what fits an HTTP answer: Refused, Denied or, for another attempt, OSError."""
    if status < 400:
        return
    problem = f"status {status}: {text[:200]}"
    if status in _WRONG:
        raise Refused(problem)
    raise OSError(problem) if status >= 500 or status in _LATER else Denied(problem)
