"""Starting what is measured: the environment of child processes, and their bytecode cached."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def environment(**more: str) -> dict[str, str]:
    """This process' environment, in which Python caches bytecode and finds the benchmarks."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "SERVING_SPEC_ENV")
    }
    return kept | {"PYTHONPATH": str(ROOT)} | more


def build_command(graph: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "graphc", "build", "-q", str(graph), "-o", str(out)]


def compiled(graphs: list[str], folder: Path) -> dict[str, Path]:
    """The package of each of `graphs/`, built now, with bytecode cached as in an image."""
    packages = {}
    for name in graphs:
        out = folder / name
        subprocess.run(
            build_command(ROOT / "benchmarks" / "graphs" / name / "graph.py", out),
            env=environment(),
            check=True,
        )
        packages[name] = out / name
    compile_all = [sys.executable, "-m", "compileall", "-q", str(folder)]
    subprocess.run(compile_all, env=environment(), check=True)
    return packages
