"""Fuzzing of the reader for a given time: no traceback of graphc's, no hang.

    python tests/fuzz.py --minutes 10 [--seed 0]

Graph files of the golden folders, the examples and the corpus, notebooks and values files among
them, are changed at random and built; a build that raises, or that takes longer than `LONGEST`
seconds of processor time, is printed with its file and makes the exit status 1.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from click.testing import CliRunner  # noqa: E402

from graphc.cli import cli  # noqa: E402
from test_hostile import PIECES, REPLACEMENTS, mutated  # noqa: E402

#: Seconds of processor time that a build of a small file may take.
LONGEST = 20
SOURCES = (HERE / "golden", HERE.parent / "examples", HERE.parents[1] / "shared" / "corpus")
VALUES = [
    "{}", "[]", "x", "a: 1\n", "MODEL: {a: [1, 2]}\n", "{{", "\0", "a: &a [*a]\n", "- 1\n",
    "1: 2\n",
    "? [a]\n: b\n", "a: !!python/object:os.system x\n", "null: null\n", "a: 2020-01-01\n", "\ufeff",
]  # fmt: skip
SETS = ["A=1", "A", "=", "A=[", "a.b=1", "NAME=\udcff", "A={}", "x" * 1000, "--", "A=1=2"]


#: Statements that a graph file may end with.
MORE = [
    "x = fn.to_mock_server()", "graph.plot(rankdir='LR')",
    "for i in range(3): graph.to('x', f'n{i}')",
    "if unknown: graph.to('A', 'b')", "fn.spec.min_replicas = 0", "fn.apply(mlrun.auto_mount())",
    "fn.with_requirements(['a', '-r x', 'b; x'])", "import os; os.environ['A'] = graph",
    "def f(*a, **k): return f(*a, **k)\nf()", "graph['nothing'].respond()", "fn = fn2 = None",
    "while True: pass", "x = [0] * 10 ** 9", "x = 'a' * 10 ** 10", "from . import nothing",
    "class A(A): pass", "match fn:\n    case x: pass", "try: fn()\nexcept: raise", "del graph",
    "x = lambda: (yield)", "@graph\ndef g(): pass", "async def h(): await graph", "global fn",
    "fn.set_topology('router', exist_ok=True)", "fn.add_child_function('c', 'x.py', 'img')",
    "graph.add_step('$queue', 'q', path=None)", "fn.set_env('A', open('x').read())",
    "import mlrun.x",
    "fn.with_http(workers=-1, port='x')", "fn.spec.graph_initializer = lambda s: s", "fn.deploy()",
    "a, b = fn, *graph", "x = {**graph, **fn}", "print(f'{fn!r:>{10}}')", "exec('x = 1')",
    "graph.to(name='a' * 70, handler=print)", "fn.set_config('spec.triggers', 3)", "exit()",
]  # fmt: skip


def graphs() -> list[Path]:
    """The files that graphs are read from."""
    found = [f for source in SOURCES for f in sorted(source.glob("*/graph.py"))]
    return found + [f for source in SOURCES for f in sorted(source.glob("*/*.ipynb"))] * 4


def changed(text: str, chance: random.Random) -> str:
    """The file, with a few of its names and literals swapped or replaced; some say more."""
    if chance.random() < 0.2:
        return mutated(text, chance)
    pieces = PIECES.findall(text)
    words = [at for at, piece in enumerate(pieces) if re.fullmatch(r"\w+|\".*\"|'.*'", piece)]
    for _ in range(chance.randint(1, 2)):
        here, there = chance.choice(words), chance.choice(words)
        pieces[here] = chance.choice([pieces[there], pieces[there], chance.choice(REPLACEMENTS)])
    text = "".join(pieces)
    if chance.random() < 0.3:
        text += "\n" + chance.choice(MORE) + "\n"
    return text


def changed_notebook(text: str, chance: random.Random) -> str:
    """The notebook, with its cells, or its JSON, changed."""
    if chance.random() < 0.3:
        return mutated(text, chance)
    notebook = json.loads(text)
    cells = notebook["cells"]
    for _ in range(chance.randint(1, 3)):
        cell = chance.choice(cells)
        match chance.randrange(6):
            case 0:
                source = cell.get("source") or "x"
                if isinstance(source, list):
                    source = "".join(map(str, source))
                cell["source"] = changed(str(source), chance)
            case 1:
                cell["cell_type"] = chance.choice(["code", "markdown", "raw", 3, None])
            case 2:
                cells.insert(chance.randrange(len(cells)), dict(cell))
            case 3:
                cell["source"] = chance.choice(
                    ["%%bash\nls", "!pip install x", "%nuclio cmd -c x", "x = !ls", "?x",
                     "%%writefile", "%%writefile a.py\nx = 1", "# nuclio: ignore\n", "",
                     "%%time\ny = 2", None, 7]
                )  # fmt: skip
            case 4:
                cell.pop(chance.choice(list(cell)), None)
            case 5:
                cell["metadata"] = chance.choice([{}, None, {"tags": ["mlrun-ignore"]}, []])
    return json.dumps(notebook)


def arguments(folder: Path, chance: random.Random) -> list[str]:
    """Options of a build, some of them odd."""
    found: list[str] = []
    if chance.random() < 0.3:
        values = folder / "values.yaml"
        values.write_bytes(chance.choice(VALUES).encode("utf-8", "surrogatepass"))
        found += ["--values", str(values)]
    if chance.random() < 0.3:
        found += ["--set", chance.choice(SETS)]
    if chance.random() < 0.1:
        found += ["--function", chance.choice(["x", "", "fn", "../x"])]
    if chance.random() < 0.1:
        found += ["--entry", chance.choice(["x", "", "main", "build_graph"])]
    if chance.random() < 0.2:
        found += ["--format", chance.choice(["json", "sarif", "github"])]
    return found


class TooLong(BaseException):
    """The build took more processor time than it may."""


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TooLong(f"more than {LONGEST} s")


def one(file: Path, folder: Path, chance: random.Random) -> tuple[Any, str | None]:
    """Build a changed file: the exit code, and what was wrong with that."""
    case = folder / "case"
    shutil.rmtree(case, ignore_errors=True)
    shutil.copytree(
        file.parent, case, ignore=shutil.ignore_patterns("dist", "case.json", "*.pkl", "models")
    )
    text = file.read_text(encoding="utf-8")
    change: Callable[[str, random.Random], str] = changed
    if file.suffix == ".ipynb":
        change = changed_notebook
    main = case / file.name
    main.chmod(0o644)
    main.write_text(change(text, chance), encoding="utf-8", errors="surrogatepass")
    command = chance.choice([["build", "-o", str(folder / "dist")], ["params"], ["dump"], ["plot"]])
    args = [command[0], str(main), *command[1:]]
    if command[0] == "build":
        args += arguments(folder, chance)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        done = CliRunner().invoke(cli, args)
        exc: Any = done.exception
    except TooLong as long:
        exc = long
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if exc is None or isinstance(exc, SystemExit):
        return done.exit_code, None
    told = "".join(traceback.format_exception(exc)[-6:])
    return None, f"{' '.join(args)}\n{told}\n{main.read_text(encoding='utf-8', errors='replace')}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    signal.signal(signal.SIGPROF, _too_long)
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    chance, files = random.Random(args.seed), graphs()
    builds, bad, end = Counter[Any](), 0, time.monotonic() + 60 * args.minutes
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            code, found = one(chance.choice(files), Path(folder), chance)
            builds[code] += 1
            if found is not None:
                bad += 1
                print(f"== {found}\n", flush=True)
    print(
        f"{builds.total()} files in {args.minutes:g} minutes: {builds[0]} packages, {builds[1]} "
        f"with findings, {builds[2]} of wrong usage, {bad} that ended in a traceback or hung"
    )
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
