"""Python's builtin functions and types, on values.

`BUILTINS` maps a name to what calling it does. What is not there (`input`, `open`, `exec`, ...)
is Unknown when called.
"""

from __future__ import annotations

import builtins
import collections.abc
import functools
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from . import operators
from .limits import MOST_ITEMS
from .memory import ITERATOR, Memory, origin
from .methods import METHODS, Method, attribute, sort_list
from .operators import PLAIN, describe, elements, text_of, truth
from .signals import Exit, Native, native
from .values import (
    External,
    HostFunction,
    HostObject,
    Instance,
    Unknown,
    UserClass,
    UserFunction,
    UserModule,
    Value,
)

if TYPE_CHECKING:
    from .machine import Machine

Builtin = Callable[["Machine", Sequence[Value], Mapping[str, Value]], Value]

#: `pow(a, b, c)` takes a time that grows with the cube of it.
_MOST_BITS_MODULAR: Final = 256

#: Types that `isinstance` and `type` know, by full name.
TYPES: Final[Mapping[str, type]] = {
    f"builtins.{kind.__name__}": kind
    for kind in (
        bool, bytes, complex, dict, float, frozenset, int, list, object, range, set, slice, str,
        tuple,
    )
} | {
    f"{module}.{name}": getattr(collections.abc, name)
    for module in ("collections.abc", "typing")
    for name in ("Mapping", "Sequence", "Iterable", "Collection", "MutableMapping", "Hashable")
} | {
    f"pathlib.{name}": PurePosixPath for name in ("Path", "PurePath", "PosixPath")
}  # fmt: skip


def take(memory: Memory, values: Any) -> list[Value]:
    """The items of one of Python's own iterators, as many as the bounds allow."""
    made = native(list, islice(values, MOST_ITEMS + 1))
    memory.budget.items(len(made))
    return made  # type: ignore[no-any-return]


def _known(function: Callable[..., Any]) -> Builtin:
    """A function of wholly known plain values."""

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        args = list(args)
        for index, value in enumerate(args):
            if type(value) is ITERATOR:
                args[index] = elements(machine.memory, value)
        for value in (*args, *kwargs.values()):
            if doubt := machine.memory.doubt(value):
                return doubt
            if type(value) not in PLAIN:
                return Unknown(f"what {function.__name__} does with {describe(value)}", None)
        return native(function, *args, **kwargs)

    return call


def _over(function: Callable[..., Any]) -> Builtin:
    """The same for a function whose first argument is iterated."""
    inner = _known(function)

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if args:
            items = elements(machine.memory, args[0])
            if isinstance(items, Unknown):
                return items
            args = [items, *args[1:]]
        return inner(machine, args, kwargs)

    return call


def _collection(kind: type) -> Builtin:
    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if len(args) != 1 or kwargs:
            return native(kind, *args, **kwargs)
        items = elements(machine.memory, args[0])
        if isinstance(items, Unknown):
            return items
        if kind in (set, frozenset) and (doubt := machine.memory.doubt(items)):
            return doubt
        return native(kind, items)

    return call


def _dict(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    pairs: Value = ()
    if args:
        source = machine.memory.seen(args[0])
        if (unknown := origin(source)) is not None:
            return unknown
        pairs = source
        if type(source) is not dict:
            pairs = elements(machine.memory, source)
            if isinstance(pairs, Unknown):
                return pairs
            keys = [pair[0] for pair in pairs if type(pair) in (list, tuple) and len(pair) == 2]
            if doubt := machine.memory.doubt(keys):
                return doubt
            if any(type(pair) not in PLAIN for pair in pairs):
                return next(
                    filter(None, map(machine.memory.doubt, pairs)),
                    Unknown("a dict made from objects", None),
                )
        machine.memory.budget.items(len(pairs))
    return native(dict, pairs, *args[1:], **kwargs)


def _len(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) == 1 and type(args[0]) not in PLAIN and not kwargs:
        if isinstance(args[0], HostObject) and (found := args[0].iterate()) is not None:
            return len(found)
        return origin(args[0]) or Unknown(f"the length of {describe(args[0])}", None)
    return native(len, *args, **kwargs)


def _range(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    return _known(range)(machine, args, kwargs)


def _text(function: Callable[[Any], str]) -> Builtin:
    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if len(args) == 1 and not kwargs:
            value = args[0]
            if function is str and isinstance(value, Instance) and len(value.args) == 1:
                from .signals import builtin_exception

                if isinstance(value.cls, External) and builtin_exception(value.cls.dotted):
                    value = value.args[0]
            return text_of(machine.memory, value, function)
        return _known(function)(machine, args, kwargs)

    return call


def _format(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) in (1, 2) and not kwargs:
        spec = args[1] if len(args) == 2 else ""
        if type(spec) is str:
            return operators.formatted(machine.memory, args[0], spec)
    return _known(format)(machine, args, kwargs)


def _bool(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    return truth(machine.memory, args[0]) if len(args) == 1 and not kwargs else native(bool, *args)


def _all_of(machine: Machine, args: Sequence[Value]) -> list[list[Value]] | Unknown:
    """Each argument's elements."""
    found: list[list[Value]] = []
    for arg in args:
        items = elements(machine.memory, arg)
        if isinstance(items, Unknown):
            return items
        found.append(items)
    return found


def _iterator(function: Callable[..., Any], iterated: int = 1) -> Builtin:
    """enumerate, zip, reversed and iter: elements may be of any type."""

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        count = len(args) if iterated < 0 else iterated
        # Only as much of a long range is made as the shortest partner asks for.
        items = _all_of(machine, [arg for arg in args[:count] if type(arg) is not range])
        if isinstance(items, Unknown):
            return items
        made = iter(items)
        whole = [arg if type(arg) is range else next(made) for arg in args[:count]]
        for value in (*args[count:], *kwargs.values()):
            if doubt := machine.memory.doubt(value):
                return doubt
        return iter(take(machine.memory, native(function, *whole, *args[count:], **kwargs)))

    return call


def _sorted(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 1 or set(kwargs) - {"key", "reverse"}:
        return native(sorted, *args, **kwargs)
    items = elements(machine.memory, args[0])
    if isinstance(items, Unknown):
        return items
    reverse = truth(machine.memory, kwargs.get("reverse", False))
    if isinstance(reverse, Unknown):
        return reverse
    return sort_list(machine.memory, items, key_function(machine, kwargs.get("key")), reverse)


def key_function(machine: Machine, key: Value) -> Callable[[Value], Value] | None:
    """`key=` of sorted, min, max and list.sort."""
    return None if key is None else lambda value: machine.call(key, [value])


def _extreme(function: Callable[..., Any]) -> Builtin:
    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        items = elements(machine.memory, args[0]) if len(args) == 1 else list(args)
        if isinstance(items, Unknown):
            return items
        options = {name: value for name, value in kwargs.items() if name != "key"}
        if kwargs.get("key") is None:
            return _known(function)(machine, [items], options)
        keys = [machine.call(kwargs["key"], [item]) for item in items]
        if doubt := machine.memory.doubt(keys):
            return doubt
        if not items:
            return native(function, items, **options)
        return items[native(function, range(len(items)), key=keys.__getitem__)]

    return call


def _quantifier(until: bool) -> Builtin:
    """any (until a true element) and all (until a false one)."""

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if len(args) != 1 or kwargs:
            return native(any if until else all, *args, **kwargs)
        items = elements(machine.memory, args[0])
        if isinstance(items, Unknown):
            return items
        doubt: Unknown | None = None
        for item in items:
            found = truth(machine.memory, item)
            if found is until:
                return until
            if isinstance(found, Unknown):
                doubt = doubt or found
        return not until if doubt is None else doubt

    return call


def _map(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) < 2 or kwargs:
        return native(map, *args, **kwargs)
    columns = _all_of(machine, args[1:])
    if isinstance(columns, Unknown):
        return columns
    return iter([machine.call(args[0], list(row)) for row in zip(*columns, strict=False)])


def _filter(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 2 or kwargs:
        return native(filter, *args, **kwargs)
    items = elements(machine.memory, args[1])
    if isinstance(items, Unknown):
        return items
    kept: list[Value] = []
    for item in items:
        verdict = item if args[0] is None else machine.call(args[0], [item])
        found = truth(machine.memory, verdict)
        if isinstance(found, Unknown):
            return found
        if found:
            kept.append(item)
    return iter(kept)


def _sum(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if not args or len(args) > 2 or set(kwargs) - {"start"}:
        return native(sum, *args, **kwargs)
    items = elements(machine.memory, args[0])
    if isinstance(items, Unknown):
        return items
    total: Value = kwargs.get("start", args[1] if len(args) == 2 else 0)
    if type(total) in (str, bytes):
        return native(sum, [], total)
    for item in items:
        machine.memory.budget.spend()
        total = operators.binary(machine.memory, ("+", _plus), total, item)
    return total


def _plus(left: Any, right: Any) -> Any:
    return left + right


def _next(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if not args or (unknown := origin(machine.memory.seen(args[0]))) is not None:
        return unknown if args else native(next)
    if type(args[0]) is not ITERATOR:
        return (
            native(next, *args)
            if type(args[0]) in PLAIN
            else Unknown(f"the next of {describe(args[0])}", None)
        )
    machine.memory.touch(args[0])
    return native(next, *args, **kwargs)


def _isinstance(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 2 or kwargs:
        return native(isinstance, *args, **kwargs)
    classes = list(args[1]) if type(args[1]) is tuple else [args[1]]
    doubt: Unknown | None = None
    for cls in classes:
        found = _is_instance(args[0], cls)
        if found is True:
            return True
        if isinstance(found, Unknown):
            doubt = doubt or found
    return doubt if doubt is not None else False


def _is_instance(value: Value, cls: Value) -> bool | Unknown:
    unknown = origin(value) or origin(cls)
    if unknown is not None:
        return unknown
    kind = TYPES.get(cls.dotted) if isinstance(cls, External) else None
    if kind is object:
        return True
    if type(value) in PLAIN and kind is not None:
        return isinstance(value, kind)
    if type(value) in PLAIN and isinstance(cls, UserClass):
        return False
    if isinstance(value, Instance) and value.cls is cls:
        return True
    if kind is not None and isinstance(value, HostObject | UserFunction | UserClass | UserModule):
        return False
    return Unknown(f"whether {describe(value)} is of type {describe(cls)}", None)


def _type(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) == 1 and not kwargs:
        name = f"builtins.{type(args[0]).__name__}"
        if type(args[0]) in PLAIN and name in TYPES:
            return machine.builtin(name)
        if isinstance(args[0], Instance):
            return args[0].cls
        return origin(args[0]) or Unknown(f"the type of {describe(args[0])}", None)
    return Unknown("a class made by type()", None)


def _callable(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) == 1 and not kwargs:
        value = args[0]
        if isinstance(value, UserFunction | UserClass | HostFunction | Method):
            return True
        if type(value) in PLAIN or isinstance(value, UserModule):
            return False
        if isinstance(value, External) and value.dotted.startswith("builtins."):
            return True
        return origin(value) or Unknown(f"whether {describe(value)} can be called", None)
    return native(callable, *args, **kwargs)


def _getattr(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) not in (2, 3) or kwargs:
        return native(getattr, *args, **kwargs)
    if type(args[1]) is not str:
        return origin(args[1]) or native(getattr, 0, args[1])
    has = _has(machine, args[0], args[1])
    if has is False and len(args) == 3:
        return args[2]
    return machine.attribute(args[0], args[1])


def _hasattr(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 2 or kwargs or type(args[1]) is not str:
        return next(filter(None, map(origin, args)), None) or native(hasattr, *args, **kwargs)
    return _has(machine, args[0], args[1])


def _has(machine: Machine, value: Value, name: str) -> bool | Unknown:
    value = machine.memory.seen(value)
    if type(value) in PLAIN:
        return hasattr(value, name)
    if isinstance(value, UserModule):
        return name in value.scope.names
    if isinstance(value, HostObject):
        return name in value.api
    return origin(value) or Unknown(f"whether {describe(value)} has {name!r}", None)


def _power(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) == 2 and not kwargs:
        return operators.binary(machine.memory, ("**", pow), args[0], args[1])
    if any(type(arg) is int and arg.bit_length() > _MOST_BITS_MODULAR for arg in args):
        return Unknown("a power of large numbers", None)
    return _known(pow)(machine, args, kwargs)


def _round(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    for digits in (*args[1:], *kwargs.values()):
        if type(digits) is int:
            machine.memory.budget.bits(abs(digits))
    return _known(round)(machine, args, kwargs)


def _print(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    return None


def leave(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`exit()` and its like."""
    raise Exit


def _bytes(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if args and type(args[0]) is int:
        machine.memory.budget.text(max(0, args[0]))
    return _known(bytes)(machine, args, kwargs)


def method_of_type(machine: Machine, dotted: str) -> Builtin | None:
    """`str.upper`, `dict.fromkeys`: a method reached through its type."""
    _, kind_name, *rest = dotted.split(".")
    kind = getattr(builtins, kind_name, None)
    if len(rest) != 1 or kind is None or kind not in METHODS:
        return None
    (name,) = rest
    if dotted == "builtins.dict.fromkeys":
        return _from_keys
    if name not in METHODS[kind]:
        return None

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if not args or type(args[0]) is not kind:
            unknown = origin(args[0]) if args else None
            if unknown is not None:
                return unknown
            raise Native(TypeError(f"unbound method {kind_name}.{name}() needs an argument"))
        return machine.call(attribute(args[0], name), args[1:], kwargs)

    return call


def _from_keys(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if not args:
        return native(dict.fromkeys, *args)
    keys = elements(machine.memory, args[0])
    doubt = keys if isinstance(keys, Unknown) else machine.memory.doubt(keys)
    return doubt if doubt is not None else native(dict.fromkeys, keys, *args[1:], **kwargs)


def constant(value: Value) -> Builtin:
    """A function that gives the same whatever it is called with."""
    return lambda machine, args, kwargs: value


BUILTINS: Final[Mapping[str, Builtin]] = {
    "abs": _known(abs),
    "all": _quantifier(False),
    "any": _quantifier(True),
    "ascii": _text(ascii),
    "bin": _known(bin),
    "bool": _bool,
    "bytes": _bytes,
    "callable": _callable,
    "chr": _known(chr),
    "complex": _known(complex),
    "dict": _dict,
    "divmod": _known(divmod),
    "enumerate": _iterator(enumerate),
    "exit": leave,
    "filter": _filter,
    "float": _known(float),
    "format": _format,
    "frozenset": _collection(frozenset),
    "getattr": _getattr,
    "hasattr": _hasattr,
    "hex": _known(hex),
    "int": _known(int),
    "isinstance": _isinstance,
    "iter": _iterator(iter),
    "len": _len,
    "list": _collection(list),
    "map": _map,
    "max": _extreme(max),
    "min": _extreme(min),
    "next": _next,
    "oct": _known(oct),
    "ord": _known(ord),
    "pow": _power,
    "print": _print,
    "quit": leave,
    "range": _range,
    "repr": _text(repr),
    "reversed": _iterator(reversed),
    "round": _round,
    "set": _collection(set),
    "slice": _known(slice),
    "sorted": _sorted,
    "str": _text(str),
    "sum": _sum,
    "tuple": _collection(tuple),
    "type": _type,
    "zip": _iterator(functools.partial(zip), -1),
}
