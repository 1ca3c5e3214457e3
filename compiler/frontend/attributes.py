"""Attributes of values: what stands behind the dot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, Severity, did_you_mean
from . import enums, files, objects, stdlib
from .memory import origin
from .methods import attribute
from .operators import PLAIN, describe
from .signals import Native
from .values import (
    BoundMethod,
    Descriptor,
    EnvValue,
    External,
    Generator,
    HostFunction,
    HostModule,
    HostObject,
    Instance,
    Method,
    OpenText,
    Super,
    TextFile,
    Unknown,
    UserClass,
    UserFunction,
    UserModule,
    Value,
)

if TYPE_CHECKING:
    from .machine import Machine


class Attributes:
    """Reads attributes; the machine's position says where the name stands."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def read(self, value: Value, name: str) -> Value:
        """`value.name`."""
        machine = self._machine
        match value:
            case Unknown():
                return value
            case EnvValue() | OpenText():
                return origin(value)
            case HostObject():
                if name in value.api:
                    return value.read(name)
                if name in value.refused:
                    message = f"graphc does not compile {name}() of {value.description} yet"
                    help = value.refused[name]
                    found = Diagnostic("GC016", Severity.ERROR, message, machine.here, help=help)
                    machine.report(found)
                    return machine.failed("the attribute is not compiled", machine.here)
                if value.known and name not in value.known and not name.startswith("_"):
                    raise Native(
                        AttributeError(f"{value.description} has no attribute {name!r}"),
                        did_you_mean(name, value.api | value.known),
                    )
                return Unknown(f"{value.description} has no attribute {name!r} here", None)
            case HostModule(dotted=dotted, members=members):
                if name in members:
                    return members[name]
                if dotted == "mlrun" and (near := did_you_mean(name, members, cutoff=0.85)):
                    # mlrun has other names, but none so near.
                    raise Native(AttributeError(f"module 'mlrun' has no attribute {name!r}"), near)
                full = f"{dotted}.{name}"
                is_value = name[:1].isupper() or dotted in _CONFIGURATION
                inner = None if is_value else machine.host.module(full)
                return inner if inner is not None else self._external(full)
            case External(dotted=dotted):
                return self._external(f"{dotted}.{name}")
            case UserModule():
                return self._of_module(value, name)
            case UserClass():
                return self._of_class(value, name)
            case UserFunction():
                if name in ("__name__", "__qualname__") and value.name != "<lambda>":
                    return value.name
            case Instance(fields=fields) if fields is not None:
                return objects.read(machine, value, name)
            case Super():
                return objects.read_super(value, name)
            case Instance(cls=UserClass() as cls) if (
                method := objects.own_method(cls, name)
            ) is not None:
                return objects.bound(method, value, cls)
            case Generator(code=code) if name == "__next__" or (code and name in _SENDING):
                return Method(value, name)
            case Generator(code=()) if name in _SENDING:
                raise Native(AttributeError(f"{value.name!r} object has no attribute {name!r}"))
            case TextFile() if name in files.METHODS:
                return Method(value, name)
            case HostFunction() | Method() | Instance() | TextFile():
                pass
            case _ if type(value) in PLAIN:
                return attribute(value, name)
        return Unknown(f"the attribute {name!r} of {describe(value)}", None)

    def _external(self, dotted: str) -> Value:
        """What a full name outside of the user's code stands for."""
        if dotted in stdlib.CONSTANTS:
            return stdlib.CONSTANTS[dotted]
        if dotted.rpartition(".")[0] in _CONFIGURATION:
            return Unknown(f"{dotted} is mlrun's configuration where the file runs", None)
        if dotted in stdlib.VARYING:
            return Unknown(f"{dotted} differs from machine to machine", None)
        if dotted.startswith("builtins.") and dotted.endswith(".__name__"):
            return dotted.split(".")[-2]
        return External(dotted, self._machine.here)

    def _of_module(self, value: UserModule, name: str) -> Value:
        if name in value.scope.names:
            return value.scope.names[name]
        if value.module.is_package:
            inner = self._machine.user_module(f"{value.module.name}.{name}")
            if inner is not None:
                return inner
        if value.scope.stars:
            star = value.scope.stars[-1]
            return self.read(star, name) if isinstance(star, External) else star
        raise Native(
            AttributeError(f"module {value.module.name!r} has no attribute {name!r}"),
            did_you_mean(name, value.scope.names),
        )

    def _of_class(self, value: UserClass, name: str) -> Value:
        if name in ("__name__", "__qualname__"):
            return value.name
        pending: list[Value] = [value]
        foreign = False
        while pending:
            cls = pending.pop(0)
            if not isinstance(cls, UserClass):
                foreign = foreign or cls is not self._machine.builtin("builtins.object")
                continue
            if name in cls.members and not _is_special(cls):
                found = cls.members[name]
                if isinstance(found, Descriptor) and found.kind.endswith("method"):
                    is_static = found.kind == "staticmethod"
                    return found.function if is_static else BoundMethod(value, found.function)
                if objects.method_of(found, "__get__") is None and (
                    type(found) in PLAIN or isinstance(found, _GIVEN)
                ):
                    return found
            if name in cls.members:
                return Unknown(f"the attribute {name!r} of the class {cls.name}", None)
            pending.extend(cls.bases)
        if foreign or name.startswith("__"):
            return Unknown(f"the attribute {name!r} of the class {value.name}", None)
        raise Native(
            AttributeError(f"type object {value.name!r} has no attribute {name!r}"),
            did_you_mean(name, value.members),
        )


#: Methods of generators that other iterators do not have.
_SENDING = frozenset({"close", "send", "throw"})
#: Modules that hold how mlrun is set up where the file runs.
_CONFIGURATION = frozenset(("mlrun.config", "mlrun.mlconf"))
#: What a class gives out as it is.
_GIVEN = (UserFunction, UserClass, HostObject, Instance, EnvValue, External)


def _is_special(cls: UserClass) -> bool:
    """Does a base of the class turn what its body assigns into something else?"""
    return any(
        isinstance(base, External)
        and base.dotted not in objects.IDLE_BASES
        and not enums.is_enum(cls)
        and not base.dotted.startswith(("mlrun.", "builtins."))
        for base in cls.bases
    )
