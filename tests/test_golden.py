"""Every golden folder, and every example, is what graphc makes of its graph file today.

`tests/run tests/test_golden.py --update` rewrites them; read the difference before you commit it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from golden_cases import built, cases, expected, findings
from graphc.package.publish import compare, publish

CASES = list(cases())


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_output_and_findings(folder: Path, update: bool) -> None:
    made = built(folder)
    said, dist = folder / "stderr.txt", folder / "dist"
    if update:
        said.unlink(missing_ok=True)
        if findings(made):
            said.write_text(findings(made), encoding="utf-8")
        if made.failed:
            shutil.rmtree(dist, ignore_errors=True)
        else:
            publish(expected(made, folder), dist)
    assert findings(made) == (said.read_text(encoding="utf-8") if said.exists() else "")
    assert made.failed != dist.exists()
    if not made.failed:
        assert compare(expected(made, folder), dist) == ""


def test_same_bytes_in_another_process() -> None:
    """Neither hash seeds nor what was built before show in the output."""
    program = (
        "import sys, hashlib, pathlib; sys.path.insert(0, sys.argv[1])\n"
        "from golden_cases import built, cases\n"
        "for folder in reversed(list(cases())):\n"
        "    made = built(folder)\n"
        "    data = repr(sorted(made.files.items())).encode()\n"
        "    print(folder.name, hashlib.sha256(data).hexdigest())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parent)],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert all(f"{folder.name} " in next(iter(outputs)) for folder in CASES)
