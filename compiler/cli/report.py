"""What commands say: findings, errors, and the exit codes that go with them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from ..diagnostics import Diagnostic, GraphError

EXIT_ERRORS = 1
EXIT_BUG = 70


def say(text: str) -> None:
    """Talk: to standard error."""
    click.echo(text, err=True)


def fail(error: GraphError) -> NoReturn:
    """Show an error that no graph file is part of, and end."""
    from ..diagnostics import render

    say(render(error.diagnostic(None)))
    sys.exit(EXIT_ERRORS)


@dataclass(frozen=True, slots=True)
class Report:
    """How findings are shown."""

    style: str
    quiet: bool

    @property
    def talks(self) -> bool:
        """Is there anybody to be told what was done?"""
        return self.style == "text" and not self.quiet

    def show(
        self,
        diagnostics: Iterable[Diagnostic],
        *,
        errors_only: bool = False,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Show what was found; `extra` is what else a JSON document holds."""
        from ..diagnostics import Severity, as_json, render

        shown = [
            found
            for found in diagnostics
            if found.severity is Severity.ERROR or not (errors_only or self.quiet)
        ]
        if self.style == "json":
            document = {"diagnostics": json.loads(as_json(shown)), **(extra or {})}
            click.echo(json.dumps(document, indent=1))
            return
        colours = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
        for found in shown:
            head, _, rest = render(found).partition("\n")
            say(click.style(head, fg=colours[found.severity], bold=True))
            if rest:
                say(rest)
        errors = sum(found.severity is Severity.ERROR for found in shown)
        if errors:
            say(f"{errors} error{'s' * (errors > 1)}; nothing was written")
