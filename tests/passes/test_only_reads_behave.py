"""Random functions that are said to only read: run, they change nothing and keep nothing.

`GRAPHC_EXAMPLES=20000 pytest tests/passes/test_only_reads_behave.py` looks longer,
`GRAPHC_RANDOM=1` elsewhere each time.
"""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import libcst as cst
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from graphc.only_reads import only_reads

#: `LAST` is a global name under which an earlier step left the body.
NAMES = ("body", "body", "body", "body", "x", "y", "z", "LAST")
#: Parts of bodies, so that most functions do something before they fail.
LEAF = {"a": 1, "b": [2, 1], "c": "one two"}
BODIES = (
    {"a": LEAF, "b": [LEAF, LEAF], "c": {"a": [LEAF], "b": [[1], [2]], "c": "text"}},
    {"a": [[LEAF], [[3, [4]]]], "b": {"a": LEAF, "b": LEAF, "c": [LEAF]}, "c": [LEAF, LEAF]},
    [[LEAF, [LEAF]], [[1], [[2]]], [LEAF, LEAF]],
)
CALLED = tuple(
    """len len str list dict tuple sum max sorted reversed zip enumerate len str sum min max
    sorted list dict tuple set reversed enumerate zip any all repr abs iter next filter map
    range isinstance int float bool round frozenset""".split()
)
METHODS = tuple(
    """get items keys values copy count split join strip get items keys values copy count index
    split join strip lower replace format pop append extend insert remove sort reverse clear
    update setdefault popitem __getitem__ __iter__ startswith""".split()
)
KEYS = ('"a"', '"b"', '"c"', "0", "1", "-1", '"n"')
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "|", "&")
COMPARED = ("==", "<", "in", "is", "is not", "not in")


@st.composite
def expressions(draw: Any, depth: int = 2) -> str:
    """An expression of the names; most are of kinds that only read."""

    def inner() -> str:
        return draw(expressions(depth - 1))  # type: ignore[no-any-return]

    def some(least: int = 0) -> str:
        return ", ".join(inner() for _ in range(draw(st.integers(least, 2))))

    kind = draw(st.integers(0, 24)) if depth else draw(st.integers(0, 5))
    name = draw(st.sampled_from(NAMES))
    key = draw(st.sampled_from(("", *KEYS)))
    match kind:
        case 0 | 1:
            return name
        case 2:
            return draw(st.sampled_from(("1", '"a"', "[]", "{}", "None", "0.5", '"one"')))
        case 3 | 4:
            return f"{name}[{draw(st.sampled_from(KEYS))}]"
        case 5:
            return f"{name}.{draw(st.sampled_from(('get', 'get', 'copy', 'values', 'pop')))}({key})"
        case 6 | 7:
            return f"{draw(st.sampled_from(CALLED))}({some(1)})"
        case 8:
            return f"{inner()}[{draw(st.sampled_from((*KEYS, ':', '1:', '::-1')))}]"
        case 9:
            return f"({inner()}).{draw(st.sampled_from(METHODS))}({some()})"
        case 10:
            return f"({inner()} {draw(st.sampled_from(OPERATORS))} {inner()})"
        case 11:
            return f"({inner()} {draw(st.sampled_from(COMPARED))} {inner()})"
        case 12:
            return f"({inner()} {draw(st.sampled_from(('and', 'or')))} {inner()})"
        case 13:
            return f"({inner()} if {inner()} else {inner()})"
        case 14:
            return f"[{some()}]"
        case 15:
            return f"({inner()}, {some()})"
        case 16:
            return f"{{{draw(st.sampled_from(KEYS))}: {inner()}}}"
        case 17 | 24:
            item = draw(st.sampled_from(("x", "x", inner())))
            items = f"{item} for {draw(st.sampled_from(('x', 'x', 'x, y')))} in {inner()}"
            called = draw(st.sampled_from(("", "", "", "sum", "list", "any", "max", "sorted")))
            return f"[{items}]" if not called else f"{called}({items})"
        case 18:
            target, keys = draw(st.sampled_from((("x", "y"), ("y", "x")))), inner()
            return f"{{{target[0]}: {inner()} for {', '.join(target)} in {keys}}}"
        case 19:
            return f'f"{{{name}}} {{len({name})!r}}"'
        case 20:
            return f"({draw(st.sampled_from(('not ', '-')))}{inner()})"
        case 21:
            return f"[*{inner()}]"
        case 22:
            return f"{{**{inner()}}}"
        case _:
            mapped = draw(st.sampled_from(("len", "str", "str.lower", "list", "dict.copy", "iter")))
            return (
                f"{draw(st.sampled_from(('list', 'max', 'sorted', '')))}(map({mapped}, {inner()}))"
            )


@st.composite
def statements(draw: Any, depth: int = 2) -> str:
    """Lines of a function, without their indent."""
    lines = []
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from(("x", "y", "z")))
        value = draw(expressions(draw(st.integers(0, 2))))
        kind = draw(st.integers(0, 11 if depth else 8))
        if kind <= 4:
            target = draw(st.sampled_from((name, name, name, "x, y", "[y, z]")))
            lines.append(f"{target} = {value}")
        elif kind <= 6:
            lines.append(value)
        elif kind == 7:
            lines.append(f"return {value}")
        elif kind == 8:
            change = draw(
                st.sampled_from(
                    (f"{name}.append({value})", f"{name}['a'] = {value}", f"{name} += {value}",
                     f"self.kept = {value}", f"del {name}['a']", f"self.kept.append({value})",
                     f"for {name}['a'] in {value}: pass", f"{name}: list = {value}")
                )
            )  # fmt: skip
            lines.append(change)
        else:
            head = draw(st.sampled_from((f"if {value}:", f"for {name} in {value}:", "else")))
            block = draw(statements(depth - 1)).splitlines()
            if head == "else":
                lines += [f"if {value}:", *(f"    {line}" for line in block), "else:"]
                block = draw(statements(depth - 1)).splitlines()
            else:
                lines.append(head)
            lines += [f"    {line}" for line in block]
    return "\n".join(lines)


@st.composite
def functions(draw: Any) -> str:
    lines = [
        "x, y, z = [], 0, {}",
        *draw(statements()).splitlines(),
        f"return {draw(expressions(draw(st.integers(0, 2))))}",
    ]
    return "def do(self, body):\n" + "\n".join(f"    {line}" for line in lines) + "\n"


EXAMPLES = int(os.environ.get("GRAPHC_EXAMPLES", "1500"))


@settings(
    max_examples=EXAMPLES,
    derandomize=not os.environ.get("GRAPHC_RANDOM"),
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
@given(functions(), st.sampled_from(BODIES))
def test_what_only_reads_changes_and_keeps_nothing(code: str, body: Any) -> None:
    node = cst.ensure_type(cst.parse_module(code).body[0], cst.FunctionDef)
    reads = only_reads(node, "body") is not None
    event(f"only reads: {reads}")
    if not reads:
        return
    made, _ = called(code, copy.deepcopy(body))
    mine = copy.deepcopy(body)
    later, holder = called(code, mine)
    assert mine == body
    scramble(mine)
    assert everything(later) == everything(made)
    assert holder.kept == []


def called(code: str, body: Any) -> tuple[Any, Any]:
    """What the function gives, None if it fails, and the object whose method it is."""
    scope: dict[str, Any] = {"LAST": body}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        exec(compile(code, "random", "exec"), scope)
    holder = SimpleNamespace(kept=[])
    try:
        return scope["do"](holder, body), holder
    except Exception:
        return None, holder


def scramble(value: Any) -> None:
    """Change all that can be changed."""
    for item in list(value.values() if isinstance(value, dict) else value):
        if isinstance(item, (dict, list)):
            scramble(item)
    value.clear()
    if isinstance(value, list):
        value.append("scrambled")
    else:
        value["scrambled"] = True


def everything(value: Any, depth: int = 0) -> Any:
    """A value with what is in it, iterators asked for all that they have."""
    if isinstance(value, dict):
        return [(key, everything(item, depth + 1)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [everything(item, depth + 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(map(repr, value))
    if isinstance(value, Iterator) or type(value).__name__.startswith("dict_"):
        found = []
        try:
            for item in value:
                found.append(everything(item, depth + 1))
        except Exception as exc:
            found.append(type(exc).__name__)
        return found
    return repr(value) if not callable(value) else "callable"
