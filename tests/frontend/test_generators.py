"""Generators run from one `yield` to the next, in Python's order, or are not known."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import pytest
from evaluating import run

from graphc.frontend.values import Unknown

#: Graph calls in the order that Python makes them in.
ORDER = {
    "a loop": (
        """
        def names():
            g.to("start")
            for name in "ab":
                yield name
            g.to("end")
        for name in names(): g.to(name)
        """,
        ["start", "a", "b", "end"],
    ),
    "zip, enumerate and map": (
        """
        def names(of):
            for name in of:
                g.to(name)
                yield name
        for i, (x, y) in enumerate(zip(names("ab"), map(lambda n: g.to(n) and n, "xyz"))):
            g.to(i)
        """,
        ["a", "x", 0, "b", "y", 1],
    ),
    "an endless one": (
        """
        import itertools
        def steps():
            for number in itertools.count(1):
                yield g.to(number)
        for step in steps():
            if g.child and step: break
        list(itertools.islice(steps(), 2)), next(steps())
        """,
        [1, 1, 2, 1],
    ),
    "what is never asked": (
        """
        def names(): yield g.to("no")
        made = names()
        (g.to(n) for n in "no")
        map(g.to, "no")
        """,
        [],
    ),
    "any stops": ("any(g.to(n) for n in 'abc'); all(not g.to(n) for n in 'xyz')", ["a", "x"]),
    "yield from and send": (
        """
        def inner():
            got = yield "first"
            while got:
                got = yield g.to(got) and got
            return "returned"
        def outer():
            got = yield from inner()
            g.to(got)
        made = outer()
        g.to(next(made)); g.to(made.send("x")); next(made, None)
        """,
        ["first", "x", "x", "returned"],
    ),
    "finally of a loop that is left": (
        """
        def names():
            try:
                yield "a"
                yield "b"
            finally:
                g.to("end")
        for name in names():
            g.to(name)
            break
        g.to("after")
        made = names(); next(made); made.close(); g.to("last")
        """,
        ["a", "end", "after", "end", "last"],
    ),
    "an exception inside": (
        """
        def names():
            try:
                yield "a"
            except ValueError as exc:
                g.to(str(exc))
            raise KeyError("b")
        made = names(); next(made)
        try: made.throw(ValueError("thrown"))
        except KeyError: g.to("b")
        """,
        ["thrown", "b"],
    ),
    "context managers": (
        """
        from contextlib import contextmanager
        @contextmanager
        def part(name):
            g.to(name)
            try: yield g
            except ValueError: g.to("caught")
            finally: g.to("end " + name)
        with part("a") as x, part("b"):
            x.to("inside")
        with part("c"):
            raise ValueError
        class Part:
            def __enter__(self): g.to("d")
            def __exit__(self, kind, exc, at):
                g.to("end d")
                return kind is KeyError
        with Part(): g.to("in d")
        with Part(): raise KeyError
        try:
            with Part(): raise ValueError
        except ValueError: g.to("not caught")
        """,
        [
            *("a", "b", "inside", "end b", "end a", "c", "caught", "end c"),
            *("d", "in d", "end d", "d", "end d", "d", "end d", "not caught"),
        ],
    ),
}


@pytest.mark.parametrize("name", ORDER)
def test_graph_calls_are_made_in_pythons_order(name: str, tmp_path: Path) -> None:
    text, expected = ORDER[name]
    done = run(tmp_path, "import flow\ng = flow.new()\n" + _dedented(text))
    assert done.found == []
    assert done.called == expected


def _dedented(text: str) -> str:
    lines = text.split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)


#: `E` is not known; what the generator perhaps changed is not known, and all else is.
UNKNOWN = {
    "a condition around yield": """
        def items():
            if E: yield 1
            lost.append(1)
        list(items())
        """,
    "a loop around yield": """
        def items():
            for _ in E: yield 1
            lost.append(1)
        for _ in items(): pass
        """,
    "how far it is": """
        def items():
            yield 1
            lost.append(1)
        made = items()
        if E: next(made)
        next(made, 0)
        """,
    "which it is": """
        def items(): lost.append((yield 1))
        one, two = items(), items()
        next(one if E else two)
        """,
    "which iterator is moved": "it = iter([1, 2]); next(it if E else iter([])); lost = list(it)",
    "a condition in an expression": """
        list((lost.append(n) for n in (1, 2) if E))
        """,
    "yield inside of an expression": """
        def items(): lost.append([(yield 1)])
        list(items())
        """,
    "a function that it calls": """
        def change():
            global lost
            lost = []
        def items():
            while E: yield 1
            change()
        list(items())
        """,
    "an object that it holds": """
        class Box: pass
        box = Box(); box.value = []
        def items(box):
            while E: yield 1
            box.value = 1
        list(items(box)); lost = box.value
        """,
    "a function that is not known": """
        def items():
            yield 1
            lost.append(1)
        E(items())
        """,
    "a function elsewhere": """
        def items():
            yield 1
            lost.append(1)
        import other; other.run(items())
        """,
    "asked again": """
        def items():
            global lost
            while E: yield 1
            lost = 1
        made = items()
        for _ in made: pass
        lost = 2
        next(made, 0)
        """,
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_a_generator_perhaps_changed_is_not_known(name: str, tmp_path: Path) -> None:
    start = "import x\nE = x.e()\nlost, kept = [], [1]\n"
    done = run(tmp_path, start + _dedented(UNKNOWN[name]) + "\nlost = [lost][0]\nkept.append(2)")
    assert done.found == []
    lost = done.names["lost"]
    assert isinstance(lost, Unknown) or any(isinstance(item, Unknown) for item in lost), lost
    assert done.names["kept"] == [1, 2]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def f():\n    if E: yield g.to('x')\nlist(f())", 6),
        ("def f(g):\n    yield 1\n    g.to('x')\nimport other\nother.run(f(g))", 8),
        ("def f():\n    if E: yield 1\nfor n in f(): g.to(n)", 6),
        ("def f():\n    try: yield 1\n    finally: g.to('x')\nnext(f())", 7),
        ("[n for n in map(g.to, 'ab') if E]\nlist(map(g.to, E))", 5),
    ],
)
def test_graph_calls_that_a_generator_perhaps_makes(text: str, line: int, tmp_path: Path) -> None:
    done = run(tmp_path, f"import flow, x\nE = x.e()\ng = flow.new()\n{text}")
    assert done.codes == [f"GC006:{line}"]
    assert "known" in done.found[0].message or "depends on" in done.found[0].message


def test_nothing_is_left_running(tmp_path: Path) -> None:
    threads = threading.active_count()
    before = _running()
    run(tmp_path, "def f():\n    try: yield 1\n    except Exception: pass\n    yield 2\nnext(f())")
    assert threading.active_count() == threads
    assert _running() == before


def _running() -> int:
    gc.collect()
    made = [one for one in gc.get_objects() if type(one).__name__ == "generator"]
    return sum(one.gi_frame is not None for one in made if "frontend" in one.gi_code.co_filename)
