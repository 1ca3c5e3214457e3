"""The values that a graph file leaves open: for the report of a build, and for `graphc params`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

import yaml

from . import ir
from .diagnostics import Diagnostics, Span


@dataclass(frozen=True, slots=True)
class OpenValue:
    """A value that becomes a variable of a function's package."""

    function: str
    lookup: ir.EnvLookup

    @property
    def option(self) -> str:
        """The option of a build that gives the value."""
        if self.lookup.opened:
            return f"--set {shlex.quote(f'{self.lookup.opened}=VALUE')}"
        return f"--env {shlex.quote(f'{self.lookup.name}=VALUE')}"

    @property
    def said(self) -> str:
        """One line about it."""
        lookup = self.lookup
        if lookup.purpose and not lookup.opened:
            return f"{lookup.name}, {lookup.purpose}"
        purpose = f" ({lookup.purpose}, `{lookup.opened}`)" if lookup.purpose else ""
        part = f" (`{lookup.opened}`)" if lookup.opened and not purpose else ""
        return f"{lookup.name}{purpose or part}: {self.option} gives it now"


def open_values(graph: ir.Graph) -> list[OpenValue]:
    """What packages need from their environment, by function and name."""
    found: dict[tuple[str, str], OpenValue] = {}
    for function in graph.functions:
        values = [value for _, value in function.serving.parameters]
        values.append(function.serving.error_stream)
        for step in function.steps:
            values += ir.values(step)
        for lookup in ir.lookups(values):
            if lookup.required:
                found.setdefault((function.name, lookup.name), OpenValue(function.name, lookup))
    return [found[key] for key in sorted(found)]


def values_file(graph: ir.Graph | None, diagnostics: Diagnostics, source: str) -> str:
    """The open values as a file for `--values`, ready to be filled in."""
    entries: dict[str, list[str]] = {}
    variables: list[str] = []
    for found in diagnostics:
        if found.value:
            what = "decides what the graph is" if found.code == "GC006" else "part of the graph"
            entries.setdefault(found.value, []).append(f"{_place(found.span)}{what}; must be given")
    for value in open_values(graph) if graph is not None else ():
        lookup = value.lookup
        if not lookup.opened:
            variables.append(f"{lookup.name}, which the package of {value.function} reads")
            continue
        what = lookup.purpose or "part of a text"
        entries.setdefault(lookup.opened, []).append(
            f"{_place(lookup.span)}{what}; left open, the package of {value.function} reads "
            f"{lookup.name}"
        )
    lines = [
        f"# Values that {source} leaves open. Fill in what you know, and build with --values and",
        "# this file. A key without a value stays open.",
    ]
    if not entries and not variables:
        return f"# {source} leaves no values open.\n"
    for expression, remarks in entries.items():
        lines += ["", *(f"# {_line(remark)}" for remark in dict.fromkeys(remarks))]
        lines.append(f"{_key(expression)}:")
    if variables:
        lines += ["", "# From the environment (at build: --env NAME=VALUE):"]
        lines += [f"# {_line(remark)}" for remark in dict.fromkeys(variables)]
    return "\n".join(lines) + "\n"


def _place(span: Span | None) -> str:
    return f"{span}: " if span is not None else ""


def _line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _key(expression: str) -> str:
    """The expression as a key of YAML."""
    text = yaml.safe_dump(
        {expression: None}, default_flow_style=False, allow_unicode=True, width=10_000
    )
    return text.rstrip().removesuffix("null").rstrip().removesuffix(":")


def counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def compiled(function: ir.Function) -> str:
    """What was compiled, in a few words: `4 steps, 3 models`."""
    routes = sum(isinstance(part, ir.Route) for step in function.steps for part in ir.parts(step))
    parts: Iterable[str] = ()
    if isinstance(function.root, ir.Flow):
        parts = [counted(len(function.root.steps), "step")]
    return ", ".join([*parts, *([counted(routes, "route")] if routes else [])])
