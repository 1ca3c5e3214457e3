"""`graphc diff` where the session in `cases/diff.txt` does not go: renames, hostile names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc.diff.compare import compare
from graphc.diff.markdown import as_markdown
from graphc.diff.read import Unreadable, parse, read
from graphc.diff.text import as_text, as_values

GOLDEN = Path(__file__).parent / "golden"


def graph(**steps: dict[str, Any]) -> dict[str, Any]:
    return {"shop": {"topology": "flow", "engine": "async", "steps": steps}}


def step(cls: str, *after: str, line: int = 1, **more: Any) -> dict[str, Any]:
    return {"class": cls, "after": list(after), "line": line, **more}


def lines(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return as_text(compare(old, new)).splitlines()


def test_lines_are_no_difference() -> None:
    old = graph(line=step("A"), b=step("B", "line", args={"line": 1}))
    assert compare(old, graph(line=step("A", line=9), b=step("B", "line", args={"line": 1}))) == []
    assert lines(old, graph(line=step("A"), b=step("B", "line", args={"line": 2}))) == [
        "shop",
        "  ~ step b, argument line: 1 -> 2",
    ]


def test_a_step_is_renamed_only_if_that_is_certain() -> None:
    old = graph(a=step("A"), b=step("B", "a"))
    assert lines(old, graph(x=step("A"), b=step("B", "x"))) == ["shop", "  > step a is now x"]
    # Another argument, another neighbour, or two that it could be: then one went and one came.
    assert "  - step a: A()" in lines(old, graph(x=step("A", args={"n": 1}), b=step("B", "x")))
    assert "  - step a: A()" in lines(old, graph(x=step("A"), b=step("B")))
    twins = graph(a=step("A"), b=step("A"))
    assert "  - step a: A()" in lines(twins, graph(x=step("A"), y=step("A")))


def test_functions_and_routes() -> None:
    def router(**routes: dict[str, Any]) -> dict[str, Any]:
        return {"topology": "router", "class": "R", "routes": routes}

    m1, m2 = {"class": "M", "line": 3}, {"class": "M", "args": {"n": 1}, "line": 4}
    assert lines({"a": router(m1=m1)}, {"b": router(m1=m1)}) == ["b", "  > function a is now b"]
    inner = {**router(m=m1), "line": 2}
    assert lines(
        {"a": router(m1=m1, r=inner)}, {"a": router(m1=m2, r={**inner, "routes": {}})}
    ) == [
        "a",
        "  + route m1, argument n: 1",
        "  - route r / m: M()",
    ]


def test_the_order_of_branches_is_said() -> None:
    old = graph(a=step("A"), b=step("B", "a"), c=step("C", "a"))
    new = graph(a=step("A"), c=step("C", "a"), b=step("B", "a"))
    assert lines(old, new) == ["shop", '  ~ branches a, order: ["b", "c"] -> ["c", "b"]']


def test_values_are_compared_as_json() -> None:
    old = graph(a=step("A", args={"n": 1}))
    assert compare(old, graph(a=step("A", args={"n": 1.0}))) != []
    assert compare(old, graph(a=step("A", args={"n": True}))) != []


_names = st.text(max_size=12) | st.sampled_from(
    ["|", "`", "``|`", "\n", "-->", "end", "<b>", "\x1b[2J", "a\r\nb", "::error::", '"]', "@all"]
)
_graphs = st.dictionaries(
    _names,
    st.fixed_dictionaries(
        {
            "topology": st.just("flow"),
            "steps": st.dictionaries(
                _names,
                st.fixed_dictionaries(
                    {"after": st.lists(_names, max_size=2), "line": st.integers(1, 9)},
                    optional={"class": _names, "args": st.dictionaries(_names, _names, max_size=2)},
                ),
                max_size=3,
            ),
        }
    ),
    max_size=2,
)


@given(_graphs, _graphs)
def test_names_may_be_anything(old: dict[str, Any], new: dict[str, Any]) -> None:
    changes = compare(old, new)
    assert compare(old, old) == []
    assert (changes == []) == (compare(new, old) == [])
    json.dumps(as_values(changes))
    for line in as_text(changes).splitlines():
        assert line.isprintable()
    in_picture = False
    for line in as_markdown(changes, old, new).splitlines():
        assert line.isprintable()
        if line.startswith("|"):
            # Outside of code there is nothing but our own words, and every row has four cells.
            assert len(re.findall(r"(?<!\\)\|", line)) == 5
            bare = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", line)
            assert re.fullmatch(r"[a-z,|\- ]*", bare)
        in_picture ^= line.startswith("```")
        if in_picture and "[" in line:
            label = re.search(r"[\[({]+(.*?)[\])}]+$", line)
            assert label
            assert re.fullmatch(r'"[^"`<]*"|[\w. -]+', label[1])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"functions": 1}',
        b'{"functions": {"a": {"steps": {"b": {"after": 1}}}}}',
        b'{"functions": {"a": {"routes": {"b": {"routes": []}}}}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_graph_is_refused(text: bytes) -> None:
    with pytest.raises(Unreadable):
        parse(text, "graph.json")


def test_every_golden_graph_is_read() -> None:
    folders = list(GOLDEN.glob("*/dist"))
    assert len(folders) > 20
    for folder in folders:
        found = read(folder)
        assert compare(found, found) == []
        assert compare({}, found) != []
