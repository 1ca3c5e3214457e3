"""Random programs: every value that is claimed to be known is the one that Python computes.

Some programs read `unsure(...)`, which only Python knows the result of: it has to come out as
Unknown, or as what Python has in every run.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

from evaluating import run
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from graphc.frontend.values import External, Unknown, UserFunction

NAMES = st.sampled_from("abcde")
LITERALS = st.sampled_from(
    ["0", "1", "-2", "7", "2.5", "True", "None", "''", "'ab'", "[]", "[1, 2]", "(3, 'x')",
     "{'k': 1}", "{'k': [0], 'a': 2}", "range(3)"]
)  # fmt: skip
BINARY = st.sampled_from("+ - * // % == != < >= and or in is".split())
METHODS = st.sampled_from(
    [".append(1)", ".upper()", ".get('k')", ".copy()", ".pop()", "[0]", "[-1]", "[1:]", "['k']",
     ".items()", ".count(1)", ".setdefault('z', [])", ".extend([5])", ".sort()", ".update(a=3)"]
)  # fmt: skip
FUNCTIONS = st.sampled_from(
    ["len({})", "list({})", "str({})", "sorted({})", "sum({})", "bool({})", "not {}", "-{}",
     "[x for x in {} if x]", "[*{}, 0]", "{{**{}}}", 'f"""{{{}}}"""', 'f"""{{{}!r:>4}}"""',
     "max({}, 1)",
     "dict(q={})", "helper({})", "helper({}, 2)", "list(enumerate({}))", "isinstance({}, int)",
     "(lambda v: [v, v])({})", "next(iter({}))", "tuple({})"]
)  # fmt: skip

expressions: st.SearchStrategy[str] = st.recursive(
    NAMES | LITERALS,
    lambda inner: st.one_of(
        st.tuples(inner, BINARY, inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, METHODS).map(lambda parts: f"({parts[0]}){parts[1]}"),
        st.tuples(FUNCTIONS, inner).map(lambda parts: f"({parts[0].format(f'({parts[1]})')})"),
        st.tuples(inner, inner, inner).map(
            lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"
        ),
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
    ),
    max_leaves=5,
)


def _block(lines: list[str]) -> str:
    return "\n".join("    " + line for part in lines for line in part.splitlines()) or "    pass"


def _compound(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=3).map(_block)
    return st.one_of(
        st.tuples(expressions, body, body).map(lambda p: f"if {p[0]}:\n{p[1]}\nelse:\n{p[2]}"),
        st.tuples(NAMES, expressions, body, body).map(
            lambda p: f"for {p[0]} in {p[1]}:\n{p[2]}\nelse:\n{p[3]}"
        ),
        st.tuples(body, body).map(lambda p: f"try:\n{p[0]}\nexcept Exception:\n{p[1]}"),
        st.tuples(body, body, body).map(
            lambda p: f"try:\n{p[0]}\nexcept (TypeError, KeyError):\n{p[1]}\nfinally:\n{p[2]}"
        ),
        st.tuples(NAMES, body, NAMES).map(
            lambda p: f"def local({p[0]}):\n{p[1]}\n    return {p[2]}\n{p[2]} = local(1)"
        ),
    )


statements: st.SearchStrategy[str] = st.recursive(
    st.one_of(
        st.tuples(NAMES, expressions).map(lambda p: f"{p[0]} = {p[1]}"),
        st.tuples(NAMES, st.sampled_from("+ * -".split()), expressions).map(
            lambda p: f"{p[0]} {p[1]}= {p[2]}"
        ),
        st.tuples(NAMES, NAMES, expressions).map(lambda p: f"{p[0]}, {p[1]} = {p[2]}"),
        st.tuples(NAMES, METHODS).map(lambda p: "".join(p)),
        st.tuples(NAMES, expressions, expressions).map(lambda p: f"{p[0]}[{p[1]}] = {p[2]}"),
    ),
    _compound,
    max_leaves=6,
)
START = """\
def helper(x, *rest, deep=0):
    for item in rest:
        if item: return [x, item]
    return x
a, b, c, d, e = 1, [2, 3], {'k': 4}, 'text', (5, [6])
"""
#: `GRAPHC_EXAMPLES=5000 pytest tests/frontend/test_random_programs.py` looks for more.
EXAMPLES = int(os.environ.get("GRAPHC_EXAMPLES", "120"))
QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=EXAMPLES == 120,
)


@QUICK
@given(st.lists(statements, min_size=1, max_size=6))
def test_known_values_are_the_ones_that_python_computes(parts: list[str]) -> None:
    text = START + "\n".join(parts)
    expected, failed = _executed(text, {})
    with tempfile.TemporaryDirectory() as folder:
        done = run(Path(folder), text)
    if any(found.code == "GC003" for found in done.found):
        return
    assert {found.code for found in done.found} <= {"GC004"}
    if failed:
        assert done.found, text
        return
    assert done.found == [], text
    for name in "abcde":
        _compare(done.names[name], expected[name], text)


@QUICK
@given(st.lists(statements, min_size=1, max_size=6), st.lists(expressions, min_size=3, max_size=3))
def test_what_depends_on_something_not_known_is_never_claimed(
    parts: list[str], results: list[str]
) -> None:
    # Some of the constants become results of a call that only Python makes.
    body = "\n".join(parts)
    for number, constant in enumerate(("7", "[1, 2]", "True")):
        body = body.replace(constant, f"unsure({number})", 1)
    text = START + body
    with tempfile.TemporaryDirectory() as folder:
        done = run(Path(folder), "from elsewhere import unsure\n" + text)
    if done.found:
        return
    for choice in ((7, [1, 2], True), (0, [], False), ("", [[0]], None), (2, (1,), "x")):
        expected, failed = _executed(text, {"unsure": lambda n, choice=choice: choice[n]})
        if failed:
            continue  # what perhaps fails is taken not to
        for name in "abcde":
            _compare(done.names[name], expected[name], text)


def _executed(text: str, names: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    names = {"__name__": "__main__", **names}
    failed = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            code = compile(text, "graph.py", "exec")
        except SyntaxError:  # formatted strings inside each other, before Python 3.12
            reject()
    try:
        exec(code, names)
    except Exception:
        failed = True
    return names, failed


def _compare(found: Any, expected: Any, text: str, depth: int = 0) -> None:
    """`found` is `expected`, as far as it is known."""
    if isinstance(found, Unknown | External | UserFunction) or depth > 20:
        return
    if isinstance(found, list | tuple) and type(found) is type(expected):
        assert len(found) == len(expected), text
        for one, other in zip(found, expected, strict=True):
            _compare(one, other, text, depth + 1)
    elif isinstance(found, dict) and type(expected) is dict:
        assert list(found) == list(expected), text
        for key in found:
            _compare(found[key], expected[key], text, depth + 1)
    elif "_iterator" not in type(found).__name__:
        assert repr(found) == repr(expected), text
