"""From evaluated values to what the IR holds: targets, constructor arguments, paths."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import libcst as cst

from . import ir
from .code_index import Symbol
from .diagnostics import GraphError, Span
from .frontend.enums import as_given
from .frontend.free_names import free_names
from .frontend.objects import named_items
from .frontend.values import (
    EnvValue,
    External,
    HostObject,
    Instance,
    OpenText,
    Unknown,
    UserClass,
    UserFunction,
    UserModule,
    Value,
)
from .runtime_names import KNOWN_CLASSES, canonical

if TYPE_CHECKING:
    from .builder.session import Session

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
#: What a class's own arguments never include when it is given as an object (serving.md 1.5).
_NOT_ARGUMENTS = frozenset(("context", "kwargs"))
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Runs:
    """What a step or route runs."""

    cls: ir.Target | None
    method: str | None
    function: ir.Target | None
    args: ir.Args


def target_of(session: Session, value: Any, where: Span, what: str) -> ir.Target:
    """The code that a `class_name` or `handler` stands for; raises GraphError.

    Class objects count as their name (serving.md Q1), which MLRun 1.12 refuses.
    """
    match value:
        case ir.Named() | ir.UserCode() | ir.Dotted() | ir.Inline():
            return value
        case str():
            if not value:
                raise GraphError(f"{what} is empty", span=where)
            return ir.Named(value, where)
        case UserClass() | UserFunction() if value.top_level:
            return ir.UserCode(Symbol(value.module.name, value.name), where)
        case UserFunction(node=cst.Lambda()):
            return _lambda(session, value, where)
        case UserClass() | UserFunction():
            raise GraphError(
                f"{value.name!r} is defined inside a function, where a package cannot reach it",
                code="GC016",
                span=where,
                help="move it to the top level of its module",
            )
        case External():
            return ir.Dotted(canonical(value.dotted), where)
        case Unknown():
            raise _unknown(value, where)
    raise GraphError(
        f"{what} must be a name, a class or a function, not {_describe(value)}", span=where
    )


def _lambda(session: Session, function: UserFunction, where: Span) -> ir.Target:
    node = function.node
    assert isinstance(node, cst.Lambda)
    if function.name != "<lambda>":
        return ir.UserCode(Symbol(function.module.name, function.name), where)
    parameters = node.params
    if len(parameters.params) != 1 or parameters.kwonly_params or parameters.posonly_params:
        raise GraphError("a step's lambda takes one parameter", code="GC017", span=where)
    parameter = parameters.params[0].name.value
    names: dict[str, Symbol] = {}
    values: dict[str, Any] = {}
    for name in sorted(free_names(node)):
        found, top_level = function.scope.locate(name)
        if found and top_level:
            names[name] = Symbol(function.module.name, name)
        elif found:
            values[name] = Arguments(session).value(function.scope.get(name), where)
    text = function.module.tree.code_for_node(node.body)
    return ir.Inline(text, parameter, where, names, values)


def portable(session: Session, text: str) -> str:
    """A path into the graph file's folder without where that is on this machine."""
    root = os.path.abspath(session.tree.root)
    return os.path.relpath(text, root) if text.startswith(f"{root}/") else text


def _unknown(value: Any, where: Span) -> GraphError:
    from .builder.mistakes import unknown_value

    return unknown_value(value, where)


def _opened(value: Unknown, *, as_text: bool) -> ir.EnvLookup:
    """A value that the file leaves open, for the pass `name_settings` to name."""
    return ir.EnvLookup("", None, True, value.expression or value.why, as_text, span=value.span)


class Arguments:
    """Checks and freezes what a step is given."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def freeze(
        self, args: Mapping[str, Any], where: Span, spans: Mapping[str, Span] | None = None
    ) -> ir.Args:
        """Arguments as the IR holds them; raises GraphError for what no package can hold."""
        spans = spans or {}
        if isinstance(unknown := args.get(""), Unknown):
            # The evaluator does not know what the arguments are in the end.
            raise _unknown(unknown, where)
        return tuple(
            (key, self.argument(key, value, spans.get(key, where))) for key, value in args.items()
        )

    def argument(self, key: str, value: Any, where: Span) -> Any:
        """A constructor argument; `_fn="name"` is a name to look up (serving.md 2.3)."""
        if not isinstance(key, str) or not key.isidentifier() or key == "self":
            raise GraphError(f"{key!r} cannot be the name of an argument", code="GC018", span=where)
        if key.startswith("_") and isinstance(value, str):
            return ir.Named(value, where)
        if key.startswith("_") and isinstance(value, Unknown):
            raise _unknown(value, where)
        made = self.value(value, where, opens=True)
        if key.startswith("_") and not isinstance(made, ir.Target):
            raise GraphError(
                f"{key}= stands for a function, by its name or as an object",
                span=where,
                help=f"write {key[1:]}=... for a value" if key != "_" else "",
            )
        return made

    def value(self, value: Any, where: Span, depth: int = 0, *, opens: bool = False) -> Any:
        """A value that generated code can spell; with `opens`, when the package starts."""

        def inner(item: Any) -> Any:
            return self.value(item, where, depth + 1, opens=opens)

        if depth > _DEEPEST:
            raise GraphError("the value is nested too deeply", code="GC020", span=where)
        match value:
            case str() | PurePosixPath():
                return portable(self._session, str(value))
            case bool() | None | int() | float() | complex() | bytes():
                return value
            case list():
                return [inner(item) for item in value]
            case tuple():
                return tuple(map(inner, value))
            case dict():
                return {
                    self.value(key, where, depth + 1): inner(item) for key, item in value.items()
                }
            case set() | frozenset():
                return type(value)(self.value(item, where, depth + 1) for item in value)
            case Instance() if (given := as_given(value)) is not value:
                return inner(given)
            case Instance() if (items := named_items(value)) is not None:
                return tuple(map(inner, items))
            case EnvValue(name=name, default=default, required=required):
                return ir.EnvLookup(name, default, required, span=value.span)
            case Unknown() if opens and not value.reported:
                return _opened(value, as_text=False)
            case OpenText(parts=parts) if opens:
                return ir.OpenText(tuple(map(self._part, parts)))
            case OpenText():
                raise _unknown(value, where)
            case UserFunction() | UserClass() | External() | Unknown():
                return target_of(self._session, value, where, "the argument")
        raise GraphError(
            f"{_describe(value)} cannot be written into a package",
            code="GC020",
            span=where,
            help="pass numbers, texts, lists and dicts, and build the object in the class",
        )

    def _part(self, part: str | EnvValue | Unknown) -> str | ir.EnvLookup:
        match part:
            case str():
                return part
            case EnvValue(name=name, default=default, required=required):
                return ir.EnvLookup(name, default, required, span=part.span)
        return _opened(part, as_text=True)

    def runs(
        self,
        cls: Any,
        handler: Any,
        args: Mapping[str, Any],
        where: Span,
        spans: Mapping[str, Span],
    ) -> Runs:
        """The code of a step; with a class, `handler` names one of its methods."""
        handler_span = spans.get("handler", where)
        if cls is None:
            function = target_of(self._session, handler, handler_span, "handler")
            return Runs(None, None, function, ())
        if isinstance(cls, Instance):
            cls, own = self.of_instance(cls, spans.get("class_name", where))
            for name in ("name", "full_event", "input_path", "result_path"):
                own.pop(name, None)
            args = {**own, **args}
        method = None if handler is None else self.method(handler, handler_span)
        target = target_of(self._session, cls, spans.get("class_name", where), "class_name")
        return Runs(target, method, None, self.freeze(args, where, spans))

    def method(self, handler: Any, where: Span) -> str:
        """The name of a method, from `handler=` beside a class."""
        method = self._session.text(handler, "handler", where)
        if not method.isidentifier():
            raise GraphError(f"{method!r} cannot be a method's name", code="GC017", span=where)
        return method

    def of_instance(self, value: Instance, where: Span) -> tuple[ir.Target, dict[str, Any]]:
        """`(class, arguments)` of an object given instead of a name (serving.md 1.5)."""
        cls = target_of(self._session, value.cls, where, "class_name")
        if value.args and value.args != (None,):
            names = _positional(value.cls)
            if names is None or len(value.args) > len(names):
                raise GraphError(
                    "an object that stands for a step takes its arguments by name",
                    code="GC016",
                    span=where,
                    help="write them as keywords",
                )
            arguments = dict(zip(names, value.args, strict=False)) | dict(value.kwargs)
        else:
            arguments = dict(value.kwargs)
        return cls, {
            key: item
            for key, item in arguments.items()
            if key not in _NOT_ARGUMENTS and item is not None
        }

    def flag(self, value: Any, what: str, where: Span) -> bool | None:
        """A value that is taken for true or false, None where it is not given."""
        if value is None or isinstance(value, _PLAIN):
            return None if value is None else bool(value)
        raise self._session.wrong_value(value, f"{what} must be True or False", where)

    def path(self, value: Any, what: str, where: Span) -> str | None:
        """An `input_path` or `result_path`."""
        if value is None or value == "":
            return None
        return self._session.text(value, what, where)


def _positional(cls: Value, depth: int = 0) -> tuple[str, ...] | None:
    """The parameters of a class that can be given by position; None if that is not known."""
    if isinstance(cls, External):
        known = KNOWN_CLASSES.get(canonical(cls.dotted))
        return known.parameters if known else None
    if not isinstance(cls, UserClass) or depth > _DEEPEST:
        return None
    for statement in cls.node.body.body:
        if isinstance(statement, cst.FunctionDef) and statement.name.value == "__init__":
            named = [*statement.params.posonly_params, *statement.params.params][1:]
            return tuple(parameter.name.value for parameter in named)
    inherited = (_positional(base, depth + 1) for base in cls.bases)
    return next((names for names in inherited if names), None)


def _describe(value: Any) -> str:
    match value:
        case HostObject():
            return value.description
        case Instance():
            cls = value.cls
            return f"an object of class {cls.dotted if isinstance(cls, External) else cls.name}"
        case UserModule():
            return "a module"
        case _ if isinstance(value, _PLAIN):
            return f"{value!r:.60}"
    return f"a {type(value).__name__}"
