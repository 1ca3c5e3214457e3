"""The differences of two graphs as Markdown, for a pull request: a table and a picture each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from ..identifiers import Names, snake_case
from ..package.diagram import MERMAID_WORDS, Node, mermaid_node
from .compare import Change, Entry, edges
from .read import Graph
from .text import runs, value

#: By this a workflow finds the comment it made before.
MARK = "<!-- graphc diff -->"
#: A comment on GitHub holds 65,536 characters.
_MOST_ROWS = 100
_LARGEST_PICTURE = 40


def as_markdown(changes: Sequence[Change], old: Graph, new: Graph) -> str:
    """The differences as a comment on a pull request."""
    if not changes:
        return f"{MARK}\nThe graph is as it was.\n"
    parts = [MARK]
    for function, group in groupby(changes, key=lambda change: change.function):
        found = list(group)
        parts += ["", f"### {code(function)}", "", *_table(found)]
        was = next(
            (c.name for c in found if (c.subject, c.kind) == ("function", "renamed")), function
        )
        if any(change.subject in ("step", "edge") for change in found):
            parts += _picture(found, old.get(was, {}), new.get(function, {}))
    return "\n".join(parts) + "\n"


def _table(changes: Sequence[Change]) -> list[str]:
    rows = [f"| {' | '.join(_row(change))} |" for change in changes[:_MOST_ROWS]]
    head = ["| | what | before | now |", "|---|---|---|---|"]
    rest = len(changes) - _MOST_ROWS
    return [*head, *rows, *([f"\nand {rest} more; `graphc diff` shows all"] if rest > 0 else [])]


def _row(change: Change) -> Iterator[str]:
    yield change.kind
    what = [f"{change.subject} {code(change.name)}"] if change.subject != "function" else []
    what += [code(change.field)] if change.field else []
    yield ", ".join(what or [change.subject])
    for item in (change.old, change.new):
        if item is None or change.subject in ("edge", "requirement"):
            yield ""
        elif isinstance(item, dict) and not change.field:
            text = runs(item)
            yield code(text) if text else ""
        else:
            yield code(item if change.kind == "renamed" else value(item))


def code(text: str) -> str:
    """A text in which Markdown sees nothing, as a cell of a table can hold it."""
    line = "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
    if not line.strip():
        line = f'"{line}"'
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    pad = " " if line[0] == "`" or line[-1] == "`" else ""
    return f"{fence}{pad}{line}{pad}{fence}".replace("|", "\\|")


# -- the picture


def _picture(changes: Sequence[Change], old: Entry, new: Entry) -> list[str]:
    """Both graphs in one: what came is green, what went is red and dashed, what changed yellow."""
    names = {c.name: str(c.new) for c in changes if c.subject == "step" and c.kind == "renamed"}
    states = {
        names.get(change.name, change.name): "changed" if change.field else change.kind
        for change in changes
        if change.subject == "step"
    }
    for change in changes:
        owner = change.name.partition(" / ")[0]
        if change.subject == "route" and owner in new.get("steps", {}):
            states.setdefault(owner, "changed")
    steps = dict.fromkeys(new.get("steps", {})) | dict.fromkeys(
        names.get(name, name) for name in old.get("steps", {})
    )
    if len(steps) > _LARGEST_PICTURE:
        return []
    came = edges(new)
    went = [(names.get(a, a), names.get(b, b)) for a, b in edges(old)]
    ids = Names(MERMAID_WORDS)
    nodes = {"": Node(ids.give("request"), "request", "end")}
    nodes |= {name: Node(ids.give(snake_case(name)), name) for name in steps}
    lines = [f"    {mermaid_node(node)}" for node in nodes.values()]
    styles = []
    drawn = [way for way in dict.fromkeys([*came, *went]) if way[0] in nodes and way[1] in nodes]
    for number, (start, end) in enumerate(drawn):
        arrow = "-->" if (start, end) in came else "-.->"
        lines.append(f"    {nodes[start].id} {arrow} {nodes[end].id}")
        if (start, end) not in went:
            styles.append(f"    linkStyle {number} stroke:#2da44e,stroke-width:3px")
        elif (start, end) not in came:
            styles.append(f"    linkStyle {number} stroke:#cf222e,stroke-width:3px")
    shapes = {
        "added": "fill:#dafbe1,stroke:#2da44e,color:#000",
        "removed": "fill:#ffebe9,stroke:#cf222e,stroke-dasharray:4,color:#000",
        "changed": "fill:#fff8c5,stroke:#9a6700,color:#000",
    }
    for name, state in states.items():
        style = shapes[state if state in shapes else "changed"]
        styles.append(f"    style {nodes[name].id} {style}")
    return ["", "```mermaid", "flowchart LR", *lines, *styles, "```"]
