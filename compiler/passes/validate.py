"""Refuses what cannot run, and warns of what surprises (spec/serving.md 4, 7, 8, 12).

`validate` looks at a graph as it is written, `validate_functions` at each of its functions alone.
Graphs come out as they went in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .. import ir
from ..diagnostics import Diagnostics, Note, did_you_mean


def validate(graph: ir.Graph, diagnostics: Diagnostics) -> bool:
    """Are there no mistakes in how steps lead to each other? Reports them.

    Where there are, graphs are no work for `validate_functions`.
    """
    for function in graph.functions:
        if isinstance(function.root, ir.Flow):
            _whole_flow(function, function.root, diagnostics)
    return not diagnostics.has_errors


def validate_functions(graph: ir.Graph, diagnostics: Diagnostics) -> None:
    """Reports mistakes and surprises of single functions."""
    for function in graph.functions:
        if isinstance(function.root, ir.Flow):
            if function.root.engine == "sync":
                _chain(function.root, diagnostics)
            _parsed_twice(function, function.root, diagnostics)
            routers = [step for step in function.root.steps if isinstance(step, ir.Router)]
        else:
            routers = [function.root]
        for router in routers:
            _router(router, diagnostics)
        if function.acknowledges:
            _reader(function, diagnostics)


def _reader(function: ir.Function, diagnostics: Diagnostics) -> None:
    """What becomes of events of a stream that fail, or take long (spec/nuclio.md 2.5)."""
    if function.serving.error_stream is None and not _catches_all(function.root):
        diagnostics.warning(
            "GC050",
            f"events of its stream that fail in {function.full_name!r} are logged, and then done",
            function.span,
            help='let them go to a stream, .spec.error_stream = "kafka://broker:9092/failed", '
            "or catch them with .error_handler(...)",
        )
    if limit := function.settings.spec.get("eventTimeout"):
        diagnostics.warning(
            "GC051",
            f"with eventTimeout {limit}, {function.full_name!r} loses events of its stream: "
            "Nuclio ends a worker that waits for a broker, and the next one passes them by",
            function.span,
            help="leave eventTimeout out; a worker that can wait no longer ends by itself",
        )


def _catches_all(root: ir.Flow | ir.Router) -> bool:
    """Does each step's failure go to a step that takes it?"""
    if isinstance(root, ir.Router):
        return False
    failing = [step for step in root.steps if not isinstance(step, ir.Queue)]
    return root.on_error is not None or all(
        step.on_error is not None or (isinstance(step, ir.Task) and step.catcher)
        for step in failing
    )


def _router(router: ir.Router, diagnostics: Diagnostics) -> None:
    if not router.routes:
        diagnostics.error(
            "GC010",
            f"router {router.name!r} has no routes",
            router.span,
            help="add models to it with add_model or add_route",
        )
    for route in router.routes:
        if isinstance(route, ir.Router):
            _router(route, diagnostics)


def _whole_flow(function: ir.Function, flow: ir.Flow, diagnostics: Diagnostics) -> None:
    if not flow.steps:
        diagnostics.error("GC010", "the flow has no steps", flow.span, help="add some with .to()")
        return
    _names(flow, diagnostics)
    if diagnostics.has_errors:
        return
    _loops(flow, diagnostics)
    _responders(flow, diagnostics)
    _functions(function, flow, diagnostics)
    _queues(function, flow, diagnostics)


def _names(flow: ir.Flow, diagnostics: Diagnostics) -> None:
    """Every step that another names is there."""
    known = set(flow.names)

    def check(name: str, what: str, step: ir.Step | ir.Flow) -> None:
        if name not in known:
            diagnostics.error(
                "GC011",
                f"{what}: there is no step named {name!r}",
                step.span,
                help=did_you_mean(name, known)
                or f"add the step, for example add_step(class_name=..., name={name!r}, after='')",
            )

    if flow.on_error is not None:
        check(flow.on_error, "the graph's error handler", flow)
    for step in flow.steps:
        for name in step.after:
            check(name, "after", step)
        if step.on_error is not None:
            check(step.on_error, "error handler", step)
        for name in step.before if isinstance(step, ir.Task) else ():
            check(name, "before", step)
    for step in flow.steps:
        if step.on_error == step.name:
            diagnostics.error("GC013", f"step {step.name!r} handles its own errors", step.span)
        known_catcher = step.on_error is not None and step.on_error in known
        if known_catcher and isinstance(flow.step(str(step.on_error)), ir.Router):
            diagnostics.error("GC010", "a router cannot be an error handler", step.span)


def successors(flow: ir.Flow) -> dict[str, list[str]]:
    """The steps that follow each step, in the order in which they were added (serving.md 4.3)."""
    following: dict[str, list[str]] = {step.name: [] for step in flow.steps}
    for step in flow.steps:
        for name in dict.fromkeys(step.after):
            following[name].append(step.name)
    order = {name: position for position, name in enumerate(flow.names)}
    for step in flow.steps:
        if isinstance(step, ir.Task) and step.before:
            following[step.name] = sorted({*following[step.name], *step.before}, key=order.get)  # type: ignore[arg-type]
    return following


def reached(edges: Mapping[str, Iterable[str]], starts: Iterable[str]) -> set[str]:
    """The steps that edges lead to from some, and these themselves."""
    found = set(starts)
    todo = list(found)
    while todo:
        new = [name for name in edges[todo.pop()] if name not in found]
        found.update(new)
        todo += new
    return found


def starts(flow: ir.Flow) -> list[str]:
    """The steps that get a request first."""
    if flow.entries:
        return list(flow.entries)
    behind = {name for step in flow.steps if isinstance(step, ir.Task) for name in step.before}
    return [
        step.name
        for step in flow.steps
        if not step.after
        and step.name not in behind
        and not (isinstance(step, ir.Task) and step.catcher)
    ]


def _loops(flow: ir.Flow, diagnostics: Diagnostics) -> None:
    """Steps in a circle, catchers' ways included (serving.md Q14)."""
    following = successors(flow)
    edges = {
        step.name: following[step.name] + ([step.on_error] if step.on_error else [])
        for step in flow.steps
    }
    done: set[str] = set()
    for first in flow.names:
        if first in done:
            continue
        path: dict[str, None] = {}
        stack = [(first, iter(edges[first]))]
        path[first] = None
        while stack:
            name, rest = stack[-1]
            following_name = next(rest, None)
            if following_name is None:
                stack.pop()
                path.pop(name)
                done.add(name)
            elif following_name in path:
                names = list(path)
                circle = [*names[names.index(following_name) :], following_name]
                shown = circle if len(circle) <= 8 else [*circle[:4], "...", *circle[-3:]]
                diagnostics.error(
                    "GC013",
                    f"steps follow each other in a circle: {' -> '.join(shown)}",
                    flow.step(following_name).span,
                    help="a flow must end: take one of these edges out",
                )
                return
            elif following_name not in done:
                path[following_name] = None
                stack.append((following_name, iter(edges[following_name])))
    if not starts(flow):
        diagnostics.error("GC013", "the flow has no start: every step follows another", flow.span)


def _responders(flow: ir.Flow, diagnostics: Diagnostics) -> None:
    responders = [step for step in flow.steps if step.responder]
    if len(responders) > 1:
        diagnostics.error(
            "GC014",
            f"more than one step responds: {', '.join(repr(step.name) for step in responders)}",
            responders[1].span,
            notes=[Note("the first one is here", responders[0].span)],
            help="call .respond() on one step",
        )
    following = successors(flow)
    for step in responders:
        if flow.engine == "async" and following[step.name]:
            diagnostics.warning(
                "GC030",
                f"step {step.name!r} does not respond, as {following[step.name][0]!r} follows it; "
                "callers get the event's id, as in MLRun",
                step.span,
                help="call .respond() on the last step",
            )


def _functions(function: ir.Function, flow: ir.Flow, diagnostics: Diagnostics) -> None:
    """Every function that a step names is there, and catchers run where steps fail."""
    known = [child.name for child in function.children]
    for step in flow.steps:
        if step.runs_in in ("", "*", *known):
            continue
        help = did_you_mean(step.runs_in, known)
        if step.runs_in == function.name:
            help = f"leave function= out: that is what runs a step in {function.name!r} itself"
        diagnostics.error(
            "GC011",
            f"step {step.name!r} runs in function {step.runs_in!r}, which is not defined",
            step.span,
            help=help or f'define it: add_child_function({step.runs_in!r}, "file.py", image=...)',
        )
    for step in flow.steps:
        if step.on_error is None or isinstance(step, ir.Queue):
            continue
        catcher = flow.step(step.on_error)
        if catcher.runs_in not in ("", "*", step.runs_in):
            diagnostics.error(
                "GC010",
                f"step {step.name!r} fails in {step.runs_in or function.name!r}, and its error "
                f"handler {catcher.name!r} runs in {catcher.runs_in!r}",
                step.span,
                notes=[Note("the error handler is here", catcher.span)],
                help="leave function= of the error handler out: it runs where the step fails",
            )


def _queues(function: ir.Function, flow: ir.Flow, diagnostics: Diagnostics) -> None:
    """Steps behind a queue run in functions of their own (serving.md 8.1)."""
    following = successors(flow)
    for step in flow.steps:
        if not isinstance(step, ir.Queue):
            continue
        if flow.engine == "async" and _is_url(step.path):
            diagnostics.error(
                "GC010",
                f"queue {step.name!r} writes to a URL, which only flows of the sync engine do",
                step.span,
                help='use engine="sync", or call the URL with a $remote step',
            )
        if flow.engine == "sync" and "columns" in dict(step.options):
            diagnostics.warning(
                "GC032",
                f"columns= of queue {step.name!r} has no effect in a flow of the sync engine, as "
                "in MLRun",
                step.span,
            )
        for name in following[step.name]:
            follower = flow.step(name)
            if follower.runs_in not in ("", "*"):
                continue
            if isinstance(follower, ir.Queue):
                diagnostics.error(
                    "GC010",
                    f"queue {name!r} follows queue {step.name!r}, and no function is between them",
                    follower.span,
                    help="let it follow what the first queue follows",
                )
                continue
            says = "names none" if not follower.runs_in else "names them all"
            diagnostics.error(
                "GC010",
                f"step {name!r} follows queue {step.name!r}, so it runs in a function of its own, "
                f"and {says}",
                follower.span,
                help="name a child function with function=, or let the step follow what the queue "
                "follows",
            )


def _is_url(path: str | ir.EnvLookup | ir.OpenText | None) -> bool:
    """Is it a stream that messages are posted to (mlrun 1.12, HTTPOutputStream)?"""
    start = path.parts[0] if isinstance(path, ir.OpenText) else path
    return isinstance(start, str) and start.startswith(("http://", "https://"))


def _chain(flow: ir.Flow, diagnostics: Diagnostics) -> None:
    """The synchronous engine: one start, one successor each (serving.md 4.2)."""
    first = starts(flow)
    if len(first) > 1:
        diagnostics.error(
            "GC015",
            "the sync engine has one start step; these are "
            + ", ".join(repr(name) for name in first),
            flow.step(first[1]).span,
            help='chain them, or use engine="async"',
        )
    following = successors(flow)
    for step in flow.steps:
        if len(following[step.name]) > 1 or len(step.after) > 1:
            diagnostics.error(
                "GC015",
                f"the sync engine has no branches; there is one at step {step.name!r}",
                step.span,
                help='use engine="async"',
            )


def _parsed_twice(function: ir.Function, flow: ir.Flow, diagnostics: Diagnostics) -> None:
    """The seed's first step: `json.loads` on what is decoded already."""
    if function.parent:
        return
    for name in starts(flow):
        step = flow.step(name)
        if (
            isinstance(step, ir.Task)
            and isinstance(step.function, ir.Dotted)
            and step.function.name == "json.loads"
        ):
            caught = f"end in {step.on_error!r}" if step.on_error else "fail"
            diagnostics.warning(
                "GC031",
                f"step {name!r} parses the body, but a JSON body is parsed already: callers that "
                f"send `Content-Type: application/json`, or none, {caught}",
                step.span,
                help="leave the step out, or have callers send text/plain",
            )
