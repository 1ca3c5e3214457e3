"""The packages in an output folder, as far as running them needs it.

Reads `function.yaml` (safely: nothing in it is executed or constructed); what people want to see
is in `described`. What does not look as graphc writes it is an error, not a guess.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..codegen.text import one_line
from ..diagnostics import GraphError, did_you_mean
from .described import Described, describe, functions
from .triggers import Triggers, read_triggers

_LARGEST_CONFIG = 1 << 20
_HANDLER = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)", re.ASCII)
_ENV_NAME = re.compile(r"[^=\0]+")


@dataclass(frozen=True, slots=True)
class Package:
    """One function's folder and what its `function.yaml` says about running it."""

    #: The folder's name: the function's, as in the graph.
    name: str
    folder: Path
    #: `metadata.name`, which is `<root>-<child>` for a child.
    function: str
    #: `module:function`.
    handler: str
    #: Plain values of `spec.env`.
    env: tuple[tuple[str, str], ...]
    triggers: Triggers
    log_level: str
    #: What the graph says about it.
    graph: Described
    #: What of the configuration is not done here, in sentences.
    remarks: tuple[str, ...]


def find_packages(dist: Path) -> tuple[Package, ...]:
    """The packages of an output folder, in the graph's order; or that of one function's folder."""
    if (dist / "function.yaml").is_file():
        return (read_package(dist),)
    names = _function_folders(dist)
    if not names:
        raise _no_functions(dist)
    order = {name: place for place, name in enumerate(functions(dist))}
    names.sort(key=lambda name: (order.get(name, len(order)), name))
    return tuple(read_package(dist / name) for name in names)


def read_graph(folder: Path) -> tuple[Package, ...]:
    """The packages of one graph, the first of them its root; or that of one function's folder."""
    packages = find_packages(folder)
    if len(packages) == 1:
        return packages
    roots = [package for package in packages if not package.graph.parent]
    if len(roots) != 1:
        shown = ", ".join(str(folder / package.name) for package in packages)
        raise GraphError(
            f"{folder} is not the output folder of one graph",
            code="GC041",
            help=f"name one of: {shown}",
        )
    return (roots[0], *(package for package in packages if package.graph.parent))


def read_package(folder: Path) -> Package:
    """The package in one function's folder."""
    config = _read_config(folder / "function.yaml")
    spec = _mapping(config, "spec")
    # An absolute path: the worker may not depend on the folder it is started in.
    folder = folder.resolve()
    triggers = read_triggers(spec, folder.name)
    return Package(
        name=folder.name,
        folder=folder,
        function=str(_mapping(config, "metadata").get("name") or folder.name),
        handler=_handler(spec, folder),
        env=_env(spec),
        triggers=triggers,
        log_level=_log_level(spec),
        graph=describe(folder),
        remarks=tuple(map(one_line, (*triggers.remarks, *_env_left_out(spec)))),
    )


def _no_functions(folder: Path) -> GraphError:
    if not folder.is_dir():
        beside = [path.name for path in folder.parent.glob("*") if path.is_dir()]
        return GraphError(
            f"there is no folder {folder}",
            code="GC041",
            help=did_you_mean(folder.name, beside) or "run graphc build first",
        )
    near = sorted(
        str(path.parent.parent) for path in folder.glob("*/*/function.yaml") if path.is_file()
    )
    return GraphError(
        f"{folder} holds no function: neither function.yaml nor folders with one",
        code="GC041",
        help=f"did you mean {near[0]}?" if near else "name the folder that graphc build wrote",
    )


def _function_folders(dist: Path) -> list[str]:
    return sorted(path.parent.name for path in dist.glob("*/function.yaml") if path.is_file())


# --------------------------------------------------------------------------
# function.yaml
# --------------------------------------------------------------------------


def _read_config(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_CONFIG:
            raise _bad(path, "it is too large")
        config = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise GraphError(f"cannot read {path}: {error.strerror}", code="GC041") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise _bad(path, " ".join(str(error).split()) or "it is nested too deeply") from None
    if not isinstance(config, dict):
        raise _bad(path, "it is not a mapping")
    return config


def _bad(path: Path, why: str) -> GraphError:
    return GraphError(f"cannot use {path}: {why}", code="GC041", help="build the package anew")


def _mapping(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _handler(spec: dict[str, Any], folder: Path) -> str:
    """`spec.handler`, which is imported, so it has to name a module of the package."""
    path = folder / "function.yaml"
    handler = spec.get("handler")
    match = _HANDLER.fullmatch(handler) if isinstance(handler, str) else None
    if match is None:
        raise _bad(path, f"spec.handler is {handler!r}, not module:function")
    module = folder.joinpath(*match[1].split("."))
    if not (module.with_name(f"{module.name}.py").is_file() or (module / "__init__.py").is_file()):
        raise _bad(path, f"spec.handler is {handler!r}, and no such module is in the package")
    return match[0]


def _env(spec: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    listed = spec.get("env")
    found = {}
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and item.get("value") is not None:
            name, value = item.get("name"), str(item["value"])
            if isinstance(name, str) and _ENV_NAME.fullmatch(name) and "\0" not in value:
                found[name] = value
    return tuple(found.items())


def _env_left_out(spec: dict[str, Any]) -> Iterator[str]:
    """Variables that have their value from elsewhere, as far as nobody has set them here."""
    listed = spec.get("env")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and item.get("value") is None:
            name = item.get("name")
            if isinstance(name, str) and _ENV_NAME.fullmatch(name) and name not in os.environ:
                source = item.get("valueFrom")
                kind = next(iter(source)) if isinstance(source, dict) and source else ""
                place = f"Kubernetes ({kind})" if kind else "where the function is deployed"
                yield f"{name} is not set: its value comes from {place}"


def _log_level(spec: dict[str, Any]) -> str:
    sinks = spec.get("loggerSinks")
    first = sinks[0] if isinstance(sinks, list) and sinks else None
    return str(first.get("level") or "info") if isinstance(first, dict) else "info"
