"""What commands say: findings, errors, and the exit codes that go with them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from ..diagnostics import Diagnostic, GraphError
    from ..rendering import Paint, Role

EXIT_ERRORS = 1
EXIT_BUG = 70

#: How findings can be shown.
STYLES = ("text", "json", "sarif", "github")

_COLOURS: dict[Role, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "note": {"fg": "cyan", "bold": True},
    "help": {"fg": "green", "bold": True},
    "place": {"bold": True},
    "margin": {"fg": "blue"},
}


def say(text: str) -> None:
    """Talk: to standard error."""
    click.echo(text, err=True, color=_has_colours())


def fail(error: GraphError) -> NoReturn:
    """Show an error that no graph file is part of, and end."""
    from ..rendering import render

    say(render(error.diagnostic(None), _painter()))
    sys.exit(EXIT_ERRORS)


@dataclass(frozen=True, slots=True)
class Report:
    """How findings are shown."""

    style: str
    quiet: bool = False

    @property
    def talks(self) -> bool:
        """Is there anybody to be told what was done?"""
        return self.style == "text" and not self.quiet

    def show(
        self,
        diagnostics: Iterable[Diagnostic],
        graph: Path,
        *,
        errors_only: bool = False,
        outcome: str = "",
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Show what was found in a graph file.

        `outcome` says to people what errors led to; `extra` is what else a JSON document holds.
        """
        from ..diagnostics import Severity

        shown = [
            found.seen_from(graph.parent.as_posix())
            for found in diagnostics
            if found.severity is Severity.ERROR or not (errors_only or self.quiet)
        ]
        if self.style == "text":
            _show_text(shown, outcome)
            return
        from ..reports import as_github, as_json, as_sarif

        if self.style == "github":
            for line in as_github(shown):
                click.echo(line)
            return
        if self.style == "sarif":
            document = as_sarif(shown, graph.as_posix())
        else:
            document = {"diagnostics": as_json(shown), **(extra or {})}
        click.echo(json.dumps(document, indent=1))


def _show_text(shown: list[Diagnostic], outcome: str) -> None:
    from ..diagnostics import Severity
    from ..rendering import render

    paint = _painter()
    for found in shown:
        say(render(found, paint))
    codes = sorted({found.code for found in shown if found.severity is Severity.ERROR})
    if codes:
        count = sum(found.severity is Severity.ERROR for found in shown)
        say(f"{count} error{'s' * (count > 1)}{outcome}; `graphc explain {codes[0]}` says more")


def _painter() -> Paint:
    def plain(_role: Role, text: str) -> str:
        return text

    def coloured(role: Role, text: str) -> str:
        return click.style(text, **_COLOURS[role])

    return coloured if _has_colours() else plain


def _has_colours() -> bool:
    """On a terminal, unless NO_COLOR is set; with FORCE_COLOR always (no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
