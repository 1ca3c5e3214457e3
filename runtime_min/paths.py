"""`input_path` and `result_path`: what of a body a step gets, where its result goes.

mlrun 1.12 has two sets of rules. `get` and `put` are those of storey, which runs async
flows; `get_sync` and `put_sync` those of sync flows, and in either engine of models,
routers and routes. They differ for empty bodies, attributes and escaped dots.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

_MISSING = object()


def get(body: Any, path: str) -> Any:
    """The part of the body at `a.b`; None if there is no such part."""
    if type(body) is not dict:
        _check(body, "input_path")
    for key in _keys(path):
        if not body or key not in body:
            return None
        body = body[key]
    return body


def put(body: Any, path: str, result: Any) -> Any:
    """The body, with the result written to `a.b` of it."""
    if type(body) is not dict:
        _check(body, "result_path")
    parents, last = _parents_and_last(path)
    part = body
    for key in parents:
        child = part.get(key)
        if child is None:
            child = part[key] = {}
        part = child
    part[last] = result
    return body


def put_each(body: Any, path: str, results: Any) -> Iterator[Any]:
    """The body once for each result, which is written to `a.b` of it when it is its turn.

    So it is one body, as in storey. If nothing can be written, this fails at once.
    """
    results = list(results)
    for first in results[:1]:
        put(body, path, first)
    return (put(body, path, result) for result in results)


def get_sync(body: Any, path: str) -> Any:
    """The part of the body at `a.b`, keys or attributes; None if there is no such."""
    if type(body) is not dict:
        _check(body, "input_path")
    for key in _keys(path):
        if isinstance(body, dict):
            body = body.get(key)
        elif body is None:
            break
        else:
            body = getattr(body, key, None)
    return body


def put_sync(body: Any, path: str, result: Any) -> Any:
    r"""The body, with the result written to `a.b` of it; `a\.b` is one key.

    An empty body is replaced by the result.
    """
    if not body:
        return result
    if type(body) is not dict:
        _check(body, "result_path")
    parents, last = _parents_and_last_sync(path)
    part = body
    for key in parents:
        child = part.get(key, _MISSING)
        if child is _MISSING:
            child = part[key] = {}
        part = child
    if last not in part:  # which mlrun asks, too: some errors are this question's
        part[last] = None
    part[last] = result
    return body


def put_caught(event: Any, path: str, result: Any) -> Any:
    """The body after a catcher of a sync flow: that of an event, which it may return.

    Any other result stands in for that of the failed step, whose `result_path` this is.
    """
    if hasattr(result, "body") and not hasattr(result, "status_code"):
        return result.body
    return put_sync(event.body, path, result)


def _check(body: Any, parameter: str) -> None:
    if not hasattr(body, "__getitem__"):
        raise TypeError(f"{parameter} parameter supports only dict-like event bodies")


# A graph has few paths, and each of them is taken apart once.


@cache
def _keys(path: str) -> list[str]:
    return path.split(".")


@cache
def _parents_and_last(path: str) -> tuple[list[str], str]:
    *parents, last = path.split(".")
    return parents, last


@cache
def _parents_and_last_sync(path: str) -> tuple[list[str], str]:
    """Of the keys of a path.

    A backslash protects all dots up to the next backslash, as mlrun 1.12 reads it.
    """
    keys = [""]
    for index, part in enumerate(path.split("\\")):
        first, *more = [part] if index % 2 else part.split(".")
        keys[-1] += first
        keys += more
    return keys[:-1], keys[-1]
