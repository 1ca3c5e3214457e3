"""graph.json and graph.md: the graph after all passes, for tools and for the pull request."""

from __future__ import annotations

import dataclasses
import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .. import __version__, ir
from ..codegen.expressions import literal
from ..codegen.pages import page
from ..diagnostics import Span
from ..passes.picture import class_name, left_to_graph, stream_name
from ..passes.slicing import Slice
from ..passes.validate import successors
from .diagram import diagram, overview

_WIDTH = 110


def graph_json(
    graph: ir.Graph, slices: Mapping[str, Slice], requirements: Mapping[str, Sequence[str]]
) -> str:
    """The text of graph.json: deterministic, with source lines."""
    functions = {
        function.name: {
            **_place_of(function),
            **_function(function),
            **_settings(function),
            "code": {file.source: list(file.names) for file in slices[function.name].files},
            "requirements": list(requirements[function.name]),
        }
        for function in graph.functions
    }
    document = {"graphc": __version__, "source": graph.source, "functions": functions}
    return _pretty(document, 0) + "\n"


def _function(function: ir.Function) -> dict[str, Any]:
    root = function.root
    if isinstance(root, ir.Router):
        return {"topology": "router", **_router(root)}
    catches: dict[str, list[str]] = {}
    for step in root.steps:
        if step.on_error is not None:
            catches.setdefault(step.on_error, []).append(step.name)
    return {
        "topology": "flow",
        "engine": root.engine,
        **({"on_error": root.on_error} if root.on_error else {}),
        "steps": {step.name: _step(step, catches.get(step.name)) for step in root.steps},
    }


def _place_of(function: ir.Function) -> dict[str, Any]:
    """Of a child: whose graph it runs, and what it reads."""
    found: dict[str, Any] = {}
    if function.parent:
        found |= {"parent": function.parent, "deployed_as": function.full_name}
    if function.reads:
        found["reads"] = {read.queue: _read(read) for read in function.reads}
    return found


def _read(read: ir.Reads) -> dict[str, Any]:
    found = {
        "stream": stream_name(read) if isinstance(read.path, str) else plain(read.path),
        "group": read.group,
        "steps": list(read.steps),
    }
    if read.shards is not None:
        found["shards"] = plain(read.shards)
    if read.trigger_args:
        found["trigger_args"] = plain(dict(read.trigger_args))
    return found


def _settings(function: ir.Function) -> dict[str, Any]:
    """What was set about the function as a whole, under one key; what was not set, is not there."""
    found = {
        **{name: value for name in ("project", "tag") if (value := getattr(function, name))},
        **_set(function.serving),
        **_set(function.settings),
    }
    if function.serving.secrets:
        found["secrets"] = [_secrets(source) for source in function.serving.secrets]
    found.pop("requirements", None)  # those that are reached have a key of their own
    found |= {section: keys for section, keys in found.pop("config", {}).items() if keys}
    return {"settings": found} if found else {}


def _set(value: ir.Serving | ir.Settings) -> dict[str, Any]:
    """What differs from how it is by default."""
    usual = type(value)()
    return {
        item.name: _setting(getattr(value, item.name))
        for item in dataclasses.fields(value)
        if item.compare and getattr(value, item.name) != getattr(usual, item.name)
    }


def _secrets(secrets: ir.Secrets) -> dict[str, Any]:
    """Where secrets come from, and their names; never what they are."""
    names = secrets.source if secrets.kind == "file" else list(secrets.source)
    return {"kind": secrets.kind, "source": names, "prefix": secrets.prefix}


def _setting(value: Any) -> Any:
    if isinstance(value, tuple) and value and all(map(_is_pair, value)):
        return plain(dict(value))  # how frozen data holds a mapping
    return plain(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str)


def _step(step: ir.Step, catches: list[str] | None) -> dict[str, Any]:
    found: dict[str, Any]
    match step:
        case ir.Router():
            found = _router(step)
        case ir.Queue():
            found = _queue(step)
        case _:
            found = _runs(step)
    found["after"] = list(step.after)
    found |= _handling(step)
    if isinstance(step, ir.Task) and step.before:
        found["before"] = list(step.before)
    if catches:
        found["catches"] = catches
    if step.responder:
        found["responder"] = True
    found |= _place(step.span)
    return found


def _queue(queue: ir.Queue) -> dict[str, Any]:
    found: dict[str, Any] = {
        "queue": stream_name(queue) if isinstance(queue.path, str) else plain(queue.path)
    }
    if queue.sharding is not None:
        found["sharding"] = plain(queue.sharding)
    if queue.readers:
        found["readers"] = list(queue.readers)
    return found


def _router(router: ir.Router) -> dict[str, Any]:
    found: dict[str, Any] = {"class": _spelled(router.cls)}
    if router.method is not None:
        found["handler"] = router.method
    if router.args:
        found["args"] = plain(dict(router.args))
    found["routes"] = {route.key: _route(route) for route in router.routes}
    return found


def _route(route: ir.Route | ir.Router) -> dict[str, Any]:
    found = _router(route) if isinstance(route, ir.Router) else _runs(route)
    return {**found, **_handling(route), **_place(route.span)}


def _handling(step: ir.Step | ir.Route) -> dict[str, Any]:
    names = ("full_event", "input_path", "result_path", "on_error")
    return {name: value for name in names if (value := getattr(step, name, None)) is not None}


def _runs(step: ir.Task | ir.Route) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if step.cls is not None:
        found["class"] = _spelled(step.cls)
    if step.method is not None:
        found["handler"] = step.method
    if step.function is not None:
        found["handler"] = _spelled(step.function)
    if step.args:
        found["args"] = plain(dict(step.args))
    return found


def _place(span: Span) -> dict[str, int]:
    return {**({"cell": span.cell} if span.cell else {}), "line": span.line}


def _spelled(target: ir.Target | ir.EnvLookup) -> str:
    match target:
        case ir.EnvLookup(name=name):
            return f"${{{name}}}"
        case ir.UserCode(symbol=symbol):
            return f"{symbol.module}.{symbol.name}" if symbol.module else symbol.name
        case ir.Dotted(name=name):
            return name
        case ir.Inline(text=text, parameter=parameter):
            return f"({text})" if parameter == "event" else f"lambda {parameter}: {text}"
    return target.text


def plain(value: Any) -> Any:
    """The value as JSON can hold it; what it cannot hold as Python spells it."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value - value == 0 else repr(value)
        case list() | tuple():
            return [plain(item) for item in value]
        case dict():
            return {
                key if isinstance(key, str) else repr(key): plain(item)
                for key, item in value.items()
            }
        case set() | frozenset():
            return sorted((plain(item) for item in value), key=repr)
        case ir.UserCode() | ir.Dotted() | ir.Inline() | ir.Named():
            return _spelled(value)
        case ir.EnvLookup(name=name):
            return f"${{{name}}}"
        case ir.OpenText(parts=parts):
            return "".join(map(plain, parts))
    return repr(value)


def _pretty(value: Any, depth: int) -> str:
    """JSON with a line for each thing that fits one."""
    line = json.dumps(value, ensure_ascii=True)
    if (depth > 2 and len(line) <= _WIDTH) or not value or not isinstance(value, (dict, list)):
        return line
    pad = " " * (depth + 1)
    if isinstance(value, dict):
        items = [
            f"{pad}{json.dumps(key)}: {_pretty(item, depth + 1)}" for key, item in value.items()
        ]
        return "{\n" + ",\n".join(items) + "\n" + " " * depth + "}"
    items = [pad + _pretty(item, depth + 1) for item in value]
    return "[\n" + ",\n".join(items) + "\n" + " " * depth + "]"


# -- graph.md


def graph_md(graph: ir.Graph) -> str:
    """The text of graph.md: a picture and a table for each function."""
    functions = [
        {
            "name": function.name,
            "mermaid": diagram(function).mermaid(),
            "rows": [[_cell(text) for text in row] for row in _rows(function)],
        }
        for function in graph.functions
    ]
    whole = overview(graph.functions)
    return page(
        "graph.md.j2",
        source=_cell(graph.source),
        overview=whole.mermaid() if whole else "",
        functions=functions,
    )


def _rows(function: ir.Function) -> list[tuple[str, str, str, str]]:
    root = function.root
    if isinstance(root, ir.Router):
        name = class_name(root.cls) or root.name
        return [(name, _call(root), "request", "400"), *_route_rows(root, name, "400")]
    following = successors(root)
    rows = []
    catches: dict[str, list[str]] = {}
    for step in root.steps:
        if step.on_error is not None:
            catches.setdefault(step.on_error, []).append(step.name)
    for step in root.steps:
        responds = step.responder and not following[step.name]
        streams = [f"stream {read.queue}" for read in function.reads if step.name in read.steps]
        after = ", ".join([*streams, *step.after]) or "request"
        if isinstance(step, ir.Task) and step.catcher:
            failed = catches.get(step.name, [])
            after = ", ".join(
                [*failed, *([left_to_graph(root)] if root.on_error == step.name else [])]
            )
            after = f"{after} failed"
        on_error = step.on_error or (
            root.on_error if root.on_error not in (None, step.name) else "400"
        )
        name = f"{step.name}, responds" if responds else step.name
        rows.append((name, _call(step), after, on_error or "400"))
        if isinstance(step, ir.Router):
            rows += _route_rows(step, step.name, on_error or "400")
    return rows


def _route_rows(router: ir.Router, name: str, on_error: str) -> list[tuple[str, str, str, str]]:
    """A row for each route; those of a router among them follow it."""
    vote = isinstance(router.cls, ir.Dotted) and router.cls.name.endswith("VotingEnsemble")
    rows = []
    for route in router.routes:
        path = f"{name} / {route.key}"
        rows.append((path, _call(route), name, "left out of the vote" if vote else on_error))
        if isinstance(route, ir.Router):
            rows += _route_rows(route, path, on_error)
    return rows


def _call(step: ir.Step | ir.Route) -> str:
    if isinstance(step, ir.Queue):
        if step.path is None:
            return "queue without a stream"
        readers = f", read by {', '.join(step.readers)}" if step.readers else ""
        return f"queue {stream_name(step)}{readers}"
    if isinstance(step, (ir.Task, ir.Route)) and step.function is not None:
        text = _spelled(step.function)
    else:
        assert step.cls is not None
        args = ", ".join(f"{key}={literal(value, _spelled)}" for key, value in step.args)
        method = getattr(step, "method", None)
        text = f"{_spelled(step.cls)}({args})" + (f".{method}" if method else "")
    if isinstance(step, (ir.Task, ir.Route)) and step.full_event:
        text += ", event"
    return text


def _cell(text: str) -> str:
    """Text for a cell of a Markdown table."""
    escaped = "".join(
        char if char.isprintable() else " " for char in html.escape(text, quote=False)
    )
    return escaped.replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`")
