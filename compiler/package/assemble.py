"""All files of a dist, as one map of path to bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TypeVar

from .. import ir
from ..builder import HUB_CLASS, HUB_MODULE
from ..codegen.handler import handler_module
from ..codegen.pages import page
from ..codegen.text import one_line
from ..passes.slicing import Slice, module_name
from ..plan import Plan
from ..requirements import requirement_lines
from ..source import SourceTree
from .bundle import Bundled, model_paths
from .function_yaml import function_yaml, parted_commands
from .graph_json import graph_json, graph_md
from .image import image_of
from .source_lines import source_lines
from .vendoring import imported, vendored

_Target = TypeVar("_Target", ir.UserCode, ir.Dotted)

HUB_TARGET = f"{HUB_MODULE}.{HUB_CLASS}"


@dataclass(frozen=True, slots=True)
class Part:
    """What the files of one function are made of."""

    plan: Plan
    slice: Slice
    bundled: Bundled


def assemble(graph: ir.Graph, tree: SourceTree, parts: Mapping[str, Part]) -> dict[str, bytes]:
    """The files of the dist; raises GraphError for what no file can say."""
    files: dict[str, bytes] = {}
    requirements: dict[str, Sequence[str]] = {}
    for name, part in parts.items():
        requirements[name] = _requirements(part)
        for path, data in _function_files(graph, tree, part, requirements[name]).items():
            files[f"{name}/{path}"] = data
    slices = {name: part.slice for name, part in parts.items()}
    files["graph.json"] = graph_json(graph, slices, requirements).encode()
    files["graph.md"] = graph_md(graph).encode()
    files[".gitattributes"] = (
        b"*/runtime_min/** linguist-generated\ngraph.json linguist-generated\n"
    )
    return files


def _function_files(
    graph: ir.Graph, tree: SourceTree, part: Part, requirements: Sequence[str]
) -> dict[str, bytes]:
    function = part.plan.function
    source = one_line(graph.source)

    def module_file(module: str) -> str:
        return HUB_MODULE if module == HUB_MODULE else module_name(tree, module)

    user_modules = {target.symbol.module for target in _targets(function, ir.UserCode)}
    if _uses_hub(function):
        user_modules.add(HUB_MODULE)
    handler = handler_module(part.plan, graph.source, user_modules, module_file)
    own = {file.path for file in part.slice.files}
    handler_name = "handler"
    while f"{handler_name}.py" in own:
        handler_name = f"graph_{handler_name}"

    files: dict[str, bytes] = {f"{handler_name}.py": handler.text.encode()}
    files |= {file.path: file.text.encode() for file in part.slice.files}
    runtime = set(handler.runtime) | part.slice.runtime
    if _uses_hub(function):
        files[f"{HUB_MODULE}.py"] = _hub_text()
        runtime.add("models")
    files |= vendored(runtime)
    files |= source_lines(tree, function, part.slice, f"{handler_name}.py")
    files |= {f"models/{path}": data for path, data in part.bundled.files.items()}
    files["requirements.txt"] = _requirements_text(source, part, requirements).encode()

    image = image_of(function)
    folders = sorted({path.partition("/")[0] for path in files if "/" in path})
    files["function.yaml"] = function_yaml(
        source,
        function,
        f"{handler_name}:handler",
        part.plan.summary,
        part.plan.environment,
        requirements,
        image,
    ).encode()
    before, after = parted_commands(function.settings.commands)
    files["Dockerfile"] = page(
        "Dockerfile.j2",
        source=source,
        image=image,
        before=before,
        after=after,
        folders=folders,
        requirements=requirements,
    ).encode()
    return files


def _targets(function: ir.Function, kind: type[_Target]) -> list[_Target]:
    return [target for target in function.targets if isinstance(target, kind)]


def _requirements(part: Part) -> Sequence[str]:
    function = part.plan.function
    imports = {*part.slice.imports, *part.plan.imports}
    if part.slice.model_spec or model_paths(function):
        imports.add("yaml")  # model_files reads a model_spec.yaml, if it meets one
    if _uses_hub(function):
        imports |= imported(_hub_text())
    return requirement_lines(sorted(imports), function.settings.requirements)


def _uses_hub(function: ir.Function) -> bool:
    return any(target.name == HUB_TARGET for target in _targets(function, ir.Dotted))


def _hub_text() -> bytes:
    return resources.files("graphc.templates").joinpath(f"hub/{HUB_MODULE}.py").read_bytes()


def _requirements_text(source: str, part: Part, lines: Sequence[str]) -> str:
    remarks = []
    if not lines:
        remarks.append("Nothing: the steps use the standard library only.")
    places = [place.file for place in part.slice.unpickles[:1]]
    if _uses_hub(part.plan.function):
        places = [f"{HUB_MODULE}.py"]
    remarks += [
        remark
        for place in places
        for remark in (
            f"Models are unpickled ({one_line(place)}). The packages they need cannot be seen",
            "from here: name them with fn.with_requirements([...]).",
        )
    ]
    return page("requirements.txt.j2", source=source, remarks=remarks, lines=lines)
