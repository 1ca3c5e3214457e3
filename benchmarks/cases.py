"""What is measured: fifteen graphs, one request each, called as Nuclio's Python wrapper calls.

Runs in any interpreter that has nuclio-sdk, MLRun's included, so nothing of graphc is imported.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nuclio_sdk  # type: ignore[import-untyped]
import nuclio_sdk.json_encoder  # type: ignore[import-untyped]
import nuclio_sdk.logger  # type: ignore[import-untyped]

GRAPHS = Path(__file__).parent / "graphs"

#: What every graph aims at, in instructions relative to `hand`.
GOAL = 1.1

Handler = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A graph and its request."""

    name: str
    #: In the tables.
    title: str
    body: bytes
    path: str = "/"
    content_type: str = "application/json"
    #: The generated handler may take this many times the instructions of `hand`.
    limit: float = 1.2

    @property
    def message(self) -> dict[str, Any]:
        """The map that the wrapper unpacks from what the processor sends."""
        return {
            "body": self.body,
            "content_type": self.content_type,
            "fields": {},
            "headers": {
                "Accept": "*/*",
                "Content-Length": str(len(self.body)),
                "Content-Type": self.content_type,
                "Host": "localhost:8080",
                "User-Agent": "curl/8.5.0",
            },
            "id": "6c9ab7a4-5d6f-4d9b-a9a5-0d43f1c1d1a0",
            "method": "POST",
            "num_shards": 0,
            "offset": 0,
            "path": self.path,
            "shard_id": 0,
            "size": len(self.body),
            "timestamp": 1_700_000_000,
            "topic": "",
            "trigger": {"kind": "http", "name": "default-http"},
            "type": "",
            "type_version": "",
            "url": f"http://localhost:8080{self.path}",
            "version": "",
        }


_INPUTS = b'{"inputs": [1, 2, 3]}'
CASES = {
    case.name: case
    for case in (
        Case("sync3", "sync flow, 3 steps", _INPUTS),
        Case("async3", "async flow, 3 steps", _INPUTS),
        Case("async10", "async flow, 10 steps, Filter, catcher", b'{"type": "infer", "x": 5}'),
        Case("router", "V2 router, 2 models", b'{"inputs": [5, 6]}', "/v2/models/m1/infer"),
        Case("voting", "VotingEnsemble, 3 models", _INPUTS, "/v2/models/infer", limit=1.5),
        Case(
            "seed",
            "flow with an ensemble of 2 models",
            b'{"type": "infer", "inputs": [1, 2]}',
            content_type="text/plain",
            limit=1.5,
        ),
        Case(
            "fanout",
            "fan-out to 3 branches, Merge",
            b'{"text": " the quick brown fox jumps over the lazy dog ", "by": "me"}',
        ),
        Case(
            "copies",
            "fan-out whose branches need copies",
            b'{"by": "me", "amounts": [3, 1, 2, 5], "note": "the third of this week"}',
        ),
        Case("parallel", "ParallelRun of 3 routes", b'{"values": [1, 2, 3, 4, 5]}'),
        Case(
            "flatmap",
            "FlatMap of 3 items into a stream",
            b'{"customer": "c1", "orders": [{"amount": 1}, {"amount": 2}, {"amount": 5}]}',
        ),
        Case("record", "an answer, and a record in a stream", b'{"text": " Some Text of Mine "}'),
        Case("choice", "one of two ways, chosen", b'{"width": 4, "height": 5}'),
        Case("events", "5 steps that get the event", b'{"x": 1}'),
        Case(
            "paths",
            "3 steps with input_path and result_path",
            b'{"data": {"values": [1, 2, 3]}, "text": "a body of parts"}',
        ),
        Case("remote", "RemoteStep against a local server", _INPUTS),
    )
}

encode = nuclio_sdk.json_encoder.Encoder().encode
_KIND = nuclio_sdk.event.EventDeserializerKinds.msgpack


def new_context(name: str, log: Any = None) -> Any:
    """A worker's context; `log` is a text stream, on which the wrapper logs at DEBUG."""
    logger = nuclio_sdk.Logger(logging.DEBUG, name)
    logger._logger.propagate = False
    if log is None:
        logger._logger.addHandler(logging.NullHandler())
    else:
        logger.set_handler("default", log, nuclio_sdk.logger.JSONFormatter())
        logger.bind(worker_id="0")
    platform = nuclio_sdk.Platform("local", namespace="nuclio")
    trigger = nuclio_sdk.TriggerInfo("http", "default-http")
    return nuclio_sdk.Context(logger, platform, "0", trigger)


async def call(handler: Handler, context: Any, message: dict[str, Any]) -> str:
    """What the wrapper does with an event, but for its sockets."""
    event = nuclio_sdk.Event.deserialize(message, kind=_KIND)
    output = handler(context, event)
    if asyncio.iscoroutine(output):
        output = await output
    response: str = encode(nuclio_sdk.Response.from_entrypoint_output(encode, output))
    return response


def answer(raw: str) -> dict[str, Any]:
    """A response to be compared: without the moment it was made, and MLRun's task behind it."""
    response: dict[str, Any] = json.loads(raw)
    if response["content_type"] == "application/json":
        response["body"] = json.loads(response["body"])
        for name in ("timestamp", "background_task_state"):
            response["body"].pop(name, None)
    return response


def streamed(folder: Path) -> dict[str, str]:
    """What was written to streams since the last time, by file."""
    found = {path.name: path.read_text() for path in sorted(folder.iterdir())}
    for name in found:
        os.truncate(folder / name, 0)
    return found


def load(package: Path, context: Any) -> Handler:
    """The handler of a package, with its worker initialized."""
    sys.path.insert(0, str(package))
    module = importlib.import_module("handler")
    if hasattr(module, "init_context"):
        module.init_context(context)
    handler: Handler = module.handler
    return handler
