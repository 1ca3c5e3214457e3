"""The names of a generated module: what it imports, and how that is spelled in it."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterable

from ..code_index import Symbol
from ..identifiers import Names
from ..stream_drivers import DRIVERS

#: What a handler calls its own things; nothing imported may have these names.
_OWN = frozenset(
    """Any Flow GraphContext GraphStep Router annotations answer args arrived body chosen
    context event exc failed flow graph_context handler init_context item items key model
    models operation outputs result self start step value""".split()
) | {driver.name for driver in DRIVERS}


class ModuleScope:
    """Gives out the names under which a handler reaches modules.

    The user's modules come first and keep their names where they can; where such a name is one
    of runtime_min's, that one gives way.
    """

    def __init__(self, user_modules: Iterable[str], module_file: Callable[[str], str]) -> None:
        self._file = module_file
        self._names = Names(_OWN)
        self._plain: dict[str, str] = {}
        self._user: set[str] = set()
        self._runtime: dict[str, str] = {}
        self._runtime_names: dict[tuple[str, str], str] = {}
        for module in sorted(user_modules):
            self._spell(self._file(module))
            self._user.add(self._file(module))

    def user(self, symbol: Symbol) -> str:
        """`graph.PreProcess`"""
        module = self._file(symbol.module)
        self._user.add(module)
        return f"{self._spell(module)}.{symbol.name}"

    def library(self, dotted: str) -> str:
        """`json.loads`; builtins by their bare name."""
        module, _, name = dotted.rpartition(".")
        if module == "builtins" and hasattr(builtins, name):
            return name
        return f"{self._spell(module)}.{name}"

    def module(self, name: str) -> str:
        """A module of the standard library."""
        return self._spell(name)

    def runtime(self, module: str) -> str:
        """A module of runtime_min: `nuclio`."""
        if module not in self._runtime:
            self._runtime[module] = self._names.give(module)
        return self._runtime[module]

    def runtime_name(self, module: str, name: str) -> str:
        """One name of a module of runtime_min, imported by itself: `start`."""
        self._runtime_names[module, name] = name
        return name

    def own(self, wanted: str) -> str:
        """A name for something that the handler defines itself."""
        return self._names.give(wanted)

    def _spell(self, module: str) -> str:
        if module not in self._plain:
            top = module.partition(".")[0]
            known = {name.partition(".")[0] for name in self._plain.values()}
            if top in known:
                self._plain[module] = module
            else:
                given = self._names.give(top)
                self._plain[module] = (
                    module
                    if given == top
                    else self._names.give(module.replace(".", "_") + "_module")
                )
        return self._plain[module]

    @property
    def runtime_modules(self) -> frozenset[str]:
        """The modules of runtime_min that are imported."""
        return frozenset(self._runtime) | {module for module, _ in self._runtime_names}

    def imports(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Import lines: standard library, other libraries, the package's own; isort's order."""
        standard, third, own = [], [], []
        for module in sorted(self._plain):
            name = self._plain[module]
            line = f"import {module}" if name == module else f"import {module} as {name}"
            if module in self._user:
                own.append(line)
            elif module.partition(".")[0] in sys.stdlib_module_names:
                standard.append(line)
            else:
                third.append(line)
        standard.append("from typing import Any")
        if self._runtime:
            parts = (
                name if self._runtime[name] == name else f"{name} as {self._runtime[name]}"
                for name in sorted(self._runtime)
            )
            own.append(f"from runtime_min import {', '.join(parts)}")
        by_module: dict[str, list[str]] = {}
        for module, name in sorted(self._runtime_names):
            by_module.setdefault(module, []).append(name)
        own += [
            f"from runtime_min.{module} import {', '.join(names)}"
            for module, names in sorted(by_module.items())
        ]
        return tuple(standard), tuple(third), tuple(own)
