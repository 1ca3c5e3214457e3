"""Does a function only read its argument, and keep nothing of it?

In: a function or lambda, and the name of a parameter. Out: the builtins it relies on for that, or
None if it may change the argument, or hand on something that shares a part with it. Branches of
which this is known need no copies of a body. What is not understood counts as a change, and what
a global name holds may be the argument, as a step before may have kept it there; operators and
methods of texts count as harmless, and so does going through what is iterated over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import libcst as cst

from .scopes import all_parameters, bindings

#: Builtins whose results share nothing with what they are given.
_FRESH = frozenset("abs all any bool float int isinstance len ord repr round str sum".split())
#: Those that hand on what they are given.
_PASSING = frozenset("dict enumerate list max min range reversed set sorted tuple zip".split())
#: Those that are done with what they are given when they return.
_CONSUMING = frozenset("all any dict list max min set sorted sum tuple".split())
#: Methods that of what JSON holds only texts have, or that change nothing.
_TEXT = frozenset(
    """capitalize casefold count encode endswith index isalnum isalpha isdecimal
    isdigit islower isnumeric isspace isupper join lower lstrip replace rsplit rstrip split
    splitlines startswith strip swapcase title upper zfill""".split()
)
_PARTS = frozenset("copy get items keys values".split())
#: Names that are no variables.
_CONSTANTS = frozenset(("None", "True", "False"))
#: Operators that numbers have, and no list.
_NUMERIC = (cst.Subtract, cst.Divide, cst.FloorDivide, cst.Modulo, cst.Power)


class _Unclear(Exception):
    """The function may do more than read."""


def only_reads(node: cst.FunctionDef | cst.Lambda, parameter: str) -> frozenset[str] | None:
    """The builtins that must be themselves for it to be so; None if it is not so."""
    names = {item.name.value for item in all_parameters(node.params)}
    if isinstance(node, cst.FunctionDef):
        names |= {binding.name for binding in bindings(node.body)}
    reader = _Reader(parameter, names)
    try:
        while True:
            known = len(reader.parts)
            if isinstance(node, cst.Lambda):
                reader.fresh(node.body)
            else:
                reader.block(node.body.body)
            if len(reader.parts) == known:
                break
    except _Unclear:
        return None
    return None if reader.builtins & reader.bound else frozenset(reader.builtins)


class _Reader:
    """Goes through the code until no more names turn out to hold parts of the argument."""

    def __init__(self, parameter: str, names: set[str]) -> None:
        #: Names that may hold the argument or something in it; global ones always may.
        self.parts = {parameter}
        self.bound = {parameter, *names}
        self.builtins: set[str] = set()

    # -- statements

    def block(self, statements: Sequence[cst.BaseStatement | cst.BaseSmallStatement]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: cst.CSTNode) -> None:
        match node:
            case cst.SimpleStatementLine(body=body) | cst.IndentedBlock(body=body):
                self.block(body)
            case cst.SimpleStatementSuite(body=body):
                self.block(body)
            case cst.Return(value=value):
                if value is not None:
                    self.fresh(value)
            case cst.Expr(value=value):
                self.part(value)
            case cst.Assign(targets=targets, value=value):
                found = self.part(value)
                for target in targets:
                    self._bind(target.target, found)
            case cst.If(test=test, body=body, orelse=orelse):
                self.part(test)
                self._statement(body)
                if orelse is not None:
                    self._statement(orelse)
            case cst.Else(body=body):
                self._statement(body)
            case cst.For(target=target, iter=iterable, body=body, orelse=None, asynchronous=None):
                self._bind(target, self.part(iterable))
                self._statement(body)
            case cst.Pass() | cst.Continue() | cst.Break():
                pass
            case _:
                raise _Unclear

    def _bind(self, target: cst.BaseExpression, part: bool) -> None:
        match target:
            case cst.Name(value=name):
                self.bound.add(name)
                if part:
                    self.parts.add(name)
            case cst.Tuple(elements=elements) | cst.List(elements=elements):
                for element in elements:
                    self._bind(element.value, part)
            case _:
                raise _Unclear

    # -- expressions

    def fresh(self, node: cst.BaseExpression) -> None:
        """Look through an expression; its value must share nothing with the argument."""
        if self.part(node):
            raise _Unclear

    def part(self, node: cst.BaseExpression) -> bool:
        """Look through an expression: may its value share something with the argument?"""
        match node:
            case cst.Name(value=name):
                return name in self.parts or self._is_global(name)
            case cst.Attribute(value=cst.Name(value=name)) if self._is_global(name):
                return True
            case cst.Attribute(value=base):
                self.fresh(base)
                return False
            case cst.BaseNumber() | cst.SimpleString() | cst.ConcatenatedString():
                if isinstance(node, cst.ConcatenatedString):
                    self._any([node.left, node.right])
                return False
            case cst.FormattedString(parts=parts):
                for item in parts:
                    if isinstance(item, cst.FormattedStringExpression):
                        self.part(item.expression)
                        if item.format_spec:
                            raise _Unclear
                return False
            case cst.Subscript(value=base, slice=slices):
                self._any(_of_slices(slices))
                return self.part(base)
            case cst.BinaryOperation(left=left, operator=operator, right=right):
                found = self._any([left, right])
                text = any(
                    isinstance(side, cst.SimpleString | cst.FormattedString)
                    for side in (left, right)
                )
                return found and not text and not isinstance(operator, _NUMERIC)
            case cst.Comparison(left=left, comparisons=comparisons):
                self._any([left, *(item.comparator for item in comparisons)])
                return False
            case cst.BooleanOperation(left=left, right=right):
                return self._any([left, right])
            case cst.UnaryOperation(expression=expression):
                self.part(expression)
                return False
            case cst.IfExp(test=test, body=body, orelse=orelse):
                self.part(test)
                return self._any([body, orelse])
            case cst.Tuple() | cst.List():
                return self._any(element.value for element in node.elements)
            case cst.Dict(elements=elements):
                # A key cannot be changed, so it may be shared.
                self._any(item.key for item in elements if isinstance(item, cst.DictElement))
                return self._any(element.value for element in elements)
            case cst.ListComp():
                self._comprehension(node.for_in)
                return self.part(node.elt)
            case cst.GeneratorExp():
                self._items(node)
                return True  # it looks at the argument when somebody asks for an item
            case cst.DictComp(key=key, value=value, for_in=for_in):
                self._comprehension(for_in)
                self.part(key)
                return self.part(value)
            case cst.Call(func=func, args=args):
                return self._call(func, args)
        raise _Unclear

    def _is_global(self, name: str) -> bool:
        return name not in self.bound and name not in _CONSTANTS

    def _any(self, nodes: Iterable[cst.BaseExpression]) -> bool:
        found = [self.part(node) for node in nodes]  # all of them are looked through
        return any(found)

    def _items(self, node: cst.BaseExpression) -> bool:
        """May what an expression yields share something, if all of it is asked for at once?"""
        match node:
            case cst.GeneratorExp(elt=elt, for_in=for_in):
                self._comprehension(for_in)
                return self.part(elt)
            case cst.Call(func=cst.Name(value="map"), args=[function, *args]):
                self.builtins.add("map")
                self._fresh_function(function)
                self._any(arg.value for arg in args)
                return False
        return self.part(node)

    def _comprehension(self, node: cst.CompFor) -> None:
        if node.asynchronous is not None:
            raise _Unclear
        self._bind(node.target, self.part(node.iter))
        for condition in node.ifs:
            self.part(condition.test)
        if node.inner_for_in is not None:
            self._comprehension(node.inner_for_in)

    def _call(self, func: cst.BaseExpression, args: Sequence[cst.Arg]) -> bool:
        if any(arg.keyword is not None for arg in args):
            raise _Unclear
        match func:
            case cst.Name(value="sum") if len(args) != 1:
                raise _Unclear
            case cst.Name(value=name) if name in _FRESH | _PASSING:
                self.builtins.add(name)
                return self._given(args, name in _CONSUMING) and name in _PASSING
            case cst.Attribute(value=base, attr=attr):
                known = self.part(base) or isinstance(
                    base, cst.SimpleString | cst.FormattedString | cst.Call
                )
                if self._given(args, attr.value == "join") and not known:
                    raise _Unclear  # an object of the user's may keep it
                if attr.value in _TEXT:
                    return False
                if attr.value in _PARTS:
                    return True
        raise _Unclear

    def _given(self, args: Sequence[cst.Arg], consumed: bool) -> bool:
        found = [
            self._items(arg.value) if consumed or arg.star else self.part(arg.value) for arg in args
        ]
        return any(found)

    def _fresh_function(self, arg: cst.Arg) -> None:
        """The argument is `len`, or `str.lower`; other functions are unclear."""
        match arg.value:
            case cst.Name(value=name) if name in _FRESH - {"sum"} and not arg.star:
                self.builtins.add(name)
            case cst.Attribute(value=cst.Name(value="str"), attr=attr) if attr.value in _TEXT:
                self.builtins.add("str")
            case _:
                raise _Unclear


def _of_slices(slices: Sequence[cst.SubscriptElement]) -> Iterator[cst.BaseExpression]:
    for item in slices:
        if isinstance(item.slice, cst.Index):
            yield item.slice.value
        elif isinstance(item.slice, cst.Slice):
            bounds = (item.slice.lower, item.slice.upper, item.slice.step)
            yield from filter(None, bounds)
