"""A plan as the text of its handler module.

The page is templates/handler.py.j2; here are the statements on it. Nothing is decided here: each
instruction has one spelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from .. import __version__, ir
from ..code_index import Symbol
from ..plan import (
    CONTEXT,
    Arrive,
    Call,
    Callee,
    Caught,
    Extend,
    FanOut,
    Finish,
    Formula,
    Gather,
    Goto,
    Instruction,
    Invoke,
    Keep,
    Library,
    Make,
    MakeMerge,
    MakeRouter,
    MakeStep,
    Member,
    Method,
    Own,
    Plan,
    ReadBody,
    ReturnBody,
    StopIfTerminated,
    Try,
    Unwrap,
    User,
    WriteBody,
)
from .expressions import as_function, as_lambda, atom, formula, literal, negated, quoted
from .formatting import formatted
from .pages import page
from .scope import ModuleScope
from .writer import Writer

#: Classes of MLRun's that runtime_min has counterparts of: (module, name).
RUNTIME_CLASSES = {
    "mlrun.serving.V2ModelServer": ("models", "V2ModelServer"),
    "mlrun.serving.ModelRouter": ("routers", "ModelRouter"),
    "mlrun.serving.VotingEnsemble": ("ensembles", "VotingEnsemble"),
    "mlrun.serving.routers.ParallelRun": ("ensembles", "ParallelRun"),
}


@dataclass(frozen=True, slots=True)
class HandlerModule:
    """The text of a handler, and what of runtime_min it imports."""

    text: str
    runtime: frozenset[str]


def handler_module(
    plan: Plan, source: str, user_modules: Iterable[str], module_file: Callable[[str], str]
) -> HandlerModule:
    """The handler of a plan.

    `source` is the graph file's name, `user_modules` the modules that its steps' code is in, and
    `module_file` gives the name under which a module of the user's stands in the package.
    """
    return _Handler(plan, ModuleScope(user_modules, module_file)).module(source)


class _Handler:
    def __init__(self, plan: Plan, scope: ModuleScope) -> None:
        self._plan = plan
        self._scope = scope
        self._functions: list[str] = []
        self._is_router = isinstance(plan.function.root, ir.Router)
        self._engine = "sync" if self._is_router else getattr(plan.function.root, "engine", "")

    def module(self, source: str) -> HandlerModule:
        plan, scope = self._plan, self._scope
        nuclio = scope.runtime("nuclio")
        needs_context = self._needs_context()
        if needs_context:
            scope.runtime_name("context", "GraphContext")
        makes = self._init()
        methods = self._methods()
        if plan.environment:
            scope.module("os")
        standard, third, own = scope.imports()
        text = page(
            "handler.py.j2",
            version=__version__,
            source=one_line(source),
            name=plan.function.name,
            summary=docstring_text(plan.summary),
            picture=[docstring_text(line) for line in plan.picture],
            standard=standard,
            third=third,
            own=own,
            nuclio=nuclio,
            kind="Router" if self._is_router else "Flow",
            attribute="router" if self._is_router else "flow",
            doc=(
                "The routes, made once per worker, and the way of an event to one of them."
                if self._is_router
                else "The steps, made once per worker, and the way of an event through them."
            ),
            functions=self._functions,
            makes=makes,
            methods=methods,
            needs_context=needs_context,
            context=self._context_arguments(),
            is_async=plan.is_async,
            responds=plan.responds,
            failure=self._failure_arguments(),
        )
        return HandlerModule(formatted(text), scope.runtime_modules)

    def _needs_context(self) -> bool:
        def uses(make: Make | None) -> bool:
            return make is not None and (
                CONTEXT in make.positional or any(value is CONTEXT for _, value in make.args)
            )

        return self._plan.keeps_context or any(
            not isinstance(making, MakeStep) or uses(making.make) for making in self._plan.makes
        )

    def _context_arguments(self) -> str:
        function = self._plan.function
        arguments = ["context"]
        if function.parameters:
            arguments.append(f"parameters={self._literal(dict(function.parameters))}")
        if function.verbose:
            arguments.append("verbose=True")
        return ", ".join(arguments)

    def _failure_arguments(self) -> str:
        arguments = ["context", "exc"]
        if self._plan.causes:
            arguments.append("causes=True")
        if self._plan.function.verbose:
            arguments.append("verbose=True")
        return ", ".join(arguments)

    # -- what is made at start

    def _init(self) -> str:
        writer = Writer()
        for making in self._plan.makes:
            match making:
                case MakeStep(attribute=attribute, make=make):
                    writer.line(f"self.{attribute} = {self._make(make)}")
                case MakeMerge():
                    writer.line(f"self.{making.attribute} = {self._merge(making)}")
                case MakeRouter():
                    self._router_made(writer, making)
        if self._plan.keeps_context:
            writer.line("self.context = context")
        return writer.text()

    def _make(self, make: Make) -> str:
        arguments = [self._literal(value) for value in make.positional]
        arguments += self._keywords(make.args)
        made = f"{self._class(make.cls)}({', '.join(arguments)})"
        return f"{self._scope.runtime_name('models', 'start')}({made})" if make.starts else made

    def _keywords(self, args: ir.Args) -> list[str]:
        """Arguments as `name=value`; names that are words of Python's go through `**`."""
        plain = [f"{key}={self._literal(value)}" for key, value in args if not iskeyword(key)]
        words = {key: value for key, value in args if iskeyword(key)}
        return [*plain, *([f"**{self._literal(words)}"] if words else [])]

    def _class(self, cls: Callee) -> str:
        match cls:
            case User(symbol=symbol):
                return self._scope.user(symbol)
            case Library(name=name) if name in RUNTIME_CLASSES:
                return self._scope.runtime_name(*RUNTIME_CLASSES[name])
            case Library(name=name):
                return self._scope.library(name)
        raise AssertionError(f"{cls} is no class")

    def _merge(self, making: MakeMerge) -> str:
        arguments = [str(making.expected)]
        if making.key_path is not None:
            arguments.append(f"key_path={self._target(making.key_path)}")
        if making.max_behind is not None:
            arguments.append(f"max_behind={making.max_behind}")
        if making.full_event:
            arguments.append("full_event=True")
        arguments += ["context=context", f"name={quoted(making.step)}"]
        return f"{self._scope.runtime('merger')}.Merge({', '.join(arguments)})"

    def _router_made(self, writer: Writer, making: MakeRouter) -> None:
        if making.kind == "object":
            assert making.make is not None
            routes = ", ".join(self._route_object(route) for route in making.routes)
            given = [f"routes={{{routes}}}", *self._keywords(making.make.args)]
            made = f"{self._class(making.make.cls)}({', '.join(given)})"
            if making.make.starts:
                made = f"{self._scope.runtime_name('models', 'start')}({made})"
            writer.line(f"self.{making.attribute} = {made}")
            return
        mixed = len({route.invoke is None for route in making.routes}) > 1
        hint = ": dict[str, Any]" if mixed else ""
        with writer.block(f"self.{making.routes_attribute}{hint} = {{"):
            for route in making.routes:
                writer.line(f"{quoted(route.key)}: {self._route(route)},")
        writer.line("}")
        if making.kind == "vote":
            voting = self._scope.runtime("voting")
            kind = "PlainVote" if making.plain else "Vote"
            arguments = ["context", f"self.{making.routes_attribute}"]
            arguments += [f"{key}={self._literal(value)}" for key, value in making.args]
            writer.line(f"self.{making.vote_attribute} = {voting}.{kind}({', '.join(arguments)})")

    def _route(self, route: Any) -> str:
        """An entry of a written-out router: something with `do_event`."""
        if route.invoke is None:
            return self._make(route.make)
        if route.invoke.takes == "event" and route.make is not None:
            return self._make(route.make)
        return self._wrapped_route(route)

    def _route_object(self, route: Any) -> str:
        """An entry for a router class: something with `run`."""
        if route.invoke is None:
            routes = self._scope.runtime("routes")
            made = f"{routes}.Route({quoted(route.key)}, {self._make(route.make)}.do_event)"
        else:
            made = self._wrapped_route(route)
        return f"{quoted(route.key)}: {made}"

    def _wrapped_route(self, route: Any) -> str:
        kind = "Route" if route.invoke.takes == "event" else "BodyRoute"
        if route.make is not None:
            called = f"{self._make(route.make)}.{route.invoke.callee.method}"
        else:
            called = self._function(route.invoke.callee)
        return f"{self._scope.runtime('routes')}.{kind}({quoted(route.key)}, {called})"

    # -- methods

    def _methods(self) -> list[dict[str, str]]:
        methods = [self._method(method) for method in self._plan.methods]
        for making in self._plan.makes:
            if isinstance(making, MakeRouter) and (self._is_router or making.kind != "object"):
                methods.append(self._router_method(making))
        return methods

    def _method(self, method: Method) -> dict[str, str]:
        writer = Writer()
        resets = [
            making.attribute
            for making in self._plan.makes
            if isinstance(making, MakeMerge) and making.key_path is None
        ]
        block = method.instructions
        if method.name == "run" and resets:
            for attribute in resets:
                writer.line(f"self.{attribute}.reset()")
        _Statements(self, writer, method.returns, method.is_async).block(block)
        parameters = ", ".join(["self", *(f"{name}: Any" for name in method.takes)])
        return {
            "head": f"{'async ' if method.is_async else ''}def {method.name}({parameters}) -> "
            f"{'Any' if method.returns else 'None'}:",
            "doc": docstring_text(method.doc),
            "body": writer.text(),
        }

    def _router_method(self, making: MakeRouter) -> dict[str, str]:
        router = self._plan.function.root
        body = page(
            f"{making.kind}_router.j2",
            making=making,
            name=quoted(making.name),
            weights=self._literal(_listed_weights(making)),
            router=self._scope.runtime("router") if making.kind != "object" else "",
            voting=self._scope.runtime("voting") if making.kind == "vote" else "",
        )
        doc = ""
        if not isinstance(router, ir.Router):
            doc = {
                "model": "ModelRouter: the model named in the path answers.",
                "vote": "VotingEnsemble: the model named in the path answers, else the vote.",
            }[making.kind]
        return {
            "head": f"def {making.attribute if making.kind != 'object' else 'run'}"
            "(self, event: Any) -> Any:",
            "doc": doc,
            "body": body,
        }

    # -- expressions

    def invoke(self, invoke: Invoke) -> str:
        """The call as an expression, `await` included."""
        argument = invoke.takes
        if invoke.input_path is not None:
            argument = f"{self._paths('get')}(body, {quoted(invoke.input_path)})"  # type: ignore[assignment]
        if isinstance(invoke.callee, Formula):
            inlined = formula(invoke.callee.inline, argument, self._scope.user)
            text = inlined or f"{self._formula_function(invoke.callee.inline)}({argument})"
        else:
            extra = ", context=self.context" if invoke.context else ""
            text = f"{self._function(invoke.callee)}({argument}{extra})"
        if invoke.awaits:
            text = f"await {text}"
        if invoke.result_path is not None:
            text = f"{self._paths('put')}(body, {quoted(invoke.result_path)}, {text})"
        return text

    def _formula_function(self, inline: ir.Inline) -> str:
        """The name of a function that the expression becomes, where it cannot be inlined."""
        name = self._scope.own("expression")
        self._functions.append(as_function(name, inline, self._scope.user))
        return name

    def _paths(self, name: str) -> str:
        suffix = "_sync" if self._engine == "sync" else ""
        return f"{self._scope.runtime('paths')}.{name}{suffix}"

    def _function(self, callee: Callee) -> str:
        match callee:
            case Member(attribute=attribute, method=method):
                return f"self.{attribute}.{method}"
            case Own(method=method):
                return f"self.{method}"
            case User(symbol=symbol):
                return self._scope.user(symbol)
            case Library(name=name):
                return self._scope.library(name)
            case Formula(inline=inline):
                return f"({as_lambda(inline, self._scope.user)})"

    def function(self, callee: Callee) -> str:
        """The callee as something to hand over."""
        return self._function(callee)

    def runtime(self, module: str) -> str:
        return self._scope.runtime(module)

    def _literal(self, value: Any) -> str:
        return literal(value, self._target)

    def _target(self, target: ir.Target) -> str:
        match target:
            case ir.UserCode(symbol=symbol):
                return self._scope.user(symbol)
            case ir.Dotted(name=name):
                return self._scope.library(name)
            case ir.Inline():
                return as_lambda(target, self._reach)
        raise AssertionError(f"{target} was not resolved")

    def _reach(self, symbol: Symbol) -> str:
        return self._scope.user(symbol)


class _Statements:
    """Prints the instructions of one method."""

    def __init__(self, handler: _Handler, writer: Writer, returns: bool, is_async: bool) -> None:
        self._handler = handler
        self._writer = writer
        self._returns = returns
        self._is_async = is_async

    def block(
        self, block: Sequence[Instruction], named: str | None = None, tracks: bool = False
    ) -> None:
        """The instructions; `named` is a step whose comment stands already."""
        writer = self._writer
        shown = named
        for position, item in enumerate(block):
            step = _step_of(item)
            if isinstance(item, (WriteBody, ReadBody)) and position + 1 < len(block):
                step = _step_of(block[position + 1])  # what it is done for
            if step is not None and step != shown:
                writer.gap()
                writer.line(comment(step))
                if tracks:
                    writer.line(f"step = {quoted(step)}")
                shown = step
            elif isinstance(item, (FanOut, Try)):
                writer.gap()
            self._instruction(item)
        if not block:
            writer.line("pass")

    def _instruction(self, item: Instruction) -> None:
        line, handler = self._writer.line, self._handler
        match item:
            case Call():
                self._call(item)
            case Keep(invoke=invoke):
                with self._writer.block(f"if {negated(handler.invoke(invoke))}:"):
                    self._drop()
            case Extend(invoke=invoke):
                extended = "event.body" if invoke.takes == "event" else "body"
                with self._writer.block(
                    f"for key, value in {atom(handler.invoke(invoke))}.items():"
                ):
                    line(f"{extended}[key] = value")
            case Unwrap(assign=assign):
                unwrap = f"{handler.runtime('nuclio')}.unwrap(event)"
                line(f"body = {unwrap}" if assign else unwrap)
            case WriteBody():
                line("event.body = body")
            case ReadBody():
                line("body = event.body")
            case StopIfTerminated():
                with self._writer.block('if getattr(event, "terminated", False):'):
                    line("return event.body")
            case Try():
                self._try(item)
            case Caught():
                self._caught(item)
            case FanOut(branches=branches, takes=takes, awaits=awaits, returns=returns):
                module = handler.runtime("async_branches" if awaits else "branches")
                name = "fan_out_events" if takes == "event" else "fan_out"
                values = ["self.context", *(["event"] if takes == "event" else []), "body"]
                values += [f"self.{branch}" for branch in branches]
                self._end(
                    f"{'await ' if awaits else ''}{module}.{name}({', '.join(values)})", returns
                )
            case Gather():
                self._gather(item)
            case Arrive(attribute=attribute):
                line(f"arrived = self.{attribute}.arrive(event, body)")
                with self._writer.block("if arrived is None:"):
                    self._drop()
                line("event, body = arrived")
            case Goto():
                body = "event.body" if item.from_event else "body"
                arguments = f"event, {body}" if item.takes == "event" else body
                text = f"{'await ' if item.awaits else ''}self.{item.method}({arguments})"
                self._end(text, item.returns)
            case Finish():
                self._drop()
            case ReturnBody():
                line("return body")

    def _end(self, text: str, returns: bool) -> None:
        self._writer.line(f"return {text}" if returns else text)

    def _drop(self) -> None:
        nuclio = self._handler.runtime("nuclio")
        self._writer.line(f"return {nuclio}.DROPPED" if self._returns else "return")

    def _call(self, item: Call) -> None:
        text = self._handler.invoke(item.invoke)
        gives_event = item.invoke.takes == "event" and not isinstance(item.invoke.callee, Own)
        match item.then:
            case "body" if text == "body":
                return  # the expression `(event)`
            case "body":
                text = f"body = {text}"
            case "both":
                text = f"event.body = body = {text}"
            case "event":
                text = f"event = {text}"
            case "return" if item.any_result:
                text = f"return {self._handler.runtime('nuclio')}.body_of({text})"
            case "return" if gives_event:
                text = f"return {atom(text)}.body"
            case "return":
                text = f"return {text}"
            case "discard":
                called = not isinstance(item.invoke.callee, Formula)
                text = text if called else f"_ = {text}"
        self._writer.line(text)

    def _try(self, item: Try) -> None:
        body = item.body
        named = None
        steps = {step for step in map(_first_step, body) if step is not None}
        if len(steps) == 1:
            (named,) = steps
            self._writer.gap()
            self._writer.line(comment(named))
        with self._writer.block("try:"):
            self.block(body, named, item.tracks)
        named_failure = any(isinstance(instruction, Caught) for instruction in item.catch)
        with self._writer.block(f"except Exception{' as exc' if named_failure else ''}:"):
            catcher = next(
                (step for step in map(_first_step, item.catch) if step is not None), None
            )
            if catcher is not None:
                self._writer.line(comment(catcher))
            self.block(item.catch, catcher)

    def _caught(self, item: Caught) -> None:
        origin = "step" if item.step is None else quoted(item.step)
        if not item.messages:
            self._writer.line(f"event.error, event.origin_state = exc, {origin}")
            return
        key = "None" if item.step == "" else origin
        message = f"{self._handler.runtime('nuclio')}.message(exc)"
        self._writer.line(f"event.error = {{{key}: {message}}}")
        self._writer.line(f"event.origin_state = {origin}")

    def _gather(self, item: Gather) -> None:
        module = self._handler.runtime("async_branches" if item.awaits else "branches")
        branches = [self._handler.function(branch) for branch in item.branches]
        text = f"{module}.gather({', '.join(['self.context', 'body', *branches])})"
        text = f"await {text}" if item.awaits else text
        if item.then == "return":
            self._writer.line(f"return {text}")
            return
        self._writer.line(f"body = {text}" if item.then == "body" else text)
        if item.drops and item.then == "body":
            nuclio = self._handler.runtime("nuclio")
            with self._writer.block(f"if body is {nuclio}.DROPPED:"):
                self._drop()


def _listed_weights(making: MakeRouter) -> Any:
    """The weights as a list of models shows them: mlrun 1.12 adds routes that have none."""
    weights = dict(making.args).get("weights")
    if not isinstance(weights, dict) or sum(weights.values()) < 1:
        return weights
    return {**weights, **{route.key: 0 for route in making.routes if route.key not in weights}}


def _step_of(item: Instruction) -> str | None:
    match item:
        case Call(step=step) | Keep(step=step) | Extend(step=step) | Arrive(step=step):
            return step
        case Gather(steps=steps, merge=merge):
            return ", ".join([*steps, merge])
    return None


def _first_step(item: Instruction) -> str | None:
    if isinstance(item, Try):
        return next((step for step in map(_first_step, item.body) if step is not None), None)
    return _step_of(item)


#: Words that tools read in comments.
_SPOKEN_TO_TOOLS = re.compile(
    r"\s*(fmt|type|noqa|ruff|isort|mypy|pyright|pylint|pragma|yapf|flake8|nosec|vim|!|:)|.*coding[:=]",
    re.IGNORECASE,
)


def comment(step: str) -> str:
    """A comment with a step's name; in quotes where tools would take it for theirs."""
    return f'# "{step}"' if _SPOKEN_TO_TOOLS.match(step) else f"# {step.strip()}"


def docstring_text(text: str) -> str:
    """Text that may stand inside a triple-quoted docstring."""
    return one_line(text.replace("\\", "\\\\")).replace('"""', '\\"\\"\\"')


def one_line(text: str) -> str:
    """The text with what would break a line, or could not be printed, escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode()
        for char in text
    )
