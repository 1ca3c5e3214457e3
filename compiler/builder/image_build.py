"""What the image is built of: `fn.spec.build`, build commands and requirements."""

from __future__ import annotations

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
