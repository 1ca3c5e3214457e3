"""What `pip install` puts in place is all of it: pyproject.toml lists packages and data by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]

PLACES = {
    "compiler": "graphc",
    "runtime_min": "graphc/runtime_min",
    "templates": "graphc/templates",
}


def test_a_wheel_has_every_file(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in PLACES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    expected = {
        f"{place}/{path.relative_to(tmp_path / name).as_posix()}"
        for name, place in PLACES.items()
        for path in (tmp_path / name).rglob("*")
        if path.is_file()
    }
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", ".", "--wheel-dir", "out"]
    subprocess.run(pip, cwd=tmp_path, check=True)
    (wheel,) = (tmp_path / "out").glob("graphc-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == expected
