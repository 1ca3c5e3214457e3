"""What user code defines, found without running it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from graphc.code_index import CodeIndex, Parameter, Signature, Symbol
from graphc.runtime_names import canonical, counterparts
from graphc.source import SourceTree

FILES = {
    "graph.py": """
import mlrun, numpy as np, pkg.inner.leaf
import pkg.inner.leaf as leaf
from pkg import Leaf as L, inner
from pkg.stars import *
from dataclasses import dataclass, field
from mlrun.serving.v2_serving import V2ModelServer as Base
from .nowhere import lost
from helper import fallback

if np:
    def one(a, /, b, *c, d=1, **e): yield a.origin_state
else:
    async def one(): await x
try:
    import fast
except ImportError:
    fast = None
double = lambda x, y=2: x * y
Alias = L
again = Alias
array = np.array
loop = pool
pool = loop
if __name__ == "__main__":
    hidden = 1


class Model(Base, dict):
    unit: str = "cm"
    note: str
    def load(self): self.get_model()
    do = double
    label = unit
    def __init__(self, *args, extra=1, **kwargs):
        super().__init__(*args, **kwargs)


class Reader(Model):
    def __init__(self, path, **options):
        Model.__init__(self, None, extra=2, **options)
        self.options = options


class Plain:
    pass


class Made:
    def __new__(cls, a): return super().__new__(cls)
    def __init__(self, *args, **kwargs): pass


class Single:
    def __new__(cls, *args, **kwargs): return super().__new__(cls)
    def __init__(self, b): pass


class Forward(Plain):
    def __init__(self, a, **kw):
        super().__init__(**kw)


class Unknown(np.Thing):
    pass


@dataclass
class Data:
    a: int
    b: int = 1
    c: list = field(default_factory=list)
    d: int = field(init=False)


@dataclass(frozen=True)
class More(Data):
    e: int = 0


from mlrun.serving.v2_serving import *
class Starred(V2ModelServer): pass
class A: pass
class B(A): x = 1
class C(A): pass
class D(B, C): pass
class Circle(Circle): pass
class Static:
    @staticmethod
    def make(x): return x
""",
    "helper.py": "try:\n    def fallback(): pass\nexcept E:\n    fallback = 1\n",
    "pkg/__init__.py": "from .inner.leaf import Leaf\nVERSION = '1'\n",
    "pkg/stars.py": "from .more import *\n_private = starred = 1\n",
    "pkg/more.py": "__all__ = ['deep']\ndef deep(): pass\nshallow = 1\n",
    "pkg/inner/__init__.py": "",
    "pkg/inner/leaf.py": "class Leaf:\n    def do(self, body): return body\n",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> CodeIndex:
    folder = tmp_path_factory.mktemp("user")
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return CodeIndex(SourceTree(folder / "graph.py"))


LEAF = Symbol("pkg.inner.leaf", "Leaf")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("one", Symbol("", "one")),
        ("L", LEAF),
        ("Alias", LEAF),
        ("again", LEAF),
        ("leaf.Leaf", LEAF),
        ("inner.leaf.Leaf", LEAF),
        ("pkg.Leaf", LEAF),
        ("pkg.inner", Symbol("pkg.inner", "")),
        ("pkg.nothing", None),
        ("np", "numpy"),
        ("np.random.seed", "numpy.random.seed"),
        ("array", "numpy.array"),
        ("Base", "mlrun.serving.V2ModelServer"),
        ("mlrun.serving.states.TaskStep", "mlrun.serving.TaskStep"),
        ("deep", Symbol("pkg.more", "deep")),
        ("starred", Symbol("pkg.stars", "starred")),
        ("shallow", None),
        ("_private", None),
        ("loop", Symbol("", "pool")),
        ("fast", "fast"),
        ("fallback", Symbol("helper", "fallback")),
        ("hidden", Symbol("", "hidden")),
        ("lost", None),
        ("len", None),
    ],
)
def test_resolve(index: CodeIndex, name: str, expected: object) -> None:
    assert index.resolve("", name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Model", Symbol("", "Model")),
        ("pkg.inner.leaf.Leaf", LEAF),
        ("pkg.inner.leaf.Nothing", None),
        ("pkg.nowhere.Thing", None),
        ("json.loads", "json.loads"),
        ("storey.flow.Filter", "storey.Filter"),
        ("Model.load", None),
        ("len", None),
        ("not a name", None),
        ("a..b", None),
    ],
)
def test_find(index: CodeIndex, name: str, expected: object) -> None:
    assert index.find("", name) == expected


def test_canonical_names() -> None:
    assert canonical("storey.steps.flatten.Flatten") == "storey.Flatten"
    assert canonical("mlrun.serving.routers.VotingEnsemble") == "mlrun.serving.VotingEnsemble"
    assert canonical("mlrun.serving.routers.ParallelRun") == "mlrun.serving.routers.ParallelRun"
    assert canonical("mlrun.serving.server.GraphContext.get") == "mlrun.serving.GraphContext.get"


def test_function(index: CodeIndex) -> None:
    one = index.function_info(Symbol("", "one"))
    assert one is not None
    assert (one.is_async, one.is_generator, one.parameters) == (True, False, ())  # the last wins
    double = index.function_info(Symbol("", "double"))
    assert double is not None
    assert double.parameters == (
        Parameter("x", "positional", True),
        Parameter("y", "positional", False, set_by_default=True),
    )
    assert double.names_read == {"x", "y"}
    assert index.function_info(Symbol("", "Model")) is None
    assert index.function_info(Symbol("", "nothing")) is None


def test_class(index: CodeIndex) -> None:
    model = index.class_info(Symbol("", "Model"))
    assert model is not None
    assert model.bases == ("mlrun.serving.V2ModelServer", "builtins.dict")
    assert set(model.methods) == {"load", "__init__"}
    assert model.attributes == {"unit", "do", "label"}
    assert model.methods["load"].names_read == {"self", "get_model"}
    static = index.class_info(Symbol("", "Static"))
    assert static is not None
    assert static.methods["make"].decorators == ("staticmethod",)


def test_ancestors(index: CodeIndex) -> None:
    def ancestors(name: str) -> list[object]:
        found = index.ancestors(Symbol("", name))
        return [item.name if isinstance(item, Symbol) else item for item in found]

    assert ancestors("D") == ["B", "C", "A"]
    assert ancestors("Reader") == ["Model", "mlrun.serving.V2ModelServer", "builtins.dict"]
    assert ancestors("Starred") == ["mlrun.serving.V2ModelServer"]
    assert ancestors("Circle") == ["Circle"]
    assert index.ancestors(Symbol("", "nothing")) == ()


def test_method(index: CodeIndex) -> None:
    def owner(cls: str, method: str) -> tuple[object, bool] | None:
        found = index.method(Symbol("", cls), method)
        if found is None:
            return None
        return found[0].name if isinstance(found[0], Symbol) else found[0], found[1] is not None

    assert owner("Reader", "load") == ("Model", True)
    assert owner("Reader", "do") == ("Model", True)
    assert owner("Reader", "label") == ("Model", False)
    assert owner("Reader", "predict") == ("mlrun.serving.V2ModelServer", False)
    assert owner("Reader", "items") == ("builtins.dict", False)
    assert owner("Reader", "nothing") is None
    assert owner("Unknown", "anything") == ("numpy.Thing", False)
    assert owner("Plain", "__init__") is None


V2 = ("context", "name", "model_path", "model", "protocol", "input_path", "result_path",
      "shard_by_endpoint")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Plain", Signature()),
        ("Forward", Signature(("a",), ("a",), ("a",))),
        ("Model", Signature(("extra", *V2), (), (), True, True, defaults=("extra",))),
        ("Reader", Signature(("path",), ("path",), ("path",), True, accepts_any=True)),
        ("Unknown", Signature(var_keyword=True, var_positional=True, accepts_any=True)),
        ("Made", Signature(("a",), ("a",), ("a",))),
        ("Single", Signature(("b",), ("b",), ("b",))),
        ("Data", Signature(("a", "b", "c"), ("a", "b", "c"), ("a",))),
        ("More", Signature(("a", "b", "c", "e"), ("a", "b", "c", "e"), ("a",))),
    ],
)
def test_constructor(index: CodeIndex, name: str, expected: Signature) -> None:
    assert index.constructor(Symbol("", name)) == expected


def test_coroutine_functions_are_what_decorators_make_of_them(tmp_path: Path) -> None:
    (tmp_path / "graph.py").write_text("""
import functools, asyncio
from elsewhere import foreign

def patient(func):
    async def wait(body): return func(body)
    return wait

def patiently(times, *, name=None):
    def deco(func):
        @functools.wraps(func)
        async def wait(body): return func(body)
        return wait
    return deco

def hasty(func):
    def run(body): return asyncio.run(func(body))
    return run

def either(func):
    if asyncio.iscoroutinefunction(func):
        async def wait(body): return await func(body)
        return wait
    def run(body): return func(body)
    return run

def optional(func=None, level=1):
    if func is None:
        return functools.partial(optional, level=level)
    async def wait(body): return func(body)
    return wait

def same(func): return func

@patient
def yes_plain(body): ...
@patiently(3)
def yes_factory(body): ...
@either
async def yes_either(body): ...
@same
@foreign
async def yes_own(body): ...
@optional
def yes_optional(body): ...
@same
@patient
def yes_both(body): ...
yes_made = patient(len)
yes_partial = functools.partial(yes_made, by=1)
yes_alias = yes_partial

@hasty
async def no_run(body): ...
@either
def no_either(body): ...
@hasty
@patient
def no_outer(body): ...
no_made = hasty(yes_own)
no_number = 1
no_call = foreign(yes_own)

class Step:
    @patient
    def do(self, body): ...
""")
    index = CodeIndex(SourceTree(tmp_path / "graph.py"))
    for name in (
        "plain",
        "factory",
        "either",
        "own",
        "optional",
        "both",
        "made",
        "partial",
        "alias",
    ):
        assert index.is_coroutine(Symbol("", f"yes_{name}")), name
    for name in ("run", "either", "outer", "made", "number", "call"):
        assert not index.is_coroutine(Symbol("", f"no_{name}")), name
    assert index.class_info(Symbol("", "Step")).methods["do"].is_async


def test_counterparts_are_there() -> None:
    for item in counterparts():
        module = importlib.import_module(f"graphc.runtime_min.{item.module}")
        assert hasattr(module, item.name), item


def test_corpus_is_indexed() -> None:
    corpus = Path("/work/shared/corpus")
    if not corpus.is_dir():
        pytest.skip("no corpus here")
    for file in sorted(corpus.glob("*/graph.py")):
        index = CodeIndex(SourceTree(file))
        for name in index.names(""):
            index.ancestors(Symbol("", name))
            index.constructor(Symbol("", name))
