"""The standard library as far as graph files compute with it: paths, environment, json, math.

`FUNCTIONS` maps a full name to what calling it does, `CONSTANTS` to a value. Nothing here looks at
the machine: the clock, the process's own environment and the file system, but for texts beside the
graph file (files.py), stay unknown.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import posixpath
import re
import string
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from . import computing, files, objects, operators
from .builtin_functions import Builtin, known, lazily, leave, take
from .limits import DEEPEST_VALUE
from .memory import ITERATOR, ITERATORS, Memory, env_unknown, origin
from .operators import describe, elements, printable
from .rounds import each
from .signals import native
from .values import EnvValue, Unknown, Value

if TYPE_CHECKING:
    from .machine import Machine

CONSTANTS: Final[Mapping[str, Value]] = {
    "uuid.NAMESPACE_DNS": uuid.NAMESPACE_DNS,
    "uuid.NAMESPACE_URL": uuid.NAMESPACE_URL,
    **{
        f"re.{name}": getattr(re, name)
        for name in "I IGNORECASE M MULTILINE S DOTALL X VERBOSE A ASCII".split()
    },
    **{f"math.{name}": getattr(math, name) for name in ("e", "inf", "nan", "pi", "tau")},
    **{
        f"string.{name}": getattr(string, name)
        for name in ("ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits",
                     "octdigits", "printable", "punctuation", "whitespace")
    },
    "os.sep": "/",
    "os.path.sep": "/",
    "os.linesep": "\n",
    "os.curdir": ".",
    "os.pardir": "..",
    "typing.TYPE_CHECKING": False,
    "typing_extensions.TYPE_CHECKING": False,
}  # fmt: skip

#: Values, not objects, that differ from machine to machine.
VARYING: Final = frozenset(
    "os.name sys.argv sys.byteorder sys.executable sys.flags sys.maxsize sys.path sys.platform "
    "sys.prefix sys.version sys.version_info".split()
)


# -- environment


def environ_item(machine: Machine, name: Value) -> Value:
    """`os.environ[name]`."""
    return _variable(machine, name, None, required=True)


def set_environ(machine: Machine, name: Value, value: Value) -> None:
    """`os.environ[name] = value`; later reads give the value."""
    if type(name) is str:
        machine.memory.write(machine.env, name, value)


def in_environ(machine: Machine, name: Value) -> Value:
    """`name in os.environ`."""
    found = _variable(machine, name, None, required=False)
    return env_unknown(found) if isinstance(found, EnvValue) else origin(found) or True


def _variable(machine: Machine, name: Value, default: Value, *, required: bool) -> Value:
    if type(name) is not str:
        return origin(name) or native(os.environ.__getitem__, name)
    if name in machine.env:
        return machine.env[name]
    variable = EnvValue(name, default if type(default) is str else None, required, machine.here)
    if default is not None and type(default) is not str:
        return env_unknown(variable)
    return variable


def _getenv(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    bound = native(_getenv_arguments, *args, **kwargs)
    return _variable(machine, *bound, required=False)


def _getenv_arguments(key: Value, default: Value = None) -> tuple[Value, Value]:
    return key, default


def _setdefault(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    value = _getenv(machine, args, kwargs)
    if args:
        set_environ(machine, args[0], value)
    return value


def _update(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    for source in (*args, kwargs):
        if type(source) is dict:
            for name, value in source.items():
                set_environ(machine, name, value)
    return None


# -- paths


def _path(function: Callable[..., Any]) -> Builtin:
    """A function of `os.path` that only computes; path objects count as their text."""
    inner = known(function)

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        made = [str(arg) if type(arg) is PurePosixPath else arg for arg in args]
        machine.memory.budget.text(sum(len(arg) for arg in made if type(arg) is str))
        return inner(machine, made, kwargs)

    return call


def _absolute(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """Files are looked for beside the graph file, wherever graphc is started."""

    def absolute(path: str) -> str:
        return posixpath.normpath(posixpath.join(machine.root, path))

    return _path(absolute)(machine, args, kwargs)


def _relative(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    def relative(path: str, start: str = ".") -> str:
        return posixpath.relpath(
            posixpath.join(machine.root, path), posixpath.join(machine.root, start)
        )

    return _path(relative)(machine, args, kwargs)


def _expanduser(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if args and str(args[0]).startswith("~"):
        return Unknown("the home folder of whoever builds", None)
    return _path(posixpath.normpath)(machine, args, kwargs) if not args else args[0]


def _pure_path(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    return known(PurePosixPath)(machine, args, {})


# -- json, copy, itertools, functools

_WIDEST_INDENT = 32


def _json_loads(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 1 or kwargs:
        return Unknown("the result of json.loads with options", None)
    if type(args[0]) in (str, bytes):
        machine.memory.budget.text(len(args[0]) * 16)
    return known(json.loads)(machine, args, kwargs)


def _json_dumps(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if set(kwargs) - {"indent", "sort_keys", "ensure_ascii", "separators"}:
        return Unknown("the result of json.dumps with a hook", None)
    for value in (*args, *kwargs.values()):
        if doubt := printable(machine.memory, value, kinds=False):
            return doubt
    indent = kwargs.get("indent")
    width = indent if type(indent) is int else len(indent) if type(indent) is str else 0
    if width > _WIDEST_INDENT or len(str(kwargs.get("separators", ""))) > _WIDEST_INDENT:
        return Unknown("the result of json.dumps with so wide an indent", None)
    text = native(json.dumps, *args, **kwargs)
    machine.memory.budget.text(len(text))
    return text


def _copy(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 1:
        return Unknown("a copy with options", None)
    value = args[0]
    if type(value) in (list, dict, set):
        machine.memory.budget.items(len(value))
        return machine.memory.of_kind(machine.memory.made(value.copy()), value)
    return _immutable(value)


def _immutable(value: Value) -> Value:
    if type(value) in operators.PLAIN and type(value) is not ITERATOR:
        return value
    return origin(value) or Unknown(f"a copy of {describe(value)}", None)


def _deepcopy(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 1:
        return Unknown("a copy with options", None)
    return _deep(machine.memory, args[0], {}, 0)


def _deep(memory: Memory, value: Value, done: dict[int, Value], depth: int) -> Value:
    value = memory.seen(value)
    if id(value) in done:
        return done[id(value)]
    memory.budget.spend()
    kind = type(value)
    if depth > DEEPEST_VALUE:
        return memory.doubt(value)
    if kind is list:
        made: Value = memory.made([])
        done[id(value)] = made
        made.extend(_deep(memory, item, done, depth + 1) for item in value)
        return made
    if kind is dict:
        made = memory.of_kind(memory.made({}), value)
        done[id(value)] = made
        for key, item in value.items():
            made[key] = _deep(memory, item, done, depth + 1)
        return made
    if kind is tuple:
        return tuple(_deep(memory, item, done, depth + 1) for item in value)
    return value.copy() if kind is set else _immutable(value)


def _combined(function: Callable[..., Any], first: int | None = None) -> Builtin:
    """A function of itertools that combines iterables; the first `first` arguments are such."""

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        count = len(args) if first is None else first
        if function in _LAZY and any(type(arg) in ITERATORS for arg in args[:count]):
            return lazily(machine, function, args[:count], args[count:], kwargs)
        pools: list[Value] = []
        for arg in args[:count]:
            items = elements(machine.memory, arg)
            if isinstance(items, Unknown):
                return items
            pools.append(items)
        for value in (*args[count:], *kwargs.values()):
            if doubt := machine.memory.doubt(value):
                return doubt
            if type(value) is int and value > DEEPEST_VALUE * 10:
                return Unknown("so many combinations", None)
        counted = native(function, *pools, *args[count:], **kwargs)
        made = take(machine.memory, _charged(machine.memory, counted))
        return machine.memory.iterator(made, args[:count])

    return call


_LAZY: Final = frozenset(
    {itertools.chain, itertools.islice, itertools.pairwise, itertools.zip_longest}
)


def _endless(function: Callable[..., Any]) -> Builtin:
    """`itertools.count` and its like, which give numbers or values and never end by themselves."""

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        return lazily(machine, function, (), args, kwargs)

    return call


def _charged(memory: Memory, values: Any) -> Any:
    for value in values:
        memory.budget.spend(1 + (len(value) >> 3 if type(value) is tuple else 0))
        yield value


def _chained(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) == 1 and type(args[0]) in ITERATORS:
        walks = (each(machine.memory, inner) for inner in each(machine.memory, args[0]))
        made = itertools.chain.from_iterable(walks)
        return machine.generators.lazy("chain", made, *args)
    items = elements(machine.memory, args[0]) if args else []
    return items if isinstance(items, Unknown) else FUNCTIONS["itertools.chain"](machine, items, {})


_NOTHING: Final = object()


def _reduce(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) not in (2, 3) or kwargs:
        return native(_reduce_arguments, *args, **kwargs)
    items = each(machine.memory, args[1])
    total = args[2] if len(args) == 3 else next(items, _NOTHING)
    if total is _NOTHING:
        return native(_reduce_nothing)
    for item in items:
        total = machine.call(args[0], [total, item])
    return total


def _reduce_arguments(function: Value, iterable: Value, initial: Value = None, /) -> Value:
    raise AssertionError("called with a number of arguments that does not fit")


def _reduce_nothing() -> Value:
    raise TypeError("reduce() of empty iterable with no initial value")


def _cast(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    return args[1] if len(args) == 2 else Unknown("typing.cast with other arguments", None)


def progress_bar(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`tqdm(items)`: the items."""
    return args[0] if args else kwargs.get("iterable", Unknown("a progress bar", None))


def _awaited(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`asyncio.run` and its like; tasks are run at once, as only their results matter."""
    return machine.calls.awaited(args[0]) if args else Unknown("nothing is awaited", None)


def _gathered(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    return [machine.calls.awaited(arg) for arg in args]


_MATH = (
    "acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh degrees dist exp exp2 "
    "expm1 fabs floor fmod frexp fsum gcd hypot isclose isfinite isinf isnan isqrt ldexp log "
    "log10 log1p log2 modf radians remainder sin sinh sqrt tan tanh trunc"
)

FUNCTIONS: Final[Mapping[str, Builtin]] = {
    "os.getenv": _getenv,
    "os.environ.get": _getenv,
    "os.environ.setdefault": _setdefault,
    "os.environ.update": _update,
    **{
        f"os.path.{name}": _path(getattr(posixpath, name))
        for name in ("basename", "dirname", "isabs", "join", "normpath", "split", "splitext")
    },
    "os.path.abspath": _absolute,
    "os.path.realpath": _absolute,
    "os.path.relpath": _relative,
    "os.path.expanduser": _expanduser,
    "os.fspath": _path(str),
    **dict.fromkeys(
        ("pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath"),
        _pure_path,
    ),
    "json.loads": _json_loads,
    "json.dumps": _json_dumps,
    "copy.copy": _copy,
    "copy.deepcopy": _deepcopy,
    "functools.reduce": _reduce,
    "itertools.count": _endless(itertools.count),
    "itertools.chain": _combined(itertools.chain),
    "itertools.chain.from_iterable": _chained,
    "itertools.product": _combined(itertools.product),
    "itertools.zip_longest": _combined(itertools.zip_longest),
    "itertools.pairwise": _combined(itertools.pairwise),
    "itertools.combinations": _combined(itertools.combinations, 1),
    "itertools.permutations": _combined(itertools.permutations, 1),
    "itertools.islice": _combined(itertools.islice, 1),
    **dict.fromkeys(("asyncio.run", "asyncio.create_task", "asyncio.ensure_future"), _awaited),
    "asyncio.gather": _gathered,
    "asyncio.wait_for": _awaited,
    "sys.exit": leave,
    "os._exit": leave,
    "builtins.object.__setattr__": objects.set_attribute,
    "typing.cast": _cast,
    "typing_extensions.cast": _cast,
    **{f"math.{name}": known(getattr(math, name)) for name in _MATH.split()},
    **files.FUNCTIONS,
    **computing.FUNCTIONS,
}
