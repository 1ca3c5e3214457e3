"""The measuring process: one graph, all its competitors, in one interpreter.

    python -m benchmarks.worker times GRAPH PACKAGE --rounds 60 --calls 200 [--mlrun]
    python -m benchmarks.worker counts GRAPH PACKAGE --calls 300

`times` prints one line of JSON per round and competitor. `counts` is to be run under callgrind:
after a warm-up it forks one process for each competitor and number of events.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks import cases, hand

_WARM_UP = 300


@dataclass(frozen=True, slots=True)
class Competitor:
    name: str
    handler: cases.Handler
    context: Any


@contextmanager
def drained(number: int) -> Iterator[list[IO[str]]]:
    """Streams to other processes that throw away what they get: what loggers write to in the
    wrapper is a socket, flushed line by line."""
    ends, readers = [], []
    for _ in range(number):
        ours, theirs = socket.socketpair()
        with theirs:
            readers.append(
                subprocess.Popen(["cat"], stdin=theirs.fileno(), stdout=subprocess.DEVNULL)
            )
        ends.append(ours)
    try:
        yield [end.makefile("w") for end in ends]
    finally:
        for reader in readers:
            reader.kill()
            reader.wait()


def competitors(
    case: cases.Case, package: Path, logs: list[IO[str]] | None = None
) -> list[Competitor]:
    contexts = [
        cases.new_context(name, logs[number] if logs else None)
        for number, name in enumerate(("floor", "hand", "generated"))
    ]
    return [
        Competitor("floor", hand.floor, contexts[0]),
        Competitor("hand", hand.HANDLERS[case.name], contexts[1]),
        Competitor("generated", cases.load(package, contexts[2]), contexts[2]),
    ]


async def warm_up(case: cases.Case, everyone: list[Competitor]) -> None:
    """Call everyone until nothing is cold any more; all but the floor answer the same."""
    answers = {}
    streams = Path(os.environ["GRAPHC_STREAMS"].removeprefix("dir:"))
    for one in everyone:
        for _ in range(_WARM_UP):
            raw = await cases.call(one.handler, one.context, case.message)
        answers[one.name] = cases.answer(raw), cases.streamed(streams)
    expected = answers["hand"]
    for name, answer in answers.items():
        if name == "mlrun":  # it keeps what goes to a dummy stream
            answer = answer[0], expected[1]
        if name != "floor" and answer != expected:
            raise SystemExit(f"{case.name}: {name} answers {answer}, hand {expected}")


async def warmed_up_and_closed(case: cases.Case, everyone: list[Competitor]) -> None:
    """Nobody is cold, and nobody holds on to this event loop: clients of services are gone."""
    await warm_up(case, everyone)
    for one in everyone:
        closing = one.context.platform._on_signal(callback_type="termination")
        if closing is not None:
            await closing


async def times(case: cases.Case, args: argparse.Namespace, logs: list[IO[str]]) -> None:
    everyone = competitors(case, args.package, logs)
    if args.mlrun:
        from benchmarks import mlrun_flow

        context = cases.new_context("mlrun", logs[3])
        everyone.append(Competitor("mlrun", mlrun_flow.deployed(case, context), context))
    await time_rounds(case, everyone, args.rounds, args.calls)


async def time_rounds(
    case: cases.Case, everyone: list[Competitor], rounds: int, calls: int
) -> None:
    await warm_up(case, everyone)
    clock = time.perf_counter_ns
    message = case.message
    for number in range(rounds):
        turn = number % len(everyone)
        for one in everyone[turn:] + everyone[:turn]:
            times = []
            for _ in range(calls):
                started = clock()
                await cases.call(one.handler, one.context, message)
                times.append(clock() - started)
            times.sort()
            record = {
                "competitor": one.name,
                "round": number,
                "median": times[calls // 2] / 1e3,
                "min": times[0] / 1e3,
            }
            print(json.dumps(record), flush=True)


async def repeat(one: Competitor, message: dict[str, Any], calls: int) -> None:
    for _ in range(calls):
        await cases.call(one.handler, one.context, message)


def fork_counts(case: cases.Case, everyone: list[Competitor], calls: int) -> None:
    """Fork the processes whose instructions are counted; prints which is which."""
    parallel: Any = sys.modules.get("runtime_min.parallel")
    if parallel:
        parallel._WORTH_THREADS = float("inf")  # under callgrind all models seem slow
    asyncio.run(warmed_up_and_closed(case, everyone))
    if threading.active_count() > 1:
        raise SystemExit(f"{case.name}: threads cannot be forked")
    gc.collect()
    gc.freeze()  # collections look at what events leave behind, not at what was imported
    message = case.message
    for one in everyone:
        for number in (calls, 2 * calls):
            child = os.fork()
            if not child:
                asyncio.run(repeat(one, message, number))
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if status:
                raise SystemExit(f"{case.name}: {one.name} failed")
            record = {"competitor": one.name, "events": number, "pid": child}
            print(json.dumps(record), flush=True)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("times", "counts"))
    parser.add_argument("graph", choices=list(cases.CASES))
    parser.add_argument("package", type=Path)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--mlrun", action="store_true")
    args = parser.parse_args(argv)
    case = cases.CASES[args.graph]
    with tempfile.TemporaryDirectory(prefix="graphc-streams-") as streams:
        os.environ["GRAPHC_STREAMS"] = f"dir:{streams}"
        if args.what == "counts":
            fork_counts(case, competitors(case, args.package), args.calls)
            return
        with drained(4) as logs:
            asyncio.run(times(case, args, logs))
    os._exit(0)  # storey's flows would wait to be terminated


if __name__ == "__main__":
    main(sys.argv[1:])
