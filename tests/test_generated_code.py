"""Generated packages are clean under the tools of those who review them, on every Python."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from golden_cases import built, cases

FILES = {case.name: built(case).files for case in cases()}
PACKAGES = [
    (case, path.partition("/")[0])
    for case, files in FILES.items()
    for path in sorted(files)
    if path.endswith("/function.yaml")
]
VERSIONS = [(3, minor) for minor in range(9, 14)]


def label(package: tuple[str, str]) -> str:
    return "/".join(package)


def written(package: tuple[str, str], folder: Path) -> Path:
    """The package's folder, below `folder`."""
    case, function = package
    for path, data in FILES[case].items():
        if path.startswith(f"{function}/"):
            target = folder / case / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    return folder / case / function


def tool(*command: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def interpreters() -> Iterator[str]:
    """The Pythons of this machine, those that pyenv keeps out of PATH included."""
    for major, minor in VERSIONS:
        name = f"python{major}.{minor}"
        kept = Path.home().glob(f".pyenv/versions/{major}.{minor}.*/bin/{name}")
        for python in filter(None, [*map(str, sorted(kept)), shutil.which(name)]):
            if not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode:
                yield python
                break


@pytest.fixture(scope="session")
def mypy_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps what mypy knows of the standard library from one package to the next."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("package", PACKAGES, ids=label)
def test_clean(package: tuple[str, str], tmp_path: Path, mypy_cache: Path) -> None:
    """ruff, black and mypy have nothing to say; run in the package, as reviewers do."""
    copy = written(package, tmp_path)
    names = sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*.py"))
    rules = ["--extend-select", "I,B,UP,SIM", "--target-version", "py39"]
    tool("ruff", "check", "--isolated", "--no-cache", *rules, *names, cwd=copy)
    tool("black", "--check", "--quiet", "-t", "py39", *names, cwd=copy)
    handlers = [name for name in names if name.endswith("handler.py")]
    options = ["--cache-dir", str(mypy_cache), "--ignore-missing-imports"]
    tool("mypy", *options, *handlers, cwd=copy)


@pytest.mark.parametrize("package", PACKAGES, ids=label)
def test_parses_everywhere_and_depends_on_nothing(package: tuple[str, str], tmp_path: Path) -> None:
    for path in written(package, tmp_path).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        own = "graph" not in path.stem or path.name == "graph_handler.py"
        for version in VERSIONS if own else ():
            ast.parse(text, feature_version=version)
        for node in ast.walk(ast.parse(text)):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module]
            assert not {name.partition(".")[0] for name in modules} & {"graphc", "mlrun", "storey"}


@pytest.mark.parametrize("python", list(interpreters()), ids=lambda path: Path(path).name)
def test_loads_on_every_python(python: str, tmp_path: Path) -> None:
    """All packages on the standard library start, on each interpreter that is installed."""
    program = r"""
import re, sys, types
for folder in sys.argv[1:]:
    before = set(sys.modules)
    sys.path.insert(0, folder)
    context = types.SimpleNamespace(
        logger=types.SimpleNamespace(info=print, error=print, warn=print, debug=print),
        Response=dict, platform=types.SimpleNamespace(set_termination_callback=print),
        worker_id=0, trigger=types.SimpleNamespace(kind="http"),
        user_data=types.SimpleNamespace())
    config = open(folder + "/function.yaml").read()
    name = re.search(r"handler: (\w+):handler", config).group(1)
    __import__(name).init_context(context)
    sys.path.remove(folder)
    for name in set(sys.modules) - before:
        del sys.modules[name]
"""
    folders = [written(package, tmp_path) for package in PACKAGES]
    plain = [
        str(folder)
        for folder in folders
        if "Nothing:" in (folder / "requirements.txt").read_text(encoding="utf-8")
    ]
    assert plain
    needed = (
        name
        for folder in plain
        for name in re.findall(r"Needs (\w+)", Path(folder, "function.yaml").read_text("utf-8"))
    )
    done = subprocess.run(
        [python, "-B", "-c", program, *plain],
        env=dict.fromkeys(needed, "http://here") | {"GRAPHC_STREAMS": f"dir:{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
