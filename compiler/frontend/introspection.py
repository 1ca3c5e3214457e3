"""Builtin functions that look at a value's type and attributes."""

from __future__ import annotations

import collections.abc
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from . import enums, objects
from .memory import origin
from .operators import PLAIN, describe
from .signals import Native, native
from .values import (
    External,
    HostFunction,
    HostObject,
    Instance,
    Method,
    Unknown,
    UserClass,
    UserFunction,
    UserModule,
    Value,
)

if TYPE_CHECKING:
    from .machine import Machine

#: Types that objects of the user's own classes are not of, unless they inherit from them.
BUILTIN: Final = frozenset(
    (bool, bytes, complex, dict, float, frozenset, int, list, range, set, slice, str, tuple)
)
#: Types that `isinstance` and `type` know, by full name.
TYPES: Final[Mapping[str, type]] = {
    f"builtins.{kind.__name__}": kind for kind in (*BUILTIN, object)
} | {
    f"{module}.{name}": getattr(collections.abc, name)
    for module in ("collections.abc", "typing")
    for name in ("Mapping", "Sequence", "Iterable", "Collection", "MutableMapping", "Hashable")
} | {
    f"pathlib.{name}": PurePosixPath for name in ("Path", "PurePath", "PosixPath")
}  # fmt: skip


def isinstance_(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 2 or kwargs:
        return native(isinstance, *args, **kwargs)
    classes = list(args[1]) if type(args[1]) is tuple else [args[1]]
    doubt: Unknown | None = None
    for cls in classes:
        found = is_instance(args[0], cls)
        if found is True:
            return True
        if isinstance(found, Unknown):
            doubt = doubt or found
    return doubt if doubt is not None else False


def is_instance(value: Value, cls: Value) -> bool | Unknown:
    """`isinstance(value, cls)`, of one class."""
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
    if isinstance(value, Instance) and value.fields is not None and isinstance(cls, UserClass):
        return isinstance(value.cls, UserClass) and cls in (objects.order(value.cls) or ())
    if kind in BUILTIN and isinstance(value, Instance) and value.fields is not None:
        return isinstance(enums.as_given(value), kind) or (
            kind is tuple and objects.named_items(value) is not None
        )
    if kind is not None and isinstance(value, HostObject | UserFunction | UserClass | UserModule):
        return False
    return Unknown(f"whether {describe(value)} is of type {describe(cls)}", None)


def issubclass_(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 2 or kwargs:
        return native(issubclass, *args, **kwargs)
    bases = args[1] if type(args[1]) is tuple else (args[1],)
    kinds = [TYPES.get(one.dotted) if type(one) is External else None for one in (args[0], *bases)]
    if None not in kinds:
        return issubclass(kinds[0], tuple(kinds[1:]))  # type: ignore[arg-type]
    order = objects.order(args[0]) if isinstance(args[0], UserClass) else None
    if order is not None and all(isinstance(base, UserClass) for base in bases):
        return any(base in order for base in bases)
    return Unknown("whether a class is derived from another", None)


def type_(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) == 1 and not kwargs:
        if dotted := machine.memory.kind(args[0]):
            return External(dotted, machine.here)
        name = f"builtins.{type(args[0]).__name__}"
        if type(args[0]) in PLAIN and name in TYPES:
            return machine.builtin(name)
        if isinstance(args[0], Instance):
            return args[0].cls
        return origin(args[0]) or Unknown(f"the type of {describe(args[0])}", None)
    return Unknown("a class made by type()", None)


def callable_(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
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


def getattr_(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) not in (2, 3) or kwargs:
        return native(getattr, *args, **kwargs)
    if type(args[1]) is not str:
        return origin(args[1]) or native(getattr, 0, args[1])
    has = _has(machine, args[0], args[1])
    if has is False and len(args) == 3:
        return args[2]
    return machine.attribute(args[0], args[1])


def setattr_(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) != 3 or kwargs:
        return native(setattr, *args, **kwargs)
    owner, name, value = args
    if isinstance(owner, Instance) and owner.fields is not None:
        if type(name) is str:
            objects.assign(machine, owner, name, value)
        else:
            objects.lost(machine, owner)
    return None


def vars_(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    if len(args) == 1 and isinstance(args[0], Instance) and args[0].fields is not None:
        return objects.lost(machine, args[0])
    return Unknown("what vars() gives", None)


def hasattr_(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
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
    if isinstance(value, Instance) and value.fields is not None:
        try:
            return origin(machine.attribute(value, name)) or True
        except Native:
            return False
    return origin(value) or Unknown(f"whether {describe(value)} has {name!r}", None)
