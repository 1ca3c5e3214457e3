"""Gives each function that reads streams the triggers that Nuclio reads them with (serving.md 8.5).

Before:  function enrich: reads q: kafka://broker:9092/texts as enrich-consumer-group
After:   the same, with settings whose spec.triggers has a `kafka`

A trigger is that of MLRun's, or for streams that only packages have one of the same kind. It stands
with the triggers that the graph file sets itself, so later stages look in one place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from .. import ir
from ..builder.finished_triggers import finish, open_names, open_remark
from ..builder.stream_triggers import Struct
from ..diagnostics import Diagnostics, GraphError
from .reader_triggers import structure

#: Kinds of which every replica gets every message.
_BROADCAST = ("mqtt",)


def add_triggers(graph: ir.Graph, diagnostics: Diagnostics) -> ir.Graph:
    """The graph with its readers' triggers; what cannot be read that way is reported."""
    functions = tuple(
        _Readers(function, diagnostics).function() if function.reads else function
        for function in graph.functions
    )
    return replace(graph, functions=functions)


class _Readers:
    """The triggers of one function."""

    def __init__(self, function: ir.Function, diagnostics: Diagnostics) -> None:
        self._function = function
        self._diagnostics = diagnostics
        self._triggers: dict[str, Struct] = {}
        self._remarks = dict(function.settings.remarks)

    def function(self) -> ir.Function:
        found = []
        for read in self._function.reads:
            try:
                struct = structure(read)
            except GraphError as exc:
                self._diagnostics.add(exc.diagnostic(read.span))
                continue
            if struct is None:
                self._no_trigger(read)
            else:
                found.append((read, struct))
        names = _names(found)
        for (read, struct), name in zip(found, names, strict=True):
            self._add(read, name, struct)
        settings = self._function.settings
        spec = dict(settings.spec)
        others = {
            name: trigger
            for name, trigger in self._function.triggers.items()
            if name not in self._triggers
        }
        for name in self._function.triggers.keys() - others.keys():
            self._warn(
                f"trigger {name!r} of {self._function.name!r} has no effect: the queue's trigger "
                "has that name, as in MLRun",
                self._function.span,
            )
        spec["triggers"] = {**self._triggers, **others}
        self._set_replicas(spec)
        config = {**settings.config, "spec": spec}
        return replace(
            self._function,
            settings=replace(settings, config=config, remarks=self._remarks),
            reads=_told_apart(self._function.reads, found, names),
        )

    def _add(self, read: ir.Reads, name: str, struct: Struct) -> None:
        finished, what = finish(name, struct), f"the trigger of queue {read.queue!r}"
        for problem in finished.problems:
            report = self._diagnostics.error if problem.is_error else self._diagnostics.warning
            report(
                "GC010" if problem.is_error else "GC032",
                f"{': '.join(filter(None, [what, '.'.join(problem.path[3:])]))} {problem.message}",
                read.span,
                help=problem.help,
            )
        if finished.failed:
            return
        if finished.mode:
            self._warn(
                f"{what} does not have the mode {finished.mode!r}: "
                "the handler acknowledges what it has done",
                read.span,
            )
        names = open_names(finished.struct)
        remarks = [f"Reads the queue {_shown(read.queue)}.", *finished.remarks]
        if names:
            remarks.append(open_remark(names))
            self._warn(
                f"{what} is to be completed where it is deployed: "
                f"function.yaml has ${{{names[0]}}}",
                read.span,
                help=f"build with --env {known[0]}=VALUE, or fill it in there"
                if (known := _open(read))
                else "passwords are not copied: fill it in there",
            )
        self._triggers[name] = finished.struct
        self._remarks["spec", "triggers", name] = tuple(remarks)

    def _no_trigger(self, read: ir.Reads) -> None:
        shown = ir.show_value(read.path)
        unset = _open(read)
        if isinstance(read.path, str) and read.path.startswith(("http://", "https://")):
            return  # messages are requests: the HTTP trigger has them
        self._warn(
            f"nothing of Nuclio's reads the stream {shown} of queue {read.queue!r}, so "
            f"{self._function.name!r} gets its events under graphc serve alone",
            read.span,
            help=f"build with --env {unset[0]}=kafka://..." if unset else "",
        )

    def _set_replicas(self, spec: dict[str, Any]) -> None:
        """A V3IO stream has as many readers as shards; of what all replicas get there is one."""
        kinds = [trigger["kind"] for trigger in self._triggers.values()]
        wanted = None
        if "v3ioStream" in kinds:
            shards = [_shards(read, self._diagnostics) for read in self._function.reads]
            wanted, why = max(shards), "As many replicas as the stream has shards."
        elif any(kind in _BROADCAST for kind in kinds):
            wanted, why = 1, "One replica: each would get every message."
        if wanted is None:
            return
        given = {spec[key] for key in ("minReplicas", "maxReplicas") if key in spec}
        if given - {wanted}:
            self._warn(
                f"{self._function.name!r} has {wanted} replicas, because of the stream that it "
                "reads: what the file says has no effect",
                self._function.reads[0].span,
            )
        spec["minReplicas"] = spec["maxReplicas"] = wanted
        self._remarks["spec", "minReplicas"] = (why,)

    def _warn(self, message: str, where: Any, help: str = "") -> None:
        self._diagnostics.warning("GC032", message, where, help=help)


def _names(found: Sequence[tuple[ir.Reads, Struct]]) -> list[str]:
    """MLRun's names of triggers; where there are several of a kind, with the queue's behind it."""
    usual = {"kafka-cluster": "kafka", "v3ioStream": "stream", "rabbit-mq": "rabbitmq"}
    kinds = [struct["kind"] for _, struct in found]
    counted = Counter(kinds)
    names: list[str] = []
    for (read, _), kind in zip(found, kinds, strict=True):
        name = usual.get(kind, kind)
        if counted[kind] > 1:
            slug = re.sub(r"[^A-Za-z0-9]+", "-", read.queue).strip("-")[:40]
            name = f"{name}-{slug}".rstrip("-")
        number, base = 2, name
        while name in names:
            name = f"{base}-{number}"
            number += 1
        names.append(name)
    return names


def _told_apart(
    reads: Sequence[ir.Reads], found: Sequence[tuple[ir.Reads, Struct]], names: Sequence[str]
) -> tuple[ir.Reads, ...]:
    """The streams with their triggers, and with those that only the trigger's name tells apart."""
    streams = {name: _event_names(struct) for (_, struct), name in zip(found, names, strict=True)}
    triggers = {read.queue: name for (read, _), name in zip(found, names, strict=True)}
    made = []
    for read in reads:
        if trigger := triggers.get(read.queue):
            alike = (name for name in names if name != trigger and streams[name] & streams[trigger])
            read = replace(read, trigger=trigger, alike=tuple(alike))
        made.append(read)
    return tuple(made)


def _event_names(struct: Struct) -> set[str]:
    """What a stream's events may have as its name, where runtime_min's `sources` looks."""
    attributes = struct["attributes"]
    match struct["kind"]:
        case "v3ioStream":
            path = attributes["streamPath"]
            return {path, f"{attributes['containerName']}/{path}"}
        case "mqtt":
            return {each["topic"] for each in attributes["subscriptions"]}
        case "rabbit-mq":
            exchange, keys = attributes["exchangeName"], attributes.get("topics", ())
            return {attributes.get("queueName", ""), *(f"{exchange}/{key}" for key in keys)} - {""}
        case "nats":
            return {attributes["topic"]}
    return {*attributes["topics"]}


def _open(read: ir.Reads) -> list[str]:
    """The names of variables that stand in the trigger."""
    values = [read.path, *(value for _, value in read.options), *read.trigger_args.values()]
    return [
        lookup.name for value in values for lookup in ir.lookups(value) if lookup.default is None
    ]


def _shards(read: ir.Reads, diagnostics: Diagnostics) -> int:
    shards = read.shards or 1
    if type(shards) is not int or shards < 1:
        diagnostics.error("GC010", "shards must be a whole number from 1", read.span)
        return 1
    return shards


def _shown(name: str) -> str:
    """A queue's name in a comment of one line."""
    return re.sub(r"[^\x20-\x7e]", "?", name)
