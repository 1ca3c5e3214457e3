"""Runs programs in a process of its own, with little memory, time and no files: see `Sandbox`.

As a script it reads programs, a line of JSON each, and says what became of five names.
"""

from __future__ import annotations

import ast
import json
import resource
import signal
import subprocess
import sys
import types
import warnings
from collections import OrderedDict, defaultdict
from enum import Enum
from types import TracebackType
from typing import Any

NAMES = "abcde"
#: With each, Python goes through sets of texts in another order.
HASH_SEEDS = range(1, 17)


def described(value: Any, depth: int = 0) -> Any:
    """A value as JSON, from which `agrees` can tell what it is."""
    if depth > 20:
        return ["deep"]
    if type(value) in (list, tuple):
        return [type(value).__name__, [described(item, depth + 1) for item in value]]
    if type(value) in (dict, OrderedDict, defaultdict):  # the graph API gets a dict
        pairs = [
            [repr(key.value if isinstance(key, Enum) else key), described(item, depth + 1)]
            for key, item in value.items()
        ]
        return ["dict", pairs]
    if type(value) in (set, frozenset):
        return [type(value).__name__, sorted(map(repr, value))]
    return ["value", type(value).__name__, repr(value)[:100_000]]


def _noting(text: str) -> ast.Module:
    """The program, with a note where a handler begins."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            node.body[:0] = ast.parse("__caught__()").body
    return ast.fix_missing_locations(tree)


class Graph:
    """What `flow.new()` gives in Python: it writes down what is called."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def to(self, *args: Any) -> Graph:
        self.calls.append(described(args))
        return self

    def fail(self, text: str, *raises: str) -> None:
        raise ValueError(text)


def _run(text: str, unsure: list[Any]) -> Any:
    caught: list[None] = []
    names: dict[str, Any] = {"__name__": "__main__", "__caught__": lambda: caught.append(None)}
    graph = Graph()
    flow = types.ModuleType("flow")
    flow.new = lambda: graph  # type: ignore[attr-defined]
    sys.modules["flow"] = flow
    if unsure:
        names["unsure"] = lambda number: eval(unsure[number])
    try:
        code = compile(_noting(text), "graph.py", "exec")
    except (SyntaxError, ValueError):
        return {"no": "program"}
    signal.alarm(2)
    try:
        exec(code, names)
        found = {name: described(names.get(name)) for name in NAMES}
        return {"names": found, "caught": len(caught), "calls": graph.calls}
    except BaseException as exc:
        return {"failed": f"{type(exc).__name__}: {exc}"[:200]}
    finally:
        signal.alarm(0)


class Sandbox:
    """A child process; one that dies is replaced."""

    def __init__(self, hash_seed: int = 0) -> None:
        self._env = {"PYTHONHASHSEED": str(hash_seed)}
        self._start()

    def _start(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-s", "-S", "-W", "ignore", __file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self._env,
        )  # fmt: skip

    def run(self, text: str, unsure: tuple[str, ...] = ()) -> dict[str, Any]:
        """`{"names": ..., "caught": <how many handlers ran>, "calls": <of the graph>}`.

        Or `{"failed": ...}`; or, of what Python does not parse, `{"no": "program"}`.
        """
        assert self._child.stdin
        assert self._child.stdout
        try:
            self._child.stdin.write(json.dumps([text, unsure]) + "\n")
            self._child.stdin.flush()
            line = self._child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.close()
            self._start()
            return {"failed": "the process died"}
        found: dict[str, Any] = json.loads(line)
        return found

    def varies(self, text: str, unsure: tuple[str, ...] = ()) -> bool:
        """Does what the program computes depend on the order of sets of texts?"""
        first = self.run(text, unsure)
        for seed in HASH_SEEDS:
            with Sandbox(seed) as other:
                if other.run(text, unsure) != first:
                    return True
        return False

    def close(self) -> None:
        assert self._child.stdin
        assert self._child.stdout
        self._child.kill()
        self._child.wait()
        self._child.stdin.close()
        self._child.stdout.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def _serve() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    warnings.simplefilter("ignore")
    answers = sys.stdout
    sys.stdout = sys.stderr = open("/dev/null", "w")  # noqa: SIM115
    for line in sys.stdin:
        print(json.dumps(_run(*json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    _serve()
