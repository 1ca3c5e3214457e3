"""Modules of the standard library that only compute: texts, dates, encodings, order, fields.

`FUNCTIONS` maps a full name to what calling it does, as in stdlib.py. What asks for the clock, for
a time zone or for random numbers is not there. Work is bounded before it is done.
"""

from __future__ import annotations

import ast
import base64
import bisect
import collections
import datetime
import heapq
import itertools
import operator
import re
import statistics
import textwrap
import urllib.parse
import uuid
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import libcst as cst

from . import enums, objects, operators
from .builtin_functions import Builtin, known, lazily, make_dict
from .limits import DEEPEST_VALUE, is_costly
from .memory import origin
from .operators import elements, truth
from .rounds import each
from .scope import Scope
from .signals import Lost, Native, native
from .values import ABSENT, External, Instance, Unknown, UserClass, UserFunction, Value

if TYPE_CHECKING:
    from .machine import Machine

_LONGEST: Final = 10_000
#: Decorators of functions that are run once for the same arguments.
REMEMBERING: Final = frozenset({"functools.cache", "functools.lru_cache"})


def _short(function: Callable[..., Any]) -> Builtin:
    """A function of known values whose work and result grow with its texts and lists."""
    inner = known(function)

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        for arg in (*args, *kwargs.values()):
            if hasattr(arg, "__len__") and len(arg) > _LONGEST:
                return Unknown(f"what {function.__name__} makes of so much", None)
            if type(arg) in (int, float) and abs(arg) > _LONGEST * DEEPEST_VALUE:
                return Unknown(f"what {function.__name__} makes of such a number", None)
        return inner(machine, args, kwargs)

    return call


# -- regular expressions


_RE_OPTIONS: Final = frozenset({"count", "flags", "maxsplit"})


def _matching(function: Callable[..., Any]) -> Builtin:
    """`re.sub(pattern, repl, text)` and its like."""
    inner = _short(function)

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        text = args[-1] if args and function is not re.sub else args[2] if len(args) > 2 else None
        if len(args) < 2 or type(text) is not str or set(kwargs) - _RE_OPTIONS:
            return machine.memory.doubt(args) or Unknown(f"what re.{function.__name__} gives", None)
        source = args[0].pattern if type(args[0]) is re.Pattern else args[0]
        if type(source) is not str:
            return origin(source) or Unknown("a pattern that is no text", None)
        if is_costly(source, text):
            return Unknown("what so costly a regular expression matches", None)
        return inner(machine, args, kwargs)

    return call


# -- dataclasses


def _as_dict(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    return _deep(args[0], dict, 0) if len(args) == 1 and not kwargs else _other("asdict")


def _as_tuple(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    return _deep(args[0], tuple, 0) if len(args) == 1 and not kwargs else _other("astuple")


def _other(name: str) -> Unknown:
    return Unknown(f"dataclasses.{name} with other arguments", None)


def _deep(value: Value, kind: type, depth: int) -> Value:
    """Dataclasses in the value, however deep, as dicts or tuples; containers are copied."""
    if depth > DEEPEST_VALUE:
        return Unknown("so deep a value", None)

    def inner(item: Value) -> Value:
        return _deep(item, kind, depth + 1)

    if (names := _fields(value)) is not None:
        values = [inner(value.fields[name]) for name in names if name in value.fields]
        return dict(zip(names, values, strict=False)) if kind is dict else tuple(values)
    if type(value) in (list, tuple):
        return type(value)(map(inner, value))
    if type(value) is dict:
        return {inner(key): inner(item) for key, item in value.items()}
    if depth == 0:
        return origin(value) or Unknown("the fields of what may not be a dataclass", None)
    return value


def _fields(value: Value) -> list[str] | None:
    """The names of a dataclass's fields, of its object."""
    if not isinstance(value, Instance) or value.fields is None:
        return None
    return objects.fields(value.cls) if isinstance(value.cls, UserClass) else None


def _replace(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    names = _fields(args[0]) if len(args) == 1 else None
    if names is None:
        return origin(args[0]) or _other("replace") if args else _other("replace")
    given = {name: args[0].fields[name] for name in names if name in args[0].fields}
    return machine.call(args[0].cls, [], {**given, **kwargs})


def _named_fields(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    cls = args[0].cls if args and isinstance(args[0], Instance) else args[0] if args else None
    found = objects.fields(cls) if isinstance(cls, UserClass) else None
    if found is None:
        return Unknown("the fields of what may not be a dataclass", None)
    return tuple(_namespace(machine, {"name": name}) for name in found)


# -- objects of the standard library


def _namespace(machine: Machine, fields: dict[str, Value]) -> Instance:
    return Instance(External("types.SimpleNamespace", machine.here), (), {}, machine.here, fields)


def _simple_namespace(
    machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]
) -> Value:
    return _namespace(machine, dict(kwargs)) if not args else Unknown("a namespace", None)


def _default_dict(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    made = make_dict(machine, args[1:], kwargs)
    if type(made) is dict:
        machine.memory.set_kind(made, "collections.defaultdict", args[0] if args else None)
    return made


def _ordered_dict(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    made = make_dict(machine, args, kwargs)
    if type(made) is dict:
        machine.memory.set_kind(made, "collections.OrderedDict", None)
    return made


def _named_tuple(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`collections.namedtuple("P", "x y")`: the class that `typing.NamedTuple` would make."""
    names: Value = args[1] if len(args) == 2 else None
    defaults = kwargs.get("defaults", ())
    if type(names) is str:
        names = names.replace(",", " ").split()
    if (
        set(kwargs) - {"defaults"}
        or type(names) not in (list, tuple)
        or type(defaults) not in (list, tuple)
        or not all(type(name) is str and name.isidentifier() for name in [args[0], *names])
    ):
        return machine.memory.doubt(args) or Unknown("a named tuple", None)
    lines = [f"    {name}: object\n" for name in names]
    native(collections.namedtuple, args[0], list(names), defaults=defaults)
    node = cst.parse_statement(f"class {args[0]}(NamedTuple):\n{''.join(lines) or '    pass'}")
    assert isinstance(node, cst.ClassDef)
    module, here = machine.position[0], machine.here
    members = dict(zip(names[len(names) - len(defaults) :], defaults, strict=False))
    base = External(objects.NAMED_TUPLE, here)
    scope = Scope(module, "class")
    return UserClass(module, node, args[0], False, scope, here, (base,), members)


def _object(dotted: str) -> Builtin:
    """What is called later on; `called` says what it does then."""

    def make(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        kind = External(dotted, machine.here)
        return Instance(kind, tuple(args), dict(kwargs), machine.here)

    return make


def is_called(cls: Value) -> bool:
    """Does `called` know what a call of such an object does?"""
    return isinstance(cls, External) and cls.dotted in _CALLED


_CALLED: Final = frozenset(
    ("functools.partial", "operator.attrgetter", "operator.itemgetter", "operator.methodcaller")
)


def called(machine: Machine, made: Instance, args: list[Value], kwargs: dict[str, Value]) -> Value:
    """A call of a `functools.partial`, `operator.itemgetter` and the like;
    ABSENT if it is none."""
    assert isinstance(made.cls, External)
    match made.cls.dotted:
        case "functools.partial" if made.args:
            first, *rest = made.args
            return machine.call(first, [*rest, *args], {**made.kwargs, **kwargs})
        case "operator.itemgetter" if made.args and len(args) == 1:
            found = [operators.item(machine.memory, args[0], key) for key in made.args]
        case "operator.attrgetter" if made.args and len(args) == 1:
            found = [_attributes(machine, args[0], name) for name in made.args]
        case "operator.methodcaller" if made.args and len(args) == 1:
            return machine.call(
                machine.attribute(args[0], made.args[0]), made.args[1:], made.kwargs
            )
        case _:
            return ABSENT
    return found[0] if len(found) == 1 else tuple(found)


def _attributes(machine: Machine, value: Value, dotted: Value) -> Value:
    if type(dotted) is not str:
        return origin(dotted) or native(operator.attrgetter, dotted)
    for name in dotted.split("."):
        value = machine.attribute(value, name)
    return value


# -- itertools


def _accumulate(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if not args or len(args) > 2 or set(kwargs) - {"initial"}:
        return Unknown("itertools.accumulate with other arguments", None)

    def plus(left: Value, right: Value) -> Value:
        if len(args) == 2 and args[1] is not None:
            return machine.call(args[1], [left, right])
        return operators.binary(machine.memory, ("+", operator.add), left, right)

    made = itertools.accumulate(each(machine.memory, args[0]), plus, **kwargs)
    return machine.lazy("accumulate", made, *args)


def _while(function: Callable[..., Any], wanted: bool = True) -> Builtin:
    """itertools.takewhile and its like, which ask a function about each item."""

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if len(args) != 2 or kwargs:
            return native(function, *args, **kwargs)

        def asked(item: Value) -> bool:
            found = truth(
                machine.memory, machine.call(args[0], [item]) if args[0] is not None else item
            )
            if isinstance(found, Unknown):
                raise Lost(found)
            return found

        return machine.lazy(
            function.__name__, function(asked, each(machine.memory, args[1])), *args
        )

    return call


def _starmap(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 2 or kwargs:
        return native(itertools.starmap, *args, **kwargs)

    def rows() -> Any:
        for row in each(machine.memory, args[1]):
            items = elements(machine.memory, row)
            if isinstance(items, Unknown):
                raise Lost(items)
            yield machine.call(args[0], items)

    return machine.lazy("starmap", rows(), *args)


def _groups(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`itertools.groupby`: a group is gone once the next one is asked for, as in Python."""
    key = args[1] if len(args) == 2 else kwargs.get("key")
    if not args or len(args) > 2 or set(kwargs) - {"key"}:
        return native(itertools.groupby, *args, **kwargs)

    def asked(item: Value) -> Value:
        value = enums.as_given(item if key is None else machine.call(key, [item]))
        if doubt := machine.memory.doubt(value):
            raise Lost(doubt)
        return value

    def rows() -> Any:
        for value, group in itertools.groupby(each(machine.memory, args[0]), asked):
            yield value, machine.lazy("group", group, args[0])

    return machine.lazy("groupby", rows(), *args)


def _endless(function: Callable[..., Any]) -> Builtin:
    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        return lazily(machine, function, args[:1], args[1:], kwargs)

    return call


def _repeat(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    times = args[1] if len(args) > 1 else kwargs.get("times")
    if not args or (times is not None and type(times) is not int):
        return origin(times) or Unknown("itertools.repeat with other arguments", None)
    made = itertools.repeat(args[0]) if times is None else itertools.repeat(args[0], times)
    return machine.lazy("repeat", made, args[0])


def _combinations(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    items = elements(machine.memory, args[0]) if args else []
    if isinstance(items, Unknown):
        return items
    count = args[1] if len(args) > 1 else kwargs.get("r")
    if type(count) is not int or count > DEEPEST_VALUE or len(items) > DEEPEST_VALUE:
        return origin(count) or Unknown("so many combinations", None)
    return machine.lazy(
        "combinations", native(itertools.combinations_with_replacement, items, count), args[0]
    )


def _keeping(function: Callable[..., Any]) -> Builtin:
    """A function that changes its first argument, a list, and compares what is in it."""

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        doubt = machine.memory.doubt(args)
        if kwargs or not args or type(args[0]) is not list:
            doubt = doubt or Unknown(f"what {function.__name__} does", None)
        if doubt is not None:
            if args and type(args[0]) is list:
                machine.memory.blur(args[0], doubt, args[1:])
            return doubt
        machine.memory.touch(args[0])
        machine.memory.budget.items(len(args[0]))
        return native(function, *args)

    return call


def _shuffle(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`random.shuffle(items)`: what is where is not known any more."""
    unknown = Unknown("the order after random.shuffle", machine.here)
    if args and type(args[0]) is list:
        machine.memory.blur(args[0], unknown)
    return None


# -- answers that are remembered


def _remembered(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`functools.cache(f)`, `functools.lru_cache(f)` or, of other arguments, the decorator."""
    if args and isinstance(args[0], UserFunction):
        return replace(args[0], answers={})
    return External("functools.lru_cache", machine.here)


def _operator(function: Callable[[Any, Any], Any], symbol: str) -> Builtin:
    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if len(args) != 2 or kwargs:
            return native(function, *args, **kwargs)
        return operators.binary(machine.memory, (symbol, function), args[0], args[1])

    return call


def _product(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`math.prod`"""
    total: Value = kwargs.get("start", 1)
    if len(args) != 1 or set(kwargs) - {"start"}:
        return Unknown("math.prod with other arguments", None)
    for item in each(machine.memory, args[0]):
        total = operators.binary(machine.memory, ("*", operator.mul), total, item)
    return total


def _ordered(function: Callable[[Any, Any], Any]) -> Builtin:
    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if len(args) != 2 or kwargs:
            return native(function, *args, **kwargs)
        return operators.ordered(machine.memory, function, args[0], args[1])

    return call


def _get_item(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 2 or kwargs:
        raise Native(TypeError("getitem expected 2 arguments"))
    return operators.item(machine.memory, args[0], args[1])


FUNCTIONS: Final[Mapping[str, Builtin]] = {
    **{
        f"re.{name}": _matching(getattr(re, name))
        for name in ("findall", "fullmatch", "match", "search", "split", "sub")
    },
    "re.compile": _short(re.compile),
    "re.escape": _short(re.escape),
    "dataclasses.asdict": _as_dict,
    "dataclasses.astuple": _as_tuple,
    "dataclasses.replace": _replace,
    "dataclasses.fields": _named_fields,
    "types.SimpleNamespace": _simple_namespace,
    "collections.namedtuple": _named_tuple,
    "collections.defaultdict": _default_dict,
    "collections.OrderedDict": _ordered_dict,
    "functools.partial": _object("functools.partial"),
    **{
        f"operator.{name}": _object(f"operator.{name}")
        for name in ("attrgetter", "itemgetter", "methodcaller")
    },
    "operator.getitem": _get_item,
    **{
        f"operator.{function.__name__}": _operator(function, symbol)
        for symbol, function in operators.BINARY.values()
    },
    **{f"operator.{one.__name__}": _ordered(one) for one in operators.ORDER.values()},
    "math.prod": _product,
    "itertools.accumulate": _accumulate,
    "itertools.takewhile": _while(itertools.takewhile),
    "itertools.dropwhile": _while(itertools.dropwhile),
    "itertools.filterfalse": _while(itertools.filterfalse),
    "itertools.starmap": _starmap,
    "itertools.groupby": _groups,
    "itertools.cycle": _endless(itertools.cycle),
    "itertools.repeat": _repeat,
    "itertools.combinations_with_replacement": _combinations,
    "itertools.compress": _short(itertools.compress),
    "datetime.date": known(datetime.date),
    "datetime.date.fromisoformat": known(datetime.date.fromisoformat),
    "datetime.datetime": known(datetime.datetime),
    "datetime.datetime.fromisoformat": known(datetime.datetime.fromisoformat),
    "datetime.datetime.strptime": _short(datetime.datetime.strptime),
    "datetime.timedelta": known(datetime.timedelta),
    "uuid.UUID": known(uuid.UUID),
    "uuid.uuid3": _short(uuid.uuid3),
    "uuid.uuid5": _short(uuid.uuid5),
    **{
        f"base64.{name}": _short(getattr(base64, name))
        for name in ("b16encode", "b64decode", "b64encode", "urlsafe_b64decode",
                     "urlsafe_b64encode")
    },
    "zlib.crc32": _short(zlib.crc32),
    "zlib.adler32": _short(zlib.adler32),
    **{
        f"urllib.parse.{name}": _short(getattr(urllib.parse, name))
        for name in ("parse_qs", "parse_qsl", "quote", "quote_plus", "unquote", "unquote_plus",
                     "urlencode", "urljoin", "urlparse", "urlsplit")
    },
    **{
        f"textwrap.{name}": _short(getattr(textwrap, name))
        for name in ("dedent", "fill", "indent", "shorten", "wrap")
    },
    **{
        f"statistics.{name}": _short(getattr(statistics, name))
        for name in ("fmean", "mean", "median", "mode", "pstdev", "stdev", "variance")
    },
    **{
        f"bisect.{name}": _short(getattr(bisect, name))
        for name in ("bisect", "bisect_left", "bisect_right")
    },
    **{
        f"bisect.{name}": _keeping(getattr(bisect, name))
        for name in ("insort", "insort_left", "insort_right")
    },
    **{
        f"heapq.{name}": _keeping(getattr(heapq, name))
        for name in ("heapify", "heappop", "heappush", "heappushpop", "heapreplace")
    },
    "random.shuffle": _shuffle,
    **dict.fromkeys(REMEMBERING, _remembered),
    "heapq.nlargest": _short(heapq.nlargest),
    "heapq.nsmallest": _short(heapq.nsmallest),
    "ast.literal_eval": _short(ast.literal_eval),
}  # fmt: skip
