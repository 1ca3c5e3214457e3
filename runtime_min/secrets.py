"""Sources of secrets, read when the package starts (mlrun 1.12, `secrets.py`)."""

from __future__ import annotations

import os


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
