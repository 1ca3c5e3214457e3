"""What `%nuclio` commands in a notebook set on the function that is made of it."""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING, Any

from ..notebook import Magic
from ..source import SourceModule

if TYPE_CHECKING:
    from .function import FunctionBuilder

_ASSIGNMENT = re.compile(r"^([\w.\"'\[\]-]+?)\s*(\+?=)\s*(.*)$")


def apply_magics(function: FunctionBuilder, module: SourceModule) -> None:
    """`%nuclio cmd`, `env`, `config` (nuclio-jupyter 0.13, spec/serving.md 1.1)."""
    for magic in module.notebook.magics if module.notebook else ():
        if magic.row not in module.left_out:
            _apply(function, magic, module)


def _apply(function: FunctionBuilder, magic: Magic, module: SourceModule) -> None:
    session = function.session
    session.call_span, session.call_spans = module.place(magic.row, 1), {}
    rows = [magic.arguments, *magic.lines]
    lines = [line.strip() for line in rows if line.strip() and not line.strip().startswith("#")]
    match magic.name:
        case "cmd":
            commands = [command for line in lines if (command := _without_flags(line, "-c"))]
            if commands:
                _call(function, "with_commands", commands)
        case "env":
            for line in lines:
                for pair in _words(_without_flags(line, "-c")):
                    name, equals, value = pair.partition("=")
                    if equals:
                        _call(function, "set_env", name.strip(), value.strip().strip("\"'"))
        case "config":
            for line in lines:
                _config(function, line)
        case "env_file":
            for line in lines:
                function.read("set_envs").call(file_path=line)
    session.call_span = function.span


def _config(function: FunctionBuilder, line: str) -> None:
    found = _ASSIGNMENT.match(line)
    if found is None or found[1] in ("kind", "metadata.name"):
        return
    try:
        value = ast.literal_eval(found[3])
    except (ValueError, SyntaxError):
        value = found[3]
    _call(function, "set_config", found[1], value)


def _without_flags(line: str, *flags: str) -> str:
    """The line without the options of the magic; with `-l` it concerns the notebook alone."""
    words = line.split(" ")
    while words and words[0] in (*flags, "--config-only", "-l", "--local-only"):
        if words.pop(0) in ("-l", "--local-only"):
            return ""
    return " ".join(words).strip()


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line) if line.count("=") > 1 else [line]
    except ValueError:
        return [line]


def _call(function: FunctionBuilder, name: str, *args: Any) -> None:
    function.read(name).call(*args)
