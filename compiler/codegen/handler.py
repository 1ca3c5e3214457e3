"""A plan as the text of its handler module.

The page is templates/handler.py.j2; here are the statements on it. Nothing is decided here: each
instruction has one spelling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from .. import __version__, ir
from ..identifiers import snake_case
from ..plan import (
    CONTEXT,
    Callee,
    Formula,
    GraphStep,
    Invoke,
    Library,
    Make,
    MakeMerge,
    MakeOutlets,
    MakeQueue,
    MakeRouter,
    MakeSource,
    MakeStep,
    Member,
    Method,
    Ours,
    Own,
    Plan,
    RouteMade,
    User,
)
from ..runtime_names import counterpart
from ..stream_drivers import Driver, drivers
from .expressions import as_function, as_lambda, atom, formula, literal, quoted
from .formatting import formatted
from .pages import page
from .scope import ModuleScope
from .statements import Statements
from .text import docstring_text, one_line
from .writer import Writer


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
        plan, scope, serving = self._plan, self._scope, self._plan.function.serving
        nuclio = scope.runtime("nuclio")
        needs_context = self._needs_context()
        initializes = serving.initializer is not None
        if needs_context or initializes:
            scope.runtime_name("context", "GraphContext")
        makes = self._init()
        methods = self._methods()
        if any(not lookup.opened for lookup in plan.environment):
            scope.module("os")
        context, initializer = self._context_arguments(), self._initializer()
        failed = self._failed(nuclio)
        delivery = scope.runtime("delivery") if plan.delivers else ""
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
            context=context,
            initializer=initializer,
            content_type=quoted(serving.content_type) if serving.content_type else "",
            is_async=plan.is_async,
            responds=plan.responds,
            failed=failed,
            reads=plan.function.acknowledges,
            delivery=delivery,
            answer=self._done(
                f"{nuclio}.response(context, answer)"
                if plan.responds
                else f'{nuclio}.response(context, {{"id": event.id}})'
            ),
        )
        return HandlerModule(formatted(text), scope.runtime_modules)

    def _needs_context(self) -> bool:
        def uses(make: Make | None) -> bool:
            return make is not None and (
                make.runner is not None
                or CONTEXT in make.positional
                or any(value is CONTEXT for _, value in make.args)
            )

        return self._plan.keeps_context or any(
            isinstance(making, MakeRouter | MakeMerge)
            or (isinstance(making, MakeStep) and uses(making.make))
            for making in self._plan.makes
        )

    def _context_arguments(self) -> str:
        function, serving = self._plan.function, self._plan.function.serving
        arguments = ["context", quoted(function.full_name)]
        arguments += [
            f"{name}={quoted(value)}"
            for name in ("project", "tag")
            if (value := getattr(function, name))
        ]
        if function.current:
            arguments.append(f"current_function={quoted(function.current)}")
        if serving.parameters:
            arguments.append(f"parameters={self._literal(dict(serving.parameters))}")
        if serving.secrets:
            arguments.append(f"secrets={self._secrets(serving.secrets)}")
        if serving.error_stream is not None:
            arguments.append(f"error_stream={self._opened(serving.error_stream)}")
        if self._plan.log_stream is not None:
            opened = self._opened(self._plan.log_stream, needed=False)
            output = f"{self._scope.runtime('tracking')}.output({opened})"
            arguments.append(f"output_stream={output}")
        if serving.verbose:
            arguments.append("verbose=True")
        return ", ".join(arguments)

    def _opened(self, path: Any, needed: bool = True) -> str:
        """A stream for records; events can be done without those that are not `needed`."""
        arguments = [self._literal(path), "context.logger", *self._drivers(drivers(path))]
        if not needed:
            arguments.append("needed=False")
        return f"{self._scope.runtime('streams')}.open_if_possible({', '.join(arguments)})"

    def _drivers(self, found: Sequence[Driver]) -> list[str]:
        return [self._scope.runtime_name(driver.module, driver.name) for driver in found]

    def _secrets(self, sources: Sequence[ir.Secrets]) -> str:
        module = self._scope.runtime("secrets")
        read = []
        for source in sources:
            names = source.source if source.kind == "env" else [source.source]
            arguments = [self._literal(name) for name in names]
            if source.prefix:
                arguments.append(f"prefix={quoted(source.prefix)}")
            read.append(f"{module}.{source.kind}({', '.join(arguments)})")
        return read[0] if len(read) == 1 else f"{{{', '.join(f'**{text}' for text in read)}}}"

    def _initializer(self) -> str:
        """What is called with the server before any step is made."""
        target = self._plan.function.serving.initializer
        return "" if target is None else atom(self._target(target))

    def _failed(self, nuclio: str) -> str:
        """What the handler answers for an exception; with an error stream it is recorded."""
        arguments = ["context", "exc"]
        if self._plan.causes:
            arguments.append("causes=True")
        recorded = self._plan.function.serving.error_stream is not None
        if self._plan.function.serving.verbose:
            # With a stream, it is push_error that logs the event.
            arguments += ["verbose=True"] if recorded else ["verbose=True", "event=event"]
        if self._plan.function.acknowledges:
            arguments.append("at=event")
        failure = f"{nuclio}.failure({', '.join(arguments)})"
        if not recorded:
            return f"return {self._done(failure)}"
        made = f"context.user_data.{'router' if self._is_router else 'flow'}"
        record = f'{made}.context.push_error(event, failed.body, source="_handler")'
        return f"failed = {failure}\n{record}\nreturn {self._done('failed')}"

    def _done(self, response: str) -> str:
        """The answer; where events send something, once that has arrived."""
        return f"context.user_data.done(event, {response})" if self._plan.delivers else response

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
                case MakeOutlets():
                    self._outlets_made(writer, making)
                case MakeSource(attribute=attribute):
                    writer.line(f"self.{attribute} = {self._source(making)}")
                case MakeQueue():
                    writer.line(f"self.{making.attribute} = {self._queue(making)}")
        if self._plan.keeps_context:
            writer.line("self.context = context")
        return writer.text()

    def _source(self, making: MakeSource) -> str:
        arguments = self._literal(making.path)
        if making.alike:
            alike = ", ".join(map(quoted, making.alike))
            arguments += f", {quoted(making.trigger)}, alike=[{alike}]"
        return f"{self._scope.runtime('sources')}.Source({arguments})"

    def _outlets_made(self, writer: Writer, making: MakeOutlets) -> None:
        outlets = f"{self._scope.runtime('outlets')}.Outlets"
        with writer.block(f"self.{making.attribute} = {outlets}("):
            ways = (f"{quoted(name)}: self.{method}" for name, method in making.methods)
            drops = ", drops=True" if making.drops else ""
            writer.line(f"{quoted(making.step)}, {{{', '.join(ways)}}}{drops}")
        writer.line(")")

    def _queue(self, making: MakeQueue) -> str:
        arguments = [self._literal(making.path), *self._drivers(making.drivers)]
        if making.sharding is not None:
            arguments.append(f"sharding={self._literal(making.sharding)}")
        arguments += self._keywords(making.options)
        if "columns" in dict(making.options):
            return f"{self._scope.runtime('stream_columns')}.ColumnsQueue({', '.join(arguments)})"
        return f"{self._scope.runtime('streams')}.Queue({', '.join(arguments)})"

    def _make(self, make: Make, routes: str = "") -> str:
        arguments = [self._literal(value) for value in make.positional]
        if routes:
            arguments.append(f"routes={routes}")
        arguments += self._keywords(make.args)
        cls = self._class(make.cls)
        if make.tracked:
            cls = f"{self._scope.runtime(make.tracked)}.tracked({cls})"
        made = f"{cls}({', '.join(arguments)})"
        if make.starts:
            made = self._started(make, made)
        if make.runner is not None:
            made = f"{self._class(make.runner)}(context, {made})"
        return made

    def _started(self, make: Make, made: str) -> str:
        mode = self._plan.function.serving.load_mode
        arguments = [made, *([f"mode={quoted(mode)}"] if mode else [])]
        arguments += self._keywords(make.start_args)
        return f"{self._scope.runtime_name('models', 'start')}({', '.join(arguments)})"

    def _keywords(self, args: ir.Args) -> list[str]:
        """Arguments as `name=value`; names that are words of Python's go through `**`."""
        plain = [f"{key}={self._literal(value)}" for key, value in args if not iskeyword(key)]
        words = {key: value for key, value in args if iskeyword(key)}
        return [*plain, *([f"**{self._literal(words)}"] if words else [])]

    def _class(self, cls: Callee) -> str:
        match cls:
            case User(symbol=symbol):
                return self._scope.user(symbol)
            case Library(name=name):
                ours = counterpart(name)
                if ours is not None:
                    return self._scope.runtime_name(ours.module, ours.name)
                return self._scope.library(name)
            case Ours(module=module, name=name):
                return f"{self._scope.runtime(module)}.{name}"
        raise AssertionError(f"{cls} is no class")

    def _merge(self, making: MakeMerge) -> str:
        if making.make is not None:
            merger = self._scope.runtime("merger")
            return f"{merger}.joining({self._make(making.make)}, {making.expected})"
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
            made = self._router_object(writer, making.make, making.routes)
            writer.line(f"self.{making.attribute} = {made}")
            return
        entries = [self._route(writer, route) for route in making.routes]
        # mypy finds no class that routes of several kinds have in common.
        hint = ": dict[str, Any]" if len({*map(_kind, making.routes)}) > 1 else ""
        with writer.block(f"self.{making.routes_attribute}{hint} = {{"):
            for entry in entries:
                writer.line(f"{entry},")
        writer.line("}")
        if making.kind == "vote":
            voting = self._scope.runtime("voting")
            kind = "PlainVote" if making.plain else "Vote"
            arguments = ["context", f"self.{making.routes_attribute}"]
            arguments += [f"{key}={self._literal(value)}" for key, value in making.args]
            writer.line(f"self.{making.vote_attribute} = {voting}.{kind}({', '.join(arguments)})")

    def _router_object(self, writer: Writer, make: Make, routes: Sequence[RouteMade]) -> str:
        """A router of a class; the routers among its routes are made first."""
        entries = ", ".join(self._route(writer, route) for route in routes)
        return self._make(make, f"{self._scope.runtime('routes')}.named({{{entries}}})")

    def _route(self, writer: Writer, route: RouteMade) -> str:
        """An entry of a router's dict: something with `do_event`."""
        made = ""
        if route.routes:
            assert route.make is not None
            made = self._scope.own(snake_case(route.key, "inner"))
            writer.line(f"{made} = {self._router_object(writer, route.make, route.routes)}")
        elif route.make is not None:
            made = self._make(route.make)
        if route.invoke is not None:
            made = self._wrapped_route(made, route.invoke)
        return f"{quoted(route.key)}: {made}"

    def _wrapped_route(self, made: str, invoke: Invoke) -> str:
        kind = "Route" if invoke.takes == "event" else "BodyRoute"
        called = self.function(invoke.callee)
        if made and isinstance(invoke.callee, Member):
            called = f"{made}.{invoke.callee.method}"
        if invoke.context:
            called = f"{self._scope.library('functools.partial')}({called}, context=context)"
        arguments = [called]
        arguments += [
            f"{name}={quoted(path)}"
            for name in ("input_path", "result_path")
            if (path := getattr(invoke, name)) is not None
        ]
        return f"{self._scope.runtime('routes')}.{kind}({', '.join(arguments)})"

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
            if isinstance(making, MakeMerge) and making.by_id
        ]
        block = method.instructions
        if method.name == "run" and resets:
            for attribute in resets:
                writer.line(f"self.{attribute}.reset()")
        if block or not method.doc:
            # A docstring that is a step's name says what the step's comment would.
            named = method.doc.removesuffix(".") or None
            Statements(self, writer, method.returns).block(block, named)
        parameters = ", ".join(["self", *(f"{name}: Any" for name in method.takes)])
        return {
            "head": f"{'async ' if method.is_async else ''}def {method.name}({parameters}) -> "
            f"{'Any' if method.returns else 'None'}:",
            "doc": docstring_text(method.doc),
            "body": writer.text(),
        }

    def _router_method(self, making: MakeRouter) -> dict[str, str]:
        router = self._plan.function.root
        if making.kind == "object":
            return {
                "head": "def run(self, event: Any) -> Any:",
                "doc": "",
                "body": self._object_called(making),
            }
        body = page(
            f"{making.kind}_router.j2",
            making=making,
            name=quoted(making.name),
            weights=self._literal(_listed_weights(making)),
            router=self._scope.runtime("router"),
            voting=self._scope.runtime("voting") if making.kind == "vote" else "",
            prefix=f", {quoted(making.prefix)}" if making.prefix else "",
            health=f", {quoted(making.health)}" if making.health else "",
        )
        doc = ""
        if not isinstance(router, ir.Router):
            doc = {
                "model": "ModelRouter: the model named in the path answers.",
                "vote": "VotingEnsemble: the model named in the path answers, else the vote.",
            }[making.kind]
        return {
            "head": f"def {making.attribute}(self, event: Any) -> Any:",
            "doc": doc,
            "body": body,
        }

    def _object_called(self, making: MakeRouter) -> str:
        """The call of a router class that is the whole graph."""
        invoke = making.invoke
        assert invoke is not None
        called = self.invoke(invoke)
        if invoke.takes == "body":
            return f"body = event.body\nreturn {called}"
        if making.any_result:
            return f"return {self._scope.runtime('nuclio')}.body_of({called})"
        return f"return {called}.body"

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
            text = f"{self.function(invoke.callee)}({argument}{extra})"
        if invoke.awaits:
            text = f"await {text}"
        if invoke.result_path is not None:
            text = self.put(invoke.result_path, text)
        return text

    def _formula_function(self, inline: ir.Inline) -> str:
        """The name of a function that the expression becomes, where it cannot be inlined."""
        name = self._scope.own("expression")
        self._functions.append(as_function(name, inline, self._scope.user))
        return name

    def put(self, path: str, value: str, each: bool = False) -> str:
        """The body with a value put at a path; a list of bodies for `each` of several values."""
        function = self._paths("put_each" if each else "put")
        return f"{function}(body, {quoted(path)}, {value})"

    def _paths(self, name: str) -> str:
        suffix = "_sync" if self._engine == "sync" else ""
        return f"{self._scope.runtime('paths')}.{name}{suffix}"

    def function(self, callee: Callee) -> str:
        """The callee as something to call or hand over."""
        match callee:
            case Member(attribute=attribute, method=method):
                return f"self.{attribute}.{method}"
            case Own(method=method):
                return f"self.{method}"
            case User(symbol=symbol):
                return self._scope.user(symbol)
            case Library(name=name):
                return self._scope.library(name)
            case Ours(module=module, name=name):
                return f"{self._scope.runtime(module)}.{name}"
            case Formula(inline=inline):
                return f"({as_lambda(inline, self._scope.user)})"

    def runtime(self, module: str) -> str:
        """A module of runtime_min, imported from now on."""
        return self._scope.runtime(module)

    def library(self, name: str) -> str:
        """A module of the standard library, imported from now on."""
        return self._scope.module(name)

    def _literal(self, value: Any) -> str:
        return literal(value, self._target)

    def _target(self, target: ir.Target | ir.EnvLookup | GraphStep) -> str:
        match target:
            case GraphStep(fields=fields):
                made = self._scope.runtime_name("graph_step", "GraphStep")
                return f"{made}({', '.join(self._keywords(fields))})"
            case ir.EnvLookup(name=name, as_text=as_text):
                settings = self._scope.runtime("settings")
                return f"{settings}.{'text' if as_text else 'value'}({quoted(name)})"
            case ir.UserCode(symbol=symbol):
                return self._scope.user(symbol)
            case ir.Dotted(name=name):
                return self._scope.library(name)
            case ir.Inline():
                return as_lambda(target, self._scope.user)
        raise AssertionError(f"{target} was not resolved")


def _kind(route: RouteMade) -> Any:
    """What a route's object is, as far as its type goes."""
    if route.invoke is not None:
        return "wrapped"
    if route.routes:
        return "router"
    assert route.make is not None
    return "model" if route.make.starts else route.make.cls


def _listed_weights(making: MakeRouter) -> Any:
    """The weights as a list of models shows them: mlrun 1.12 adds routes that have none."""
    weights = dict(making.args).get("weights")
    if not isinstance(weights, dict) or 1 - sum(weights.values()) > 1e-5:
        return weights
    return {**weights, **{route.key: 0 for route in making.routes if route.key not in weights}}
