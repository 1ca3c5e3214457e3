"""How routers read a request: `/v2/models/<model>[/versions/<version>][/<operation>]`.

The rules of mlrun 1.12 (`serving/routers.py`). Generated code asks `asks_metadata`, then
`target`. An event that follows no path, as those of streams, has the path `/`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

PREFIX = "/v2/models"
HEALTH = "/v2/health"


def asks_metadata(event: Any, health: str = HEALTH) -> bool:
    """Is this `GET /` or a health check?"""
    if event.method != "GET":
        return False
    path: str = event.path
    return path == "/" or path.startswith(health)


def target(
    event: Any, routes: Mapping[str, Any], prefix: str = PREFIX
) -> tuple[str | None, str]:
    """`(model, operation)`, the model one of the routes; raises ValueError for others.

    The body counts, too, as streams have no path: an operation in it wins over that of
    the path, a model only where the path names none. The first route is the default.
    Where the path ends before a model's name, it is None: a list of them is asked.
    """
    model, operation = read(event, prefix)
    if not model and operation is not None:
        return None, event.path
    return named(model, operation, event.body, routes)


def read(event: Any, prefix: str = PREFIX) -> tuple[str, str | None]:
    """`(model, operation)` of the path, as `split` has it; the body is parsed in place.

    Raises ValueError for a bad body or a foreign path.
    """
    body = event.body
    ready = isinstance(body, dict) and "data_url" not in body
    if body and not ready and event.method != "GET":
        event.body = parse(event)
    path = event.path
    if path not in ("", "/") and not path.startswith(prefix):
        raise ValueError(f"illegal path prefix {path}, must start with {prefix}")
    return split(path, prefix)


def named(
    model: str, operation: str | None, body: Any, routes: Mapping[str, Any]
) -> tuple[str, str]:
    """As `target`, for a path that is split already."""
    if isinstance(body, dict):
        model = model or body.get("model", next(iter(routes)))
        operation = body.get("operation", operation)
    if model not in routes:
        raise unknown_model(model, routes)
    return model, "infer" if operation is None else operation


def split(path: str, prefix: str = PREFIX) -> tuple[str, str | None]:
    """`(model, operation)` of a path; the operation of `/` is None."""
    if path in ("", "/"):
        return "", None
    model, _, operation = path[len(prefix) :].strip("/").partition("/")
    if operation.startswith("versions/"):
        _, version, *rest = operation.split("/", 2)
        return f"{model}:{version}", "".join(rest)
    return model, operation


def unknown_model(model: str, models: Iterable[str], also: str = "") -> ValueError:
    """The error for a model that is not there."""
    names = " | ".join(models)
    return ValueError(f"model {model} doesnt exist, available models: {names}{also}")


def parse(event: Any, inputs: str = "inputs") -> Any:
    """The body as a dict: from JSON text, an image, or what its `data_url` names."""
    body = event.body
    try:
        if not isinstance(body, dict):
            body = json.loads(body)
        if "data_url" in body:
            from urllib.request import urlopen  # slow to import, and rarely asked for

            url = body["data_url"]
            with urlopen(url) if "://" in url else open(url, "rb") as reply:
                return {inputs: [io.BytesIO(reply.read())]}
    except Exception as exc:
        if (event.content_type or "").startswith("image/"):
            return {inputs: [io.BytesIO(event.body)]}
        raise ValueError("Unrecognized request format") from exc
    return body
