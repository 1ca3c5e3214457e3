"""Mistakes that several parts of the graph API report alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import libcst as cst

from ..diagnostics import GraphError, Note, Span
from ..frontend.memory import origin
from ..frontend.values import remedy

if TYPE_CHECKING:
    from ..source import SourceTree

#: What MLRun 1.12.1 raises for mistakes, for files that catch it: classes with their bases.
INVALID_ARGUMENT = (
    "mlrun.errors.MLRunInvalidArgumentError",
    "mlrun.errors.MLRunHTTPStatusError",
    "mlrun.errors.MLRunHTTPError",
    "mlrun.errors.MLRunBaseError",
    "requests.HTTPError",
    "requests.exceptions.HTTPError",
    "requests.RequestException",
    "requests.exceptions.RequestException",
    "builtins.OSError",
    "builtins.ValueError",
    "builtins.Exception",
    "builtins.BaseException",
)
_ORDINARY = ("builtins.Exception", "builtins.BaseException")
ATTRIBUTE_ERROR = ("builtins.AttributeError", *_ORDINARY)
KEY_ERROR = ("builtins.KeyError", "builtins.LookupError", *_ORDINARY)
OS_ERROR = ("builtins.OSError", *_ORDINARY)
NOT_FOUND = ("builtins.FileNotFoundError", *OS_ERROR)
VALUE_ERROR = ("builtins.ValueError", *_ORDINARY)

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
#: Nuclio calls a Deployment `nuclio-<name>`, and Kubernetes allows 63 characters.
_LONGEST_NAME = 56


def not_yet(what: str, span: Span | None = None, help: str = "") -> GraphError:
    """The error for what MLRun accepts and graphc does not compile."""
    return GraphError(f"graphc does not compile {what} yet", code="GC016", span=span, help=help)


def unknown_value(value: Any, where: Span | None) -> GraphError:
    """The error for a value that reaches the graph and is not known, or not all of it."""
    value = origin(value)
    assert value is not None
    elsewhere = value.span is not None and value.span != where
    notes = [Note(f"it comes from here: {value.why}", value.span)] if elsewhere else []
    why = "" if notes else f": {value.why}"
    return GraphError(
        f"this value is not known at build time{why}",
        code="GC005",
        span=where,
        notes=notes,
        value=value.expression,
        help=remedy(value) or "write the value into the file, or compute it from constants",
    )


def normal_name(name: str) -> str:
    """A function's name as MLRun normalises it; raises GraphError if Nuclio cannot use it."""
    normal = re.sub(r"[\s_]+", "-", name.strip()).lower() if name else ""
    if not _DNS_LABEL.fullmatch(normal) or len(normal) > _LONGEST_NAME:
        raise GraphError(
            f"a function cannot be named {name[:80]!r}",
            code="GC018",
            help="use letters, digits and `-`, beginning with a letter or digit, "
            f"at most {_LONGEST_NAME} characters",
        )
    return normal


def nothing_to_build(tree: SourceTree, others: Sequence[str]) -> GraphError:
    """The error for a file that makes no serving function: it says what is there instead."""
    main = tree.main
    notes = []
    if others:
        counted = Counter(others)
        listed = ", ".join(
            f"{call} ({count} times)" if count > 1 else call for call, count in counted.items()
        )
        notes.append(Note(f"it makes functions that do not serve: {listed}"))
    help = 'make one: mlrun.new_function("name", kind="serving")'
    for line in main.tree.body:
        if isinstance(line, cst.FunctionDef) and "serving" in main.tree.code_for_node(line):
            name = line.name.value
            where = main.span(line.name)
            notes.append(Note(f"{name}() may make one, and nothing calls it", where))
            help = f"name the function to begin with: --entry {main.file.stem}:{name}"
            break
    classes = [line.name.value for line in main.tree.body if isinstance(line, cst.ClassDef)]
    if classes and not others and len(notes) == 0:
        notes.append(Note(f"it defines classes: {', '.join(classes[:5])}"))
    return GraphError(
        f"{main.path} defines no serving function",
        code="GC002",
        span=main.place(1, 1, 2),
        notes=notes,
        help=help,
    )
