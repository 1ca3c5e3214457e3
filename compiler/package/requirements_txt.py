"""requirements.txt of a function, and the facts that go into it."""

from __future__ import annotations

import textwrap
from importlib import resources

from .. import ir
from ..builder import HUB_CLASS, HUB_MODULE
from ..codegen.pages import page
from ..codegen.text import one_line
from ..passes.slicing import Slice
from ..plan import Plan
from ..requirements import Declared, Need, Requirements, requirements
from .bundle import model_paths
from .vendoring import imported

HUB_TARGET = f"{HUB_MODULE}.{HUB_CLASS}"

_WIDTH = 86  # with the `# ` before it as black has it


def requirements_of(plan: Plan, code: Slice, declared: Declared) -> Requirements:
    """What pip has to install for a function."""
    function = plan.function
    needs = {name: Need(name, span, name in code.optional) for name, span in code.imports.items()}
    others = set(plan.imports)
    if code.model_spec or model_paths(function):
        others.add("yaml")  # model_files reads a model_spec.yaml, if it meets one
    if uses_hub(function):
        others |= imported(hub_text())
    needs |= {name: Need(name) for name in others}
    for driver in plan.drivers:
        if driver.client and driver.client not in needs:
            needs[driver.client] = Need(driver.client, version=driver.version)
    return requirements(
        [needs[name] for name in sorted(needs)], function.settings.requirements, declared
    )


def requirements_txt(source: str, plan: Plan, code: Slice, found: Requirements) -> str:
    """The text of the file."""
    remarks = []
    if not found.lines:
        remarks.append("Nothing: the steps use the standard library only.")
    places = [place.file for place in code.unpickles[:1]]
    if "cloudpickle" in plan.imports:
        places = ["runtime_min/pickle_model.py"]
    if uses_hub(plan.function):
        places = [f"{HUB_MODULE}.py"]
    remarks += [
        f"Models are unpickled ({place}). The packages they need cannot be seen from here: name "
        "them with fn.with_requirements([...])."
        for place in places
    ]
    remarks += found.remarks
    lines = [
        line
        for remark in remarks
        for line in textwrap.wrap(
            one_line(remark), _WIDTH, break_long_words=False, break_on_hyphens=False
        )
    ]
    return page("requirements.txt.j2", source=source, remarks=lines, lines=found.shown)


def uses_hub(function: ir.Function) -> bool:
    """Does a step have the model class of MLRun's hub?"""
    return any(
        isinstance(target, ir.Dotted) and target.name == HUB_TARGET for target in function.targets
    )


def hub_text() -> bytes:
    """The module of that class."""
    return resources.files("graphc.templates").joinpath(f"hub/{HUB_MODULE}.py").read_bytes()
