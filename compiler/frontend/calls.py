"""Calls: of the graph API, of the user's functions and classes, of Python's own functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Generator as PythonGenerator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

import libcst as cst

from ..diagnostics import Diagnostic, GraphError, Note, Severity, Span, did_you_mean
from . import aliases, builtin_functions, computing, enums, files, objects, stdlib
from .binding import bind
from .builtin_functions import BUILTINS
from .limits import DEEPEST_CALL, BoundExceeded
from .memory import ITERATOR, origin
from .methods import OF_FILES, READING, call_method
from .operators import PLAIN, describe, elements
from .scope import Facts, Scope, facts, function_scope
from .signals import Leave, Native, Raised, Steps, builtin_exception, native
from .values import (
    ABSENT,
    BoundMethod,
    CallBack,
    Coroutine,
    External,
    Generator,
    HostFunction,
    HostModule,
    HostObject,
    Instance,
    Method,
    Super,
    TextFile,
    Unknown,
    UserClass,
    UserFunction,
    UserModule,
    Value,
)

if TYPE_CHECKING:
    from ..source import SourceModule
    from .machine import Machine


#: Decorators with which a call perhaps runs another function.
_DISPATCHING: Final = frozenset({"functools.singledispatch", "functools.singledispatchmethod"})
#: So many are remembered for certain, by `functools.lru_cache`.
_MOST_ANSWERS: Final = 128
#: What a call costs, compared with an expression.
_STEPS: Final = 3


@dataclass(slots=True)
class Arguments:
    """The arguments of a call, evaluated."""

    positional: list[Value] = field(default_factory=list)
    named: dict[str, Value] = field(default_factory=dict)
    #: Where each is: by keyword, or by position.
    spans: dict[str, Span] = field(default_factory=dict)
    #: Set if there are more, from a `*` or `**` of something that is not known.
    more: Unknown | None = None


class Calls:
    """Makes calls."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._facts: dict[cst.CSTNode, Facts] = {}

    def expression(self, node: cst.Call, scope: Scope) -> Value:
        """Evaluate a call."""
        machine, module = self._machine, scope.module
        callee = machine.expressions.value(node.func, scope)
        arguments = self._arguments(node, scope, isinstance(callee, HostFunction))
        # The name in a chain: each `.to(...)` of several lines has a line of its own.
        name = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
        machine.position = (module, name)
        if name.value == "run_until_complete" if isinstance(name, cst.Name) else False:
            for value in arguments.positional:
                if isinstance(value, Coroutine):
                    return self.awaited(value)
        if not isinstance(callee, UserFunction | BoundMethod | UserClass):
            self._note_skipped(callee, arguments, node, module)
        if isinstance(callee, BoundMethod):
            arguments.positional.insert(0, callee.owner)
            callee = callee.function
        if isinstance(callee, HostFunction):
            return self._host(callee, arguments, node, module)
        if isinstance(callee, External) and callee.dotted == "builtins.super" and not node.args:
            return self._super(scope)
        if arguments.more is not None:
            if not isinstance(callee, UserFunction):
                return origin(callee) or arguments.more
            return self._user(callee, arguments, (module, name))
        if isinstance(callee, UserFunction):
            return self._user(callee, arguments, (module, name))
        values = [*arguments.positional, *arguments.named.values()]
        if isinstance(callee, Unknown):
            reads = isinstance(node.func, cst.Attribute) and node.func.attr.value in READING
            if not reads or any(isinstance(one, Instance) for one in callee.among):
                aliases.change(machine.memory, callee, values)
            made = self._one_of(callee, arguments, (module, name))
        else:
            made = self.call(callee, arguments.positional, arguments.named, (module, name))
        python = isinstance(callee, External) and _is_evaluated(callee.dotted)
        if type(made) is Unknown and (python or isinstance(callee, Method) or made is callee):
            return aliases.of_call(machine.memory, made, callee, values)
        return made

    def _note_skipped(
        self, callee: Value, arguments: Arguments, node: cst.Call, module: SourceModule
    ) -> None:
        """A call that is not made, if it is a statement of its own or gets hold of the graph."""
        alone = node is self._machine.statement
        match callee:
            case Unknown(reported=False) if aliases.functions(callee):
                return  # graph calls in them are errors
            case Unknown(why=unknown, reported=False):
                why = f"it calls something that is not known: {unknown}"
            case HostFunction(name=name) if alone and name in self._machine.host.no_effect:
                why = f"{name.rpartition('.')[2]}() means nothing for the graph"
            case External(dotted=dotted) if not _is_evaluated(dotted):
                why = f"{dotted.removeprefix('builtins.')}() is not run"
            case Instance(cls=cls, fields=None) if not computing.is_called(cls):
                why = f"{describe(callee)} is not made"
            case _:
                return
        handed = None
        if not isinstance(callee, HostFunction) and why != "print() is not run":
            values = (*arguments.positional, *arguments.named.values())
            handed = next(filter(None, map(_graph_in, values)), None)
        if handed is not None:
            why += f", so what it does with {handed.description} is lost"
        if alone or handed is not None:
            self._machine.skip(module.span(node), why, handed is not None)

    def _arguments(self, node: cst.Call, scope: Scope, spans: bool) -> Arguments:
        machine = self._machine
        made = Arguments()
        for arg in node.args:
            value = machine.expressions.value(arg.value, scope)
            if arg.star == "*":
                items = elements(machine.memory, value)
                if isinstance(items, Unknown):
                    made.more = made.more or machine.placed(items, scope.module, arg.value)
                    continue
                first = len(made.positional)
                made.positional.extend(items)
                machine.memory.budget.spend(len(items) >> 2)
                new: Iterable[str] = map(str, range(first, len(made.positional)))
            elif arg.star == "**":
                if type(value) is not dict:
                    if type(value) in PLAIN:
                        raise Native(TypeError("argument after ** must be a mapping"))
                    doubt = origin(value) or Unknown(f"what {describe(value)} holds", None)
                    made.more = made.more or machine.placed(doubt, scope.module, arg.value)
                    continue
                new = self._add_named(made, value)
            elif arg.keyword is not None:
                new = self._add_named(made, {arg.keyword.value: value})
            else:
                new = [str(len(made.positional))]
                made.positional.append(value)
            if spans:
                made.spans.update(dict.fromkeys(new, scope.module.span(arg.value)))
        return made

    def _add_named(self, made: Arguments, new: Mapping[Value, Value]) -> Iterable[str]:
        self._machine.memory.budget.spend(len(new) >> 2)
        for key, value in new.items():
            if type(key) is not str:
                raise Native(TypeError("keywords must be strings"))
            if key in made.named:
                raise Native(TypeError(f"got multiple values for keyword argument {key!r}"))
            made.named[key] = value
        return new

    # -- what is called

    def call(
        self,
        callee: Value,
        args: list[Value],
        kwargs: dict[str, Value],
        position: tuple[SourceModule, cst.CSTNode],
    ) -> Value:
        """Call a value; calls of the graph API have no spans of arguments this way."""
        match callee:
            case Unknown():
                aliases.change(self._machine.memory, callee, [*args, *kwargs.values()])
                return self._one_of(callee, Arguments(args, kwargs), position)
            case UserFunction():
                return self._user(callee, Arguments(args, kwargs), position)
            case HostFunction():
                module, node = position
                return self._host(callee, Arguments(args, kwargs), node, module)
            case Method():
                return self._method(callee, args, kwargs)
            case BoundMethod():
                return self._user(
                    callee.function, Arguments([callee.owner, *args], kwargs), position
                )
            case Instance(fields=fields) if fields is not None:
                method = self._machine.attribute(callee, "__call__")
                return self.call(method, args, kwargs, position)
            case Instance(cls=External()) if (
                made := computing.called(self._machine, callee, args, kwargs)
            ) is not ABSENT:
                return made
            case UserClass() if enums.is_enum(callee) and len(args) == 1 and not kwargs:
                return enums.by_value(self._machine, callee, args[0])
            case UserClass():
                made = objects.construct(self._machine, callee, args, kwargs)
                if made is not None:
                    return made
                self._keep_out(callee, [*args, *kwargs.values()])
                self._given_away(callee, [*args, *kwargs.values()])
                return Instance(callee, tuple(args), kwargs, position[0].span(position[1]))
            case External():
                return self._external(callee, args, kwargs, position)
            case HostModule(dotted=dotted):
                # The host takes a name it does not know for a module.
                return self._external(External(dotted, self._machine.here), args, kwargs, position)
            case UserModule():
                raise Native(TypeError("'module' object is not callable"))
        if type(callee) in PLAIN:
            raise Native(TypeError(f"{type(callee).__name__!r} object is not callable"))
        if isinstance(callee, HostObject):
            raise Native(TypeError(f"{callee.description} is not callable"))
        return origin(callee) or Unknown(f"the result of calling {describe(callee)}", None)

    def _super(self, scope: Scope) -> Value:
        """`super()`: of the class in whose body the method stands, and its first argument."""
        around: Scope | None = scope
        while around is not None and not (
            around.kind == "function" and around.parent is not None and around.parent.owner
        ):
            around = around.parent
        if around is None or around.parent is None or around.parent.owner is None:
            raise Native(RuntimeError("super(): no arguments"))
        owner = next(iter(around.names.values()), None)
        if isinstance(owner, UserClass) or (
            isinstance(owner, Instance) and owner.fields is not None
        ):
            return Super(around.parent.owner, owner)
        return Unknown("what super() is", None)

    def _one_of(
        self, callee: Unknown, arguments: Arguments, position: tuple[SourceModule, cst.CSTNode]
    ) -> Value:
        """The call of one of several functions, it is not known which; perhaps of none of them."""
        machine = self._machine
        args, kwargs = arguments.positional, arguments.named
        self._given_away(callee, [*args, *kwargs.values()])
        ways = aliases.functions(callee)
        if not ways:
            return callee

        def tried(way: Value) -> Value:
            try:
                return self.call(way, [*args], {**kwargs}, position)
            except Native as exc:
                raise Raised.of(exc, machine.here) from None

        runs: list[Callable[[], Value]] = [lambda: callee, *(partial(tried, way) for way in ways)]
        # What is called has no value that `--set` could give.
        reason = callee if callee.help else replace(callee, expression="")
        ends = machine.fork(reason, machine.here, runs)
        return aliases.one_of(callee, [end for _, end in ends])

    def _given_away(self, callee: Value, values: Iterable[Value]) -> None:
        """Code that is not evaluated goes through iterators, nobody knows how far."""
        machine = self._machine
        unknown = Unknown(f"how far {describe(callee)} goes through it", machine.here)
        for value in values:
            if isinstance(value, Generator):
                machine.generators.lost(value, unknown)
            elif type(value) is ITERATOR:
                machine.memory.blur(value, unknown)

    def _keep_out(self, callee: UserClass | UserFunction, args: Iterable[Value]) -> None:
        """Code that is not evaluated must not get hold of the graph: what it adds would be lost."""
        machine = self._machine
        inner = [
            held
            for value in args
            if isinstance(value, Instance)
            for held in (value.fields or {}).values()
        ]
        for value in (*args, *inner):
            if isinstance(value, HostObject):
                machine.report(
                    Diagnostic(
                        "GC007",
                        Severity.ERROR,
                        f"{describe(callee)} is not evaluated, so what it does with "
                        f"{value.description} would be lost",
                        machine.here,
                        help="build the graph at the top level, in plain functions, or in "
                        "methods of classes of your own",
                    )
                )

    def _method(self, method: Method, args: list[Value], kwargs: dict[str, Value]) -> Value:
        machine = self._machine
        if method.name == "sort" and type(method.owner) is list and not args:
            owner = method.owner
            made = BUILTINS["sorted"](machine, [owner], kwargs)
            machine.memory.touch(owner)
            if isinstance(made, Unknown):
                machine.memory.blur(owner, made)
                return made
            owner[:] = made
            return None
        if isinstance(method.owner, Generator):
            return machine.generators.method(method.owner, method.name, args)
        if isinstance(method.owner, TextFile):
            return files.call(machine.memory, method.owner, method.name, args)
        if type(method.owner) is PurePosixPath and method.name in OF_FILES:
            return files.of_path(machine, method.owner, method.name, args)
        return call_method(machine.memory, method, args, kwargs, machine.root)

    def _external(
        self,
        callee: External,
        args: list[Value],
        kwargs: dict[str, Value],
        position: tuple[SourceModule, cst.CSTNode],
    ) -> Value:
        machine, dotted = self._machine, callee.dotted
        function = stdlib.FUNCTIONS.get(dotted)
        head, _, last = dotted.rpartition(".")
        if head == "builtins":
            function = BUILTINS.get(last, function)
        elif function is None and head.startswith("builtins."):
            function = builtin_functions.method_of_type(machine, dotted)
        elif last == "tqdm":
            function = stdlib.progress_bar
        if function is not None:
            return function(machine, args, kwargs)
        self._given_away(callee, [*args, *kwargs.values()])
        if last[:1].isupper() or builtin_exception(dotted) or dotted == objects.FIELD:
            return Instance(callee, tuple(args), kwargs, position[0].span(position[1]))
        result = Unknown(f"the result of calling {dotted.removeprefix('builtins.')}", None)
        return aliases.holding(result, ())

    # -- the user's functions

    def defaults(self, parameters: cst.Parameters, scope: Scope) -> dict[str, Value]:
        """Default values, evaluated where the function is defined."""
        return {
            parameter.name.value: self._machine.expressions.value(parameter.default, scope)
            for group in (parameters.posonly_params, parameters.params, parameters.kwonly_params)
            for parameter in group
            if parameter.default is not None
        }

    def _user(
        self,
        function: UserFunction,
        arguments: Arguments,
        position: tuple[SourceModule, cst.CSTNode],
    ) -> Value:
        machine, node = self._machine, function.node
        if function.decorator in _DISPATCHING:
            return Unknown(f"what {function.name}() does with values of other types", None)
        if node not in self._facts:
            self._facts[node] = facts(node)
        known = self._facts[node]
        values = bind(function, arguments.positional, arguments.named, arguments.more)
        rest = node.params.star_kwarg
        if rest is not None:
            machine.memory.made(values[rest.name.value])
        if known.yields:
            return self._generator(function, values, known, position)
        if isinstance(node, cst.FunctionDef) and node.asynchronous is not None:
            module, place = position
            waiting = Coroutine(function, values, module.span(place))
            machine.waiting[waiting] = position
            return waiting
        if function.answers is not None:
            return self._remembered(function, arguments, values, known, position)
        return self._run(function, values, known, position)

    def _remembered(
        self,
        function: UserFunction,
        arguments: Arguments,
        values: Mapping[str, Value],
        known: Facts,
        position: tuple[SourceModule, cst.CSTNode],
    ) -> Value:
        """The call of a function that `functools.cache` or `functools.lru_cache` is around."""
        machine, answers = self._machine, function.answers
        assert answers is not None
        memory = machine.memory
        given = (*arguments.positional, *arguments.named.values())
        doubts = [memory.doubt(one) for one in given if not objects.by_identity(one)]
        key: Value = None
        if arguments.more is None and not any(doubts):
            key = tuple(arguments.positional), tuple(arguments.named.items())
            native(hash, key)
        lost = memory.seen(answers)
        if lost is answers and key is not None:
            before, result = answers.get(key, (None, None))
            # For 1.0 after 1 it depends on how many arguments there are.
            if memory.same(before, key):
                return result
            if before is None and None not in answers and len(answers) < _MOST_ANSWERS:
                result = self._run(function, values, known, position)
                memory.touch(answers)
                answers[key] = key, result
                return result
        unknown = Unknown(f"whether {function.name}() has been called with the same", machine.here)
        ends = machine.fork(
            unknown,
            machine.here,
            [lambda: self._run(function, values, known, position), lambda: None],
        )
        found = [end for _, end in ends]
        if lost is not answers:
            return aliases.one_of(unknown, [*found, lost])
        memory.touch(answers)
        answers[None] = None, aliases.one_of(unknown, found)
        return aliases.one_of(unknown, [end for _, end in answers.values()])

    def _generator(
        self,
        function: UserFunction,
        values: Mapping[str, Value],
        known: Facts,
        position: tuple[SourceModule, cst.CSTNode],
    ) -> Value:
        """The call of a function that yields."""
        machine, node = self._machine, function.node
        unknown = Unknown(f"{function.name}() makes a generator, which is not evaluated", None)
        if isinstance(node, cst.Lambda) or node.asynchronous is not None:
            self._keep_out(function, values.values())
            return unknown
        scope = function_scope(function.module, function.scope, known, values)
        machine.memory.made(scope.names)
        made = machine.generators.make(
            function.name,
            _until_returned(machine.statements.steps(node.body, scope)),
            code=((node.body, scope),),
            place=position[1],
        )
        made.manages = function.decorator == "contextlib.contextmanager"
        if not all(known.yields) or (function.decorator and not made.manages):
            return machine.generators.lost(made, unknown)
        return made

    def awaited(self, value: Value) -> Value:
        """`await value`; of what is no coroutine of the user's, the value itself."""
        if not isinstance(value, Coroutine) or value not in self._machine.waiting:
            return value
        position = self._machine.waiting.pop(value)
        known = self._facts[value.function.node]
        return self._run(value.function, value.arguments, known, position)

    def never_awaited(self) -> None:
        """Coroutines that got hold of the graph, and that nothing evaluated awaits."""
        for value, position in self._machine.waiting.items():
            self._machine.position = position
            self._keep_out(value.function, value.arguments.values())

    def _run(
        self,
        function: UserFunction,
        values: Mapping[str, Value],
        known: Facts,
        position: tuple[SourceModule, cst.CSTNode],
    ) -> Value:
        """Run a function's body."""
        machine, node = self._machine, function.node
        if machine.depth >= DEEPEST_CALL:
            raise BoundExceeded(
                f"calls go more than {DEEPEST_CALL} functions deep",
                "use a loop, or compute the value in a step",
            )
        machine.memory.budget.spend(_STEPS)
        scope = function_scope(function.module, function.scope, known, values)
        machine.memory.made(scope.names)
        machine.depth += 1
        machine.calling.append((function.name, *position))
        parts = machine.expressions.begin()
        # Handlers further out catch too, but what they then do is not worth following.
        catching, machine.catching = machine.catching, 0
        try:
            if isinstance(node, cst.Lambda):
                return machine.expressions.value(node.body, scope)
            left = machine.statements.body(node.body, scope)
        except Raised as exc:
            exc.called_from(function.name, position[0].span(position[1]))
            raise
        finally:
            machine.expressions.end(parts)
            machine.depth -= 1
            machine.calling.pop()
            machine.catching = catching
        return returned(left)

    # -- the graph API

    def _host(
        self, function: HostFunction, arguments: Arguments, node: cst.CSTNode, module: SourceModule
    ) -> Value:
        machine, host = self._machine, self._machine.host
        name = function.name.rpartition(".")[2]
        span = machine.here
        failed = Unknown("the call failed", span, module.code(node), reported=True)
        idle = function.name in host.no_effect or function.idle(
            arguments.positional, arguments.named
        )
        if machine.unsure and not idle:
            return machine.unsure_call(span)
        if arguments.more is not None and idle:
            return Unknown(f"the arguments of {name}() are not known", span, module.code(node))
        if arguments.more is not None:
            self._unknown_arguments(name, arguments.more, span)
            return failed
        args = [self._settled(value, span) for value in arguments.positional]
        kwargs = {key: self._settled(value, span) for key, value in arguments.named.items()}
        for value in (*args, *kwargs.values()):
            if isinstance(value, Unknown) and value.reported:
                return value
        try:
            _bind(function.call, args, kwargs)
        except TypeError as exc:
            self._wrong_arguments(function, exc, arguments, span)
            return failed
        host.call_span, host.call_spans = span, arguments.spans
        try:
            made = function.call(*args, **kwargs)
        except GraphError as exc:
            machine.statements.failures.refused(exc, span)
            return failed
        if isinstance(made, CallBack):
            self._user(made.function, Arguments(list(made.args)), (module, node))
            return made.result
        return made

    def _settled(self, value: Value, span: Span) -> Value:
        """The value as the host gets it."""
        if isinstance(value, HostModule) and not value.members:
            return External(value.dotted, span)
        if isinstance(value, Method):
            return Unknown(f"a method of {describe(value.owner)}", span)
        memory = self._machine.memory
        memory.doubt(value)  # for its bounds: whoever gets the value walks through it
        return memory.settled(value)

    def _unknown_arguments(self, name: str, unknown: Unknown, span: Span) -> None:
        if unknown.reported:
            return
        notes = () if unknown.span is None else (Note(f"not known: {unknown.why}", unknown.span),)
        self._machine.report(
            Diagnostic(
                "GC005",
                Severity.ERROR,
                f"the arguments of {name}() are not known",
                span,
                notes,
                unknown.help or "write them out",
            )
        )

    def _wrong_arguments(
        self, function: HostFunction, error: TypeError, arguments: Arguments, span: Span
    ) -> None:
        name = function.name.rpartition(".")[2]
        parameters = inspect.signature(function.call).parameters
        unexpected = next((key for key in arguments.named if f"{key!r}" in str(error)), None)
        self._machine.report(
            Diagnostic(
                "GC010",
                Severity.ERROR,
                f"{name}() {error}",
                arguments.spans.get(unexpected or "", span),
                help=did_you_mean(unexpected, parameters) if unexpected else "",
            )
        )


def _bind(call: Callable[..., Value], args: Sequence[Value], kwargs: Mapping[str, Value]) -> None:
    """Raises the TypeError of a call whose arguments are wrong.

    A method has its object already: a keyword `self` is one too many, which the signature of a
    bound method does not know.
    """
    if inspect.ismethod(call):
        inspect.signature(call.__func__).bind(call.__self__, *args, **kwargs)
    else:
        inspect.signature(call).bind(*args, **kwargs)


def _until_returned(steps: Steps) -> PythonGenerator[Value, Value, Value]:
    return returned((yield from steps))


def returned(left: Leave | None) -> Value:
    """What a call gives whose body was left so."""
    if left is None or "return" not in left.hows:
        return None
    if left.perhaps is None or left.value is None:
        return left.value
    return aliases.one_of(left.perhaps, [left.value])


def _is_evaluated(dotted: str) -> bool:
    """Does a call of this name have a meaning here? Printing has none."""
    head, _, last = dotted.rpartition(".")
    if head == "builtins" and last in BUILTINS:
        return last != "print"
    return dotted in stdlib.FUNCTIONS or last == "tqdm"


def _graph_in(value: Value, depth: int = 2) -> HostObject | None:
    """A part of the graph API that the value is, or that it holds."""
    if isinstance(value, HostObject):
        return value
    if depth and type(value) in (list, tuple, dict):
        inner = value.values() if type(value) is dict else value
        return next(filter(None, (_graph_in(one, depth - 1) for one in inner)), None)
    return None
