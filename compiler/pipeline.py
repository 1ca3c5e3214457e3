"""The whole way from a graph file to the files of a dist: one stage after another.

source --evaluate--> builder calls --freeze--> Graph --passes--> Plans --codegen--> files
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from . import ir
from .builder import Session
from .builder.mistakes import nothing_to_build
from .code_index import CodeIndex, Symbol
from .diagnostics import Diagnostics, GraphError
from .frontend.evaluator import Skipped, evaluate
from .frontend.given import Given
from .nesting import with_deep_stack
from .optional_imports import check_imports
from .origins import with_origin
from .package.assemble import Part, assemble
from .package.bundle import bundle
from .package.compose import compose_yaml
from .package.data_files import data_files
from .package.kubernetes import kubernetes_yaml
from .passes.infer import infer
from .passes.lower import lower
from .passes.name_settings import name_settings
from .passes.partition import only, partition
from .passes.readers import add_triggers
from .passes.record import record
from .passes.resolve import resolve
from .passes.slicing import RESERVED, search_paths, slice_code
from .passes.track import track
from .passes.validate import validate, validate_functions
from .plan import Plan
from .requirements import read_declared
from .source import SourceModule, SourceTree


@dataclass(frozen=True, slots=True)
class Options:
    """What a build is told besides the file."""

    env: Mapping[str, str] = field(default_factory=dict)
    #: Values of expressions, as the file spells them.
    given: Mapping[str, Any] = field(default_factory=dict)
    #: The functions to build; none: all.
    functions: tuple[str, ...] = ()
    #: `module:function`, called after the file's top level.
    entry: str = ""
    bundle_models: bool = False
    #: Where relative model paths are looked up, as MLRun does from the working directory.
    models_root: Path = field(default_factory=Path.cwd)
    #: Of mlrun and storey, what packages may depend on where step code uses it.
    allow: frozenset[str] = frozenset()
    #: The user's packages that do not lie beside the graph file, or folders of them.
    packages: tuple[Path, ...] = ()
    #: Requirements, constraints and lock files besides those beside the graph file.
    requirements: tuple[Path, ...] = ()
    #: What names of images begin with, for kubernetes.yaml; "": there is none.
    images: str = ""
    #: Is there a compose.yaml?
    compose: bool = False


class _Stopped(Exception):
    """Later stages have nothing to work on; the diagnostics say why."""


@dataclass(slots=True)
class Build:
    """What became of a graph file; later fields stay empty when an earlier stage failed."""

    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    source: SourceModule | None = None
    skipped: tuple[Skipped, ...] = ()
    graph: ir.Graph | None = None
    plans: tuple[Plan, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    #: Seconds by stage, in order.
    timings: dict[str, float] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return self.diagnostics.has_errors

    def go_on(self) -> None:
        """Raises _Stopped if the stage that ended has found errors."""
        if self.diagnostics.has_errors:
            raise _Stopped


def build(main: Path, options: Options | None = None) -> Build:
    """Compile a graph file. Mistakes in it end up in `diagnostics`, all of a stage together."""
    made = Build()
    try:
        with warnings.catch_warnings():
            # What Python's parser thinks of the user's style is none of a build's business.
            warnings.simplefilter("ignore", SyntaxWarning)
            with_deep_stack(lambda: _stages(made, main, options or Options()))
    except GraphError as exc:
        made.diagnostics.add(exc.diagnostic(None))
    except _Stopped:
        pass
    if made.source is not None:
        source = made.source
        made.diagnostics.amend(lambda found: with_origin(found, source))
    if made.failed:
        made.files = {}
    return made


def _stages(made: Build, main: Path, options: Options) -> None:
    diagnostics = made.diagnostics
    stage = _stopwatch(made.timings)

    with stage("read"):
        tree = _tree(main, options)
        made.source = tree.main
        declared = read_declared(tree.root, options.requirements, diagnostics)
    # The statements of the file, as far as they concern graphs.
    with stage("evaluate"):
        session = Session(tree, diagnostics, options.env)
        given = Given(options.given)
        done = evaluate(tree, session, diagnostics, options.env, given, options.entry)
        made.skipped = done.skipped
        given.check()
        graph = session.graph(options.functions)
        if not made.failed:
            without = partial(_graph_without, main, options)
            check_imports(graph, done.perhaps_missing, declared, without, diagnostics)
    # Values that are left open get the names of environment variables.
    with stage("name settings"):
        made.graph = graph = name_settings(graph)
    made.go_on()
    if not graph.functions:
        raise nothing_to_build(tree, session.others)

    # What cannot run is refused.
    with stage("validate"):
        sound = validate(graph, diagnostics)
    # Each function gets its own steps.
    with stage("partition"):
        made.graph = graph = only(partition(graph, diagnostics), options.functions)
    # Streams that functions read get triggers.
    with stage("readers"):
        made.graph = graph = add_triggers(graph, diagnostics)
    index = CodeIndex(tree)
    # Names become the classes and functions they stand for.
    with stage("resolve"):
        made.graph = graph = resolve(graph, tree, index, diagnostics)
    with stage("validate"):
        if sound:
            validate_functions(graph, diagnostics)
    made.go_on()
    # How each step is made and called.
    with stage("infer"):
        facts = infer(graph, index, diagnostics)
    # Which models are tracked.
    with stage("track"):
        facts = track(graph, facts, index, diagnostics)
    made.go_on()
    # What happens to an event, in order.
    with stage("lower"):
        plans = lower(graph, facts)
    # Which failures go to the error stream.
    with stage("record"):
        made.plans = tuple(record(plan) for plan in plans)
    # The user's code that each function needs, and its models.
    with stage("slice"):
        parts = {
            plan.function.name: _part(plan, tree, index, options, diagnostics)
            for plan in made.plans
        }
    made.go_on()
    with stage("generate"):
        made.files = assemble(graph, tree, parts, declared)
        if options.images:
            made.files["kubernetes.yaml"] = kubernetes_yaml(
                graph, made.files, options.images
            ).encode()
        if options.compose:
            made.files["compose.yaml"] = compose_yaml(made.plans, made.files, graph.source).encode()


def _tree(main: Path, options: Options) -> SourceTree:
    """The graph file, and where modules beside it are looked for."""
    tree = SourceTree(main, options.packages)
    _ = tree.main.tree  # a file that is no Python ends here
    for folder in search_paths(tree):
        tree.search(folder)
    return tree


def _graph_without(main: Path, options: Options, name: str) -> ir.Graph | None:
    """The graph if a package is not installed; None if the file fails then."""
    tree, found = _tree(main, options), Diagnostics()
    session = Session(tree, found, options.env)
    missing = frozenset({name})
    evaluate(tree, session, found, options.env, Given(options.given), options.entry, missing)
    graph = session.graph(options.functions)
    return None if found.has_errors else graph


def _part(
    plan: Plan, tree: SourceTree, index: CodeIndex, options: Options, diagnostics: Diagnostics
) -> Part:
    """The files of a function that are the user's."""
    code = slice_code(tree, index, _roots(plan.function), RESERVED, diagnostics, options.allow)
    models = bundle(plan.function, options.models_root, options.bundle_models, diagnostics)
    return Part(plan, code, models, data_files(code, tree, diagnostics))


def _roots(function: ir.Function) -> list[Symbol]:
    """The user's classes and functions that a function's steps name."""
    found: dict[Symbol, None] = {}
    for target in function.targets:
        if isinstance(target, ir.UserCode):
            found[target.symbol] = None
        elif isinstance(target, ir.Inline):
            found |= dict.fromkeys(target.names.values())
    return list(found)


def _stopwatch(timings: dict[str, float]) -> Callable[[str], AbstractContextManager[None]]:
    @contextmanager
    def stage(name: str) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            timings[name] = timings.get(name, 0.0) + perf_counter() - started

    return stage
