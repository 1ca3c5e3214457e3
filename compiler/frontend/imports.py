"""Imports: modules of the graph API, of the user's own beside the file, and all others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import libcst as cst

from ..diagnostics import GraphError, did_you_mean
from ..scopes import Imported, imports
from ..source import SourceModule
from .scope import Scope
from .signals import Native, Raised
from .values import External, HostModule, UserModule, Value

if TYPE_CHECKING:
    from .machine import Machine


class Imports:
    """Evaluates import statements; each module of the user's once, as Python does."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._modules: dict[str, UserModule | None] = {}

    def statement(self, node: cst.Import | cst.ImportFrom, scope: Scope) -> None:
        self._machine.position = (scope.module, node)
        for bound, imported in imports(node):
            if bound == "*":
                self._star(self._module(self._absolute(imported, scope.module)), scope)
                continue
            value = self._imported(imported, scope.module)
            self._machine.memory.write(scope.home(bound).names, bound, value)

    def _imported(self, imported: Imported, module: SourceModule) -> Value:
        name = self._absolute(imported, module)
        if imported.attribute is not None:
            return self._member(self._module(name), name, imported.attribute)
        self._module(imported.loads)
        return self._module(name)

    def _absolute(self, imported: Imported, module: SourceModule) -> str:
        """The full name of the module that an import names."""
        if not imported.level:
            return imported.module
        parts = module.name.split(".") if module.name else []
        if not module.is_package:
            parts = parts[:-1]
        up = imported.level - 1
        if not parts or up >= len(parts):
            raise Native(ImportError("attempted relative import with no known parent package"))
        parts = parts[: len(parts) - up]
        return ".".join([*parts, imported.module] if imported.module else parts)

    def _module(self, name: str) -> Value:
        host = self._machine.host.module(name)
        if host is not None:
            return host
        found = self.user_module(name)
        if found is not None:
            return found
        package = name.rpartition(".")[0]
        if package and (parent := self.user_module(package)) is not None:
            raise Native(
                ModuleNotFoundError(f"No module named {name!r}"),
                did_you_mean(name.rpartition(".")[2], parent.scope.names),
            )
        self._of_others(name.partition(".")[0])
        return External(name, self._machine.here)

    def _of_others(self, package: str) -> None:
        """Raises Native for a package that is not installed, where the file can do without it."""
        machine = self._machine
        if package in sys.stdlib_module_names:
            return
        span = machine.here
        error = Native(ModuleNotFoundError(f"No module named {package!r}"))
        if machine.statements.failures.handled(Raised.of(error, span)):
            if package in machine.missing:
                raise error
            machine.perhaps_missing.setdefault(package, span)

    def _member(self, module: Value, name: str, attribute: str) -> Value:
        """`from module import attribute`: an attribute, or a module inside of a package."""
        if isinstance(module, UserModule):
            if attribute in module.scope.names:
                return module.scope.names[attribute]
            inner = self.user_module(f"{name}.{attribute}")
            if inner is not None:
                return inner
            if not module.scope.stars:
                raise Native(
                    ImportError(f"cannot import name {attribute!r} from {name!r}"),
                    did_you_mean(attribute, module.scope.names),
                )
        return self._machine.attribute(module, attribute)

    def _star(self, module: Value, scope: Scope) -> None:
        memory = self._machine.memory
        if isinstance(module, HostModule):
            for name, value in module.members.items():
                memory.write(scope.names, name, value)
            scope.root.stars.append(External(module.dotted, self._machine.here))
        elif isinstance(module, UserModule):
            for name in self._public(module):
                memory.write(scope.names, name, self._member(module, module.module.name, name))
            scope.root.stars.extend(module.scope.stars)
        else:
            scope.root.stars.append(module)

    def _public(self, module: UserModule) -> list[str]:
        listed = module.scope.names.get("__all__")
        if isinstance(listed, list | tuple) and all(type(name) is str for name in listed):
            return list(listed)
        return [name for name in module.scope.names if not name.startswith("_")]

    def user_module(self, name: str) -> UserModule | None:
        """The user's module of this full name, evaluated; None if there is none."""
        if name in self._modules:
            return self._modules[name]
        package, _, last = name.rpartition(".")
        if package and self.user_module(package) is None:
            return None
        module = self._find(name)
        if module is None:
            self._modules[name] = None
            return None
        scope = Scope(module)
        made = self._modules[name] = UserModule(module, scope)
        if package and (parent := self._modules[package]) is not None:
            parent.scope.names[last] = made
        self._run(module, scope)
        return made

    def _find(self, name: str) -> SourceModule | None:
        tree = self._machine.tree
        module = tree.module(name)
        if module is tree.main:
            # The file imports itself: a second module of the same text, of which no part is run.
            return None
        if module is None and tree.is_namespace(name):
            path = name.replace(".", "/")
            return SourceModule(name, f"{path}/__init__.py", "", Path(tree.root / path))
        return module

    def _run(self, module: SourceModule, scope: Scope) -> None:
        machine = self._machine
        scope.names.update(self.globals_of(module, module.name))
        position, catching, depth = machine.position, machine.catching, machine.depth
        try:
            machine.statements.module(module, scope)
        except GraphError as exc:
            machine.report(exc.diagnostic(position[0].span(position[1])))
            scope.stars.append(machine.failed("the module cannot be read", machine.here))
        except Raised as exc:
            scope.stars.append(machine.failed("the module fails", exc.span))
            exc.called_from(f"module {module.name}", position[0].span(position[1]))
            raise
        finally:
            machine.position, machine.catching, machine.depth = position, catching, depth

    def globals_of(self, module: SourceModule, name: str) -> dict[str, Value]:
        """What Python puts into a module's namespace."""
        return {
            "__name__": name,
            "__file__": str(module.file.absolute()),
            "__doc__": None,
            "__package__": name if module.is_package else name.rpartition(".")[0],
        }
