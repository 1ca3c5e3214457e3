"""Evaluate a text as a graph file, with a host that writes down what is called."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from graphc.diagnostics import Diagnostic, Diagnostics, GraphError, Span
from graphc.frontend.evaluator import Skipped, evaluate
from graphc.frontend.values import HostFunction, HostModule, HostObject, Unknown
from graphc.source import SourceTree


class Recorder(HostObject):
    """A graph of sorts: `to`, `route` and `fail` are calls, `size` and `child` attributes."""

    api: ClassVar[frozenset[str]] = frozenset(
        {"to", "route", "fail", "plot", "size", "child", "settings"}
    )
    description: ClassVar[str] = "a recorder"

    def __init__(self, host: RecordingHost, name: str = "g") -> None:
        self.host = host
        self.name = name
        self.size = 3
        self.settings: dict[str, Any] = {}

    @property
    def child(self) -> Recorder:
        return Recorder(self.host, f"{self.name}.child")

    def to(self, *args: Any, **kwargs: Any) -> Recorder:
        self.host.record("to", args, kwargs)
        return self

    def route(self, key: str, *, weight: int = 1) -> None:
        self.host.record("route", (key,), {"weight": weight})

    def fail(self, text: str = "refused", *raises: str) -> None:
        raise GraphError(text, help="do not", raises=raises)

    def plot(self) -> Unknown:
        return Unknown("nothing is drawn", self.host.call_span)

    def assign(self, name: str, value: Any) -> None:
        if name not in ("size", "settings"):
            super().assign(name, value)
        setattr(self, name, value)
        self.host.record("set " + name, (value,), {})

    def item(self, key: Any) -> Any:
        if key != "first":
            raise GraphError(f"no step {key!r}", code="GC011")
        return self

    def iterate(self) -> list[Any]:
        return ["first", "second"]

    def contains(self, key: Any) -> bool:
        return key in ("first", "second")


class RecordingHost:
    """The graph API of these tests: module `flow` with `new` and `child`."""

    no_effect = frozenset({"Recorder.plot"})

    def __init__(self) -> None:
        self.call_span: Span | None = None
        self.call_spans: Mapping[str, Span] = {}
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.lines: list[int] = []
        self.spans: list[dict[str, Span]] = []

    def record(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        assert self.call_span is not None
        self.calls.append((name, _as_it_is(args), kwargs))
        self.lines.append(self.call_span.line)
        self.spans.append(dict(self.call_spans))

    def module(self, dotted: str) -> HostModule | None:
        if dotted == "flow":
            return HostModule("flow", {"new": HostFunction("flow.new", lambda: Recorder(self))})
        return HostModule(dotted) if dotted.startswith("flow.") else None


def _as_it_is(value: Any) -> Any:
    """The value as it is now, whatever the file changes later."""
    if type(value) in (list, tuple):
        return type(value)(map(_as_it_is, value))
    if type(value) is dict:
        return {key: _as_it_is(item) for key, item in value.items()}
    return set(value) if type(value) is set else value


@dataclass
class Evaluated:
    """What became of a text."""

    host: RecordingHost
    names: dict[str, Any]
    found: list[Diagnostic]
    skipped: tuple[Skipped, ...]

    @property
    def codes(self) -> list[str]:
        return [f"{found.code}:{found.span.line if found.span else 0}" for found in self.found]

    @property
    def called(self) -> list[Any]:
        """The first argument of each call."""
        return [args[0] for _, args, _ in self.host.calls]


def run(folder: Path, text: str, env: Mapping[str, str] | None = None, **modules: str) -> Evaluated:
    """Evaluate the text; `modules` are files beside it, `a__b` is `a/b.py`."""
    for name, content in modules.items():
        file = folder / (name.replace("__", "/").replace("/init", "/__init__") + ".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(content))
    main = folder / "graph.py"
    main.write_text(textwrap.dedent(text))
    host, diagnostics = RecordingHost(), Diagnostics()
    try:
        done = evaluate(SourceTree(main), host, diagnostics, env or {})
    except GraphError as exc:
        diagnostics.add(exc.diagnostic(None))
        return Evaluated(host, {}, list(diagnostics), ())
    return Evaluated(host, done.scope.names, list(diagnostics), done.skipped)
