"""Programs on whose values the evaluator and Python agree, each for one rule of Python's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from evaluating import run

GROUPS = {
    "what is behind a loop that is not followed": """
        def f():
            for x in os.listdir("."): log.append(x)
            else: return 1
            return 2
        def g():
            for _ in os.listdir("."): pass
            else: yield 5
            yield 6
        a = f(), list(g())
        """,
    "groups that are gone": """
        gs = list(groupby([1, 1, 2]))
        a = [list(g) for _, g in gs], [(k, len(list(g))) for k, g in groupby("aab")]
        """,
    "groups as they are asked for": """
        it = groupby([1, 1, 2], lambda x: log.append(x) or x)
        next(it)
        a = log
        """,
    "classes of dicts": """
        d, o = defaultdict(list, k=[1]), OrderedDict(a=1, b=2)
        for one in (d.copy(), copy.copy(d), copy.deepcopy(d), d | {}, {} | d):
            one["y"].append(2)
            log.append(dict(one))
        o.popitem(last=False)
        a = (log, d.get("x"), list(o), json.dumps(d),
             o == OrderedDict(b=2), OrderedDict(a=1, b=2) == OrderedDict(b=2, a=1))
        """,
    "a factory that is none": """
        try:
            defaultdict(None)["x"]
        except KeyError:
            a = "none"
        """,
    "answers that are remembered": """
        @cache
        def f(x, *, y=1):
            log.append((x, y))
            return [x]
        @lru_cache(maxsize=None)
        def fib(n):
            return n if n < 2 else fib(n - 1) + fib(n - 2)
        p, q, r = f(1), f(1), f(1, y=1)
        a = p is q, p is r, log, fib(60)
        """,
    "a property that is remembered": """
        class A:
            @cached_property
            def x(self):
                log.append(1)
                return []
        p, q = A(), A()
        p.x.append(2)
        q.x = 3
        a = p.x, q.x, log
        """,
    "lists that are kept in order": """
        a = [3, 1]
        heapq.heapify(a)
        heapq.heappush(a, 0)
        bisect.insort(a, 2)
        """,
    "sorting asks once": """
        class V:
            def __init__(self, x): self.x = x
            def __lt__(self, other):
                log.append(self.x)
                return self.x < other.x
        a = [v.x for v in sorted([V(2), V(1), V(3)])], log
        """,
    "the greatest asks each once": """
        class V:
            def __init__(self, x): self.x = x
            def __gt__(self, other):
                log.append((self.x, other.x))
                return self.x > other.x
        a = max([V(2), V(3), V(1)], key=lambda v: log.append(v.x) or v).x, log
        """,
    "named tuples": """
        P = namedtuple("P", "x y", defaults=[3])
        p = P(1)
        x, *rest = p
        a = x, rest, p[::-1], p[-1], p.index(3), p.count(1), p._fields, p < P(2)
        """,
    "fields named twice": """
        try:
            namedtuple("P", "x x")
        except ValueError as exc:
            a = str(exc)
        """,
    "a frozen object": """
        @dataclass(frozen=True)
        class D:
            x: int
        try:
            D(1).x = 2
        except AttributeError:
            a = "frozen"
        try:
            re.compile("(")
        except re.error:
            a += " bad"
        """,
    "members that are texts": """
        class M(str, Enum):
            GOOD = "good"
            BAD = "bad"
        a = " ".join(M), str.upper(M.GOOD), "-".join(["x", M.BAD]), "x" + M.GOOD
        """,
    "keys that are members": """
        class M(str, Enum):
            GOOD = "good"
            BAD = "bad"
        w = {M.GOOD: 1, M.BAD: 2}
        w[M.GOOD] = 5
        w["good"] = 6
        a = ([(k.name, k.value, v) for k, v in w.items()], w["bad"], w.get(M.BAD), len(w),
             "good" in w, {m: m.value for m in M}["good"], list(dict.fromkeys(M))[0].name)
        """,
    "what cannot be gone through": """
        try:
            it = map(log.append, 3)
            it.nothing
        except Exception as exc:
            a = type(exc).__name__
        """,
    "keys that are none": """
        try:
            {}[1:]
        except (TypeError, KeyError):  # Python 3.12 has slices that may be keys
            a = 1
        """,
    "options of regular expressions": """
        a = re.sub("a", "b", "aaa", count=1), re.split("[ ,]", "a,b c", maxsplit=1)
        """,
}
HEAD = """\
import bisect, copy, heapq, json, os, re
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from enum import Enum
from functools import cache, cached_property, lru_cache
from itertools import groupby
log = []
"""


@pytest.mark.parametrize("name", GROUPS)
def test_both_say_the_same(name: str, tmp_path: Path) -> None:
    text = HEAD + "\n".join(line[8:] for line in GROUPS[name].splitlines())
    names: dict[str, Any] = {}
    exec(text, names)
    done = run(tmp_path, text)
    assert done.found == []
    assert repr(done.names["a"]) == repr(names["a"])


@pytest.mark.parametrize(
    "text",
    [
        "a = f'{defaultdict(int)}'", "a = '%s' % OrderedDict()", "a = repr([defaultdict(int)])",
        "a = type(OrderedDict()) is dict", "a = '%s' % {'x', 'y'}",
        "import random\na = [1, 2, 3]\nrandom.shuffle(a)\na = a[0]",
        "a = [2]\nbisect.insort(a, 1, key=abs)\na = a[0]",
        "class M(str, Enum):\n    A = 'a'\na = '%s' % M.A",
        "d = defaultdict(list)\nd[os.urandom(1)].append(1)\na = len(d)",
        "class A:\n    v = [1]\np = A()\nif os.urandom(1): p.v = [2]\np.v.append(3)\na = A.v[-1]",
        # Perhaps it is called.
        "a = 1\ndef f():\n    global a\n    a = 2\ng = f if os.urandom(1) else print\ng()",
        "d = {1: 2}\nfor x in enumerate(iter(d)):\n    d |= {2: 3}\n    log.append(x)\na = log[-1]",
        # Perhaps the loop is left.
        "def f():\n    for x in os.listdir():\n        if x: break\n    else: return 1\na = f()",
        # Perhaps it has been called with the same before.
        "@cache\ndef f(x):\n    log.append(x)\nf(1)\nf(os.urandom(1)[0])\na = log[-1]",
        "@cache\ndef f(x):\n    log.append(x)\nf(os.urandom(1)[0])\nf(1)\na = log[-1]",
        "@cache\ndef f(x):\n    log.append(x)\nf(1)\nf(1.0)\na = log[-1]",
    ],
)  # fmt: skip
def test_what_differs_from_run_to_run_or_is_not_evaluated(text: str, tmp_path: Path) -> None:
    done = run(tmp_path, HEAD + text + "\n")
    assert done.found == []
    assert type(done.names["a"]).__name__ in ("Unknown", "OpenText"), done.names["a"]


@pytest.mark.parametrize(
    "text",
    [
        "def one(g): g.to('a')\ndef two(g): g.to('b')\n(one if os.urandom(1) else two)(g)",
        "def one(): g.to('a')\ndef two(): g.to('b')\n{'x': one, 'y': two}[os.environ['W']]()",
        "def one(): g.to('a')\nfor f in [one, one][:len(os.listdir())]: f()",
        "(g.to if os.urandom(1) else print)('x')",
        "(g if os.urandom(1) else None).to('x')",
        "{'a': [g, 1]}[os.environ['Q']][0].to('y')",
        "class A:\n    def b(self): g.to('x')\n(A() if os.urandom(1) else 1).b()",
        "class A:\n    def b(self): g.to('x')\n(A if os.urandom(1) else int)().b()",
    ],
)
def test_graph_calls_of_functions_that_perhaps_run(text: str, tmp_path: Path) -> None:
    done = run(tmp_path, f"import flow\n{HEAD}g = flow.new()\n{text}\n")
    assert {found.code for found in done.found} == {"GC006"}
    assert done.skipped == ()
