"""What a graph means, said as plainly as possible: an interpreter of the IR, to compare with.

`Reference(function, namespace)` takes a function of a graph after `resolve`, and the names of the
graph file as `reference_mlrun.run_file` finds them; `answer` says what an HTTP caller gets for one
request. The rules are those of spec/serving.md, 12 included. Nothing is shared with the compiler
but the IR, and nothing with `runtime_min`.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import importlib
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from graphc import ir
from reference_mlrun import (
    LIBRARY,
    Choice,
    Context,
    Event,
    MapClass,
    Partitioned,
    RemoteStep,
    Response,
    exchange,
)

MERGE = "mlrun.serving.merger.Merge"
#: Steps that work on the body of the event itself (stream-steps.md 2.8 to 2.10).
IN_PLACE = ("Rename", "DropColumns", "ReifyMetadata", "Partition", "Assert")


@dataclass(frozen=True)
class Request:
    """An HTTP request, as Nuclio hands it over."""

    body: bytes = b""
    path: str = "/"
    method: str = "POST"
    content_type: str = ""
    id: str = "id-0"


@dataclass(frozen=True)
class Answer:
    """What the caller gets; `status` 500 without a body if the handler itself raises."""

    status: int
    content_type: str
    body: str


@dataclass
class Reference:
    """One function, started."""

    function: ir.Function
    namespace: Mapping[str, Any]
    _waiting: dict[Any, list[Any]] = field(default_factory=dict)
    _replies: list[Any] = field(default_factory=list)
    #: Answers to the last request after the first one, which nobody hears.
    late: list[Answer] = field(default_factory=list)
    #: What was written, by the streams' paths: records as JSON.
    streams: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        root = self.function.root
        steps = root.steps if isinstance(root, ir.Flow) else (root,)
        self._sync = isinstance(root, ir.Flow) and root.engine == "sync"
        self._steps: dict[str, Any] = {step.name: step for step in steps}
        self._context = Context(self.function, self._push_error)
        if self.function.serving.initializer is not None:
            self._called(self.function.serving.initializer)(SimpleNamespace(context=self._context))
        self._objects = {step.name: self._made(step, step.name) for step in steps}
        #: What follows each step: by `after`, and what catchers go on `before` (serving.md 7.3).
        self._following = {
            step.name: [
                other.name
                for other in steps
                if step.name in other.after or other.name in getattr(step, "before", ())
            ]
            for step in steps
        }
        followed = {name for names in self._following.values() for name in names}
        followed |= {step.name for step in steps if getattr(step, "catcher", False)}
        self._starts = [step.name for step in steps if step.name not in followed]
        self._catchers = {step.on_error for step in steps if step.on_error}
        self._behind_all: set[str] = set()
        if isinstance(root, ir.Flow) and root.on_error:
            self._catchers.add(root.on_error)
            self._behind_all = self._reached([root.on_error])
        #: What only failures lead to; where such a way ends it answers (Q7).
        self._caught = self._reached(self._catchers) - self._reached(self._starts)

    async def answer(self, request: Request) -> Answer:
        """Serve one request."""
        self.late = []
        self._waiting.clear()  # docs/differences.md: what one request leaves is not the next one's
        event = Event(**vars(request), headers={}, error=None, terminated=False)
        event.body = request.body or None
        event.key = None
        if request.content_type == "application/json":  # decoded by Nuclio already
            with suppress(ValueError):
                event.body = json.loads(request.body)
        event.content_type = request.content_type or self.function.serving.content_type
        json_types = ("", "json", "application/json")
        if isinstance(event.body, (bytes, str)) and event.content_type in json_types:
            try:
                event.body = json.loads(event.body)
            except ValueError as exc:
                if event.content_type:
                    text = f"failed to json decode event, {exc}"
                    self._push_error(event, text, source="_handler")
                    return Answer(400, "text/plain", text)
        root = self.function.root
        if isinstance(root, ir.Flow):  # the envelope of queues (serving.md 8.3)
            unwrap(event)
        if isinstance(root, ir.Flow) and not self._sync:
            return await self._flow(root, event)
        try:
            if isinstance(root, ir.Flow):
                result = await self._chain(root, event)
            else:
                result = await self._run(root, event)
        except Exception as exc:
            return self._failure(event, exc, causes=True)
        return reply(result.body if isinstance(result, Event) else result)

    def _failure(self, event: Any, exc: BaseException, causes: bool) -> Answer:
        """The answer of a failure, and its record."""
        answer = failure(exc, causes)
        self._push_error(event, answer.body, source="_handler")
        return answer

    def _push_error(self, event: Any, text: str, source: str | None = None, **kw: Any) -> None:
        """A record of the error stream (serving.md 7.5)."""
        if path := self.function.serving.error_stream:
            shown = {"id": event.id, "body": event.body}
            record = {"source": source, "event": shown, "message": text, "args": kw}
            with suppress(ValueError):
                self._write(path, record)

    def _write(self, path: str, record: Any) -> None:
        text = json.dumps(record, default=str)
        if self._sync and isinstance(record, (str, bytes)):  # as they are
            text = record if isinstance(record, str) else record.decode()
        self.streams.setdefault(path, []).append(text)

    # -- the asynchronous engine (serving.md 4.3, 7.3)

    async def _flow(self, flow: ir.Flow, event: Any) -> Answer:
        self._replies = []
        await self._fork(self._starts, [event, *(twin(event) for _ in self._starts[1:])])
        if not any(self._responds(step) for step in flow.steps):
            return reply({"id": event.id})
        first, *self.late = self._replies or [Answer(204, "text/plain", "")]
        self.late = [
            failure(item, causes=False) if isinstance(item, Exception) else answered(item)
            for item in self.late
        ]
        if isinstance(first, Exception):
            return self._failure(event, first, causes=False)
        return answered(first)

    def _reached(self, names: Iterable[str]) -> set[str]:
        return {found for name in names for found in (name, *self._reached(self._following[name]))}

    def _catcher(self, step: ir.Step) -> str | None:
        """What takes the failures of a step that is no catcher itself (serving.md 7.2)."""
        if step.on_error is not None or step.name in self._behind_all:
            return step.on_error
        return self.function.root.on_error

    def _responds(self, step: ir.Step) -> bool:
        return step.responder and not self._following[step.name]

    async def _fork(self, heads: list[str], events: list[Any]) -> None:
        branches = [self._deliver(head, event) for head, event in zip(heads, events, strict=True)]
        branches[1:] = [asyncio.ensure_future(branch) for branch in branches[1:]]  # type: ignore[misc]
        for branch in branches:
            await branch

    async def _deliver(self, name: str, event: Any, catches: str = "") -> None:
        """Run a step and all that follows it; it `catches` what failed in the step of that name."""
        step = self._steps[name]
        try:
            async for out in self._outputs(step, event):
                heads = self._selected(step, out)
                # As storey does it, copies are made before any branch runs (serving.md 4.3).
                await self._go_on(step, heads, [out, *(twin(out) for _ in heads[1:])])
        except Exception as exc:
            catcher = None if catches else self._catcher(step)
            if catcher is None:
                self._replies.append(exc)
                self._push_error(event, str(exc), source=catches or name)
                return
            event = copy.copy(event)
            event.error, event.origin_state = exc, name
            await self._deliver(catcher, event, catches=name)

    async def _go_on(self, step: Any, heads: list[str], events: list[Any]) -> None:
        if heads == [COMPLETE]:
            self._replies.append(events[0])
        elif heads:
            await self._fork(heads, events)

    def _selected(self, step: Any, event: Any) -> list[str]:
        """Where the event goes from the step (stream-steps.md 1.4)."""
        heads = list(self._following[step.name])
        if self._responds(step) or (not heads and step.name in self._caught):
            heads = [COMPLETE]
        if heads in ([], [COMPLETE]):
            return heads  # there is nothing to choose; MLRun asks, and refuses all names
        made, args = self._objects[step.name], dict(getattr(step, "args", ()))
        if isinstance(made, Choice):
            names = made.select_outlets(event if getattr(step, "full_event", None) else event.body)
        elif hasattr(made, "select_outlets"):
            names = made.select_outlets(event.body)
        elif "_fn_select_outlets" in args:
            names = self._called(args["_fn_select_outlets"])(event.body)
        else:
            return heads
        if not names and not isinstance(made, Choice):
            return heads
        if len(set(names)) != len(names):
            raise ValueError(
                f"Invalid outlet selection for '{step.name}': duplicate outlet names were provided "
                f"({', '.join(names)})."
            )
        for name in names:
            if name not in heads:
                raise ValueError(
                    f"Invalid outlet '{name}' for '{step.name}'. "
                    f"Allowed outlets are: {', '.join(heads)}."
                )
        return list(names)

    # -- the synchronous engine (serving.md 4.2, 7.4)

    async def _chain(self, flow: ir.Flow, event: Any) -> Any:
        name: str | None = self._starts[0]
        try:
            while name is not None:
                step = self._steps[name]
                try:
                    event = await self._run(step, event)
                except Exception as exc:
                    if step.on_error is None:
                        raise
                    path = getattr(step, "result_path", None)
                    event = await self._recover(step.on_error, event, name, name, exc, path)
                    name = step.on_error
                if getattr(event, "terminated", False):
                    break
                name = next(iter(self._following[name]), None)
        except Exception as exc:
            if flow.on_error is None:
                raise
            event = await self._recover(flow.on_error, event, None, "", exc, failed_step=name)
        return event

    async def _recover(
        self,
        catcher: str,
        event: Any,
        key: str | None,
        origin: str,
        exc: Exception,
        path: Any = None,
        **args: Any,
    ) -> Any:
        self._push_error(event, message(exc, causes=True), origin, **args)
        event.error = {**(event.error or {}), key: message(exc, causes=True)}
        event.origin_state = origin
        result = await self._run(self._steps[catcher], event)
        if isinstance(result, Event):
            event.body = result.body
        else:
            event.body = self._put(event.body, path, result) if path else result
        return event

    # -- one step

    async def _outputs(self, step: Any, event: Any) -> AsyncIterator[Any]:
        """The events that come out of a step of an asynchronous flow."""
        library = step.cls.name if isinstance(getattr(step, "cls", None), ir.Dotted) else ""
        kind = library.rpartition(".")[2] if library.startswith("storey.") else ""
        if kind in ("FlatMap", "Flatten"):
            elements = event.body
            if kind == "FlatMap":
                elements = await self._result(step, event)
            elif step.input_path:
                elements = self._get(event.body, step.input_path)
            # All of them, or none (docs/differences.md), where they go on.
            ends = not self._following[step.name] and not self._responds(step)
            if not ends and (self._catcher(step) or self.function.serving.error_stream):
                elements = list(elements)
            for element in elements:
                if kind == "FlatMap" and step.full_event:
                    yield element
                else:
                    yield self._output(step, event, element)
        elif isinstance(step, ir.Queue):
            self._write(step.path, wrapped(step, event, event.body))
        else:
            result = await self._run(step, event)
            if result is not None:
                yield result

    async def _result(self, step: Any, event: Any) -> Any:
        """What the step's code gives back."""
        call, takes_event = self._call(step, self._objects[step.name])
        if takes_event:
            given = event
        else:
            given = self._get(event.body, step.input_path) if step.input_path else event.body
        result = call(given)
        return await result if inspect.iscoroutinefunction(call) else result

    def _output(self, step: Any, event: Any, result: Any) -> Any:
        """The event with the result of a body step."""
        out = event if self._sync else copy.copy(event)
        out.body = self._put(event.body, step.result_path, result) if step.result_path else result
        return out

    async def _run(self, step: Any, event: Any) -> Any:
        """The event that comes out of the step, None if it is dropped (serving.md 2.5, 4.1)."""
        if isinstance(step, ir.Queue):
            return self._send(step, event)
        library = step.cls.name if isinstance(step.cls, ir.Dotted) else ""
        made = self._objects[step.name]
        if library == MERGE:
            return self._merge(step, event)
        if isinstance(made, Choice):
            return event
        if isinstance(made, RemoteStep):
            return await self._asked(step, made, event)
        if library.rpartition(".")[2] in IN_PLACE:
            return self._in_place(step, library.rpartition(".")[2], event)
        result = await self._result(step, event)
        if isinstance(made, MapClass) and made.dropped():
            return None
        if library == "storey.Filter":
            return event if result else None
        if library == "storey.Extend":
            for key, value in result.items():
                event.body[key] = value
            return event
        if library == "storey.ForEach":
            if not step.full_event:
                self._output(step, event, result)
            return event
        if self._call(step, made)[1]:
            return result if self._sync else (result, result.body)[0]
        return self._output(step, event, result)

    async def _asked(self, step: Any, made: RemoteStep, event: Any) -> Any:
        """A service's answer as the body, or a part of it (serving.md 8.6, 8.7)."""

        def bad(status: int, answer: bytes) -> Exception:
            if self._sync or status >= 500:
                return RuntimeError(f"bad http response {status}: {answer.decode()}")
            return ValueError(
                f"For event, RemoteStep {made.name} got an unexpected response "
                f"status {status}: {answer!r}"
            )

        body = self._get(event.body, step.input_path) if step.input_path else event.body
        asked = made.requests(event, body)
        if self._sync:
            answers = [exchange(*request) for request in asked]
        else:
            waiting = (asyncio.to_thread(exchange, *request) for request in asked)
            answers = await asyncio.gather(*waiting)
        return self._output(step, event, made.result(answers, bad))

    def _send(self, step: ir.Queue, event: Any) -> Any:
        """A queue of the synchronous engine: empty bodies go past it (serving.md 8.3, Q26)."""
        if event.body:
            data = wrapped(step, event, event.body)
            for item in data if isinstance(data, list) else [data]:
                self._write(step.path, item)
            event.terminated, event.body = True, None
        return event

    def _in_place(self, step: Any, kind: str, event: Any) -> Any:
        args = dict(step.args)
        if kind == "Rename":
            for old, new in args["mapping"].items():
                if old in event.body:
                    event.body[new] = event.body.get(old)
                    del event.body[old]
        elif kind == "DropColumns":
            columns = args["columns"]
            body = copy.copy(event.body)
            for column in columns if isinstance(columns, list) else [columns]:
                body.pop(column, None)
            event.body = body
        elif kind == "ReifyMetadata":
            names = args["mapping"]
            pairs = names if isinstance(names, dict) else {name: name for name in names}
            for name, key in pairs.items():
                event.body[key] = getattr(event, name)
        elif kind == "Partition":
            left = self._called(args.get("predicate", args.get("_predicate")))(event)
            event.body = Partitioned(*((event.body, None) if left else (None, event.body)))
        return event

    def _merge(self, step: ir.Task, event: Any) -> Any:
        args = dict(step.args)
        expected = args.get("expected_num_events") or len(step.after)
        if expected <= 1:
            return event
        parts = self._waiting.setdefault((step.name, event.id), [])
        parts.append(event.body)
        if len(parts) < expected:
            return None
        event.body = self._waiting.pop((step.name, event.id))
        return event

    def _call(self, step: Any, made: Any) -> tuple[Callable[..., Any], bool]:
        """What a step or route calls, and whether it takes the event."""
        full_event = bool(getattr(step, "full_event", False))
        if made is None:
            function = step.function or next(v for k, v in step.args if k in ("fn", "_fn"))
            return self._called(function), full_event
        method = getattr(step, "method", None)
        if method is None:
            method = "do_event" if hasattr(made, "do_event") else "do"
            full_event = full_event or method == "do_event"
        return getattr(made, method), full_event

    def _called(self, target: Any) -> Callable[..., Any]:
        match target:
            case ir.UserCode(symbol=symbol):
                function: Callable[..., Any] = self.namespace[symbol.name]
                if "context" in inspect.signature(function).parameters:
                    return functools.partial(function, context=self._context)
                return function
            case ir.Dotted(name=name):
                module, _, attribute = name.rpartition(".")
                return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]
            case ir.Inline(text=text, parameter=parameter):
                return eval(f"lambda {parameter}: ({text})", dict(self.namespace))  # type: ignore[no-any-return]
        raise AssertionError(target)

    def _made(self, step: Any, name: str) -> Any:
        """The object of a step or route, None for functions and storey's steps (serving.md 2.3)."""
        if isinstance(step, ir.Queue):
            return None
        if isinstance(step.cls, ir.UserCode):
            cls = self.namespace[step.cls.symbol.name]
        else:
            cls = LIBRARY.get(step.cls.name) if step.cls else None
        if cls is None:
            return None
        offered: dict[str, Any] = {"context": self._context, "name": name}
        if isinstance(step, ir.Router):
            offered["routes"] = {route.key: self._route(route) for route in step.routes}
        parameters = inspect.signature(cls).parameters
        takes_all = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        offered = {k: v for k, v in offered.items() if takes_all or k in parameters}
        given = dict(step.args)
        if issubclass(cls, RemoteStep):  # with expressions as they were written
            given = {k: v.text if isinstance(v, ir.Inline) else v for k, v in given.items()}
        made = cls(**{**given, **offered})
        if hasattr(made, "post_init"):
            made.post_init()
        return made

    def _route(self, route: Any) -> Any:
        made = self._made(route, route.key)

        def run(event: Any) -> Any:
            call, takes_event = self._call(route, made)
            if takes_event:
                return call(event)
            event.body = call(event.body)
            return event

        return SimpleNamespace(run=run)

    def _get(self, body: Any, path: str) -> Any:
        """The part of the body at `a.b` (serving.md 3.3)."""
        if not hasattr(body, "__getitem__"):
            raise TypeError("input_path parameter supports only dict-like event bodies")
        for key in path.split("."):
            if self._sync:
                body = body.get(key) if isinstance(body, dict) else getattr(body, key, None)
            else:
                body = body[key] if body and key in body else None
        return body

    def _put(self, body: Any, path: str, result: Any) -> Any:
        """The body, with the result written to `a.b`."""
        if self._sync and not body:
            return result
        if not hasattr(body, "__getitem__"):
            raise TypeError("result_path parameter supports only dict-like event bodies")
        *parents, last = path.split(".")
        part = body
        for key in parents:
            if part.get(key) is None and (key not in part or not self._sync):
                part[key] = {}
            part = part[key]
        if self._sync and last not in part:
            part[last] = {}
        part[last] = result
        return body


#: The outlet of a responder.
COMPLETE = "Complete"


def wrapped(step: ir.Queue, event: Any, body: Any) -> Any:
    """What a queue at the end sends: the body alone unless asked for more (serving.md 8.3)."""
    if not step.full_event:
        return body
    more = {name: getattr(event, name) for name in ("key", "id")}
    more = {name: value for name, value in more.items() if value is not None}
    return {"full_event_wrapper": True, "body": body, **more}


def unwrap(event: Any) -> None:
    body = event.body
    if isinstance(body, dict) and body.get("full_event_wrapper"):
        event.body = body.get("body")
        for name in ("id", "key"):
            if body.get(name) is not None:
                setattr(event, name, body[name])


# -- answers (serving.md 4.5, 7.1)


def twin(event: Any) -> Any:
    """A deep copy, but for the failure on it, which is shared (Q16)."""
    return copy.deepcopy(event, {id(event.error): event.error})


def answered(event: Any) -> Answer:
    """The answer of a flow, which is written when all of it has run."""
    return event if isinstance(event, Answer) else reply(event.body)


def reply(body: Any) -> Answer:
    """What the caller gets for a body."""
    if isinstance(body, Response):
        text = body.body.decode() if isinstance(body.body, bytes) else str(body.body)
        return Answer(body.status_code, body.content_type, text)
    if isinstance(body, bytes):
        return Answer(200, "text/plain", body.decode())
    if isinstance(body, str) or (not body and not isinstance(body, (dict, list))):
        return Answer(200, "text/plain", str(body))
    try:
        return Answer(200, "application/json", json.dumps(body))
    except (TypeError, ValueError):
        return Answer(500, "", "")


def failure(exc: BaseException, causes: bool) -> Answer:
    """What the caller gets for an exception."""
    status = getattr(exc, "status", 400)
    return Answer(status, "text/plain", f"{type(exc).__name__}: {message(exc, causes)}")


def message(exc: BaseException, causes: bool) -> str:
    texts = [str(exc) or repr(exc)]
    while causes and exc.__cause__ is not None:
        exc = exc.__cause__
        texts.append(str(exc) or repr(exc))
    return ", caused by: ".join(texts)
