"""Sources of secrets, read when the package starts (mlrun 1.12, `secrets.py`)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any


def inline(values: dict[str, str], prefix: str = "") -> dict[str, str | None]:
    """Secrets that the graph names with their values."""
    return {prefix + name: value for name, value in values.items()}


def env(*names: str, prefix: str = "") -> dict[str, str | None]:
    """Secrets that are environment variables."""
    return {prefix + name: os.environ.get(name) for name in names}


def file(path: str, prefix: str = "") -> dict[str, str | None]:
    """Secrets of a file, a line `name=value` each; values may name `$VARIABLES`."""
    try:
        with open(path, encoding="utf-8") as opened:
            lines = opened.read().splitlines()
    except OSError as exc:
        raise RuntimeError(
            f"the secrets of this function are in {path}, which cannot be read: "
            f"{exc.strerror}"
        ) from exc
    found: dict[str, str | None] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if equals:
            found[prefix + name.strip()] = os.path.expandvars(value.strip())
    return found


def get_secret_or_env(
    key: str,
    secret_provider: dict[str, Any] | Callable[[str], Any] | None = None,
    default: str | None = None,
    prefix: str | None = None,
) -> Any:
    """`mlrun.get_secret_or_env`: from the provider, the environment, or the default."""
    if prefix:
        key = f"{prefix}_{key}"
    if secret_provider:
        get: Any = getattr(secret_provider, "get", secret_provider)
        if value := get(key):
            return value
    return os.environ.get(key) or _in_lists(key) or default


def _in_lists(key: str) -> Any:
    """mlrun looks into variables that hold `[{"name": ..., "value": ...}]`, too."""
    for text in os.environ.values():
        if text.lstrip()[:1] == "[":
            try:
                entries = json.loads(text)
            except ValueError:
                continue
            for entry in entries:
                found = isinstance(entry, dict) and entry.get("name") == key
                if found and entry.get("value"):
                    return entry["value"]
    return None
