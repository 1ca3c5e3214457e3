"""Compares two graphs: functions, steps, edges, routes, arguments, settings, requirements.

Steps are matched by name. One that went and one that came are taken for the same, renamed, only if
everything about them is equal, their neighbours included, and no other pair would do. Lines, and
the version of graphc, are no difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .read import Graph

Entry = Mapping[str, Any]
Kind = Literal["added", "removed", "renamed", "changed"]
Subject = Literal["function", "step", "route", "edge", "branches", "requirement"]

#: Keys of graph.json that are compared as what they are, not as a text beside others.
_PARTS = frozenset(
    """line steps routes args after before catches code requirements settings""".split()
)
#: Keys of a step that name other steps.
_REFERENCES = ("after", "before", "catches", "on_error")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `field` is what of the subject changed, "" for the subject as a whole.

    `old` and `new` are values as graph.json has them; of a step that was added, `new` is its entry,
    of one that was renamed, both are names.
    """

    function: str
    kind: Kind
    subject: Subject
    name: str
    field: str = ""
    old: Any = None
    new: Any = None


def compare(old: Graph, new: Graph) -> list[Change]:
    """What has to be done to the old graph to get the new one; [] if they are equal."""
    found: list[Change] = []
    gone, come = [n for n in old if n not in new], [n for n in new if n not in old]
    names = _renamed(old, new, gone, come)
    for name in old:
        if name in names:
            found.append(Change(names[name], "renamed", "function", name, "", name, names[name]))
        elif name in gone:
            found.append(Change(name, "removed", "function", name, "", old[name]))
        if (now := names.get(name, name)) in new:
            found += _function(now, old[name], new[now])
    for name in come:
        if name not in names.values():
            found.append(Change(name, "added", "function", name, "", None, new[name]))
    return found


def _function(name: str, old: Entry, new: Entry) -> Iterator[Change]:
    yield from _fields(name, "function", name, old, new)
    for line in old.get("requirements", []):
        if line not in new.get("requirements", []):
            yield Change(name, "removed", "requirement", line, "", line)
    for line in new.get("requirements", []):
        if line not in old.get("requirements", []):
            yield Change(name, "added", "requirement", line, "", None, line)
    yield from _routes(name, "", old, new)
    yield from _steps(name, old, new)


def _fields(function: str, subject: Subject, name: str, old: Entry, new: Entry) -> Iterator[Change]:
    """What differs in the entry itself: its class, its arguments, its settings."""
    before, after = _flat(old), _flat(new)
    for field in {**before, **after}:
        if field not in after:
            yield Change(function, "removed", subject, name, field, before[field])
        elif field not in before:
            yield Change(function, "added", subject, name, field, None, after[field])
        elif not _same(before[field], after[field]):
            yield Change(function, "changed", subject, name, field, before[field], after[field])


def _flat(entry: Entry) -> dict[str, Any]:
    return {
        **{key: value for key, value in entry.items() if key not in _PARTS},
        **{f"argument {key}": value for key, value in entry.get("args", {}).items()},
        **dict(_flattened("setting", entry.get("settings", {}))),
    }


def _flattened(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Settings one by one, `setting spec.resources.limits.cpu`, lists of named things too."""
    between = " " if name == "setting" else "."
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flattened(f"{name}{between}{key}", item)
    elif isinstance(value, list) and value and all(map(_is_named, value)):
        yield from _flattened(name, {item["name"]: item for item in value})
    elif isinstance(value, dict) and name == "setting":
        return
    else:
        yield name, value


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)


def _same(old: Any, new: Any) -> bool:
    """As JSON: 1, 1.0 and true are three values."""
    return _text(old) == _text(new)


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


# -- routes


def _routes(function: str, owner: str, old: Entry, new: Entry) -> Iterator[Change]:
    """The routes of a router, those of routers in them included."""
    before, after = old.get("routes", {}), new.get("routes", {})
    for key in {**before, **after}:
        name = f"{owner} / {key}" if owner else key
        if key not in after:
            yield Change(function, "removed", "route", name, "", before[key])
        elif key not in before:
            yield Change(function, "added", "route", name, "", None, after[key])
        else:
            yield from _fields(function, "route", name, before[key], after[key])
            yield from _routes(function, name, before[key], after[key])


# -- steps


def _steps(function: str, old: Entry, new: Entry) -> Iterator[Change]:
    gone = [name for name in old.get("steps", {}) if name not in new.get("steps", {})]
    come = [name for name in new.get("steps", {}) if name not in old.get("steps", {})]
    names = _renamed_steps(old, new, gone, come)
    for was, now in names.items():
        yield Change(function, "renamed", "step", was, "", was, now)
    old = _with_names(old, names)
    before, after = old.get("steps", {}), new.get("steps", {})
    for name in {**before, **after}:
        if name not in after:
            yield Change(function, "removed", "step", name, "", before[name])
        elif name not in before:
            yield Change(function, "added", "step", name, "", None, after[name])
        else:
            yield from _fields(function, "step", name, before[name], after[name])
            yield from _routes(function, name, before[name], after[name])
    yield from _edges(function, old, new)


def edges(function: Entry) -> list[tuple[str, str]]:
    """The ways from step to step, in order; those from "" are the flow's starts."""
    found: dict[tuple[str, str], None] = {}
    for name, step in function.get("steps", {}).items():
        catcher = step.get("catches") or function.get("on_error") == name
        if not step.get("after") and not catcher:
            found["", name] = None
        found |= dict.fromkeys((earlier, name) for earlier in step.get("after", []))
        found |= dict.fromkeys((name, later) for later in step.get("before", []))
    return list(found)


def _edges(function: str, old: Entry, new: Entry) -> Iterator[Change]:
    before, after = edges(old), edges(new)
    for edge in before:
        if edge not in after:
            yield Change(function, "removed", "edge", edge_name(edge), "", list(edge))
    for edge in after:
        if edge not in before:
            yield Change(function, "added", "edge", edge_name(edge), "", None, list(edge))
    # The order of branches is the order in which they run.
    for start in dict.fromkeys(edge[0] for edge in after):
        were = [edge[1] for edge in before if edge[0] == start and edge in after]
        are = [edge[1] for edge in after if edge[0] == start and edge in before]
        if were != are:
            yield Change(
                function, "changed", "branches", start or "the request", "order", were, are
            )


def edge_name(edge: Sequence[str]) -> str:
    """An edge as text."""
    return f"{edge[0] or 'the request'} -> {edge[1]}"


# -- renamed things


def _renamed(old: Graph, new: Graph, gone: Sequence[str], come: Sequence[str]) -> dict[str, str]:
    """Functions that differ in nothing but the name; each must be the only one of its kind."""
    return _pairs(
        {n: _without_lines(old[n]) for n in gone}, {n: _without_lines(new[n]) for n in come}
    )


def _renamed_steps(
    old: Entry, new: Entry, gone: Sequence[str], come: Sequence[str]
) -> dict[str, str]:
    return _pairs(
        {name: _described(old, name) for name in gone},
        {name: _described(new, name) for name in come},
    )


def _described(function: Entry, name: str) -> str:
    """All about a step but its name: what it runs, and who names it."""
    steps = function["steps"]
    users = [
        (other, key, at)
        for other, step in steps.items()
        for key in _REFERENCES
        for at, named in enumerate(_listed(step.get(key)))
        if named == name
    ]
    return f"{_without_lines(steps[name])} {users} {function.get('on_error') == name}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _pairs(gone: Mapping[str, str], come: Mapping[str, str]) -> dict[str, str]:
    """Names by what they stand for, where that is unique on both sides."""
    pairs = {}
    for name, text in gone.items():
        same = [other for other, its in come.items() if its == text]
        if len(same) == 1 and list(gone.values()).count(text) == 1:
            pairs[name] = same[0]
    return pairs


def _without_lines(value: Any) -> str:
    def cut(item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        return {
            key: inner if key in ("args", "settings") else cut(inner)
            for key, inner in item.items()
            if not (key == "line" and isinstance(inner, int))  # a step may have this name
        }

    return _text(cut(value))


def _with_names(function: Entry, names: Mapping[str, str]) -> Entry:
    """The function with steps called by their new names."""
    if not names:
        return function

    def called(value: Any) -> Any:
        if isinstance(value, list):
            return [names.get(item, item) for item in value]
        return names.get(value, value) if isinstance(value, str) else value

    return {
        **function,
        **({"on_error": called(function["on_error"])} if "on_error" in function else {}),
        "steps": {
            names.get(name, name): {
                key: called(value) if key in _REFERENCES else value for key, value in step.items()
            }
            for name, step in function["steps"].items()
        },
    }
