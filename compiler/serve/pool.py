"""The worker processes of one function: started, handed out for one event, replaced when lost.

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
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..diagnostics import GraphError
from .events import Answer, failure, read_answer
from .packages import Package

Log = Callable[[str], None]

_WORKER = Path(__file__).with_name("worker.py")
_LENGTHS = struct.Struct(">II")
#: Seconds that the termination callback has, and then the process to end.
_TERMINATION = 5.0
_END = 1.0
#: A worker that is lost again and again is restarted ever more slowly.
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 10.0


class WorkerLost(Exception):
    """The process ended, or closed its end, instead of answering."""


class Worker:
    """One worker process and the channel to it."""

    def __init__(
        self,
        process: Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.process = process
        #: One for the life of a worker, as Nuclio's events have it over HTTP: not a key.
        self.event_id = str(uuid.uuid4())
        self._reader = reader
        self._writer = writer
        self._watcher = asyncio.create_task(self._watch())

    @classmethod
    async def start(cls, package: Package, number: int, python: str, log: Log) -> Worker:
        """A worker whose `init_context` is done; GC043 when the package does not get so far."""
        ours, theirs = socket.socketpair()
        with theirs:
            environment = {
                **os.environ,
                "NUCLIO_FUNCTION_NAME": package.function,
                "NUCLIO_FUNCTION_HANDLER": package.handler,
                "NUCLIO_HANDLER": package.handler,
            }
            try:
                process = await asyncio.create_subprocess_exec(
                    python,
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
                    f"{python} cannot be started: {error.strerror}", code="GC042"
                ) from None
        worker = cls(process, *await asyncio.open_connection(sock=ours))
        try:
            reply, _ = await worker._ask(
                {
                    "do": "start",
                    "function": package.name,
                    "worker": number,
                    "handler": package.handler,
                    "env": dict(package.env),
                    "trigger": {"kind": "http", "name": package.trigger_name},
                    "log_level": package.log_level,
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
            log(str(reply["text"]).rstrip())
            raise GraphError(f"{package.name} does not start: {reply['failed']}", code="GC043")
        return worker

    @property
    def is_alive(self) -> bool:
        return self.process.returncode is None

    async def handle(self, event: dict[str, Any], body: bytes) -> Answer | None:
        """The answer to one event; None when the worker takes no more of them."""
        header, content = await self._ask({"do": "event", "event": event}, body)
        return None if "dropped" in header else read_answer(header, content)

    async def stop(self) -> None:
        """Run the termination callback, then end the process, by force if need be."""
        with suppress(WorkerLost, TimeoutError):
            await asyncio.wait_for(self._ask({"do": "terminate"}), _TERMINATION)
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

    def kill_now(self) -> None:
        if self.is_alive:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    async def _watch(self) -> None:
        """Close the channel when the process has ended: a child that it forked may hold it open."""
        await self.process.wait()
        await asyncio.sleep(_END)
        self._writer.transport.abort()

    async def _ask(self, header: dict[str, Any], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
        encoded = json.dumps(header).encode("ascii")
        try:
            self._writer.write(_LENGTHS.pack(len(encoded), len(body)) + encoded + body)
            await self._writer.drain()
            lengths = _LENGTHS.unpack(await self._reader.readexactly(_LENGTHS.size))
            reply = json.loads(await self._reader.readexactly(lengths[0]))
            return reply, await self._reader.readexactly(lengths[1])
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
            # It may only have closed its end: without that it is of no more use.
            with suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), _END)
            raise WorkerLost from error


class Pool:
    """The workers of one function."""

    def __init__(self, package: Package, python: str, count: int, log: Log) -> None:
        self.package = package
        self._python = python
        self.count = count
        self._log = log
        self._idle: asyncio.Queue[Worker] = asyncio.Queue()
        self._workers: dict[int, Worker] = {}
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start all workers; if one fails, none is left running."""
        started = await asyncio.gather(
            *(self._start(number) for number in range(self.count)), return_exceptions=True
        )
        for outcome in started:
            if isinstance(outcome, BaseException):
                raise outcome
        self._keepers = [asyncio.create_task(self._keep(number)) for number in range(self.count)]

    async def handle(self, event: dict[str, Any], body: bytes) -> Answer:
        """The answer to one request, by the first worker that is free."""
        worker = await self._free_worker()
        if worker is None:
            self._log(f"{self.package.name}: no worker is free, the request ends in 503")
            return Answer(503, "", {}, b"")
        answer: Answer | None = None
        try:
            answer = await worker.handle({**event, "id": worker.event_id}, body)
        except WorkerLost:
            await worker.kill()
            return failure("the worker ended before it answered")
        finally:
            # Whoever was waited for in vain is busy, not free.
            if answer is not None and worker.is_alive:
                self._idle.put_nowait(worker)
        return answer or Answer(503, "", {}, b"")

    async def close(self) -> None:
        """End all workers, each after its termination callback."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        free = set()
        while not self._idle.empty():
            free.add(self._idle.get_nowait())
        await asyncio.gather(
            *(
                worker.stop() if worker in free else worker.kill()
                for worker in self._workers.values()
            )
        )

    def kill(self) -> None:
        """End all workers at once."""
        for worker in self._workers.values():
            worker.kill_now()

    async def _start(self, number: int) -> None:
        worker = await Worker.start(self.package, number, self._python, self._log)
        self._workers[number] = worker
        self._idle.put_nowait(worker)

    async def _free_worker(self) -> Worker | None:
        deadline = asyncio.get_running_loop().time() + self.package.worker_timeout
        while True:
            try:
                worker = self._idle.get_nowait()
            except asyncio.QueueEmpty:
                left = deadline - asyncio.get_running_loop().time()
                if left <= 0:
                    return None
                try:
                    worker = await asyncio.wait_for(self._idle.get(), left)
                except TimeoutError:
                    return None
            # One that died while nobody asked is replaced by its keeper.
            if worker.is_alive:
                return worker

    async def _keep(self, number: int) -> None:
        """Replace a worker whenever it is lost."""
        name, delay = f"{self.package.name}/{number}", _FIRST_DELAY
        clock = asyncio.get_running_loop().time
        while True:
            since = clock()
            lost = self._workers[number]
            status = await lost.process.wait()
            self._log(f"{name}: the worker ended ({describe_status(status)}). {_meaning(status)}")
            await lost.kill()
            if clock() - since > _LONGEST_DELAY:
                delay = _FIRST_DELAY
            while True:
                await asyncio.sleep(delay)
                delay = min(2 * delay, _LONGEST_DELAY)
                try:
                    await self._start(number)
                except GraphError as error:
                    self._log(f"{name}: {error.message}")
                else:
                    break


def describe_status(status: int | None) -> str:
    """An exit status in words."""
    if status is not None and status < 0:
        with suppress(ValueError):
            return signal.Signals(-status).name
    return f"status {status}"


def _meaning(status: int) -> str:
    if status == 0:
        return (
            "In Nuclio it would never be restarted, and every later request to it would fail: "
            "a package must not exit with status 0. Restarting it here"
        )
    return "In Nuclio the container would restart. Restarting it here"
