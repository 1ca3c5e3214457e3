"""Model files: which local paths a function's models have, and copies of them for the package."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .. import ir
from ..diagnostics import Diagnostics, GraphError, Span

_LARGEST = 2_000_000_000  # bytes, all files of a function together


@dataclass(frozen=True, slots=True)
class Bundled:
    """Model files by their path below the package's `models` folder."""

    files: Mapping[str, bytes] = field(default_factory=dict)


def model_paths(function: ir.Function) -> dict[str, Span]:
    """The model paths of a function, and where each is first given."""
    found: dict[str, Span] = {}
    for step in function.steps:
        for owner in ir.parts(step):
            path = dict(owner.args).get("model_path")
            if isinstance(path, str) and path:
                found.setdefault(path, owner.span)
    return found


def bundle(function: ir.Function, root: Path, wanted: bool, diagnostics: Diagnostics) -> Bundled:
    """Copies of the function's local models if `wanted`; otherwise a word on where they must be."""
    files: dict[str, bytes] = {}
    for path, span in model_paths(function).items():
        scheme = path.partition("://")[0].lower() if "://" in path else "file"
        if scheme in ("http", "https"):
            continue  # fetched when the package starts
        if scheme != "file":
            needs = " without the MLRun service" if scheme == "store" else ""
            diagnostics.warning(
                "GC033",
                f"the model at {path!r} is not part of the package, and the package cannot "
                f"fetch it{needs}",
                span,
                help="mount it or ship it with --bundle-models, and give its local path",
            )
        elif not wanted:
            diagnostics.warning(
                "GC033",
                f"the model at {path!r} is not part of the package",
                span,
                help=f"mount it so that {path!r} is found from the working directory "
                "(/ in an image), or build with --bundle-models",
            )
        else:
            files |= _copied(path, root, span)
    return Bundled(files)


def place(path: str) -> str:
    """Where below `models` a path is bundled: `./m1` and `../m1` are `m1`.

    runtime_min's model_files looks there by the same rule.
    """
    parts = [part for part in posixpath.normpath(path).split("/") if part not in ("", ".", "..")]
    return "/".join(parts)


def _copied(path: str, root: Path, span: Span) -> dict[str, bytes]:
    source = root / path.removeprefix("file://")
    try:
        if source.is_file():
            found = [source]
        elif source.is_dir():
            found = sorted(file for file in source.rglob("*") if file.is_file())
        else:
            raise GraphError(
                f"there is no model at {path!r}",
                code="GC041",
                span=span,
                help=f"it is looked up from {root}",
            )
        if sum(file.stat().st_size for file in found) > _LARGEST:
            raise GraphError(f"the model at {path!r} is larger than 2 GB", code="GC041", span=span)
        base = place(path.removeprefix("file://"))
        return {
            base
            if file == source
            else f"{base}/{file.relative_to(source).as_posix()}": file.read_bytes()
            for file in found
        }
    except OSError as exc:
        raise GraphError(
            f"the model at {path!r} cannot be read: {exc.strerror}", code="GC041", span=span
        ) from exc
