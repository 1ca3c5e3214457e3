"""Measures what graphc makes, and graphc itself.

    python benchmarks/run.py                          all but mlrun
    python benchmarks/run.py calls --graph router     one table, one graph
    python benchmarks/run.py instructions             needs valgrind
    python benchmarks/run.py streams                  needs java, and a broker (tests/servers)
    python benchmarks/run.py mlrun --mlrun-python PATH

Prints Markdown tables; --write also puts them into docs/benchmarks.md. PATH is the Python of an
environment with mlrun 1.12, nuclio-jupyter and nuclio-sdk.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

if not __package__:  # run as a file: the package is beside the folder of this one
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import builds, calls, instructions, mlrun_side, report, service, startup, streams
from benchmarks.cases import CASES
from benchmarks.processes import compiled
from benchmarks.report import Table

WHAT = ("instructions", "calls", "mlrun", "startup", "build", "streams")


def main(argv: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if argv is None else argv
    args = _parser().parse_args(arguments)
    what = args.what or [name for name in WHAT if name != "mlrun" or args.mlrun_python]
    if "mlrun" in what and not args.mlrun_python:
        _parser().error("mlrun needs --mlrun-python")
    tables = []
    with service.running(), tempfile.TemporaryDirectory(prefix="graphc-benchmarks-") as temporary:
        folder = Path(temporary)
        packages = (
            compiled(args.graph or list(CASES), folder / "dist")
            if {*what} - {"build", "streams"}
            else {}
        )
        measure: dict[str, Callable[[], Table]] = {
            "instructions": lambda: instructions.table(packages, args.events),
            "calls": lambda: calls.table(packages, args.rounds, args.calls),
            "mlrun": lambda: mlrun_side.table(packages, args.rounds, args.calls, args.mlrun_python),
            "startup": lambda: startup.table(packages, args.runs),
            "streams": lambda: streams.table(args.stream_rounds, args.requests, args.messages),
            "build": lambda: builds.table(folder, args.steps, args.builds),
        }
        for name in what:
            tables.append(measure[name]())
            print(tables[-1].markdown(), end="\n\n", flush=True)
    print(report.machine())
    if args.write:
        command = ["python", "benchmarks/run.py", *arguments]
        if args.mlrun_python:
            command[command.index(args.mlrun_python)] = "PATH"
        report.write(tables, " ".join(word for word in command if word != "--write"))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("what", nargs="*", choices=WHAT, metavar="WHAT", help=", ".join(WHAT))
    add("--graph", action="append", choices=list(CASES), help="only this graph; repeatable")
    add("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    add("--mlrun-python", metavar="PATH", help="the interpreter that has mlrun")
    add("--events", type=int, default=200, help="N of instructions; 3 N events are run")
    add("--rounds", type=int, default=60, help="rounds of calls and mlrun")
    add("--calls", type=int, default=200, help="events of each competitor in a round")
    add("--runs", type=int, default=15, help="fresh processes of each package in startup")
    add("--stream-rounds", type=int, default=7, help="rounds of streams")
    add("--requests", type=int, default=1000, help="requests of each round of streams")
    add("--messages", type=int, default=10_000, help="messages of each round of streams")
    add("--builds", type=int, default=3, help="fresh processes of each build")
    add(
        "--steps",
        type=int,
        nargs="*",
        default=[10, 100, 1000],
        help="lengths of the chains that are built",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
