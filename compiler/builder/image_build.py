"""What the image is built of: `fn.spec.build`, build commands and requirements."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ..diagnostics import GraphError, Span, did_you_mean
from ..frontend.values import HostObject
from ..requirements import wanted_lines
from .plain import container

if TYPE_CHECKING:
    from .session import Session
    from .settings import Settings


class Build(HostObject):
    """`fn.spec.build`"""

    description = "a build specification"
    _kept = frozenset(("base_image", "commands", "requirements"))
    api = _kept | {"with_commands", "with_requirements"}

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.base_image: Any = ""
        self.commands: Any = []
        self.requirements: Any = []

    def assign(self, name: str, value: Any) -> None:
        settings = self._settings
        settings.places[name] = settings.session.span
        if name in ("commands", "requirements"):
            value = container(settings.session, value, f"spec.build.{name}", list)
        if name in self._kept:
            setattr(self, name, value)
        else:
            settings.no_place(f"the setting spec.build.{name}", did_you_mean(name, self._kept))

    def with_commands(self, commands: Any, overwrite: Any = False) -> None:
        session = self._settings.session
        where = session.argument_span("commands", 0)
        if not isinstance(commands, list | tuple):
            raise session.wrong_value(commands, "commands must be a list", where)
        self._settings.places["commands"] = where
        if overwrite:
            self.commands = []
        for command in commands:
            if command not in self.commands:
                self.commands.append(command)

    def with_requirements(
        self, requirements: Any = None, requirements_file: Any = "", overwrite: Any = False
    ) -> None:
        span = self._settings.session.argument_span
        lines = self._lines(requirements_file, span("requirements_file", 3))
        lines += self._lines(requirements, span("requirements", 0))
        if overwrite:
            self.requirements = []
        for line in lines:
            if line not in self.requirements:
                self.requirements.append(line)

    def _lines(self, value: Any, where: Span) -> list[Any]:
        """Requirements: a list of them, or the path of a file with one on each line."""
        if value is None or value == "":
            return []
        if isinstance(value, str | PurePosixPath):
            value = self._file_lines(str(value), where)
        if not isinstance(value, list | tuple | set):
            raise self._settings.session.wrong_value(value, "requirements must be a list", where)
        return requirement_lines(self._settings.session, value, where)

    def _file_lines(self, path: str, where: Span) -> list[str]:
        """The lines of a requirements file, with those of files that it includes."""

        def read(inner: str) -> str | None:
            try:
                return self._settings.session.tree.text(inner, where)
            except GraphError:
                if inner == path:
                    raise
                return None

        return wanted_lines(read, path)


def requirement_lines(session: Session, lines: Any, where: Span) -> list[str]:
    """The lines without comments; raises GraphError for what is no single line."""
    made = []
    for line in lines:
        text = session.text(line, "a requirement", where).strip().partition(" #")[0].strip()
        if not text.isprintable():
            raise GraphError(f"{text[:80]!r} is no requirement", code="GC018", span=where)
        if text and not text.startswith("#"):
            made.append(text)
    return made


def command_lines(session: Session, commands: Iterable[Any], where: Span) -> tuple[str, ...]:
    """Build commands, each on one line; raises GraphError for what a Dockerfile misreads."""
    made: list[str] = []
    is_open = False  # does the line before end in a backslash?
    for command in commands:
        text = session.text(command, "a build command", where).strip()
        lines = text.splitlines() or [""]
        if not all(line.rstrip().endswith("\\") for line in lines[:-1]):
            raise _bad_command(text, "has more than one line", where)
        for line in lines:
            joined = f"{made.pop()} {line.strip()}" if is_open else line.strip()
            is_open = joined.endswith("\\")
            made.append(joined.removesuffix("\\").strip())
    if is_open:
        raise _bad_command(made[-1], "ends in `\\`, and nothing follows", where)
    for line in made:
        if not line or line.endswith("\\") or not line.replace("\t", " ").isprintable():
            raise _bad_command(line, "is no command", where)
        if "<<" in line:
            raise _bad_command(line, "begins a text of several lines (`<<`)", where)
    return tuple(made)


def _bad_command(text: str, why: str, where: Span) -> GraphError:
    return GraphError(
        f"the build command {text[:60]!r} {why}",
        code="GC018",
        span=where,
        help="give each command as an item of its own, on one line",
    )
