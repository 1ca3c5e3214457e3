"""A function in a few words: the sentence and the picture on top of its handler."""

from __future__ import annotations

import re
import textwrap

from .. import ir
from .validate import starts, successors

_WIDTH = 84
#: Steps of one way that a reader wants to see; of longer ones the middle is left out.
_LONGEST = 40


def summary(function: ir.Function) -> str:
    """What the function is: `a flow that answers what `final` returns`."""
    root = function.root
    if isinstance(root, ir.Router):
        if isinstance(root.cls, ir.Dotted) and root.cls.name.endswith(".ModelRouter"):
            return "a router; the model that the path names answers"
        if isinstance(root.cls, ir.Dotted) and root.cls.name.endswith(".VotingEnsemble"):
            return "an ensemble; the models vote, or the one that the path names answers"
        return f"a router; {class_name(root.cls)} decides which route answers"
    answer = _answer(root)
    if function.reads:
        streams = [stream_name(read) for read in function.reads]
        if len(streams) > 1:
            streams = [", ".join(read.queue for read in function.reads)]
        behind = f"a flow behind the stream{'s' if len(function.reads) > 1 else ''} {streams[0]}"
        return f"{behind}; requests get {answer}" if answer else behind
    if answer:
        return f"a flow that answers {answer}"
    return "a flow that answers with the event's id, as no step responds"


def _answer(flow: ir.Flow) -> str:
    """What of a flow answers a request; "" where it is the event's id."""
    if flow.engine == "sync":
        return "what its last step returns"
    following = successors(flow)
    for step in flow.steps:
        if step.responder and not following[step.name]:
            return f"what `{step.name}` returns"
    return ""


def picture(function: ir.Function) -> tuple[str, ...]:
    """The ways of an event, a line each, wrapped where they are long."""
    root = function.root
    if isinstance(root, ir.Router):
        prefix = dict(root.args).get("url_prefix", "/v2/models")
        keys = " | ".join(_word(route) for route in root.routes)
        lines = [f"{prefix}/{{model}}/{{operation}} -> {keys} -> answer"]
        if isinstance(root.cls, ir.Dotted) and root.cls.name.endswith(".VotingEnsemble"):
            lines.append(f"{prefix}/{{operation}} -> vote of {keys} -> answer")
    else:
        lines = _flow(root, function.reads)
    return tuple(part for line in lines for part in _wrapped(line))


def class_name(target: ir.Target | None) -> str:
    """A class's name without its module."""
    match target:
        case ir.UserCode(symbol=symbol):
            return symbol.name
        case ir.Dotted(name=name):
            return name.rpartition(".")[2]
    return ""


def stream_name(queue: ir.Queue | ir.Reads) -> str:
    """The stream of a queue, as the graph spells it, but for a password in it."""
    path = queue.path if isinstance(queue.path, str) else ir.show_value(queue.path)
    return re.sub(r"(?<=://)([^/@:\s]*):[^/@\s]*@", r"\1:***@", path)


def _flow(flow: ir.Flow, reads: tuple[ir.Reads, ...]) -> list[str]:
    following = successors(flow)
    preceding: dict[str, int] = {}
    for names in following.values():
        for name in names:
            preceding[name] = preceding.get(name, 0) + 1
    lines: list[str] = []
    requested, from_streams = starts(flow), [read for read in reads if len(read.steps) > 1]
    first = list(dict.fromkeys([*requested, *(name for read in reads for name in read.steps)]))
    lines += [f"{read.queue} => {', '.join(read.steps)}" for read in from_streams]
    if len(requested) > 1 and requested not in [[*read.steps] for read in reads]:
        lines.append(f"request -> {', '.join(requested)}")
    sources: dict[str, list[str]] = {}
    for read in reads:
        if len(read.steps) == 1:
            sources.setdefault(read.steps[0], []).append(read.queue)
    catchers: dict[str, list[str]] = {}
    for step in flow.steps:
        if step.on_error is not None:
            catchers.setdefault(step.on_error, []).append(step.name)
    if flow.on_error is not None:
        catchers.setdefault(flow.on_error, []).insert(0, left_to_graph(flow))
    todo = [*first]
    seen: set[str] = set()
    while todo:
        name = todo.pop(0)
        if name in seen:
            continue
        seen.add(name)
        line, more = _line(flow, name, following, preceding)
        lines.append(f"{', '.join(sources[name])} => {line}" if name in sources else line)
        todo = [*more, *todo]
    for catcher, users in catchers.items():
        line, more = _line(flow, catcher, following, preceding)
        lines.append(f"{', '.join(users)} failed -> {line}")
        for name in more:
            if name not in seen:
                seen.add(name)
                lines.append(_line(flow, name, following, preceding)[0])
    lines += [
        f"{step.name} dropped -> 204" for step in flow.steps if ir.library(step) == "storey.Filter"
    ]
    return lines


def _line(
    flow: ir.Flow, name: str, following: dict[str, list[str]], preceding: dict[str, int]
) -> tuple[str, list[str]]:
    """One way as far as it neither parts nor meets another, and where it goes on."""
    words = [_word(flow.step(name))]
    while True:
        after = following[name]
        if len(after) != 1:
            if after:
                words.append(", ".join(after))
            elif _answers(flow, name):
                words.append("answer")
            return " -> ".join(words), after
        (name,) = after
        if preceding.get(name, 0) > 1:
            words.append(name)
            return " -> ".join(words), after
        words.append(_word(flow.step(name)))


def _answers(flow: ir.Flow, name: str) -> bool:
    step = flow.step(name)
    if isinstance(step, ir.Queue):
        return False
    if flow.engine == "sync":
        return True
    has_responder = any(other.responder for other in flow.steps)
    return step.responder or (has_responder and isinstance(step, ir.Task) and step.catcher)


def _word(step: ir.Step | ir.Route) -> str:
    if isinstance(step, ir.Queue):
        stream = f" >> {stream_name(step)}" if step.path is not None else ""
        readers = f" => {', '.join(step.readers)}" if stream and step.readers else ""
        return f"{step.name}{stream}{readers}"
    if isinstance(step, ir.Router):
        return f"{step.name} ({', '.join(_word(route) for route in step.routes)})"
    return step.key if isinstance(step, ir.Route) else step.name


def _wrapped(line: str) -> list[str]:
    words = line.split(" -> ")
    if len(words) > _LONGEST:
        line = " -> ".join([*words[: _LONGEST // 2], "...", *words[-_LONGEST // 2 :]])
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )


def left_to_graph(flow: ir.Flow) -> str:
    """Whose failures the graph's own catcher takes, in words."""
    others = any(step.on_error not in (None, flow.on_error) for step in flow.steps)
    return "any other step" if others else "any step"
