"""`graphc explain`: what a code means, at length."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem

from ..codes import CODES, Code


class _CodeName(click.ParamType[Code]):
    """`GC012`, or shorter: `gc12`, `12`."""

    name = "code"

    def convert(
        self, value: str | Code, param: click.Parameter | None, ctx: click.Context | None
    ) -> Code:
        if isinstance(value, Code):
            return value
        digits = value.upper().removeprefix("GC")
        found = CODES.get(f"GC{digits:0>3}") if digits.isdecimal() else None
        if found is None:
            self.fail(f"there is no code {value!r}; `graphc explain` lists them", param, ctx)
        return found

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [
            CompletionItem(code.code, help=code.title)
            for code in CODES.values()
            if code.code.startswith(incomplete.upper())
        ]


@click.command(short_help="Say what a finding means; list all codes.")
@click.argument("codes", metavar="[CODE]...", nargs=-1, type=_CodeName())
def explain(codes: Sequence[Code]) -> None:
    """Say what a finding means and show an example; without CODE, list all codes."""
    if codes:
        click.echo("\n\n".join(map(_text, codes)))
    else:
        for code in CODES.values():
            click.echo(f"{code.code}  {code.title}")


def _text(code: Code) -> str:
    found = "This command is refused:" if code.is_session else "This is found:"
    parts = [
        f"{code.code}: {code.title}",
        *(textwrap.fill(part, 88) for part in code.explanation.split("\n\n")),
        found,
        textwrap.indent(code.bad, "    "),
        "Put right:",
        textwrap.indent(code.good, "    "),
    ]
    return "\n\n".join(parts)
