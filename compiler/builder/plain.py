"""From evaluated values to plain data, as it stands in function.yaml."""

from __future__ import annotations

import math
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ..arguments import portable
from ..diagnostics import GraphError, Span
from ..frontend.values import EnvValue, External, HostObject, Instance, Unknown
from .mistakes import unknown_value

if TYPE_CHECKING:
    from .session import Session

_DEEPEST = 30
#: Words that Kubernetes writes in capitals.
_CAPITALS = {
    **{word: word.upper() for word in "api fqdn id io ip ipc pid uid uri uuid".split()},
    "ips": "IPs",
    "wwns": "WWNs",
}


def plain(session: Session, value: Any, where: Span, what: str, depth: int = 0) -> Any:
    """Mappings, lists and scalars; objects of `kubernetes.client` become what they stand for.

    Raises GraphError for anything else, and for what is known only where the package runs.
    """
    if depth > _DEEPEST:
        raise GraphError(f"{what} is nested too deeply", code="GC020", span=where)

    def inner(item: Any) -> Any:
        return plain(session, item, where, what, depth + 1)

    match value:
        case None | bool() | int():
            return value
        case float():
            if math.isfinite(value):
                return value
        case str() | PurePosixPath():
            return portable(session, session.text(str(value), what, where))
        case list() | tuple():
            return [inner(item) for item in value]
        case dict():
            return {
                session.text(key, f"a key of {what}", where): inner(item)
                for key, item in value.items()
            }
        case Instance(cls=External(dotted=dotted)) if is_kubernetes(dotted):
            if value.args:
                raise GraphError(
                    f"{dotted.rpartition('.')[2]} takes its arguments by name",
                    code="GC016",
                    span=where,
                    help="write them as keywords",
                )
            return {
                _camel(key): inner(item) for key, item in value.kwargs.items() if item is not None
            }
        case External(dotted=dotted) if ".PreemptionModes." in dotted:
            return dotted.rpartition(".")[2]  # a member of that enumeration is its own name
        case Unknown():
            raise unknown_value(value, where)
        case EnvValue(name=name):
            raise GraphError(
                f"{what} depends on the environment variable {name}",
                code="GC020",
                span=where,
                help=f"give its value at build time: --env {name}=VALUE",
            )
        case HostObject():
            raise GraphError(f"{value.description} cannot be {what}", code="GC020", span=where)
    raise GraphError(
        f"{what} cannot hold a value of this kind ({type(value).__name__.lower()})",
        code="GC020",
        span=where,
        help="use texts, numbers, lists and dicts",
    )


def field(entry: Any, name: str) -> Any:
    """A field of a mapping, or of an object of `kubernetes.client` (by its own spelling)."""
    match entry:
        case dict():
            return entry.get(name)
        case Instance(cls=External(), kwargs=kwargs):
            return kwargs.get(name)
    return None


def container(session: Session, value: Any, what: str, kind: type[Any]) -> Any:
    """A list or dict that later calls may change; raises GraphError for other values."""
    if value is None:
        return kind()
    if kind is list and isinstance(value, tuple):
        return list(value)
    if isinstance(value, kind):
        return value
    raise session.wrong_value(value, f"{what} must be a {kind.__name__}", session.span)


def is_kubernetes(dotted: str) -> bool:
    """Does the name stand for a class of the Kubernetes client's models?"""
    return dotted.startswith("kubernetes.client.") and bool(
        re.fullmatch(r"V[0-9]\w*", dotted.rpartition(".")[2])
    )


def _camel(name: str) -> str:
    """`run_as_user` as the API spells it: `runAsUser`."""
    first, *rest = name.strip("_").split("_")
    return first + "".join(_CAPITALS.get(part, part[:1].upper() + part[1:]) for part in rest)
