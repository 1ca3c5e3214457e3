"""Objects of the user's own classes: how they are made, their attributes and methods.

Evaluated are classes whose every base is evaluated too, as those are that build graphs. Of all
others (models, steps that inherit from a library) an object is its class and its arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import FrozenInstanceError, dataclass
from typing import TYPE_CHECKING, Final

import libcst as cst

from ..diagnostics import did_you_mean
from ..scopes import dotted
from . import aliases, enums
from .signals import Native
from .values import (
    ABSENT,
    BoundMethod,
    Descriptor,
    External,
    HostFunction,
    HostObject,
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
IDLE_BASES: Final = frozenset({"builtins.object", "abc.ABC", "typing.Protocol", "typing.Generic"})
NAMED_TUPLE: Final = "typing.NamedTuple"
#: What a call of this gives is kept with its arguments.
FIELD: Final = "dataclasses.field"
#: Methods that change what making, reading or setting means.
_HOOKS: Final = frozenset({"__new__", "__getattribute__", "__setattr__"})
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
    if any(name in cls.members for name in _HOOKS) or not all(map(_is_idle, cls.node.keywords)):
        return None
    if not all(_is_harmless(cls, decorator) for decorator in cls.node.decorators):
        return None
    rows: list[list[UserClass]] = []
    for base in cls.bases:
        if isinstance(base, External) and (
            base.dotted in IDLE_BASES or base.dotted == NAMED_TUPLE or enums.is_enum(cls)
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


def _is_idle(keyword: cst.Arg) -> bool:
    """Does `class C(keyword=...)` leave the class as its text says? `__init_subclass__` is run."""
    assert keyword.keyword is not None
    last = (dotted(keyword.value) or "").rpartition(".")[2]
    return keyword.keyword.value != "metaclass" or last == "ABCMeta"


def is_named_tuple(cls: UserClass) -> bool:
    return any(isinstance(base, External) and base.dotted == NAMED_TUPLE for base in cls.bases)


def named_items(value: Value) -> list[Value] | None:
    """The items of an object whose class is a `NamedTuple`; None for all others."""
    if not isinstance(value, Instance) or value.fields is None:
        return None
    is_one = isinstance(value.cls, UserClass) and is_named_tuple(value.cls)
    return list(value.fields.values()) if is_one else None


def _is_harmless(cls: UserClass, decorator: cst.Decorator) -> bool:
    """Does the decorator leave the class as its text says? Functions of the user's were run."""
    node = decorator.decorator
    name = dotted(node.func if isinstance(node, cst.Call) else node) or ""
    if name.rpartition(".")[2] in ("dataclass", "final", "runtime_checkable", "unique"):
        return True
    return isinstance(cls.scope.get(name.partition(".")[0]), UserFunction | UserClass)


def _is_dataclass(decorator: cst.Decorator) -> bool:
    node = decorator.decorator
    name = dotted(node.func if isinstance(node, cst.Call) else node) or ""
    return name.rpartition(".")[2] == "dataclass"


def _has_dataclass(classes: list[UserClass]) -> bool:
    return any(_is_dataclass(decorator) for one in classes for decorator in one.node.decorators)


def _option(cls: UserClass, name: str) -> str:
    """What `@dataclass(name=...)` says; "" if nothing."""
    for decorator in cls.node.decorators:
        if isinstance(decorator.decorator, cst.Call):
            for arg in decorator.decorator.args:
                if arg.keyword is not None and arg.keyword.value == name:
                    return dotted(arg.value) or "?"
    return ""


def fields(cls: UserClass) -> list[str] | None:
    """The names of a dataclass's fields; None for all other classes."""
    classes = order(cls)
    if classes is None or not _has_dataclass(classes):
        return None
    return [one.name for one in _annotated(classes) if not one.is_told]


def positional(value: Instance) -> list[str]:
    """The attributes that patterns without keywords are for: `__match_args__`."""
    if not isinstance(value.cls, UserClass):
        return []
    if is_named_tuple(value.cls):
        return [one.name for one in _annotated(order(value.cls) or [])]
    found = member(order(value.cls) or (), "__match_args__")
    return list(found) if type(found) is tuple else list(fields(value.cls) or ())


def by_identity(value: Value) -> bool:
    """Is an object equal to none but itself?"""
    return (
        isinstance(value, Instance)
        and value.fields is not None
        and isinstance(value.cls, UserClass)
        and member(order(value.cls) or (), "__eq__") is None
        and compared(value, "eq") is None
    )


def compared(value: Value, operation: str) -> tuple[Value, ...] | None:
    """What Python compares of an object whose class has no method for it; None if nothing."""
    if (items := named_items(value)) is not None:
        return tuple(items)
    if not isinstance(value, Instance) or not isinstance(value.cls, UserClass):
        return None
    names = fields(value.cls) if value.fields is not None else None
    asked = ("eq", "True") if operation == "eq" else ("order", "")
    if names is None or (_option(value.cls, asked[0]) or asked[1]) != "True":
        return None
    assert value.fields is not None
    return tuple(value.fields[name] for name in names if name in value.fields)


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
    made = Instance(cls, tuple(args), kwargs, machine.here, machine.memory.made({}))
    init = member(classes, "__init__")
    if init is None and (is_named_tuple(cls) or _has_dataclass(classes)):
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
    found = _annotated(classes)
    names = [one.name for one in found if not one.by_name]
    given = dict(zip(names, args, strict=False)) | kwargs
    told: list[Value] = []
    for one in found:
        value = given.pop(one.name) if one.name in given else _default(machine, one.default)
        if value is _MISSING and not one.made_later:
            raise Native(
                TypeError(f"{made.cls.name}() misses the argument {one.name!r}")  # type: ignore[union-attr]
            )
        if one.is_told:
            told.append(value)
        elif value is not _MISSING:
            machine.memory.write(made.fields, one.name, value)
    if given or len(args) > len(names):
        raise Native(TypeError(f"{made.cls.name}() got unexpected arguments"))  # type: ignore[union-attr]
    post = member(classes, "__post_init__")
    if isinstance(post, UserFunction):
        machine.call(post, [made, *told])


@dataclass(frozen=True, slots=True)
class _Annotated:
    """`name: type = default` in a class body."""

    name: str
    default: Value
    #: `InitVar`: only `__post_init__` is told of it.
    is_told: bool
    #: Behind `_: KW_ONLY`.
    by_name: bool

    @property
    def made_later(self) -> bool:
        """`field(init=False)`"""
        match self.default:
            case Instance(cls=External(dotted=dotted), kwargs={"init": False}):
                return dotted == FIELD
        return False


def _annotated(classes: list[UserClass]) -> list[_Annotated]:
    """What the classes' bodies annotate, in the order of a constructor."""
    found: dict[str, _Annotated] = {}
    for cls in reversed(classes):
        by_name = False
        for line in cls.node.body.body:
            for node in line.body if isinstance(line, cst.SimpleStatementLine) else ():
                if not isinstance(node, cst.AnnAssign) or not isinstance(node.target, cst.Name):
                    continue
                words = _words(node.annotation)
                by_name = by_name or "KW_ONLY" in words
                if not words & {"ClassVar", "KW_ONLY"}:
                    name = node.target.value
                    default = cls.members.get(name, _MISSING)
                    found[name] = _Annotated(name, default, "InitVar" in words, by_name)
    return list(found.values())


def _words(node: cst.CSTNode) -> set[str]:
    """The names in an annotation."""
    found = {node.value} if isinstance(node, cst.Name) else set()
    return found.union(*map(_words, node.children))


_MISSING: Final = object()


def _default(machine: Machine, value: Value) -> Value:
    """What a field that is not given gets, as `dataclasses.field(...)` may say."""
    match value:
        case Instance(cls=External(dotted=dotted), kwargs=kwargs) if dotted == FIELD:
            if "default_factory" in kwargs:
                return machine.call(kwargs["default_factory"], [])
            return kwargs.get("default", _MISSING)
    return value


def method_of(value: Value, name: str) -> UserFunction | None:
    """A method of the class of an object of the user's."""
    if not isinstance(value, Instance) or not isinstance(value.cls, UserClass):
        return None
    found = member(order(value.cls) or (), name)
    return found if isinstance(found, UserFunction) else None


def tell_names(machine: Machine, cls: UserClass) -> None:
    """Call `__set_name__` of what the class body assigned."""
    for name, value in list(cls.members.items()):
        told = method_of(value, "__set_name__")
        if told is not None:
            machine.call(told, [value, cls, name])


def set_attribute(machine: Machine, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """`object.__setattr__(owner, name, value)`, as frozen dataclasses need it."""
    if len(args) != 3 or not isinstance(args[0], Instance) or args[0].fields is None:
        return Unknown("what object.__setattr__ does", None)
    if type(args[1]) is not str:
        lost(machine, args[0])
    else:
        machine.memory.write(args[0].fields, args[1], args[2])
    return None


def methods(values: Iterable[Value], name: str) -> Iterator[Value]:
    """What is run if the attribute of one of these is called."""
    for value in aliases.known(values):
        if isinstance(value, HostObject):
            if name in value.api and callable(getattr(type(value), name, None)):
                yield value.read(name)
        elif (found := method_of(value, name)) is not None:
            yield BoundMethod(value, found)


def read(machine: Machine, owner: Instance, name: str) -> Value:
    """`owner.name` of an object that is evaluated."""
    assert owner.fields is not None
    if not isinstance(owner.cls, UserClass):
        return _of_namespace(owner, name)
    classes = order(owner.cls) or []
    found = member(classes, name)
    if isinstance(found, Descriptor) and found.kind == "property":
        return machine.call(found.function, [owner])
    getter = None if found is None else method_of(found, "__get__")
    if getter is not None:
        return machine.call(getter, [found, owner, owner.cls])
    if isinstance(found, Descriptor) and found.kind == "cached_property":
        if name not in owner.fields:
            machine.memory.write(owner.fields, name, machine.call(found.function, [owner]))
        return owner.fields[name]
    if name == "__class__":
        return owner.cls
    if name == "__dict__":
        return lost(machine, owner)
    held, of_class = owner.fields.get(name), ABSENT
    if any(name in cls.members for cls in classes):  # None may be what is there
        of_class = bound(found, owner, owner.cls)
    if isinstance(held, Unknown) and of_class is not ABSENT:
        # Perhaps the object has none of its own.
        return aliases.one_of(held, [held, of_class])
    if name in owner.fields:
        return held
    if of_class is not ABSENT:
        return of_class
    if _ANYTHING in owner.fields:
        return owner.fields[_ANYTHING]
    other = member(classes, "__getattr__")
    if isinstance(other, UserFunction) and not name.startswith("__"):
        return machine.call(other, [owner, name])
    if is_named_tuple(owner.cls):
        of_tuple = _of_named_tuple(machine, owner, name)
        if of_tuple is not ABSENT:
            return of_tuple
    if name.startswith("__") or other is not None:
        return Unknown(f"the attribute {name!r} of an object of class {owner.cls.name}", None)
    if (given := enums.as_given(owner)) is not owner:
        return machine.attribute(given, name)
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
    found = member(order(owner.cls) or [], name) if isinstance(owner.cls, UserClass) else None
    if isinstance(found, Descriptor) and found.kind == "property":
        if found.setter is None:
            raise Native(AttributeError(f"property {name!r} has no setter"))
        machine.call(found.setter, [owner, value])
        return
    if isinstance(owner.cls, UserClass) and _option(owner.cls, "frozen") == "True":
        raise Native(FrozenInstanceError(f"cannot assign to field {name!r}"))
    setter = None if found is None else method_of(found, "__set__")
    if setter is not None:
        machine.call(setter, [found, owner, value])
        return
    if isinstance(found, Unknown):  # a property with a setter, or a descriptor of a library
        lost(machine, owner)
        return
    machine.memory.write(owner.fields, name, value)


def bound(found: Value, owner: Instance | UserClass, cls: UserClass) -> Value:
    """What a class has under a name, as the object gets it."""
    match found:
        case UserFunction() if isinstance(owner, Instance):
            return BoundMethod(owner, found)
        case Descriptor(kind="classmethod", function=function):
            return BoundMethod(cls, function)
        case Descriptor(function=function):
            return function
    return found


def read_super(owner: Super, name: str) -> Value:
    """`super().name`"""
    cls = owner.owner if isinstance(owner.owner, UserClass) else owner.owner.cls
    assert isinstance(cls, UserClass)
    classes = order(cls) or []
    later = classes[classes.index(owner.cls) + 1 :] if owner.cls in classes else []
    found = member(later, name)
    if any(name in cls.members for cls in later):
        return bound(found, owner.owner, cls)
    if name in ("__init__", "__init_subclass__"):
        return HostFunction(f"object.{name}", _nothing, idle=lambda args, kwargs: True)
    return Unknown(f"what super().{name} is", None)


def _nothing(*args: Value, **kwargs: Value) -> None:
    """`object.__init__`"""


def _of_namespace(owner: Instance, name: str) -> Value:
    """An attribute of a `types.SimpleNamespace`."""
    assert owner.fields is not None
    if name in owner.fields:
        return owner.fields[name]
    if name.startswith("__"):
        return Unknown(f"the attribute {name!r} of a namespace", None)
    raise Native(AttributeError(f"'types.SimpleNamespace' object has no attribute {name!r}"))


def _of_named_tuple(machine: Machine, owner: Instance, name: str) -> Value:
    """What objects of named tuples have besides their fields; ABSENT if they have not."""
    fields = owner.fields
    assert fields is not None

    def as_dict() -> Value:
        return dict(fields)

    def replaced(**changes: Value) -> Value:
        assert isinstance(owner.cls, UserClass)
        return construct(machine, owner.cls, [], {**fields, **changes})

    match name:
        case "_asdict":
            return HostFunction(name, as_dict)
        case "_replace":
            return HostFunction(name, replaced)
        case "_fields":
            return tuple(fields)
        case "count" | "index":
            return machine.attribute(tuple(fields.values()), name)
    return ABSENT
