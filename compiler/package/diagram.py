"""The picture of a function: nodes and arrows, written as Mermaid or Graphviz."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from .. import ir
from ..identifiers import Names, snake_case
from ..passes.picture import class_name, left_to_graph, stream_name
from ..passes.validate import starts, successors

Shape = Literal["box", "end", "filter", "router", "queue", "function"]
#: Words of Mermaid's own, which no node can have as its id.
MERMAID_WORDS = frozenset("class click default end graph linkstyle style subgraph".split())


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    label: str
    shape: Shape = "box"


@dataclass(frozen=True, slots=True)
class Arrow:
    source: str
    target: str
    label: str = ""
    #: A dotted arrow for what happens on failure, a plain line between a router and its routes.
    kind: Literal["flow", "failure", "part"] = "flow"


@dataclass(slots=True)
class Diagram:
    """Nodes and arrows, in the order in which they are drawn."""

    nodes: list[Node] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)

    def mermaid(self) -> str:
        """The diagram as a Mermaid flowchart."""
        nodes = {node.id: mermaid_node(node) for node in self.nodes}
        lines = ["flowchart LR"]
        drawn: set[str] = set()

        def shown(name: str) -> str:
            text = name if name in drawn else nodes[name]
            drawn.add(name)
            return text

        for arrow in self.arrows:
            source, target = shown(arrow.source), shown(arrow.target)
            if arrow.kind == "part":
                middle = "---"
            elif arrow.kind == "failure":
                middle = f"-. {arrow.label} .->"
            else:
                middle = "-->"
            lines.append(f"    {source} {middle} {target}")
        return "\n".join(lines)

    def dot(self) -> str:
        """The diagram in Graphviz' language."""
        shapes = {
            "box": "box",
            "end": "oval",
            "filter": "diamond",
            "router": "hexagon",
            "queue": "cylinder",
            "function": "component",
        }
        lines = ["digraph {", "    rankdir=LR;"]
        lines += [
            f"    {_dot_text(node.id)} [label={_dot_text(node.label)}, shape={shapes[node.shape]}];"
            for node in self.nodes
        ]
        for arrow in self.arrows:
            style = {"flow": "solid", "failure": "dashed", "part": "solid"}[arrow.kind]
            head = ", arrowhead=none" if arrow.kind == "part" else ""
            lines.append(
                f"    {_dot_text(arrow.source)} -> {_dot_text(arrow.target)} "
                f"[label={_dot_text(arrow.label)}, style={style}{head}];"
            )
        return "\n".join([*lines, "}"]) + "\n"


def diagram(function: ir.Function) -> Diagram:
    """The picture of a function."""
    return _Drawing(function).diagram


def overview(functions: Sequence[ir.Function]) -> Diagram | None:
    """Which functions write and read which streams; None if they have nothing in common."""
    if not any(function.parent for function in functions):
        return None
    made, names, ids = Diagram(), Names(MERMAID_WORDS), dict[tuple[str, str], str]()

    def node(kind: Shape, key: str, label: str) -> str:
        if (kind, key) not in ids:
            ids[kind, key] = names.give(snake_case(label))
            made.nodes.append(Node(ids[kind, key], label, kind))
        return ids[kind, key]

    for function in functions:
        here = node("function", function.name, function.name)
        for read in function.reads:
            stream = stream_name(read)
            made.arrows.append(Arrow(node("queue", stream, stream), here))
        for step in function.steps:
            if isinstance(step, ir.Queue) and step.path is not None:
                stream = stream_name(step)
                made.arrows.append(Arrow(here, node("queue", stream, stream)))
    return made


class _Drawing:
    def __init__(self, function: ir.Function) -> None:
        self.diagram = Diagram()
        self._names = Names(MERMAID_WORDS)
        self._ids: dict[str, str] = {}
        root = function.root
        self._reads = function.reads
        if isinstance(root, ir.Router):
            self._root_router(root)
        else:
            self._flow(root)

    def _node(self, key: str, label: str, shape: Shape = "box", wanted: str = "") -> str:
        if key not in self._ids:
            self._ids[key] = self._names.give(wanted or snake_case(label))
            self.diagram.nodes.append(Node(self._ids[key], label, shape))
        return self._ids[key]

    def _arrow(self, source: str, target: str, label: str = "", kind: str = "flow") -> None:
        self.diagram.arrows.append(
            Arrow(source, target, label, kind)  # type: ignore[arg-type]
        )

    def _answered(self) -> str:
        return self._node("end:answer", "answer", "end")

    def _request(self) -> str:
        return self._node("request", "request", "end")

    def _root_router(self, router: ir.Router) -> None:
        request = self._request()
        node = self._node("router", class_name(router.cls) or router.name, "router")
        self._arrow(request, node)
        self._routes(router, node, "route", "flow")

    def _routes(self, router: ir.Router, node: str, path: str, kind: str) -> None:
        """The routes of a router; where it is the whole graph, each of them answers."""
        for route in router.routes:
            inner = f"{path}:{route.key}"
            shape: Shape = "router" if isinstance(route, ir.Router) else "box"
            child = self._node(inner, route.key, shape)
            self._arrow(node, child, kind=kind)
            if isinstance(route, ir.Router):
                self._routes(route, child, inner, kind)
            elif kind == "flow":
                self._arrow(child, self._answered())

    def _flow(self, flow: ir.Flow) -> None:
        following = successors(flow)
        answers = flow.engine == "sync" or any(
            step.responder and not following[step.name] for step in flow.steps
        )
        asked = starts(flow) if answers or not self._reads else []
        if asked:
            self._request()
        for read in self._reads:
            self._node(f"stream:{read.queue}", read.queue, "queue")
        for step in flow.steps:
            shape: Shape = "box"
            if isinstance(step, ir.Router):
                shape = "router"
            elif isinstance(step, ir.Queue):
                shape = "queue"
            elif ir.library(step) == "storey.Filter":
                shape = "filter"
            self._node(f"step:{step.name}", step.name, shape)
        for name in asked:
            self._arrow(self._request(), self._ids[f"step:{name}"])
        for read in self._reads:
            for name in read.steps:
                self._arrow(self._ids[f"stream:{read.queue}"], self._ids[f"step:{name}"])
        for step in flow.steps:
            node = self._ids[f"step:{step.name}"]
            if step.on_error is not None:
                self._arrow(node, self._ids[f"step:{step.on_error}"], "error", "failure")
            if isinstance(step, ir.Router):
                self._routes(step, node, f"route:{step.name}", "part")
            for name in following[step.name]:
                self._arrow(node, self._ids[f"step:{name}"])
            if not following[step.name] and answers and not isinstance(step, ir.Queue):
                catcher = isinstance(step, ir.Task) and step.catcher
                if flow.engine == "sync" or step.responder or catcher:
                    self._arrow(node, self._answered())
            if ir.library(step) == "storey.Filter" and answers:
                dropped = self._node("end:204", "204", "end", wanted="dropped")
                self._arrow(node, dropped, "dropped", "failure")
        if flow.on_error is not None:
            node = self._node("any", left_to_graph(flow), "end")
            self._arrow(node, self._ids[f"step:{flow.on_error}"], "error", "failure")


def mermaid_node(node: Node) -> str:
    """A node's text in Mermaid; its label may hold anything."""
    label = "".join(char if char.isprintable() else " " for char in node.label)
    if not re.fullmatch(r"[\w. -]+", label, re.ASCII) or label.lower() == "end":
        escaped = html.escape(label, quote=False).replace('"', "#quot;").replace("`", "#96;")
        label = f'"{escaped}"'
    left, right = {
        "box": "[]",
        "end": ("([", "])"),
        "filter": "{}",
        "router": ("{{", "}}"),
        "queue": ("[(", ")]"),
        "function": ("[[", "]]"),
    }[node.shape]
    return f"{node.id}{left}{label}{right}"


def _dot_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
