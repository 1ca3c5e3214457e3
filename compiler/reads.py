"""Which names a piece of user code reads from the module's top level.

In: statements of the shared syntax tree. Out: `Read`s, in source order: names that no scope of the
statement binds, and names bound by imports inside functions. Scoping follows Python's rules.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import libcst as cst

from .scopes import (
    Imported,
    all_parameters,
    bindings,
    children,
    declared,
    imports,
    parameter_names,
    target_names,
)

#: When an annotation is evaluated: always, unless `from __future__ import annotations`, or never.
Evaluated = Literal["always", "eagerly", "never"]


@dataclass(frozen=True, slots=True)
class Read:
    """A name read from the top level, with the attributes taken of it: `np.random.seed`."""

    node: cst.Name
    attributes: tuple[cst.Attribute, ...] = ()
    #: What is done with it: `f(...)`, `class X(f)`, `@f`; or plainly read.
    use: Literal["call", "base", "decorator", "value"] = "value"
    #: Runs when a function is called, not when the module is loaded.
    deferred: bool = False
    annotation: cst.Annotation | None = None
    evaluated: Evaluated = "always"
    #: Set if the name is bound by an import inside a function.
    imported: Imported | None = None

    @property
    def name(self) -> str:
        return self.node.value

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(attribute.attr.value for attribute in self.attributes)


def reads(node: cst.CSTNode) -> list[Read]:
    """What a statement of the module's top level reads, in source order."""
    reader = _Reader()
    reader.visit(node, _Context())
    return reader.found


@dataclass(slots=True)
class _Scope:
    """One function, class body or comprehension."""

    kind: Literal["function", "class"]
    parent: _Scope | None
    names: set[str] = field(default_factory=set)
    outer: set[str] = field(default_factory=set)  # declared global
    imports: dict[str, Imported] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Context:
    scope: _Scope | None = None
    deferred: bool = False
    annotation: cst.Annotation | None = None
    evaluated: Evaluated = "always"
    #: What a class body binds here it binds for sure.
    certain: bool = True

    def inside(self, scope: _Scope, *, deferred: bool | None = None) -> _Context:
        return dataclasses.replace(
            self,
            scope=scope,
            deferred=self.deferred if deferred is None else deferred,
            certain=True,
        )


class _Reader:
    def __init__(self) -> None:
        self.found: list[Read] = []

    def visit(self, node: cst.CSTNode, context: _Context) -> None:
        match node:
            case cst.Name() | cst.Attribute():
                self._name(node, context, "value")
            case cst.Call(func=cst.Name() | cst.Attribute() as function):
                self._name(function, context, "call")
                self._all(node.args, context)
            case cst.Arg(value=value):
                self.visit(value, context)
            case cst.FunctionDef():
                self._function(node, context)
            case cst.Lambda():
                self._lambda(node, context)
            case cst.ClassDef():
                self._class(node, context)
            case cst.ListComp() | cst.SetComp() | cst.GeneratorExp() | cst.DictComp():
                self._comprehension(node, context)
            case cst.Assign(targets=targets, value=value):
                self.visit(value, context)
                for target in targets:
                    self._target(target.target, context)
            case cst.AnnAssign(target=target, annotation=annotation, value=value):
                kind = context.scope.kind if context.scope else "module"
                evaluated: Evaluated = (
                    "never" if kind == "function" else "always" if kind == "class" else "eagerly"
                )
                self._annotation(annotation, context, evaluated)
                if value is not None:
                    self.visit(value, context)
                self._target(target, context, bind=value is not None)
            case cst.AugAssign(target=target, value=value):
                self.visit(target, context)
                self.visit(value, context)
                self._target(target, context, visit=False)
            case cst.NamedExpr(target=target, value=value):
                self.visit(value, context)
                self._target(target, context)
            case cst.For(target=target):
                self.visit(node.iter, context)
                # Bound only if there is something to iterate over: a class body may still
                # read the module's name of that spelling.
                self._target(target, context, bind=False)
                self._all((node.body, node.orelse), context)
            case cst.AsName(name=name):
                self._target(name, context, bind=False)
            case cst.Import() | cst.ImportFrom():
                for bound, imported in imports(node):
                    self._bind(bound, context)
                    if context.scope and context.scope.kind == "class":
                        context.scope.imports[bound] = imported
            case cst.Global() | cst.Nonlocal():
                return
            case cst.MatchAs(pattern=pattern):
                self._all((pattern,), context)
            case cst.MatchStar():
                return
            case cst.MatchMapping(elements=elements):
                self._all(elements, context)
            case cst.MatchKeywordElement(pattern=pattern):
                self.visit(pattern, context)
            case cst.TypeAlias(value=value, type_parameters=parameters):
                inner = self._type_parameters(parameters, context)
                self.visit(value, inner)
                self._bind(node.name.value, context)
            case cst.If() | cst.Try() | cst.TryStar() | cst.While() | cst.Match():
                self._all(children(node), dataclasses.replace(context, certain=False))
            case _:
                self._all(children(node), context)

    def _all(self, nodes: Iterable[cst.CSTNode | None], context: _Context) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node, context)

    # -- names

    def _name(
        self,
        node: cst.CSTNode,
        context: _Context,
        use: Literal["call", "base", "decorator", "value"],
    ) -> None:
        attributes: list[cst.Attribute] = []
        inner: cst.CSTNode = node
        while isinstance(inner, cst.Attribute):
            attributes.append(inner)
            inner = inner.value
        if not isinstance(inner, cst.Name):
            self.visit(inner, context)
            return
        found, imported = _look_up(inner.value, context.scope)
        if found and imported is None:
            return
        self.found.append(
            Read(
                inner,
                tuple(reversed(attributes)),
                use,
                context.deferred,
                context.annotation,
                context.evaluated,
                imported,
            )
        )

    def _target(
        self,
        target: cst.CSTNode,
        context: _Context,
        *,
        bind: bool = True,
        visit: bool = True,
    ) -> None:
        match target:
            case cst.Name(value=name):
                if bind:
                    self._bind(name, context)
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                for element in elements:
                    self._target(element.value, context, bind=bind, visit=visit)
            case cst.StarredElement(value=inner):
                self._target(inner, context, bind=bind, visit=visit)
            case _ if visit:
                self.visit(target, context)

    def _bind(self, name: str, context: _Context) -> None:
        """A class body's names count from where they are bound; others are collected before."""
        if context.scope and context.scope.kind == "class" and context.certain:
            context.scope.names.add(name)

    def _annotation(
        self, annotation: cst.Annotation | None, context: _Context, evaluated: Evaluated
    ) -> None:
        if annotation is not None:
            self.visit(
                annotation.annotation,
                dataclasses.replace(context, annotation=annotation, evaluated=evaluated),
            )

    # -- scopes

    def _function(self, node: cst.FunctionDef, context: _Context) -> None:
        for decorator in node.decorators:
            self._decorator(decorator, context)
        outside = self._type_parameters(node.type_parameters, context)
        # A decorator may look at the annotations (singledispatch, validators).
        evaluated: Evaluated = "always" if node.decorators else "eagerly"
        self._parameters(node.params, context, outside, evaluated)
        self._annotation(node.returns, outside, evaluated)
        scope = _Scope("function", outside.scope)
        scope.names |= parameter_names(node.params)
        _collect(node.body, scope)
        self.visit(node.body, outside.inside(scope, deferred=True))
        self._bind(node.name.value, context)

    def _lambda(self, node: cst.Lambda, context: _Context) -> None:
        self._parameters(node.params, context, context, "never")
        scope = _Scope("function", context.scope)
        scope.names |= parameter_names(node.params)
        scope.names |= {found.name for found in bindings(node.body)}
        self.visit(node.body, context.inside(scope, deferred=True))

    def _class(self, node: cst.ClassDef, context: _Context) -> None:
        for decorator in node.decorators:
            self._decorator(decorator, context)
        inner = self._type_parameters(node.type_parameters, context)
        for argument in (*node.bases, *node.keywords):
            if isinstance(argument.value, cst.Name | cst.Attribute):
                self._name(argument.value, inner, "base")
            else:
                self.visit(argument.value, inner)
        scope = _Scope("class", inner.scope)
        scope.outer |= declared(node.body, cst.Global)
        self.visit(node.body, inner.inside(scope))
        self._bind(node.name.value, context)

    def _decorator(self, decorator: cst.Decorator, context: _Context) -> None:
        expression = decorator.decorator
        if isinstance(expression, cst.Call):
            self._all(expression.args, context)
            expression = expression.func
        if isinstance(expression, cst.Name | cst.Attribute):
            self._name(expression, context, "decorator")
        else:
            self.visit(expression, context)

    def _parameters(
        self,
        parameters: cst.Parameters,
        defaults: _Context,
        annotations: _Context,
        evaluated: Evaluated,
    ) -> None:
        for parameter in all_parameters(parameters):
            if parameter.default is not None:
                self.visit(parameter.default, defaults)
            self._annotation(parameter.annotation, annotations, evaluated)

    def _type_parameters(
        self, parameters: cst.TypeParameters | None, context: _Context
    ) -> _Context:
        if parameters is None:
            return context
        scope = _Scope("function", context.scope)
        for parameter in parameters.params:
            scope.names.add(parameter.param.name.value)
        inner = context.inside(scope)
        for parameter in parameters.params:
            if isinstance(parameter.param, cst.TypeVar) and parameter.param.bound is not None:
                self.visit(parameter.param.bound, inner)
            if parameter.default is not None:
                self.visit(parameter.default, inner)
        return inner

    def _comprehension(
        self,
        node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp,
        context: _Context,
    ) -> None:
        scope = _Scope("function", context.scope)
        inner = context.inside(scope)
        clause: cst.CompFor | None = node.for_in
        while clause is not None:
            scope.names |= target_names(clause.target)
            clause = clause.inner_for_in
        self.visit(node.for_in.iter, context)
        clause = node.for_in
        while clause is not None:
            if clause is not node.for_in:
                self.visit(clause.iter, inner)
            self._target(clause.target, inner)
            self._all(clause.ifs, inner)
            clause = clause.inner_for_in
        if isinstance(node, cst.DictComp):
            self._all((node.key, node.value), inner)
        else:
            self.visit(node.elt, inner)


def _look_up(name: str, scope: _Scope | None) -> tuple[bool, Imported | None]:
    """Is the name bound between here and the top level, and by which import?"""
    innermost = True
    while scope is not None:
        if name in scope.outer:
            return False, None
        if name in scope.names and (scope.kind == "function" or innermost):
            return True, scope.imports.get(name)
        innermost = False
        scope = scope.parent
    return False, None


def _collect(body: cst.CSTNode, scope: _Scope) -> None:
    """Enters what a function's body binds."""
    others: set[str] = set()
    for found in bindings(body):
        scope.names.add(found.name)
        if found.imported is not None:
            scope.imports.setdefault(found.name, found.imported)
        else:
            others.add(found.name)
    for name in others:
        scope.imports.pop(name, None)
    scope.outer |= declared(body, cst.Global)
    scope.names -= scope.outer | declared(body, cst.Nonlocal)
