"""Do the tests notice changes of passes and codegen? A random sample of mutants against them.

    pip install cosmic-ray
    python tests/mutants.py --sample 200 [--seed 0] [--only lower.py]

cosmic-ray makes the mutants: another operator, number, constant or condition at one place of one
module. Each is looked at by a child that imports that module as changed, and runs the tests that
are nearest to it, up to the first that fails. What no test notices is printed, with its lines.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import importlib.abc
import importlib.util
import os
import random
import signal
import sys
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

ROOT = Path(__file__).parents[1]
#: Seconds that the tests may take; a mutant that hangs is noticed.
LONGEST = 240
TEXTS = ["tests/passes/test_plans.py", "tests/test_golden.py"]
#: Tests by what the mutated module's path has in it; the first that fits.
NEAREST = {
    "slicing": [
        "tests/passes/test_slicing.py",
        "tests/test_golden.py",
        "tests/passes/test_slices_behave.py",
        "tests/test_requirements.py",
        "tests/test_tracebacks.py",
    ],
    "": [
        *TEXTS,
        "tests/test_routers.py",
        "tests/test_stream_examples.py",
        "tests/test_random_graphs.py",
    ],
}


@dataclass(frozen=True)
class Mutant:
    """One module, changed at one place."""

    path: Path
    operator: str
    text: str

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


def notices(mutant: Mutant | None, module: str) -> bool:
    """Does a test fail, or hang? Without a mutant: are the tests themselves fine?"""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        if mutant is not None:
            sys.meta_path.insert(0, Finder(mutant))
        tests = next(tests for part, tests in NEAREST.items() if part in module)
        options = ["-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider"]
        try:
            status = int(pytest.main([*options, *tests]))
        except BaseException:
            status = 1
        os._exit(status)
    started = time.monotonic()
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status != 0
        if time.monotonic() - started > LONGEST:
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
    for part in NEAREST:
        if notices(None, part):
            raise SystemExit(f"the tests fail as they are: {NEAREST[part]}")
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
        mutant = Mutant(path, name, text)
        killed = notices(mutant, str(path))
        counts["killed" if killed else "survived"] += 1
        if not killed:
            print(f"== {path.relative_to(ROOT)}: {name}\n{mutant.changed}\n", flush=True)
        if number % 5 == 0:
            print(f"{number} of {len(chosen)} ({len(every)} in all): {dict(counts)}", flush=True)
    looked_at = counts["killed"] + counts["survived"]
    rest = f"{dict(counts)}, {len(every)} in all"
    share = counts["killed"] / max(1, looked_at)
    print(f"{counts['killed']} of {looked_at} killed, {share:.0%}; {rest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
