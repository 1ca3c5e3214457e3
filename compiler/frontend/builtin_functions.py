"""Python's builtin functions and types, on values.

`BUILTINS` maps a name to what calling it does. What is not there (`input`, `open`, `exec`, ...)
is Unknown when called.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from . import aliases, enums, introspection, objects, operators, special
from .formats import formatted, text_of
from .limits import MOST_ITEMS
from .memory import ITERATOR, ITERATORS, Memory, origin
from .methods import METHODS, attribute, sort_list
from .operators import PLAIN, describe, elements, truth
from .rounds import each
from .signals import Exit, Finished, Lost, Native, native
from .values import (
    ABSENT,
    Generator,
    HostObject,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from .machine import Machine

Builtin = Callable[["Machine", Sequence[Value], Mapping[str, Value]], Value]

#: `pow(a, b, c)` takes a time that grows with the cube of it.
_MOST_BITS_MODULAR: Final = 256


def take(memory: Memory, values: Any) -> list[Value]:
    """The items of one of Python's own iterators, as many as the bounds allow."""
    made = native(list, islice(values, MOST_ITEMS + 1))
    memory.budget.items(len(made))
    return made  # type: ignore[no-any-return]


def known(function: Callable[..., Any]) -> Builtin:
    """A function of wholly known plain values."""

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        args = [enums.as_given(value) for value in args]
        for index, value in enumerate(args):
            if type(value) in ITERATORS:
                args[index] = elements(machine.memory, value)
        for value in (*args, *kwargs.values()):
            if doubt := machine.memory.doubt(value):
                return doubt
            if type(value) not in PLAIN:
                return Unknown(f"what {function.__name__} does with {describe(value)}", None)
        return native(function, *args, **kwargs)

    return call


def _collection(kind: type) -> Builtin:
    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if len(args) != 1 or kwargs:
            return machine.memory.made(native(kind, *args, **kwargs))
        items = elements(machine.memory, args[0])
        if isinstance(items, Unknown):
            return items
        if kind in (set, frozenset) and (doubt := machine.memory.doubt(items)):
            return doubt
        return machine.memory.made(native(kind, items))

    return call


def make_dict(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
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
            if doubt := machine.memory.doubt_of_keys(*keys):
                return doubt
            if any(type(pair) not in PLAIN for pair in pairs):
                return next(
                    filter(None, map(machine.memory.doubt, pairs)),
                    Unknown("a dict made from objects", None),
                )
        machine.memory.budget.items(len(pairs))
    return machine.memory.made(native(dict, pairs, *args[1:], **kwargs))


def _len(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) == 1 and type(args[0]) not in PLAIN and not kwargs:
        if isinstance(args[0], HostObject) and (found := args[0].iterate()) is not None:
            return len(found)
        if (size := special.method(machine.memory, args[0], "__len__")) is not ABSENT:
            return size
        if enums.is_enum(args[0]):
            return len(enums.members(args[0]))
        if (items := objects.named_items(args[0])) is not None:
            return len(items)
        return origin(args[0]) or Unknown(f"the length of {describe(args[0])}", None)
    return native(len, *args, **kwargs)


def _text(function: Callable[[Any], str]) -> Builtin:
    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if len(args) == 1 and not kwargs:
            return text_of(machine.memory, args[0], function)
        return known(function)(machine, args, kwargs)

    return call


def _format(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) in (1, 2) and not kwargs:
        spec = args[1] if len(args) == 2 else ""
        if type(spec) is str:
            return formatted(machine.memory, args[0], spec)
    return known(format)(machine, args, kwargs)


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
        if function is iter and len(args) == 1 and type(args[0]) in ITERATORS:
            return args[0]
        if function is iter and len(args) == 1:
            own = special.iterated(machine.memory, args[0])
            if own is not ABSENT:
                return own
        if any(type(arg) in ITERATORS for arg in args[:count]) and function is not reversed:
            return lazily(machine, function, args[:count], args[count:], kwargs)
        for value in (*args[count:], *kwargs.values()):
            if doubt := machine.memory.doubt(value):
                return doubt

        def items() -> list[Value] | Unknown:
            # Only as much of a long range is made as the shortest partner asks for.
            items = _all_of(machine, [arg for arg in args[:count] if type(arg) is not range])
            if isinstance(items, Unknown):
                return items
            made = iter(items)
            whole = [arg if type(arg) is range else next(made) for arg in args[:count]]
            return take(machine.memory, native(function, *whole, *args[count:], **kwargs))

        found = items()
        if isinstance(found, Unknown):
            return found
        sized = [arg for arg in args[:count] if type(arg) in (dict, set)]
        sizes = [*map(len, sized)]

        def again() -> list[Value] | Unknown:
            if [*map(len, sized)] != sizes:  # Python raises where it is asked for the next one
                return Unknown("an iterator over what changed its size", None)
            return items()

        remake = None if function is reversed else again
        return machine.memory.iterator(found, args[:count], remake)

    return call


def lazily(
    machine: Machine,
    function: Callable[..., Any],
    iterables: Sequence[Value],
    rest: Sequence[Value] = (),
    kwargs: Mapping[str, Value] = MappingProxyType({}),
) -> Value:
    """What a function of Python's own gives that goes through iterables as it is asked to."""
    for value in (*rest, *kwargs.values()):
        if doubt := machine.memory.doubt(value):
            return doubt

    walks = [each(machine.memory, value) for value in iterables]
    made = native(function, *walks, *rest, **kwargs)
    return machine.generators.lazy(function.__name__, made, *iterables)


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
    """min and max, which compare each key with the best one so far."""
    compare = operator.gt if function is max else operator.lt

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        memory = machine.memory
        key = key_function(machine, kwargs.get("key")) or enums.as_given
        best: list[Value] = []
        doubt: Unknown | None = None
        for item in each(memory, args[0]) if len(args) == 1 else args:
            made = key(item)
            better = (
                truth(memory, operators.ordered(memory, compare, made, best[1])) if best else True
            )
            if isinstance(better, Unknown):
                doubt = doubt or better
            elif better:
                best = [item, made]
        if doubt is not None or best:
            return doubt if doubt is not None else best[0]
        return native(
            function, (), **{name: value for name, value in kwargs.items() if name != "key"}
        )

    return call


def _quantifier(until: bool) -> Builtin:
    """any (until a true element) and all (until a false one)."""

    def call(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
        if len(args) != 1 or kwargs:
            return native(any if until else all, *args, **kwargs)
        doubt: Unknown | None = None
        for item in each(machine.memory, args[0]):
            found = truth(machine.memory, item)
            if found is until and doubt is None:
                return until
            if isinstance(found, Unknown):
                doubt = doubt or found
                if isinstance(args[0], Generator):
                    return machine.generators.lost(args[0], doubt)
            elif found is until:
                return until
        return not until if doubt is None else doubt

    return call


def _map(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) < 2 or kwargs:
        return native(map, *args, **kwargs)

    def called(*row: Value) -> Value:
        return machine.call(args[0], row)

    walks = [each(machine.memory, value) for value in args[1:]]
    return machine.generators.lazy("map", map(called, *walks), *args)


def _filter(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 2 or kwargs:
        return native(filter, *args, **kwargs)

    def kept(item: Value) -> bool:
        found = truth(machine.memory, item if args[0] is None else machine.call(args[0], [item]))
        if isinstance(found, Unknown):
            raise Lost(found)
        return found

    made = filter(kept, each(machine.memory, args[1]))
    return machine.generators.lazy("filter", made, *args)


def _sum(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if not args or len(args) > 2 or set(kwargs) - {"start"}:
        return native(sum, *args, **kwargs)
    total: Value = kwargs.get("start", args[1] if len(args) == 2 else 0)
    if type(total) in (str, bytes):
        return native(sum, [], total)
    for item in each(machine.memory, args[0]):
        total = operators.binary(machine.memory, ("+", _plus), total, item)
    return total


def _plus(left: Any, right: Any) -> Any:
    return left + right


def _next(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if not args:
        return native(next)
    if (unknown := origin(machine.memory.seen(args[0]))) is not None:
        aliases.moved(machine.memory, unknown)
        return unknown
    if isinstance(args[0], Generator) and len(args) < 3 and not kwargs:
        if len(args) == 1:
            return machine.generators.method(args[0], "__next__", [])
        try:
            return machine.generators.resume(args[0])
        except Finished:
            return args[1]
    if (found := special.method(machine.memory, args[0], "__next__")) is not ABSENT:
        return found
    if type(args[0]) is not ITERATOR:
        return (
            native(next, *args)
            if type(args[0]) in PLAIN
            else Unknown(f"the next of {describe(args[0])}", None)
        )
    machine.memory.touch(args[0])
    return native(next, *args, **kwargs)


def _power(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) == 2 and not kwargs:
        return operators.binary(machine.memory, ("**", pow), args[0], args[1])
    if any(type(arg) is int and arg.bit_length() > _MOST_BITS_MODULAR for arg in args):
        return Unknown("a power of large numbers", None)
    return known(pow)(machine, args, kwargs)


def _round(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    for digits in (*args[1:], *kwargs.values()):
        if type(digits) is int:
            machine.memory.budget.bits(abs(digits))
    return known(round)(machine, args, kwargs)


def _print(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    return None


def leave(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`exit()` and its like."""
    raise Exit


def _bytes(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if args and type(args[0]) is int:
        machine.memory.budget.text(max(0, args[0]))
    return known(bytes)(machine, args, kwargs)


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
        args = [enums.as_given(value) for value in args]
        if not args or type(args[0]) is not kind:
            unknown = origin(args[0]) if args else None
            if unknown is not None:
                return unknown
            if args and type(args[0]) not in PLAIN:
                return Unknown(f"what {kind_name}.{name} does with {describe(args[0])}", None)
            raise Native(TypeError(f"unbound method {kind_name}.{name}() needs an argument"))
        return machine.call(attribute(args[0], name), args[1:], kwargs)

    return call


def _from_keys(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if not args:
        return native(dict.fromkeys, *args)
    keys = elements(machine.memory, args[0])
    if isinstance(keys, Unknown):
        return keys
    doubt = machine.memory.doubt_of_keys(*keys)
    return doubt if doubt is not None else native(dict.fromkeys, keys, *args[1:], **kwargs)


BUILTINS: Final[Mapping[str, Builtin]] = {
    "abs": known(abs),
    "all": _quantifier(False),
    "any": _quantifier(True),
    "ascii": _text(ascii),
    "bin": known(bin),
    "bool": _bool,
    "bytes": _bytes,
    "callable": introspection.callable_,
    "chr": known(chr),
    "complex": known(complex),
    "dict": make_dict,
    "divmod": known(divmod),
    "enumerate": _iterator(enumerate),
    "exit": leave,
    "filter": _filter,
    "float": known(float),
    "format": _format,
    "frozenset": _collection(frozenset),
    "getattr": introspection.getattr_,
    "hasattr": introspection.hasattr_,
    "hex": known(hex),
    "int": known(int),
    "isinstance": introspection.isinstance_,
    "issubclass": introspection.issubclass_,
    "iter": _iterator(iter),
    "len": _len,
    "list": _collection(list),
    "map": _map,
    "max": _extreme(max),
    "min": _extreme(min),
    "next": _next,
    "oct": known(oct),
    "ord": known(ord),
    "pow": _power,
    "print": _print,
    "quit": leave,
    "range": known(range),
    "repr": _text(repr),
    "reversed": _iterator(reversed),
    "round": _round,
    "set": _collection(set),
    "setattr": introspection.setattr_,
    "slice": known(slice),
    "sorted": _sorted,
    "str": _text(str),
    "sum": _sum,
    "tuple": _collection(tuple),
    "type": introspection.type_,
    "vars": introspection.vars_,
    "zip": _iterator(zip, -1),
}
