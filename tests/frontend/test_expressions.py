"""Expressions and statements have the values that Python gives them."""

from __future__ import annotations

import contextlib
import textwrap
from pathlib import Path
from typing import Any

import pytest
from evaluating import run

from graphc.frontend.values import (
    Coroutine,
    EnvValue,
    External,
    Instance,
    OpenText,
    Unknown,
    UserClass,
    UserFunction,
)

EXPRESSIONS = r"""
None
...
-1.5e3
0x_ff + 0b11 + 0o17
1_000j * 2
"a" 'b' "\x41\u00e9\N{EM DASH}" r"\d"
b"a" b"\xff"
f"{1 + 1}|{'x'!r:>5}|{3.14159:.{2}f}|{{}}|{10:#x}|{True}"
f"{1 + 1 = }|{'s'=}|{2=!s}|{5=:03d}"
f"a\t{'b'}\u00e9" rf"\d{1}"
(1, *[2, 3], *range(2))
[1, *"ab", *{"k": 1}]
{**{"a": 1}, "b": 2, **{"a": 3}}
{1, 2} | {3}
7 // 2 * 3 % 5 ** 2 - (1 << 4 | 3 & 6 ^ 1) >> 1
-7 // 2, -7 % 3, 2 ** -1, 7 / 2, ~5, not 0, +True
1 < 2 < 3 != 4 >= 4 <= 5 > 0
1 < 2 > 3 == 1
"a" in "abc", 2 not in [1, 2], None is None, [] is not None, "k" in {"k": 0}
0 or "" or [] or "last"
1 and [] and undefined
"yes" if [0] else undefined
[1, 2, 3][-1], [1, 2, 3][::-1], "abc"[1:], (1, 2)[0:1], {"a": [5]}["a"][0]
[n * m for n in range(4) if n % 2 for m in (n, -n) if m > 0]
{k: v for k, v in zip("abc", range(3)) if v}
sorted({x % 3 for x in range(10)})
list(x for x in range(3))
(lambda a, b=2, *c, d, **e: [a, b, c, d, e])(1, d=4, f=5)
[y := 5, y ** 2]
"a,b".split(","), "-".join(["x", "y"]), " q ".strip().upper(), "abc".replace("b", "B")
"{} {0!r}".format if False else "{1}-{0:>3}-{k}".format("a", 2, k=[3])
"%s is %05.2f and %r%%" % ("x", 3.14159, [1])
"%(a)s" % {"a": 1}
"{a[0]}".format_map({"a": [7]})
"ß".casefold(), "x".zfill(3), "x".center(5, "*"), "a\tb".expandtabs(4)
"a-b-c".partition("-"), "abc".startswith(("x", "a")), "A_b".title(), "aXb".swapcase()
{"a": 1}.get("b", 2), list({"a": 1}.items()), {"a": 1} | {"b": 2}
dict(a=1, **{"b": 2}), dict([("x", 1)], y=2), dict.fromkeys("ab", 0)
len("abc"), max(1, 5, 3), min([4, 2], key=lambda v: -v), sum([1, 2.5]), abs(-3), round(2.567, 1)
max([], default=7), sum([[1], [2]], []), divmod(7, 2), pow(2, 5), pow(3, 4, 5)
any([0, "", 3]), all([1, 0]), all([]), any(x > 1 for x in (0, 2))
list(map(lambda a, b: a + b, [1, 2], (10, 20))), list(filter(None, [0, 1]))
list(filter(str.isupper, "aB"))
list(enumerate("ab", start=1)), list(zip([1, 2], "ab", strict=True)), list(reversed([1, 2]))
sorted(["b", "A"], key=str.lower), sorted([3, 1, 2], reverse=True), sorted({"b": 1, "a": 2})
str(1.0), repr("x"), int("0x1f", 16), float("1e3"), bool([]), tuple("ab"), frozenset([1]) == {1}
int("12"), chr(97), ord("a"), hex(255), bin(5), oct(8), format(3, "03d"), ascii("é")
isinstance(1, int), isinstance("a", (int, str)), isinstance(True, int), isinstance([], dict)
type(1) == int, type("a") is str, callable(len), hasattr("a", "upper"), getattr("a", "nope", 3)
next(iter([4, 5])), next(iter([]), "none"), list(iter("ab"))
(3).bit_length(), (1.5).is_integer(), (2).real, "é".encode("utf-8"), b"ab".decode(), b"ab".hex()
"a" * 3, [0] * 2, 2 * (1,), "a" + "b", [1] + [2], (1,) + (2,)
[1, 2] == [1, 2.0], (1, 2) < (1, 3), {1: 2} == {1: 2}, "a" != "b", [[]] == [[]]
str.join("-", ["a", "b"]), list.index([1, 2], 2), dict.get({1: 2}, 1)
range(5)[2], len(range(0, 10, 3)), 3 in range(0, 10, 3), list(range(5, 0, -2)), range(3)
[a for a, *b in [(1, 2, 3)]], [b for _, *b in [(1, 2, 3)]]
{"x": {"y": [1, {"z": 2}]}}["x"]["y"][1]["z"]
str({"a": [1, (2,)]}), repr([None, 1.5]), f"{ {'a': 1} }"
[i for i in range(3)][-1] if (n := 10) > 5 else n
"abc".find("z"), "abcabc".rindex("b"), "a b  c".split(None, 1), "a\nb".splitlines()
not [] and not {} and not 0.0
slice(1, 2, 3).step, [0, 1, 2][slice(1, None)]
__name__, __debug__
"""


@pytest.mark.parametrize("expression", EXPRESSIONS.strip().splitlines())
def test_an_expression_has_the_value_that_python_gives_it(expression: str, tmp_path: Path) -> None:
    done = run(tmp_path, f"value = {expression}")
    expected = eval(expression, {"__name__": "__main__"})
    assert done.found == []
    assert repr(done.names["value"]) == repr(expected)


PROGRAMS = {
    "loops": """
        out = []
        for i in range(10):
            if i == 2: continue
            if i == 5: break
            out.append(i)
        else:
            out.append("else")
        while len(out) < 8:
            out += [len(out)]
        else:
            out.append("done")
        for x in []: pass
        else: last = "empty"
        """,
    "growing": "a = [1]\nfor x in a:\n    if x < 5: a.append(x + 1)",
    "changed while gone through": """
        a = [2, 3]
        for b, c in zip(a, a):
            a[-1:] = [9, 9]
            if len(a) > 6: break
        d = {"k": 1, "n": 2}
        for e, f in d.items(): d["n"] = 7
        for i, g in enumerate(a): a[i] = g + 1
        h = iter(a)
        for j in h: break
        k = list(h); del h
        m = zip(a, "wxyz"); a.append(4); n = list(m); del m
        o = set(); o.add("text"); o.discard("x"); o.update("t", {8}, [9]); o = sorted(map(str, o))
        """,
    "unpacking": """
        a, (b, *c), d = 1, (2, 3, 4), 5
        [e, f] = "xy"
        g = h = [0]
        h.append(1)
        for i, (j, k) in enumerate([(1, 2), (3, 4)]): pass
        *l, = "ab"
        """,
    "aliases": """
        a = [1]; b = a; b += [2]; c = {"k": a}; c["k"].append(3)
        a[0:1] = [9, 8]; del a[-1]; c["n"] = c.pop("k"); d = a[:]; d.clear()
        t = (1,); u = t; u += (2,)
        """,
    "scopes": """
        n = 1
        def outer(m):
            n = 10
            def inner():
                nonlocal n
                global g
                n += m
                g = n
                return [n * i for i in range(2)]
            return inner
        f = outer(5)
        r = f() + f()
        k = n
        del f, outer
        """,
    "arguments": """
        def f(a, b=2, /, c=3, *d, e, g=6, **h):
            return a, b, c, d, e, g, h
        r = [f(1, e=5), f(1, 2, 3, 4, 5, e=0, z=1), f(*[1, 2], **{"e": 1, "c": 9})]
        def default(x, seen=[]):
            seen.append(x)
            return seen
        default(1)
        s = list(default(2))
        del f, default
        """,
    "recursion": "def fact(n): return 1 if n < 2 else n * fact(n - 1)\nr = fact(20)\ndel fact",
    "closures": """
        r = [f(10) for f in [lambda x, i=i: x + i for i in range(3)]]
        q = [f() for f in [lambda: i for i in range(3)]]
        """,
    "exceptions": """
        log = []
        def f(n):
            try:
                log.append(n)
                if n == 0: return "returned"
                if n == 1: raise ValueError("one")
                if n == 2: {}["k"]
                if n == 3: 1 / 0
            except (KeyError, ValueError) as exc:
                log.append(type(exc) == KeyError)
                return "caught"
            except ArithmeticError:
                try:
                    raise
                except ZeroDivisionError as exc:
                    return str(exc)
            else:
                log.append("else")
            finally:
                log.append("finally")
        r = [f(n) for n in range(5)]
        class Mine(RuntimeError): pass
        class Own(Mine): pass
        try: raise Own("x")
        except Mine: r.append("mine")
        try: undefined
        except NameError: r.append("name")
        try: int("x")
        except Exception as exc: r.append(str(exc))
        try: assert 1 == 2, "no"
        except AssertionError as exc: r.append(str(exc))
        del f, Mine, Own
        """,
    "classes": """
        class A:
            x = 1
            y = [x, x + 1]
            none = None
            def method(self): return undefined
            def told(self): return [self.none, self.x]
        class B(A):
            z = A.x + 1
            def told(self): return [*super().told(), super().none]
        r = [A.x, B.x, B.y, B.z, B.__name__, A().none, B().none, A().told(), B().told()]
        del A, B
        """,
    "match": """
        def f(v):
            match v:
                case 1 | 2: return "few"
                case "a": return "letter"
                case None: return "none"
                case [x, y] if x == y: return ("pair", x)
                case [x, _]: return x
                case other: return other
        def g(v):
            match v:
                case {"kind": "a", "by": int(by), **rest}: return by, rest
                case {"kind": str() as kind, "by": [first, _]}: return kind, first
                case {}: return "a dict"
                case bool(x): return "bool", x
                case float() | int(): return "number"
            return "nothing"
        r = [f(v) for v in (1, 2, "a", None, [3, 3], (4, 5), "zz")]
        r += [g(v) for v in ({"kind": "a", "by": 2, "more": 3}, {"kind": "b", "by": [1, 2]},
                             {"kind": 1}, True, 2.5, "text", {"kind": "a", "by": "c"})]
        del f, g
        """,
    "enumerations": """
        import enum
        from enum import Enum, auto
        class Kind(Enum):
            A = "a"
            B = ("b", 2)
            ALSO = "a"
            _private = 3
            @property
            def short(self): return self.name[:1]
            @classmethod
            def first(cls): return list(cls)[0].value
        class Number(enum.IntEnum):
            ONE = auto(); TWO = auto(); TEN = 10; NEXT = auto()
        class Word(str, Enum):
            X = "x"
            def twice(self): return self.value * 2
        r = [Kind.A.value, Kind.A.name, Kind["B"].value, Kind("a").name, Kind.ALSO.name,
             Kind.A.short, Kind.first(), [kind.name for kind in Kind], Kind.A == Kind.B,
             Kind.A is Kind.ALSO, Kind.A != Kind.B, [number.value for number in Number],
             Number(10).name, Word.X.twice(), {word.name: word.value for word in Word},
             isinstance(Kind.A, Kind)]
        try: Kind("nowhere")
        except ValueError as exc: r.append(str(exc))
        try: Kind["NOWHERE"]
        except KeyError: r.append("no name")
        del enum, Enum, auto, Kind, Number, Word
        """,
    "named tuples": """
        from typing import NamedTuple
        class Step(NamedTuple):
            name: str
            by: int = 1
            def text(self): return f"{self.name}-{self.by}"
        one = Step("a"); name, by = Step("b", by=2)
        r = [one.name, one.by, one[1], list(one), [*Step("c", 3)], one.text(), name, by,
             [n for n, _ in [Step("x"), Step("y")]]]
        del NamedTuple, Step, one
        """,
    "methods": """
        l = [3, 1, 2]; l.sort(); l.insert(0, 9); l.reverse(); i = l.index(9); l.remove(1)
        l.extend(x for x in "ab"); p = l.pop(); c = l.copy(); n = l.count("a")
        d = {}; d.setdefault("a", []).append(1); d.update({"b": 2}, c=3); q = d.pop("b")
        ks = list(d.keys()); s = {1}; s.add(2); s.discard(1); s.update([5]); words = ["bb", "a"]
        words.sort(key=len, reverse=True); d |= {"z": 0}; s |= {7}
        """,
    "iterators": """
        x = iter([1, 2, 3, 4]); a = list(zip(x, x)); x = iter("abcd"); b = [*zip(x, "x"), *x]
        import itertools
        x = iter([1, 2, 3]); c = list(itertools.islice(x, 1)), next(iter(x)), list(x)
        x = map(len, ["a", "bc", ""]); d = any(x), list(x); x = iter([1, 2, 3]); e = 2 in x, list(x)
        x = iter([1, 2, 3, 4])
        y = z = 0
        try: y, z = x
        except ValueError: f = list(x)
        x = zip([1, 2], "a"); g = list(x), next(x, "end")
        del x, y, z, itertools
        """,
    "generators": "r = sum(x for x in range(5)); g = iter([1, 2]); a = next(g); b = list(g); del g",
    "reduce": """
        import functools, itertools, copy, math, string, json
        from collections import OrderedDict
        a = functools.reduce(lambda x, y: x * y, [1, 2, 3, 4])
        b = list(itertools.product("ab", [1, 2])) + list(itertools.chain([1], "x"))
        c = copy.deepcopy({"k": [1]}); c["k"].append(2)
        d = [math.sqrt(16), math.pi, math.floor(2.7), string.ascii_lowercase[:3]]
        e = json.loads(json.dumps({"a": [1, None, True]}, indent=1)); f = OrderedDict(a=1)["a"]
        g = list(itertools.combinations(range(3), 2)) + list(itertools.islice([1, 2, 3], 2))
        del functools, itertools, copy, math, string, json, OrderedDict
        """,
    "methods for operators": """
        class Bag:
            made = []
            def __init_subclass__(cls, tag="", **rest):
                super().__init_subclass__(**rest)
                Bag.made.append((cls.__name__, tag))
            def __init__(self, *items): self.items, self._top = list(items), 0
            def __len__(self): return len(self.items)
            def __getitem__(self, at): return self.items[at]
            def __setitem__(self, at, item): self.items[at] = item
            def __delitem__(self, at): del self.items[at]
            def __contains__(self, item): return item in self.items
            def __iter__(self): return iter(self.items)
            def __add__(self, other): return type(self)(*self.items, *other)
            def __radd__(self, other): return [other, *self.items]
            def __ior__(self, item): self.items.append(item); return self
            def __rshift__(self, item): self.items.append(item); return self
            def __neg__(self): return self.items[::-1]
            def __eq__(self, other):
                return sorted(self) == sorted(other) if isinstance(other, Bag) else NotImplemented
            def __lt__(self, other): return len(self) < len(other)
            def __bool__(self): return bool(self.items)
            def __repr__(self): return "Bag" + str(self.items)
            def __format__(self, spec): return spec + str(len(self))
            def __getattr__(self, name): return name.upper()
            @property
            def top(self): return self._top
            @top.setter
            def top(self, value): self._top = value * 2
        class Small(Bag, tag="small"): pass
        class Count:
            def __init__(self, to): self.n, self.to = 0, to
            def __iter__(self): return self
            def __next__(self):
                self.n += 1
                if self.n > self.to: raise StopIteration
                return self.n
        x, y = Bag(3, 1, 2), Small(1)
        x[0] = 4; del x[1]; x >> 7 >> 8; x |= 9; x.top = 5; z = Bag()
        a = [len(x), x[0], x[1:], 7 in x, 5 in x, list(x), [i for i in x], sum(x), -x, x.top]
        b = [list(x + y), 1 + y, x == Bag(9, 8, 7, 2, 4), x == 4, x != y, y < x, x > y]
        c = [str(max([y, x], key=len)), [str(i) for i in sorted([x, y, z])], f"{x:>} {x!r} {y}",
             x.late, bool(z)]
        d = [Bag.made, "empty" if not z else "full", next(iter(y)), list(Count(3)), 3 in Count(4)]
        e = [n for n in Count(9) if n % 2], next(Count(2)), [n for n, m in zip(Count(9), "ab")]
        x = y = z = None
        del Bag, Small, Count
        """,
    "dataclasses, named tuples and namespaces": """
        import dataclasses, types
        from collections import defaultdict, namedtuple
        from dataclasses import dataclass, asdict, astuple, field, replace
        from typing import ClassVar, NamedTuple
        @dataclass(order=True)
        class A:
            n: int
            tags: list = field(default_factory=list)
            kinds: ClassVar[int] = 3
        @dataclass
        class B(A):
            inner: A = None
        @dataclass
        class C:
            n: int
            rate: dataclasses.InitVar[int]
            cents: int = field(init=False)
            _: dataclasses.KW_ONLY
            tag: str = "t"
            def __post_init__(self, rate): self.cents = self.n * rate
        class P(NamedTuple):
            x: int
            y: int = 2
        Q = namedtuple("Q", "x, y", defaults=[5])
        one, two = A(1, ["t"]), A(2)
        a = [asdict(one), astuple(two), asdict(A(3, [one])), replace(one, n=7).n]
        b = [one < two, one == A(1, ["t"]), [f.name for f in dataclasses.fields(A)]]
        b += [max(one, two).n]
        c = [P(1)._asdict(), list(P(1)._replace(y=9)), P(1) == P(1, 2), len(P(4)), P(1).y]
        d = [list(Q(1)), Q(y=3, x=1)._asdict(), [x + y for x, y in [Q(1, 2)]], Q(7).y]
        space = types.SimpleNamespace(m=1, n=[2]); space.m += 4
        groups = defaultdict(list)
        for word in ["an", "be", "as"]: groups[word[0]].append(word)
        e = [space.m, space.n, dict(groups), groups["z"], len(groups), groups.get("y")]
        g = [asdict(C(2, 5)), C(rate=1, n=3, tag="u").tag]
        f = []
        for it in [one, P(3), Q(4), ["go", 1, 2, 3], [], P(0), 7, {"k": 1, "l": 2}]:
            match it:
                case A(1, tags=[t]): f.append(t)
                case P(0): f.append("nothing")
                case P(x, y=2): f.append(x)
                case Q(x=4, y=y): f.append(y)
                case ["go", *rest, last]: f.append([rest, last])
                case [*_]: f.append("list")
                case {"k": k, **rest}: f.append(rest)
                case other: f.append(other)
        del dataclasses, types, defaultdict, namedtuple, dataclass, asdict, astuple, field, replace
        del ClassVar, NamedTuple, A, B, C, P, Q, one, two, space, groups, it, x, y, t, rest, last, k
        """,
    "members of enumerations": """
        import enum
        class Kind(enum.Enum):
            TEA = ("tea", 2)
            BUN = ("bun", 3)
            def __init__(self, label, price): self.label, self.price = label, price
            @property
            def nice(self): return self.label.title()
            @classmethod
            def usual(cls): return cls.BUN
        class Level(enum.IntEnum):
            LOW = 1
            HIGH = enum.auto()
        class Name(enum.StrEnum):
            FIRST = enum.auto()
        class Text(str, enum.Enum):
            A = "x"
        table = {Kind.TEA: "hot", Kind.BUN: "cold"}
        a = [Kind.TEA.nice, Kind.usual().price, table[Kind.TEA], Kind.BUN in table, len(Kind)]
        b = [Level.LOW < Level.HIGH, Level.HIGH + 1, max(Level).name, int(Level.LOW), Level(2).name]
        c = [f"{Name.FIRST}-{Kind.TEA}", str(Name.FIRST),
             Text.A.upper(), Text.A == "x", Text.A * 2]
        d = [{"x": 5}[Text.A], [k.name for k in sorted(Level, reverse=True)], Kind.TEA in Kind]
        e = [k.name for k in Kind if k is not Kind.TEA], Text("x") is Text.A, Kind.TEA == Kind.BUN
        del enum, Kind, Level, Name, Text, table
        """,
    "classes that say what happens": """
        from dataclasses import FrozenInstanceError, dataclass
        from typing import NamedTuple
        import enum
        made = {}
        def named(name):
            def wrap(cls):
                made[name] = cls
                cls.label = name.upper()
                return cls
            return wrap
        class Twice:
            def __set_name__(self, owner, name): self.name = name
            def __get__(self, owner, cls=None): return self.name * 2
        @named("a")
        class A:
            x = Twice()
            def __class_getitem__(cls, key): return key * 3
            def go(self): return self.label + self.x
        @dataclass(frozen=True)
        class B:
            x: int
            y: int = 0
            def __post_init__(self): object.__setattr__(self, "y", self.x * 2)
        class P(NamedTuple):
            x: int
            y: int = 2
        class E(enum.IntEnum):
            LOW = 3
        class S(str, enum.Enum):
            A, B = "x", "y"
        a = [made["a"]().go(), A[2], B(3).y, P(1)[0:1], P(1).index(2), -E.LOW]
        try: B(1).x = 2
        except FrozenInstanceError as exc: a.append(str(exc))
        b = ["-".join(S), ",".join([S.A, "z"])]
        del FrozenInstanceError, dataclass, NamedTuple, enum, made, named, Twice, A, B, P, E, S
        """,
    "what is made once": """
        import functools
        made = []
        @functools.lru_cache(maxsize=None)
        def one(x, y=0):
            made.append((x, y))
            return [x]
        @functools.cache
        def two(): return one(5)
        class Lazy:
            @functools.cached_property
            def items(self):
                made.append("items")
                return []
            def __iter__(self): return iter(self.items)
        lazy = Lazy()
        lazy.items.append(1)
        a = [one(1) is one(1), one(1, y=2) is one(1), two() is two(), lazy.items, list(made)]
        b = [isinstance(lazy, kind) for kind in (list, dict, str, (int, Lazy))]
        del functools, one, two, Lazy, lazy
        """,
    "what is suppressed": """
        import contextlib
        from collections import OrderedDict
        a, b = [], OrderedDict(x=1, y=2, z=3)
        with contextlib.suppress(ValueError, KeyError):
            a.append(1)
            int("x")
            a.append(2)
        try:
            with contextlib.suppress(ValueError):
                b["w"]
        except KeyError as exc:
            a.append(f"{exc} {exc!s}")
        b.move_to_end("x")
        b.move_to_end("z", last=False)
        b = [list(b), b.popitem(last=False), len(b)]
        del contextlib, OrderedDict
        """,
    "modules that compute": """
        import ast, base64, bisect, datetime, functools, heapq, itertools, operator, re, statistics
        import textwrap, urllib.parse, uuid, zlib
        word = re.compile(r"(?P<name>[a-z]+)-(\\d+)", re.I)
        a = [re.sub(r"[^a-z]+", "_", "a b-c"), re.split("[,;]", "a,b;c"),
             re.findall(r"\\d", "a1b2")]
        b = [word.match("AB-12").group(2), word.fullmatch("x") is None, word.search("a-1")["name"],
             re.escape("a.b"), word.sub("n", "a-1 b"), re.match("a", "b"), bool(word.match("a-1"))]
        day = datetime.date(2024, 2, 29)
        c = [day.isoformat(), (day + datetime.timedelta(days=1)).strftime("%Y%m%d"),
             f"{day:%d.%m.}",
             datetime.timedelta(hours=36).total_seconds(), datetime.datetime(2024, 1, 2, 3).hour,
             datetime.datetime.strptime("2024-01-02", "%Y-%m-%d").date() < day, str(day)]
        d = [base64.b64encode(b"abc").decode(), zlib.crc32(b"a"), ast.literal_eval("{'a': [1]}"),
             str(uuid.uuid5(uuid.NAMESPACE_DNS, "a")), statistics.mean([1, 2, 3]),
             textwrap.dedent("  a\\n  b"), bisect.bisect([1, 2, 3], 2),
             heapq.nlargest(2, [1, 5, 3])]
        e = [urllib.parse.quote("a b"), urllib.parse.urlparse("http://h:8/x").netloc,
             urllib.parse.urljoin("http://a/b/", "c"), urllib.parse.urlencode({"a": 1})]
        rows = [{"k": "b", "n": 1}, {"k": "a", "n": 2}, {"k": "b", "n": 3}]
        by = operator.itemgetter("k")
        f = [sorted(rows, key=by)[0]["n"], functools.partial(pow, 2)(5), operator.add(1, 2),
             {k: [r["n"] for r in g] for k, g in itertools.groupby(sorted(rows, key=by), by)},
             list(itertools.accumulate([1, 2, 3])),
             list(itertools.accumulate("ab", lambda x, y: y + x)),
             list(itertools.repeat(0, 2)), list(itertools.starmap(pow, [(2, 3), (3, 2)])),
             list(itertools.takewhile(lambda n: n < 3, [1, 2, 3, 1])),
             list(itertools.dropwhile(lambda n: n < 3, [1, 2, 3, 1])),
             list(itertools.filterfalse(None, [0, 1])), operator.attrgetter("real")(4),
             [n for n, _ in zip(itertools.cycle("ab"), range(3))], operator.mul(2, 3),
             functools.reduce(operator.or_, [1, 2, 4]), operator.methodcaller("upper")("a")]
        del ast, base64, bisect, datetime, functools, heapq, itertools, operator, re, statistics
        del textwrap, urllib, uuid, zlib, word, day, rows, by
        """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_leaves_the_values_that_python_leaves(name: str, tmp_path: Path) -> None:
    import textwrap

    text = textwrap.dedent(PROGRAMS[name])
    expected: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, name, "exec", dont_inherit=True), expected)
    done = run(tmp_path, text)
    assert done.found == []
    assert _own(done.names) == _own(expected)
    assert done.skipped == ()


FILES = {
    "conf/app.yaml": "name: f\nsteps: [{name: a, by: 2}, b]\nbase: &base {x: 1}\nmore: *base\n",
    "conf/app.json": '{"k": [1, null, "\u00fc"]}',
    "pyproject.toml": '[tool.graph]\nmodels = ["a", "b"]\n',
    "names.csv": 'id,name\n1,apple\n2,"pear, green"\n',
    "dates.yaml": "at: 2024-01-02\n",
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # unclosed files
def test_files_beside_the_graph_file_are_read(tmp_path: Path) -> None:
    """As Python reads them; but not what is elsewhere, is no text, or was written before."""
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    text = """
    import csv, json, os, tomllib, yaml
    from pathlib import Path
    here = Path(__file__).parent
    with open(os.path.join("conf", "app.yaml")) as file:
        a = yaml.safe_load(file)
        a2 = file.read()
    b = json.loads((here / "conf" / "app.json").read_text(encoding="utf-8"))
    with (here / "conf/app.json").open() as file:
        c = json.load(file)
    d = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["graph"]["models"]
    with open("names.csv", newline="") as file:
        e = [row["name"] for row in csv.DictReader(file)]
    f = [line.strip() for line in open("names.csv")]
    g = list(csv.reader(open("names.csv").readlines(), delimiter=","))
    h = yaml.load(open("conf/app.yaml"), Loader=yaml.SafeLoader)["more"]["x"]
    j = yaml.safe_load(open("dates.yaml"))["at"].isoformat()
    i = []
    for load, failure in (
        (json.loads, ValueError), (json.loads, json.JSONDecodeError), (yaml.safe_load, Exception),
        (yaml.safe_load, yaml.YAMLError), (tomllib.loads, tomllib.TOMLDecodeError),
    ):
        try:
            load("{a: b: c}")
        except failure:
            i.append(load)
    i = len(i)
    """
    expected: dict[str, Any] = {"__name__": "__main__", "__file__": str(tmp_path / "graph.py")}
    with contextlib.chdir(tmp_path):
        exec(textwrap.dedent(text), expected)
    done = run(tmp_path, text)
    assert done.found == []
    for name in ("a", "a2", "b", "c", "d", "e", "f", "g", "h", "i", "j"):
        assert done.names[name] == expected[name], name

    (tmp_path.parent / "outside.json").write_text("1")
    (tmp_path / "link.json").symlink_to(tmp_path.parent / "outside.json")
    (tmp_path / "picture").write_bytes(b"\xff\x00")
    open_ones = run(
        tmp_path,
        """
        import random, yaml
        from pathlib import Path
        r = [open("nowhere").read(), open("../outside.json").read(), open("link.json").read(),
             open("picture").read(), open("names.csv", "rb").read(), open("names.csv").read(3),
             yaml.load(open("names.csv"), Loader=Mine)]
        with open("names.csv", "w") as file:
            file.write("other")
        Path("conf/app.json").write_text("{}")
        r += [open("names.csv").read(), Path("conf/app.json").read_text()]
        file = open("pyproject.toml")
        if random.random() > 0.5:
            file.read()
        r.append(file.read())
        """.replace("Loader=Mine", "Loader=random.Loader"),
    ).names["r"]
    assert len(open_ones) == 10
    for value in open_ones:
        assert isinstance(value, Unknown), value


def _own(names: dict[str, Any]) -> dict[str, str]:
    return {name: repr(value) for name, value in names.items() if not name.startswith("__")}


def test_paths_are_computed_from_the_file_on(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import os.path as osp, os
        from pathlib import Path
        here = osp.dirname(osp.abspath(__file__))
        model = osp.join(here, "models", "a.pkl")
        path = Path(__file__).resolve().parent / "models" / "b.pkl"
        text, name, up = str(path), path.stem, path.parent.parent == Path(here)
        beside = osp.abspath("x.pkl")
        relative = osp.relpath(model, here)
        base, split = osp.basename(model), osp.splitext("a.tar.gz")
        there, cwd, disk = osp.exists(here), os.getcwd(), path.exists()
        """,
    )
    root = str(tmp_path)
    names = done.names
    assert names["model"] == f"{root}/models/a.pkl"
    assert (names["text"], names["name"], names["up"]) == (f"{root}/models/b.pkl", "b", True)
    assert (names["beside"], names["relative"]) == (f"{root}/x.pkl", "models/a.pkl")
    assert (names["base"], names["split"]) == ("a.pkl", ("a.tar", ".gz"))
    assert all(isinstance(names[name], Unknown) for name in ("there", "cwd", "disk"))
    assert done.found == []


def test_environment_variables_are_given_or_stay_open(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import os
        from os import environ, getenv
        given, open_, optional = os.environ["GIVEN"], environ["OPEN"], getenv("OPEN", "d")
        none, either = os.environ.get("OPEN"), os.environ.get("GIVEN", "d")
        inside = f"x-{open_}"
        used = inside.upper()
        os.environ["SET"] = "v"
        late = os.getenv("SET")
        known = "GIVEN" in os.environ
        missing = open_ is None
        """,
        {"GIVEN": "value"},
    )
    names = done.names
    assert (names["given"], names["either"], names["late"]) == ("value", "value", "v")
    assert names["known"] is True
    assert names["missing"] is False
    for name, default, required in (
        ("open_", None, True),
        ("optional", "d", False),
        ("none", None, False),
    ):
        value = names[name]
        assert isinstance(value, EnvValue)
        assert (value.name, value.default, value.required) == ("OPEN", default, required)
    assert isinstance(names["inside"], OpenText)
    assert names["inside"].parts == ("x-", names["open_"])
    assert isinstance(names["used"], Unknown)
    assert "--env OPEN=VALUE" in names["used"].help


def test_what_is_not_known_says_where_it_came_from(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import sklearn.datasets as data
        from tqdm import tqdm
        from helpers_elsewhere import *
        models = data.load(3)
        derived = [m.name.upper() + "x" for m in models]
        deeper = len(derived) * 2 if derived else derived[0]
        instance = data.Bunch(1, k=2)
        field = instance.anything
        name = data.load
        bar = tqdm([1, 2], desc="x")
        starred = surprise
        some, word = [1, 2, 3], "of"
        for each in some:
            if each == 1: some[-1:] = data.load(4)
            word = each
        if models:
            grown, doubled = [0], [1]
        else:
            grown, doubled = [0], [2]
            grown.append(1)
        third = [3]
        either = doubled if models else third
        either *= 2
        element = third[0]
        pair = (5, [6])
        for part in pair:
            if models: break
        part += part
        inner = pair[1][0]
        """,
    )
    names = done.names
    assert all(isinstance(names[name], Unknown) for name in ("word", "grown", "element", "inner"))
    for name, expression in (
        ("models", "data.load(3)"),
        ("derived", "models"),
        ("deeper", "derived"),
    ):
        assert names[name].why == "the result of calling sklearn.datasets.load"
        assert names[name].expression == expression
        assert names[name].span.line == 5
    assert isinstance(names["instance"], Instance)
    assert names["instance"].cls.dotted == "sklearn.datasets.Bunch"
    assert isinstance(names["field"], Unknown)
    assert names["name"].dotted == "sklearn.datasets.load"
    assert names["bar"] == [1, 2]
    assert names["starred"].dotted == "helpers_elsewhere.surprise"
    assert done.found == []


def test_functions_and_classes_know_where_they_are(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import functools
        from somewhere import task, dataclass

        @task
        def plain(): ...

        @functools.lru_cache(maxsize=None)
        @functools.wraps(plain)
        def cached(): ...

        def twice(f): return lambda x: f(f(x))

        @twice
        def two(x): return x + 2

        if True:
            short = lambda x: x
        pair = (lambda: 1, short)

        @dataclass(frozen=True)
        class Data:
            size: int = 3

        def make():
            def inner(): ...
            class Local: ...
            return inner, Local

        inner, Local = make()
        six = two(2)
        async def later(): return 1
        async def many(): yield 1
        waits, unknown = later(), many()
        """,
    )
    names = done.names
    for name in ("plain", "cached", "short"):
        assert isinstance(names[name], UserFunction)
        assert (names[name].name, names[name].top_level) == (name, True)
    assert (names["pair"][0].name, names["pair"][0].top_level) == ("<lambda>", False)
    assert isinstance(names["Data"], UserClass)
    assert names["Data"].top_level
    assert names["Data"].members == {"size": 3}
    assert not names["inner"].top_level
    assert not names["Local"].top_level
    assert names["six"] == 6
    assert isinstance(names["unknown"], Unknown)
    assert isinstance(names["waits"], Coroutine)
    assert done.found == []


def test_sets_are_walked_through_in_one_order(tmp_path: Path) -> None:
    numbers = run(tmp_path, "a = list({2.5, 0.25, 8, -1, 1j, True})").names["a"]
    assert repr(numbers) == repr(list({2.5, 0.25, 8, -1, 1j, True}))
    done = run(tmp_path, 'a = list({"c", "a", "b"})\nb = str({"x", "y"})\nc = {"x", "y"}.pop()')
    assert done.names["a"] == ["a", "b", "c"]
    assert isinstance(done.names["b"], Unknown)
    assert isinstance(done.names["c"], Unknown)


def test_the_standard_librarys_functions_stay_what_they_are(tmp_path: Path) -> None:
    done = run(tmp_path, "import json\nfrom math import sqrt as root\na = [json.loads, root, len]")
    assert [value.dotted for value in done.names["a"]] == [
        "json.loads",
        "math.sqrt",
        "builtins.len",
    ]
    assert all(isinstance(value, External) for value in done.names["a"])


def test_objects_of_own_classes(tmp_path: Path) -> None:
    """What the evaluator claims about objects is what Python says."""
    text = """
    import functools, random
    from dataclasses import dataclass, field

    class Base:
        kind = "base"
        shared = []
        def __init__(self, n, *more, key=0):
            self.n, self.more, self.key = n, more, key
            self.shared.append(n)
        def double(self): return self.n * 2
        def who(self): return f"{type(self).__name__}:{self.__class__.kind}"
        @property
        def size(self): return len(self.more)
        @staticmethod
        def twice(x): return x + x
        @classmethod
        def make(cls, n): return cls(n, key="made")
        def __call__(self, x): return x - self.n
        def chain(self): self.n += 1; return self

    class Mixin:
        def double(self): return "mixin", super().double()

    class Child(Mixin, Base):
        kind = "child"
        def __init__(self, n):
            super().__init__(n, 1, 2, key="k")
            self.child = True
        def double(self): return "child", super().double()

    @dataclass
    class Point:
        x: int
        y: int = 2
        tags: list = field(default_factory=list)
        z: int = field(default=3, repr=False)
        def sum(self): return self.x + self.y

    one, two, point = Base(1), Child(5), Point(4)
    r = [one.n, one.more, one.key, one.double(), one.size, one.twice(3), Base.twice("a"), one(10),
         two.double(), two.kind, two.size, two.key, two.child, two.n, Base.shared is two.shared,
         len(one.shared), Base.make(7).key, two.chain().chain().n, isinstance(two, Base),
         isinstance(two, Mixin), isinstance(one, Child), hasattr(one, "child"),
         getattr(one, "z", 9),
         point.x, point.y, point.sum(), Point(y=1, x=0).sum(),
         point.tags.append(1), point.tags, Point(1).tags, Point(1, tags=[2]).tags, point.z]
    setattr(one, "late", 3)
    del two.child
    r += [one.late, hasattr(two, "child")]
    bound = one.double
    one.n = 50
    r.append(bound())
    try:
        one.nowhere
    except AttributeError:
        r.append("AttributeError")
    try:
        Base()
    except TypeError:
        r.append("TypeError")
    """
    names = run(tmp_path, text).names
    scope: dict[str, object] = {"__name__": "__main__"}
    exec(textwrap.dedent(text), scope)
    assert names["r"] == scope["r"]
    unsure = run(
        tmp_path,
        """
        import random
        class A:
            def __init__(self): self.n, self.m = 1, 2
            def __len__(self): return 0
            def change(self): self.n = 5
        a, b = A(), A()
        if random.random() > 0.5:
            a.change()
        n, m, size = a.n, a.m, bool(a)
        vars(b)["n"] = 7
        other, none = b.n, b.late
        """,
    ).names
    assert unsure["m"] == 2
    assert unsure["size"] is False
    for name in ("n", "other", "none"):
        assert isinstance(unsure[name], Unknown), name


def test_loops_of_which_it_is_not_known_how_often_they_run_end(tmp_path: Path) -> None:
    """What each round makes for itself is no reason for another one; what it changes is."""
    done = run(
        tmp_path,
        """
        import others
        class Row:
            def __init__(self, x): self.x, self.parts = x, [x]
        def made(x, **more):
            both = {"k": x}
            both["l"] = more.pop("l", 0)
            for part in others.parts(x): both[part] = [p for p in part]
            return both
        kept, shared, known = [], [], [1]
        for row in others.rows():
            one, other = Row(row), Row(shared)
            one.parts.append(2)
            columns = [c for c in row.columns if c != "label"]
            table = {k: v for k, v in made(row, l=1).items()}
            words = "a b".split() + columns[1:]
            words.append("c")
            ordered = sorted({"x", "y"}); ordered.pop()
            class Local: z = row
            kept.append(made(row))
        other.x.append(1)
        k, s = len(kept), len(shared)
        """,
    )
    assert done.found == []
    assert isinstance(done.names["k"], Unknown)
    assert isinstance(done.names["s"], Unknown)
    assert done.names["known"] == [1]
