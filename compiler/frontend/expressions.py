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
from . import operators, stdlib
from .limits import BoundExceeded
from .memory import Memory, env_unknown, origin
from .methods import Method, attribute
from .operators import PLAIN, describe, elements, truth
from .scope import Scope
from .signals import Native, Raised, native
from .values import (
    EnvValue,
    External,
    HostFunction,
    HostModule,
    HostObject,
    Instance,
    Unknown,
    UserClass,
    UserFunction,
    UserModule,
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
#: Builtin names; those of the interactive shell count as such, since `site` adds them to scripts.
_BUILTIN_NAMES: Final = frozenset(
    name for name in dir(builtins) if not name.startswith("_") and name not in _CONSTANTS
) - {"copyright", "credits", "license"} | {"exit", "quit", "__import__", "__build_class__"}
#: What IPython puts into the namespace of a notebook.
_NOTEBOOK_NAMES: Final = frozenset({"display", "get_ipython", "In", "Out"})


class Expressions:
    """Evaluates expressions."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._memory: Memory = machine.memory
        self._handlers: dict[type[cst.CSTNode], Handler] = {
            cst.Name: self._name,
            cst.Attribute: self._attribute,
            cst.Call: machine_call(machine),
            cst.Integer: self._literal,
            cst.Float: self._literal,
            cst.Imaginary: self._literal,
            cst.SimpleString: self._literal,
            cst.ConcatenatedString: self._concatenated,
            cst.FormattedString: self._formatted,
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
            cst.Await: lambda node, scope: self.value(node.expression, scope),
            cst.ListComp: self._comprehension,
            cst.SetComp: self._comprehension,
            cst.GeneratorExp: self._comprehension,
            cst.DictComp: self._comprehension,
            cst.Yield: lambda node, scope: Unknown("what a generator is sent", None),
        }

    def value(self, node: cst.CSTNode, scope: Scope) -> Value:
        """Evaluate an expression; raises Raised with the place of what fails."""
        handler = self._handlers.get(type(node))
        if handler is None:
            return Unknown(
                "this is not evaluated", scope.module.span(node), scope.module.code(node)
            )
        try:
            self._memory.budget.spend()
            found = handler(node, scope)
        except Native as exc:
            raise Raised.of(exc, scope.module.span(node)) from None
        except BoundExceeded as exc:
            exc.span = exc.span or scope.module.span(node)
            raise
        if type(found) is Unknown:
            return self._machine.placed(found, scope.module, node)
        return self._memory.seen(found)

    # -- names and attributes

    def _name(self, node: cst.Name, scope: Scope) -> Value:
        name = node.value
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        found = scope.find(name)
        if found is not None:
            if name in found.names:
                return found.names[name]
            if found is scope and scope.kind == "function":
                raise Native(
                    UnboundLocalError(
                        f"cannot access local variable {name!r} where it is not associated with "
                        "a value"
                    )
                )
        for star in reversed(scope.root.stars):
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
        return self.attribute_of(value, node.attr.value)

    def attribute_of(self, value: Value, name: str) -> Value:
        """`value.name`; the machine's position says where it stands."""
        machine = self._machine
        match value:
            case Unknown():
                return value
            case EnvValue():
                return env_unknown(value)
            case HostObject():
                if name in value.api:
                    return value.read(name)
                return Unknown(f"{value.description} has no attribute {name!r} here", None)
            case HostModule(dotted=dotted, members=members):
                if name in members:
                    return members[name]
                full = f"{dotted}.{name}"
                inner = None if name[:1].isupper() else machine.host.module(full)
                return inner if inner is not None else External(full, machine.here)
            case External(dotted=dotted):
                return self.external(f"{dotted}.{name}")
            case UserModule():
                return self._of_module(value, name)
            case UserClass():
                return self._of_class(value, name)
            case UserFunction():
                if name in ("__name__", "__qualname__") and value.name != "<lambda>":
                    return value.name
            case HostFunction() | Method() | Instance():
                pass
            case _ if type(value) in PLAIN:
                return attribute(value, name)
        return Unknown(f"the attribute {name!r} of {describe(value)}", None)

    def external(self, dotted: str) -> Value:
        """What a full name outside of the user's code stands for."""
        if dotted in stdlib.CONSTANTS:
            return stdlib.CONSTANTS[dotted]
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
            return self.attribute_of(star, name) if isinstance(star, External) else star
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
            if name in cls.members and type(cls.members[name]) in PLAIN and not _is_special(cls):
                return cls.members[name]
            if name in cls.members:
                return Unknown(f"the attribute {name!r} of the class {cls.name}", None)
            pending.extend(cls.bases)
        if foreign or name.startswith("__"):
            return Unknown(f"the attribute {name!r} of the class {value.name}", None)
        raise Native(
            AttributeError(f"type object {value.name!r} has no attribute {name!r}"),
            did_you_mean(name, value.members),
        )

    # -- literals

    def _literal(self, node: Any, scope: Scope) -> Value:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes that Python may refuse one day
            return native(ast.literal_eval, node.value)

    def _concatenated(self, node: cst.ConcatenatedString, scope: Scope) -> Value:
        parts: list[Value] = []
        rest: cst.BaseExpression = node
        while isinstance(rest, cst.ConcatenatedString):
            parts.append(self.value(rest.left, scope))
            rest = rest.right
        parts.append(self.value(rest, scope))
        for part in parts:
            if (unknown := origin(part)) is not None:
                return unknown
        self._memory.budget.text(sum(map(len, parts)))
        empty: str | bytes = "" if type(parts[0]) is str else b""
        return native(empty.join, parts)

    def _formatted(self, node: cst.FormattedString, scope: Scope) -> Value:
        return self._pieces(node.parts, scope, node.start, node.end)

    def _pieces(
        self,
        parts: Sequence[cst.BaseFormattedStringContent],
        scope: Scope,
        start: str,
        end: str,
    ) -> Value:
        """The text of a formatted string or of a format specification in one."""
        pieces: list[str] = []
        doubt: Unknown | None = None
        for part in parts:
            if isinstance(part, cst.FormattedStringExpression):
                piece = self._replacement(part, scope, start, end)
            else:
                piece = _literal_piece(part, start, end)
            if isinstance(piece, Unknown):
                doubt = doubt or piece
            else:
                pieces.append(piece)
        if doubt is not None:
            return doubt
        self._memory.budget.text(sum(map(len, pieces)))
        return "".join(pieces)

    def _replacement(
        self, part: cst.FormattedStringExpression, scope: Scope, start: str, end: str
    ) -> Value:
        value = self.value(part.expression, scope)
        spec: Value = ""
        if part.format_spec is not None:
            spec = self._pieces(part.format_spec, scope, start, end)
        if isinstance(spec, Unknown):
            return spec
        conversion = part.conversion
        label = ""
        if part.equal is not None:
            if conversion is None and part.format_spec is None:
                conversion = "r"
            label = cst.Module([]).code_for_node(
                part.with_changes(conversion=None, format_spec=None)
            )[1:-1]
        text = operators.formatted(self._memory, value, spec, conversion)
        if isinstance(text, Unknown):
            return self._machine.placed(text, scope.module, part.expression)
        return label + text

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
        return made if isinstance(made, Unknown) else kind(made)

    def _set(self, node: cst.Set, scope: Scope) -> Value:
        made = self.items_of(node.elements, scope)
        if isinstance(made, Unknown):
            return made
        return self._memory.doubt(made) or native(set, made)

    def _dict(self, node: cst.Dict, scope: Scope) -> Value:
        made: dict[Value, Value] = {}
        doubt: Unknown | None = None
        for part in node.elements:
            if isinstance(part, cst.DictElement):
                key = self.value(part.key, scope)
                value = self.value(part.value, scope)
                doubt = doubt or self._memory.doubt(key)
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
            self._machine.report(exc.diagnostic(scope.module.span(node)))
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

    # -- comprehensions

    def _comprehension(
        self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp, scope: Scope
    ) -> Value:
        around: Scope | None = scope
        while around is not None and around.kind == "class":
            around = around.parent
        inner = Scope(scope.module, "comprehension", around, _bound(node.for_in))
        made: list[Value] = []
        first = self.value(node.for_in.iter, scope)
        doubt = self._clause(node, node.for_in, first, inner, made)
        if doubt is not None:
            return doubt
        if isinstance(node, cst.DictComp):
            return self._memory.doubt([key for key, _ in made]) or native(dict, made)
        if isinstance(node, cst.SetComp):
            return self._memory.doubt(made) or native(set, made)
        return iter(made) if isinstance(node, cst.GeneratorExp) else made

    def _clause(
        self,
        node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp,
        clause: cst.CompFor,
        iterable: Value,
        scope: Scope,
        made: list[Value],
    ) -> Unknown | None:
        """Run one `for` of a comprehension; the Unknown that keeps its items from being known."""
        items = elements(self._memory, iterable)
        statements = self._machine.statements
        if isinstance(items, Unknown):
            unknown = self._machine.placed(items, scope.module, clause.iter)

            def once() -> None:
                statements.assign(clause.target, unknown, scope)
                self._inside(node, clause, scope, [])

            self._machine.repeat(unknown, scope.module.span(clause.iter), once)
            return unknown  # type: ignore[no-any-return]
        doubt: Unknown | None = None
        for item in items:
            self._memory.budget.spend()
            statements.assign(clause.target, item, scope)
            doubt = self._inside(node, clause, scope, made) or doubt
        return doubt

    def _inside(
        self,
        node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp,
        clause: cst.CompFor,
        scope: Scope,
        made: list[Value],
        first: int = 0,
    ) -> Unknown | None:
        """One iteration, from condition number `first` on."""
        for number, condition in enumerate(clause.ifs[first:], first):
            verdict = truth(self._memory, self.value(condition.test, scope))
            if isinstance(verdict, Unknown):
                rest = partial(self._inside, node, clause, scope, [], number + 1)
                span = scope.module.span(condition.test)
                self._machine.fork(verdict, span, [rest, lambda: None])
                return verdict
            if not verdict:
                return None
        if clause.inner_for_in is not None:
            inner = clause.inner_for_in
            return self._clause(node, inner, self.value(inner.iter, scope), scope, made)
        if isinstance(node, cst.DictComp):
            made.append((self.value(node.key, scope), self.value(node.value, scope)))
        else:
            made.append(self.value(node.elt, scope))
        return None


def machine_call(machine: Machine) -> Handler:
    """The handler of calls, which is made after this part."""
    return lambda node, scope: machine.calls.expression(node, scope)


def is_environ(value: Value) -> bool:
    return isinstance(value, External) and value.dotted == "os.environ"


def _is_special(cls: UserClass) -> bool:
    """Does a base of the class turn what its body assigns into something else?"""
    return any(
        isinstance(base, External) and not base.dotted.startswith(("mlrun.", "builtins."))
        for base in cls.bases
    )


def _bound(clause: cst.CompFor | None) -> frozenset[str]:
    names: set[str] = set()
    while clause is not None:
        pending: list[cst.CSTNode] = [clause.target]
        while pending:
            match pending.pop():
                case cst.Name(value=name):
                    names.add(name)
                case cst.Tuple(elements=parts) | cst.List(elements=parts):
                    pending.extend(part.value for part in parts)
        clause = clause.inner_for_in
    return frozenset(names)


def _literal_piece(part: cst.CSTNode, start: str, end: str) -> Value:
    """The text between the braces of a formatted string."""
    assert isinstance(part, cst.FormattedStringText)
    text = part.value.replace("{{", "{").replace("}}", "}")
    if "r" in start.lower() or "\\" not in text:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(end + text + end)
    except (SyntaxError, ValueError):
        return Unknown("an escape in a formatted string", None)
