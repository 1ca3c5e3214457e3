"""What a handler does, as a small tree of instructions; codegen prints it one to one.

Inside a function the event's value is in the local `body`; `event.body` is written only before
something that gets the event. The pass `lower` decides where, so instructions say exactly what
happens. `show` prints a plan as short stable text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from . import ir
from .code_index import Symbol
from .stream_drivers import GENERATED, V3IO_KEY, Driver, drivers, variables

# -- what is called


@dataclass(frozen=True, slots=True)
class Member:
    """A method of an object made at start: `self.<attribute>.<method>`."""

    attribute: str
    method: str


@dataclass(frozen=True, slots=True)
class Own:
    """A method of the generated class itself: `self.<method>`."""

    method: str


@dataclass(frozen=True, slots=True)
class User:
    """A function or class of the user's: `<module>.<name>`."""

    symbol: Symbol


@dataclass(frozen=True, slots=True)
class Library:
    """A function or class of a library, by its dotted name."""

    name: str


@dataclass(frozen=True, slots=True)
class Ours:
    """A class of a module of runtime_min: `<module>.<name>`."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression of the graph's, with its parameter replaced by the argument."""

    inline: ir.Inline


Callee = Member | Own | User | Library | Ours | Formula
Value = Literal["body", "event"]


@dataclass(frozen=True, slots=True)
class Invoke:
    """A call of a step's code with the body or with the event."""

    callee: Callee
    takes: Value = "body"
    awaits: bool = False
    #: Passes `context=self.context`, as the function has a parameter of that name.
    context: bool = False
    #: A route into the body to what the step gets, and one to where its result goes.
    input_path: str | None = None
    result_path: str | None = None


# -- what happens


@dataclass(frozen=True, slots=True)
class Call:
    """Run a step. `then` says what becomes of the result: the next body, the next event, both
    body and `event.body` ("both"), the local `result`, the answer, or nothing."""

    step: str
    invoke: Invoke
    then: Literal["body", "event", "both", "result", "return", "discard"]
    #: Synchronous engine: the result may be an event, a Response or a plain value (serving.md 4.1).
    #: Of a catcher then "event" means that its result becomes `event.body` (7.4).
    any_result: bool = False
    #: Asynchronous engine: what an event step returns may be no event, which is a failure of its.
    checked: bool = False
    #: Of such a catcher: the `result_path` of the failed step, for which its result stands in.
    caught_path: str | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """A Filter: go on if the call says so."""

    step: str
    invoke: Invoke


@dataclass(frozen=True, slots=True)
class Extend:
    """storey.Extend: add the items of the result to the body in place."""

    step: str
    invoke: Invoke


@dataclass(frozen=True, slots=True)
class DropIfFiltered:
    """storey.MapClass: the step's `do` may have called `self.filter()`; if it did not, the local
    `result` goes into the body at `result_path`."""

    step: str
    attribute: str
    result_path: str | None = None


@dataclass(frozen=True, slots=True)
class Choose:
    """Ask which of the steps behind one get the event: the local `chosen` of a FanOut."""

    step: str
    invoke: Invoke
    outlets: str


@dataclass(frozen=True, slots=True)
class Items:
    """Make a list of the items of a result in the local `items`, where failures are caught."""

    step: str
    invoke: Invoke


@dataclass(frozen=True, slots=True)
class Each:
    """Every item of a result goes on as an event of its own; ends the method.

    The items are those of a call, or the local `items`. They go to a method, or nowhere: then
    the first of them is the answer, if it `returns` one.
    """

    step: str
    invoke: Invoke | None
    method: str | None
    takes: Value
    #: Are the items events?
    events: bool
    awaits: bool
    returns: bool
    #: Does nothing behind it change the event?
    shared: bool = False
    #: Does the next item go on while one waits for others?
    at_once: bool = False

    @property
    def ends(self) -> bool:
        """Does nothing come of the items? They are gone through all the same."""
        return self.method is None and not self.returns


@dataclass(frozen=True, slots=True)
class Push:
    """Send a local to a queue, in an envelope or as it is."""

    step: str
    attribute: str
    envelope: bool = False
    value: Literal["body", "item"] = "body"


@dataclass(frozen=True, slots=True)
class PushEach:
    """Send every item of a result to a queue."""

    step: str
    invoke: Invoke | None
    push: Push


@dataclass(frozen=True, slots=True)
class Send:
    """Synchronous engine: send the body, or each element of a list; ends the method."""

    step: str
    attribute: str
    #: Does it carry id and key, as for a reader in the graph?
    envelope: bool = False


@dataclass(frozen=True, slots=True)
class Unwrap:
    """Take the body out of the envelope in which queues carry it; `assign` to the local."""

    assign: bool = True
    #: Do steps of an asynchronous flow get the event, with the fields that such flows give it?
    fields: bool = False


@dataclass(frozen=True, slots=True)
class CopyEvent:
    """What follows gets a shallow copy of the event."""


@dataclass(frozen=True, slots=True)
class FromStream:
    """Of a function that reads several streams: where the events of one go; they end there."""

    attribute: str
    block: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class WriteBody:
    """`event.body = body`"""


@dataclass(frozen=True, slots=True)
class ReadBody:
    """`body = event.body`"""


@dataclass(frozen=True, slots=True)
class StopIfTerminated:
    """Synchronous engine: a step may end the flow by `event.terminated` (serving.md 4.1)."""


@dataclass(frozen=True, slots=True)
class Try:
    """`body`, and `catch` when a step in it fails. With `tracks` a local names the step at hand."""

    body: tuple[Instruction, ...]
    catch: tuple[Instruction, ...]
    tracks: bool = False
    #: Synchronous engine: for the handler of the whole graph.
    whole_graph: bool = False


@dataclass(frozen=True, slots=True)
class Caught:
    """Put the failure on the event, as catchers find it.

    `step` is the failed step's name, None where the local of `Try.tracks` has it. In the
    synchronous engine the error is a dict of messages (serving.md 7.4).
    """

    step: str | None
    messages: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """Write the failure to the error stream; it is raised again unless it is `taken`.

    `step` is the failed step's name, None where the local of `Try.tracks` has it. `body`: what
    the step got is in the local, not on the event; never so if it is `taken`.
    """

    step: str | None
    body: bool
    taken: bool = False
    whole_graph: bool = False


@dataclass(frozen=True, slots=True)
class FanOut:
    """Several branches, each with a copy of its own; ends the method. What the first that
    answers (or fails) gives is the answer. Without branches these are the local `chosen`.

    With `shared` only the body is copied: no branch changes the event that it gets; without
    `copies` not even that, as only the last branch does more with it than read it. `nested` ones
    stand inside of branches, or have others inside: these run in the order of storey's tasks."""

    branches: tuple[str, ...]
    takes: Value
    awaits: bool
    returns: bool
    shared: bool = False
    copies: bool = True
    nested: bool = False


@dataclass(frozen=True, slots=True)
class Gather:
    """Branches that meet in a Merge: their results become a list. Of `copies` see FanOut."""

    steps: tuple[str, ...]
    merge: str
    branches: tuple[Callee, ...]
    awaits: bool
    #: Can a branch drop the event?
    drops: bool
    then: Literal["body", "return", "discard"]
    copies: bool = True


@dataclass(frozen=True, slots=True)
class Arrive:
    """A Merge in the general case: go on when the last part arrives."""

    step: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Goto:
    """Go on in another method; ends this one. The body is the local, or that of the event."""

    method: str
    takes: Value
    awaits: bool
    returns: bool
    from_event: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """The path ends without an answer of its own."""


@dataclass(frozen=True, slots=True)
class ReturnBody:
    """The body answers as it is."""


Instruction = (
    Call
    | Keep
    | Extend
    | DropIfFiltered
    | Choose
    | Items
    | Each
    | Push
    | PushEach
    | Send
    | Unwrap
    | CopyEvent
    | FromStream
    | WriteBody
    | ReadBody
    | StopIfTerminated
    | Try
    | Caught
    | Record
    | FanOut
    | Gather
    | Arrive
    | Goto
    | Finish
    | ReturnBody
)

# -- what is made at start


class _Context:
    """Stands for the graph context among constructor arguments."""

    def __repr__(self) -> str:
        return "context"


#: The one `_Context`.
CONTEXT = _Context()


@dataclass(frozen=True, slots=True)
class GraphStep:
    """Stands for MLRun's step object among constructor arguments: its fields."""

    fields: ir.Args


@dataclass(frozen=True, slots=True)
class Make:
    """An object: `attribute = cls(args)`. `positional` arguments come first."""

    cls: Callee
    positional: tuple[Any, ...] = ()
    args: ir.Args = ()
    #: Is `post_init` called once it is made (models, routers)?
    starts: bool = False
    #: What `post_init` is told besides the mode.
    start_args: ir.Args = ()
    #: The module of runtime_min that makes the class write tracking records.
    tracked: str = ""
    #: What runs the object, if it does not stand for itself: it is made with the context and it.
    runner: Ours | None = None


@dataclass(frozen=True, slots=True)
class MakeStep:
    attribute: str
    make: Make


@dataclass(frozen=True, slots=True)
class RouteMade:
    """One entry of a router's dict."""

    key: str
    make: Make | None
    #: Unless it is an object with `do_event`: what is called with the body or the event.
    invoke: Invoke | None = None
    #: Of a router: what is in its own dict.
    routes: tuple[RouteMade, ...] = ()


@dataclass(frozen=True, slots=True)
class MakeRouter:
    """A router's routes, and the router itself where it is an object.

    `kind`: "model" and "vote" are MLRun's own, written out as a method; "object" is a class of
    the user's, or one of MLRun's with arguments that the written-out forms do not have.
    """

    step: str
    attribute: str
    kind: Literal["model", "vote", "object"]
    routes: tuple[RouteMade, ...]
    make: Make | None = None
    #: Of objects that are the whole graph: how they are called.
    invoke: Invoke | None = None
    any_result: bool = False
    #: Of those written out: where their routes are, and the vote.
    routes_attribute: str = ""
    vote_attribute: str = ""
    #: Of those written out: paths that are not the usual ones.
    prefix: str | None = None
    health: str | None = None
    #: Of votes: the name it answers with, its arguments, and whether every route's class
    #: overrides nothing but `load` and `predict`.
    name: str = ""
    args: ir.Args = ()
    plain: bool = False


@dataclass(frozen=True, slots=True)
class MakeMerge:
    step: str
    attribute: str
    expected: int
    key_path: ir.Target | None = None
    max_behind: int | None = None
    full_event: bool = False
    #: Are its parts those of one request for certain?
    by_id: bool = True
    #: Of a class of the user's: how the object is made.
    make: Make | None = None


@dataclass(frozen=True, slots=True)
class MakeOutlets:
    """The methods among which a step chooses, by the names of the steps that they begin with.

    With `drops` an event goes nowhere if none is chosen, else everywhere.
    """

    step: str
    attribute: str
    methods: tuple[tuple[str, str], ...]
    drops: bool


@dataclass(frozen=True, slots=True)
class MakeQueue:
    """A queue; `sharding` stands in for the event's key, the options are its driver's."""

    attribute: str
    path: str | ir.EnvLookup | ir.OpenText
    sharding: Any = None
    options: ir.Args = ()

    @property
    def drivers(self) -> tuple[Driver, ...]:
        """What may write to the stream."""
        return drivers(self.path, dict(self.options))


@dataclass(frozen=True, slots=True)
class MakeSource:
    """What tells the events of a stream from others: its path, or else the name of its trigger.

    `alike` are triggers whose events may have the same path.
    """

    attribute: str
    path: str | ir.EnvLookup | ir.OpenText
    trigger: str = ""
    alike: tuple[str, ...] = ()


Making = MakeStep | MakeRouter | MakeMerge | MakeOutlets | MakeQueue | MakeSource

# -- the whole


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the generated class; the first is `run`."""

    name: str
    takes: tuple[Value, ...]
    is_async: bool
    doc: str
    instructions: tuple[Instruction, ...]
    #: Does it give an answer back?
    returns: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A function's handler."""

    function: ir.Function
    summary: str
    #: The flow in a few words, a line each.
    picture: tuple[str, ...]
    is_async: bool
    responds: bool
    #: Is the cause of a failure part of the answer? (serving.md 7.1, Q13)
    causes: bool
    makes: tuple[Making, ...] = ()
    methods: tuple[Method, ...] = ()
    keeps_context: bool = False
    #: Where tracking records go: a path or ir.EnvLookup, if any model is tracked.
    log_stream: Any = None
    #: Arguments that are read when the package starts.
    environment: tuple[ir.EnvLookup, ...] = ()
    #: Libraries that runtime_min imports for this function.
    imports: tuple[str, ...] = ()

    @property
    def sends(self) -> bool:
        """Does it write to streams, so that events are done only when what they sent arrived?"""
        return bool(self._streams)

    @property
    def delivers(self) -> bool:
        """Is there more to an event's end than its answer?"""
        return self.sends or self.function.acknowledges

    @property
    def drivers(self) -> tuple[Driver, ...]:
        """What writes to its streams, each once."""
        used = (driver for stream in self._streams for driver in drivers(*stream))
        return tuple(dict.fromkeys(used))

    @property
    def needs(self) -> tuple[ir.EnvLookup, ...]:
        """The variables that whoever deploys it has to set, as the graph file sets none of them."""
        found: dict[str, str] = {}
        for stream in self._streams:
            found |= variables(*stream)
        if any(trigger.get("password") == GENERATED for trigger in self.function.triggers.values()):
            found["V3IO_ACCESS_KEY"] = V3IO_KEY
        lookups = {
            name: ir.EnvLookup(name, None, True, purpose=what) for name, what in found.items()
        } | {lookup.name: lookup for lookup in self.environment if lookup.required}
        for entry in self.function.settings.spec.get("env", ()):
            lookups.pop(entry["name"], None)
        return tuple(lookups[name] for name in sorted(lookups))

    @property
    def _streams(self) -> list[tuple[Any, dict[str, Any]]]:
        """The paths of its streams, and what their drivers are told besides."""
        others = (self.function.serving.error_stream, self.log_stream)
        return [
            *(
                (made.path, dict(made.options))
                for made in self.makes
                if isinstance(made, MakeQueue)
            ),
            *((path, {}) for path in others if path is not None),
        ]


def show(plan: Plan) -> str:
    """The plan as text, for `graphc dump --stage plan` and the tests."""
    lines = [
        f"plan {plan.function.name}{' async' if plan.is_async else ''}"
        f"{'' if plan.responds else ' no responder'}"
    ]
    for making in plan.makes:
        lines += _show_making(making)
    for method in plan.methods:
        kind = "async method" if method.is_async else "method"
        lines.append(f"  {kind} {method.name}({', '.join(method.takes)})")
        lines += _show_block(method.instructions, "    ")
    return "\n".join(lines) + "\n"


def _show_making(making: Making) -> list[str]:
    match making:
        case MakeStep(attribute=attribute, make=make):
            return [f"  make {attribute} = {_show_make(make)}"]
        case MakeMerge(attribute=attribute, expected=expected):
            own = "" if making.make is None else f" by {_show_make(making.make)}"
            return [f"  make {attribute} = merge of {expected}{own}"]
        case MakeOutlets(attribute=attribute, methods=methods, drops=drops):
            some = "some of" if drops else "some or all of"
            return [f"  make {attribute} = {some} {', '.join(name for name, _ in methods)}"]
        case MakeQueue(attribute=attribute, path=path, sharding=sharding):
            by = f" by {_show_value(sharding)}" if sharding is not None else ""
            through = "".join(f" through {driver.name}" for driver in making.drivers)
            return [f"  make {attribute} = queue {path!r}{by}{through}"]
        case MakeSource(attribute=attribute, path=path, trigger=trigger, alike=alike):
            by = f" by {trigger!r}, not {', '.join(map(repr, alike))}" if alike else ""
            return [f"  make {attribute} = source {path!r}{by}"]
        case MakeRouter():
            kind = f"{making.kind} plain" if making.plain else making.kind
            made = f" = {_show_make(making.make)}" if making.make else ""
            head = f"  make {making.attribute}: {kind} router{made}"
            return [head, *_show_routes(making.routes, "    ")]


def _show_routes(routes: tuple[RouteMade, ...], indent: str) -> list[str]:
    lines = []
    for route in routes:
        made = _show_make(route.make) if route.make else _show_invoke(route.invoke)
        lines += [f"{indent}{route.key} = {made}", *_show_routes(route.routes, indent + "  ")]
    return lines


def _show_make(make: Make) -> str:
    args = [
        *map(repr, make.positional),
        *(f"{key}={_show_value(value)}" for key, value in make.args),
    ]
    how = f"{'start ' if make.starts else ''}{'tracked ' if make.tracked else ''}"
    by = f" by {_show_callee(make.runner)}" if make.runner else ""
    return f"{how}{_show_callee(make.cls)}({', '.join(args)}){by}"


def _show_value(value: Any) -> str:
    return ir.show_target(value) if isinstance(value, ir.Target) else repr(value)


def _show_block(block: tuple[Instruction, ...], indent: str) -> list[str]:
    lines: list[str] = []
    for item in block:
        match item:
            case Try(body=body, catch=catch, tracks=tracks):
                lines.append(f"{indent}try{' tracking' if tracks else ''}")
                lines += _show_block(body, indent + "  ")
                lines.append(f"{indent}catch")
                lines += _show_block(catch, indent + "  ")
            case FromStream(attribute=attribute, block=inner):
                lines.append(f"{indent}from self.{attribute}")
                lines += _show_block(inner, indent + "  ")
            case _:
                lines.append(indent + _show_instruction(item))
    return lines


def _show_instruction(item: Instruction) -> str:
    match item:
        case Call(step=step, invoke=invoke, then=then, any_result=any_result):
            loose = " any" if any_result else ""
            loose += f" at {item.caught_path}" if item.caught_path else ""
            loose += " checked" if item.checked else ""
            return f"{step}: {_show_invoke(invoke)} -> {then}{loose}"
        case Keep(step=step, invoke=invoke):
            return f"{step}: keep if {_show_invoke(invoke)}"
        case Extend(step=step, invoke=invoke):
            return f"{step}: extend by {_show_invoke(invoke)}"
        case Caught(step=step, messages=messages):
            return f"caught {step or '(tracked)'}{' messages' if messages else ''}"
        case Record(step=step, taken=taken):
            return f"record {step or '(tracked)'}{'' if taken else ' and raise'}"
        case FanOut(branches=branches, takes=takes, shared=shared, nested=nested, copies=copies):
            kind = f"{'nested ' if nested else ''}{'shared event' if shared else takes}"
            kind += "" if copies else " without copies"
            return f"fan out {kind} to {', '.join(branches) or 'chosen'}"
        case DropIfFiltered(step=step, result_path=path):
            return f"{step}: drop if filtered{f', else put result at {path}' if path else ''}"
        case Choose(step=step, invoke=invoke, outlets=outlets):
            return f"{step}: choose from self.{outlets} by {_show_invoke(invoke)}"
        case Items(step=step, invoke=invoke):
            return f"{step}: items of {_show_invoke(invoke)}"
        case Each(step=step, invoke=invoke, method=method, takes=takes, events=events):
            of = f" of {_show_invoke(invoke)}" if invoke else ""
            to = f" to {method}({takes})" if method else ""
            at_once = " at once" if item.at_once else ""
            return f"{step}: each {'event' if events else 'item'}{of}{to}{at_once}"
        case Push(step=step, value=value, envelope=envelope):
            return f"{step}: push {'envelope of ' if envelope else ''}{value}"
        case PushEach(step=step, invoke=invoke, push=push):
            of = f" of {_show_invoke(invoke)}" if invoke else ""
            return f"{step}: each item{of}; {_show_instruction(push)}"
        case Send(step=step):
            return f"{step}: send"
        case Gather(merge=merge, branches=branches, then=then):
            return f"{merge}: gather {', '.join(map(_show_callee, branches))} -> {then}"
        case Arrive(step=step):
            return f"{step}: arrive"
        case Goto(method=method, takes=takes):
            return f"go to {method}({takes})"
        case Unwrap(assign=assign, fields=fields):
            return f"unwrap{'' if assign else ' event'}{' with fields' if fields else ''}"
    return {
        CopyEvent: "copy event",
        WriteBody: "event.body = body",
        ReadBody: "body = event.body",
        StopIfTerminated: "stop if terminated",
        Finish: "finish",
        ReturnBody: "return body",
    }[type(item)]


def _show_invoke(invoke: Invoke | None) -> str:
    if invoke is None:
        return "-"
    extras = [
        f"{name}={value}"
        for name in ("input_path", "result_path")
        if (value := getattr(invoke, name)) is not None
    ]
    arguments = [invoke.takes, *(["context"] if invoke.context else []), *extras]
    return (
        f"{'await ' if invoke.awaits else ''}{_show_callee(invoke.callee)}({', '.join(arguments)})"
    )


def _show_callee(callee: Callee) -> str:
    match callee:
        case Member(attribute=attribute, method=method):
            return f"self.{attribute}.{method}"
        case Own(method=method):
            return f"self.{method}"
        case User(symbol=symbol):
            return f"{symbol.module}:{symbol.name}"
        case Library(name=name):
            return name
        case Ours(module=module, name=name):
            return f"runtime_min.{module}.{name}"
        case Formula(inline=inline):
            return ir.show_target(inline)
