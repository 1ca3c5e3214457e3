"""Random sets of small modules whose names depend on each other in every way that Python knows.

`Modules(choose)` writes them; `choose(items)` decides. Each module is a list of statements over
names of known kinds, so that whatever comes out runs; `roots` are functions of one number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Modules in the order in which they are written: a module's top level imports earlier ones.
PATHS = {
    "core": "core.py",
    "plugins": "plugins.py",
    "pkg": "pkg/__init__.py",
    "pkg.inner": "pkg/inner.py",
    "pkg.deep.leaf": "pkg/deep/leaf.py",
    "helpers": "helpers.py",
    "graph": "graph.py",
}
ORDER = ("core", "pkg.inner", "pkg.deep.leaf", "pkg", "plugins", "helpers", "graph")

#: What a finished graph file looks like besides; none of it may reach a slice.
NOISE = [
    'fn = mlrun.new_function("x", kind="serving")\nstep = fn.set_topology("flow").to("Step")',
    'if __name__ == "__main__":\n    print(undefined_here)',
    'project = mlrun.get_or_create_project("p")\nproject.run()',
]


@dataclass
class Module:
    """What is written of one module."""

    name: str
    lines: list[str] = field(default_factory=list)
    #: Spelling in this module -> kind: number, list, dict, function, class, counter.
    known: dict[str, str] = field(default_factory=dict)
    #: Names that this module itself defines.
    own: list[str] = field(default_factory=list)

    @property
    def package(self) -> str:
        return self.name if self.name == "pkg" else self.name.rpartition(".")[0]

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


class Modules:
    """A random set of modules; `graph` comes last and is what the roots are taken from."""

    def __init__(self, choose: Callable[[Sequence[Any]], Any], statements: int = 7) -> None:
        self._choose = choose
        self._count = 0
        self.modules: dict[str, Module] = {}
        for name in ORDER:
            if name != "graph" and name not in ("core",) and choose((True, False, False)):
                continue
            module = self.modules[name] = Module(name)
            self._head(module)
            for _ in range(choose(range(1, statements))):
                self._statement(module)
            if name != "graph":
                self._circle(module)
        graph = self.modules["graph"]
        self._function(graph, "root_a")
        self._function(graph, "root_b")
        self.roots = sorted({"root_a", "root_b"} | set(self._of(graph, "function", own=True)))

    def _circle(self, later: Module) -> None:
        """An earlier module imports a later one in the end, for what its functions do."""
        earlier = self._choose(list(self.modules.values()))
        numbers = [item for item in self._of(later, "number", own=True) if "." not in item]
        if earlier is later or not numbers or not self._chance(3):
            return
        name, alias = self._fresh("f"), self._fresh("m")
        earlier.lines.append(f"import {later.name} as {alias}")
        earlier.lines.append(f"def {name}(x):\n    return x + {alias}.{self._choose(numbers)}")
        self._define(earlier, name, "function")

    def files(self) -> dict[str, str]:
        files = {PATHS[name]: module.text() for name, module in self.modules.items()}
        if any(name.startswith("pkg.") for name in self.modules):
            files.setdefault("pkg/__init__.py", "")
        if "pkg.deep.leaf" in self.modules:
            files["pkg/deep/__init__.py"] = self._choose(["", "from . import leaf\n"])
        return files

    # -- small parts

    def _chance(self, of: int = 2) -> bool:
        return bool(self._choose(range(of)) == 0)

    def _fresh(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def _of(self, module: Module, *kinds: str, own: bool = False) -> list[str]:
        return [
            name
            for name, kind in module.known.items()
            if kind in kinds and (not own or name in module.own)
        ]

    def _define(self, module: Module, name: str, kind: str) -> None:
        module.known.pop(name, None)
        module.known[name] = kind
        if name not in module.own:
            module.own.append(name)

    def _number(self, module: Module, depth: int = 0, local: Sequence[str] = ()) -> str:
        names = [*local, *module.known, str(self._choose(range(5)))]
        name = self._choose(names)
        kind = module.known.get(name)
        match kind:
            case "list":
                return self._choose([f"len({name})", f"sum({name})", f"max({name}, default=2)"])
            case "dict":
                return self._choose(
                    [
                        f"len({name})",
                        f"sum(f(1) for f in {name}.values())",
                        f"sum({name}[k](2) for k in sorted({name}))",
                    ]
                )
            case "class":
                if depth > 1:
                    return "4"
                return f"{name}({self._number(module, depth + 1, local)}).do(1)"
            case "function":
                if depth > 1:
                    return "3"
                return f"{name}({self._number(module, depth + 1, local)})"
        return str(name)

    def _numbers(self, module: Module, local: Sequence[str] = ()) -> Callable[[], str]:
        return lambda: self._number(module, 0, local)

    # -- imports

    def _head(self, module: Module) -> None:
        if self._chance(3):
            module.lines.append("from __future__ import annotations")
        module.lines.append(
            "import abc, dataclasses, enum, functools, sys, typing\nimport mlrun\n"
            "from typing import TYPE_CHECKING"
        )
        for name in list(self.modules):
            if name != module.name and self._chance(2):
                self._import(module, self.modules[name])

    def _import(self, module: Module, other: Module) -> None:
        name, front, last = other.name, *other.name.rpartition(".")[::2]
        alias = self._fresh("m")
        forms: list[tuple[str, str]] = [
            (f"import {name}", f"{name}."),
            (f"import {name} as {alias}", f"{alias}."),
        ]
        if front:
            forms.append((f"from {front} import {last}", f"{last}."))
        relative = ""
        if module.package and (name == "pkg" or front):
            level = len(module.package.split("."))
            relative = "." * level + name.removeprefix("pkg").removeprefix(".")
            if front:
                back, _, end = name.removeprefix("pkg.").rpartition(".")
                forms.append((f"from {'.' * level}{back} import {end} as {alias}", f"{alias}."))
        spelled = relative or name
        if name == "pkg" and module.name.startswith("pkg."):
            return  # while a package is imported its own names are not there yet
        public = [item for item in other.own if item in other.known]
        kind = self._choose(("module", "names", "renamed", "star", "effect", "guarded"))
        if kind == "module" or not public:
            line, prefix = self._choose(forms)
            module.lines.append(line)
            for item in public:
                module.known[prefix + item] = other.known[item]
        elif kind in ("names", "guarded"):
            some = [item for item in public if self._chance()] or public[:1]
            line = f"from {spelled} import {', '.join(some)}"
            if kind == "guarded":
                line = f"try:\n    {line}\nexcept ImportError:\n    {' = '.join(some)} = None"
            module.lines.append(line)
            for item in some:
                module.known[item] = other.known[item]
                if self._chance():
                    module.own.append(item)  # a re-export
        elif kind == "renamed":
            item = self._choose(public)
            module.lines.append(f"from {spelled} import {item} as {alias}")
            module.known[alias] = other.known[item]
        elif kind == "star":
            module.lines.append(f"from {spelled} import *")
            listed = self._all_of(other)
            for item in listed:
                if item in other.known:
                    module.known[item] = other.known[item]
                    if "." not in item:
                        module.own.append(item)
        else:
            module.lines.append(f"import {name}" if not relative else f"from {spelled} import "
                                f"{public[0]} as _unused{alias}")  # fmt: skip

    def _all_of(self, other: Module) -> list[str]:
        for line in other.lines:
            if line.startswith("__all__ = "):
                return list(eval(line.removeprefix("__all__ = ")))
        return [item for item in other.own if item in other.known and not item.startswith("_")]

    # -- statements

    def _statement(self, module: Module) -> None:
        forms = [name.removeprefix("_form_") for name in dir(self) if name.startswith("_form_")]
        getattr(self, f"_form_{self._choose(forms)}")(module, module.lines.append)

    def _function(self, module: Module, name: str) -> None:
        local = ["x"]
        number = self._numbers(module, local)
        bodies = [
            f"    return (x * 2 + {number()} + {number()}) % 1000",
            f"    y = {number()}\n    def inner(z):\n        nonlocal y\n        y += z\n"
            f"        return y + {number()}\n    return inner(x) % 1000",
            f"    return sum(x + i for i in range({number()} % 4)) + {number()}",
            f"    if (w := x + {number()}) > 5:\n        return w\n    return {number()}",
            f"    match x % 3:\n        case 0:\n            return {number()}\n"
            f"        case other if other > 1:\n            return other\n"
            f"    return {number()} % 1000",
        ]
        modules = [
            (spelled.rpartition(".")[0], spelled.rpartition(".")[2])
            for spelled, kind in module.known.items()
            if "." in spelled and kind == "number"
        ]
        if modules:
            front, last = self._choose(modules)
            bodies.append(f"    return getattr({front}, {last!r}) + x")
            bodies.append(f"    return getattr({front}, {last[:1]!r} + {last[1:]!r}) + x")
        own = [item for item in self._of(module, "number", own=True) if "." not in item]
        if own:
            some = self._choose(own)
            bodies.append(f"    return globals()[{some!r}] + x")
            bodies.append(f"    return eval({some!r}) + x")
        later = [item for item in self.modules if item != module.name]
        if later:
            other = self.modules[self._choose(later)]
            items = self._of(other, "number", "list", own=True)
            if items and not (other.name == "pkg" and module.name.startswith("pkg.")):
                item = self._choose(items)
                value = item if other.known[item] == "number" else f"len({item})"
                bodies.append(f"    from {other.name} import {item}\n    return x + {value}")
        value = self._number(module)
        default = self._choose(["", f", y={value}", f", *, k={value}"])
        annotation = self._choose(["", " -> int", ' -> "Missing"'])
        module.lines.append(f"def {name}(x{default}){annotation}:\n{self._choose(bodies)}")
        self._define(module, name, "function")

    def _form_number(self, module: Module, add: Callable[[str], None]) -> None:
        name = self._fresh("n")
        number = self._numbers(module)
        add(self._choose([
            f"{name} = {number()} + 1  # {name}",
            f"# about {name}\n{name}: int = {number()}",
            f"{name} = other_{name} = {number()}",
            f"{name}, *rest_{name} = {number()}, {number()}",
            f"{name} = {number()}\n{name} += {number()}",
            f"{name} = [j for j in range(3) if j < {number()} + 1][-1]",
            f"{name} = 0\nwhile {name} < {number()} % 5:\n    {name} += 2",
            f"if (t{name} := {number()}) > 2:\n    {name} = t{name}\nelse:\n    {name} = 7",
            f"t{name} = {number()}\n{name} = t{name} * 2\ndel t{name}",
            f"if sys.version_info >= (3, 8):\n    {name} = {number()}\nelse:\n    {name} = nothing",
            f"try:\n    import no_{name} as {name}\nexcept ImportError:\n    {name} = {number()}",
            f"match {number()} % 3:\n    case 1: {name} = 4\n    case c{name}: {name} = c{name}",
            f"if TYPE_CHECKING:\n    import nowhere\nelse:\n    {name} = {number()}",
            f"for {name} in [{number()}, {number()}]:\n    pass",
            f"{name} = 1; second_{name} = {number()}; {name} += second_{name}",
        ]))  # fmt: skip
        self._define(module, name, "number")

    def _form_list(self, module: Module, add: Callable[[str], None]) -> None:
        name = self._fresh("l")
        add(f"{name} = [{self._number(module)}, {self._number(module)}]")
        self._define(module, name, "list")

    def _form_dict(self, module: Module, add: Callable[[str], None]) -> None:
        name = self._fresh("d")
        add(f"{name} = {{}}")
        self._define(module, name, "dict")

    def _form_function(self, module: Module, add: Callable[[str], None]) -> None:
        self._function(module, self._fresh("f"))

    def _form_again(self, module: Module, add: Callable[[str], None]) -> None:
        own = [item for item in self._of(module, "function", own=True) if item[0] == "f"]
        if own:
            name = self._choose(own)
            add(f"def {name}(x):\n    return x + {self._choose(range(9))}")

    def _form_lambda(self, module: Module, add: Callable[[str], None]) -> None:
        name = self._fresh("f")
        add(f"{name} = lambda x, k={self._number(module)}: x + k + {self._number(module)}")
        self._define(module, name, "function")

    def _form_decorated(self, module: Module, add: Callable[[str], None]) -> None:
        name, number = self._fresh("f"), self._numbers(module)
        wrap = f"wrap_{name}"
        dicts = self._of(module, "dict")
        plain = (
            f"def {wrap}(f):\n    @functools.wraps(f)\n    def inner(*a):\n"
            f"        return f(*a) + {number()}\n    return inner"
        )
        forms = [
            f"{plain}\n\n\n@{wrap}\ndef {name}(x):\n    return x - {number()}",
            f"def {wrap}(by):\n    def outer(f):\n        return lambda x: f(x) + by\n"
            f"    return outer\n\n\n@{wrap}({number()})\n@functools.lru_cache(maxsize=None)\n"
            f"def {name}(x):\n    return x",
        ]
        if dicts:
            target = self._choose(dicts)
            forms.append(
                f"def {wrap}(key):\n    def outer(f):\n        {target}[key] = f\n"
                f"        return f\n    return outer\n\n\n@{wrap}({name!r})\n"
                f"def {name}(x):\n    return x + {number()}"
            )
        add(self._choose(forms))
        self._define(module, name, "function")

    def _form_class(self, module: Module, add: Callable[[str], None]) -> None:
        name, number = self._fresh("C"), self._numbers(module)
        bases = self._of(module, "class")
        base = self._choose([*bases, ""])
        forms = []
        if base:
            forms += [
                f"class {name}({base}):\n    k = {number()}",
                f"class {name}({base}):\n    def do(self, x):\n"
                f"        return super().do(x) + {number()}",
                f"class Mix{name}:\n    def extra(self):\n        return {number()}\n\n\n"
                f"class {name}(Mix{name}, {base}):\n    def do(self, x):\n"
                f"        return self.extra() + super().do(x)",
            ]
        forms += [
            f"class {name}:\n    k = {number()}\n    both = [k, k * 2]\n\n"
            f"    def __init__(self, n, m={number()}):\n        self.n = n + m\n\n"
            f"    def do(self, x):\n        return (self.n + x + self.k + {number()}) % 1000",
            f"@dataclasses.dataclass\nclass {name}:\n    n: int\n    m: int = {number()}\n\n"
            f"    def do(self, x):\n        return self.n + self.m + x",
            f"class {name}(typing.NamedTuple):\n    n: int\n    m: int = {number()}\n\n"
            f"    def do(self, x):\n        return self.n * 2 + self.m",
            f"class Abstract{name}(abc.ABC):\n    def __init__(self, n):\n        self.n = n\n\n"
            f"    @abc.abstractmethod\n    def do(self, x): ...\n\n\n"
            f"class {name}(Abstract{name}):\n    def do(self, x):\n        return self.n",
            f"class E{name}(enum.Enum):\n    A = {number()} + 1\n    B = -5\n\n\n"
            f"class {name}:\n    def __init__(self, n):\n        self.e = E{name}.A\n\n"
            f"    def do(self, x):\n        return self.e.value + x",
            f"T{name} = typing.TypeVar('T{name}')\n\n\nclass {name}(typing.Generic[T{name}]):\n"
            f"    def __init__(self, n: T{name}):\n        self.n = n\n\n"
            f"    def do(self, x):\n        return self.n",
            f"class P{name}(typing.Protocol):\n    def do(self, x): ...\n\n\n"
            f"class {name}(P{name}):\n    def __init__(self, n):\n        self.n = n\n\n"
            f"    def do(self, x: int):\n        return {number()} + x",
        ]
        add(self._choose(forms))
        self._define(module, name, "class")

    def _form_subclass_registry(self, module: Module, add: Callable[[str], None]) -> None:
        name, number = self._fresh("C"), self._numbers(module)
        registry = f"kinds_{name}"
        hook = self._choose(["init_subclass", "meta", "subclasses"])
        do = f"    def do(self, x):\n        return x + self.n + len({registry})"
        if hook == "init_subclass":
            text = (
                f"{registry} = []\n\n\nclass {name}:\n    def __init_subclass__(cls, **k):\n"
                f"        {registry}.append(cls)\n\n"
            )
        elif hook == "meta":
            text = (
                f"{registry} = []\n\n\nclass M{name}(type):\n    def __new__(m, n, b, d):\n"
                f"        made = super().__new__(m, n, b, d)\n        {registry}.append(made)\n"
                f"        return made\n\n\nclass {name}(metaclass=M{name}):\n"
            )
        else:
            text = f"class {name}:\n"
            do = f"    def do(self, x):\n        return x + len({name}.__subclasses__())"
        add(f"{text}    def __init__(self, n):\n        self.n = n\n\n{do}\n\n\n"
            f"class Sub{name}({name}):\n    k = {number()}")  # fmt: skip
        self._define(module, name, "class")

    def _form_counter(self, module: Module, add: Callable[[str], None]) -> None:
        name, number = self._fresh("f"), self._numbers(module)
        add(
            f"c{name} = {number()}\n\n\ndef {name}(x):\n    global c{name}\n"
            f"    c{name} += 1\n    return c{name} + x"
        )
        self._define(module, name, "function")
        if self._chance():
            add(f"{name}(3)")

    def _form_change(self, module: Module, add: Callable[[str], None]) -> None:
        number = self._numbers(module)
        lists, dicts = self._of(module, "list"), self._of(module, "dict")
        functions, classes = self._of(module, "function"), self._of(module, "class")
        forms = []
        if lists:
            name, fill = self._choose(lists), self._fresh("fill")
            forms += [
                f"{name}.append({number()})",
                f"{name}[0] = {number()}",
                f"{name}[-1] += {number()}",
                f"for i in range(2):\n    {name}.append(i)",
                f"del {name}[0]\n{name}.append({number()})",
                f"def {fill}(box):\n    box.append({number()})\n\n\n{fill}({name})",
                f"def {fill}():\n    {name}.append({number()})\n\n\n{fill}()",
                f"if {number()} > 1:\n    {name}.extend([1, {number()}])",
                f"with open(__file__) as {fill}:\n    {name}.append(len({fill}.name[:1]))",
                f"{fill} = {name}\n{fill}.append({number()})",
                f"[{name}.append(i) for i in range(2)]",
                f"class {fill}:\n    def __enter__(self): {name}.append(1)\n"
                f"    def __exit__(self, *a): {name}.append({number()})\n\n\n"
                f"with {fill}():\n    pass",
                f"print({name}.append(5))",
                f"try:\n    {name}.append({number()})\nfinally:\n    {name}.append(2)",
            ]
            if "." not in name and name in module.own:
                forms.append(f"{name} += [{number()}]")
        if dicts and functions:
            name, function, key = self._choose(dicts), self._choose(functions), self._fresh("k")
            forms += [
                f"{name}[{key!r}] = {function}",
                f"{name}.update({key}={function})",
                f"{name}.setdefault({key!r}, {function})",
                f"{name} |= {{{key!r}: {function}}}"
                if "." not in name and name in module.own
                else f"{name}[{key!r}] = lambda x: {function}(x)",
            ]
        if classes:
            name = self._choose(classes)
            forms += [f"{name}.k = {number()}", f"setattr({name}, 'k', {number()})"]
        if forms:
            add(self._choose(forms))

    def _form_all(self, module: Module, add: Callable[[str], None]) -> None:
        own = [item for item in module.own if item in module.known]
        if module.name != "graph" and own and not any("__all__" in item for item in module.lines):
            add(f"__all__ = {[item for item in own if self._chance()] or own}")

    def _form_module_getattr(self, module: Module, add: Callable[[str], None]) -> None:
        if module.name in ("graph", "pkg") or "__getattr__" in module.text():
            return
        add(
            "def __getattr__(name):\n    if name.startswith('_'):\n"
            f"        raise AttributeError(name)\n    return len(name) + {self._number(module)}"
        )

    def _form_noise(self, module: Module, add: Callable[[str], None]) -> None:
        add(self._choose([*NOISE, f"print({self._number(module)})"]))
