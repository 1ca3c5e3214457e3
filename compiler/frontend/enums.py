"""Enumerations of the user's: what the class body assigned becomes members.

A member is an object with `name` and `value`. One whose class is a text or a number, too, is that
text or number where the graph gets it; other operations on members stay unknown, but `==`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .signals import Native
from .values import (
    ABSENT,
    Descriptor,
    External,
    Instance,
    Unknown,
    UserClass,
    UserFunction,
    Value,
)

if TYPE_CHECKING:
    from .machine import Machine

BASES: Final = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.ReprEnum"})
_MIXED: Final = frozenset({"builtins.str", "builtins.int", "enum.IntEnum", "enum.StrEnum"})
_DECIDING: Final = frozenset({"__new__", "__eq__", "__hash__", "_missing_"})
#: In the fields of a member only; what it holds is what MLRun makes JSON of.
_VALUE: Final = "_value_"


def is_enum(cls: Value) -> bool:
    """Is it an enumeration without methods that decide what its members are?"""
    if not isinstance(cls, UserClass) or not _DECIDING.isdisjoint(cls.members):
        return False
    return any(
        is_enum(base) or (isinstance(base, External) and base.dotted in BASES) for base in cls.bases
    )


def is_member(value: Value) -> bool:
    return isinstance(value, Instance) and value.fields is not None and _VALUE in value.fields


def is_plain(value: Instance) -> bool:
    """Is it a member that is like nothing but itself?"""
    return is_member(value) and not _is_mixed(value.cls)


def text(value: Value, as_repr: bool) -> Value:
    """`str(member)`, where it is the same in every Python that packages run on."""
    if not is_member(value) or as_repr:
        return ABSENT
    if any(_is(base, "enum.StrEnum") for base in value.cls.bases):
        return value.fields[_VALUE]
    if not _is_mixed(value.cls):
        return f"{value.cls.name}.{value.fields['name']}"
    return ABSENT


def as_given(value: Value) -> Value:
    """The value; of a member, the text or number that it is."""
    if not is_member(value) or not _is_mixed(value.cls):
        return value
    assert value.fields is not None
    return value.fields[_VALUE]


def _is_mixed(cls: Value) -> bool:
    if isinstance(cls, External):
        return cls.dotted in _MIXED
    return isinstance(cls, UserClass) and any(map(_is_mixed, cls.bases))


def make_members(machine: Machine, cls: UserClass, assigned: dict[str, Value]) -> None:
    """Put members in the place of what the body assigned; equal values are one member."""
    last: Value = 0
    init = assigned.get("__init__")
    for name, given in assigned.items():
        if (
            name.startswith("__")
            or name[:1] == name[-1:] == "_"
            or isinstance(given, UserFunction | Descriptor | UserClass)
        ):
            continue
        value = _next(machine, cls, name, last) if _is_auto(given) else given
        last = value
        member = _of_value(machine, cls, value)
        if not isinstance(member, Instance):
            fields = {"name": name, "value": value, "_name_": name, _VALUE: value}
            equal = value if _is_mixed(cls) else ABSENT
            machine.memory.has_members |= equal is not ABSENT
            member = Instance(cls, (value,), {}, machine.here, fields, equal)
            if isinstance(init, UserFunction):
                machine.call(init, [member, *(value if type(value) is tuple else (value,))])
        assigned[name] = member


def _is_auto(value: Value) -> bool:
    return isinstance(value, Unknown) and value.why == AUTO


#: Why `enum.auto()` is not known where it stands.
AUTO: Final = "the result of calling enum.auto"


def _next(machine: Machine, cls: UserClass, name: str, last: Value) -> Value:
    """What `auto()` gives."""
    if "_generate_next_value_" not in cls.members:
        if any(_is(base, "enum.StrEnum") for base in cls.bases):
            return name.lower()
        if type(last) is int and not any(_is(base, "builtins.str") for base in cls.bases):
            return last + 1
    return Unknown("the value of a member of an enumeration", machine.here)


def _is(value: Value, dotted: str) -> bool:
    return isinstance(value, External) and value.dotted == dotted


def members(cls: UserClass) -> list[Value]:
    """What `for member in cls` yields."""
    return list({id(value): value for value in cls.members.values() if is_member(value)}.values())


def by_value(machine: Machine, cls: UserClass, value: Value) -> Value:
    """`cls(value)`"""
    if is_member(value) and value.cls is cls:
        return value
    found = _of_value(machine, cls, value)
    if found is None:
        raise Native(ValueError(f"{value!r} is not a valid {cls.name}"))
    return found


def _of_value(machine: Machine, cls: UserClass, value: Value) -> Value:
    """The member with the value; None if there is none, Unknown if that is not known."""
    for member in members(cls):
        if doubt := machine.memory.doubt([member.fields[_VALUE], value]):
            return doubt
        if member.fields[_VALUE] == value:
            return member
    return None


def by_name(cls: UserClass, name: Value) -> Value:
    """`cls[name]`"""
    if type(name) is not str:
        return Unknown(f"an item of the class {cls.name}", None)
    if not is_member(cls.members.get(name)):
        raise Native(KeyError(name))
    return cls.members[name]
