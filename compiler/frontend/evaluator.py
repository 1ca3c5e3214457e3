"""Evaluates a graph file without running it.

In: the source tree, the builder as `Host`, values of environment variables. Out: what the graph
calls do to the host, the file's scope, and what was skipped. The file's top level is taken as a
script; a value that only a run can tell is Unknown, with its origin, and errors only if the host
needs it. What this module and those beside it do not do: open files, look at the clock, import or
call anything of the user's.

A line that fails for certain is a diagnostic (GC004), and evaluation goes on behind it; a bound
that is exceeded (GC003) ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..diagnostics import Diagnostics, GraphError, Span, did_you_mean
from ..nesting import with_deep_stack
from ..source import SourceTree
from .attributes import Attributes
from .calls import Calls
from .expressions import Expressions
from .generators import Generators
from .given import Given
from .imports import Imports
from .limits import BoundExceeded
from .machine import Host, Machine, Skipped
from .scope import Scope
from .signals import Exit, Native, Raised
from .statements import Statements

__all__ = ["Evaluation", "Host", "Scope", "Skipped", "evaluate"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of a file."""

    #: The names of its top level.
    scope: Scope
    skipped: tuple[Skipped, ...]
    #: Packages of others that it can do without, and where it imports them.
    perhaps_missing: Mapping[str, Span]


def evaluate(
    tree: SourceTree,
    host: Host,
    diagnostics: Diagnostics,
    env: Mapping[str, str],
    given: Given | None = None,
    entry: str = "",
    missing: frozenset[str] = frozenset(),
) -> Evaluation:
    """Evaluate the main file of the tree; graph calls are made to the host.

    `given` are values of expressions; with `entry`, `module:function`, that function is called in
    the end; packages in `missing` are not installed. Raises GraphError if the file cannot be
    parsed. What is wrong with the graph, and what would fail if the file were run, ends up in
    `diagnostics`.
    """
    given = given or Given()
    return with_deep_stack(lambda: _evaluate(tree, host, diagnostics, env, given, entry, missing))


def _evaluate(
    tree: SourceTree,
    host: Host,
    diagnostics: Diagnostics,
    env: Mapping[str, str],
    given: Given,
    entry: str,
    missing: frozenset[str],
) -> Evaluation:
    machine = Machine(tree, host, diagnostics, env, given)
    machine.missing = missing
    machine.imports = Imports(machine)
    machine.calls = Calls(machine)
    machine.attributes = Attributes(machine)
    machine.expressions = Expressions(machine)
    machine.generators = Generators(machine)
    machine.statements = Statements(machine)
    scope = Scope(tree.main)
    scope.names.update(machine.imports.globals_of(tree.main, "__main__"))
    try:
        try:
            machine.statements.module(tree.main, scope, recover=True)
        except Exit:
            if not entry:
                raise
        if entry:
            _call_entry(machine, scope, entry)
        machine.calls.never_awaited()
        machine.generators.never_finished()
    except Exit:
        pass
    except Raised as exc:
        diagnostics.add(exc.diagnostic())
    except BoundExceeded as exc:
        _bound_exceeded(diagnostics, exc.message, exc.help, exc.span or machine.here)
    except RecursionError:
        _bound_exceeded(
            diagnostics,
            "expressions and calls are nested too deeply",
            "split the expression into several lines",
            machine.here,
        )
    finally:
        machine.generators.end()
    return Evaluation(scope, tuple(machine.skipped), machine.perhaps_missing)


def _call_entry(machine: Machine, scope: Scope, entry: str) -> None:
    """Call the function at which `--entry` says that the graph is built, without arguments."""
    name, colon, function = entry.rpartition(":")
    tree = machine.tree
    own = not colon or name in ("", "__main__", tree.main.file.stem)
    names = scope.names
    if not own:
        found = machine.user_module(name)
        if found is None:
            raise GraphError(f"--entry: there is no module {name!r} beside the file", code="GC011")
        names = found.scope.names
    first, *rest = function.split(".")
    if first not in names:
        raise GraphError(
            f"--entry: there is no function {function!r}",
            code="GC011",
            help=did_you_mean(first, [key for key in names if not key.startswith("__")]),
        )
    value = names[first]
    try:
        for part in rest:
            value = machine.attribute(value, part)
        machine.calls.awaited(machine.call(value, []))
    except Native as exc:
        raise Raised.of(exc, machine.here) from None


def _bound_exceeded(diagnostics: Diagnostics, message: str, help: str, span: Span) -> None:
    diagnostics.error("GC003", f"evaluation stops here: {message}", span, help=help)
