"""The differences of two graphs as text for a terminal, and as plain values for programs.

shop
  + step enrich: Enrich(limit=3)
  ~ step price, argument tax: 0.2 -> 0.25
  + edge trim -> enrich
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from .compare import Change, Entry

SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": ">"}
_LONGEST_VALUE = 200


def as_values(changes: Sequence[Change]) -> dict[str, Any]:
    """The differences as JSON can hold them."""
    return {"equal": not changes, "changes": [asdict(change) for change in changes]}


def as_text(changes: Sequence[Change]) -> str:
    """The differences as lines; "" if there are none."""
    lines = []
    for function, found in groupby(changes, key=lambda change: change.function):
        lines.append(_line(function))
        lines += [f"  {SIGNS[change.kind]} {_line(_sentence(change))}" for change in found]
    return "".join(f"{line}\n" for line in lines)


def _sentence(change: Change) -> str:
    subject = "" if change.subject == "function" else f"{change.subject} {change.name}"
    if change.kind == "renamed":
        return f"{change.subject} {change.name} is now {change.new}"
    if not change.field:
        entry = change.new if change.kind == "added" else change.old
        text = runs(entry) if isinstance(entry, dict) else ""
        subject = subject or change.subject
        return f"{subject}: {text}" if text else subject
    old, new = value(change.old), value(change.new)
    shown = {"added": new, "removed": old}.get(change.kind, f"{old} -> {new}")
    return f"{subject}{', ' if subject else ''}{change.field}: {shown}"


def runs(entry: Entry) -> str:
    """What a step or route runs, as a call; of a function, what it is made of."""
    if "topology" in entry:
        parts = entry.get("steps") or entry.get("routes") or {}
        return f"{entry['topology']} of {', '.join(parts)}"
    handler = str(entry.get("handler", ""))
    if "class" not in entry:
        return handler
    args = ", ".join(f"{name}={value(item)}" for name, item in entry.get("args", {}).items())
    return f"{entry['class']}({args})" + (f".{handler}" if handler else "")


def value(item: Any) -> str:
    """A value as JSON; the middle of a long one goes."""
    text = json.dumps(item, ensure_ascii=False)
    if len(text) > _LONGEST_VALUE:
        half = _LONGEST_VALUE // 2
        text = f"{text[:half]}...{text[-half:]}"
    return text


def _line(text: str) -> str:
    """Names may hold anything: what would end the line, or steer the terminal, is escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
