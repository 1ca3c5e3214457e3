"""Which names a piece of user code binds, and which it reads from around it.

In: nodes of the shared syntax tree. Out: `bindings` (names that statements bind in their own scope)
and `reads` (names they take from the module's top level, or from an import inside a function).
Scoping follows Python's rules; nothing is evaluated.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import libcst as cst


@dataclass(frozen=True, slots=True)
class Imported:
    """What one alias of an import statement binds.

    `import a.b` binds `a` to module `a` and loads `a.b`; `from .x import y as z` has level 1,
    module "x", attribute "y".
    """

    statement: cst.Import | cst.ImportFrom
    alias: cst.ImportAlias | None  # None: `*`
    level: int
    module: str
    attribute: str | None
    loads: str


@dataclass(frozen=True, slots=True)
class Binding:
    """A name that a statement binds."""

    name: str
    node: cst.CSTNode
    imported: Imported | None = None
    #: The expression that is assigned, if the whole of it goes to this name.
    value: cst.BaseExpression | None = None


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


def dotted(node: cst.CSTNode | None) -> str | None:
    """`a.b.c` of a name or attribute chain, or None."""
    match node:
        case cst.Name(value=name):
            return name
        case cst.Attribute(value=base, attr=attr):
            front = dotted(base)
            return None if front is None else f"{front}.{attr.value}"
    return None


def root_name(node: cst.BaseExpression | None) -> cst.Name | None:
    """The name that `x.y[0].z(...)` starts with."""
    while True:
        match node:
            case cst.Name():
                return node
            case cst.Attribute(value=inner) | cst.Subscript(value=inner) | cst.Call(func=inner):
                node = inner
            case _:
                return None


def imports(statement: cst.Import | cst.ImportFrom) -> Iterator[tuple[str, Imported]]:
    """The names that an import statement binds; `*` for a star."""
    if isinstance(statement, cst.Import):
        for alias in statement.names:
            full = dotted(alias.name) or ""
            if alias.asname is None:
                first = full.partition(".")[0]
                yield first, Imported(statement, alias, 0, first, None, full)
            else:
                bound = dotted(alias.asname.name) or ""
                yield bound, Imported(statement, alias, 0, full, None, full)
        return
    module, level = dotted(statement.module) or "", len(statement.relative)
    if isinstance(statement.names, cst.ImportStar):
        yield "*", Imported(statement, None, level, module, "*", module)
        return
    for alias in statement.names:
        name = dotted(alias.name) or ""
        bound = (dotted(alias.asname.name) if alias.asname else None) or name
        yield bound, Imported(statement, alias, level, module, name, module)


# -- bindings


def bindings(node: cst.CSTNode) -> Iterator[Binding]:
    """Names that the node binds in the scope that it stands in, in source order."""
    match node:
        case cst.FunctionDef(name=name) | cst.ClassDef(name=name):
            yield Binding(name.value, node)
        case cst.Import() | cst.ImportFrom():
            for bound, imported in imports(node):
                yield Binding(bound, node, imported)
        case cst.Assign(targets=targets, value=value):
            yield from bindings(value)
            for target in targets:
                yield from _targets(target.target, node, value)
        case cst.AnnAssign(target=target, value=value):
            yield from _targets(target, node, value)
            if value is not None:
                yield from bindings(value)
        case cst.AugAssign(target=target, value=value):
            yield from _targets(target, node, None)
            yield from bindings(value)
        case cst.NamedExpr(target=target, value=value):
            yield from _targets(target, node, None)
            yield from bindings(value)
        case cst.AsName(name=name):
            yield from _targets(name, node, None)
        case cst.Del(target=target):
            yield from _targets(target, node, None)
        case cst.For(target=target) | cst.CompFor(target=target):
            if isinstance(node, cst.For):
                yield from _targets(target, node, None)
            for child in children(node):
                if child is not target:
                    yield from bindings(child)
        case cst.MatchAs(pattern=pattern, name=bound):
            if pattern is not None:
                yield from bindings(pattern)
            if bound is not None:
                yield Binding(bound.value, node)
        case cst.MatchStar(name=bound):
            if bound is not None:
                yield Binding(bound.value, node)
        case cst.MatchMapping(rest=rest):
            for element in node.elements:
                yield from bindings(element)
            if rest is not None:
                yield Binding(rest.value, node)
        case cst.TypeAlias(name=name):
            yield Binding(name.value, node)
        case cst.Lambda() | cst.Name():
            return
        case _:
            for child in children(node):
                yield from bindings(child)


def _targets(
    target: cst.CSTNode, node: cst.CSTNode, value: cst.BaseExpression | None
) -> Iterator[Binding]:
    match target:
        case cst.Name(value=name):
            yield Binding(name, node, value=value)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                yield from _targets(element.value, node, None)
        case cst.StarredElement(value=inner):
            yield from _targets(inner, node, None)


def declared(node: cst.CSTNode, kind: type[cst.Global] | type[cst.Nonlocal]) -> set[str]:
    """Names in `global` (or `nonlocal`) statements of a function's own body."""
    if isinstance(node, kind):
        return {item.name.value for item in node.names}
    if isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Lambda):
        return set()
    return set().union(*(declared(child, kind) for child in children(node)))


def global_writes(node: cst.CSTNode) -> set[str]:
    """Names that functions in the node declare `global`."""
    if isinstance(node, cst.Global):
        return {item.name.value for item in node.names}
    if isinstance(node, cst.BaseExpression):
        return set()
    return set().union(*map(global_writes, children(node)))


def mutations(node: cst.CSTNode, *, enter_functions: bool = False) -> Iterator[cst.Name]:
    """Root names of what statements change in place: `x[0] = 1`, `x.y += 1`, `x.append(1)`."""
    match node:
        case cst.FunctionDef() | cst.ClassDef() | cst.Lambda() if not enter_functions:
            return
        case cst.Assign(targets=targets):
            for target in targets:
                yield from _changed(target.target)
        case cst.AnnAssign(target=target) | cst.AugAssign(target=target):
            yield from _changed(target)
        case cst.Del(target=target):
            yield from _changed(target)
        case cst.For(target=target):
            yield from _changed(target)
        case cst.Call(func=cst.Attribute(value=receiver)):
            if root := root_name(receiver):
                yield root
        case cst.Call(func=cst.Name(value="setattr" | "delattr"), args=[first, *_]):
            if root := root_name(first.value):
                yield root
    for child in children(node):
        yield from mutations(child, enter_functions=enter_functions)


def _changed(target: cst.CSTNode) -> Iterator[cst.Name]:
    match target:
        case cst.Attribute(value=inner) | cst.Subscript(value=inner):
            if root := root_name(inner):
                yield root
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            for element in elements:
                yield from _changed(element.value)
        case cst.StarredElement(value=inner):
            yield from _changed(inner)


# -- reads


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
        scope.names |= _parameter_names(node.params)
        _collect(node.body, scope)
        self.visit(node.body, outside.inside(scope, deferred=True))
        self._bind(node.name.value, context)

    def _lambda(self, node: cst.Lambda, context: _Context) -> None:
        self._parameters(node.params, context, context, "never")
        scope = _Scope("function", context.scope)
        scope.names |= _parameter_names(node.params)
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
            scope.names |= {found.name for found in _targets(clause.target, clause, None)}
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


def all_parameters(parameters: cst.Parameters) -> list[cst.Param]:
    """Every parameter, in the order of the text."""
    star = [parameters.star_arg] if isinstance(parameters.star_arg, cst.Param) else []
    last = [parameters.star_kwarg] if parameters.star_kwarg else []
    return [
        *parameters.posonly_params,
        *parameters.params,
        *star,
        *parameters.kwonly_params,
        *last,
    ]


def _parameter_names(parameters: cst.Parameters) -> set[str]:
    return {parameter.name.value for parameter in all_parameters(parameters)}


def nested_imports(node: cst.CSTNode) -> Iterator[cst.Import | cst.ImportFrom]:
    """Every import statement in the node, those inside functions too."""
    if isinstance(node, cst.Import | cst.ImportFrom):
        yield node
    elif not isinstance(node, cst.BaseExpression):
        for child in children(node):
            yield from nested_imports(child)


# -- walking


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    """Fields of a node that can hold code: no white space, commas, parentheses or operators."""
    return tuple(
        item.name
        for item in dataclasses.fields(kind)
        if "whitespace" not in item.name
        and item.name not in ("lpar", "rpar", "leading_lines", "lines_after_decorators", "comma",
                              "semicolon", "header", "footer", "equal", "operator", "keyword")
    )  # fmt: skip


def children(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes directly below that are code."""
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from value


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node and all code below it."""
    yield node
    for child in children(node):
        yield from walk(child)
