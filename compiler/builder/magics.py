"""What `%nuclio` commands in a notebook set on the function that is made of it.

As nuclio-jupyter 0.13 exports notebooks (export.py, config.py; spec/nuclio.md 9): the commands of
all cells that are not ignored count, also of those that are no code of the function.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..diagnostics import GraphError, did_you_mean
from ..notebook import Magic
from ..source import SourceModule
from .mounts import Mounts

if TYPE_CHECKING:
    from .function import FunctionBuilder

_ASSIGNMENT = re.compile(r"(\w+(?:\.\w+)*)\s*(\+?=)\s*?(.+)")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^}]*)\})")
#: What a function that serves a graph has from elsewhere, as MLRun sets it.
_NOT_TAKEN = frozenset(("apiVersion", "kind", "metadata.name", "spec.handler", "spec.runtime"))
#: Commands that do something to the notebook alone.
_NOTHING = frozenset(("build", "deploy", "handler", "help", "show", "verbose"))
_COMMANDS = ("cmd", "env", "config", "env_file", "mount", "add", *sorted(_NOTHING))


def apply_magics(function: FunctionBuilder, module: SourceModule, tags: Collection[str]) -> None:
    """Set what the notebook's commands say; cells with one of the `tags` are ignored."""
    notebook, session = module.notebook, function.session
    if notebook is None:
        return
    ignored = notebook.ignored(tags)
    before = session.call_span, session.call_spans
    try:
        for magic in notebook.magics:
            if magic.row not in ignored:
                session.call_span, session.call_spans = module.place(magic.row, 1), {}
                try:
                    _Command(function, magic).apply()
                except GraphError as exc:  # before whoever made the function completes it
                    session.diagnostics.add(exc.diagnostic(session.call_span))
    finally:
        session.call_span, session.call_spans = before


class _Command:
    """One `%nuclio` or `%%nuclio` command."""

    def __init__(self, function: FunctionBuilder, magic: Magic) -> None:
        self._function = function
        self._magic = magic

    def apply(self) -> None:
        match self._magic.name:
            case "cmd":
                self._call("with_commands", [self._filled_in(line) for line in self._lines()])
            case "env":
                if not self._magic.arguments.startswith(("-l", "--local-only")):
                    for line in self._lines():
                        self._variable(line)
            case "config":
                for line in self._lines():
                    self._config(line)
            case "env_file":
                for path in self._lines():
                    self._env_file(path)
            case "mount":
                self._mount()
            case "add":
                self._function.settings.no_place("`%nuclio add`", "copy the files in the image")
            case name if name not in _NOTHING:
                raise GraphError(
                    f"there is no command `%nuclio {name}`",
                    code="GC011",
                    help=did_you_mean(name, _COMMANDS),
                )

    def _lines(self) -> Iterator[str]:
        head = re.sub(r"^(--config-only|-c)(?=\s|$)", "", self._magic.arguments)
        for line in map(str.strip, (head, *self._magic.lines)):
            if line and not line.startswith("#"):
                yield line

    def _call(self, method: str, *args: Any, **kwargs: Any) -> None:
        self._function.read(method).call(*args, **kwargs)

    def _filled_in(self, text: str) -> str:
        """The text with `$NAME` filled in, where the build is told what it is."""
        known = self._function.session.env
        return _VARIABLE.sub(lambda found: known.get(found[1] or found[2], found[0]), text)

    def _variable(self, line: str) -> None:
        if line == "%v3io":
            self._function.apply(Mounts(self._function.session).v3io_cred())
            return
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise GraphError(f"`%nuclio env` takes NAME=VALUE, not {line!r}")
        value = self._filled_in(value)
        if found := _VARIABLE.search(value):
            taken = found[1] or found[2]
            raise GraphError(
                f"the value of {name!r} has {found[0]}, of the machine that deploys",
                code="GC005",
                help=f"give its value at build time: --env {taken}=VALUE",
            )
        self._call("set_env", name, value)

    def _config(self, line: str) -> None:
        found = _ASSIGNMENT.search(line)
        try:
            value = json.loads(self._filled_in(found[3].strip())) if found else None
        except (ValueError, RecursionError) as exc:
            raise GraphError(f"{line!r}: the value is not JSON: {exc}") from exc
        if found is None:
            raise GraphError(f"`%nuclio config` takes key = JSON, not {line!r}")
        key = found[1]
        if key in _NOT_TAKEN:
            return
        if key == "spec.build.commands":
            commands = value if isinstance(value, list) else [value]
            self._call("with_commands", commands, overwrite=found[2] == "=")
        elif found[2] == "=":
            self._call("set_config", key, value)
        else:
            there = self._function.settings.config.get(key, [])
            added = value if isinstance(value, list) else [value]
            self._call("set_config", key, [*there, *added] if isinstance(there, list) else added)

    def _env_file(self, path: str) -> None:
        session = self._function.session
        if not session.tree.is_file(path):
            session.diagnostics.warning(
                "GC032",
                f"there is no file {path!r}; its variables are not set, as in MLRun",
                session.call_span,
            )
            return
        self._call("set_envs", file_path=path)

    def _mount(self) -> None:
        given = _mount_arguments(self._magic.arguments)
        mounts = Mounts(self._function.session)
        local, remote, name = given.local, given.remote, given.name
        match given.type:
            case "pvc":
                made = mounts.mount_pvc(remote, name, local)
            case "secret":
                made = mounts.mount_secret(remote, local, name)
            case "configMap":
                made = mounts.mount_configmap(remote, local, name)
            case "v3io":
                made = mounts.mount_v3io(
                    name, remote, access_key=given.key, volume_mounts=[(local, "")]
                )
            case other:
                kinds = ("configMap", "pvc", "secret", "v3io")
                raise GraphError(
                    f"there is no type of mounts {other!r}",
                    help=did_you_mean(other, kinds) or f"it is one of {', '.join(kinds)}",
                )
        self._function.apply(made)


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise GraphError(f"`%nuclio mount`: {message}")


def _mount_arguments(text: str) -> argparse.Namespace:
    parser = _Arguments(add_help=False)
    parser.add_argument("--type", "-t", default="v3io")
    parser.add_argument("--name", "-n", default="fs")
    parser.add_argument("--key", "-k", default="")
    parser.add_argument("--readonly", "-r", default=False)
    parser.add_argument("local")
    parser.add_argument("remote")
    try:
        words: Sequence[str] = shlex.split(text)
    except ValueError as exc:
        raise GraphError(f"`%nuclio mount`: {exc}") from exc
    return parser.parse_args(words)
