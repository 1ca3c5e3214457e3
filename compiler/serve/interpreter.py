"""Whether an interpreter has what packages need, asked before any of them is started."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..diagnostics import GraphError
from .packages import Package

_OLDEST = (3, 9)
_SECONDS = 60
#: What the worker itself imports.
_SDK = Requirement("nuclio-sdk")

#: Run by the interpreter in question: names on standard input, what it has as the last line out.
_PROBE = """
import importlib.metadata, importlib.util, json, os, platform, sys
sys.path[:] = [path for path in sys.path if path]
found = {}
for name in json.load(sys.stdin):
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
version = platform.python_version()
print()
print(json.dumps({
    "version": list(sys.version_info[:2]),
    "found": found,
    "sdk": importlib.util.find_spec("nuclio_sdk") is not None,
    "environment": {
        "implementation_name": sys.implementation.name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": sys.platform,
    },
}))
"""


def check_interpreter(python: str, packages: Iterable[Package], drivers: Iterable[str] = ()) -> str:
    """The interpreter's path; GC042, naming everything missing, when it cannot run the packages.

    `drivers` are requirements of the streams, besides those that the packages name.
    """
    path = shutil.which(python)
    if path is None:
        raise GraphError(
            f"there is no interpreter {python}",
            code="GC042",
            help="name one with --python, e.g. --python .venv/bin/python",
        )
    wanted: dict[str, list[tuple[Requirement, str]]] = {}
    for package in packages:
        for requirement in read_requirements(package.folder / "requirements.txt"):
            wanted.setdefault(canonicalize_name(requirement.name), []).append(
                (requirement, package.name)
            )
    for driver in map(Requirement, drivers):
        wanted.setdefault(driver.name, []).append((driver, "the broker"))
    answer = _ask(path, sorted({*wanted, _SDK.name}))

    missing: dict[str, str] = {}
    if not answer["sdk"]:
        missing[str(_SDK)] = f"{_SDK} (the package's own context, event and response)"
    for name in sorted(wanted):
        for requirement, function in wanted[name]:
            if requirement.marker and not requirement.marker.evaluate(answer["environment"]):
                continue
            version = answer["found"].get(name)
            requirement.marker = None
            if version is None:
                missing.setdefault(str(requirement), f"{requirement} (for {function})")
            elif not requirement.specifier.contains(version, prereleases=True):
                missing.setdefault(
                    str(requirement), f"{requirement} (for {function}; it has {version})"
                )
    if missing:
        raise GraphError(
            f"{path} lacks {', '.join(missing.values())}",
            code="GC042",
            help=f"{shlex.join([path, '-m', 'pip', 'install', *missing])}",
        )
    return path


def read_requirements(path: Path) -> list[Requirement]:
    """The requirements of a requirements.txt, without pip's options, paths and addresses."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise GraphError(f"cannot read {path}: {error}", code="GC041") from None
    found = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.sub(r"(^|\s)#.*", "", line)
        line = re.split(r"\s--", line, maxsplit=1)[0].strip()
        try:
            found.append(Requirement(line))
        except InvalidRequirement:
            continue
    return found


def _ask(python: str, names: list[str]) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [python, "-c", _PROBE],
            input=json.dumps(names),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
        )
        answer = json.loads(done.stdout.splitlines()[-1])
        version = tuple(answer["version"])
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError):
        raise GraphError(
            f"{python} is not a Python interpreter that works",
            code="GC042",
            help="name one with --python, e.g. --python .venv/bin/python",
        ) from None
    if version < _OLDEST:
        raise GraphError(
            f"{python} is Python {version[0]}.{version[1]}; packages need "
            f"{_OLDEST[0]}.{_OLDEST[1]} or newer",
            code="GC042",
        )
    return dict(answer)
