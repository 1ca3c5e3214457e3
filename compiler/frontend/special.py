"""Methods of the user's classes that Python calls for operators and builtin functions.

Each function gives `ABSENT` where the object's class says nothing, or is not evaluated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from . import enums, objects
from .signals import Native, Raised, builtin_exception, exception_names, native
from .values import ABSENT, External, Instance, Unknown, UserClass, UserFunction, Value

if TYPE_CHECKING:
    from .memory import Memory


_BINARY: Final = {
    "+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow",
    "<<": "lshift", ">>": "rshift", "&": "and", "|": "or", "^": "xor", "@": "matmul",
}  # fmt: skip
#: By the name of Python's function for a comparison: the method, and the other side's.
_ORDER: Final = {
    "eq": ("__eq__", "__eq__"),
    "lt": ("__lt__", "__gt__"),
    "le": ("__le__", "__ge__"),
    "gt": ("__gt__", "__lt__"),
    "ge": ("__ge__", "__le__"),
}


def method(memory: Memory, owner: Value, name: str, *args: Value) -> Value:
    """`owner.name(*args)`, as Python calls it: what the object itself holds does not count."""
    found = _found(owner, name)
    return ABSENT if found is None else memory.call(found, [owner, *args])


def _found(owner: Value, name: str) -> UserFunction | None:
    if not isinstance(owner, Instance) or owner.fields is None:
        return None
    return objects.method_of(owner, name)


def binary(memory: Memory, symbol: str, in_place: bool, left: Value, right: Value) -> Value:
    """`left + right` and its like, of which one is an object."""
    name = _BINARY[symbol]
    ways = [(left, f"__{name}__", right), (right, f"__r{name}__", left)]
    if _derived(right, left) and _found(right, f"__r{name}__") != _found(left, f"__r{name}__"):
        ways.reverse()
    if in_place:
        ways.insert(0, (left, f"__i{name}__", right))
    return _first(memory, ways)


def compare(
    memory: Memory, function: Callable[[Any, Any], Any], left: Value, right: Value
) -> Value:
    """`left < right` and its like, of which one is an object."""
    name, other = _ORDER[function.__name__]
    ways = [(left, name, right), (right, other, left)]
    if _derived(right, left):
        ways.reverse()
    found = _first(memory, ways)
    if found is not ABSENT:
        return found
    rows = objects.compared(left, function.__name__), objects.compared(right, function.__name__)
    if rows[0] is None or rows[1] is None or left.cls is not right.cls:
        return ABSENT
    doubt = memory.doubt(rows)
    return doubt if doubt is not None else native(function, *rows)


def iterated(memory: Memory, owner: Value) -> Value:
    """`iter(owner)`"""
    found = method(memory, owner, "__iter__")
    if _found(found, "__next__") is None:
        return found
    return memory.lazy(f"{owner.cls.name}.__next__", _asked(memory, found), found)


def _asked(memory: Memory, owner: Value) -> Iterator[Value]:
    """What `next(owner)` gives, up to StopIteration."""
    while True:
        try:
            item = method(memory, owner, "__next__")
        except Raised as exc:
            if "builtins.StopIteration" in exception_names(exc.value)[0]:
                return
            raise
        yield item


def _first(memory: Memory, ways: list[tuple[Value, str, Value]]) -> Value:
    """What the first method gives that does not say NotImplemented."""
    declined = False
    for owner, name, other in ways:
        found = method(memory, owner, name, other)
        if isinstance(found, External) and found.dotted == "builtins.NotImplemented":
            declined = True
        elif found is not ABSENT:
            return found
    if not declined:
        return ABSENT
    if ways[0][1] == "__eq__":
        return ways[0][0] is ways[0][2]
    raise Native(TypeError("unsupported operand types"))


def _derived(value: Value, base: Value) -> bool:
    """Is the class of `value` derived from that of `base`? Then its methods come first."""
    if not (isinstance(value, Instance) and isinstance(base, Instance)):
        return False
    if not isinstance(value.cls, UserClass) or value.cls is base.cls:
        return False
    return base.cls in (objects.order(value.cls) or ())


def text(memory: Memory, value: Value, as_repr: bool) -> Value:
    """`str(value)` or `repr(value)`."""
    for name in ("__repr__",) if as_repr else ("__str__", "__repr__"):
        found = method(memory, value, name)
        if found is not ABSENT:
            return found
    if isinstance(value, Instance) and isinstance(value.cls, External) and not as_repr:
        return _message(value, builtin_exception(value.cls.dotted))
    return enums.text(value, as_repr)


def _message(value: Instance, kind: type[BaseException] | None) -> Value:
    """The text of one of Python's own exceptions."""
    if kind is None or len(value.args) > 1 or issubclass(kind, OSError | UnicodeError):
        return ABSENT
    if not value.args:
        return ""
    (arg,) = value.args
    if kind is KeyError:
        return repr(arg) if type(arg) in (str, int) else ABSENT
    return arg if type(arg) in (str, Unknown) else str(arg) if type(arg) is int else ABSENT
