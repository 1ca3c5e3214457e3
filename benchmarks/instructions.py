"""Instructions of an event under callgrind: the same on a busy machine as on a quiet one.

The worker forks a process for N and one for 2N events of each competitor; the difference of the
two, divided by N, is what an event costs, whatever came before.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.cases import CASES, GOAL
from benchmarks.processes import ROOT, environment
from benchmarks.report import Table, ratio

_LIMITS = "1.2 times, for votes 1.5 times"


def count(graph: str, package: Path, calls: int) -> dict[str, float]:
    """Instructions of one event, by competitor."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [
                *("valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/%p"),
                *(sys.executable, "-m", "benchmarks.worker", "counts", graph, str(package)),
                *("--calls", str(calls)),
            ],
            cwd=ROOT,
            env=environment(PYTHONHASHSEED="0"),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"{graph}: {done.stderr[-2000:]}")
        totals: dict[str, dict[int, int]] = {}
        for line in filter(None, map(str.strip, done.stdout.splitlines())):
            record = json.loads(line)
            path = Path(folder, str(record["pid"]))
            totals.setdefault(record["competitor"], {})[record["events"]] = _total(path)
    return {name: (by[2 * calls] - by[calls]) / calls for name, by in totals.items()}


def _total(profile: Path) -> int:
    for line in profile.read_text().splitlines():
        if line.startswith(("summary:", "totals:")):
            return int(line.split()[1])
    raise SystemExit(f"{profile} has no total")


def table(packages: dict[str, Path], calls: int) -> Table:
    rows = []
    for graph, package in packages.items():
        case = CASES[graph]
        found = count(graph, package, calls)
        floor, hand, generated = (found[name] for name in ("floor", "hand", "generated"))
        rows.append(
            (
                case.title,
                *(f"{number:,.0f}" for number in (floor, hand, generated)),
                f"**{generated / hand:.3f}**",
                ratio((generated - floor) / (hand - floor)),
                _verdict(generated / hand, case.limit),
            )
        )
    return Table(
        "instructions",
        "Instructions per event",
        ("graph", "floor", "hand", "generated", "generated / hand", "net of floor", "goal"),
        tuple(rows),
        f"Goal: {GOAL} times `hand`; the limit is {_LIMITS}.",
    )


def _verdict(found: float, limit: float) -> str:
    if found <= GOAL:
        return "met"
    return "missed" if found <= limit else f"above the limit of {limit}"
