"""Objects of the user's own classes: how they are made, their attributes and methods.

Evaluated are classes whose every base is evaluated too, as those are that build graphs. Of all
others (models, steps that inherit from a library) an object is its class and its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import libcst as cst

from ..diagnostics import did_you_mean
from ..scopes import dotted
from . import enums
from .signals import Native
from .values import (
    BoundMethod,
    Descriptor,
    External,
    HostFunction,
    Instance,
    Super,
    Unknown,
    UserClass,
    UserFunction,
    Value,
)

if TYPE_CHECKING:
    from .machine import Machine

#: Bases that add nothing to what their classes' own text says.
IDLE_BASES: Final = frozenset({"builtins.object", "abc.ABC", "typing.Protocol"})
_NAMED_TUPLE: Final = "typing.NamedTuple"
#: What a call of this gives is kept with its arguments.
FIELD: Final = "dataclasses.field"
#: Methods that change what making, reading or setting means.
_HOOKS: Final = frozenset({"__new__", "__getattribute__", "__setattr__", "__init_subclass__"})
#: In the fields of an object of which not everything is known: any name may be there.
_ANYTHING: Final = ""


#: Classes that inherit from more are not evaluated.
_LONGEST_ORDER: Final = 100


def order(cls: UserClass) -> list[UserClass] | None:
    """The class and its bases in Python's order; None if it is not evaluated."""
    if not cls.order:
        cls.order.append(_order(cls))
    return cls.order[0]


def _order(cls: UserClass) -> list[UserClass] | None:
    if cls.node.keywords or any(name in cls.members for name in _HOOKS):
        return None
    if not all(_is_dataclass(decorator) for decorator in cls.node.decorators):
        return None
    rows: list[list[UserClass]] = []
    for base in cls.bases:
        if isinstance(base, External) and (
            base.dotted in IDLE_BASES or base.dotted == _NAMED_TUPLE or enums.is_enum(cls)
        ):
            continue
        row = order(base) if isinstance(base, UserClass) else None
        if row is None:
            return None
        rows.append(row)
    merged = [cls]
    rows = [*rows, [row[0] for row in rows]]
    while rows := [row for row in rows if row]:
        heads = [row[0] for row in rows if not any(row[0] in other[1:] for other in rows)]
        if not heads:
            return None
        merged.append(heads[0])
        rows = [[item for item in row if item is not heads[0]] for row in rows]
    return merged if len(merged) <= _LONGEST_ORDER else None


def is_named_tuple(cls: UserClass) -> bool:
    return any(isinstance(base, External) and base.dotted == _NAMED_TUPLE for base in cls.bases)


def named_items(value: Value) -> list[Value] | None:
    """The items of an object whose class is a `NamedTuple`; None for all others."""
    if not isinstance(value, Instance) or value.fields is None:
        return None
    is_one = isinstance(value.cls, UserClass) and is_named_tuple(value.cls)
    return list(value.fields.values()) if is_one else None


def _is_dataclass(decorator: cst.Decorator) -> bool:
    node = decorator.decorator
    name = dotted(node.func if isinstance(node, cst.Call) else node) or ""
    return name.rpartition(".")[2] == "dataclass"


def member(classes: Iterable[UserClass], name: str) -> Value | None:
    """What the first of the classes that defines the name has under it."""
    return next((cls.members[name] for cls in classes if name in cls.members), None)


def own_method(cls: UserClass, name: str) -> UserFunction | Descriptor | None:
    """A method of a class that is not evaluated, if no library's class can come before it."""
    base: Value = cls
    while isinstance(base, UserClass):
        found = base.members.get(name)
        if found is not None or not base.bases:
            is_method = isinstance(found, UserFunction) and not name.startswith("__")
            return found if is_method else None
        base = base.bases[0]
    return None


def construct(
    machine: Machine, cls: UserClass, args: list[Value], kwargs: dict[str, Value]
) -> Instance | None:
    """`cls(...)`, with its constructor evaluated; None if the class is not evaluated."""
    classes = order(cls)
    if classes is None:
        return None
    made = Instance(cls, tuple(args), kwargs, machine.here, {})
    init = member(classes, "__init__")
    if init is None and (is_named_tuple(cls) or any(one.node.decorators for one in classes)):
        _fill_dataclass(machine, made, classes, args, kwargs)
    elif isinstance(init, UserFunction):
        machine.call(init, [made, *args], kwargs)
    elif init is not None:
        return None
    elif args or kwargs:
        raise Native(TypeError(f"{cls.name}() takes no arguments"))
    return made


def _fill_dataclass(
    machine: Machine,
    made: Instance,
    classes: list[UserClass],
    args: list[Value],
    kwargs: dict[str, Value],
) -> None:
    assert made.fields is not None
    names: dict[str, Value] = {}
    for cls in reversed(classes):
        for line in cls.node.body.body:
            for node in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                if isinstance(node, cst.AnnAssign) and isinstance(node.target, cst.Name):
                    name = node.target.value
                    names[name] = cls.members.get(name, _MISSING)
    given = dict(zip(names, args, strict=False)) | kwargs
    for name, default in names.items():
        value = given.pop(name) if name in given else _default(machine, default)
        if value is _MISSING:
            raise Native(
                TypeError(f"{made.cls.name}() misses the argument {name!r}")  # type: ignore[union-attr]
            )
        machine.memory.write(made.fields, name, value)
    if given or len(args) > len(names):
        raise Native(TypeError(f"{made.cls.name}() got unexpected arguments"))  # type: ignore[union-attr]
    post = member(classes, "__post_init__")
    if isinstance(post, UserFunction):
        machine.call(post, [made])


_MISSING: Final = object()


def _default(machine: Machine, value: Value) -> Value:
    """What a field that is not given gets, as `dataclasses.field(...)` may say."""
    match value:
        case Instance(cls=External(dotted=dotted), kwargs=kwargs) if dotted == FIELD:
            if "default_factory" in kwargs:
                return machine.call(kwargs["default_factory"], [])
            return kwargs.get("default", _MISSING)
    return value


def read(machine: Machine, owner: Instance, name: str) -> Value:
    """`owner.name` of an object that is evaluated."""
    assert owner.fields is not None
    assert isinstance(owner.cls, UserClass)
    classes = order(owner.cls) or []
    found = member(classes, name)
    if isinstance(found, Descriptor) and found.kind == "property":
        return machine.call(found.function, [owner])
    if name == "__class__":
        return owner.cls
    if name == "__dict__":
        return lost(machine, owner)
    if name in owner.fields:
        return owner.fields[name]
    if any(name in cls.members for cls in classes):  # None may be what is there
        return bound(found, owner, owner.cls)
    if _ANYTHING in owner.fields:
        return owner.fields[_ANYTHING]
    if name.startswith("__") or member(classes, "__getattr__") is not None:
        return Unknown(f"the attribute {name!r} of an object of class {owner.cls.name}", None)
    raise Native(
        AttributeError(f"{owner.cls.name!r} object has no attribute {name!r}"),
        did_you_mean(name, [*owner.fields, *(key for cls in classes for key in cls.members)]),
    )


def lost(machine: Machine, owner: Instance) -> Unknown:
    """The object's attributes are changed in a way that is not followed."""
    assert owner.fields is not None
    unknown = Unknown("the attributes of an object, all at once", machine.here)
    for name in [*owner.fields, _ANYTHING]:
        machine.memory.write(owner.fields, name, unknown)
    return unknown


def assign(machine: Machine, owner: Instance, name: str, value: Value) -> None:
    """`owner.name = value`"""
    assert owner.fields is not None
    assert isinstance(owner.cls, UserClass)
    found = member(order(owner.cls) or [], name)
    if isinstance(found, Descriptor) and found.kind == "property":
        raise Native(AttributeError(f"property {name!r} has no setter"))
    if isinstance(found, Unknown):  # a property with a setter, or a descriptor of a library
        lost(machine, owner)
        return
    machine.memory.write(owner.fields, name, value)


def bound(found: Value, owner: Instance, cls: UserClass) -> Value:
    """What a class has under a name, as the object gets it."""
    match found:
        case UserFunction():
            return BoundMethod(owner, found)
        case Descriptor(kind="classmethod", function=function):
            return BoundMethod(cls, function)
        case Descriptor(function=function):
            return function
    return found


def read_super(owner: Super, name: str) -> Value:
    """`super().name`"""
    assert isinstance(owner.owner.cls, UserClass)
    classes = order(owner.owner.cls) or []
    later = classes[classes.index(owner.cls) + 1 :] if owner.cls in classes else []
    found = member(later, name)
    if any(name in cls.members for cls in later):
        return bound(found, owner.owner, owner.owner.cls)
    if name == "__init__":
        return HostFunction("object.__init__", _nothing, idle=lambda args, kwargs: True)
    return Unknown(f"what super().{name} is", None)


def _nothing(*args: Value, **kwargs: Value) -> None:
    """`object.__init__`"""
