"""Gives each function container the steps of the graph that run in it (spec/serving.md 8.2).

Before:  function nlp: a; queue q after=a; b in=enrich after=q; child enrich
After:   function nlp: a; queue q read after=a
         function enrich of nlp: reads q -> b; flow from b: b

A function runs the steps that name it (the root those that name none) as far as they follow each
other without a stream in between; behind a stream a function begins that reads it. Later passes see
single functions only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from .. import ir
from ..builder.mistakes import normal_name
from ..diagnostics import Diagnostics, Note
from .validate import reached, starts, successors


def partition(graph: ir.Graph, diagnostics: Diagnostics) -> ir.Graph:
    """A function for each container, a child behind its parent; a flow with mistakes is left out.

    Ways that no event can go are reported.
    """
    functions: list[ir.Function] = []
    taken = {function.name for function in graph.functions}
    for function in graph.functions:
        if isinstance(function.root, ir.Router) or not _is_divided(function):
            _unused(function.children, diagnostics)
            functions.append(replace(function, children=()))
        elif not diagnostics.has_errors:
            functions += _Division(function, function.root, taken, diagnostics).functions()
    return replace(graph, functions=tuple(functions))


def only(graph: ir.Graph, names: Sequence[str]) -> ir.Graph:
    """The graph with the functions of these names, as folders or as deployed; all without any."""
    chosen = [normal_name(name) for name in names]
    if not chosen:
        return graph
    kept = (each for each in graph.functions if {each.name, each.full_name} & {*chosen})
    return replace(graph, functions=tuple(kept))


def _is_divided(function: ir.Function) -> bool:
    return any(step.runs_in for step in function.steps)


def _unused(children: Iterable[ir.Child], diagnostics: Diagnostics) -> None:
    for child in children:
        diagnostics.warning(
            "GC039",
            f"no step runs in child function {child.name!r}, so there is no package for it",
            child.span,
            help=f"name it in steps with function={child.name!r}, or take it out",
        )


class _Division:
    """The functions of one flow."""

    def __init__(
        self, function: ir.Function, flow: ir.Flow, taken: set[str], diagnostics: Diagnostics
    ) -> None:
        self._function = function
        self._flow = flow
        self._taken = taken
        self._diagnostics = diagnostics
        self._starts = starts(flow)
        self._following = successors(flow)
        self._along = self._go_along()

    def functions(self) -> list[ir.Function]:
        """The root and its children; reports what no event reaches."""
        function = self._function
        used = {step.runs_in for step in self._flow.steps}
        children = [child for child in function.children if child.name in used]
        _unused([one for one in function.children if one.name not in used], self._diagnostics)
        local = {"": self._local("", [name for name in self._starts if self._runs_in(name, "")])}
        made = [replace(function, root=self._flow_of("", local[""], ()), children=())]
        for child in children:
            reads = self._reads(child.name)
            entries = self._entries(child.name, reads)
            behind = [name for read in reads for name in read.steps]
            if not entries:
                self._diagnostics.error(
                    "GC010",
                    f"no event reaches a step of function {child.name!r}",
                    child.span,
                    help="put a queue with a path in front of its first step",
                )
                continue
            found = self._local(child.name, [*entries, *behind])
            name = self._folder(child)
            local[child.name] = found
            made.append(
                ir.Function(
                    name=name,
                    span=child.span,
                    root=self._flow_of(child.name, found, entries),
                    code=child.code,
                    project=function.project,
                    tag=function.tag,
                    serving=child.serving,
                    settings=child.settings,
                    parent=function.name,
                    current=child.name,
                    deployed_as=f"{function.name}-{normal_name(child.name)}",
                    reads=reads,
                )
            )
        self._report_roots(local[""])
        self._report_gaps(local)
        self._report_uncaught(local)
        for part in made:
            _report_loops(part, self._diagnostics)
        return made

    def _folder(self, child: ir.Child) -> str:
        """Its own name, or the one that it is deployed as where another function has that."""
        short = normal_name(child.name)
        for name in (short, f"{self._function.name}-{short}"):
            if name not in self._taken:
                self._taken.add(name)
                return name
        self._diagnostics.error(
            "GC018", f"there is a function of the name {short!r} already", child.span
        )
        return short

    # -- which steps

    def _runs_in(self, name: str, function: str) -> bool:
        """Is the step one of this function's? Queues are written wherever events reach them."""
        step = self._flow.step(name)
        return (
            isinstance(step, ir.Queue)
            or step.runs_in in (function, "*")
            or (not step.runs_in and name in self._along)
        )

    def _go_along(self) -> set[str]:
        """Catchers that name no function, and what only they lead to: they run where it fails.

        In MLRun 1.12 they catch nothing in child functions (serving.md Q15).
        """
        named = {step.on_error for step in self._flow.steps} | {self._flow.on_error}
        catchers = {name for name in named if name and not self._flow.step(name).runs_in}
        return reached(self._following, catchers) - reached(self._following, self._starts)

    def _local(self, function: str, entries: Iterable[str]) -> set[str]:
        """The steps that events reach in a function, catchers and what follows them included."""
        found: set[str] = set()
        todo = list(entries)
        while todo:
            name = todo.pop()
            if name in found:
                continue
            found.add(name)
            todo += [next for next in self._next(name, function) if next not in found]
            catchers = [self._flow.step(name).on_error, self._flow.on_error]
            todo += [name for name in catchers if name and self._runs_in(name, function)]
        return found

    def _next(self, name: str, function: str) -> Iterator[str]:
        """The steps of the function that get the event behind a step of its.

        The synchronous engine passes by the steps of others (mlrun 1.12, `TaskStep.run`).
        """
        if _is_stream(self._flow.step(name)):
            return
        for next in self._following[name]:
            if self._runs_in(next, function):
                yield next
            elif self._flow.engine == "sync":
                yield from self._next(next, function)

    def _entries(self, function: str, reads: Sequence[ir.Reads]) -> tuple[str, ...]:
        """Where requests begin: the first of the function that each start leads to.

        Where a stream leads to it, they begin where the stream's events do.
        """
        found: dict[str, None] = {}
        for start in self._starts:
            first = self._first(start, function, set())
            if first is not None:
                together = next((read.steps for read in reads if first in read.steps), (first,))
                found |= dict.fromkeys(together)
        # What only failures lead to begins behind its stream.
        return tuple(found) or next((read.steps for read in reads), ())

    def _first(self, name: str, function: str, seen: set[str]) -> str | None:
        todo = [name]
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            if self._flow.step(name).runs_in == function:
                return name
            todo += reversed(self._following[name])
        return None

    def _reads(self, function: str) -> tuple[ir.Reads, ...]:
        """The streams behind which steps of the function stand; of one stream they all read."""
        found: dict[object, ir.Reads] = {}
        for queue in self._flow.steps:
            if not isinstance(queue, ir.Queue) or queue.path is None:
                continue
            behind = tuple(
                name
                for name in self._following[queue.name]
                if self._flow.step(name).runs_in == function
            )
            if not behind:
                continue
            key = ir.show_value(queue.path)
            if (other := found.get(key)) is not None:
                found[key] = replace(other, steps=tuple(dict.fromkeys((*other.steps, *behind))))
                continue
            found[key] = ir.Reads(
                queue=queue.name,
                span=queue.span,
                path=queue.path,
                group=queue.group or f"{function}-consumer-group",
                steps=behind,
                shards=queue.shards,
                trigger_args=queue.trigger_args,
                options=queue.options,
                envelope=queue.full_event is not False,
            )
        return tuple(found.values())

    # -- what becomes of them

    def _flow_of(self, function: str, local: set[str], entries: tuple[str, ...]) -> ir.Flow:
        after: dict[str, list[str]] = {name: [] for name in local}
        for name in self._flow.names:
            for next in self._next(name, function) if name in local else ():
                after[next].append(name)
        steps = tuple(
            self._step(self._flow.step(name), after[name], local)
            for name in self._flow.names
            if name in local
        )
        on_error = self._flow.on_error if self._flow.on_error in local else None
        return replace(self._flow, steps=steps, on_error=on_error, entries=entries)

    def _step(self, step: ir.Step, after: list[str], local: set[str]) -> ir.Step:
        # What a catcher goes before follows it without naming it.
        kept = tuple(
            name for name in after if name in step.after or step.name not in self._before(name)
        )
        on_error = step.on_error if step.on_error in local else None
        if isinstance(step, ir.Task) and len(kept) < len(step.after) and _is_merge(step):
            self._diagnostics.error(
                "GC016",
                f"graphc does not compile a Merge of what comes from streams: {step.name!r}",
                step.span,
                help="let it follow steps of its own function only",
            )
        # A responder that anything follows is none, wherever that runs (serving.md Q6).
        if not isinstance(step, ir.Queue) and step.responder and self._flow.engine == "async":
            step = replace(step, responder=not self._following[step.name])
        step = replace(step, after=kept, on_error=on_error, runs_in="")
        if isinstance(step, ir.Queue):
            behind = (self._flow.step(name).runs_in for name in self._following[step.name])
            return replace(step, readers=tuple(dict.fromkeys(behind)))
        if isinstance(step, ir.Task):
            return replace(step, before=tuple(name for name in step.before if name in local))
        return step

    def _before(self, name: str) -> Sequence[str]:
        step = self._flow.step(name)
        return step.before if isinstance(step, ir.Task) else ()

    # -- what no event reaches

    def _report_roots(self, local: set[str]) -> None:
        for name in self._starts:
            step = self._flow.step(name)
            if name in local:
                continue
            self._diagnostics.error(
                "GC010",
                f"step {name!r} gets the requests first, so it runs in {self._function.name!r}; "
                f"it says function={step.runs_in!r}",
                step.span,
                help="leave function= out, or let it follow a queue",
            )

    def _report_gaps(self, local: Mapping[str, set[str]]) -> None:
        """Steps that follow one of another function without a stream between (serving.md 8.2)."""
        for name in self._flow.names:
            step = self._flow.step(name)
            if _is_stream(step):
                continue
            places = [function for function, names in local.items() if name in names]
            for next in self._following[name]:
                if any(next in local[place] for place in places):
                    continue
                follower = self._flow.step(next)
                names = [repr(place or self._function.name) for place in places]
                if isinstance(step, ir.Queue):
                    here = f"queue {name!r}, which has no path"
                else:
                    here = f"{name!r}, which runs in {' and '.join(names) or 'no function'}"
                there = follower.runs_in or self._function.name
                self._diagnostics.warning(
                    "GC039",
                    f"no event gets from {here}, to {next!r}, which runs in {there!r}",
                    follower.span,
                    notes=[Note(f"{name!r} stands here", step.span)],
                    help="put a queue with a path between them"
                    + ("" if follower.runs_in else ", or name the function with function="),
                )

    def _report_uncaught(self, local: Mapping[str, set[str]]) -> None:
        """Functions whose failures the graph's own catcher does not get (serving.md Q15)."""
        if self._flow.on_error is None:
            return
        catcher = self._flow.step(self._flow.on_error)
        behind = reached(self._following, [catcher.name])
        uncaught = [
            function or self._function.name
            for function, names in local.items()
            if catcher.name not in names
            and any(self._is_caught_by_none(name) for name in names - behind)
        ]
        if uncaught:
            self._diagnostics.warning(
                "GC039",
                f"what fails in {' and '.join(map(repr, uncaught))} does not get to the graph's "
                f"error handler {catcher.name!r}, which runs in "
                f"{catcher.runs_in or self._function.name!r}",
                catcher.span,
                help="leave function= of the error handler out: it runs where a step fails"
                if catcher.runs_in
                else "let the error handler follow no step: then it runs where one fails",
            )

    def _is_caught_by_none(self, name: str) -> bool:
        step = self._flow.step(name)
        return (
            not isinstance(step, ir.Queue)
            and step.on_error is None
            and not (isinstance(step, ir.Task) and step.catcher)
        )


def _is_merge(step: ir.Task) -> bool:
    named = step.cls.text if isinstance(step.cls, ir.Named) else ""
    named = step.cls.name if isinstance(step.cls, ir.Dotted) else named
    return named.rpartition(".")[2] == "Merge"


def _is_stream(step: ir.Step) -> bool:
    """Does the event end here, and go on in whoever reads the stream?"""
    return isinstance(step, ir.Queue) and step.path is not None


def _report_loops(function: ir.Function, diagnostics: Diagnostics) -> None:
    """A function that writes what it reads goes round for ever."""
    for read in function.reads:
        for step in function.steps:
            if isinstance(step, ir.Queue) and step.path is not None and step.path == read.path:
                diagnostics.warning(
                    "GC037",
                    f"function {function.current!r} writes the stream that it reads, "
                    f"{ir.show_value(read.path)}: what it writes comes back to it",
                    step.span,
                    notes=[Note(f"it reads the stream behind queue {read.queue!r}", read.span)],
                    help="give the results a stream of their own",
                )
