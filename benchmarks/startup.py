"""From the start of a process to its first answer, and its memory, the way Nuclio calls.

The base is the same process with a handler that answers a constant: Python, what Nuclio's wrapper
imports (nuclio-sdk, msgpack, asyncio), a context, one event. What a package adds is the difference.
Every figure is a median of fresh processes, taken in turn, with bytecode cached.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.processes import environment
from benchmarks.report import Table

_BASE = """\
def handler(context, event):
    return context.Response(body="{}", content_type="application/json", status_code=200)
"""

# What Nuclio 1.14's wrapper imports, and its order: import the handler, then the first event.
_PROBE = """\
import argparse, asyncio, json, logging, os, re, signal, socket, struct, sys, time, traceback
import msgpack, nuclio_sdk, nuclio_sdk.json_encoder, nuclio_sdk.logger
sys.path.insert(0, sys.argv[1])
logger = nuclio_sdk.Logger(logging.DEBUG, "probe")
logger.set_handler("default", open(os.devnull, "w"), nuclio_sdk.logger.JSONFormatter())
platform = nuclio_sdk.Platform("local", namespace="nuclio")
trigger = nuclio_sdk.TriggerInfo("http", "default-http")
context = nuclio_sdk.Context(logger, platform, "0", trigger)
encode = nuclio_sdk.json_encoder.Encoder().encode
kind = nuclio_sdk.event.EventDeserializerKinds.msgpack
message = json.loads(sys.argv[2])
message["body"] = message["body"].encode()
async def main():
    import handler
    if hasattr(handler, "init_context"):
        handler.init_context(context)
    output = handler.handler(context, nuclio_sdk.Event.deserialize(message, kind=kind))
    if asyncio.iscoroutine(output):
        output = await output
    response = encode(nuclio_sdk.Response.from_entrypoint_output(encode, output))
    assert '"status_code": 200' in response, response
asyncio.run(main())
answered = time.clock_gettime(time.CLOCK_MONOTONIC)
with open("/proc/self/status") as status:
    resident = next(line.split()[1] for line in status if line.startswith("VmRSS"))
print(json.dumps([answered, int(resident), len(sys.modules)]), flush=True)
os._exit(0)
"""


def probe(package: Path, graph: str) -> tuple[float, float, int]:
    """Milliseconds to the first answer, MB resident, modules imported."""
    message = CASES[graph].message
    message["body"] = message["body"].decode()
    command = [sys.executable, "-c", _PROBE, str(package), json.dumps(message)]
    started = time.clock_gettime(time.CLOCK_MONOTONIC)
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, cwd="/")
    if done.returncode:
        raise SystemExit(f"{package}: {done.stderr[-2000:]}")
    answered, resident, modules = json.loads(done.stdout)
    return (answered - started) * 1e3, resident / 1024, modules


def table(packages: dict[str, Path], runs: int) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "handler.py").write_text(_BASE)
        found: dict[str, list[tuple[float, float, int]]] = {name: [] for name in ("", *packages)}
        for number in range(runs + 1):
            for name, sample in found.items():
                figures = probe(packages[name] if name else base, name or "sync3")
                if number:  # the first run may write bytecode
                    sample.append(figures)
    rows = []
    bare = [statistics.median(column) for column in zip(*found[""], strict=True)]
    rows.append(("nothing but the wrapper's imports", *_cells(*bare), "", ""))
    for name in packages:
        medians = [statistics.median(column) for column in zip(*found[name], strict=True)]
        # Neighbours in time, as the speed of the machine drifts.
        more = [ours[0] - base[0] for ours, base in zip(found[name], found[""], strict=True)]
        rows.append(
            (
                CASES[name].title,
                *_cells(*medians),
                f"**{statistics.median(more):.1f}**",
                f"**{medians[1] - bare[1]:.1f}**",
            )
        )
    return Table(
        "startup",
        "Process start to first answer",
        ("package", "ms", "MB resident", "modules", "ms more", "MB more"),
        tuple(rows),
        f"Medians of {runs} fresh processes each, bytecode cached.",
    )


def _cells(milliseconds: float, megabytes: float, modules: float) -> tuple[str, str, str]:
    return f"{milliseconds:.1f}", f"{megabytes:.1f}", f"{modules:.0f}"
