"""An output folder as Nuclio would run it: a port a function, streams between them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.http import HttpProcessingError

from ..diagnostics import GraphError, did_you_mean
from .events import Answer, failure, make_event
from .functions import Function, settle
from .interpreter import check_interpreter
from .packages import Package, find_packages
from .pool import all_started
from .process import Log
from .streams import Streams

#: Seconds that requests in progress have to finish when the server is told to end.
GRACE = 5.0
#: Seconds for what is still on its way to a client after that.
_LINGER = 1.0
#: Headers that belong to the connection and not to an answer.
_OURS = {"connection", "content-length", "content-type", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one function answers."""

    function: str
    #: Nothing if it answers no requests.
    url: str
    #: Paths that people may want to call.
    routes: tuple[str, ...]
    workers: int
    #: The streams that it reads, and for which group.
    reads: tuple[str, ...] = ()
    #: What of the package's configuration is not done here, in sentences.
    remarks: tuple[str, ...] = ()


def write_line(line: str) -> None:
    """The log of those who ask for no other: standard error."""
    print(line, file=sys.stderr, flush=True)


def serve(
    dist: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8080,
    python: str = sys.executable,
    workers: int | None = None,
    functions: Sequence[str] = (),
    folder: Path | None = None,
    broker: str | None = None,
    announce: Callable[[Endpoint], None] | None = None,
    log: Log = write_line,
    quiet: bool = False,
    grace: float = GRACE,
) -> int:
    """Serve the functions of an output folder, or one function's folder, until told to end.

    The first function listens on `port`, the next on the one after it; 0 takes any that are free.
    `functions` are those to serve, all if there are none; `folder` and `broker` say what carries
    streams (`Streams`). `announce` is called once a function, when all of them answer; `quiet`
    leaves out the log's lines of what goes as it should. The first SIGINT or SIGTERM lets events in
    progress finish, the second does not; what is returned is the exit code.
    """
    packages = choose(find_packages(dist), functions)
    streams = Streams(folder, broker)
    try:
        drivers = ["confluent-kafka"] if streams.broker_url else []
        python = check_interpreter(python, packages, drivers)
        return asyncio.run(
            _serve(
                Server(
                    packages,
                    host=host,
                    port=port,
                    python=python,
                    workers=workers,
                    streams=streams,
                    log=log,
                    quiet=quiet,
                    grace=grace,
                ),
                announce,
                log,
            )
        )
    finally:
        streams.close()


def choose(packages: Sequence[Package], names: Sequence[str]) -> Sequence[Package]:
    """The packages of these names; all without names."""
    there = [package.name for package in packages]
    for name in names:
        if name not in there:
            raise GraphError(
                f"there is no function {name}",
                code="GC041",
                help=did_you_mean(name, there) or f"there are: {', '.join(there)}",
            )
    return [package for package in packages if not names or package.name in names]


async def _serve(server: Server, announce: Callable[[Endpoint], None] | None, log: Log) -> int:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def on_signal(number: int) -> None:
        if stop.is_set():
            server.kill()
            os._exit(128 + number)
        log("ending: events in progress are finished (once more to end at once)")
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal, number)
    stopped = asyncio.create_task(stop.wait())
    starting = asyncio.create_task(server.start())
    try:
        await asyncio.wait({stopped, starting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            for endpoint in starting.result():
                if announce:
                    announce(endpoint)
            await stopped
    finally:
        for task in (starting, stopped):
            task.cancel()
        await asyncio.gather(starting, stopped, return_exceptions=True)
        await server.close()
    return 0


class Server:
    """The functions of an output folder on ports of their own; lives in a running loop."""

    def __init__(
        self,
        packages: Iterable[Package],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        python: str = sys.executable,
        workers: int | None = None,
        streams: Streams,
        log: Log = write_line,
        quiet: bool = False,
        grace: float = GRACE,
    ) -> None:
        self._host = host
        self._port = port
        self._log = log
        self._quiet = quiet
        self._packages = tuple(packages)
        self._streams = streams
        self._functions = [
            Function(package, self._streams, python=python, workers=workers, log=log, quiet=quiet)
            for package in self._packages
        ]
        self._runners: list[web.ServerRunner] = []
        self._in_progress: set[asyncio.Future[None]] = set()
        self._closing = False
        self._sockets: list[socket.socket] = []
        self._grace = grace

    async def start(self) -> tuple[Endpoint, ...]:
        """Start all workers, then listen."""
        listening = [function for function in self._functions if function.http is not None]
        for place in range(len(listening)):
            self._sockets.append(_bind(self._host, self._port and self._port + place))
        await self._streams.prepare(self._packages)
        await all_started(function.start() for function in self._functions)
        listeners = iter(self._sockets)
        return tuple(
            [
                self._endpoint(function, await self._listen(function, listeners))
                for function in self._functions
            ]
        )

    async def close(self) -> None:
        """Stop listening, finish events in progress, end the workers."""
        self._closing = True
        for runner in self._runners:
            for site in list(runner.sites):
                await site.stop()
        if self._in_progress:
            await asyncio.wait(self._in_progress, timeout=self._grace)
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        for listener in self._sockets:
            listener.close()
        # What is in temporary files would be gone.
        if self._streams.is_temporary:
            await settle(self._functions, self._grace)
        await asyncio.gather(*(function.close(self._grace) for function in self._functions))

    def kill(self) -> None:
        """End all workers at once, and leave nothing behind."""
        for function in self._functions:
            function.kill()
        self._streams.close()

    async def _respond(
        self, function: Function, request: web.BaseRequest, about: str
    ) -> web.Response:
        """The response to one request: the function's, or what the processor says in its place."""
        if request.path == "/__internal/health":
            return web.Response()
        trigger = function.package.triggers.http
        if self._closing or trigger is None:
            return _closed(_response(Answer(503, "", {}, b"")))
        try:
            body = await _read_body(request, trigger.body_limit)
        except _Unreadable:
            return _closed(web.Response(status=400, text="Error when parsing request"))
        try:
            event = make_event(
                trigger.name,
                method=request.method,
                target=request.raw_path,
                headers=request.headers.items(),
                size=len(body),
            )
        except ValueError as error:
            return _response(failure(f"the request is not UTF-8: {error}"))
        try:
            return _response(await function.handle(event, body, about))
        except Exception as error:
            self._log(f"{function.package.name}: a bug of graphc: {error!r}")
            return _response(failure("internal error of graphc serve"))

    async def _listen(self, function: Function, listeners: Iterator[socket.socket]) -> str:
        """The address at which a function answers from now on; nothing if it does not."""
        if function.http is None:
            return ""

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            started = time.perf_counter()
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._in_progress.add(done)
            about = f"{request.method} {request.raw_path}".encode("unicode_escape").decode()
            try:
                response = await self._respond(function, request, about)
            finally:
                self._in_progress.discard(done)
                done.set_result(None)
            if not self._quiet or response.status >= 400:
                took = (time.perf_counter() - started) * 1000
                step = f"{begin} " if (begin := function.package.graph.begin()) else ""
                self._log(f"{function.package.name}: {about} {step}{response.status} {took:.1f} ms")
            return response

        # The function gets a compressed body as it came.
        server = web.Server(handle, auto_decompress=False, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=_LINGER)
        self._runners.append(runner)
        await runner.setup()
        listener = next(listeners)
        await web.SockSite(runner, listener).start()
        host, port = listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def _endpoint(self, function: Function, url: str) -> Endpoint:
        package = function.package
        return Endpoint(
            function=package.name,
            url=url,
            routes=package.graph.routes,
            workers=function.workers,
            reads=tuple(
                f"{stream} (group {reader.trigger.group}, {self._streams.about})"
                for reader in function.readers
                for stream in reader.trigger.streams
            ),
            remarks=function.remarks,
        )


def _bind(host: str, port: int) -> socket.socket:
    """A bound socket: that a port is taken is known before a worker is started."""
    place = f"{host}:{port}"
    if port > 65535:
        raise GraphError(f"there is no port {port}", code="GC043", help="name a lower --port")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise GraphError(f"cannot listen on {place}: {error.strerror}", code="GC043") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise GraphError(
            f"cannot listen on {place}: {error.strerror}",
            code="GC043",
            help="name another --port; 0 takes any that is free",
        ) from None
    return listener


class _Unreadable(Exception):
    """The body is over the limit or not what its headers say."""


async def _read_body(request: web.BaseRequest, limit: int) -> bytes:
    if (request.content_length or 0) > limit:
        raise _Unreadable
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # Not part of the response that is still to come.
        request.writer.output_size = 0
    parts, size = [], 0
    try:
        async for part in request.content.iter_any():
            size += len(part)
            if size > limit:
                raise _Unreadable
            parts.append(part)
    except (aiohttp.ClientError, HttpProcessingError) as error:
        raise _Unreadable from error
    return b"".join(parts)


def _response(answer: Answer) -> web.Response:
    headers = {"server": ("Server", "nuclio")}
    for name, value in answer.headers.items():
        if name.lower() not in _OURS:
            headers[name.lower()] = (name, value)
    if answer.content_type:
        headers["content-type"] = ("Content-Type", answer.content_type)
    return web.Response(status=answer.status, headers=dict(headers.values()), body=answer.body)


def _closed(response: web.Response) -> web.Response:
    """The response with which its connection ends."""
    response.force_close()
    return response
