"""What slicing refuses, collected until all of it can be put in order."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

from ...diagnostics import Diagnostics, Note, Span
from ...runtime_names import CONTEXT_NEEDS, remedy, subject
from ...top_level import ModuleIndex, Unit


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A finding that waits until all are there and can be put in order."""

    span: Span
    code: str
    message: str
    notes: tuple[Note, ...]
    help: str


class Findings:
    """Errors of all files, in the order of files and lines; each once for its subject."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, str, str], _Refusal] = {}
        self._noted: dict[tuple[str, str], _Refusal] = {}

    def __bool__(self) -> bool:
        return bool(self._refused)

    def refuse(
        self,
        span: Span,
        code: str,
        message: str,
        notes: tuple[Note, ...],
        help: str,
        key: str = "",
    ) -> None:
        """Notes a finding once for each file and subject: at its first place."""
        refusal = _Refusal(span, code, message, notes, help)
        slot = (code, span.file, key or message)
        if slot not in self._refused or span < self._refused[slot].span:
            self._refused[slot] = refusal

    def refuse_replaced(self, full: str, place: Span) -> None:
        name = subject(full)
        message = f"{name} is used in code that a step runs, and packages do not have it"
        help = f"{remedy(name)}; or build with --allow {name.partition('.')[0]}"
        self.refuse(place, "GC021", message, (), help, key=name)

    def refuse_context(self, name: str, place: Span) -> None:
        """A member of the graph's context that packages do not have."""
        message = f"context.{name} is used in code that a step runs, and packages do not have it"
        self.refuse(place, "GC021", message, (), CONTEXT_NEEDS[name], key=f"context.{name}")

    def refuse_shell(self, place: Span) -> None:
        """A line of IPython's, `names = !ls`, in code that MLRun, too, runs without IPython."""
        message = "a command for IPython is in code that a step runs, and packages do not have it"
        help = "run it with subprocess, or outside of what the steps use"
        self.refuse(place, "GC021", message, (), help, key=f"{place}")

    def note_whole(self, place: Span, by: str, path: str) -> None:
        """All of a file is kept, as names of it are made up at run time."""
        self._note(
            place,
            f"{by} makes up names at run time: all of {path} is part of the package",
            "name what is needed, in a dict for instance, to have only that",
        )

    def note_import(self, place: Span, by: str) -> None:
        """A module of a made-up name is imported."""
        self._note(
            place,
            f"which module {by} imports is not known at build time",
            "import the modules by name, so that they become part of the package",
        )

    def _note(self, place: Span, message: str, help: str, code: str = "GC034") -> None:
        found = _Refusal(place, code, message, (), help)
        slot = (place.file, message)
        self._noted[slot] = min(found, self._noted.get(slot, found), key=lambda item: item.span)

    def allow_replaced(self, full: str, place: Span) -> None:
        """A use of mlrun or storey that the user has allowed; said all the same."""
        name = subject(full)
        package = name.partition(".")[0]
        self._note(
            place,
            f"{name} is used in code that a step runs: the package depends on {package}",
            f"--allow {package} allows it; without it, {remedy(name)}",
            "GC021",
        )

    def refuse_graph_object(
        self, module: ModuleIndex, name: str, unit: Unit, origin: Span | None
    ) -> None:
        place = module.source.span(unit.node)
        self.refuse(
            origin or place,
            "GC022",
            f"{name!r} is used in code that a step runs, and stands for a part of the graph"
            if not isinstance(unit.node, cst.BaseCompoundStatement)
            else f"{name!r} is defined in a statement that also builds the graph",
            (Note("it is defined here", place),) if origin else (),
            "hand what the step needs to its constructor, as an argument of the step"
            if not isinstance(unit.node, cst.BaseCompoundStatement)
            else "define it in a statement of its own",
        )

    def report(self, diagnostics: Diagnostics) -> None:
        """All findings, in the order of the files and lines."""
        for noted in sorted(self._noted.values(), key=lambda item: (item.span, item.message)):
            diagnostics.warning(noted.code, noted.message, noted.span, help=noted.help)
        for refusal in sorted(self._refused.values(), key=lambda item: (item.span, item.message)):
            diagnostics.error(
                refusal.code, refusal.message, refusal.span, notes=refusal.notes, help=refusal.help
            )
