"""Random programs: every value that is claimed to be known is the one that Python computes.

Python runs in a sandboxed child. Some programs read `unsure(...)`, which only Python knows the
result of: what depends on it has to come out as Unknown, or as what Python has in every run. What
is done with a value that is not known is taken not to fail, so runs in which it did are left out;
and so are classes and functions elsewhere that change what they are given.

A long run: `GRAPHC_EXAMPLES=50000 pytest tests/frontend/test_random_programs.py` (twice as many
programs, half of them unsure); `GRAPHC_SEED=100000` begins elsewhere.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from evaluating import Evaluated, run
from random_programs import program
from sandbox import NAMES, Sandbox, described

from graphc.frontend.values import External, Instance, Unknown

EXAMPLES = int(os.environ.get("GRAPHC_EXAMPLES", "250"))
FIRST = int(os.environ.get("GRAPHC_SEED", "0"))
#: What `unsure(0)` to `unsure(2)` are in each of several runs.
CHOICES = (("7", "[1, 2]", "True"), ("0", "[]", "False"), ("3", "[[0]]", "'ab'"),
           ("2", "(1,)", "'x'"))  # fmt: skip
PLAIN = (int, float, str, bool, bytes, complex, range, type(None))


def test_known_values_are_the_ones_that_python_computes(
    tmp_path: Path, unknowns: list[None]
) -> None:
    outcomes: Counter[str] = Counter()
    with Sandbox() as python:
        for seed in range(FIRST, FIRST + EXAMPLES):
            outcomes[check_known(seed, python, tmp_path, unknowns)] += 1
    assert outcomes["compared"] > EXAMPLES // 3, outcomes


def check_known(seed: int, python: Sandbox, folder: Path, unknowns: list[None]) -> str:
    """What became of the program; fails if a value is claimed that Python does not compute."""
    text = program(seed)
    expected = python.run(text)
    if "no" in expected:
        return "no program"
    done, unknown = _evaluated(text, folder, unknowns)
    codes = {found.code for found in done.found}
    try:
        assert codes <= {"GC003", "GC004", "GC006", "GC010"}, codes
        if "names" in expected and not (unknown and expected["caught"]):
            assert not codes & {"GC004", "GC010"}, [found.message for found in done.found]
            if not codes:
                compare_all(done, expected)
    except AssertionError as exc:
        if not python.varies(text):
            raise AssertionError(f"seed {seed}\n{text}") from exc
    return "failed" if "failed" in expected else "refused" if codes else "compared"


def test_what_depends_on_something_not_known_is_never_claimed(
    tmp_path: Path, unknowns: list[None]
) -> None:
    with Sandbox() as python:
        seeds = range(FIRST, FIRST + EXAMPLES)
        compared = sum(check_unsure(seed, python, tmp_path, unknowns) for seed in seeds)
    assert compared > EXAMPLES, compared


def check_unsure(seed: int, python: Sandbox, folder: Path, unknowns: list[None]) -> int:
    """How many values were compared; fails if one is claimed that differs from run to run."""
    text = program(seed, unsure=True)
    done, _ = _evaluated("from elsewhere import unsure\n" + text, folder, unknowns)
    compared = 0
    for choice in CHOICES if not done.found else ():
        expected = python.run(text, choice)
        if "no" in expected or "failed" in expected or expected["caught"]:
            continue
        try:
            compare_all(done, expected)
            compared += len(NAMES)
        except AssertionError as exc:
            if not python.varies(text, choice):
                raise AssertionError(f"seed {seed}, {choice}\n{text}") from exc
    return compared


def test_programs_that_depend_on_the_order_of_sets_are_left_out() -> None:
    with Sandbox() as python:
        assert python.varies("a = list({'a', 'b', 'c'})")
        assert not python.varies("a = sorted({'a', 'b', 'c'})")


@pytest.fixture
def unknowns(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows with every value that is not known."""
    made: list[None] = []
    original = Unknown.__init__

    def init(self: Unknown, *args: Any, **kwargs: Any) -> None:
        made.append(None)
        original(self, *args, **kwargs)

    monkeypatch.setattr(Unknown, "__init__", init)
    return made


def _evaluated(text: str, folder: Path, unknowns: list[None]) -> tuple[Evaluated, bool]:
    """What the evaluator knows, and whether it met something that it does not."""
    unknowns.clear()
    with tempfile.TemporaryDirectory(dir=folder) as inner:
        done = run(Path(inner), text)
    return done, bool(unknowns)


def compare_all(done: Evaluated, expected: dict[str, Any]) -> None:
    """What the program's names are, and which calls of the graph it makes."""
    for name in NAMES:
        compare(done.names.get(name), expected["names"][name], name)
    calls = [args for _, args, _ in done.host.calls]
    compare(calls, ["list", expected["calls"]], "calls")


def compare(found: Any, expected: Any, text: str) -> None:
    """`found` is what Python has, as far as it is known."""
    kind = expected[0]
    if kind == type(found).__name__ and is_blurred(found):
        return
    if isinstance(found, Unknown | External) or kind == "deep":
        return
    if type(found) in (list, tuple):
        assert kind == type(found).__name__, (found, expected, text)
        assert len(found) == len(expected[1]), (found, expected, text)
        for one, other in zip(found, expected[1], strict=True):
            compare(one, other, text)
    elif type(found) is dict:
        assert kind == "dict", (found, expected, text)
        keys = [key.equal if isinstance(key, Instance) else key for key in found]
        assert [*map(repr, keys)] == [key for key, _ in expected[1]], (found, text)
        for one, (_, other) in zip(found.values(), expected[1], strict=True):
            compare(one, other, text)
    elif type(found) in (*PLAIN, set, frozenset) and not has_unknown(found):
        assert described(found) == expected, (found, expected, text)


def is_blurred(found: Any) -> bool:
    """Is it a list or dict that the evaluator found changed it does not know how?"""
    if type(found) is dict:
        return list(found) == [""] and isinstance(found[""], Unknown)
    return type(found) is list and len(found) == 1 and isinstance(found[0], Unknown)


def has_unknown(found: Any) -> bool:
    return type(found) in (set, frozenset) and any(isinstance(item, Unknown) for item in found)


def test_the_comparison_finds_what_is_wrong() -> None:
    for found, value in ((1, True), ([1], (1,)), ({"a": 1}, {"a": 2}), ("x", "y"), ([1], [1, 2])):
        with pytest.raises(AssertionError):
            compare(found, described(value), "")
    compare([Unknown("why", None), 2], described([1, 2]), "")
