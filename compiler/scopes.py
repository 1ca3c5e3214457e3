"""Which names a piece of user code binds and imports.

In: nodes of the shared syntax tree. Out: names, in source order, by Python's rules of scope;
nothing is evaluated. `reads` is the other half: the names that code takes from around it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

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


def target_names(target: cst.CSTNode) -> set[str]:
    """Names that an assignment to the target binds."""
    return {found.name for found in _targets(target, target, None)}


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


# -- parts of statements


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


def parameter_names(parameters: cst.Parameters) -> set[str]:
    """The names of all parameters."""
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
    """The nodes directly below that are code; a long `a + b + c` counts as one level."""
    if isinstance(node, cst.BinaryOperation | cst.BooleanOperation):
        yield from _operands(node)
        return
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            yield value
        elif isinstance(value, Sequence) and not isinstance(value, str):
            yield from value


def _operands(node: cst.BinaryOperation | cst.BooleanOperation) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    left: cst.CSTNode = node
    while isinstance(left, cst.BinaryOperation | cst.BooleanOperation):
        found.append(left.right)
        left = left.left
    return [left, *reversed(found)]


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The node and all code below it, in source order."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += reversed(list(children(node)))
