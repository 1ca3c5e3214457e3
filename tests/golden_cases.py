"""Golden folders: `graph.py` (and what it needs) in; `dist/` or `stderr.txt` out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from graphc.diagnostics import render
from graphc.pipeline import Build, Options, build

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
EXAMPLES = HERE.parent / "examples"


def cases() -> Iterator[Path]:
    """The folders of all golden cases, and of the examples."""
    for folder in sorted([*GOLDEN.iterdir(), *EXAMPLES.iterdir()]):
        if (folder / "graph.py").is_file():
            yield folder


def built(folder: Path) -> Build:
    """The build of a case; its models, if any, are looked up in its folder."""
    return build(folder / "graph.py", Options(models_root=folder))


def findings(made: Build) -> str:
    """What the build says, as the command shows it."""
    return "".join(render(found) + "\n" for found in made.diagnostics)
