"""The free names of an expression: those that it does not bind itself."""

from __future__ import annotations

import ast

import libcst as cst


def free_names(node: cst.BaseExpression) -> set[str]:
    """Names read in a lambda or expression and bound outside of it, builtins included."""
    text = cst.Module([]).code_for_node(node)
    # In parentheses, as its line breaks may have stood in brackets that are not part of it.
    return free_in(ast.parse(f"({text}\n)", mode="eval").body)


def free_in(node: ast.AST) -> set[str]:
    """As `free_names`, of a tree of Python's own parser."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            return {name}
        case ast.Name():
            return set()
        case ast.Lambda(args=args, body=body):
            bound = {arg.arg for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs]}
            bound |= {arg.arg for arg in (args.vararg, args.kwarg) if arg}
            defaults = [*args.defaults, *(default for default in args.kw_defaults if default)]
            return (free_in(body) - bound).union(*map(free_in, defaults))
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            return _free_in_comprehension(node)
    return set().union(*map(free_in, ast.iter_child_nodes(node)))


def bound_in(node: ast.AST) -> set[str]:
    """Names that an expression binds: of comprehensions, lambdas and `:=`."""
    bound = {
        item.id
        for item in ast.walk(node)
        if isinstance(item, ast.Name) and not isinstance(item.ctx, ast.Load)
    }
    return bound | {item.arg for item in ast.walk(node) if isinstance(item, ast.arg)}


def _free_in_comprehension(
    node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
) -> set[str]:
    free: set[str] = set()
    bound: set[str] = set()
    for generator in node.generators:
        free |= free_in(generator.iter) - bound
        bound |= bound_in(generator.target)
        for condition in generator.ifs:
            free |= free_in(condition) - bound
    results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    for result in results:
        free |= free_in(result) - bound
    return free
