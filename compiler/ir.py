"""The graph as frozen data: what a graph file says, before and after the passes.

Every node that came from the user has a `span`. A *target* is what a step runs: as the graph spells
it (`Named`), given as an object (`UserCode`, `Dotted`, `Inline`), or found by the pass `resolve`,
which leaves no `Named` behind. `show` prints a graph as short stable text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from .code_index import Symbol
from .diagnostics import Span

# -- targets


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a string, `"PreProcess"` or `"json.loads"`: looked up by the pass `resolve`."""

    text: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class UserCode:
    """A top-level class or function of the user's."""

    symbol: Symbol
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Dotted:
    """Something of a library, by its full name: `json.loads`, `storey.Filter`."""

    name: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Inline:
    """An expression of one parameter: `"(event['x'])"`, or a lambda in the graph file.

    `names` are the free names in it that stand for code of the user's; `values` those that stand
    for values known when the graph was read.
    """

    text: str
    parameter: str
    span: Span = field(compare=False)
    names: Mapping[str, Symbol] = field(default_factory=dict, hash=False)
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)
    #: Further parameters.
    more: tuple[str, ...] = ()


Target = Named | UserCode | Dotted | Inline


@dataclass(frozen=True, slots=True)
class EnvLookup:
    """A value read from the environment when the package starts.

    Either the file itself reads the variable, or the file leaves the value open: then `opened` is
    the expression that would have it, and the pass `name_settings` gives the variable its name.
    """

    name: str
    default: str | None
    required: bool
    opened: str = ""
    #: Is the variable's text the value, or JSON where it is such?
    as_text: bool = True
    #: What it is for: `model_path of m1`.
    purpose: str = ""
    #: Where the file has the expression.
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class OpenText:
    """A text of which parts are read from the environment when the package starts."""

    parts: tuple[str | EnvLookup, ...]


#: Constructor arguments in the graph's order. Values are plain Python, targets, EnvLookup or
#: OpenText, the last three also inside of lists, tuples and dicts.
Args = tuple[tuple[str, Any], ...]

# -- steps


@dataclass(frozen=True, slots=True)
class Task:
    """A step that runs a class (`cls`, and `method` if not its usual one) or a function."""

    name: str
    span: Span = field(compare=False)
    cls: Target | None = None
    method: str | None = None
    function: Target | None = None
    args: Args = ()
    after: tuple[str, ...] = ()
    full_event: bool | None = None
    input_path: str | None = None
    result_path: str | None = None
    responder: bool = False
    #: The step that takes this one's failures.
    on_error: str | None = None
    #: Runs only when a step (or the graph) that names it fails.
    catcher: bool = False
    #: Of catchers: the steps that go on after it.
    before: tuple[str, ...] = ()
    #: The function that it runs in, as the graph spells it: "" is the root, "*" every one.
    #: The pass `partition` gives each function its own steps; from then on it is "".
    runs_in: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A child of a router that is no router itself."""

    key: str
    span: Span = field(compare=False)
    cls: Target | None = None
    method: str | None = None
    function: Target | None = None
    args: Args = ()
    full_event: bool | None = None
    input_path: str | None = None
    result_path: str | None = None


@dataclass(frozen=True, slots=True)
class Router:
    """A router: a step of a flow, the whole function, or a route of another router."""

    name: str
    span: Span = field(compare=False)
    cls: Target
    args: Args = ()
    routes: tuple[Route | Router, ...] = ()
    after: tuple[str, ...] = ()
    input_path: str | None = None
    result_path: str | None = None
    responder: bool = False
    on_error: str | None = None
    #: As of a `Task`.
    runs_in: str = ""
    #: The method that gets the body, if it is not the class's usual one.
    method: str | None = None

    @property
    def key(self) -> str:
        """As a route: the name under which its router knows it."""
        return self.name


#: Options of a queue that choose what of a body is sent.
COLUMNS = ("columns", "infer_columns_from_data")


@dataclass(frozen=True, slots=True)
class Queue:
    """A stream that steps write to."""

    name: str
    span: Span = field(compare=False)
    #: The stream's path or URL; None: there is none, events pass.
    path: str | EnvLookup | OpenText | None
    after: tuple[str, ...] = ()
    #: Is the body sent in an envelope? None: if somebody in the graph reads it.
    full_event: bool | None = None
    #: What stands in for the event's key: a shard, a field of the body, or code.
    sharding: Any = field(default=None, hash=False)
    #: What the driver of the stream is told besides its path.
    options: Args = field(default=(), hash=False)
    on_error: str | None = None
    #: As of a `Task`; it has no meaning, as a queue is in every function that it is reached in.
    runs_in: str = ""
    #: The functions whose steps follow it, as the graph spells them. Set by the pass `partition`.
    readers: tuple[str, ...] = ()
    #: What a stream that is created has; what its readers' triggers are made of.
    shards: Any = None
    retention_in_hours: Any = None
    #: The consumer group of readers; "" is `<function>-consumer-group`.
    group: str = ""
    #: Keywords of the readers' trigger class.
    trigger_args: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def read(self) -> bool:
        """Does a step of the graph follow it, in whatever function?"""
        return bool(self.readers)

    @property
    def envelope(self) -> bool:
        """Do messages carry the event's id and key with the body? (serving.md 8.3)"""
        return self.read if self.full_event is None else self.full_event

    @property
    def responder(self) -> bool:
        """Never: what is sent is answered by nobody."""
        return False


Step = Task | Router | Queue


@dataclass(frozen=True)
class Flow:
    """A directed graph of steps, in the order in which they were added."""

    engine: Literal["sync", "async"]
    span: Span = field(compare=False)
    steps: tuple[Step, ...] = ()
    #: The step that takes the failures of steps without a catcher of their own.
    on_error: str | None = None
    #: The steps that get a request first; none: those that follow no other. Set by `partition`.
    entries: tuple[str, ...] = ()

    @cached_property
    def _by_name(self) -> Mapping[str, Step]:
        return {step.name: step for step in self.steps}

    def step(self, name: str) -> Step:
        return self._by_name[name]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps)


# -- functions

#: Kinds of triggers whose messages a handler acknowledges itself (nuclio.md 2.6).
ACKNOWLEDGED = frozenset(("kafka-cluster", "kafka", "v3ioStream"))


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and how a function runs; nothing of it changes an answer."""

    #: What the package's image is built on; "" is the usual one.
    image: str = ""
    requirements: tuple[str, ...] = ()
    #: Commands of the image's build, each a line of shell.
    commands: tuple[str, ...] = ()
    #: What the file says of Nuclio's function configuration: plain data with the sections
    #: `metadata` and `spec`, keys as Nuclio spells them (spec/nuclio.md 1).
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    #: Variables of the function, and what each takes its value from where it is deployed: another
    #: variable, or an expression of the graph file.
    deployed: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: Comments of function.yaml, by the path of the key that they stand above.
    remarks: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict, compare=False)

    @property
    def spec(self) -> Mapping[str, Any]:
        """The section `spec` of the configuration."""
        found: Mapping[str, Any] = self.config.get("spec", {})
        return found


@dataclass(frozen=True, slots=True)
class Secrets:
    """A source of secrets: a dict, the names of variables, or the path of a file."""

    kind: Literal["inline", "env", "file"]
    source: Any = field(hash=False)
    #: What the names of its secrets begin with.
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Serving:
    """How events and failures are handled: settings that change answers."""

    parameters: Args = ()
    verbose: bool = False
    #: Of events that name no content type.
    content_type: str = ""
    #: Called with the server before any step is made.
    initializer: Target | None = None
    load_mode: str | None = None
    secrets: tuple[Secrets, ...] = ()
    #: Where records of failures go: a path or EnvLookup.
    error_stream: Any = None
    #: Where tracking was switched on.
    tracking: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Child:
    """A function container that runs steps of another one's graph (serving.md 8.2)."""

    #: As steps name it.
    name: str
    span: Span = field(compare=False)
    code: tuple[str, ...] = ("",)
    serving: Serving = Serving()
    settings: Settings = Settings()


@dataclass(frozen=True, slots=True)
class Reads:
    """A stream that a function reads: what its trigger is made of, and where its events go."""

    #: The queue's name.
    queue: str
    #: Where the queue stands in the graph file.
    span: Span = field(compare=False)
    path: str | EnvLookup | OpenText
    #: The consumer group, as MLRun names it.
    group: str
    #: The local steps that take its events.
    steps: tuple[str, ...]
    shards: Any = None
    trigger_args: Mapping[str, Any] = field(default_factory=dict, hash=False)
    #: As of the queue: `brokers` where the path names none.
    options: Args = ()
    envelope: bool = True
    #: The name of its trigger, and those of others whose events may name their stream alike.
    trigger: str = ""
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A function container."""

    #: Its folder in the dist; of a child its own name without the parent's, if that is free.
    name: str
    span: Span = field(compare=False)
    root: Flow | Router
    #: The modules, in order, whose names step classes are looked up in; "" is the graph file.
    code: tuple[str, ...] = ("",)
    project: str = ""
    tag: str = ""
    serving: Serving = Serving()
    settings: Settings = Settings()
    #: The functions that its graph has steps for. The pass `partition` makes functions of them.
    children: tuple[Child, ...] = ()
    #: Of a child: the function whose graph it runs.
    parent: str = ""
    #: Of a child: its name as steps spell it, which code finds as `context.current_function`.
    current: str = ""
    #: Of a child: the name under which it is deployed.
    deployed_as: str = ""
    reads: tuple[Reads, ...] = ()

    @property
    def full_name(self) -> str:
        """The name under which it is deployed."""
        return self.deployed_as or self.name

    @property
    def triggers(self) -> Mapping[str, Mapping[str, Any]]:
        """The triggers that it has besides the one that Nuclio gives it."""
        found: Mapping[str, Mapping[str, Any]] = self.settings.spec.get("triggers", {})
        return found

    @property
    def acknowledges(self) -> bool:
        """Does a stream wait for it to say which events are done?"""
        return bool(self.reads) or any(
            trigger["kind"] in ACKNOWLEDGED for trigger in self.triggers.values()
        )

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the flow; of a function that is a router, that router."""
        return (self.root,) if isinstance(self.root, Router) else self.root.steps

    @property
    def targets(self) -> Iterator[Target]:
        """Everything of the function that names code."""
        if self.serving.initializer is not None:
            yield self.serving.initializer
        for step in self.steps:
            yield from targets(step)


@dataclass(frozen=True, slots=True)
class Graph:
    """All that a graph file defines."""

    source: str
    functions: tuple[Function, ...] = ()


def library(step: Step) -> str | None:
    """The class of MLRun's or storey's that a task runs; None if it runs the user's code."""
    if isinstance(step, Task) and isinstance(step.cls, Dotted):
        return step.cls.name
    return None


def parts(step: Step | Route) -> Iterator[Task | Router | Route]:
    """The step, if it runs code; of a router also its routes, and theirs."""
    if isinstance(step, Queue):
        return
    yield step
    for route in step.routes if isinstance(step, Router) else ():
        yield from parts(route)


def values(step: Step) -> Iterator[Any]:
    """Everything of the step, its routes included, that may be left open."""
    if isinstance(step, Queue):
        yield step.path
        yield from dict(step.options).values()
    for part in parts(step):
        yield from dict(part.args).values()


def targets(step: Step | Route) -> Iterator[Target]:
    """Everything of the step (routes included) that names code."""
    if isinstance(step, Queue) and isinstance(step.sharding, Target):
        yield step.sharding
    for part in parts(step):
        if part.cls is not None:
            yield part.cls
        if not isinstance(part, Router) and part.function is not None:
            yield part.function
        for _, value in part.args:
            if isinstance(value, Target):
                yield value


# -- text


def show(graph: Graph) -> str:
    """The graph as text, for `graphc dump --stage ir` and the tests."""
    lines = [f"graph {graph.source}"]
    for function in graph.functions:
        of = f" of {function.parent}" if function.parent else ""
        lines.append(f"function {function.name}{of}")
        lines += _show_settings(function)
        for child in function.children:
            lines.append(f"  child {child.name}: {', '.join(filter(None, child.code))}")
            lines += [f"  {line}" for line in _show_settings(child)]
        for read in function.reads:
            steps = ", ".join(read.steps)
            lines.append(
                f"  reads {read.queue}: {show_value(read.path)} as {read.group} -> {steps}"
            )
        if isinstance(function.root, Router):
            lines += _show_router(function.root, "  ")
            continue
        on_error = f" on_error={function.root.on_error}" if function.root.on_error else ""
        entries = f" from {', '.join(function.root.entries)}" if function.root.entries else ""
        lines.append(f"  flow {function.root.engine}{on_error}{entries}")
        for step in function.root.steps:
            match step:
                case Router():
                    lines += _show_router(step, "    ")
                case Task():
                    lines.append(_show_task(step))
                case Queue():
                    lines.append(_show_queue(step))
    return "\n".join(lines) + "\n"


def _show_settings(function: Function | Child) -> list[str]:
    lines = [
        f"  {name} = {value!r}"
        for name in ("image", "requirements", "commands", "deployed")
        if (value := getattr(function.settings, name))
    ]
    for section, found in function.settings.config.items():
        lines += [f"  {section}.{key} = {value!r}" for key, value in found.items()]
    return lines + _show_serving(function.serving)


def _show_serving(serving: Serving) -> list[str]:
    lines = []
    if serving.parameters:
        lines.append(f"  parameters = {_show_args(serving.parameters)}")
    for name in ("verbose", "content_type", "load_mode", "error_stream"):
        if value := getattr(serving, name):
            lines.append(f"  {name} = {value!r}")
    if serving.initializer is not None:
        lines.append(f"  initializer = {show_target(serving.initializer)}")
    for secrets in serving.secrets:
        names = ", ".join(secrets.source) if secrets.kind != "file" else secrets.source
        lines.append(f"  secrets = {secrets.kind} {names}")
    if serving.tracking is not None:
        lines.append("  tracks models")
    return lines


def _show_task(step: Task) -> str:
    kind = "catcher" if step.catcher else "task"
    return f"    {kind} {step.name}: {_show_runs(step)}{_show_wiring(step)}"


def _show_queue(step: Queue) -> str:
    sharding = f" by {show_value(step.sharding)}" if step.sharding is not None else ""
    options = f" ({_show_args(step.options)})" if step.options else ""
    read = f" read by {', '.join(step.readers)}" if step.readers else ""
    return f"    queue {step.name}: {step.path!r}{sharding}{options}{read}{_show_wiring(step)}"


def _show_router(step: Router, indent: str) -> list[str]:
    lines = [f"{indent}router {step.name}: {_show_runs(step)}{_show_wiring(step)}"]
    for route in step.routes:
        if isinstance(route, Router):
            lines += _show_router(route, indent + "  ")
        else:
            lines.append(f"{indent}  route {route.key}: {_show_runs(route)}{_show_wiring(route)}")
    return lines


def _show_runs(step: Task | Route | Router) -> str:
    if not isinstance(step, Router) and step.cls is None:
        return show_target(step.function)
    method = f".{step.method}" if step.method else ""
    return f"{show_target(step.cls)}({_show_args(step.args)}){method}"


def _show_wiring(step: Step | Route) -> str:
    after = () if isinstance(step, Route) else step.after
    words = [f"after={','.join(after)}"] if after else []
    words += [
        f"{name}={value}"
        for name in ("on_error", "full_event", "input_path", "result_path")
        if (value := getattr(step, name, None)) is not None
    ]
    if isinstance(step, Task) and step.before:
        words.append(f"before={','.join(step.before)}")
    if not isinstance(step, Route) and step.responder:
        words.append("responds")
    if not isinstance(step, Route) and step.runs_in:
        words.append(f"in={step.runs_in}")
    return "".join(f" {word}" for word in words)


def lookups(value: Any) -> Iterator[EnvLookup]:
    """Everything in an argument that is read from the environment."""
    match value:
        case EnvLookup():
            yield value
        case OpenText(parts=inner) | list(inner) | tuple(inner):
            for item in inner:
                yield from lookups(item)
        case dict():
            for item in value.values():
                yield from lookups(item)


def _show_args(args: Args) -> str:
    return ", ".join(f"{name}={show_value(value)}" for name, value in args)


def show_value(value: Any) -> str:
    """A value as text: open ones as `${NAME}`."""
    match value:
        case EnvLookup(name=name):
            return f"${{{name}}}"
        case OpenText(parts=inner):
            return " + ".join(map(show_value, inner))
        case list() if any(lookups(value)):
            return f"[{', '.join(map(show_value, value))}]"
        case dict() if any(lookups(value)):
            items = (f"{key!r}: {show_value(item)}" for key, item in value.items())
            return f"{{{', '.join(items)}}}"
    return show_target(value) if isinstance(value, Target) else repr(value)


def show_target(target: Target | None) -> str:
    """A target as the graph spells it."""
    match target:
        case Named(text=text):
            return f"{text!r}"
        case UserCode(symbol=symbol):
            return f"{symbol.module}:{symbol.name}"
        case Dotted(name=name):
            return name
        case Inline(text=text, parameter=parameter):
            return f"({parameter} -> {text})"
        case None:
            return "-"
