"""`graphc build` as a whole process: the ensemble, and chains of 10, 100 and 1000 steps."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.processes import ROOT, build_command, environment
from benchmarks.report import Table

_HEAD = """\
import mlrun


class Add:
    def __init__(self, amount):
        self.amount = amount

    def do(self, body):
        body["x"] += self.amount
        return body


fn = mlrun.new_function("chain", kind="serving")
graph = fn.set_topology("flow", engine="async")
"""

_STAGES = """\
import json, sys
from pathlib import Path
from graphc.pipeline import build
made = build(Path(sys.argv[1]))
assert not made.failed, made.diagnostics
print(json.dumps(made.timings))
"""


def looped(steps: int) -> str:
    """A chain that a loop builds."""
    return f"""{_HEAD}step = graph
for number in range({steps}):
    step = step.to("Add", name=f"add{{number}}", amount=number)
step.respond()
"""


def written_out(steps: int) -> str:
    """The same chain, a statement for each step."""
    lines = ["step = graph\n"]
    for number in range(steps):
        lines.append(f'step = step.to("Add", name="add{number}", amount={number})\n')
    return "".join((_HEAD, *lines, "step.respond()\n"))


def sources(folder: Path, sizes: list[int]) -> Iterator[tuple[str, Path]]:
    yield "the seed's ensemble", ROOT / "benchmarks" / "graphs" / "seed" / "graph.py"
    for kind, text in (("built by a loop", looped), ("written out", written_out)):
        for size in sizes:
            path = folder / f"{kind.replace(' ', '_')}_{size}.py"
            path.write_text(text(size))
            yield f"chain of {size}, {kind}", path


def seconds(graph: Path, out: Path, runs: int) -> tuple[float, float]:
    """Median wall and CPU seconds of fresh processes, after one that writes bytecode."""
    found = []
    for _ in range(runs + 1):
        started, used = time.perf_counter(), _children_cpu()
        command = build_command(graph, out)
        done = subprocess.run(command, env=environment(), capture_output=True, text=True)
        found.append((time.perf_counter() - started, _children_cpu() - used))
        if done.returncode:
            raise SystemExit(f"{graph}: {done.stdout}{done.stderr}")
    wall, cpu = (statistics.median(column) for column in zip(*found[1:], strict=True))
    return wall, cpu


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def stages(graph: Path, runs: int) -> dict[str, float]:
    """Median seconds of each stage."""
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", _STAGES, str(graph)],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        for name, value in json.loads(done.stdout.splitlines()[-1]).items():
            found.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in found.items()}


def table(folder: Path, sizes: list[int], runs: int) -> Table:
    rows = []
    names: list[str] = []
    for title, graph in sources(folder, sizes):
        wall, cpu = seconds(graph, folder / "out", runs)
        parts = stages(graph, max(1, runs // 2))
        names = names or list(parts)
        cells = (f"{1e3 * parts[name]:.0f}" for name in names)
        rows.append((title, f"{wall:.2f}", f"**{cpu:.2f}**", *cells))
    return Table(
        "build",
        "`graphc build`, whole process, and its stages",
        ("graph", "s", "CPU s", *(f"{name} ms" for name in names)),
        tuple(rows),
        f"Medians of {runs} fresh processes each, bytecode cached. Stages: without the start of "
        "Python, imports and the writing of files.",
    )
