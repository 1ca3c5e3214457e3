"""Finds the code that names stand for (spec/serving.md 2.1, 2.2).

Before:  task loads: 'json.loads'      task a: 'PreProcess'()      task f: '(event["x"])'
After:   task loads: json.loads        task a: :PreProcess()       task f: (event -> event["x"])
"""

from __future__ import annotations

import ast
import builtins
import importlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from .. import ir
from ..builder import HUB_CLASS, HUB_MODULE
from ..code_index import CodeIndex, Symbol
from ..diagnostics import Diagnostics, GraphError, Span, did_you_mean
from ..frontend.free_names import free_in
from ..identifiers import snake_case
from ..runtime_names import known_remedy
from ..source import SourceTree
from .mlrun_classes import COMPILED, MERGE
from .outgoing import EXPRESSIONS, REMOTE
from .storey import STOREY_BASES

#: Importing these does things.
_NOISY = frozenset(("antigravity", "this", "idlelib", "turtle", "turtledemo", "tkinter", "test"))
_LONGEST_EXPRESSION = 10_000


def resolve(
    graph: ir.Graph, tree: SourceTree, index: CodeIndex, diagnostics: Diagnostics
) -> ir.Graph:
    """The graph without `ir.Named`; names that are not found are reported (GC012)."""
    return replace(
        graph,
        functions=tuple(
            _Resolver(function, tree, index, diagnostics).function() for function in graph.functions
        ),
    )


_Step = TypeVar("_Step", ir.Task, ir.Route)


class _Resolver:
    def __init__(
        self, function: ir.Function, tree: SourceTree, index: CodeIndex, diagnostics: Diagnostics
    ) -> None:
        self._function = function
        self._tree = tree
        self._index = index
        self._diagnostics = diagnostics

    def function(self) -> ir.Function:
        root: ir.Flow | ir.Router = self._function.root
        if isinstance(root, ir.Router):
            root = self._router(root)
        else:
            root = replace(root, steps=tuple(self._step(step) for step in root.steps))
        serving = self._function.serving
        if serving.initializer is not None:
            serving = replace(serving, initializer=self._called(serving.initializer))
        return replace(self._function, root=root, serving=serving)

    def _step(self, step: ir.Step) -> ir.Step:
        match step:
            case ir.Router():
                return self._router(step)
            case ir.Queue(sharding=ir.Named() as code):
                return replace(step, sharding=self._called(code))
            case ir.Queue():
                return step
        return self._task(step)

    def _router(self, router: ir.Router) -> ir.Router:
        return replace(
            router,
            cls=self._class(router.cls),
            args=self._args(router.args),
            routes=tuple(
                self._router(route) if isinstance(route, ir.Router) else self._task(route)
                for route in router.routes
            ),
        )

    def _task(self, step: _Step) -> _Step:
        cls = None if step.cls is None else self._class(step.cls)
        library = cls.name if isinstance(cls, ir.Dotted) else ""
        if library == MERGE:
            args = self._merge_args(step)
        elif library in EXPRESSIONS:
            args = self._outgoing_args(step, EXPRESSIONS[library])
        elif self._sends_requests(cls):
            args = self._outgoing_args(step, {})  # its class may look at the other texts
        else:
            args = self._args(step.args)
        return replace(
            step,
            cls=cls,
            function=None if step.function is None else self._called(step.function),
            args=args,
        )

    def _sends_requests(self, cls: ir.Target | None) -> bool:
        """Is it a class of the user's with the constructor of MLRun's?"""
        if not isinstance(cls, ir.UserCode):
            return False
        constructor = self._index.method(cls.symbol, "__init__")
        return constructor is not None and constructor[0] in EXPRESSIONS

    def _merge_args(self, step: _Step) -> ir.Args:
        """A Merge's `key_path` is an expression as a text (serving.md 4.3), the rest numbers."""
        found: dict[str, Any] = {}
        for key, value in step.args:
            if key == "key_path" and isinstance(value, str):
                value = self._expression(ir.Named(f"({value})", step.span))
            elif key not in ("expected_num_events", "max_behind"):
                value = ir.Named("", step.span)  # reported below
            if isinstance(value, ir.Named) or not isinstance(value, int | ir.Inline | None):
                self._report(
                    ir.Named(key, step.span),
                    f"graphc does not compile this {key}= of a Merge",
                    "GC016",
                    "it knows key_path (an expression), expected_num_events and max_behind",
                )
            elif value is not None:
                found[key] = value
        return tuple(found.items())

    def _outgoing_args(self, step: _Step, expressions: Mapping[str, tuple[str, ...]]) -> ir.Args:
        """Of steps that call services: expressions as texts, and functions named as addresses."""
        found: dict[str, Any] = {}
        for key, value in step.args:
            if key in expressions and isinstance(value, str):
                names = expressions[key]
                value = self._expression(ir.Named(f"({value})", step.span), names)
            elif key == "url" and isinstance(value, str) and value and "://" not in value:
                value = self._address(value, step.span)
            found[key] = value
        return tuple(found.items())

    def _address(self, name: str, span: Span) -> ir.EnvLookup:
        """Where a function is that the graph calls by its name: MLRun asks its service."""
        variable = f"{snake_case(name, 'remote').upper()}_URL"
        set_there = self._function.settings.spec.get("env", ())
        if variable not in {item.get("name") for item in set_there}:
            self._diagnostics.warning(
                "GC038",
                f"the address of function {name!r} is not known: the package reads it from the "
                f"environment variable {variable} when it starts",
                span,
                help="set that variable when you deploy, or write the address into the graph",
            )
        return ir.EnvLookup(variable, None, required=True)

    def _args(self, args: ir.Args) -> ir.Args:
        return tuple(
            (key, self._called(value) if isinstance(value, ir.Named) else value)
            for key, value in args
        )

    # -- one target

    def _class(self, target: ir.Target) -> ir.Target:
        if isinstance(target, ir.Named) and target.text == "$remote":
            return ir.Dotted(REMOTE, target.span)
        found = self._find(target, "class") if isinstance(target, ir.Named) else target
        if isinstance(found, ir.UserCode) and self._index.class_info(found.symbol) is None:
            self._report(
                found,
                f"{found.symbol.name!r} is not a class",
                "GC017",
                "a function is named with handler=; a class has a class statement at the top level",
            )
        if isinstance(found, ir.Dotted):
            self._check_library_class(found)
        return found

    def _called(self, target: ir.Target) -> ir.Target:
        if isinstance(target, ir.Named) and target.text.startswith("("):
            return self._expression(target)
        found = self._find(target, "function") if isinstance(target, ir.Named) else target
        if isinstance(found, ir.Dotted):
            self._check_library(found)
        return found

    def _find(self, target: ir.Named, kind: str) -> ir.Target:
        for module in self._function.code:
            try:
                found = self._index.find(module, target.text)
            except GraphError as exc:
                self._diagnostics.add(exc.diagnostic(target.span))
                return target
            if isinstance(found, Symbol):
                return ir.UserCode(found, target.span)
            if isinstance(found, str):
                return ir.Dotted(found, target.span)
        known = [name for module in self._function.code for name in self._names(module)]
        source = self._tree.module(self._function.code[0]) if self._function.code[0] else None
        where = (source or self._tree.main).path
        help = did_you_mean(target.text, known)
        inside = ""
        if self._function.parent:
            inside = f" in {where}, the code of child function {self._function.current!r}"
            if target.text in self._names(""):
                help = (
                    f"it is in {self._tree.main.path}, which that function does not have: import it"
                )
        self._diagnostics.error(
            "GC012",
            f"there is no {kind} {target.text!r}{inside}",
            target.span,
            help=help or f"define or import it in {where}, or write its full dotted name",
        )
        return target

    def _names(self, module: str) -> Iterable[str]:
        source = self._tree.main if module == "" else self._tree.module(module)
        return self._index.names(module) if source else ()

    def _expression(self, target: ir.Named, names: tuple[str, ...] = ("event",)) -> ir.Target:
        """`"(expr)"` is `lambda event: expr`, with builtins and `names` as its only globals."""
        text = target.text
        if not text.endswith(")"):
            self._report(target, 'an expression must start with "(" and end with ")"', "GC019")
            return target
        if len(text) > _LONGEST_EXPRESSION:
            self._report(target, "the expression is too long", "GC019")
            return target
        try:
            body = ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
            reason = exc.msg if isinstance(exc, SyntaxError) else "it is nested too deeply"
            self._report(target, f"the expression is not valid Python: {reason}", "GC019")
            return target
        for name in sorted(free_in(body) - set(names) - set(dir(builtins))):
            others = "".join(f", `{other}`" for other in names[1:])
            self._report(
                target,
                f"the expression uses {name!r}; it can use `event` (the body){others} "
                "and builtins only",
                "GC019",
                help="write a function in the graph file and name it instead",
            )
            return target
        text = text[1:-1].strip() if _one_pair(text) else text
        more = ("endpoint",) if "endpoint" in names else ()
        return ir.Inline(text, "event", target.span, more=more)

    # -- libraries

    def _check_library_class(self, target: ir.Dotted) -> None:
        top = target.name.partition(".")[0]
        if target.name == f"{HUB_MODULE}.{HUB_CLASS}" or target.name in COMPILED:
            return
        if target.name in STOREY_BASES:
            self._report(
                target,
                f"{target.name} does nothing by itself",
                "GC017",
                f"derive a class from it and name that: class Mine({target.name}): ...",
            )
        elif top in ("mlrun", "storey"):
            self._not_compiled(target)
        elif self._check_library(target):
            help = "write a class with a method `do(self, body)` that uses it"
            if top not in sys.stdlib_module_names:
                help += f"; if {top!r} is yours, it is missing: name its folder with --package"
            self._report(
                target,
                f"graphc cannot see how {target.name} is called: it is not part of your files",
                "GC017",
                help,
            )

    def _check_library(self, target: ir.Dotted) -> bool:
        """Does the name exist, as far as the standard library goes? Reported if not."""
        module, _, name = target.name.rpartition(".")
        top = module.partition(".")[0]
        if top in ("mlrun", "storey") and target.name not in COMPILED:
            self._not_compiled(target)
            return False
        if not module:
            self._report(target, f"there is no function {target.name!r}", "GC012")
            return False
        if top not in sys.stdlib_module_names or top in _NOISY:
            return True
        known: list[str] = []
        try:
            found = importlib.import_module(module)
            if hasattr(found, name):
                return True
            known = dir(found)
        except ImportError:
            pass
        help = did_you_mean(name, known)
        self._report(target, f"module {module!r} has no {name!r}", "GC012", help)
        return False

    def _not_compiled(self, target: ir.Dotted) -> None:
        message = f"graphc does not compile {target.name} yet"
        self._report(target, message, "GC016", known_remedy(target.name))

    def _report(self, target: ir.Target, message: str, code: str, help: str = "") -> None:
        self._diagnostics.error(code, message, target.span, help=help)


def _one_pair(text: str) -> bool:
    """Do the outer parentheses of `(...)` belong together, and hold no tuple?"""
    try:
        inner = ast.parse(text[1:-1].strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return False
    return not isinstance(inner, (ast.Tuple, ast.NamedExpr))
