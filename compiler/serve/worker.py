"""One worker: the process that stands in for Nuclio's Python wrapper.

Started as a script by the interpreter that is to run the package, so nothing of graphc is imported
here, and the syntax is that of Python 3.9:

    python -u worker.py FOLDER FD

FOLDER is the function's folder, FD a socket to the parent. A frame on it is two big-endian 32-bit
lengths, a JSON header and a body as it is. The parent sends `start` once, then `event`s one at a
time and `drain`s, at the end `terminate`; each is answered by one frame. Between the answers stand
`ack`s, the package's explicit acknowledgements. Standard output is the parent's standard error: a
`print` in user code is talk, not data.

What is Nuclio's behaviour and not ours is marked with the version where it was seen.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import inspect
import json
import logging
import os
import re
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any
from urllib.parse import parse_qs

Header = dict[str, Any]

LENGTHS = struct.Struct(">II")
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


#: Seconds that a termination has that was asked for by a signal.
LONGEST_END = 10.0


class LineFormatter(logging.Formatter):
    """Log records as lines that say which function, step and event they are from."""

    def __init__(self, worker: str, steps: Steps) -> None:
        super().__init__()
        self.worker = worker
        self.steps = steps
        #: The event in progress, as the parent names it.
        self.event = ""

    def format(self, record: logging.LogRecord) -> str:
        moment, level = self.formatTime(record), record.levelname.lower()
        place = " ".join(filter(None, (self.worker, self.event, self.steps.current())))
        fields = getattr(record, "with", None)
        more = f" {fields!r}" if fields else ""
        if record.exc_info:
            more += f"\n{self.formatException(record.exc_info)}"
        return f"{moment} {place} [{level}] {record.getMessage()}{more}"


class Steps:
    """Where an event is, by the comments of the handler's module: a step's stands above it."""

    def __init__(self, names: dict[str, str]) -> None:
        #: The steps by their comments.
        self.names = names
        self.file = ""
        self.lines: list[str] = []

    def read(self, file: str) -> None:
        """Take a module's file for the handler's."""
        try:
            with open(file, encoding="utf-8") as text:
                self.file, self.lines = file, text.read().splitlines()
        except (OSError, ValueError):
            pass

    def current(self) -> str:
        """The step that has failed or is running; nothing if it cannot be seen."""
        if not self.lines:
            return ""
        for line in (*self.failed(), *self.running()):
            name = self.above(line)
            if name:
                return name
        return ""

    def failed(self) -> list[int]:
        """The handler's lines in the traceback of the exception in hand, the innermost first."""
        lines = []
        at = sys.exc_info()[2]
        while at is not None:
            if at.tb_frame.f_code.co_filename == self.file:
                lines.append(at.tb_lineno)
            at = at.tb_next
        return lines[::-1]

    def running(self) -> Iterator[int]:
        at: FrameType | None = sys._getframe(1)
        while at is not None:
            if at.f_code.co_filename == self.file:
                yield at.f_lineno
            at = at.f_back

    def above(self, number: int) -> str:
        """The step named by the nearest comment above a line of the same function."""
        for line in reversed(self.lines[: number - 1]):
            text = line.strip()
            if text.startswith("# ") and text[2:] in self.names:
                return self.names[text[2:]]
            if text.startswith(("def ", "async def ", "class ")):
                return ""
        return ""


class Worker:
    """Loads the handler, then answers the frames of the parent, in order, on one running loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.busy = asyncio.Lock()
        self.terminated = False
        self.ending: asyncio.Future[None] | None = None

    async def run(self) -> int:
        """Serve until the parent says `terminate` or is gone; the status to exit with."""
        while True:
            frame = await self.read()
            if frame is None:
                return 0
            header, body = frame
            if header["do"] == "start":
                if not await self.start(header):
                    return 1
            elif header["do"] == "event":
                async with self.busy:
                    self.lines.event = header["about"]
                    await self.serve(header["event"], body)
                    self.lines.event = ""
            elif header["do"] == "drain":
                async with self.busy:
                    await self.call_back("drain", header["seconds"])
                await self.reply({"drained": True})
            elif header["do"] == "terminate":
                await self.terminate(header["seconds"])
                await self.reply({"terminated": True})
                return 0

    async def read(self) -> tuple[Header, bytes] | None:
        try:
            lengths = LENGTHS.unpack(await self.reader.readexactly(LENGTHS.size))
            header = json.loads(await self.reader.readexactly(lengths[0]))
            return header, await self.reader.readexactly(lengths[1])
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def reply(self, header: Header, body: bytes = b"") -> None:
        encoded = json.dumps(header).encode("ascii")
        try:
            self.writer.write(LENGTHS.pack(len(encoded), len(body)) + encoded + body)
            await self.writer.drain()
        except ConnectionError:
            pass  # The parent is gone; the next read says so.

    # -- start ------------------------------------------------------------------------------

    async def start(self, settings: Header) -> bool:
        try:
            await self.load(settings)
        except BaseException as error:
            reason = f"{type(error).__name__}: {error}"
            await self.reply({"failed": reason, "text": told(error)})
            return False
        await self.reply({"ready": True})
        return True

    async def load(self, settings: Header) -> None:
        for name, value in settings["env"].items():
            os.environ.setdefault(name, value)
        sdk = self.sdk = importlib.import_module("nuclio_sdk")
        self.encode = sdk.json_encoder.Encoder().encode
        worker = str(settings["worker"])
        steps = Steps(settings["steps"])
        self.lines = LineFormatter(settings["name"], steps)
        self.logger = self.make_logger(settings["log_level"])
        if logging.lastResort is not None:
            # What the package says through Python's own logging, unless it sets that up.
            logging.lastResort.setFormatter(self.lines)
        if settings["broker"]:
            send_to_broker(settings["broker"], settings["drivers"])

        module_name, _, entry = settings["handler"].partition(":")
        module = importlib.import_module(module_name)
        self.handler = getattr(module, entry)
        steps.read(getattr(module, "__file__", None) or "")
        self.platform = sdk.Platform(
            "local", namespace="nuclio", on_control_callback=self.on_control
        )
        trigger = sdk.TriggerInfo(settings["trigger"]["kind"], settings["trigger"]["name"])
        # The worker's id is a string (Nuclio 1.14.1).
        self.context = sdk.Context(self.logger, self.platform, worker, trigger)
        # Looked up where the handler was defined, not where it was named (Nuclio 1.14.1).
        home = sys.modules.get(getattr(self.handler, "__module__", None) or "")
        init_context = getattr(home, "init_context", None)
        if init_context is not None:
            result = init_context(self.context)
            if inspect.isawaitable(result):
                await result
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self.on_terminate)

    def make_logger(self, named: str) -> Any:
        level = LEVELS.get(named, logging.INFO)
        logger = self.sdk.Logger(level)
        logger.set_handler("default", sys.stderr, self.lines)
        # The SDK's logger writes every record, whatever its own level.
        for handler in logging.getLogger("nuclio_sdk").handlers:
            handler.setLevel(level)
        return logger

    async def on_control(self, message: Any) -> None:
        """What the package tells the processor: acknowledgements, and nothing else."""
        ack = message["attributes"]
        await self.reply({"ack": [ack["topic"], ack["partition"], ack["offset"]]})

    # -- events -----------------------------------------------------------------------------

    async def serve(self, fields: Header, body: bytes) -> None:
        if self.terminated:
            await self.reply({"dropped": True})
            return
        if fields.pop("bytes", False):
            # Kafka's headers (spec/nuclio.md 2.4).
            fields["headers"] = {
                name: value.encode("latin-1") for name, value in fields["headers"].items()
            }
        try:
            # Decodes JSON for the content type `application/json` and no other.
            event = self.sdk.Event.deserialize(
                {**fields, "body": body}, kind=self.sdk.event.EventDeserializerKinds.msgpack
            )
            output = self.handler(self.context, event)
            if inspect.isawaitable(output):
                output = await output
            header, answer = self.answer(output)
        except BaseException as error:
            # SystemExit and KeyboardInterrupt too, and the client sees it all (Nuclio 1.14.1).
            text = f'Exception caught in handler - "{error}": {told(error)}'
            self.logger.error("%s", text)
            header, answer = failure(text)
        await self.reply(header, answer)

    def answer(self, output: Any) -> tuple[Header, bytes]:
        """What the processor makes of a returned value: the header and the body of the answer."""
        if isinstance(output, list):
            # Nuclio 1.14.1 takes a list for the answers of a batch.
            if not output:
                self.logger.error(
                    "The handler returned an empty list: in Nuclio this request ends in 500 and "
                    "the worker never serves again. Return json.dumps(...) of a list"
                )
                return {"status": 500, "content_type": "", "headers": {}}, b""
            self.logger.warn(
                "The handler returned a list: Nuclio takes it for a batch and answers with its "
                "first element. Return json.dumps(...) of a list"
            )
            output = output[0]
        response = self.sdk.Response.from_entrypoint_output(self.encode, output)
        text, encoding = response.pop("body"), response.pop("body_encoding")
        # What cannot travel to the processor is an error here as well.
        response = json.loads(self.encode(response))
        status = response["status_code"]
        for name, value, kinds in (
            ("status_code", status, (int, type(None))),
            ("content_type", response["content_type"], (str, type(None))),
            ("headers", response["headers"], (dict, type(None))),
        ):
            if not isinstance(value, kinds) or isinstance(value, bool):
                self.logger.error("Nuclio cannot read this answer: its %s is %r", name, value)
                return failure(f"json: cannot unmarshal {name} {json.dumps(value)}")
        return {
            "status": status or 200,
            "content_type": response["content_type"] or "",
            # Values other than strings are lost on the way (Nuclio 1.14.1).
            "headers": {
                name: value
                for name, value in (response["headers"] or {}).items()
                if isinstance(value, str)
            },
            # In this spelling, as a boolean, and in no other way (Nuclio 1.14.1).
            "no_ack": (response["headers"] or {}).get("X-Nuclio-Stream-No-Ack") is True,
        }, base64.b64decode(text) if encoding == "base64" else text.encode("utf-8", "replace")

    # -- end --------------------------------------------------------------------------------

    def on_terminate(self) -> None:
        self.ending = asyncio.ensure_future(self.terminate(LONGEST_END))

    async def terminate(self, seconds: float) -> None:
        """The package's termination callback, once, after the event in progress."""
        async with self.busy:
            if not self.terminated:
                self.terminated = True
                await self.call_back("termination", seconds)

    async def call_back(self, kind: str, seconds: float) -> None:
        """Run the package's callback, and what it has set going on the loop."""
        before = asyncio.all_tasks()
        try:
            result = self.platform._on_signal(callback_type=kind)
            if inspect.isawaitable(result):
                await result
        except SystemExit:
            if kind != "termination":  # The one place where a package may end its process.
                raise
        except BaseException:
            self.logger.error("The %s callback failed: %s", kind, traceback.format_exc())
        begun = asyncio.all_tasks() - before
        if begun:
            await asyncio.wait(begun, timeout=0.9 * seconds)


def told(error: BaseException) -> str:
    """The traceback, with the user's own lines if the package knows them."""
    try:
        tracebacks = importlib.import_module("runtime_min.tracebacks")
        text: str = tracebacks.told(error)
        return text
    except ImportError:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))


def failure(text: str) -> tuple[Header, bytes]:
    header = {"status": 500, "content_type": "text/plain", "headers": {}}
    return header, text.encode("utf-8", "replace")


def send_to_broker(broker: str, drivers: str) -> None:
    """Make every stream of the package a topic of one Kafka broker, but those in memory.

    The driver is the package's own, or else graphc's, from the folder `drivers`.
    """
    try:
        streams: Any = importlib.import_module("runtime_min.streams")
    except ImportError:
        return  # It writes to none.
    sys.modules["runtime_min"].__path__.append(drivers)
    kafka = importlib.import_module("runtime_min.stream_kafka")
    open_as_named = streams.open_stream

    def open_stream(path: str, *named: Any, **options: Any) -> Any:
        if path.startswith("dummy://"):
            return open_as_named(path, *named, **options)
        return kafka.KafkaStream(f"{broker}/{topic_of(path)}")

    streams.open_stream = open_stream


def topic_of(path: str) -> str:
    """The topic that stands for a stream: what its path names, in the letters that Kafka takes."""
    if "://" in path:
        place, _, query = path.partition("://")[2].partition("?")
        path = parse_qs(query).get("topic", [place.partition("/")[2]])[0]
    return re.sub(r"[^A-Za-z0-9._-]", ".", path)[:249]


async def main(descriptor: int) -> int:
    channel = socket.socket(fileno=descriptor)
    reader, writer = await asyncio.open_connection(sock=channel)
    return await Worker(reader, writer).run()


def prepare(folder: str, descriptor: int) -> None:
    """Make the process look like one that Nuclio started."""
    os.set_inheritable(descriptor, False)
    os.dup2(2, 1)
    here = os.path.dirname(os.path.abspath(__file__))
    if sys.path and os.path.abspath(sys.path[0]) == here:
        del sys.path[0]
    sys.path.insert(0, folder)
    sys.argv = sys.argv[:1]
    # What is deployed holds no caches.
    sys.dont_write_bytecode = True


if __name__ == "__main__":
    status = 1
    try:
        folder, descriptor = sys.argv[1], int(sys.argv[2])
        prepare(folder, descriptor)
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        status = loop.run_until_complete(main(descriptor))
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Neither threads of the user's nor their executor keep the process alive.
        os._exit(status)
