"""MLRun's side: serves requests by graph files as MLRun 1.12 deploys them.

Runs in an interpreter that has mlrun, as a child of `run.py`; a line of JSON in, one out:
`{"text": <graph file>, "requests": [...]}` gives `{"graph": <what mlrun writes of the graph>,
"outcomes": [{"answer": [status, type, body] | null, "log": [...], "streams": {...}}]}`, or
`{"refused": <exception>}` where mlrun does not take the graph. An answer of null never came.
With `"children": {<name>: [<stream>, ...]}` each child function gets the messages of its streams,
and `"children": {<name>: <outcomes>}` comes back, or the exception with which it does not start.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import inspect
import json
import os
import sys
import tempfile
import types
from typing import Any

import mlrun  # type: ignore[import-not-found]
import mlrun.serving.server  # type: ignore[import-not-found]
import mlrun.serving.states  # type: ignore[import-not-found]
import nuclio_sdk
import nuclio_sdk.json_encoder
import storey  # type: ignore[import-not-found]
from mlrun.runtimes import nuclio_init_hook  # type: ignore[import-not-found]

#: Seconds without an answer, with nothing to wait for, that count as never.
NEVER = 0.4
STREAMS: dict[str, list[str]] = {}


class Recorded(storey.MapClass):  # type: ignore[misc]
    """Stands in for storey's writer to a V3IO stream."""

    def __init__(self, driver: Any, path: str, full_event: Any = None, **kw: Any) -> None:
        super().__init__(full_event=True, name=kw.get("name"), context=kw.get("context"))
        self.path, self.wraps = path, full_event

    def do(self, event: Any) -> Any:
        body = event.body
        if self.wraps:
            body = storey.utils.wrap_event_for_serialization(event, body)
        record(self.path, body)
        self.filter()
        return event


class Pusher:
    """Stands in for MLRun's own writer."""

    def __init__(self, path: str, **kw: Any) -> None:
        self.path = path

    def push(self, data: Any, **kw: Any) -> None:
        for item in data if isinstance(data, list) else [data]:
            if isinstance(item, bytes):  # as MLRun writes them to Kafka
                STREAMS.setdefault(self.path, []).append(item.decode("utf-8", "replace"))
            else:
                record(self.path, item)


def record(path: str, body: Any) -> None:
    text = json.dumps(body, default=str)
    STREAMS.setdefault(path, []).append(text)


storey.StreamTarget = Recorded
storey.V3ioDriver = lambda *args, **kw: None
mlrun.serving.states.get_stream_pusher = Pusher
mlrun.serving.server.get_stream_pusher = Pusher


def _call_error_handler(step: Any, event: Any, err: BaseException, **kw: Any) -> Any:
    """MLRun's own fails on Nuclio and makes events their own bodies: what it means (Q17)."""
    event.error = getattr(event, "error", None) or {}
    event.error[step.name] = mlrun.errors.err_to_str(err)
    event.origin_state = step.fullname
    result = step._on_error_handler(event)
    return result.body if isinstance(result, nuclio_sdk.Event) else result


mlrun.serving.states.BaseStep._call_error_handler = _call_error_handler


class Silent:
    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kw: None


def event(request: dict[str, Any], trigger: str = "http") -> Any:
    fields = {
        "body": request["body"].encode("latin-1"), "content_type": request["content_type"],
        "path": request["path"], "method": request["method"], "id": request["id"],
        "trigger": {"kind": trigger, "name": trigger}, "headers": {}, "fields": {},
        "size": len(request["body"]), "timestamp": 0, "url": "", "shard_id": -1, "num_shards": 0,
        "type": "", "type_version": "", "version": "", "offset": 0, "topic": "",
    }  # fmt: skip
    kind = nuclio_sdk.event.EventDeserializerKinds.msgpack
    return nuclio_sdk.Event.deserialize(fields, kind=kind)


async def handler(context: Any, sent: Any) -> Any:
    """The footer that nuclio-jupyter 0.13.2 puts under the user's code."""
    result = context.mlrun_handler(context, sent)
    if asyncio.iscoroutine(result):
        result = await result
    if inspect.isgenerator(result) or inspect.isasyncgen(result):
        return context.Response(body=result)
    return result


ENCODE = nuclio_sdk.json_encoder.Encoder().encode


async def answer(context: Any, request: dict[str, Any]) -> list[Any] | None:
    try:
        sent = event(request, context.trigger.kind)
        output = await asyncio.wait_for(handler(context, sent), NEVER)
        found = nuclio_sdk.Response.from_entrypoint_output(ENCODE, output)
    except TimeoutError:
        return None
    except Exception:
        return [500, "", ""]
    body = found["body"]
    if found.get("body_encoding") == "base64":
        body = base64.b64decode(body).decode("utf-8", "replace")
    return [found["status_code"], found["content_type"], str(body)]


async def serve(task: dict[str, Any]) -> dict[str, Any]:
    module = types.ModuleType("deployed")
    module.__file__ = "graph.py"
    sys.modules["deployed"] = module
    found: dict[str, Any] = {}
    STREAMS.clear()
    try:
        with open("graph.py", "w", encoding="utf-8") as file:  # which children are made of
            file.write(task["text"])
        exec(compile(task["text"], "graph.py", "exec"), module.__dict__)
        function = module.__dict__["fn"]
        found["graph"] = json.loads(json.dumps(function.to_dict()["spec"]["graph"]))
        function.spec.model_endpoint_creation_task_name = "endpoints-task"
        packed = gzip.compress(function._get_serving_spec().encode())
        os.environ["SERVING_SPEC_ENV"] = base64.b64encode(packed).decode()
        found["outcomes"] = await outcomes(module, "", task["requests"])
    except Exception as exc:
        return found | {"refused": f"{type(exc).__name__}: {exc}"[:300]}
    written = gathered({}, found["outcomes"])
    children = found["children"] = {}
    for name, reads in task.get("children", {}).items():
        messages = [message(path, data) for path in reads for data in written.get(path, ())]
        try:
            children[name] = await outcomes(module, name, messages) if messages else []
        except Exception as exc:
            children[name] = f"{type(exc).__name__}: {exc}"[:300]
        else:
            gathered(written, children[name])
    return found


def message(path: str, data: str) -> dict[str, Any]:
    return {"body": data, "content_type": "", "path": path, "method": "", "id": "message"}


def gathered(written: dict[str, list[str]], found: list[dict[str, Any]]) -> dict[str, list[str]]:
    for one in found:
        for path, records in one["streams"].items():
            written.setdefault(path, []).extend(records)
    return written


async def outcomes(module: Any, function: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a function, the root or a child, makes of requests."""
    os.environ["SERVING_CURRENT_FUNCTION"] = function
    kind = "v3ioStream" if function else "http"
    platform = nuclio_sdk.Platform("local", namespace="nuclio")
    context = nuclio_sdk.Context(Silent(), platform, "0", nuclio_sdk.TriggerInfo(kind, kind))
    nuclio_init_hook(context, module.__dict__, "serving_v2")
    log = module.__dict__.get("LOG", [])
    log.clear()
    found = []
    for request in asked:
        STREAMS.clear()
        got = await answer(context, request)
        await asyncio.sleep(0.05)  # for branches that go on behind the responder
        found.append({"answer": got, "log": json.loads(json.dumps(log)), "streams": STREAMS.copy()})
        log.clear()
    return found


async def main(out: Any) -> None:
    for line in sys.stdin:
        before = asyncio.all_tasks()
        found = await serve(json.loads(line))
        for task in asyncio.all_tasks() - before:  # flows wait to be terminated
            task.cancel()
        print(json.dumps(found), file=out, flush=True)


if __name__ == "__main__":
    os.chdir(tempfile.mkdtemp())
    answers = os.fdopen(os.dup(1), "w")  # what mlrun prints is none of ours
    os.dup2(2, 1)
    asyncio.run(main(answers))
