"""One worker process: started, asked, drained, ended.

The other half of the protocol of `worker.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import struct
import uuid
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from ..codegen.text import comment, one_line
from ..diagnostics import GraphError
from .events import Answer, read_answer
from .packages import Package
from .triggers import HttpTrigger, Trigger

Log = Callable[[str], None]
#: Told of a topic, a partition and an offset that a package acknowledges.
OnAck = Callable[[str, int, int], None]

_WORKER = Path(__file__).with_name("worker.py")
#: Where drivers are that a package does not carry.
_DRIVERS = Path(str(resources.files("graphc.runtime_min")))
_LENGTHS = struct.Struct(">II")
#: Seconds that a process has to end.
_END = 1.0


class WorkerLost(Exception):
    """The process ended, or closed its end, instead of answering."""


@dataclass(frozen=True, slots=True)
class Launch:
    """What the workers of one trigger are started with."""

    package: Package
    trigger: Trigger
    #: The interpreter that runs them.
    python: str
    log: Log
    #: What is set in the environment besides the caller's and the package's own variables.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: The Kafka broker that has all streams.
    broker: str | None = None

    def name(self, number: int) -> str:
        """How lines of the log name a worker."""
        if isinstance(self.trigger, HttpTrigger):
            return f"{self.package.name}/{number}"
        return f"{self.package.name}/{self.trigger.name}/{number}"


class Worker:
    """One worker process and the channel to it."""

    def __init__(
        self,
        process: Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_ack: OnAck | None,
    ) -> None:
        self.process = process
        #: Is it known why it ends?
        self.is_given_up = False
        #: One for the life of a worker, as Nuclio's events have it over HTTP: not a key.
        self.event_id = str(uuid.uuid4())
        self._reader = reader
        self._writer = writer
        self._on_ack = on_ack
        #: Those who wait for a frame, in the order in which they asked.
        self._asked: deque[asyncio.Future[tuple[dict[str, Any], bytes]]] = deque()
        self._listener = asyncio.create_task(self._listen())
        self._watcher = asyncio.create_task(self._watch())

    @classmethod
    async def start(cls, launch: Launch, number: int, on_ack: OnAck | None = None) -> Worker:
        """A worker whose `init_context` is done; GC043 when the package does not get so far."""
        package = launch.package
        ours, theirs = socket.socketpair()
        with theirs:
            environment = {
                **os.environ,
                "NUCLIO_FUNCTION_NAME": package.function,
                "NUCLIO_FUNCTION_HANDLER": package.handler,
                "NUCLIO_HANDLER": package.handler,
                **launch.environment,
            }
            try:
                process = await asyncio.create_subprocess_exec(
                    launch.python,
                    "-u",
                    str(_WORKER),
                    str(package.folder),
                    str(theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=2,
                    env=environment,
                    pass_fds=[theirs.fileno()],
                    # Ctrl-C is for the parent, which lets requests in progress finish.
                    start_new_session=True,
                )
            except BaseException as error:
                ours.close()
                if not isinstance(error, OSError):
                    raise
                raise GraphError(
                    f"{launch.python} cannot be started: {error.strerror}", code="GC042"
                ) from None
        worker = cls(process, *await asyncio.open_connection(sock=ours), on_ack)
        try:
            reply, _ = await worker._ask(
                {
                    "do": "start",
                    "name": launch.name(number),
                    "worker": number,
                    "handler": package.handler,
                    "env": dict(package.env),
                    "trigger": {"kind": launch.trigger.kind, "name": launch.trigger.name},
                    "log_level": package.log_level,
                    "steps": {comment(step)[2:]: one_line(step) for step in package.graph.steps},
                    "broker": launch.broker,
                    "drivers": str(_DRIVERS),
                }
            )
        except WorkerLost:
            await worker.kill()
            raise GraphError(
                f"{package.name} does not start: its process ended "
                f"({describe_status(process.returncode)})",
                code="GC043",
            ) from None
        except BaseException:
            await worker.kill()
            raise
        if "failed" in reply:
            await worker.kill()
            launch.log(str(reply["text"]).rstrip())
            raise GraphError(f"{package.name} does not start: {reply['failed']}", code="GC043")
        return worker

    @property
    def is_alive(self) -> bool:
        return self.process.returncode is None

    @property
    def is_asked(self) -> bool:
        """Is it busy with something?"""
        return bool(self._asked)

    async def handle(self, event: dict[str, Any], body: bytes, about: str) -> Answer | None:
        """The answer to one event; None when the worker takes no more of them.

        `about` is how lines of the log name the event.
        """
        header, content = await self._ask({"do": "event", "event": event, "about": about}, body)
        return None if "dropped" in header else read_answer(header, content)

    async def drain(self, seconds: float) -> None:
        """Run the drain callback; what it acknowledges is known when this returns."""
        with suppress(WorkerLost, TimeoutError):
            await asyncio.wait_for(self._ask({"do": "drain", "seconds": seconds}), seconds)

    async def stop(self, seconds: float) -> None:
        """Run the termination callback, then end the process, by force if need be."""
        with suppress(WorkerLost, TimeoutError):
            await asyncio.wait_for(self._ask({"do": "terminate", "seconds": seconds}), seconds)
            await asyncio.wait_for(self.process.wait(), _END)
        await self.kill()

    async def kill(self) -> None:
        """End the process and what it started, and take in its status."""
        self.kill_now()
        await self.process.wait()
        self._watcher.cancel()
        self._writer.transport.abort()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        await self._listener

    def give_up(self) -> None:
        """End the process at once, for another one to take its place."""
        self.is_given_up = True
        self.kill_now()

    def kill_now(self) -> None:
        if self.is_alive:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    async def _watch(self) -> None:
        """Close the channel when the process has ended: a child that it forked may hold it open."""
        await self.process.wait()
        await asyncio.sleep(_END)
        self._writer.transport.abort()

    async def _listen(self) -> None:
        """Hand on what the worker says until it says no more."""
        try:
            while True:
                lengths = _LENGTHS.unpack(await self._reader.readexactly(_LENGTHS.size))
                header = json.loads(await self._reader.readexactly(lengths[0]))
                body = await self._reader.readexactly(lengths[1])
                if "ack" in header:
                    if self._on_ack is not None:
                        self._on_ack(*header["ack"])
                elif self._asked:
                    asked = self._asked.popleft()
                    if not asked.done():
                        asked.set_result((header, body))
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            # It may only have closed its end: without that it is of no more use.
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), _END)
        finally:
            for asked in self._asked:
                if not asked.done():
                    asked.set_exception(WorkerLost())
            self._asked.clear()

    async def _ask(self, header: dict[str, Any], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
        if self._listener.done():
            raise WorkerLost
        encoded = json.dumps(header).encode("ascii")
        asked = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        with suppress(ConnectionError):  # The listener learns of it, too.
            self._writer.write(_LENGTHS.pack(len(encoded), len(body)) + encoded + body)
            await self._writer.drain()
        answer: tuple[dict[str, Any], bytes] = await asked
        return answer


def describe_status(status: int | None) -> str:
    """An exit status in words."""
    if status is not None and status < 0:
        with suppress(ValueError):
            return signal.Signals(-status).name
    return f"status {status}"
