"""The state of one evaluation, and the services that its parts share.

The parts (expressions, statements, calls, imports) call each other through the machine: an
expression may call a function, whose body holds statements, which hold expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import libcst as cst

from ..diagnostics import Diagnostic, Diagnostics, Note, Severity, Span
from ..source import SourceModule, SourceTree
from .given import Given
from .limits import Budget
from .memory import Effects, Memory
from .signals import MOST_NOTES, Exit, Raised
from .values import Coroutine, External, HostModule, Unknown, UserModule, Value, remedy

if TYPE_CHECKING:
    from .attributes import Attributes
    from .calls import Calls
    from .expressions import Expressions
    from .generators import Generators
    from .imports import Imports
    from .scope import Scope
    from .statements import Statements

T = TypeVar("T")
Handlers = Sequence[cst.ExceptHandler | cst.ExceptStarHandler]


class Host(Protocol):
    """Whom graph calls are made to: the builder."""

    #: The place of the call at hand; set before each call of a HostFunction.
    call_span: Span | None
    #: The places of its arguments, by keyword or by position ("0", "1", ...).
    call_spans: Mapping[str, Span]

    @property
    def no_effect(self) -> frozenset[str]:
        """Names of HostFunctions that mean nothing for the graph."""

    def module(self, dotted: str) -> HostModule | None:
        """The module of this name, or None if it is not the host's."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A statement or call without meaning for the graph."""

    span: Span
    why: str
    #: Perhaps with one after all: something that is not evaluated got hold of the graph.
    got_graph: bool = False


@dataclass(frozen=True, slots=True)
class Reason:
    """Why it is not sure that a piece of code runs."""

    span: Span
    unknown: Unknown


class Machine:
    """One evaluation."""

    attributes: Attributes
    expressions: Expressions
    generators: Generators
    statements: Statements
    calls: Calls
    imports: Imports

    def __init__(
        self,
        tree: SourceTree,
        host: Host,
        diagnostics: Diagnostics,
        env: Mapping[str, str],
        given: Given,
    ) -> None:
        self.tree = tree
        self.host = host
        #: The folder of the graph file, as absolute paths begin with it.
        self.root = str(tree.main.file.absolute().parent)
        self.memory = Memory(Budget(), self.call, self.lazy)
        self.env: dict[str, Value] = dict(env)
        #: Paths of files that the graph file perhaps writes.
        self.written: set[str] = set()
        self.given = given
        #: Packages of others that count as not installed; imported where the file can do without.
        self.missing: frozenset[str] = frozenset()
        self.perhaps_missing: dict[str, Span] = {}
        #: Coroutines that were made and not awaited yet, and where.
        self.waiting: dict[Coroutine, tuple[SourceModule, cst.CSTNode]] = {}
        self.skipped: dict[Skipped, None] = {}
        #: Why the code at hand perhaps does not run, outermost first.
        self.unsure: list[Reason] = []
        #: The call that is a statement of its own, if one is evaluated.
        self.statement: cst.CSTNode | None = None
        #: Calls of user functions inside each other.
        self.depth = 0
        #: What these functions are called, and where each call stands, outermost first.
        self.calling: list[tuple[str, SourceModule, cst.CSTNode]] = []
        #: Handlers around the code at hand, innermost last, each statement's with their scope.
        self.handlers: tuple[tuple[Handlers, Scope], ...] = ()
        #: `try` statements with handlers around the code at hand.
        self.catching = 0
        #: Those, and `finally`, that would run if a generator were closed at the code at hand.
        self.guarded = 0
        #: The exception whose handler is being run.
        self.handled: Raised | None = None
        #: Where evaluation stands, for what has no better place.
        self.position: tuple[SourceModule, cst.CSTNode] = (tree.main, tree.main.tree)
        self._diagnostics = diagnostics
        #: Findings of branches that may yet turn out never to run.
        self._held: list[list[Diagnostic]] = []
        self._builtins: dict[str, External] = {}

    # -- findings

    @property
    def here(self) -> Span:
        module, node = self.position
        return module.span(node)

    def report(self, diagnostic: Diagnostic) -> None:
        """Add a finding, with the calls that led there."""
        calls = [
            Note(f"in the call of {name}()", module.span(node))
            for name, module, node in self.calling[: -MOST_NOTES - 1 : -1]
        ]
        if calls:
            diagnostic = replace(diagnostic, notes=(*diagnostic.notes, *calls))
        if self._held:
            self._held[-1].append(diagnostic)
        else:
            self._diagnostics.add(diagnostic)

    def failed(self, why: str, span: Span) -> Unknown:
        """What a name becomes whose line has an error, which is reported."""
        return Unknown(why, span, reported=True)

    def skip(self, span: Span, why: str, got_graph: bool = False) -> None:
        self.skipped[Skipped(span, why, got_graph)] = None

    def unsure_call(self, span: Span) -> Unknown:
        """Report a graph call that perhaps does not run; it is not made."""
        reason = self.unsure[-1]
        unknown = reason.unknown
        if not any(one.unknown.reported for one in self.unsure):
            what = f" depends on `{unknown.expression}`" if unknown.expression else " is not known"
            notes = [Note("the condition", reason.span)]
            if unknown.span is not None:
                notes.append(Note(f"not known: {unknown.why}", unknown.span))
            self.report(
                Diagnostic(
                    "GC006",
                    Severity.ERROR,
                    f"whether this call runs is not known: the condition{what}",
                    span,
                    tuple(notes),
                    f"{remedy(unknown) or 'compute the condition from constants'}, or make the "
                    "call on every path",
                    unknown.expression,
                )
            )
        return Unknown("perhaps it is never made", span, reported=True)

    # -- code that perhaps runs

    def fork(
        self, unknown: Unknown, span: Span, branches: Sequence[Callable[[], T]]
    ) -> list[tuple[int, T]]:
        """Run branches of which one will run, which is not known; keep what they agree on.

        Gives the results of those that do not fail, with their numbers. A branch that would
        raise is taken not to run: then nothing of the graph is built at all.
        """
        ends: list[tuple[int, T, Effects, list[Diagnostic]]] = []
        failures: list[Exit | Raised] = []
        for number, branch in enumerate(branches):
            try:
                result, effects, found = self._attempt(Reason(span, unknown), branch)
            except (Exit, Raised) as exc:
                failures.append(exc)
            else:
                ends.append((number, result, effects, found))
        if not ends:
            raise failures[0]
        if len(ends) == 1 and failures:
            # Then it is sure after all that the other branch runs.
            number = ends[0][0]
            return [(number, branches[number]())]
        for _, _, _, found in ends:
            for diagnostic in found:
                self.report(diagnostic)
        self.memory.merge([effects for _, _, effects, _ in ends], unknown)
        return [(number, result) for number, result, _, _ in ends]

    def repeat(self, unknown: Unknown, span: Span, body: Callable[[], T]) -> T | None:
        """Run a loop's body of which it is not known how often it runs; None if it fails.

        What an iteration changes, the next one finds changed: the body is run until it changes
        nothing that was still known.
        """
        reason = Reason(span, unknown)
        known_before = True
        while known_before:
            try:
                result, effects, found = self._attempt(reason, body)
            except (Exit, Raised):
                return None
            known_before = self.memory.blur_all(effects, unknown)
        for diagnostic in found:
            self.report(diagnostic)
        return result

    def _attempt(
        self, reason: Reason, branch: Callable[[], T]
    ) -> tuple[T, Effects, list[Diagnostic]]:
        """Run a branch and take back what it changed."""
        depth, catching, position = self.depth, self.catching, self.position
        guarded, handled, handlers = self.guarded, self.handled, self.handlers
        self.unsure.append(reason)
        self._held.append([])
        try:
            result, effects = self.memory.branch(branch)
            return result, effects, self._held[-1]
        finally:
            self._held.pop()
            self.unsure.pop()
            self.depth, self.catching, self.position = depth, catching, position
            self.guarded, self.handled, self.handlers = guarded, handled, handlers

    # -- services

    def builtin(self, dotted: str) -> External:
        """A builtin: the same object each time, so that it can be a key."""
        if dotted not in self._builtins:
            self._builtins[dotted] = External(dotted, self.here)
        return self._builtins[dotted]

    def call(
        self, function: Value, args: Sequence[Value], kwargs: Mapping[str, Value] | None = None
    ) -> Value:
        """Call a function for another one: `key=`, `map`, a decorator."""
        return self.calls.call(function, list(args), dict(kwargs or {}), self.position)

    def lazy(self, name: str, run: Iterator[Value], *values: Value) -> Value:
        """What goes through `run`, which was made from the values, as it is asked to."""
        return self.generators.lazy(name, run, *values)

    def attribute(self, value: Value, name: str) -> Value:
        """`getattr(value, name)`."""
        return self.attributes.read(value, name)

    def placed(self, value: Value, module: SourceModule, node: cst.CSTNode) -> Value:
        """The value; an Unknown that has no origin yet comes from the node."""
        if type(value) is Unknown and value.span is None:
            return replace(
                value,
                span=module.span(node),
                expression=value.expression or module.code(node),
            )
        return value

    def spelled(self, unknown: Unknown, module: SourceModule, node: cst.CSTNode) -> Unknown:
        """The same, under the name that it has at the node: what `--set` may call it.

        What has a remedy of its own, as variables of the environment have, keeps its name.
        """
        if unknown.reported or unknown.help:
            return unknown if unknown.span else replace(unknown, span=module.span(node))
        return replace(
            unknown, span=unknown.span or module.span(node), expression=module.code(node)
        )

    def user_module(self, name: str) -> UserModule | None:
        return self.imports.user_module(name)
