"""Shapes of plain data, and what is wrong with a value that does not have its shape.

A shape is a small description; `checked` gives the value as it is to be written (keys in their
documented case, numbers where a reader wants numbers) and the problems that it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..diagnostics import did_you_mean

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a path. Unknown keys are carried: a newer reader may know them."""

    path: Path
    message: str
    help: str = ""
    is_error: bool = True


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that is no container: `what` it must be, and the test for it."""

    what: str
    test: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with these keys, matched in any case, as Nuclio does (nuclio.md 1.1)."""

    keys: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    #: Is there exactly one of the keys?
    is_choice: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping whose keys are the user's, each a `key`."""

    key: Scalar
    values: Shape


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    item: Shape


@dataclass(frozen=True, slots=True)
class Free:
    """A structure of Kubernetes' that is handed on as it is: a mapping, or a list of them."""

    kind: type[dict[str, Any]] | type[list[Any]]


Shape = Scalar | Record | Table | Items | Free


def pattern(what: str, regex: str) -> Scalar:
    """A text that matches the whole regex."""
    compiled = re.compile(regex)
    return Scalar(what, lambda value: isinstance(value, str) and bool(compiled.fullmatch(value)))


def one_of(*values: str) -> Scalar:
    return Scalar(f"one of {', '.join(values)}", lambda value: value in values)


def whole(least: int = 0, most: int = 2**31 - 1) -> Scalar:
    return Scalar(
        f"a whole number from {least}" if most == 2**31 - 1 else f"a number, {least} to {most}",
        lambda value: type(value) is int and least <= value <= most,
    )


TEXT = Scalar("a text", lambda value: isinstance(value, str))
FLAG = Scalar("True or False", lambda value: isinstance(value, bool))
NAME = Scalar("a text", lambda value: isinstance(value, str) and value != "")


def checked(value: Any, shape: Shape, path: Path = ()) -> tuple[Any, list[Problem]]:
    """The value as it is written, and its problems; what has no value (None) is left out."""
    problems: list[Problem] = []
    made = _checked(value, shape, path, problems)
    return made, problems


def _checked(value: Any, shape: Shape, path: Path, problems: list[Problem]) -> Any:
    match shape:
        case Scalar(what=what, test=test):
            if not test(value):
                problems.append(Problem(path, f"must be {what}, not {_shown(value)}"))
        case Items(item=item):
            if not isinstance(value, list):
                problems.append(Problem(path, f"must be a list, not {_shown(value)}"))
                return value
            return [
                _checked(one, item, (*path, str(place)), problems)
                for place, one in enumerate(value)
                if one is not None
            ]
        case Free(kind=kind):
            if not isinstance(value, kind) or (
                kind is list and not all(isinstance(one, dict) for one in value)
            ):
                what = "a list of mappings" if kind is list else "a mapping"
                problems.append(Problem(path, f"must be {what}, not {_shown(value)}"))
        case Table() | Record():
            if not isinstance(value, dict):
                problems.append(Problem(path, f"must be a mapping, not {_shown(value)}"))
                return value
            return dict(_entries(value, shape, path, problems))
    return value


def _entries(
    value: Mapping[str, Any], shape: Table | Record, path: Path, problems: list[Problem]
) -> Iterator[tuple[str, Any]]:
    spelled = {key.lower(): key for key in shape.keys} if isinstance(shape, Record) else {}
    for written, item in value.items():
        key = spelled.get(written.lower(), written)
        if item is None:
            continue
        if isinstance(shape, Table):
            if not shape.key.test(key):
                problems.append(Problem(path, f"{key!r} must be {shape.key.what}"))
            inner: Shape = shape.values
        elif key in shape.keys:
            inner = shape.keys[key]
        else:
            problems.append(
                Problem(
                    (*path, key),
                    "is nothing that Nuclio 1.14 knows",
                    did_you_mean(key, shape.keys),
                    is_error=False,
                )
            )
            yield key, item
            continue
        yield key, _checked(item, inner, (*path, key), problems)
    if isinstance(shape, Record):
        there = {spelled.get(key.lower(), key) for key, item in value.items() if item is not None}
        problems += [Problem(path, f"has no {key!r}") for key in shape.required if key not in there]
        if shape.is_choice and len(there) != 1:
            problems.append(Problem(path, f"must have one of {', '.join(shape.keys)}"))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
