"""RemoteStep and BatchHttpRequests: how they are made (spec/serving.md 8.6, 8.7).

Their arguments are checked here, so that a package that is built starts. What MLRun takes for an
argument that is left out is known to runtime_min.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import ir
from ..diagnostics import did_you_mean
from ..plan import CONTEXT, Make, Ours

REMOTE = "mlrun.serving.remote.RemoteStep"
BATCH = "mlrun.serving.remote.BatchHttpRequests"
OUTGOING = frozenset((REMOTE, BATCH))

#: Expressions as texts, and the names in them besides builtins; the second is a parameter, too.
EXPRESSIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    REMOTE: {
        "url_expression": ("event", "endpoint", "context"),
        "body_expression": ("event", "context"),
        "headers_expression": ("event", "context"),
    },
    # mlrun 1.12 gives these nothing but the event.
    BATCH: {"url_expression": ("event",), "body_expression": ("event",)},
}

#: Tells of a mistake: code, message, remedy.
Report = Callable[[str, str, str], None]


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an argument may be."""

    what: str
    fits: Callable[[Any], bool]
    text: bool = False

    def stays_open(self, value: Any) -> bool:
        """Is it read when the package starts, and then what it may be, as far as can be seen?"""
        if isinstance(value, ir.EnvLookup):
            return self.text or bool(value.opened)
        return self.text and isinstance(value, ir.OpenText)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(least: int) -> Callable[[Any], bool]:
    return lambda value: _is_number(value) and isinstance(value, int) and value >= least


def _are_headers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and (isinstance(text, str) or _TEXT.stays_open(text))
        for name, text in value.items()
    )


_TEXT = _Kind("a text", lambda value: isinstance(value, str), text=True)
_EXPRESSION = _Kind("an expression, as a text", lambda value: isinstance(value, ir.Inline))
#: In the order in which they are written out.
_KINDS = {
    "url": _TEXT,
    "subpath": _TEXT,
    "method": _TEXT,
    "headers": _Kind("a dict of texts", _are_headers),
    "url_expression": _EXPRESSION,
    "body_expression": _EXPRESSION,
    "headers_expression": _EXPRESSION,
    "return_json": _Kind("True or False", lambda value: isinstance(value, bool | int)),
    "max_in_flight": _Kind("a whole number from 1 on", _is_count(1)),
    "retries": _Kind("a whole number", _is_count(0)),
    "backoff_factor": _Kind("a number of seconds", lambda v: _is_number(v) and v >= 0),
    "timeout": _Kind("a number of seconds", lambda v: _is_number(v) and v >= 0),
}


#: Arguments of steps that have several events under way, and of those that send requests.
WORKER = ("max_in_flight", "retries", "backoff_factor")
_REQUEST = ("url", "subpath", "method", "headers", "return_json", *WORKER, "timeout")


def remote_make(step: ir.Task | ir.Route, name: str, awaits: bool, report: Report) -> Make:
    """How a RemoteStep is made, for an event loop or for calls that block."""
    args = checked(step.args, "RemoteStep", (*_REQUEST, *EXPRESSIONS[REMOTE]), report)
    if "url" not in args:
        if dict(step.args).get("url") is None:
            report("GC017", "RemoteStep needs a url", 'pass url="http://..."')
    elif not args["url"] and "url_expression" not in args:
        report("GC017", "RemoteStep has an empty url", 'pass url="http://..."')
    if not awaits:
        args.pop("max_in_flight", None)  # threads of the caller's, if any
    return _make("remote" if awaits else "remote_sync", "RemoteStep", name, args, step)


def batch_make(step: ir.Task | ir.Route, name: str, report: Report) -> Make:
    """How a BatchHttpRequests is made."""
    args = checked(step.args, "BatchHttpRequests", (*_REQUEST, *EXPRESSIONS[BATCH]), report)
    if args.get("url") and "url_expression" in args:
        report("GC017", "cannot set both url and url_expression", "leave one of them out")
    elif not args.get("url") and "url_expression" not in args:
        report("GC017", "BatchHttpRequests needs a url", 'pass url="http://..."')
    return _make("remote", "BatchHttpRequests", name, args, step)


def _make(module: str, cls: str, name: str, args: dict[str, Any], step: ir.Task | ir.Route) -> Make:
    paths = (("input_path", step.input_path), ("result_path", step.result_path))
    args |= {key: value for key, value in paths if value is not None}
    return Make(Ours(module, cls), (CONTEXT, name), tuple(args.items()))


def checked(args: ir.Args, cls: str, known: Iterable[str], report: Report) -> dict[str, Any]:
    """The arguments that have an effect, in one order; mistakes are reported."""
    given = {key: value for key, value in args if value is not None}
    found: dict[str, Any] = {}
    for key, value in given.items():
        kind = _KINDS.get(key)
        if kind is None or key not in known:
            message = f"{cls} has no argument {key!r}; it has no effect, as in MLRun"
            report("GC032", message, did_you_mean(key, known))
        elif not (kind.fits(value) or kind.stays_open(value)):
            report("GC017", f"{key} of a {cls} must be {kind.what}", "")
        elif key == "url" and isinstance(value, str) and not _calls_http(value):
            report("GC017", f"{cls} calls http and https only", "")
        elif key == "subpath" and given.keys() & {"url_expression", "headers_expression"}:
            message = "subpath has no effect beside url_expression or headers_expression"
            report("GC032", f"{message}, as in MLRun", "")
        else:
            found[key] = value
    return {key: found[key] for key in _KINDS if key in found}


def _calls_http(url: str) -> bool:
    return not url or url.lower().startswith(("http://", "https://"))
