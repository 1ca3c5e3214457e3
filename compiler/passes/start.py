"""What a flow makes at start, and what its objects and methods are called.

In: a flow and its topology. Out: a `Start`, before it is known what happens to an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .. import ir
from ..identifiers import Names, snake_case
from ..plan import MakeMerge, MakeOutlets, MakeQueue, MakeSource, MakeStep, Making
from .facts import FunctionFacts
from .routers import router_making
from .topology import Topology, expected_parts


@dataclass(frozen=True, slots=True)
class Start:
    """What is made, in order, and names of attributes and methods."""

    makes: tuple[Making, ...]
    #: By step: the attribute that its object has.
    attributes: Mapping[str, str]
    #: By step that begins one: the method.
    methods: Mapping[str, str]
    #: By step: the attribute of what it chooses from.
    outlets: Mapping[str, str]
    #: By step: the method for what becomes of its items, where these go several ways.
    item_methods: Mapping[str, str]
    #: By queue: the attribute of a stream whose events have a way of their own.
    sources: Mapping[str, str]


def start(flow: ir.Flow, facts: FunctionFacts, topology: Topology) -> Start:
    """What the generated class of a flow makes."""
    return _Starting(flow, facts, topology).start()


class _Starting:
    def __init__(self, flow: ir.Flow, facts: FunctionFacts, topology: Topology) -> None:
        self._flow = flow
        self._facts = facts
        self._topology = topology
        self._names = Names({"run", "context", "self"})
        self._makes: list[Making] = []
        self._attributes: dict[str, str] = {}
        self._methods: dict[str, str] = {}
        self._outlets: dict[str, str] = {}
        self._item_methods: dict[str, str] = {}

    def start(self) -> Start:
        for step in self._flow.steps:
            making = self._making(step)
            if making is not None:
                self._attributes[step.name] = making.attribute
                self._makes.append(making)
        for head in self._topology.heads:
            self._methods[head] = self._names.give(f"run_{snake_case(head)}")
        for step in self._flow.steps:
            self._make_outlets(step)
        sources = {read.queue: self._make_source(read) for read in self._topology.sources}
        return Start(
            tuple(self._makes),
            self._attributes,
            self._methods,
            self._outlets,
            self._item_methods,
            sources,
        )

    def _making(self, step: ir.Step) -> Making | None:
        """The object of a step, if it has one."""
        facts = self._facts.steps[step.name]
        if isinstance(step, ir.Router):
            return self._router(step)
        if isinstance(step, ir.Queue):
            return None if step.path is None else self._queue(step, step.path)
        if facts.merges:
            return self._merge(step) if self._topology.joins(step.name) else None
        if facts.make is not None:
            return MakeStep(self._names.give(snake_case(step.name)), facts.make)
        return None

    def _router(self, step: ir.Router) -> Making:
        ends = not (self._flow.engine == "sync" and self._topology.following[step.name])
        return router_making(
            step,
            self._facts,
            self._names,
            attribute=snake_case(step.name, "router"),
            root=False,
            written_out=self._topology.alone_with_ends(step.name) and ends,
        )

    def _queue(self, step: ir.Queue, path: str | ir.EnvLookup | ir.OpenText) -> Making:
        options = step.options
        if self._flow.engine == "sync":  # its queues send whole bodies (serving.md 8.3)
            options = tuple(item for item in options if item[0] not in ir.COLUMNS)
        attribute = self._names.give(snake_case(step.name, "queue"))
        return MakeQueue(attribute, path, step.sharding, options)

    def _merge(self, step: ir.Task) -> Making:
        facts, args = self._facts.steps[step.name], dict(step.args)
        return MakeMerge(
            step.name,
            self._names.give(snake_case(step.name, "merge")),
            expected_parts(step),
            args.get("key_path") or args.get("_key_path"),
            args.get("max_behind"),
            bool(step.full_event),
            facts.by_id,
            facts.make,
        )

    def _make_outlets(self, step: ir.Step) -> None:
        """What a step chooses from, and the method where its items go several ways."""
        facts = self._facts.steps[step.name]
        following = self._topology.following[step.name]
        if facts.result == "items" and (len(following) > 1 or (following and facts.selects)):
            method = self._names.give(f"run_items_of_{snake_case(step.name)}")
            self._item_methods[step.name] = method
        if following and (facts.selects is not None or facts.result == "outlets"):
            attribute = self._names.give(f"{snake_case(step.name)}_outlets")
            self._outlets[step.name] = attribute
            methods = tuple((name, self._methods[name]) for name in following)
            drops = facts.result == "outlets"
            self._makes.append(MakeOutlets(step.name, attribute, methods, drops))

    def _make_source(self, read: ir.Reads) -> str:
        attribute = self._names.give(snake_case(read.queue, "source"))
        self._makes.append(MakeSource(attribute, read.path, read.trigger, read.alike))
        return attribute
