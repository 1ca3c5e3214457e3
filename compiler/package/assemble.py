"""All files of a dist, as one map of path to bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .. import ir
from ..builder import HUB_MODULE
from ..codegen.handler import handler_module
from ..codegen.pages import page
from ..codegen.text import one_line
from ..passes.slicing import Slice, module_name
from ..plan import Plan
from ..requirements import Declared, Requirements
from ..source import SourceTree
from .bundle import Bundled
from .data_files import copy_lines
from .function_yaml import function_yaml, parted_commands
from .graph_json import graph_json, graph_md
from .image import image_of
from .requirements_txt import hub_text, requirements_of, requirements_txt, uses_hub
from .source_lines import source_lines
from .vendoring import vendored

_Target = TypeVar("_Target", ir.UserCode, ir.Dotted)


@dataclass(frozen=True, slots=True)
class Part:
    """What the files of one function are made of."""

    plan: Plan
    slice: Slice
    bundled: Bundled
    #: Data files beside modules, by their paths in the package.
    data: Mapping[str, bytes]


def assemble(
    graph: ir.Graph, tree: SourceTree, parts: Mapping[str, Part], declared: Declared
) -> dict[str, bytes]:
    """The files of the dist; raises GraphError for what no file can say."""
    files: dict[str, bytes] = {}
    requirements: dict[str, Sequence[str]] = {}
    for name, part in parts.items():
        found = requirements_of(part.plan, part.slice, declared)
        requirements[name] = found.lines
        for path, data in _function_files(graph, tree, part, found).items():
            files[f"{name}/{path}"] = data
    slices = {name: part.slice for name, part in parts.items()}
    files["graph.json"] = graph_json(graph, slices, requirements).encode()
    files["graph.md"] = graph_md(graph).encode()
    files[".gitattributes"] = (
        b"*/runtime_min/** linguist-generated\ngraph.json linguist-generated\n"
    )
    return files


def _function_files(
    graph: ir.Graph, tree: SourceTree, part: Part, requirements: Requirements
) -> dict[str, bytes]:
    function = part.plan.function
    source = one_line(graph.source)

    def module_file(module: str) -> str:
        return HUB_MODULE if module == HUB_MODULE else module_name(tree, module)

    user_modules = {target.symbol.module for target in _targets(function, ir.UserCode)}
    if uses_hub(function):
        user_modules.add(HUB_MODULE)
    handler = handler_module(part.plan, graph.source, user_modules, module_file)
    own = {file.path for file in part.slice.files}
    handler_name = "handler"
    while f"{handler_name}.py" in own:
        handler_name = f"graph_{handler_name}"

    files = {**part.data, f"{handler_name}.py": handler.text.encode()}
    files |= {file.path: file.text.encode() for file in part.slice.files}
    runtime = set(handler.runtime) | part.slice.runtime
    if uses_hub(function):
        files[f"{HUB_MODULE}.py"] = hub_text()
        runtime.add("models")
    files |= vendored(runtime)
    files |= source_lines(tree, function, part.slice, f"{handler_name}.py")
    files |= {f"models/{path}": data for path, data in part.bundled.files.items()}
    copies = copy_lines(files)
    files["requirements.txt"] = requirements_txt(
        source, part.plan, part.slice, requirements
    ).encode()

    image = image_of(function)
    files["function.yaml"] = function_yaml(
        source,
        function,
        f"{handler_name}:handler",
        part.plan.summary,
        part.plan.needs,
        requirements.lines,
        image,
    ).encode()
    before, after = parted_commands(function.settings.commands)
    files["Dockerfile"] = page(
        "Dockerfile.j2",
        source=source,
        image=image,
        before=before,
        after=after,
        copies=copies,
        requirements=requirements.lines,
    ).encode()
    return files


def _targets(function: ir.Function, kind: type[_Target]) -> list[_Target]:
    return [target for target in function.targets if isinstance(target, kind)]
