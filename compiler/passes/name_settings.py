"""Names the environment variables of values that the graph file leaves open.

Before:  route m1: Model(model_path=<train_run.outputs["model"]>)    url=<addr> + "v2/infer"
After:   route m1: Model(model_path=${M1_MODEL_PATH})                url=${SHOP_ADDR} + "v2/infer"

A value that is all of an argument is named after the step and the argument. A part of a text, which
several steps may share, is named after the function and the expression that would have it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, TypeVar

from .. import ir

_LONGEST = 60
#: Arguments whose values are texts whatever they look like.
_TEXTS = frozenset(("model_path", "url", "path", "subpath", "name"))

_Step = TypeVar("_Step", ir.Task, ir.Router, ir.Route)


def name_settings(graph: ir.Graph) -> ir.Graph:
    """The graph with a name for each open value."""
    return replace(
        graph, functions=tuple(_Names(function).function() for function in graph.functions)
    )


class _Names:
    def __init__(self, function: ir.Function) -> None:
        self._function = function
        #: By name, the expression that it stands for; names that the file itself reads are taken.
        self._given: dict[str, str] = {}

    def function(self) -> ir.Function:
        function = self._function
        for step in function.steps:
            for lookup in ir.lookups([*ir.values(step)]):
                self._given.setdefault(lookup.name, "")
        root: ir.Flow | ir.Router
        if isinstance(function.root, ir.Router):
            root = self._router(function.root)
        else:
            root = replace(function.root, steps=tuple(map(self._step, function.root.steps)))
        return replace(
            function,
            root=root,
            serving=self._serving(function.serving, "parameters"),
            children=tuple(
                replace(child, serving=self._serving(child.serving, f"{child.name}_parameters"))
                for child in function.children
            ),
        )

    def _serving(self, serving: ir.Serving, owner: str) -> ir.Serving:
        return replace(serving, parameters=self._args(serving.parameters, owner))

    def _step(self, step: ir.Step) -> ir.Step:
        match step:
            case ir.Router():
                return self._router(step)
            case ir.Queue():
                path = self._value(step.path, (step.name, "path"), True)
                return replace(step, path=path, options=self._args(step.options, step.name))
        return self._named(step, step.name)

    def _router(self, router: ir.Router) -> ir.Router:
        routes = tuple(
            self._router(route) if isinstance(route, ir.Router) else self._named(route, route.key)
            for route in router.routes
        )
        return replace(self._named(router, router.name), routes=routes)

    def _named(self, step: _Step, name: str) -> _Step:
        return replace(step, args=self._args(step.args, name))

    def _args(self, args: ir.Args, owner: str) -> ir.Args:
        return tuple((key, self._value(value, (owner, key), key in _TEXTS)) for key, value in args)

    def _value(self, value: Any, path: tuple[str, ...], is_text: bool) -> Any:
        match value:
            case ir.EnvLookup() if value.opened:
                purpose = f"{'.'.join(path[1:])} of {path[0]}"
                name = self._free("_".join(path), f"{value.opened} {purpose}")
                return replace(value, name=name, as_text=value.as_text or is_text, purpose=purpose)
            case ir.OpenText(parts=parts):
                return ir.OpenText(tuple(map(self._part, parts)))
            case list():
                return [
                    self._value(item, (*path, str(number)), is_text)
                    for number, item in enumerate(value)
                ]
            case tuple():
                return tuple(
                    self._value(item, (*path, str(number)), is_text)
                    for number, item in enumerate(value)
                )
            case dict():
                return {
                    key: self._value(item, (*path, str(key)), is_text)
                    for key, item in value.items()
                }
        return value

    def _part(self, part: str | ir.EnvLookup) -> str | ir.EnvLookup:
        if isinstance(part, str) or not part.opened:
            return part
        name = self._free(f"{self._function.name}_{part.opened}", part.opened)
        return replace(part, name=name)

    def _free(self, wanted: str, stands_for: str) -> str:
        """The variable's name; another one has it only if it stands for the same."""
        base = re.sub(r"\W+", "_", wanted, flags=re.ASCII).strip("_").upper()[:_LONGEST].rstrip("_")
        base = f"SETTING_{base}".rstrip("_") if not base or base[0].isdigit() else base
        name, number = base, 1
        while self._given.get(name, stands_for) != stands_for:
            number += 1
            name = f"{base}_{number}"
        self._given[name] = stands_for
        return name
