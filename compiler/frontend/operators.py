"""Operators, comparisons, iteration and subscripts on values.

Each function gives a value, an Unknown (without a span, which the caller adds) if an operand keeps
it from being known, or raises `Native` with the exception that Python would raise.
"""

from __future__ import annotations

import datetime
import math
import operator
import re
import urllib.parse
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

import libcst as cst

from ..diagnostics import did_you_mean
from . import aliases, enums, objects, special
from .limits import MOST_BITS, check_percent
from .memory import ITERATOR, MUTABLE, Memory, env_unknown, origin
from .signals import Finished, Lost, Native, native
from .values import (
    ABSENT,
    BoundMethod,
    Coroutine,
    Descriptor,
    EnvValue,
    External,
    Generator,
    HostFunction,
    HostModule,
    HostObject,
    Instance,
    OpenText,
    TextFile,
    Unknown,
    UserClass,
    UserFunction,
    UserModule,
    Value,
)

_NUMBERS: Final = frozenset({bool, int, float, complex})
_TEXTS: Final = frozenset({str, bytes})
_SEQUENCES: Final = frozenset({str, bytes, list, tuple})
VIEWS: Final[frozenset[type]] = frozenset({type({}.keys()), type({}.values()), type({}.items())})
#: Types whose values are Python's own.
PLAIN: Final = (
    _NUMBERS
    | _TEXTS
    | VIEWS
    | {type(None), type(...), list, tuple, dict, set, frozenset, range, slice, ITERATOR}
    | {PurePosixPath, datetime.date, datetime.datetime, datetime.timedelta, uuid.UUID}
    | {re.Pattern, re.Match, re.RegexFlag, urllib.parse.ParseResult, urllib.parse.SplitResult}
)

Operation = tuple[str, Callable[[Any, Any], Any]]

#: By node: the operator's text and what Python does for it; the same for `x += y` and its like.
BINARY: Final[Mapping[type[cst.CSTNode], Operation]] = {
    cst.Add: ("+", operator.add),
    cst.Subtract: ("-", operator.sub),
    cst.Multiply: ("*", operator.mul),
    cst.Divide: ("/", operator.truediv),
    cst.FloorDivide: ("//", operator.floordiv),
    cst.Modulo: ("%", operator.mod),
    cst.Power: ("**", operator.pow),
    cst.LeftShift: ("<<", operator.lshift),
    cst.RightShift: (">>", operator.rshift),
    cst.BitAnd: ("&", operator.and_),
    cst.BitOr: ("|", operator.or_),
    cst.BitXor: ("^", operator.xor),
    cst.MatrixMultiply: ("@", operator.matmul),
}
IN_PLACE: Final[Mapping[type[cst.CSTNode], Operation]] = {
    cst.AddAssign: ("+", operator.iadd),
    cst.SubtractAssign: ("-", operator.isub),
    cst.MultiplyAssign: ("*", operator.imul),
    cst.DivideAssign: ("/", operator.itruediv),
    cst.FloorDivideAssign: ("//", operator.ifloordiv),
    cst.ModuloAssign: ("%", operator.imod),
    cst.PowerAssign: ("**", operator.ipow),
    cst.LeftShiftAssign: ("<<", operator.ilshift),
    cst.RightShiftAssign: (">>", operator.irshift),
    cst.BitAndAssign: ("&", operator.iand),
    cst.BitOrAssign: ("|", operator.ior),
    cst.BitXorAssign: ("^", operator.ixor),
    cst.MatrixMultiplyAssign: ("@", operator.imatmul),
}
UNARY: Final[Mapping[type[cst.CSTNode], Callable[[Any], Any]]] = {
    cst.Minus: operator.neg,
    cst.Plus: operator.pos,
    cst.BitInvert: operator.invert,
}
_UNARY: Final = {operator.neg: "__neg__", operator.pos: "__pos__", operator.invert: "__invert__"}
ORDER: Final[Mapping[type[cst.CSTNode], Callable[[Any, Any], Any]]] = {
    cst.LessThan: operator.lt,
    cst.LessThanEqual: operator.le,
    cst.GreaterThan: operator.gt,
    cst.GreaterThanEqual: operator.ge,
}


def describe(value: Value) -> str:
    """What messages call the value."""
    match value:
        case Unknown():
            return "a value that is not known"
        case OpenText():
            return "a text that is not known"
        case EnvValue(name=name):
            return f"the environment variable {name}"
        case External(dotted=dotted):
            return dotted.removeprefix("builtins.")
        case UserFunction(name=name):
            return f"the function {name}"
        case UserClass(name=name):
            return f"the class {name}"
        case Generator(name=name):
            return f"the generator {name}"
        case Coroutine(function=function):
            return f"the coroutine {function.name}"
        case BoundMethod(function=function):
            return f"the method {function.name}"
        case Instance(cls=UserClass(name=name)) | Instance(cls=External(dotted=name)):
            return f"an object of class {name}"
        case UserModule(module=module):
            return f"the module {module.name}"
        case HostModule(dotted=dotted):
            return f"the module {dotted}"
        case HostFunction(name=name):
            return name
        case HostObject():
            return value.description
    return f"a {type(value).__name__}"


def truth(memory: Memory, value: Value) -> bool | Unknown:
    """`bool(value)`; objects of other modules and of the graph API count as true."""
    for name in ("__bool__", "__len__"):
        if (found := special.method(memory, value, name)) is not ABSENT:
            return truth(memory, found)
    unknown = origin(memory.seen(value))
    if unknown is not None:
        return unknown
    if type(value) in PLAIN:
        return bool(value)
    if isinstance(value, Instance) and isinstance(value.cls, UserClass):
        for name in ("__bool__", "__len__"):
            if any(name in cls.members for cls in _user_classes(value.cls)):
                return Unknown(f"whether {describe(value)} counts as true", None)
    return True


def _user_classes(cls: UserClass) -> Iterator[UserClass]:
    """The class and its bases of the user's."""
    yield cls
    for base in cls.bases:
        if isinstance(base, UserClass):
            yield from _user_classes(base)


# -- arithmetic


def binary(memory: Memory, operation: Operation, left: Value, right: Value) -> Value:
    """`left + right` and its like; in place if the operation is, and `left` can be changed."""
    symbol, function = operation
    kinds = type(left), type(right)
    if kinds == (list, Generator) and function is operator.iadd:
        return extend(memory, left, right) or left
    if kinds[0] not in PLAIN or kinds[1] not in PLAIN:
        return _on_objects(memory, operation, left, right)
    if symbol == "%" and kinds[0] in _TEXTS:
        for row in right if kinds[1] is tuple else (right,):
            if doubt := printable(memory, row):
                return doubt
        check_percent(memory.budget, left, right)
    else:
        _check_size(memory, symbol, left, right)
    if kinds[0] in MUTABLE and function in _CHANGING:
        if kinds[0] is list and symbol == "+":
            right = elements(memory, right)
            if type(right) is Unknown:
                return right
        memory.touch(left)
        return native(function, left, right)
    made = _new(memory, native(function, left, right))
    if symbol == "|" and kinds == (dict, dict):
        memory.of_kind(made, left if memory.kind(left) else right)
    return made


def _new(memory: Memory, value: Value) -> Value:
    """What an operation of Python's own made."""
    return memory.made(value) if type(value) in MUTABLE else value


def printable(
    memory: Memory, value: Value, *, paths: bool = True, kinds: bool = True
) -> Unknown | None:
    """What keeps the value's text from being known, or from being the same in every run.

    With `kinds`, the text says which class of dict it is.
    """
    if doubt := memory.doubt(value):
        return doubt
    kind = type(value)
    if kind not in PLAIN or kind is ITERATOR:
        return Unknown(f"the text of {describe(value)}", None)
    if kind is PurePosixPath:
        return None if paths else Unknown("the text of a path object", None)
    if kind in (set, frozenset):
        ordered = len(value) < 2 or all(type(one) in (int, bool) for one in value)
        return None if ordered else Unknown("the order of a set", None)
    inner: list[Value] = []
    if kind is dict and kinds and memory.kind(value):
        return Unknown(f"the text of a {memory.kind(value)}", None)
    if kind is dict:
        inner = [*value.keys(), *value.values()]
    elif kind in (list, tuple) or kind in VIEWS:
        inner = list(value)
    for one in inner:
        if found := printable(memory, one, paths=False, kinds=kinds):
            return found
    return None


def extend(memory: Memory, left: list[Value], made: Generator) -> Unknown | None:
    """`left.extend(made)`: the generator sees what it has given so far."""
    try:
        while True:
            item = made.owner.resume(made)
            memory.touch(left)
            left.append(item)
            memory.budget.spend()
    except Finished:
        return None
    except Lost as exc:
        memory.blur(left, exc.unknown, [exc.unknown])
        return exc.unknown


_CHANGING: Final = frozenset(function for _, function in IN_PLACE.values())


def _on_objects(memory: Memory, operation: Operation, left: Value, right: Value) -> Value:
    symbol, function = operation
    if (unknown := origin(left)) is not None:
        return unknown
    found = special.binary(memory, symbol, function in _CHANGING, left, right)
    if (unknown := origin(right)) is not None:
        # Its class may have the method that comes first.
        return unknown if found is ABSENT else aliases.one_of(unknown, [found])
    if found is not ABSENT:
        return found
    numbers = enums.as_given(left), enums.as_given(right)
    if (numbers[0] is not left or numbers[1] is not right) and not (
        symbol == "%" and type(numbers[0]) in _TEXTS
    ):
        return binary(memory, operation, *numbers)
    other = left if type(left) not in PLAIN else right
    return Unknown(f"what {symbol!r} does with {describe(other)}", None)


def _check_size(memory: Memory, symbol: str, left: Value, right: Value) -> None:
    """Asks for the size of the result before it is made."""
    kinds = type(left), type(right)
    if symbol == "+" and kinds[0] in _SEQUENCES and kinds[0] is kinds[1]:
        _sequence(memory, kinds[0], len(left) + len(right))
    elif symbol == "*":
        if kinds[0] in _SEQUENCES and kinds[1] in (int, bool):
            _sequence(memory, kinds[0], len(left) * max(0, right))
        elif kinds[1] in _SEQUENCES and kinds[0] in (int, bool):
            _sequence(memory, kinds[1], len(right) * max(0, left))
        elif kinds == (int, int):
            memory.budget.bits(left.bit_length() + right.bit_length())
    elif symbol == "**" and kinds == (int, int) and right > 0 and abs(left) > 1:
        memory.budget.bits(int(math.log2(abs(left)) * min(right, 10 * MOST_BITS)))
    elif symbol == "<<" and kinds[0] in (int, bool) and kinds[1] is int and left and right > 0:
        memory.budget.bits(left.bit_length() + right)
    elif symbol in "|&-^" and kinds[0] in (dict, set, frozenset):
        memory.budget.items(len(left) + (len(right) if hasattr(right, "__len__") else 0))


def _sequence(memory: Memory, kind: type, length: int) -> None:
    if kind in _TEXTS:
        memory.budget.text(length)
    else:
        memory.budget.items(length)


def unary(memory: Memory, function: Callable[[Any], Any], value: Value) -> Value:
    """`-value` and its like."""
    value = value if type(value) in PLAIN else enums.as_given(value)
    if type(value) in PLAIN:
        return native(function, value)
    found = special.method(memory, value, _UNARY[function])
    if found is not ABSENT:
        return found
    return origin(value) or Unknown(f"what an operator does with {describe(value)}", None)


# -- comparisons


def compare(memory: Memory, node: cst.BaseCompOp, left: Value, right: Value) -> Value:
    """One comparison: a bool, or Unknown."""
    match node:
        case cst.Equal():
            return equal(memory, left, right)
        case cst.NotEqual():
            return negated(equal(memory, left, right))
        case cst.Is():
            return identical(memory, left, right)
        case cst.IsNot():
            return negated(identical(memory, left, right))
        case cst.In():
            return contains(memory, left, right)
        case cst.NotIn():
            return negated(contains(memory, left, right))
    return ordered(memory, ORDER[type(node)], left, right)


def ordered(
    memory: Memory, function: Callable[[Any, Any], Any], left: Value, right: Value
) -> bool | Unknown:
    """`left < right` and its like."""
    if isinstance(left, Instance) or isinstance(right, Instance):
        found = special.compare(memory, function, left, right)
        if found is not ABSENT:
            return found  # type: ignore[no-any-return]
    left, right = enums.as_given(left), enums.as_given(right)
    doubt = memory.doubt(left) or memory.doubt(right)
    if doubt is None and (type(left) not in PLAIN or type(right) not in PLAIN):
        other = left if type(left) not in PLAIN else right
        doubt = Unknown(f"a comparison with {describe(other)}", None)
    return doubt if doubt is not None else native(function, left, right)


def negated(value: bool | Unknown) -> bool | Unknown:
    return value if isinstance(value, Unknown) else not value


def equal(memory: Memory, left: Value, right: Value) -> bool | Unknown:
    """`left == right`."""
    if type(left) in _TEXTS and type(right) in _TEXTS:
        return bool(left == right)
    unknown = origin(left) or origin(right)
    if unknown is not None:
        return unknown
    if isinstance(left, Instance) or isinstance(right, Instance):
        found = special.compare(memory, operator.eq, left, right)
        if found is not ABSENT:
            return truth(memory, found)
    if left is right:
        return True
    if left is None or right is None:
        return False
    if type(left) is External or type(right) is External:
        return _same_external(left, right)
    if enums.is_member(left) and enums.is_member(right) and left.cls is right.cls:
        return False
    left, right = enums.as_given(left), enums.as_given(right)
    if objects.by_identity(left) and (objects.by_identity(right) or type(right) in PLAIN):
        return False
    if objects.by_identity(right) and type(left) in PLAIN:
        return False
    if doubt := memory.doubt(left) or memory.doubt(right):
        return doubt
    if memory.kind(left) == memory.kind(right) == "collections.OrderedDict":
        left, right = list(left.items()), list(right.items())
    return bool(native(operator.eq, left, right))


def _same_external(left: Value, right: Value) -> bool | Unknown:
    if type(left) is type(right):
        if left.dotted == right.dotted:
            return True
        if left.dotted.startswith("builtins.") and right.dotted.startswith("builtins."):
            return False
    elif isinstance(left, UserFunction | UserClass) or isinstance(right, UserFunction | UserClass):
        return False
    other = left if type(left) is External else right
    if other.dotted.startswith("builtins."):
        return False
    return Unknown(f"the value of {other.dotted}", None)


def identical(memory: Memory, left: Value, right: Value) -> bool | Unknown:
    """`left is right`, as far as the language says it and not the implementation."""
    for one, other in ((left, right), (right, left)):
        if type(one) is EnvValue and other is None:
            return False if one.required or one.default is not None else env_unknown(one)
    unknown = origin(left) or origin(right)
    if unknown is not None:
        return unknown
    if type(left) is External and type(right) is External:
        return _same_external(left, right)
    if left is right:
        return True
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is Instance and (left.fields is None or right.fields is None):
        return Unknown("whether what a class makes is one object", None)
    if kind in (tuple, frozenset) or (kind in _NUMBERS | _TEXTS and left == right):
        return Unknown("whether two equal values are one object", None)
    return False


def contains(memory: Memory, item: Value, container: Value) -> bool | Unknown:
    """`item in container`."""
    kind = type(container)
    unknown = origin(memory.seen(container))
    if unknown is not None:
        return unknown
    if isinstance(container, HostObject):
        found = container.contains(item)
        return found if found is not None else Unknown(f"what {describe(container)} holds", None)
    if kind is Generator:
        return _asked(memory, item, container)
    found = special.method(memory, container, "__contains__", item)
    if found is not ABSENT:
        return truth(memory, found)
    found = special.iterated(memory, container)
    if found is not ABSENT:
        return contains(memory, item, found)
    if kind is UserClass and enums.is_enum(container):
        return _among(memory, item, enums.members(container))
    if kind not in PLAIN:
        return Unknown(f"what {describe(container)} holds", None)
    item = enums.as_given(item)
    doubt = memory.doubt(item)
    if kind in (dict, set, frozenset):
        return doubt if doubt is not None else bool(native(operator.contains, container, item))
    if kind in (list, tuple):
        return _among(memory, item, container)
    doubt = doubt or memory.doubt(container)
    if doubt is not None:
        return doubt
    if kind is ITERATOR:
        memory.touch(container)
    return bool(native(operator.contains, container, item))


def _asked(memory: Memory, item: Value, made: Generator) -> bool | Unknown:
    """Membership in what a generator gives, which goes on up to the element."""
    while True:
        try:
            other = made.owner.resume(made)
        except Finished:
            return False
        except Lost as exc:
            return exc.unknown
        found = other is item or equal(memory, other, item)
        if isinstance(found, Unknown):
            return made.owner.lost(made, found)
        if found:
            return True


def _among(memory: Memory, item: Value, items: Sequence[Value]) -> bool | Unknown:
    """Membership by equality, which one known equal element is enough for."""
    doubt: Unknown | None = None
    if type(item) in _NUMBERS | _TEXTS and not any(type(other) not in PLAIN for other in items):
        memory.budget.spend(len(items) >> 3)
        return item in items
    memory.budget.spend(len(items))
    for other in items:
        found = True if other is item else equal(memory, other, item)
        if found is True:
            return True
        if isinstance(found, Unknown):
            doubt = doubt or found
    return doubt if doubt is not None else False


# -- iteration and subscripts


def elements(memory: Memory, value: Value) -> list[Value] | Unknown:
    """What `for x in value` yields, as a new list."""
    value = memory.seen(value)
    unknown = origin(value)
    if unknown is not None:
        aliases.moved(memory, unknown)
        return aliases.one_of(unknown, aliases.items(memory, [unknown]))
    kind = type(value)
    if kind is Generator:
        return value.owner.rest(value)  # type: ignore[no-any-return]
    if isinstance(value, HostObject):
        found = value.iterate()
        if found is not None:
            return list(found)
        raise Native(TypeError(f"{value.description} is not iterable"))
    if kind is TextFile:
        return elements(memory, value.lines)
    if kind is UserClass and enums.is_enum(value):
        return enums.members(value)
    if (items := objects.named_items(value)) is not None:
        return items
    if (found := special.iterated(memory, value)) is not ABSENT:
        return elements(memory, found)
    if kind not in PLAIN:
        return Unknown(f"what {describe(value)} holds", None)
    if kind in (set, frozenset):
        return _in_order(memory, value)
    if kind is ITERATOR:
        memory.touch(value)
        memory.budget.items(value.__length_hint__())
    elif hasattr(value, "__len__"):
        memory.budget.items(_length(value))
    return native(list, value)  # type: ignore[no-any-return]


def _length(value: Value) -> int:
    """`len(value)`, also of ranges longer than an index may be."""
    if type(value) is range:
        return max(
            0, (value.stop - value.start + value.step - (value.step > 0 or -1)) // value.step
        )
    return len(value)


def _in_order(memory: Memory, value: set[Value] | frozenset[Value]) -> list[Value] | Unknown:
    """A set's elements in an order that is the same in every run.

    Of numbers it is Python's. Of texts Python's differs from run to run: theirs is the order of
    the alphabet, which is one that a run may have.
    """
    memory.budget.items(len(value))
    if len(value) < 2 or all(type(item) in _NUMBERS for item in value):
        return list(value)
    if doubt := memory.doubt(value):
        return doubt
    if any(type(item) not in PLAIN for item in value):
        return Unknown("the order of a set", None)
    return sorted(value, key=lambda item: (type(item).__name__, repr(item)))


def item(memory: Memory, value: Value, key: Value) -> Value:
    """`value[key]`."""
    value = memory.seen(value)
    unknown = origin(value)
    if unknown is not None:
        return unknown
    if isinstance(value, HostObject):
        return value.item(key)
    kind = type(value)
    if kind is UserClass and enums.is_enum(value):
        return enums.by_name(value, key)
    if (items := objects.named_items(value)) is not None:
        return item(memory, tuple(items), key)
    if (found := special.method(memory, value, "__getitem__", key)) is not ABSENT:
        return found
    own = value.members.get("__class_getitem__") if kind is UserClass else None
    if isinstance(own, UserFunction | Descriptor):
        function = own if isinstance(own, UserFunction) else own.function
        return memory.call(function, [value, key])
    if kind is External or kind is UserClass:
        return value  # a generic: `list[int]`, `Base[T]`
    if kind not in PLAIN:
        return Unknown(f"an item of {describe(value)}", None)
    key = enums.as_given(key)
    if doubt := memory.doubt(key):
        if memory.kind(value) == "collections.defaultdict":
            memory.blur(value, doubt)
        return doubt
    if type(key) is slice and kind in _SEQUENCES:
        _sequence(memory, kind, len(value))
    if kind is dict and type(key) not in PLAIN and key not in value:
        return Unknown(f"the item of {describe(key)}", None)
    try:
        found = native(operator.getitem, value, key)
        return _new(memory, found) if type(key) is slice else found
    except Native as exc:
        if kind is dict and isinstance(exc.error, KeyError):
            found = memory.default(value, key)
            if found is not ABSENT:
                return found
        if kind is dict and isinstance(key, str):
            exc.help = did_you_mean(key, [name for name in value if isinstance(name, str)])
        raise
