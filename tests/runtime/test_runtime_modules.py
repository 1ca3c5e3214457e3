"""Every module runs on Python 3.9 to 3.13, with nothing but the standard library or its client."""

import ast
import pathlib
import subprocess
import sys

import pytest

import graphc.runtime_min

FOLDER = pathlib.Path(graphc.runtime_min.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("*.py"))
PYTHONS = ["3.9.18", "3.10.13", "3.12.1", "3.13.0"]
OPTIONAL = {
    "cloudpickle",
    "numpy",
    "pandas",
    "yaml",
}  # imported inside functions, only where asked for
#: Modules that need a client, which is a requirement of the functions that use them.
DRIVERS = {
    "remote": {"aiohttp"},
    "remote_batch": {"aiohttp"},
    "remote_own": {"aiohttp"},
    "send_to_http": {"aiohttp"},
    "stream_kafka": {"confluent_kafka"},
    "stream_mqtt": {"paho"},
    "stream_nats": {"nats"},
    "stream_rabbitmq": {"pika"},
}


@pytest.mark.parametrize("module", MODULES)
def test_parses_as_python_39_and_imports_the_standard_library_only(module):
    source = (FOLDER / f"{module}.py").read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        for name in names:
            top = name.split(".")[0]
            known = top in sys.stdlib_module_names or top in DRIVERS.get(module, ())
            assert known or (top in OPTIONAL and node.col_offset), f"{module} imports {name}"


@pytest.mark.parametrize("version", PYTHONS)
def test_imports_under_other_pythons(version, tmp_path):
    python = pathlib.Path(f"/root/.pyenv/versions/{version}/bin/python")
    if not python.exists():
        pytest.skip("this Python is not installed")
    (tmp_path / "runtime_min").symlink_to(FOLDER.resolve())
    code = "import " + ", ".join(
        f"runtime_min.{module}" for module in MODULES if module not in DRIVERS
    )
    done = subprocess.run(
        [python, "-W", "error", "-B", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
