"""What top-level statements change besides the names that they bind.

In: statements. Out: the user's names that running one changes, in place or through the functions
that it calls. Where it cannot be seen, a change is assumed: a statement too many is kept rather
than one too few.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import libcst as cst

from ...code_index import CodeIndex, Symbol
from ...reads import Read, reads
from ...scopes import Binding, all_parameters, dotted, global_writes, root_name, walk
from ...top_level import ModuleIndex, Unit
from .changes import changed_in, eager, has_functions
from .facts import Facts, evaluated_parts

#: Methods of built-in types that change nothing.
_PURE_METHODS = frozenset({
    "get", "items", "keys", "values", "copy", "split", "rsplit", "join", "format", "index",
    "count", "startswith", "endswith", "lower", "upper", "strip", "lstrip", "rstrip", "encode",
    "decode", "replace", "title", "match", "search", "findall", "finditer", "fullmatch", "sub",
    "union", "intersection", "difference", "issubset", "issuperset", "isoformat", "info", "debug",
    "warning", "error", "exception",
})  # fmt: skip

#: Methods that change their object even where a result is used: `x = [queue.pop()]`.
_CHANGING_METHODS = frozenset({
    "append", "extend", "insert", "pop", "popitem", "popleft", "appendleft", "remove", "clear",
    "sort", "reverse", "add", "discard", "update", "setdefault", "register", "write", "put",
    "push", "send", "seed", "shuffle", "__setitem__", "__setattr__", "__delitem__",
})  # fmt: skip

#: Functions that look at what they are given, and call none of it.
_SHOWING = frozenset({
    "print", "len", "repr", "str", "isinstance", "issubclass", "hasattr", "getattr", "type", "id",
    "display", "pprint", "pprint.pprint", "IPython.display.display",
})  # fmt: skip

#: Functions that do not change what they are given.
_LOOKING = _SHOWING | {"sorted", "sum", "min", "max", "any", "all"}


class Effects:
    """Questions about what statements and functions change, answered once."""

    def __init__(self, index: CodeIndex, facts: Facts) -> None:
        self._index = index
        self._facts = facts
        self._changes: dict[Symbol, frozenset[Symbol]] = {}
        self._direct_changes: dict[Symbol, tuple[set[Symbol], set[Symbol]]] = {}
        self._of: dict[tuple[str, int], frozenset[Symbol]] = {}
        self._bases: dict[tuple[str, int], frozenset[Symbol]] = {}
        self._changing: dict[Symbol, bool] = {}
        self._learned: set[str] = set()
        #: Functions that are put into a table, by the table.
        self._held: dict[Symbol, set[Symbol]] = {}

    def learn(self, modules: Iterable[ModuleIndex]) -> None:
        """Takes in what modules put into tables: `HANDLERS["x"] = f`, `@register` of a function."""
        new = [module for module in modules if module.source.name not in self._learned]
        if not new:
            return
        for module in new:
            self._learned.add(module.source.name)
            for unit in module.units:
                tables = self.of(module, unit)
                functions = self._functions_named(module, unit) if tables else set()
                for table in tables:
                    self._held.setdefault(table, set()).update(functions)
        self._of.clear()
        self._changes.clear()
        self._direct_changes.clear()

    def _functions_named(self, module: ModuleIndex, unit: Unit) -> set[Symbol]:
        found = {
            target
            for read in self._facts.reads(module, unit)
            if (read.use == "value" or read.deferred) and (target := self._symbol(module, read))
        }
        found |= {Symbol(module.source.name, binding.name) for binding in unit.bindings}
        return {symbol for symbol in found if not self._is_variable(symbol)}

    def of(self, module: ModuleIndex, unit: Unit) -> frozenset[Symbol]:
        """The user's names that the statement changes."""
        key = (module.source.name, unit.index)
        if key not in self._of:
            found: set[Symbol] = set()
            for part in evaluated_parts(unit.node):
                found |= self._of_statement(module, part, self._facts.reads(module, unit))
            self._of[key] = frozenset(found)
        return self._of[key]

    def bases(self, module: ModuleIndex, unit: Unit) -> frozenset[Symbol]:
        """The user's classes that classes in the statement inherit from."""
        key = (module.source.name, unit.index)
        if key not in self._bases:
            found: set[Symbol] = set()
            for read in self._facts.reads(module, unit):
                if read.use == "base" and not read.deferred:
                    target = self._facts.target(module, read)
                    if isinstance(target, Symbol):
                        order = self._index.order(target)
                        found |= {item for item in order if isinstance(item, Symbol)}
            self._bases[key] = frozenset(found)
        return self._bases[key]

    def _of_statement(
        self, module: ModuleIndex, node: cst.CSTNode, found: list[Read]
    ) -> set[Symbol]:
        changed: set[Symbol] = set()
        by_node = {id(read.node): read for read in found}
        for root, method, how in changed_in(node):
            target = self._target(module, by_node, root)
            if target and (method is None or self._may_change(target, method, how)):
                changed.add(target)
        for item in eager(node):
            if isinstance(item, cst.Call):
                changed |= self._of_call(module, item, by_node)
            elif isinstance(item, cst.With):
                for manager in item.items:
                    if target := self._target(module, by_node, root_name(manager.item)):
                        changed |= self.changes(target)
        for read in found:
            if read.deferred or read.use not in ("decorator", "base"):
                continue
            target = self._symbol(module, read)
            if target is None:
                continue
            if read.use == "decorator":
                changed |= self.changes(target)
                if read.path and self._is_variable(target):
                    changed.add(target)  # `@app.route`
                elif read.path and self._index.function_info(target):
                    changed.add(target)  # `@convert.register`
            else:
                changed |= self._hooks(target)
        return changed

    def _of_call(
        self, module: ModuleIndex, call: cst.Call, by_node: Mapping[int, Read]
    ) -> set[Symbol]:
        """What the functions that are called, or handed to a call, change."""
        changed: set[Symbol] = set()
        function = self._target(module, by_node, root_name(call.func))
        if function is not None:
            changed |= self.changes(function)
        if dotted(call.func) in _SHOWING and function is None:
            return changed
        given = [
            target
            for argument in call.args
            if isinstance(argument.value, cst.Name | cst.Attribute)
            and (target := self._target(module, by_node, root_name(argument.value)))
        ]
        for target in given:
            changed |= self.changes(target)
        if function is not None and self._changes_arguments(function):
            changed |= set(filter(self._is_variable, given))
        return changed

    def _target(
        self, module: ModuleIndex, by_node: Mapping[int, Read], root: cst.Name | None
    ) -> Symbol | None:
        read = by_node.get(id(root)) if root is not None else None
        return self._symbol(module, read) if read else None

    def _symbol(self, module: ModuleIndex, read: Read) -> Symbol | None:
        target = self._facts.target(module, read)
        return target if isinstance(target, Symbol) and target.name else None

    def _may_change(self, target: Symbol, method: str, how: str) -> bool:
        """May calling this method of a name change it? `how`: see `changes.changed_in`."""
        if method in _PURE_METHODS:
            return False
        if self._index.class_info(target) is not None:
            if how == "new object":
                return False
            found = self._index.method(target, method)
            info = found[1] if found else None
            return info is None or bool({"classmethod", "staticmethod"} & {*info.decorators})
        if self._index.function_info(target) is not None:
            return how != "new object"
        return how != "inside" or method in _CHANGING_METHODS or self._is_own_object(target)

    def _is_own_object(self, symbol: Symbol) -> bool:
        """Is the variable an object of a class of the user's?"""
        return self._made_by(symbol) is not None

    def _made_by(self, symbol: Symbol) -> Symbol | None:
        """The user's class or function whose call a variable is."""
        binding = self._index.binding(symbol)
        value = binding.value if binding else None
        name = dotted(value.func) if isinstance(value, cst.Call) else None
        made = self._index.resolve(symbol.module, name) if name else None
        return made if isinstance(made, Symbol) and made.name else None

    def _hooks(self, base: Symbol) -> set[Symbol]:
        """What making a subclass changes: by `__init_subclass__`, or by a metaclass."""
        changed: set[Symbol] = set()
        for owner in self._index.order(base):
            info = self._index.class_info(owner) if isinstance(owner, Symbol) else None
            binding = self._index.binding(owner) if isinstance(owner, Symbol) else None
            if info is None or binding is None or not isinstance(owner, Symbol):
                continue
            if "__init_subclass__" in info.methods or owner in self._metaclasses(owner):
                changed |= {owner, base} | self.changes(owner)
            for metaclass in self._metaclasses(owner):
                changed |= {owner, base} | self.changes(metaclass)
        return changed

    def _metaclasses(self, owner: Symbol) -> list[Symbol]:
        binding = self._index.binding(owner)
        if binding is None or not isinstance(binding.node, cst.ClassDef):
            return []
        found = []
        for keyword in binding.node.keywords:
            name = dotted(keyword.value)
            target = self._index.resolve(owner.module, name) if name else None
            if isinstance(target, Symbol) and target.name:
                found.append(target)
        return found

    def _changes_arguments(self, symbol: Symbol) -> bool:
        """Does a function, or a method of a class, change what it is given?"""
        if symbol not in self._changing:
            self._changing[symbol] = False  # of names that are made by each other
            self._changing[symbol] = self._find_changing(symbol)
        return self._changing[symbol]

    def _find_changing(self, symbol: Symbol) -> bool:
        binding = self._index.binding(symbol)
        if binding is None:
            return False
        made = self._made_by(symbol)
        if made is not None:
            return self._changes_arguments(made)
        if not isinstance(binding.node, cst.FunctionDef | cst.ClassDef):
            return isinstance(binding.value, cst.Lambda)
        functions = [item for item in walk(binding.node) if isinstance(item, cst.FunctionDef)]
        for function in functions:
            names = {item.name.value for item in all_parameters(function.params)} - {"self", "cls"}
            for root, method, _ in changed_in(function, deferred=True):
                if root.value in names and method not in _PURE_METHODS:
                    return True
            for item in walk(function.body):  # what is given may be handed on
                if isinstance(item, cst.Call | cst.Assign):
                    values = item.args if isinstance(item, cst.Call) else (item,)
                    for value in values:
                        if isinstance(value.value, cst.Name) and value.value.value in names:
                            name = dotted(item.func) if isinstance(item, cst.Call) else None
                            if name not in _LOOKING:
                                return True
        return False

    def changes(self, symbol: Symbol) -> frozenset[Symbol]:
        """The top-level names that calling a function or an object, or making one, changes."""
        if symbol not in self._changes:
            found: set[Symbol] = set()
            seen, waiting = {symbol}, [symbol]
            while waiting:
                changed, called = self._direct(waiting.pop())
                found |= changed
                waiting += called - seen
                seen |= called
            self._changes[symbol] = frozenset(found)
        return self._changes[symbol]

    def _direct(self, symbol: Symbol) -> tuple[set[Symbol], set[Symbol]]:
        if symbol not in self._direct_changes:
            self._direct_changes[symbol] = self._find_direct(symbol)
        return self._direct_changes[symbol]

    def _find_direct(self, symbol: Symbol) -> tuple[set[Symbol], set[Symbol]]:
        """What the definition's own code changes, and what it may call."""
        changed: set[Symbol] = set()
        called: set[Symbol] = set()
        scope = self._index.module(symbol.module)
        if scope is None:
            return changed, called
        called |= self._held.get(symbol, set()) | self._earlier(scope, symbol.name)
        parts = (
            (unit, node)
            for unit, binding in scope.bindings.get(symbol.name, ())
            for node in self._called_parts(scope, binding)
        )
        for unit, node in parts:
            found = self._facts.reads(scope, unit) if node is unit.node else reads(node)
            inside = {id(read.node): read for read in found}
            changed |= {Symbol(scope.source.name, name) for name in global_writes(node)}
            for root, method, how in changed_in(node, deferred=True):
                target = self._target(scope, inside, root)
                if target and (method is None or self._may_change(target, method, how)):
                    changed.add(target)
            for item in walk(node):
                if isinstance(item, cst.Call):
                    function = self._target(scope, inside, root_name(item.func))
                    if function is not None and self._changes_arguments(function):
                        changed |= {
                            target
                            for argument in item.args
                            if (target := self._target(scope, inside, root_name(argument.value)))
                            and self._is_variable(target)
                        }
            for read in inside.values():
                if target := self._symbol(scope, read):
                    called.add(target)
        return changed, called

    def _earlier(self, scope: ModuleIndex, name: str) -> set[Symbol]:
        """What imports bind to a name that the module also defines."""
        found = [
            self._index.imported(scope, binding.imported)
            for _, binding in scope.bindings.get(name, ())
            if binding.imported is not None
        ]
        for _, imported in scope.stars:
            other = self._index.star_source(scope, imported)
            if other is not None and self._index.offers(other, name):
                found.append(self._index.resolve(other.source.name, name))
        return {item for item in found if isinstance(item, Symbol) and item.name}

    def _called_parts(self, scope: ModuleIndex, binding: Binding) -> Iterator[cst.CSTNode]:
        """The code that may run when a name is called, or a method of what it stands for."""
        node, value = binding.node, binding.value
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            yield node
        elif isinstance(node, cst.AugAssign):
            yield node.value
        elif isinstance(value, cst.Lambda | cst.Dict | cst.List | cst.Tuple | cst.Set):
            yield value
        elif isinstance(value, cst.Call):
            name = dotted(value.func)
            made = self._index.resolve(scope.source.name, name) if name else None
            inner = self._index.binding(made) if isinstance(made, Symbol) else None
            if inner is None:
                yield from value.args  # `partial(function)`
            elif has_functions(inner.node):
                yield value.func  # an object of a class, a closure

    def _is_variable(self, symbol: Symbol) -> bool:
        return self._index.class_info(symbol) is None and self._index.function_info(symbol) is None
