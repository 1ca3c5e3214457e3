"""Many random graphs against the reference, from one seed to another; what parts is printed.

    python tests/long_run.py --graphs 20000 [--seed 0] [--services]

With `--services` steps ask one, too.
The same as `test_random_graphs.py`, without Hypothesis and without black, which takes a quarter of
a build and is tested elsewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import test_random_graphs
from graphc.codegen import handler
from http_service import running
from random_graphs import seeded


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--graphs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--services", action="store_true")
    args = parser.parse_args()
    with running() as service:
        return run(args.graphs, args.seed, service.url if args.services else "")


def run(graphs: int, first: int, service: str) -> int:
    """Is any of so many graphs, from a seed on, another one than the reference says?"""
    handler.formatted = lambda text: text  # type: ignore[attr-defined]
    test_random_graphs.note = lambda text: None
    failed, started = 0, time.monotonic()
    for number, seed in enumerate(range(first, first + graphs)):
        statements, asked = seeded(seed, service=service)
        try:
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
                test_random_graphs.check(statements, asked)
        except Exception as exc:
            failed += 1
            told = f"{type(exc).__name__}: {str(exc)[:2000]}"
            print(f"== seed {seed}\n{statements}\n{told}\n", flush=True)
        if number % 1000 == 999:
            print(
                f"{number + 1} graphs, {failed} failed, {time.monotonic() - started:.0f} s",
                flush=True,
            )
    print(f"{graphs} graphs, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
