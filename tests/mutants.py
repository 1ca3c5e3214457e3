"""Do the tests notice changes of passes and codegen? A random sample of mutants against them.

    pip install cosmic-ray coverage
    python tests/mutants.py --sample 200 [--seed 0] [--only lower.py]

cosmic-ray makes the mutants: another operator, number, constant or condition at one place of one
module. Each is looked at by a child that imports that module as changed, and runs the tests that
come by that place, the quickest first, up to the first that fails. Which ones these are is found by
running all of them once, as they are, under coverage. What no test notices is printed, with its
lines.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType

import black  # noqa: F401  what takes long to import is there before the children are
import cosmic_ray.plugins  # type: ignore[import-not-found]
import jinja2  # noqa: F401
import libcst  # noqa: F401
import pytest
from cosmic_ray.ast import ast_nodes, get_ast  # type: ignore[import-not-found]
from cosmic_ray.mutating import mutate_code  # type: ignore[import-not-found]
from coverage import Coverage, CoverageData

ROOT = Path(__file__).parents[1]
#: The tests that run passes and codegen in their own process and need no server.
TESTS = [
    "tests/passes",
    "tests/package",
    "tests/test_codes.py",
    "tests/test_error_streams.py",
    "tests/test_functions.py",
    "tests/test_golden.py",
    "tests/test_hostile.py",
    "tests/test_random_graphs.py",
    "tests/test_remote.py",
    "tests/test_reports.py",
    "tests/test_requirements.py",
    "tests/test_routers.py",
    "tests/test_sources.py",
    "tests/test_stream_examples.py",
    "tests/test_streams.py",
    "tests/test_supported.py",
    "tests/test_tracebacks.py",
    "tests/test_wild.py",
]
OPTIONS = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider"]


@dataclass(frozen=True)
class Mutant:
    """One module, changed at one place."""

    path: Path
    operator: str
    text: str
    lines: frozenset[int]

    @property
    def module(self) -> str:
        inside = self.path.relative_to(ROOT / "compiler").with_suffix("").parts
        return ".".join(["graphc", *(part for part in inside if part != "__init__")])

    @property
    def changed(self) -> str:
        before = self.path.read_text().splitlines()
        lines = difflib.unified_diff(before, self.text.splitlines(), n=0, lineterm="")
        return "\n".join(line for line in lines if line[:3] not in ("---", "+++"))


class Bare(ast.NodeTransformer):
    """Takes out annotations, which are never evaluated here."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(0)
        return self.generic_visit(node)


def bare(text: str) -> str:
    return ast.dump(Bare().visit(ast.parse(text)))


def statement(before: str, after: str) -> frozenset[int]:
    """The lines of the innermost statement that differs; of a block, those of its head."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    changed = next(start for kind, start, *_ in matcher.get_opcodes() if kind != "equal") + 1
    lines: range = range(changed, changed + 1)
    for node in ast.walk(ast.parse(before)):
        if isinstance(node, ast.stmt) and node.lineno <= changed <= (node.end_lineno or 0):
            body = getattr(node, "body", None)
            end = body[0].lineno if body else (node.end_lineno or 0) + 1
            lines = range(node.lineno, max(end, node.lineno + 1))
    return frozenset(lines)


def mutants(only: str) -> Iterator[tuple[Path, str, int]]:
    """All places and operators: `(module, operator, which of its places)`."""
    for folder in ("passes", "codegen"):
        for path in sorted((ROOT / "compiler" / folder).rglob("*.py")):
            if only not in str(path):
                continue
            nodes = list(ast_nodes(get_ast(path.read_text())))
            for name in sorted(cosmic_ray.plugins.operator_names()):
                kind = cosmic_ray.plugins.get_operator(name)
                if kind.arguments():
                    continue
                places = sum(len(list(kind().mutation_positions(node))) for node in nodes)
                yield from ((path, name, place) for place in range(places))


class Changed(SourceFileLoader):
    """Loads a mutant."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self.text = mutant.text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.text, self.path, "exec")  # type: ignore[no-any-return]


class Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        if fullname != self.mutant.module:
            return None
        loader = Changed(self.mutant)
        return importlib.util.spec_from_file_location(fullname, self.mutant.path, loader=loader)


class Watch:
    """A plugin of pytest: the test that runs is the context of what is covered."""

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        started = time.monotonic()
        answer = yield
        self.seconds[item.nodeid] = time.monotonic() - started
        return answer  # type: ignore[return-value]


@dataclass(frozen=True)
class Reach:
    """Which tests come by which lines, and how long they take."""

    #: By module and line.
    by_line: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]

    def tests(self, mutant: Mutant) -> list[str]:
        """Those that come by the mutant's statement, the quickest first. What runs when the module
        is imported is behind all that come by any line of it.
        """
        lines = self.by_line[str(mutant.path)]
        found = {test for line in mutant.lines for test in lines.get(line, ()) if test}
        if not found:
            found = {test for tests in lines.values() for test in tests if test}
        return sorted(found, key=lambda test: (self.seconds[test], test))


def reach() -> Reach:
    """Runs all tests, as they are.

    Raises:
        SystemExit: one of them fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        file, times = Path(folder, "coverage"), Path(folder, "times.json")
        child = quiet_child()
        if not child:
            coverage = Coverage(data_file=str(file), include=[str(ROOT / "compiler" / "*")])
            watch = Watch(coverage)
            coverage.start()
            status = int(pytest.main([*OPTIONS, *TESTS], plugins=[watch]))
            coverage.stop()
            coverage.save()
            # Each test must be found by its name alone, or every mutant would be taken for noticed.
            status = status or int(pytest.main([*OPTIONS, "--collect-only", *watch.seconds]))
            times.write_text(json.dumps(watch.seconds))
            os._exit(status)
        if os.waitpid(child, 0)[1]:
            raise SystemExit(f"the tests fail as they are: pytest {' '.join(TESTS)}")
        data = CoverageData(str(file))
        data.read()
        by_line = {path: data.contexts_by_lineno(path) for path in data.measured_files()}
        return Reach(by_line, json.loads(times.read_text()))


def quiet_child() -> int:
    """A child that prints nothing: 0 in it, its id outside."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    return child


def notices(mutant: Mutant, tests: list[str], longest: float) -> bool:
    """Does one of the tests fail, or take longer than `longest` seconds?"""
    child = quiet_child()
    if not child:
        sys.meta_path.insert(0, Finder(mutant))
        try:
            status = int(pytest.main([*OPTIONS, *tests]))
        except BaseException:
            status = 1
        os._exit(status)
    started = time.monotonic()
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status != 0
        if time.monotonic() - started > longest:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True
        time.sleep(0.02)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="modules whose path has this in it")
    args = parser.parse_args()
    os.chdir(ROOT)
    os.environ.setdefault("GRAPHC_EXAMPLES", "25")
    reached = reach()
    print(f"{len(reached.seconds)} tests, {sum(reached.seconds.values()):.0f} s", flush=True)
    every = list(mutants(args.only))
    source = random.Random(args.seed)
    chosen = source.sample(every, min(args.sample, len(every)))
    counts: Counter[str] = Counter()
    for number, (path, name, place) in enumerate(chosen, 1):
        text = mutate_code(path.read_text(), cosmic_ray.plugins.get_operator(name)(), place)
        try:
            unchanged = text is None or bare(text) == bare(path.read_text())
        except SyntaxError:
            counts["no programs"] += 1
            continue
        if unchanged:
            counts["in annotations"] += 1
            continue
        mutant = Mutant(path, name, text, statement(path.read_text(), text))
        tests = reached.tests(mutant)
        longest = 60 + 5 * sum(reached.seconds[test] for test in tests)
        killed = bool(tests) and notices(mutant, tests, longest)
        counts["killed" if killed else "survived"] += 1
        if not killed:
            where = f"{path.relative_to(ROOT)}: {name}, {len(tests)} tests"
            print(f"== {where}\n{mutant.changed}\n", flush=True)
        if number % 5 == 0:
            print(f"{number} of {len(chosen)} ({len(every)} in all): {dict(counts)}", flush=True)
    looked_at = counts["killed"] + counts["survived"]
    rest = f"{dict(counts)}, {len(every)} in all"
    share = counts["killed"] / max(1, looked_at)
    print(f"{counts['killed']} of {looked_at} killed, {share:.0%}; {rest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
