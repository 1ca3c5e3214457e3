"""Expressions: a syntax node and a scope in, a value out."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import libcst as cst

from ..diagnostics import GraphError, did_you_mean
from . import aliases, objects, operators, stdlib
from .comprehensions import Comprehensions
from .limits import BoundExceeded
from .memory import Memory, open_text, origin
from .operators import PLAIN, describe, elements, truth
from .scope import Scope
from .signals import Lost, Native, Raised, native
from .texts import Texts
from .values import (
    EnvValue,
    External,
    OpenText,
    Unknown,
    UserFunction,
    Value,
)

if TYPE_CHECKING:
    from .machine import Machine

Handler = Callable[[Any, Scope], Value]

_CONSTANTS: Final[Mapping[str, Value]] = {
    "True": True,
    "False": False,
    "None": None,
    "__debug__": True,
}
#: Packages whose modules have no public name that is one of Python's functions (mlrun 1.12.1).
_WITHOUT_BUILTINS: Final = frozenset(
    "mlrun storey nuclio typing dataclasses pathlib collections datetime".split()
)
#: Builtin names; those of the interactive shell count as such, since `site` adds them to scripts.
_BUILTIN_NAMES: Final = frozenset(
    name for name in dir(builtins) if not name.startswith("_") and name not in _CONSTANTS
) - {"copyright", "credits", "license"} | {"exit", "quit", "__import__", "__build_class__"}
#: Expressions that go on with a value: an Unknown is named after all of it.
_POSTFIX: Final = frozenset({cst.Attribute, cst.Call, cst.Subscript})
_OPEN: Final = frozenset({EnvValue, OpenText, Unknown})
_TEXTS: Final = frozenset({str, EnvValue, OpenText})
#: What IPython puts into the namespace of a notebook.
_NOTEBOOK_NAMES: Final = frozenset({"display", "get_ipython", "In", "Out"})


class Expressions:
    """Evaluates expressions."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._memory: Memory = machine.memory
        self._given = machine.given
        self._literals: dict[str, Value] = {}
        #: The values of the parts of the expression at hand, as far as they matter to aliases.py.
        self._parts: list[Value] = []
        texts = Texts(machine)
        comprehensions = Comprehensions(machine)
        self._handlers: dict[type[cst.CSTNode], Handler] = {
            cst.Name: self._name,
            cst.Attribute: self._attribute,
            cst.Call: machine_call(machine),
            cst.Integer: self._literal,
            cst.Float: self._literal,
            cst.Imaginary: self._literal,
            cst.SimpleString: self._literal,
            cst.ConcatenatedString: texts.concatenated_string,
            cst.FormattedString: texts.formatted_string,
            cst.Ellipsis: lambda node, scope: ...,
            cst.Tuple: lambda node, scope: self._sequence(node, scope, tuple),
            cst.List: lambda node, scope: self._sequence(node, scope, list),
            cst.Set: self._set,
            cst.Dict: self._dict,
            cst.BinaryOperation: self._binary,
            cst.UnaryOperation: self._unary,
            cst.BooleanOperation: self._boolean,
            cst.Comparison: self._comparison,
            cst.IfExp: self._conditional,
            cst.Subscript: self._subscript,
            cst.Lambda: lambda node, scope: self.lambda_function(node, scope, None),
            cst.NamedExpr: self._named,
            cst.Await: lambda node, scope: machine.calls.awaited(
                self.value(node.expression, scope)
            ),
            cst.ListComp: comprehensions.value,
            cst.SetComp: comprehensions.value,
            cst.GeneratorExp: comprehensions.value,
            cst.DictComp: comprehensions.value,
            cst.Yield: lambda node, scope: Unknown("what a generator is sent", None),
        }

    def value(self, node: cst.CSTNode, scope: Scope) -> Value:
        """Evaluate an expression; raises Raised with the place of what fails."""
        handler = self._handlers.get(type(node))
        if handler is None:
            return Unknown(
                "this is not evaluated", scope.module.span(node), scope.module.code(node)
            )
        outer = self.begin()
        try:
            self._memory.budget.spend()
            if self._given.kinds and type(node) in self._given.kinds:
                known, value = self._given.of(node)
                if known:
                    return value
            found = self._memory.seen(handler(node, scope))
            if type(found) is Unknown:
                found = aliases.of_expression(self._memory, node, found, self._parts)
                if type(node) is cst.Attribute:
                    methods = objects.methods(self._parts, node.attr.value)
                    found = aliases.one_of(found, [found, *methods])
        except Native as exc:
            raise Raised.of(exc, scope.module.span(node)) from None
        except BoundExceeded as exc:
            exc.span = exc.span or scope.module.span(node)
            raise
        except Lost as exc:
            found = exc.unknown
        finally:
            self.end(outer)
        if type(found) is Unknown:
            if type(node) in _POSTFIX:
                found = self._machine.spelled(found, scope.module, node)
            else:
                found = self._machine.placed(found, scope.module, node)
        if aliases.matters(found):
            outer.append(found)
        return found

    def begin(self) -> list[Value]:
        """Begin with an expression, or a function's body; gives the parts of what it stands in."""
        outer, self._parts = self._parts, []
        return outer

    def end(self, outer: list[Value]) -> None:
        """The expression that was begun is evaluated."""
        self._parts = outer

    # -- names and attributes

    def _name(self, node: cst.Name, scope: Scope) -> Value:
        name = node.value
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        found = scope.find(name)
        if found is not None:
            if name in found.names:
                value = found.names[name]
                if type(value) is Unknown and found.kind == "module":
                    return self._machine.spelled(value, scope.module, node)
                return value
            if found is scope and scope.kind == "function":
                raise Native(
                    UnboundLocalError(
                        f"cannot access local variable {name!r} where it is not associated with "
                        "a value"
                    )
                )
        for star in reversed(scope.root.stars):
            if name in _BUILTIN_NAMES and _leaves_builtins(star):
                continue
            if isinstance(star, External):
                return External(f"{star.dotted}.{name}", scope.module.span(node))
            return star
        if name in _BUILTIN_NAMES:
            self._machine.position = (scope.module, node)
            return self._machine.builtin(f"builtins.{name}")
        if name in _NOTEBOOK_NAMES and scope.module.file.suffix == ".ipynb":
            return External(f"IPython.{name}", scope.module.span(node))
        raise Native(
            NameError(f"name {name!r} is not defined"),
            did_you_mean(name, [*scope.visible(), *_BUILTIN_NAMES]),
        )

    def _attribute(self, node: cst.Attribute, scope: Scope) -> Value:
        value = self.value(node.value, scope)
        self._machine.position = (scope.module, node.attr)
        try:
            return self._machine.attribute(value, node.attr.value)
        except Native as exc:
            raise Raised.of(exc, scope.module.span(node.attr)) from None

    # -- literals

    def _literal(self, node: Any, scope: Scope) -> Value:
        if node.value not in self._literals:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about escapes that Python may refuse one day
                self._literals[node.value] = native(ast.literal_eval, node.value)
        return self._literals[node.value]

    # -- displays

    def items_of(self, parts: Sequence[cst.BaseElement], scope: Scope) -> list[Value] | Unknown:
        """The elements of a display, `*` expanded."""
        made: list[Value] = []
        doubt: Unknown | None = None
        for part in parts:
            value = self.value(part.value, scope)
            if isinstance(part, cst.StarredElement):
                more = elements(self._memory, value)
                if isinstance(more, Unknown):
                    doubt = doubt or self._machine.placed(more, scope.module, part.value)
                else:
                    made.extend(more)
                    self._memory.budget.items(len(made))
            else:
                made.append(value)
        return doubt if doubt is not None else made

    def _sequence(
        self, node: cst.Tuple | cst.List, scope: Scope, kind: Callable[[list[Value]], Value]
    ) -> Value:
        made = self.items_of(node.elements, scope)
        return made if isinstance(made, Unknown) else self._memory.made(kind(made))

    def _set(self, node: cst.Set, scope: Scope) -> Value:
        made = self.items_of(node.elements, scope)
        if isinstance(made, Unknown):
            return made
        return self._memory.doubt(made) or self._memory.made(native(set, made))

    def _dict(self, node: cst.Dict, scope: Scope) -> Value:
        made: dict[Value, Value] = self._memory.made({})
        doubt: Unknown | None = None
        for part in node.elements:
            if isinstance(part, cst.DictElement):
                key = self.value(part.key, scope)
                value = self.value(part.value, scope)
                doubt = doubt or self._memory.doubt_of_keys(key)
                if doubt is None:
                    native(made.__setitem__, key, value)
                continue
            more = self.value(part.value, scope)
            if type(more) is dict:
                made.update(more)
                self._memory.budget.items(len(made))
            elif (unknown := origin(more)) is not None or type(more) not in PLAIN:
                doubt = doubt or unknown or Unknown(f"what {describe(more)} holds", None)
            else:
                raise Native(TypeError(f"{type(more).__name__!r} object is not a mapping"))
        return doubt if doubt is not None else made

    # -- operators

    def _binary(self, node: cst.BinaryOperation, scope: Scope) -> Value:
        left = self.value(node.left, scope)
        right = self.value(node.right, scope)
        if isinstance(node.operator, cst.Add) and (
            (type(left) in _OPEN and type(right) in _TEXTS)
            or (type(left) in _TEXTS and type(right) in _OPEN)
        ):
            sides = [
                self._machine.spelled(side, scope.module, part) if type(side) is Unknown else side
                for side, part in ((left, node.left), (right, node.right))
            ]
            return open_text(self._memory, sides)
        return operators.binary(self._memory, operators.BINARY[type(node.operator)], left, right)

    def _unary(self, node: cst.UnaryOperation, scope: Scope) -> Value:
        value = self.value(node.expression, scope)
        if isinstance(node.operator, cst.Not):
            return operators.negated(truth(self._memory, value))
        return operators.unary(self._memory, operators.UNARY[type(node.operator)], value)

    def _boolean(self, node: cst.BooleanOperation, scope: Scope) -> Value:
        left = self.value(node.left, scope)
        verdict = truth(self._memory, left)
        if isinstance(verdict, Unknown):
            self._branches(verdict, node.left, [node.right, None], scope)
            return verdict
        if verdict is isinstance(node.operator, cst.Or):
            return left
        return self.value(node.right, scope)

    def _comparison(self, node: cst.Comparison, scope: Scope) -> Value:
        left = self.value(node.left, scope)
        result: Value = True
        doubt: Unknown | None = None
        for target in node.comparisons:
            right = self.value(target.comparator, scope)
            result = self._compare(target.operator, left, right)
            if isinstance(result, Unknown):
                doubt = doubt or result
            elif not result:
                return result
            left = right
        return doubt if doubt is not None else result

    def _compare(self, operator: cst.BaseCompOp, left: Value, right: Value) -> Value:
        if isinstance(operator, cst.In | cst.NotIn) and is_environ(right):
            found = stdlib.in_environ(self._machine, left)
            return operators.negated(found) if isinstance(operator, cst.NotIn) else found
        return operators.compare(self._memory, operator, left, right)

    def _conditional(self, node: cst.IfExp, scope: Scope) -> Value:
        verdict = truth(self._memory, self.value(node.test, scope))
        if not isinstance(verdict, Unknown):
            return self.value(node.body if verdict else node.orelse, scope)
        values = self._branches(verdict, node.test, [node.body, node.orelse], scope)
        agreed = all(self._memory.same(values[0], value) for value in values[1:])
        return values[0] if agreed else verdict

    def _branches(
        self,
        unknown: Unknown,
        test: cst.CSTNode,
        nodes: Sequence[cst.BaseExpression | None],
        scope: Scope,
    ) -> list[Value]:
        """The values of expressions of which one is evaluated, which is not known."""
        runs = [
            (lambda: None) if node is None else partial(self.value, node, scope) for node in nodes
        ]
        ends = self._machine.fork(unknown, scope.module.span(test), runs)
        return [value for _, value in ends]

    def _subscript(self, node: cst.Subscript, scope: Scope) -> Value:
        value = self.value(node.value, scope)
        key = self.key(node.slice, scope)
        self._machine.position = (scope.module, node)
        if is_environ(value):
            return stdlib.environ_item(self._machine, key)
        try:
            return operators.item(self._memory, value, key)
        except GraphError as exc:
            self._machine.statements.failures.refused(exc, scope.module.span(node))
            return Unknown("the look-up failed", scope.module.span(node), reported=True)

    def key(self, parts: Sequence[cst.SubscriptElement], scope: Scope) -> Value:
        """What stands between `[` and `]`."""
        keys: list[Value] = []
        for part in parts:
            if isinstance(part.slice, cst.Slice):
                bounds = [
                    None if bound is None else self.value(bound, scope)
                    for bound in (part.slice.lower, part.slice.upper, part.slice.step)
                ]
                for bound in bounds:
                    if doubt := self._memory.doubt(bound):
                        return doubt
                keys.append(slice(*bounds))
            elif isinstance(part.slice, cst.Index) and part.slice.star is None:
                keys.append(self.value(part.slice.value, scope))
            else:
                return Unknown("a subscript with a star", None)
        if len(keys) == 1 and not isinstance(parts[0].comma, cst.Comma):
            return keys[0]
        return tuple(keys)

    def _named(self, node: cst.NamedExpr, scope: Scope) -> Value:
        value = self.value(node.value, scope)
        if isinstance(node.target, cst.Name):
            name = node.target.value
            self._memory.write(scope.home(name).names, name, value)
        return value

    def lambda_function(self, node: cst.Lambda, scope: Scope, name: str | None) -> UserFunction:
        """A lambda; it has a name if it is all of an assignment at the module's top level."""
        top_level = name is not None and scope.kind == "module" and not scope.loops
        return UserFunction(
            scope.module,
            node,
            name if name is not None and top_level else "<lambda>",
            top_level,
            scope,
            scope.module.span(node),
            self._machine.calls.defaults(node.params, scope),
        )


def _leaves_builtins(star: Value) -> bool:
    """Is it certain that `from star import *` binds no name of Python's own functions?"""
    return isinstance(star, External) and star.dotted.partition(".")[0] in _WITHOUT_BUILTINS


def machine_call(machine: Machine) -> Handler:
    """The handler of calls, which is made after this part."""
    return lambda node, scope: machine.calls.expression(node, scope)


def is_environ(value: Value) -> bool:
    return isinstance(value, External) and value.dotted == "os.environ"
