"""Golden folders: `graph.py` or `graph.ipynb` (and what it needs) in; `dist/` or `stderr.txt` out.

In golden folders runtime_min is a list of names, as its files are copies; examples have it all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from graphc.pipeline import Build, Options, build
from graphc.rendering import render

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
EXAMPLES = HERE.parent / "examples"


def cases() -> Iterator[Path]:
    """The folders of all golden cases, and of the examples."""
    for folder in sorted([*GOLDEN.iterdir(), *EXAMPLES.iterdir()]):
        if graph_file(folder).is_file():
            yield folder


def graph_file(folder: Path) -> Path:
    """The graph file of a case: `graph.py`, or a notebook."""
    notebook = folder / "graph.ipynb"
    return notebook if notebook.is_file() else folder / "graph.py"


def built(folder: Path) -> Build:
    """The build of a case; its models, if any, are looked up in its folder."""
    return build(graph_file(folder), Options(models_root=folder))


def expected(made: Build, folder: Path) -> dict[str, bytes]:
    """The files that the case's `dist/` holds."""
    if folder.parent == EXAMPLES:
        return made.files
    kept = {path: data for path, data in made.files.items() if "/runtime_min/" not in path}
    for path in sorted(set(made.files) - set(kept)):
        function, _, name = path.partition("/runtime_min/")
        listed = f"{function}/runtime_min.txt"
        kept[listed] = kept.get(listed, b"") + f"{name}\n".encode()
    return kept


def findings(made: Build) -> str:
    """What the build says, as the command shows it."""
    return "".join(render(found) + "\n" for found in made.diagnostics)
