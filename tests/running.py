"""Runs packages in this process, as a Nuclio worker would call them."""

from __future__ import annotations

import asyncio
import base64
import copy
import importlib
import inspect
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import nuclio_sdk
import nuclio_sdk.json_encoder
import yaml


@dataclass(frozen=True)
class Answer:
    """What an HTTP caller gets."""

    status: int
    content_type: str
    body: bytes


@contextmanager
def loaded(files: Mapping[str, bytes], function: str, folder: Path) -> Iterator[ModuleType]:
    """The handler module of a function, in a namespace of its own."""
    root = folder / "dist" / function
    for path, data in files.items():
        target = folder / "dist" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    before = set(sys.modules)
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    config = yaml.safe_load((root / "function.yaml").read_text(encoding="utf-8"))
    try:
        yield importlib.import_module(config["spec"]["handler"].partition(":")[0])
    finally:
        sys.path.remove(str(root))
        for name in set(sys.modules) - before:
            module = sys.modules[name]
            places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
            if any(place and place.startswith(str(root)) for place in places):
                del sys.modules[name]


def make_event(request: Mapping[str, Any], index: int) -> nuclio_sdk.Event:
    """An event as Nuclio's wrapper makes it: JSON is decoded if the content type says so."""
    body = copy.deepcopy(request.get("body", b""))
    content_type = request.get("content_type", "application/json" if "body" in request else "")
    if content_type == "application/json" and isinstance(body, bytes):
        with suppress(ValueError):
            body = json.loads(body)
    return nuclio_sdk.Event(
        body=body,
        content_type=content_type,
        trigger=nuclio_sdk.TriggerInfo("http", "http"),
        fields={},
        headers=dict(request.get("headers", {})),
        _id=f"id-{index}",
        method=request.get("method", "POST" if body not in (b"", None) else "GET"),
        path=request.get("path", "/"),
    )


def make_context() -> nuclio_sdk.Context:
    logger = nuclio_sdk.Logger(logging.CRITICAL)
    logger.set_handler("default", sys.stderr, nuclio_sdk.logger.JSONFormatter())
    return nuclio_sdk.Context(
        logger=logger,
        platform=nuclio_sdk.Platform("local"),
        worker_id="0",
        trigger=nuclio_sdk.TriggerInfo("http", "http"),
    )


def answers(
    files: Mapping[str, bytes], function: str, requests: Iterable[Mapping[str, Any]], folder: Path
) -> list[Answer]:
    """The answers of one worker to the requests, in order; 500 where the handler raises."""
    with loaded(files, function, folder) as module:
        return asyncio.run(_answers(module, list(requests)))


async def _answers(module: ModuleType, requests: list[Mapping[str, Any]]) -> list[Answer]:
    context = make_context()
    started = module.init_context(context)
    if inspect.isawaitable(started):
        await started
    found = []
    for index, request in enumerate(requests):
        try:
            output = module.handler(context, make_event(request, index))
            if inspect.isawaitable(output):
                output = await output
            found.append(_answer(output))
        except Exception as exc:
            found.append(Answer(500, "text/plain", repr(exc).encode()))
    await terminate(context)
    return found


async def terminate(context: nuclio_sdk.Context) -> None:
    """What a worker does before it ends."""
    ending = context.platform._on_signal(callback_type="termination")
    if inspect.isawaitable(ending):
        await ending


def _answer(output: Any) -> Answer:
    encode = nuclio_sdk.json_encoder.Encoder().encode
    answer = nuclio_sdk.Response.from_entrypoint_output(encode, output)
    body = answer["body"]
    data = base64.b64decode(body) if answer.get("body_encoding") == "base64" else str(body).encode()
    return Answer(answer["status_code"], answer["content_type"], data)
