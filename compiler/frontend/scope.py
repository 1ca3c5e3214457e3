"""Names and their values, by Python's scoping rules.

A `Scope` is the namespace of a module, class body, function call or comprehension. `facts` says
which names a function binds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import libcst as cst

from ..scopes import all_parameters, bindings, children, declared
from .values import UserClass, Value

if TYPE_CHECKING:
    from ..source import SourceModule

Kind = Literal["module", "class", "function", "comprehension"]


class Scope:
    """A namespace and those around it."""

    __slots__ = (
        "bound", "kind", "loops", "module", "names", "owner", "parent", "redirected", "stars",
    )  # fmt: skip

    def __init__(
        self,
        module: SourceModule,
        kind: Kind = "module",
        parent: Scope | None = None,
        bound: frozenset[str] = frozenset(),
    ) -> None:
        self.module = module
        self.kind = kind
        self.parent = parent
        #: Names that are local to a function or comprehension even before they are assigned.
        self.bound = bound
        self.names: dict[str, Value] = {}
        #: Names declared `global` or `nonlocal`, and where they are.
        self.redirected: dict[str, Scope] = {}
        #: Modules that `from x import *` took unknown names from.
        self.stars: list[Value] = []
        #: Of a class body: the class.
        self.owner: UserClass | None = None
        #: Loops around the statement at hand, in this scope.
        self.loops = 0

    @property
    def root(self) -> Scope:
        """The module's scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def find(self, name: str) -> Scope | None:
        """The scope that a read of the name goes to; None if only a builtin can have it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.redirected:
                return scope.redirected[name]
            if (name in scope.names or name in scope.bound) and (
                scope is self or scope.kind != "class"
            ):
                return scope
            scope = scope.parent
        return None

    def home(self, name: str) -> Scope:
        """The scope that an assignment to the name goes to."""
        if name in self.redirected:
            return self.redirected[name]
        if self.kind == "comprehension" and name not in self.bound and self.parent is not None:
            return self.parent.home(name)  # `:=` in a comprehension
        return self

    def get(self, name: str) -> Value:
        """The name's value, None if it has none here or around."""
        found = self.find(name)
        return None if found is None else found.names.get(name)

    def locate(self, name: str) -> tuple[bool, bool]:
        """Is the name bound here or around, and is it the module's top level that binds it?"""
        found = self.find(name)
        return found is not None, found is not None and found.kind == "module"

    def visible(self) -> Iterator[str]:
        """Every name that can be read here, without builtins."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.names
            scope = scope.parent


@dataclass(frozen=True, slots=True)
class Facts:
    """What a function's text says about its names."""

    bound: frozenset[str]
    globals: frozenset[str]
    nonlocals: frozenset[str]
    #: For each `yield` in it: is it all that its statement consists of?
    yields: tuple[bool, ...]


def facts(node: cst.FunctionDef | cst.Lambda) -> Facts:
    """The names of a function."""
    parameters = {parameter.name.value for parameter in all_parameters(node.params)}
    outer = declared(node.body, cst.Global), declared(node.body, cst.Nonlocal)
    bound = {found.name for found in bindings(node.body)} | parameters
    return Facts(
        frozenset(bound - outer[0] - outer[1]),
        frozenset(outer[0]),
        frozenset(outer[1]),
        tuple(_yields(node.body)),
    )


def yields(node: cst.CSTNode) -> bool:
    """Is it a statement whose value is a `yield`?"""
    return type(node) in _YIELDING and type(node.value) is cst.Yield  # type: ignore[attr-defined]


_YIELDING: Final = frozenset({cst.Expr, cst.Assign, cst.Return})


def _yields(node: cst.CSTNode) -> Iterator[bool]:
    """For each `yield`: is it all that its statement consists of?"""
    if isinstance(node, cst.Yield):
        yield False
    if isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Lambda):
        return
    whole = yields(node)
    if whole:
        yield True
    for child in children(node):
        yield from _yields_below(child) if whole else _yields(child)


def _yields_below(node: cst.CSTNode) -> Iterator[bool]:
    below = children(node) if isinstance(node, cst.Yield) else [node]
    for child in below:
        yield from _yields(child)


def function_scope(
    module: SourceModule, around: Scope, known: Facts, arguments: Mapping[str, Value]
) -> Scope:
    """The scope of a call."""
    scope = Scope(module, "function", around, known.bound)
    scope.names.update(arguments)
    for name in known.globals:
        scope.redirected[name] = around.root
    for name in known.nonlocals:
        found = around.find(name)
        if found is not None:
            scope.redirected[name] = found
    return scope
