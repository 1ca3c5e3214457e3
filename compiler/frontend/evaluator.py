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

from ..diagnostics import Diagnostics, Span
from ..nesting import with_deep_stack
from ..source import SourceTree
from .attributes import Attributes
from .calls import Calls
from .expressions import Expressions
from .imports import Imports
from .limits import BoundExceeded
from .machine import Host, Machine, Skipped
from .scope import Scope
from .signals import Exit, Raised
from .statements import Statements

__all__ = ["Evaluation", "Host", "Scope", "Skipped", "evaluate"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What became of a file."""

    #: The names of its top level.
    scope: Scope
    skipped: tuple[Skipped, ...]


def evaluate(
    tree: SourceTree, host: Host, diagnostics: Diagnostics, env: Mapping[str, str]
) -> Evaluation:
    """Evaluate the main file of the tree; graph calls are made to the host.

    Raises GraphError if the file cannot be parsed. What is wrong with the graph, and what would
    fail if the file were run, ends up in `diagnostics`.
    """
    return with_deep_stack(lambda: _evaluate(tree, host, diagnostics, env))


def _evaluate(
    tree: SourceTree, host: Host, diagnostics: Diagnostics, env: Mapping[str, str]
) -> Evaluation:
    machine = Machine(tree, host, diagnostics, env)
    machine.imports = Imports(machine)
    machine.calls = Calls(machine)
    machine.attributes = Attributes(machine)
    machine.expressions = Expressions(machine)
    machine.statements = Statements(machine)
    scope = Scope(tree.main)
    scope.names.update(machine.imports.globals_of(tree.main, "__main__"))
    try:
        machine.statements.module(tree.main, scope, recover=True)
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
    return Evaluation(scope, tuple(machine.skipped))


def _bound_exceeded(diagnostics: Diagnostics, message: str, help: str, span: Span) -> None:
    diagnostics.error("GC003", f"evaluation stops here: {message}", span, help=help)
