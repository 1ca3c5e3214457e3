"""What comes of requests: answers, notes and streams of a package, in a form to compare.

`run_package` serves requests by a package in this process, `run_functions` by all of a graph, with
files as the streams between them, and `run_reference` by the interpreter of the IR. Answers are
`Answer`s as a caller sees them, without times; notes are what the steps of `random_graphs.CODE`
wrote down.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import nuclio_sdk

from graphc import ir
from reference import Answer, Reference, Request
from reference_mlrun import run_file
from running import terminate


@dataclass(frozen=True)
class Outcome:
    """What came of one request: the answer (and those too late), what the steps noted, and what
    was written to streams."""

    answers: list[Any]
    log: list[Any]
    streams: dict[str, list[Any]] = field(default_factory=dict)


@contextmanager
def package(
    files: dict[str, bytes], function: str, streams: Path | None = None
) -> Iterator[tuple[Any, Path]]:
    """The handler module of a package, and the folder of its streams; its modules are unloaded at
    the end."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            if name.startswith(f"{function}/"):
                target = Path(folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        root, streams = str(Path(folder, function)), streams or Path(folder, "streams")
        streams.mkdir(exist_ok=True)
        kept = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_package(name)}
        sys.path.insert(0, root)
        sys.dont_write_bytecode, cached = True, sys.dont_write_bytecode
        os.environ["GRAPHC_STREAMS"] = f"dir:{streams}"
        try:
            yield importlib.import_module("handler"), streams
        finally:
            del os.environ["GRAPHC_STREAMS"]
            sys.dont_write_bytecode = cached
            sys.path.remove(root)
            for name in [name for name in sys.modules if _is_package(name)]:
                del sys.modules[name]
            sys.modules.update(kept)


def _is_package(name: str) -> bool:
    return name.partition(".")[0] in ("handler", "graph", "runtime_min")


class _Silent:
    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: None


def nuclio_event(request: Request, trigger: str = "http") -> nuclio_sdk.Event:
    """The event that Nuclio's wrapper makes of a request, or of a message of a stream."""
    fields = {
        "body": request.body, "content_type": request.content_type, "path": request.path,
        "method": request.method, "id": request.id, "trigger": {"kind": trigger, "name": trigger},
        "headers": {}, "fields": {}, "size": len(request.body), "timestamp": 0, "url": "",
        "shard_id": -1, "num_shards": 0, "type": "", "type_version": "", "version": "",
        "offset": 0, "topic": "",
    }  # fmt: skip
    kind = nuclio_sdk.event.EventDeserializerKinds.msgpack
    return nuclio_sdk.Event.deserialize(fields, kind=kind)


async def run_functions(
    files: dict[str, bytes], graph: ir.Graph, asked: Sequence[Request]
) -> dict[str, list[Outcome]]:
    """What the root of a graph makes of the requests, and each child of the messages that reach it.

    A child gets the messages of its streams one stream after the other. One that is reached again
    by what it or one behind it wrote is started anew for that.
    """
    root, *children = graph.functions
    with tempfile.TemporaryDirectory() as folder:
        streams = Path(folder)
        found = {root.name: await run_package(files, asked, root.name, streams=streams)}
        read: dict[tuple[str, str], int] = {}
        todo = list(children)
        while todo:
            child = todo.pop(0)
            messages = []
            for source in child.reads:
                key = child.name, str(source.path)
                lines = _file_of(streams, source.path)
                messages += [_message(line, source.path) for line in lines[read.get(key, 0) :]]
                read[key] = len(lines)
            if messages:
                outcomes = await run_package(
                    files, messages, child.name, trigger="v3ioStream", streams=streams
                )
                found.setdefault(child.name, []).extend(outcomes)
                todo += [other for other in children if other not in todo]
    return found


def _file_of(streams: Path, path: Any) -> list[str]:
    if "://" in path:
        path = path.partition("://")[2].partition("/")[2]
    file = streams / f"{quote(path, safe='')}.jsonl"
    return file.read_text().splitlines() if file.exists() else []


def _message(line: str, path: Any) -> Request:
    data = json.loads(line)["data"].encode()
    return Request(data, path=path, method="", id="message")


async def run_package(
    files: dict[str, bytes],
    asked: Sequence[Request],
    function: str = "random",
    trigger: str = "http",
    streams: Path | None = None,
) -> list[Outcome]:
    """What a package makes of the requests."""
    found = []
    with package(files, function, streams) as (handler, folder):
        kind = nuclio_sdk.TriggerInfo(trigger, trigger)
        platform = nuclio_sdk.Platform("local", namespace="nuclio")
        context = nuclio_sdk.Context(_Silent(), platform, "0", kind)
        started = handler.init_context(context)
        if inspect.isawaitable(started):
            await started
        log: list[Any] = getattr(sys.modules.get("graph"), "LOG", [])
        log.clear()
        read = _Streams(folder)
        read.new()
        for request in asked:
            try:
                made = handler.handler(context, nuclio_event(request, trigger))
                made = await made if inspect.isawaitable(made) else made
                answer = Answer(made.status_code, made.content_type, _text(made.body))
            except Exception:
                answer = Answer(500, "", "")
            found.append(Outcome([shown(answer)], sorted_votes(log), read.new()))
            log.clear()
        await terminate(context)
    return found


@dataclass
class _Streams:
    """Reads what is new in files of streams."""

    folder: Path
    _read: dict[str, int] = field(default_factory=dict)

    def new(self) -> dict[str, list[Any]]:
        found = {}
        for file in sorted(self.folder.glob("*.jsonl")):
            lines = file.read_text().splitlines()
            records = [json.loads(line) for line in lines[self._read.get(file.name, 0) :]]
            self._read[file.name] = len(lines)
            if records:
                path = unquote(file.stem)
                found[path] = [shown_record(path, record["data"]) for record in records]
        return found


def shown_record(path: str, data: str) -> Any:
    """A record, without what is another one each time."""
    try:
        record = timeless(json.loads(data))
    except ValueError:
        return data  # a text, as it is
    if path.endswith("errors"):
        message = record["message"].splitlines()[0] if record["message"] else ""
        return record["source"], record["event"], message, record["args"]
    return record


async def run_reference(
    function: ir.Function, text: str, asked: Sequence[Request]
) -> list[Outcome]:
    """What the reference makes of the same requests."""
    namespace = run_file(text)
    reference = Reference(function, namespace)
    namespace["LOG"][:] = []
    found = []
    for request in asked:
        answer = await reference.answer(request)
        all_answers = [answer, *reference.late]
        streams = {
            path: [shown_record(path, record) for record in records]
            for path, records in sorted(reference.streams.items())
        }
        reference.streams.clear()
        log = sorted_votes(namespace["LOG"])
        found.append(Outcome([shown(a) for a in all_answers], log, streams))
        namespace["LOG"].clear()
    return found


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)


def shown(answer: Answer) -> Any:
    """The answer, with the time out of it."""
    if answer.status in (204, 500):
        return answer.status
    if answer.content_type == "application/json":
        return answer.status, timeless(json.loads(answer.body))
    return replace(answer, body=timeless(answer.body))


#: What MLRun says of an event that a service did not take.
EVENT = re.compile(r"For event .*?, RemoteStep ")
TIME = re.compile(r'"\d{4}-\d\d-\d\d [\d:.]+\+00:00"')


def timeless(value: Any) -> Any:
    """A value without what is another one each time, or is MLRun's own (Q8)."""
    if isinstance(value, dict):
        hidden = ("timestamp", "background_task_state")
        return {key: timeless(item) for key, item in value.items() if key not in hidden}
    if isinstance(value, str):  # answers of models that steps made texts of
        return EVENT.sub("For event, RemoteStep ", TIME.sub('"now"', value))
    return [timeless(item) for item in value] if isinstance(value, list) else value


def sorted_votes(log: list[Any]) -> list[Any]:
    """The notes, in order but for those of models that were asked together."""
    found: list[Any] = []
    models: list[Any] = []
    for entry in [*timeless(log), None]:
        if entry is not None and entry[0] in ("Double", "Careful", "Named"):
            models.append(entry)
            continue
        found += sorted(models, key=json.dumps)
        models = []
        found.append(entry)
    return found[:-1]


def agrees(got: Outcome, wanted: Outcome) -> bool:
    """Is it what was wanted?"""
    return (
        got.answers[0] == wanted.answers[0]
        and got.log == wanted.log
        and got.streams == wanted.streams
    )


def agrees_in_some_order(got: Outcome, wanted: Outcome) -> bool:
    """The same, where branches that ask services race: any of the answers may be the first."""
    return unordered(got.answers[0]) in map(unordered, wanted.answers) and (
        _done_on_the_way(got) == _done_on_the_way(wanted)
    )


def _done_on_the_way(outcome: Outcome) -> Any:
    """Notes and records, without those of an answer that is a failure."""
    streams = {
        path: [record for record in records if record[:1] != ("_handler",)]
        if path.endswith("errors")
        else records
        for path, records in outcome.streams.items()
    }
    return unordered([outcome.log, streams])


def unordered(value: Any) -> Any:
    """A value whose lists are sorted."""
    if isinstance(value, dict):
        return {key: unordered(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return sorted(map(unordered, value), key=repr)
    return value
