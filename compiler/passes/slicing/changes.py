"""Which names a piece of code changes in place, by its syntax alone."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from ...scopes import all_parameters, children, dotted, root_name, walk

_FUNCTIONS = cst.FunctionDef | cst.Lambda


def has_functions(node: cst.CSTNode) -> bool:
    """Are there functions inside the definition?"""
    return any(isinstance(item, _FUNCTIONS) for item in walk(node) if item is not node)


def eager(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The code that runs when the statement does: no bodies of functions, but those of lambdas."""
    yield node
    if isinstance(node, cst.FunctionDef):
        for decorator in node.decorators:
            yield from eager(decorator)
        for parameter in all_parameters(node.params):
            if parameter.default is not None:
                yield from eager(parameter.default)
        return
    for child in children(node):
        yield from eager(child)


def changed_in(
    node: cst.CSTNode, *, deferred: bool = False
) -> Iterator[tuple[cst.Name, str | None, str]]:
    """Roots of what code changes in place: `(root, method, how)`.

    `method` is that of a call which may do it, None for assignments. How: "statement" if the call
    is one or is assigned, "inside" a larger expression, "new object" for `Class().method()`.
    """
    own: set[int] = set()
    for item in walk(node) if deferred else eager(node):
        targets: list[cst.CSTNode] = []
        match item:
            case cst.Assign(targets=assigned):
                targets = [item.target for item in assigned]
                own.add(id(_called(item.value)))
            case cst.AugAssign(target=cst.Name() as name):
                yield name, None, "statement"
                own.add(id(_called(item.value)))
            case cst.AnnAssign() | cst.AugAssign():
                targets = [item.target]
                own.add(id(_called(item.value)))
            case cst.Del(target=cst.Name() as name):
                yield name, None, "statement"
            case cst.For() | cst.Del():
                targets = [item.target]
            case cst.Expr(value=value):
                own.add(id(_called(value)))
            case cst.Call(func=cst.Attribute(value=receiver, attr=attr)):
                root = root_name(receiver)
                if root is not None:
                    how = "statement" if id(item) in own else "inside"
                    if dotted(item.func) is None and _made(receiver):
                        how = "new object"
                    yield root, attr.value, how
            case cst.Call(func=cst.Name(value="setattr" | "delattr" | "next"), args=[first, *_]):
                root = root_name(first.value)
                if root is not None:
                    yield root, None, "statement"
        for target in targets:
            for name in _changed(target):
                yield name, None, "statement"


def _called(value: cst.CSTNode | None) -> cst.CSTNode | None:
    return value.expression if isinstance(value, cst.Await) else value


def _made(node: cst.BaseExpression) -> bool:
    """`Class()`, `Class().part`: what a method is called on is new."""
    while isinstance(node, cst.Attribute | cst.Subscript):
        node = node.value
    return isinstance(node, cst.Call) and isinstance(node.func, cst.Name)


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
