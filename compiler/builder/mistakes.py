"""Mistakes that several parts of the graph API report alike."""

from __future__ import annotations

import re
from typing import Any

from ..diagnostics import GraphError, Note, Span
from ..frontend.memory import origin
from ..frontend.values import remedy

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
