"""The command as people use it: sessions in `tests/cases/*.txt`, one text file a subject.

A file begins with what it shows, in a sentence or more. Then come commands and all that they give,

    $ graphc build graph.py
    2| built dist/shop
    exit 1

standard output after `1| `, standard error after `2| `, the exit code if it is not 0; and last,
the files of the folder the session starts in, each below a line `-- its/path --`. `WORK` stands
for that folder. `tests/run tests/test_cases.py --update` rewrites what the commands give.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
_FILE = re.compile(r"^-- (.+) --\n", re.MULTILINE)
_RESULT = re.compile(r"[12]\||exit \d")


@dataclass
class Case:
    """A text case, taken apart."""

    #: The session's lines without what the commands give.
    script: list[str]
    files: dict[str, str]

    @classmethod
    def read(cls, text: str) -> Case:
        session, *rest = _FILE.split(text)
        script = [line for line in session.splitlines() if not _RESULT.match(line)]
        return cls(script, dict(zip(rest[::2], rest[1::2], strict=True)))

    def run(self, work: Path) -> str:
        """The case's text as it would be if everything in it were right."""
        for path, text in self.files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(text, encoding="utf-8")
        lines = []
        for line in self.script:
            lines.append(line)
            if line.startswith("$ "):
                lines += _results(line.removeprefix("$ "), work)
        files = [f"-- {path} --\n{text}" for path, text in self.files.items()]
        return "\n".join(lines) + "\n" + "".join(files)


def _results(command: str, work: Path) -> list[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=work,
        env={**os.environ, "PATH": path, "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    lines = [
        f"{stream}| {line}".rstrip()
        for stream, text in ((1, done.stdout), (2, done.stderr))
        for line in text.replace(str(work), "WORK").splitlines()
    ]
    return lines + ([f"exit {done.returncode}"] if done.returncode else [])


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_session(file: Path, tmp_path: Path, update: bool) -> None:
    expected = file.read_text(encoding="utf-8")
    found = Case.read(expected).run(tmp_path)
    if update:
        file.write_text(found, encoding="utf-8")
    else:
        assert found == expected
