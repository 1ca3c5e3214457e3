"""The cases of tests/functions by real MLRun: each function of a graph on its own.

    python tests/against_mlrun/functions.py --mlrun-python VENV/bin/python [CASE]...

Prints what differs. A child that MLRun does not start (serving.md 8.1) is no difference.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from run import Worker, outcome, service  # noqa: E402

from random_graphs import graph_file  # noqa: E402
from random_runs import agrees, run_functions  # noqa: E402
from test_functions import CASES, compiled, parts  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mlrun-python", required=True)
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    differences = 0
    with service() as url:
        worker = Worker(args.mlrun_python, url)
        for case in CASES:
            if args.cases and case.stem not in args.cases:
                continue
            statements, asked, _ = parts(case.read_text(encoding="utf-8"))
            made = compiled(statements)
            assert made.graph is not None
            ours = asyncio.run(run_functions(made.files, made.graph, asked))
            root, *children = made.graph.functions
            reads = {child.current: [str(r.path) for r in child.reads] for child in children}
            theirs = worker.ask(graph_file(statements), asked, reads)
            if "refused" in theirs:
                print(f"{case.stem}: MLRun refuses: {theirs['refused']}")
                continue
            found = {root.name: theirs["outcomes"]}
            found |= {child.name: theirs["children"][child.current] for child in children}
            for name, outcomes in found.items():
                if isinstance(outcomes, str):
                    print(f"{case.stem}, {name}: MLRun refuses: {outcomes}")
                    continue
                others = list(map(outcome, outcomes))
                mine = ours.get(name, [])
                if len(others) != len(mine):
                    print(f"{case.stem}, {name}: {len(mine)} outcomes, MLRun has {len(others)}")
                    differences += 1
                for one, other in zip(mine, others, strict=False):
                    if not agrees(one, other):
                        differences += 1
                        print(f"{case.stem}, {name}:\n  ours  {one}\n  MLRun {other}")
            print(f"{case.stem}: compared")
        worker.stop()
    return differences > 0


if __name__ == "__main__":
    sys.exit(main())
