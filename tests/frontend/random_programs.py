"""Random small Python programs, from a seed: what graph files compute with, and a little more.

`program(seed)` is a text that binds `a` to `e`. Expressions mostly are of the types they should be,
so that most programs run through; what does not, ends in an exception of Python's.
"""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable, Sequence

#: What programs may use, each before the names that it is needed for.
PARTS: dict[str, str] = {
    "helper": """\
def helper(x, *rest, deep=0, **more):
    for item in rest:
        if item: return [x, item, *more]
    return x
""",
    "count": """\
def count(start, step=1):
    total = start
    def more(by=step):
        nonlocal total
        total += by
        return total
    return more
""",
    "fact": """\
def fact(n):
    return 1 if n < 2 else n * fact(n - 1)
""",
    "note": """\
log = []
def note(x):
    log.append(x)
    return x
""",
    "g": """\
import flow
g = flow.new()
""",
    "items": """\
def items(n):
    note(n)
    for i in range(n):
        note(i)
        yield i
    note('end')
""",
    "Box": """\
class Box:
    size = 2
    made = []
    def __init__(self, value, *, name="box"):
        self.value = value
        self.name = name
        Box.made.append(name)
    def double(self):
        return [self.value, self.value]
    @property
    def title(self):
        return self.name.title()
    @classmethod
    def of(cls, value):
        return cls(value, name="of")
    @staticmethod
    def plain(x):
        return (x, "plain")
    def __repr__(self):
        return f"Box({self.value!r})"
    def __eq__(self, other):
        return isinstance(other, Box) and self.value == other.value
    def __len__(self):
        return 3
    def __getitem__(self, key):
        return [key, self.value]
""",
    "Case": """\
class Case(Box):
    size = 5
    def double(self):
        return super().double() + [self.size]
""",
    "Point": """\
@dataclass
class Point:
    x: int
    y: int = 2
    tags: list = field(default_factory=list)
""",
    "Rank": """\
@dataclass(order=True, frozen=True)
class Rank:
    x: int
    y: str = "r"
""",
    "Vec": """\
class Vec:
    def __init__(self, x):
        self.x = x
    def __add__(self, other):
        return Vec([self.x, other.x if isinstance(other, Vec) else other])
    def __radd__(self, other):
        return Vec([other, self.x])
    def __iadd__(self, other):
        note(other)
        self.x = [other]
        return self
    def __neg__(self):
        return Vec([self.x])
    def __lt__(self, other):
        note(self.x)
        return str(self.x) < str(other.x)
    def __or__(self, other):
        return NotImplemented if other is None else (self.x, other)
    def __bool__(self):
        return bool(self.x)
    def __contains__(self, item):
        return item == self.x
    def __iter__(self):
        return iter([self.x, 1])
    def __call__(self, *args):
        return [self.x, *args]
    def __setitem__(self, key, value):
        self.x = (key, value)
    def __getattr__(self, name):
        return name * 2
    def __format__(self, spec):
        return f"<{spec}>"
    def __str__(self):
        return f"Vec {self.x}"
""",
    "Steps": """\
class Steps:
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        return self
    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return note(self.n)
""",
    "Level": """\
class Level(enum.IntEnum):
    LOW = 1
    HIGH = 5
    def up(self):
        return Level.HIGH
""",
    "Mood": """\
class Mood(str, enum.Enum):
    GOOD = "good"
    BAD = "bad"
    @property
    def loud(self):
        return self.value.upper()
""",
    "Pair": """\
class Pair(typing.NamedTuple):
    left: int
    right: str = "r"
""",
    "Spot": """\
Spot = collections.namedtuple("Spot", "x y", defaults=[7])
""",
    "known": """\
@functools.cache
def known(x, y=1):
    return [note(x), y]
""",
    "Lazy": """\
class Lazy:
    def __init__(self, start=0):
        self._start = start
    @functools.cached_property
    def parts(self):
        return [note(self._start)]
    @property
    def start(self):
        return self._start
    @start.setter
    def start(self, value):
        self._start = [value]
""",
}
IMPORTS = {
    **{name: f"import {name}" for name in
       ("bisect", "collections", "copy", "enum", "functools", "heapq", "itertools", "json", "math",
        "operator", "os", "re", "statistics", "string", "typing")},
    "path_join": "from os.path import join as path_join",
    "Point": "from dataclasses import dataclass, field",
}  # fmt: skip
#: What parts use of others.
NEEDS = {
    "items": {"note"}, "log": {"note"}, "Case": {"Box"}, "Vec": {"note"}, "Steps": {"note"},
    "Level": {"enum"}, "Mood": {"enum"}, "Pair": {"typing"}, "Spot": {"collections"},
    "known": {"functools", "note"}, "Lazy": {"functools", "note"}, "Rank": {"Point"},
}  # fmt: skip
BEGIN = "a, b, c, d, e = 1, [2, 3], {'k': 4, 'n': [1]}, 'text', (5, [6])\n"

Kind = str
#: What the five names begin as.
START: dict[str, Kind] = {"a": "int", "b": "list", "c": "dict", "d": "str", "e": "tuple"}

LITERALS: dict[Kind, list[str]] = {
    "int": ["0", "1", "-2", "7", "10", "True", "0x1f", "3", "1_000"],
    "float": ["2.5", "-0.5", "1e3", "0.0", "1.25"],
    "str": ["''", "'ab'", "'a b c'", '"k"', "'é\\n'", "'12'", "'x,y'", "r'\\d'", "'a' 'b'",
            "'/srv/m'", "'{}-{}'", "'Ab9'"],
    "list": ["[]", "[1, 2]", "[3, 1, 2]", "['b', 'a']", "[[1], [2]]", "[None, 0, '']",
             "[(1, 'x'), (2, 'y')]"],
    "dict": ["{}", "{'k': 1}", "{'k': [0], 'a': 2}", "{1: 'x', 2: 'y'}", "{'k': {'k': 3}}"],
    "tuple": ["()", "(3, 'x')", "(1,)", "(1, 2, 3)"],
    "set": ["{1, 2}", "set()", "{'x'}", "frozenset([1])"],
    "bool": ["True", "False", "not 1", "None is None"],
    "none": ["None"],
}  # fmt: skip

#: Forms of expressions by what they give; a word in <> is an expression of that kind.
FORMS: dict[Kind, list[str]] = {
    "int": [
        "<int> + <int>", "<int> - <int>", "<int> * <int>", "<int> // <int>", "<int> % <int>",
        "len(<list>)", "len(<str>)", "len(<dict>)", "abs(<int>)", "sum([len(x) for x in <strs>])",
        "max(<int>, <int>)", "min(<int>, 5)", "int(<float>)", "int('4')", "<str>.count('a')",
        "<list>.count(1)", "<str>.find('b')", "round(<float>)", "ord('a')", "<int> & 6",
        "<int> | 1", "<int> ^ 3", "~<int>", "<int> << 2", "divmod(<int>, 3)[0]", "pow(2, 3)",
        "(lambda v, w=2: v + w)(<int>)", "math.floor(<float>)", "math.gcd(<int>, 12)",
        "count(<int>)()", "fact(4)", "(<int> if <bool> else <int>)", "<dict>.get('k', 3)",
        "Box.size", "Case(1).size", "Point(<int>).x", "Point(1).y", "len(Box(1))",
        "functools.reduce(lambda p, q: p + q, [1, 2, <int>])", "(<int> or 4)", "+<int>",
        "sum(range(<int> % 5))", "int(<bool>)", "next(iter([<int>]))", "hash('a') * 0",
        "len({**<dict>, 'z': 1})", "bool(<any>) + 1", "list(<dict>).index('k')",
        "Level.HIGH + <int>", "max(Level).value", "Level(5) * 2", "Pair(<int>)[0]", "Spot(3).y",
        "len(Pair(1))", "operator.add(<int>, 2)", "bisect.bisect([1, 3], <int>)", "Rank(<int>).x",
        "statistics.median([1, <int>])", "functools.partial(pow, 2)(3)", "Lazy(<int>).start",
        "sum(Steps(<int> % 4))", "[5, 6, 7][Level.LOW]", "collections.defaultdict(int)['k']",
        "len(Vec(<list>)(<int>))", "operator.itemgetter(0)([<int>])", "sum(x for x in Steps(3))",
    ],
    "float": [
        "<int> / 4", "<float> + <int>", "round(<float>, 1)", "float('1.5')", "math.sqrt(16)",
        "<float> * 2", "math.pi", "abs(<float>)", "max(<float>, <int>)", "float(<int>)",
        "sum([0.1] * 3)", "<int> ** -1", "1 / <int>",
    ],
    "str": [
        "<str> + <str>", "<str> * 2", 'f"{<any>}"', 'f"{<any>!r:>8}"', 'f"{<int>:04d}"',
        'f"{<float>:.2f}|{<str>:^6}"', "'%s-%d' % (<str>, <int>)", "'{} {}'.format(<int>, <str>)",
        "'{0[k]}'.format({'k': <int>})", "', '.join(<strs>)", "<str>.upper()", "<str>.strip()",
        "<str>.replace('a', 'o')", "<str>[::-1]", "<str>[1:]", "str(<any>)", "repr(<any>)",
        "<str>.title()", "<str>.zfill(5)", "<str>.center(7, '*')", "json.dumps(<plain>)",
        "json.dumps(<dict>, sort_keys=True, indent=1)", "os.path.join(<str>, 'm')",
        "os.path.basename(<str>)", "path_join('a', <str>)", "<str>.lower().capitalize()",
        "(<str> if <bool> else <str>)", "Box(1).title", "Box.of(2).name", "type(<any>).__name__",
        "chr(97 + <int> % 3)", "string.digits", "<str>.partition(' ')[0]", "'a' < 'b' and <str>",
        "''.join(sorted(<str>))", "''.join(reversed(<str>))", "<str>.removesuffix('b')",
        "<str>.format(1, 2, k=3)", "f'{Level.LOW:>3}'", "Mood.GOOD + <str>", "Mood('bad').loud",
        "Mood.BAD.name", "f'{Vec(<any>)}|{Vec(1):>4}'", "str(Vec(<any>))", "Pair(1).right",
        "re.sub('[ab]', <str>.strip('\\\\'), <str>)", "'%s' % Level.HIGH", "'-'.join([Mood.GOOD])",
        "Vec(1).any", "operator.attrgetter('x')(Vec(<str>))", "str(Rank(1).y)", "Mood.GOOD.upper()",
        "re.match('(a)?(?P<n>.?)', <str>).group('n')", "f'{Mood.BAD.value!r}'", "'%s' % <any>",
 "<str>.split(',')[0]", "hex(<int>)", "f'{<str>=}'",
        "max(<strs>, key=len)", "Point(<int>, tags=<list>).__class__.__name__", "str(Box(<int>))",
        "bytes(<str>, 'utf8').decode()", "<str>.translate({97: 'z'})", "ascii(<str>)",
    ],
    "strs": ["['a', 'bc']", "<str>.split()", "[str(x) for x in <list>]", "list(<str>)",
             "<str>.split(',')", "sorted(['b', 'a'])", "'a\\nb'.splitlines()",
             "[k for k in {'p': 1, 'q': 2}]"],
    "list": [
        "<list> + <list>", "<list> * 2", "[<any>, <any>]", "[*<list>, 0]", "list(<tuple>)",
        "Point(<int>).tags",
        "[x for x in <list> if x]", "[x * 2 for x in range(<int> % 6)]", "sorted([3, 1, <int>])",
        "sorted(<strs>, key=len, reverse=True)", "<list>[::-1]", "<list>[1:]", "<list>[-2:]",
        "list(<dict>)", "list(<dict>.items())", "list(map(str, <list>))", "<strs>",
        "list(filter(None, <list>))", "list(zip(<list>, 'ab'))", "list(enumerate(<list>, 1))",
        "list(range(5, 0, -2))", "[(x, y) for x in (1, 2) for y in <list> if x]",
        "[i for i, _ in enumerate(<list>)]", "Box(<any>).double()", "Case(<int>).double()",
        "copy.deepcopy(<list>)", "<list>.copy()", "helper(<any>, <any>)", "Box(<int>)[<any>]",
        "list(itertools.chain(<list>, [1]))", "[[y for y in [x]] for x in <list>]",
        "(<list> if <bool> else <list>)", "list(reversed(<list>))", "[*range(3)][<int> % 3:]",
        "[x.upper() for x in <strs>]", "(<list> or [9])", "list({1: <any>}.values())",
        "sorted({x % 3 for x in range(7)})", "[v for v in map(lambda q: [q], <list>)]",
        "[(k, list(x)) for k, x in itertools.groupby(<list>, str)]", "sorted([Mood.GOOD, 'b'])",
        "[list(x) for _, x in list(itertools.groupby(<strs>, len))]", "known(<int>)",
        "known(<str>)",
        "[*Vec(<any>)]", "list(Steps(3))", "sorted([Vec(<any>), Vec(<int>)])[0].x", "Lazy().parts",
        "list(itertools.accumulate([1, <int>]))", "[x.name for x in Level]", "[*Pair(<int>)]",
        "list(itertools.takewhile(lambda x: x, <list>))", "re.findall('[a-c]+', <str>)",
        "re.split('[ ,]', <str>, maxsplit=1)", "heapq.nsmallest(2, [3, 1, <int>])",
        "sorted([Rank(<int>), Rank(2, 'a')])[0].y.split()", "list(Spot(<any>))",
        "(Vec(<any>) + <int>).x", "sum([Vec(<int>), Vec(2)], 5).x", "Vec(<list>) and [1]",
        "sorted([{'n': 2}, {'n': <int>}], key=operator.itemgetter('n'))",
        "list(itertools.starmap(pow, [(2, 3)]))", "(lambda p, q: [p, q])(*Pair(<int>, <str>))",
        "list(items(3))", "[*'ab', *<tuple>]", "sorted(<dict>.items(), key=lambda kv: str(kv))",
        "list(itertools.product([1, 2], 'a'))", "[y := 1, y]", "json.loads('[1, {\"k\": null}]')",
    ],
    "dict": [
        "{**<dict>, 'z': <any>}", "<dict> | {'q': <any>}", "{k: v for k, v in <dict>.items()}",
        "{x: str(x) for x in [1, <int>]}", "dict(q=<any>)", "dict(zip('ab', [1, <any>]))",
        "dict(<dict>, r=<int>)", "dict.fromkeys('ab', <int>)", "copy.copy(<dict>)",
        "json.loads(json.dumps({'k': <int>}))", "{<str>: <any>}",
        "dict(sorted({'b': 1, 'a': 2}.items()))",
        "(<dict> if <bool> else <dict>)", "vars(Point(<int>))", "{f'{i}': i for i in range(2)}",
        "{len(k): k for k in <strs>}", "dict([('k', <any>)])",
        "collections.OrderedDict(<dict>)", "dict(collections.defaultdict(list, <dict>))",
        "collections.defaultdict(int, <dict>)", "collections.defaultdict(list)",
        "copy.copy(collections.defaultdict(list, k=1))", "Pair(<int>)._asdict()",
        "{Level.LOW: <any>}", "copy.deepcopy(collections.OrderedDict(k=<any>))",
        "{**{'k': 1}, **<dict>}", "{'k': <list>}.copy()",
    ],
    "tuple": [
        "(<any>, <any>)", "tuple(<list>)", "<tuple> + (1,)", "<tuple>[1:]", "(*<list>, <any>)",
        "divmod(<int>, 3)", "os.path.split('/a/b')", "Box.plain(<any>)", "tuple(x for x in <list>)",
        "tuple(Pair(1))", "Vec(<any>) | <int>", "(*Spot(<int>),)", "(known(1) is known(1),)",
        "(1, 2) * 2", "os.path.splitext('m.pkl')", "tuple(sorted(<strs>))", "('a', *<strs>)",
    ],
    "set": ["set(<strs>)", "{x for x in [1, <int>]}", "{1, 2} | {<int>}", "{1, 2} & {<int>, 1}",
            "frozenset(<strs>)", "{1, 2, 3} - {<int>}"],
    "bool": [
        "<int> < <int>", "<int> == <int>", "<any> == <any>", "<any> in [1, 'a']", "'k' in <dict>",
        "'a' in <str>", "not <any>", "isinstance(<any>, (int, str))", "any(<list>)", "all(<list>)",
        "<str>.startswith('a')", "<any> is None", "bool(<any>)", "<bool> and <bool>",
        "<bool> or <bool>", "1 < <int> <= 7", "<list> != []", "<str>.isdigit()", "callable(len)",
        "Box(1) == Box(<int>)", "hasattr(Box, 'size')", "issubclass(Case, Box)", "<str> > 'b'",
        "<any> is not <any>", "<int> not in <tuple>", "isinstance(Case(1), Box)",
        "type(<any>) is int", "Level.LOW < <int>", "Level(1) is Level.LOW", "Mood.GOOD == <str>",
        "Rank(<int>) == Rank(1)", "Rank(<int>) < Rank(2, 'q')", "Pair(<int>) == (1, 'r')",
        "<any> in Vec(<any>)", "Vec(<int>) < Vec(<str>)", "not Vec(<any>)", "bool(Vec(<list>))",
        "Mood.GOOD in (<str>, 'good')", "type(<dict>) is dict", "<int> in Steps(3)",
        "Spot(1) > Pair(<int>)", "known(<int>) is known(1)", "<dict> == {'k': 1}",
 "math.isclose(<float>, 2.5)", "{1} <= {1, <int>}",
    ],
    "none": ["None", "print(<str>)", "<dict>.get('absent')", "[].clear()"],
}  # fmt: skip
PLAIN = ["int", "str", "list", "dict", "float", "bool", "none", "tuple"]

#: Changes in place, by what is changed.
CHANGES: dict[Kind, list[str]] = {
    "list": ["{}.append(<any>)", "{}.extend(<list>)", "{}.insert(0, <any>)", "{}.pop()",
             "{}.reverse()", "{}[0] = <any>", "{}[1:] = <list>", "del {}[0]", "{} += <list>",
             "{}.sort(key=str)", "{} *= 2", "{}.remove(1)", "{}.clear()", "{}[-1:] = []",
             "{}.sort()", "{}[<int> % 2] = <any>", "bisect.insort({}, <int>)",
             "heapq.heapify({})", "heapq.heappush({}, <any>)", "known(1).append({})"],
    "dict": ["{}['k'] = <any>", "{}['new'] = <any>", "{}.update(a=<any>)", "{}.pop('k', None)",
             "{}.setdefault('z', []).append(<any>)", "del {}['k']", "{} |= {{'w': <any>}}",
             "{}.update(<dict>)", "{}[<str>] = <any>", "{}.popitem()", "{}.clear()",
             "{}['more'] += <list>", "{}['l'].append(<any>)", "{}.move_to_end('k')",
             "{}.popitem(last=False)"],
    "int": ["{} += <int>", "{} -= 1", "{} *= 2", "{} //= 2", "{} **= 2", "{} %= 4"],
    "float": ["{} += <int>", "{} /= 2"],
    "str": ["{} += <str>", "{} *= 2", "{} %= ()"],
    "tuple": ["{} += (<any>,)", "{}[1].append(<any>)"],
    "set": ["{}.add(<int>)", "{} |= {{<int>}}", "{}.discard(1)"],
    "bool": ["{} = not {}", "{} &= True"],
    "none": ["{} = <any>"],
}  # fmt: skip


#: A graph call that is refused, and raises.
REFUSED = "g.fail('no', 'builtins.ValueError', 'builtins.Exception', 'builtins.BaseException')"
#: What the body of a generator does beside other things.
YIELDS = [
    "yield <any>", "yield <any>", "x = yield <any>", "yield from <list>", "note(<any>)",
    "yield from items(<int> % 4)", "if <bool>: return <any>", "x = yield from items(2)",
    "try:\n    yield <any>\nfinally:\n    note(<any>)", "log.append((yield))",
    "try:\n    x = yield <any>\nexcept Exception as x:\n    note(str(x))", "b.append(<any>)",
    "if <bool>:\n    yield <any>", "for x in <list>:\n    yield note(x)",
    "g.to(<int>)", "g.to(<str>)", "yield g.to(<int>) and 1", REFUSED,
    "while len(log) < 9:\n    note(1)\n    yield <any>", "yield from (note(x) for x in <list>)",
]  # fmt: skip


class Program:
    """Writes one program."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.kinds = dict(START)
        self.count = 0
        #: Is it the body of a generator that is written, or that of a function?
        self.yields = self.returns = False

    def pick(self, items: Sequence[str]) -> str:
        return self.source.choice(items)

    def chance(self, percent: int) -> bool:
        return self.source.randrange(100) < percent

    # -- expressions

    def expression(self, kind: Kind, depth: int = 2) -> str:
        if kind in ("any", "plain") or self.chance(3):
            kind = self.pick(PLAIN)
        names = [name for name, held in self.kinds.items() if held == kind]
        if names and self.chance(35):
            return self.pick(names)
        if kind in LITERALS and (depth <= 0 or self.chance(25)):
            return self.pick(LITERALS[kind])
        if depth <= 0:
            return self.pick(["['a', 'bc']"])
        return f"({self.filled(self.pick(FORMS[kind]), depth - 1)})"

    def filled(self, form: str, depth: int) -> str:
        """The form with an expression for each word in <>."""
        done = ""
        while True:
            before, found, rest = form.partition("<")
            word, end, after = rest.partition(">")
            if found and end and (word in FORMS or word in ("any", "plain")):
                made = self.expression(word, depth)
                if 'f"' in before or "f'" in before:  # Python 3.11 nests no equal quotes
                    made = self.pick([n for n in self.kinds if self.kinds[n] == word] or ["a"])
                done, form = done + before + made, after
            elif found:
                done, form = done + before + found, rest
            else:
                return done + before

    # -- statements

    def block(self, depth: int, loop: bool = False) -> str:
        lines = [self.statement(depth - 1, loop) for _ in range(self.source.randint(1, 3))]
        return textwrap.indent("\n".join(lines), "    ")

    def assign(self) -> str:
        name, kind = self.pick(list(START)), self.pick([*PLAIN, "set", "strs"])
        value = self.expression(kind)
        self.kinds[name] = "list" if kind == "strs" else kind
        return f"{name} = {value}"

    def statement(self, depth: int = 2, loop: bool = False) -> str:
        if loop and self.chance(12):
            return f"if {self.expression('bool', 1)}: {self.pick(['break', 'continue'])}"
        if self.chance(8):
            return self.filled(self.pick(["g.to(<int>)", "g.to(<str>)", "g.to(a)"]), 1)
        if self.returns and self.chance(10):
            return self.filled(self.pick(["return <any>", "if <bool>: return <any>"]), 1)
        if self.yields and self.chance(45):
            return self.filled(self.pick(YIELDS), 1)
        simple: list[Callable[[], str]] = [self.assign, self.assign, self.assign, self.change,
                                           self.change, self.spread]  # fmt: skip
        if depth <= 0 or self.chance(55):
            return self.source.choice(simple)()
        return self.source.choice(
            [self.condition, self.loop, self.attempt, self.function, self.match, self.while_,
             self.closure, self.object, self.chain, self.alias, self.generator, self.lazy]
        )(depth)  # fmt: skip

    def change(self) -> str:
        name = self.pick(list(self.kinds))
        change = self.pick(CHANGES[self.kinds[name]]).replace("{{", "\0").replace("}}", "\1")
        filled = self.filled(change.replace("{}", name), 1)
        return filled.replace("\0", "{").replace("\1", "}")

    def spread(self) -> str:
        one, other = self.pick("abcde"), self.pick("abcde")
        form = self.pick(
            ["{0}, {1} = <any>, <any>", "{0}, *{1} = [1, 2, <any>]", "{0} = {1} = <any>",
             "({0}, [{1}, _]) = <int>, (2, 3)", "{0}, {1} = {1}, {0}", "{0}: int = <int>",
             "*{1}, {0} = <tuple>", "{0} = ({1} := <any>)", "{0} = [*{1}]"]
        )  # fmt: skip
        for name in (one, other):
            self.kinds.pop(name, None)
        text = self.filled(form.format(one, other), 1)
        self.kinds[one], self.kinds[other] = self.pick(PLAIN), self.pick(PLAIN)
        return text

    def condition(self, depth: int) -> str:
        text = f"if {self.expression('bool')}:\n{self.block(depth)}"
        if self.chance(30):
            text += f"\nelif {self.expression('any')}:\n{self.block(depth)}"
        if self.chance(60):
            text += f"\nelse:\n{self.block(depth)}"
        return text

    def loop(self, depth: int) -> str:
        over = self.pick(["<list>", "range(<int> % 5)", "enumerate(<list>)", "<dict>.items()",
                          "<str>", "zip(<list>, <list>)", "<tuple>", "sorted(<set>)"])  # fmt: skip
        if "enumerate" in over or "items" in over or "zip" in over:
            target = self.pick(["i, x", "a, x", "(i, d)"])
        else:
            target = self.pick(["x", "x", "a", "d"])
        text = f"for {target} in {self.filled(over, 1)}:\n{self.block(depth, True)}"
        if self.chance(25):
            text += f"\nelse:\n{self.block(depth)}"
        return text

    def while_(self, depth: int) -> str:
        self.count += 1
        name = f"n{self.count}"
        body = f"    {name} += 1\n{self.block(depth, True)}"
        test = self.pick([f"{name} < 3", f"{name} < 4 and {self.expression('bool', 1)}"])
        text = f"{name} = 0\nwhile {test}:\n{body}"
        if self.chance(25):
            text += f"\nelse:\n{self.block(depth)}"
        return text

    def attempt(self, depth: int) -> str:
        caught = self.pick(["Exception", "(TypeError, KeyError)", "ValueError", "LookupError as x",
                            "Exception as x"])  # fmt: skip
        text = f"try:\n{self.block(depth)}"
        if self.chance(25):
            text += f"\n    {REFUSED}"
        elif self.chance(30):
            text += f"\n    raise {self.pick(['ValueError(a)', 'KeyError', 'TypeError(1, 2)'])}"
        text += f"\nexcept {caught}:\n{self.block(depth)}"
        if " as x" in caught and self.chance(60):
            text += f"\n    {self.pick('abcde')} = {self.pick(['str(x)', 'x.args', 'repr(x)'])}"
        if self.chance(25):
            text += f"\nelse:\n{self.block(depth)}"
        if self.chance(25):
            text += f"\nfinally:\n{self.block(depth)}"
        return text

    def function(self, depth: int) -> str:
        self.count += 1
        name = f"f{self.count}"
        parameters = self.pick(["", "a", "a, b=1", "*e", "a, **c", "a, /, b=2, *, c=()", "x=[]"])
        given = self.pick(["1", "1", "[1]", "1, 2", "a=3", ""])
        shared = f"    global {self.pick('de')}\n" if self.chance(30) else ""
        if shared and (shared.strip()[-1] in parameters):
            shared = ""
        held, yields, returns = dict(self.kinds), self.yields, self.returns
        self.yields, self.returns = False, True
        body = self.block(depth)
        back = self.pick(["return <any>", "return a, b", "pass", "return d"])
        text = f"def {name}({parameters}):\n{shared}{body}\n    {self.filled(back, 1)}"
        self.kinds, self.yields, self.returns = held, yields, returns
        return f"{text}\n{self.pick('abcde')} = {name}({given})"

    def generator(self, depth: int) -> str:
        """A function that yields, and something that goes through what it gives."""
        self.count += 1
        name = f"g{self.count}"
        held, yields = dict(self.kinds), self.yields
        self.kinds, self.yields = dict(START), True
        body = self.block(depth) + "\n" + self.block(depth)
        self.kinds, self.yields = held, yields
        parameters = "a=1, b=[2, 3], c={'k': 4}, d='text', e=(5, [6])"
        shared = ""
        if self.chance(30):
            shared = f"    global {self.pick('de')}\n"
            parameters = parameters.replace("d='text', " if "d" in shared else ", e=(5, [6])", "")
        text = f"def {name}({parameters}):\n{shared}{body}\n    yield a"
        given = self.filled(self.pick(["", "", "<int>", "b=<list>"]), 1)
        return f"{text}\n{self.through(f'{name}({given})', depth)}"

    def lazy(self, depth: int) -> str:
        """A generator expression, or a function of Python's own that calls as it is asked."""
        made = self.filled(
            self.pick(
                ["(note(x) for x in <list>)", "(x for x in <list> if note(x))",
                 "map(note, <list>)", "filter(note, <list>)", "map(note, items(<int> % 5))",
                 "(note((x, y)) for x in items(3) for y in <list>)", "enumerate(items(3), <int>)",
                 "zip(items(3), <list>)", "iter(<list>)", "iter(<dict>)",
                 "(x for x in items(4) if <bool>)"]
            ),
            1,
        )  # fmt: skip
        return self.through(made, depth)

    def through(self, made: str, depth: int) -> str:
        """Go through what a generator gives."""
        if self.chance(40):
            text = textwrap.indent(self.through(made, depth), "    ")
            return f"try:\n{text}\nexcept Exception as x:\n    note(type(x).__name__)"
        one, other = self.pick("abcde"), self.pick("abcde")
        if self.chance(35):
            over = self.pick(["{}", "{}", "enumerate({})", "zip({}, 'abc')", "map(note, {})"])
            return f"for x in {over.format(made)}:\n    note(x)\n{self.block(depth, True)}"
        if self.chance(40):
            text = f"it = {made}"
            for _ in range(self.source.randint(1, 3)):
                text += "\n" + self.filled(
                    self.pick(
                        ["{0} = next(it, <any>)", "{0} = next(it)", "it.close()",
                         "{0} = it.send(<any>)", "{0} = list(itertools.islice(it, 2))",
                         "for x in it:\n    note(x)\n    if <bool>: break", "note(<any>)",
                         "{0} = list(it)", "{0}, {1} = it", "{0} = <any> in it", "<change>",
                         "if <bool>: {0} = next(it, 3)", "for x in <list>: note(next(it, 0))",
                         "if <bool>: it.close()", "it = iter(it)", "{0} = list(zip(it, it))",
                         "{0} = list(zip(it, <list>))", "it = enumerate(it)", "hash(it)"]
                    ).replace("{0}", one).replace("{1}", other).replace("<change>", self.change()),
                    1,
                )  # fmt: skip
            return text
        return self.filled(
            self.pick(
                ["{0} = list({2})", "{0} = sorted({2}, key=str)", "{0} = [*{2}]",
                 "{0} = any({2})", "{0} = all({2})", "{0}, *{1} = {2}", "{0}, {1} = {2}",
                 "{0} = list(zip({2}, {2}))", "{0} = [note(x) for x in {2}]",
                 "{0} = {{str(x): note(x) for x in {2}}}", "{0} = next({2}, 5)",
                 "{0} = max({2}, key=lambda x: len(str(note(x))))", "{0} = <any> in {2}",
                 "{0} = list(map(lambda x: [x], {2}))", "{0} = dict(enumerate({2}))",
                 "{0} = [1]\n{0}.extend({2})", "{0} = [1]\n{0} += {2}", "{0} = helper(*{2})",
                 "{0} = list(itertools.chain({2}, <list>))", "{0} = tuple(filter(note, {2}))",
                 "{0} = list(itertools.islice({2}, 1, 3))", "{0} = str(next(iter({2})))",
                 "{0} = [x for x in {2} if <bool>]", "{0} = functools.reduce(helper, {2}, [])",
                 "{0} = list(zip(itertools.count(), {2}))", "{0} = ','.join(str(x) for x in {2})"]
            ).format(one, other, made),
            1,
        )  # fmt: skip

    def closure(self, depth: int) -> str:
        return self.pick(
            [
                "adds = [lambda v, i=i: v + i for i in range(3)]\n{0} = [f(1) for f in adds]",
                "adds = [lambda v: v + i for i in range(3)]\n{0} = [f(1) for f in adds]",
                "def twice(f):\n    return lambda *p: [f(*p), f(*p)]\n"
                "@twice\ndef told(v={1}):\n    return v\n{0} = told()",
                "counter = count(2, step=3)\ncounter()\n{0} = counter(), counter(1)",
                "bound = {1}.copy\n{0} = bound()",
                "part = functools.partial(helper, 1, deep=2)\n{0} = part({1})",
                "made = []\ndef keep(v, to=made):\n    to.append(v)\n    return to\n"
                "keep({1})\n{0} = keep(2)",
                "{0} = (lambda *p, **q: (p, q))(*[1, {1}], **{{'z': 2}})",
            ]
        ).format(self.pick("abcde"), self.pick("abcde"))

    def object(self, depth: int) -> str:
        return self.pick(
            [
                "o = Box({1})\no.value = [o.value]\n{0} = o.double()",
                "Box.size += 1\n{0} = Case.size, Box.size, Box(1).size",
                "p = Point({1})\np.tags.append(1)\n{0} = (p.x, p.tags, Point(1).tags)",
                "o = Case({1}, name='own')\n{0} = [o.title, o.name, o.size]",
                "o = Box(1)\no.extra = {1}\n{0} = getattr(o, 'extra', 0), getattr(o, 'no', 3)",
                "class Local(Case):\n    word = {1}\n    def say(self):\n        return self.word\n"
                "{0} = Local(2).say()",
                "{0} = [Box(x) for x in (1, 2)] == [Box(1), Box(2)]",
            ]
        ).format(self.pick("abcde"), self.pick("abcde"))

    def alias(self, depth: int) -> str:
        """Something is changed by way of an expression that may stand for several things."""
        text = self.pick(
            [
                "x = [[1], [2]]\nx[<int> % 2].append({1})\n{0} = x",
                "x = [[1], [2]]\ndel x[<int> % 2][0]\n{0} = x",
                "x = [[1], [2]]\nx[<int> % 2][:] = [{1}]\n{0} = x",
                "x, y = [1], [2]\n(x if <bool> else y).append({1})\n{0} = x, y",
                "x, y = [1], [2]\nif <bool>: y = x\ny.append({1})\n{0} = x, y",
                "x = {{'p': [1], 'q': [2]}}\nx.get(<str>, x['p']).append(3)\n{0} = x",
                "x = [[1], [2]]\nfor y in x[<int> % 3:]:\n    y.append({1})\n{0} = x",
                "x = [[0]]\ny = [1]\nx.insert(<int> % 2, y)\nx[0].append({1})\n{0} = x, y",
                "x, y = {{}}, [1]\nx[<str>] = y\nfor z in x.values(): z.append(2)\n{0} = x, y",
                "x, y = {{}}, [1]\nx.update({{<str>: y}})\nx.popitem()[1].append(2)\n{0} = x, y",
                "x, y = [1], [2]\nz = [x, y][<int> % 2]\nz += [{1}]\n{0} = x, y",
                "x, y = [1], [2]\ndef f():\n    if <bool>: return x\n    return y\n"
                "f().append({1})\n{0} = x, y",
                "x, y = Box([1]), Box([2])\n(x if <bool> else y).value = {1}\n"
                "{0} = x.value, y.value",
                "x, y = Box([1]), Box([2])\n(x if <bool> else y).value.append({1})\n"
                "{0} = x.value, y.value",
                "x, y = [1], [2]\nz = x.append if <bool> else y.append\nz({1})\n{0} = x, y",
                "x = [[1], [2]]\nmax(x, key=lambda p: p[0] * <int>).append({1})\n{0} = x",
                "x = [[1], [2]]\ny = sorted(x, key=lambda p: <int>)\ny[0].append(1)\n{0} = x",
                "x = [[1], [2]]\ny = [p for p in x if <bool>]\nfor p in y: p.append({1})\n{0} = x",
                "x = ([1], [2])\ny, z = x if <bool> else ([3], [4])\nz.append({1})\n{0} = x",
                "x = [[1], [2]]\ny = iter(x) if <bool> else iter([])\n"
                "next(y, [0]).append({1})\n{0} = x, list(y)",
                "x = [[1]]\ny = x + [<int>, [2]]\ny[<int> % 2 * 2].append({1})\n{0} = x, y",
                "x = {{'p': [1]}}\nfor y, z in x.items() if <bool> else ():\n"
                "    z.append({1})\n{0} = x",
                "x, y = [1], []\nif <bool>: y.append(x)\ny.append([2])\ny[0].append({1})\n"
                "{0} = x, y",
                "x = [1]\n(<bool> and x or [2]).append({1})\n{0} = x",
                "x = [[1], [2]]\nfor i, y in enumerate(x[: <int> % 3]): y.insert(i, {1})\n{0} = x",
                "x = [1]\ny = {{'k': x, 'l': <any>}}\ny[<str>[:0] + 'k'].pop()\n{0} = x, y",
            ]
        )
        one, other = self.pick("abcde"), self.pick("abcde")
        return self.filled(text.format(one, other), 1)

    def chain(self, depth: int) -> str:
        return self.pick(
            [
                "x = y = []\nx.append({1})\n{0} = y",
                "x = [[0]] * 2\nx[0].append({1})\n{0} = x",
                "x = {{'p': {1}}}\ny = x.setdefault('q', [])\ny.append(1)\n{0} = x",
                "x = [1, 2, 3]\nfor y in x:\n    if y == 2: x.remove(y)\n{0} = x",
                "x = iter([1, 2, 3])\ny = next(x)\n{0} = [y, *x]",
                "x = zip([1, 2], [3, 4])\n{0} = dict(x), list(x)",
                "assert {1} or True, 'no'\n{0} = 1",
                "x, y = {1}, 2\ndel x\n{0} = y",
                "{0} = [1, 2, 3][slice(1, None)]",
                "def f(x):\n    try:\n        return x[0]\n    finally:\n        x.append(7)\n"
                "x = [1]\n{0} = f(x), x",
                "with open(os.devnull) as x:\n    {0} = 1",
                "x = os.environ.get('NOT_SET_AT_ALL')\n{0} = [x, 1]",
                "if os.path.exists('/'):\n    {0} = [0]",
            ]
        ).format(self.pick("abcde"), self.pick("abcde"))

    def match(self, depth: int) -> str:
        cases = [
            "case 1 | 2:", "case [x, *_]:", "case {'k': x}:", "case str() as x:", "case (x, y):",
            "case None:", "case int(x) if x > 3:", "case Point(x=1):", "case []:", "case 'text':",
            "case {'k': [x, *y], **z}:", "case [int(), str()]:", "case True:",
        ]  # fmt: skip
        text = f"match {self.expression('any')}:"
        for _ in range(self.source.randint(1, 3)):
            text += f"\n    {self.pick(cases)}\n" + textwrap.indent(self.block(depth), "    ")
        return text + "\n    case _:\n" + textwrap.indent(self.block(depth), "    ")


def program(seed: int, unsure: bool = False) -> str:
    """The program of a seed; if `unsure`, some of its constants are results of `unsure(n)`."""
    writer = Program(random.Random(seed))
    body = "\n".join(writer.statement(2) for _ in range(writer.source.randint(2, 5)))
    if unsure:
        for number, constants in enumerate((("7", "1"), ("[1, 2]", "[]"), ("True", "'ab'"))):
            for constant in constants:
                if constant in body:
                    body = body.replace(constant, f"unsure({number})", 1)
                    break
    used = set(re.findall(r"\w+", body))
    for name, more in NEEDS.items():
        if name in used:
            used |= more
    if "note" in used:
        body += "\nc, log = log[:9], [c]"
    head = [line for name, line in IMPORTS.items() if name in used]
    head += [text for name, text in PARTS.items() if name in used]
    return "\n".join([*head, BEGIN + body, ""])
