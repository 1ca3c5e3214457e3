"""What fails for certain is reported at its line, and evaluation goes on behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from evaluating import run

from graphc.frontend.values import Unknown
from graphc.rendering import render

FAILURES = [
    ("modles = 1\nx = models", "GC004:2", "NameError: name 'models' is not defined"),
    ("x = 1 / 0", "GC004:1", "ZeroDivisionError: division by zero"),
    ('x = {"a": 1}["b"]', "GC004:1", "KeyError: 'b'"),
    ("x = [1][3]", "GC004:1", "IndexError: list index out of range"),
    ('x = "a" + 1', "GC004:1", "TypeError: can only concatenate"),
    ('x = "a".uper()', "GC004:1", "AttributeError: 'str' object has no attribute 'uper'"),
    ("x, y = 1, 2, 3", "GC004:1", "ValueError: too many values to unpack (expected 2)"),
    ("x, *y, z = [1]", "GC004:1", "ValueError: not enough values to unpack (expected at least 2"),
    ("for x in 5: pass", "GC004:1", "TypeError: 'int' object is not iterable"),
    ("x = 5(1)", "GC004:1", "TypeError: 'int' object is not callable"),
    ("x = len(1, 2)", "GC004:1", "TypeError: len() takes exactly one argument (2 given)"),
    ('x = int("a")', "GC004:1", "ValueError: invalid literal for int()"),
    ("assert 1 > 2, 'order'", "GC004:1", "AssertionError: order"),
    ('raise RuntimeError("stop")', "GC004:1", "RuntimeError: stop"),
    ("class E(Exception): pass\nraise E", "GC004:2", "this line fails: E"),
    ("del x", "GC004:1", "NameError"),
    ("x = (1,)\nx[0] = 2", "GC004:2", "TypeError: 'tuple' object does not support item assignment"),
    ("x = {[]: 1}", "GC004:1", "TypeError: unhashable type: 'list'"),
    ("def f(a, b): ...\nf(1)", "GC004:2", "f() missing 1 required positional argument: 'b'"),
    (
        "def f(*, a, b, c): ...\nf()",
        "GC004:2",
        "3 required keyword-only arguments: 'a', 'b', and 'c'",
    ),
    ("def f(a): ...\nf(1, 2)", "GC004:2", "f() takes 1 positional argument but 2 were given"),
    ("def f(a, b=1): ...\nf(1, 2, 3)", "GC004:2", "f() takes from 1 to 2 positional arguments"),
    ("def f(a): ...\nf(1, a=2)", "GC004:2", "f() got multiple values for argument 'a'"),
    ("def f(a): ...\nf(1, b=2)", "GC004:2", "f() got an unexpected keyword argument 'b'"),
    ("def f():\n    x += 1\nf()", "GC004:2", "UnboundLocalError"),
    ("from . import x", "GC004:1", "ImportError: attempted relative import"),
    ("[][0][1]", "GC004:1", "IndexError"),
]


@pytest.mark.parametrize(("text", "code", "message"), FAILURES)
def test_a_failure_is_reported_at_its_line(
    text: str, code: str, message: str, tmp_path: Path
) -> None:
    done = run(tmp_path, text)
    assert done.codes == [code]
    assert message in done.found[0].message


def test_a_misspelt_name_is_suggested(tmp_path: Path) -> None:
    done = run(tmp_path, "models = 1\nx = modles\ny = pritn\nz = 'a'.uper")
    assert [found.help for found in done.found] == [
        "did you mean 'models'?",
        "did you mean 'print'?",
        "did you mean 'upper'?",
    ]


def test_all_failures_are_reported_and_none_twice(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import flow
        def half(n):
            return n // zero
        a = half(1)
        b = a + 1
        if True:
            c = nothing
            with open("x") as d:
                e = 1 / 0
            f = 2
        for g in [c, 1]:
            h = g
        flow.new().to(a, b=b)
        i = f
        """,
    )
    assert done.codes == ["GC004:4", "GC004:8", "GC004:10"]
    assert [note.span.line for note in done.found[0].notes if note.span] == [5]
    assert "half()" in render(done.found[0])
    assert done.names["i"] == 2
    for name in "abce":
        assert isinstance(done.names[name], Unknown)
        assert done.names[name].reported


def test_what_perhaps_fails_is_no_error(tmp_path: Path) -> None:
    done = run(tmp_path, "import x\nif x.y(): z = 1 / 0\nfor i in x.z: nothing()")
    assert done.found == []


def test_sys_exit_ends_the_script(tmp_path: Path) -> None:
    for leave in ("import sys; sys.exit(1)", "exit()", "raise SystemExit", "def f(): quit()\nf()"):
        done = run(tmp_path, f"a = 1\n{leave}\nb = undefined")
        assert done.found == []
        assert done.names["a"] == 1


def test_a_file_that_is_no_python(tmp_path: Path) -> None:
    done = run(tmp_path, "x = 1\ny = )\n")
    assert [found.code for found in done.found] == ["GC001"]


def test_a_module_that_is_no_python(tmp_path: Path) -> None:
    done = run(tmp_path, "import beside\nx = beside.y\nfrom beside import z", beside="def (")
    assert done.codes == ["GC001:1"]
    assert isinstance(done.names["z"], Unknown)
