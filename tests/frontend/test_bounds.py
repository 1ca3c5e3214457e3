"""Hostile files end in one diagnostic, soon."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from evaluating import run

from graphc.frontend.values import Unknown

#: Generous: each takes a fraction of it.
SECONDS = 10.0

ENDLESS = {
    "text": '"x" * 10**12',
    "power": "9**9**9",
    "shift": "1 << 10**9",
    "width": 'f"{1:>{10**9}}"',
    "percent": '"%1000000000d" % 1',
    "percent-star": '"%*d" % (10**9, 1)',
    "format": '"{:>{}}".format(1, 10**9)',
    "precision": 'f"{1e308:.99999999f}"',
    "zfill": '"1".zfill(10**10)',
    "ljust": 'b"a".ljust(10**10)',
    "tabs": '"\\t\\t".expandtabs(10**9)',
    "replace": '("a" * 10**6).replace("a", "b" * 10**6)',
    "join": '("a" * 10**6).join(["b"] * 10**5)',
    "list": "list(range(10**9))",
    "sum": "sum(range(10**12))",
    "zip": "list(zip(range(10**12), range(10**12)))",
    "bytes": "bytes(10**10)",
    "round": "round(10**1000, -10**9)",
    "doubling": "s = 'a'\nwhile True: s += s",
    "doubling-list": "s = [1]\nwhile True: s = s + s",
    "loop": "while True: pass",
    "counting": "x = 0\nwhile True: x += 1",
    "appending": "x = [1]\nfor y in x: x.append(y)",
    "recursion": "def f(n): return f(n + 1)\nf(0)",
    "nested-loops": "for i in range(10**4):\n    for j in range(10**4): pass",
    "comprehension": "[i * j for i in range(1000) for j in range(1000)]",
    "shared": "a = [1]\nfor i in range(60): a = [a, a]\ns = str(a)",
    "shared-equal": "a, b = [1], [1]\nfor i in range(60): a, b = [a, a], [b, b]\na == b",
    "itself": "a = []\na.append(a)\nb = a == [a]",
    "product": "import itertools\nlist(itertools.product(range(1000), repeat=100))",
    "json": 'import json\njson.loads("[" * 100000)',
    "yaml": """import yaml
t = "a0: &a0 [1]"
for i in range(40): t += f"\\na{i + 1}: &a{i + 1} [*a{i}, *a{i}]"
yaml.safe_load(t)""",
    "perhaps-tripling": "import x\nb = [[x.y()]]\nif x.z(): b = [[1]]\nwhile True: b += (b + b)",
    "membership": "x = list(range(10**6))\nfor i in range(10**4): -1 in x",
    "equal-texts": 'x = "a" * 10**7\nfor i in range(10**4): x == x + ""',
    "copies": "x = list(range(10**6))\nfor i in range(10**4): y = x[:]",
    "catching": "while True:\n    try: 1 / 0\n    except ArithmeticError: continue",
    "generator": "def f():\n    while True: yield 1\nlist(f())",
    "generator-loop": "def f():\n    while True: yield 1\nfor x in f(): pass",
    "generator-in-itself": "def f(): yield from f()\nlist(f())",
    "generator-expression": "import itertools\nsum(x for x in itertools.count())",
    "extending": "x = []\nx.extend(y for y in map(len, iter(lambda: x, 1)))\nx = [1]\n"
    "def f():\n    for y in x: yield y\nx += f()",
    "classes": "while True:\n    class A: x = 1",
    "arguments": "x = [0] * 10**6\ndef f(*a): ...\nwhile True: f(*x)",
    "branches": "import x\ndef f(n):\n    if x.y: pass\n    if x.y(): f(n)\n    f(n)\nf(9)",
    "parentheses": "x = " + "(" * 10000 + "1" + ")" * 10000,
    "chain": "x = g" + '.to("X")' * 5000,
    "sum-of-many": "x = " + "+".join(["1"] * 3000),
    "not": "x = " + "not " * 5000 + "1",
    "minus": "x = " + "-" * 50000 + "1",
    "lambda": "x = " + "lambda: " * 5000 + "1",
    "conditional": "x = " + "1 if 1 else " * 5000 + "1",
    "elif": "if 0: pass\n" + "elif 0: pass\n" * 20000,
    "indent": "\n".join(" " * n + "if 1:" for n in range(300)) + "\n" + " " * 300 + "x = 1",
    "formatted": "x = f'{" + "(" * 500 + "1" + ")" * 500 + "}'",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_goes_past_a_bound_is_one_error(name: str, tmp_path: Path) -> None:
    started = time.perf_counter()
    done = run(tmp_path, ENDLESS[name] + "\nafter = undefined\n")
    assert time.perf_counter() - started < SECONDS
    assert [found.code for found in done.found] == ["GC003"]
    assert done.found[0].span is not None
    assert done.found[0].help


REACHED = {
    "chain": ('x = "a"' + ".strip()" * 300, "a"),
    "sum": ("x = " + "+".join(["1"] * 900), 900),
    "brackets": ("x = len(" + "[" * 90 + "]" * 90 + ")", 1),
    "elif": ("x = 5\nif 0: pass\n" + "elif 0: pass\n" * 900, 5),
    "indent": ("\n".join(" " * n + "if 1:" for n in range(90)) + "\n" + " " * 90 + "x = 1", 1),
    "texts": ("x = len(" + '"a" ' * 500 + ")", 500),
    "strings": ('x = "' + "(" * 5000 + '"[0]', "("),
    "items": ("x = len([" + "-1, " * 5000 + "])", 5000),
    "calls": ("def f(n): return f(n - 1) if n else 7\nx = f(150)", 7),
    "deep-calls": ("def f(n): return " + "0+" * 400 + "(f(n - 1) if n else 0)\nx = f(190)", 0),
}


@pytest.mark.parametrize("name", REACHED)
def test_what_stays_inside_of_the_bounds_is_evaluated(name: str, tmp_path: Path) -> None:
    text, value = REACHED[name]
    done = run(tmp_path, text)
    assert done.found == []
    assert done.names["x"] == value


def test_a_thousand_steps(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import flow
        step = flow.new()
        for index in range(1000):
            step = step.to("Add", f"add-{index:03d}", amount=index)
        """,
    )
    assert len(done.host.calls) == 1000
    assert done.found == []


def test_loops_of_many_rounds_are_not_followed(tmp_path: Path) -> None:
    """They make up data or try something out; what they change is not known afterwards."""
    done = run(
        tmp_path,
        """
        import flow
        import random
        rows = [random.random() for _ in range(10**6)]
        total, seen = 0, []
        for number in range(10**6):
            total += number
            seen.append(number)
        kept = 1
        g = flow.new()
        g.to("x")
        for number in range(10**6):
            g.to(number)
        """,
    )
    for name in ("rows", "total"):
        assert isinstance(done.names[name], Unknown), name
    assert done.names["kept"] == 1
    assert [(found.code, found.span and found.span.line) for found in done.found] == [("GC006", 13)]
    assert done.host.calls == [("to", ("x",), {})]
