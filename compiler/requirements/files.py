"""Files that declare packages: requirements, constraints, lock files, projects.

In: their texts. Out: for each, what it says about which distribution (`Stated`). Nothing is
resolved; a line that makes no sense is a `Malformed`.
"""

from __future__ import annotations

import configparser
import json
import posixpath
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

#: Gives the text of a file by its path, relative to the graph file's folder; None: it is not there.
Read = Callable[[str], str | None]


_OPTIONS = frozenset({
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index",
    "--trusted-host", "--pre", "--prefer-binary", "--no-binary", "--only-binary",
})  # fmt: skip

#: `channel::name=1.2=build`
_CONDA = re.compile(r"(?:[\w-]+::)?([A-Za-z0-9._-]+)(?:={1,2}([\d.]+))?(=\S+)?")


@dataclass(frozen=True, slots=True)
class Stated:
    """What a file says about one distribution."""

    #: Normalised.
    name: str
    #: As pip takes it, without a comment; `name==version` of a lock file.
    line: str
    #: A lock file or a constraint says only which version, not that it is wanted.
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Malformed:
    """A part of a file that says nothing; `line` counts from 1, 0 is the file as a whole."""

    line: int
    reason: str


Found = Iterator[Stated | Malformed]


def name_of(line: str) -> str | None:
    """The normalised name that a requirement line is about, if it says so."""
    text = re.split(r"\s#|\s--|\s-[a-z]\s", line)[0].strip()
    try:
        return canonicalize_name(Requirement(text).name)
    except InvalidRequirement:
        pass
    if found := re.search(r"[#&]egg=([A-Za-z0-9._-]+)", line):
        return canonicalize_name(found[1])
    file = posixpath.basename(text.partition("#")[0])
    if file.endswith(".whl"):
        try:
            return parse_wheel_filename(file)[0]
        except InvalidWheelFilename:
            return None
    if "://" in text and (found := re.search(r"/([A-Za-z0-9._-]+?)(\.git)?(@[^/]*)?$", text)):
        return canonicalize_name(found[1])
    return None


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a requirements file without comments, those ending in `\\` joined."""
    joined, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        if line.endswith("\\"):
            joined += line[:-1].rstrip() + " "
            continue
        whole = re.sub(r"(^|\s)#.*$", "", joined + line.strip()).strip()
        if whole:
            yield start, whole
        joined, start = "", 0
    if joined.strip():
        yield start, joined.strip()


def expanded(read: Read, path: str, seen: tuple[str, ...] = ()) -> Iterator[tuple[int, str, bool]]:
    """The lines of a requirements file and those it includes: `(line, text, is a constraint)`.

    Options (`--index-url`) come as they are; what cannot be read is left as the line that names it.
    """
    text = read(path)
    for number, line in logical_lines(text or ""):
        option = re.match(r"(-r|--requirement|-c|--constraint)[\s=]+(\S+)$", line)
        if option is None:
            yield number, line, False
            continue
        inner = posixpath.normpath(posixpath.join(posixpath.dirname(path), option[2]))
        is_constraint = "c" in option[1][:3] and option[1] != "--requirement"
        if inner in (path, *seen) or len(seen) > 20:
            continue
        if read(inner) is None:
            yield number, line, is_constraint
            continue
        for _, below, constrains in expanded(read, inner, (*seen, path)):
            yield number, below, is_constraint or constrains


def wanted_lines(read: Read, path: str) -> list[str]:
    """What a requirements file asks pip for, in lines of its own; constraints become versions."""
    wanted: list[str] = []
    versions: dict[str, str] = {}
    for _, line, constrains in expanded(read, path):
        name = name_of(line)
        if not constrains:
            wanted.append(line)
        elif name is not None:
            versions[name] = line
    return [_constrained(line, versions.get(name_of(line) or "")) for line in wanted]


def _constrained(line: str, constraint: str | None) -> str:
    if constraint is None:
        return line
    try:
        requirement = Requirement(line)
        requirement.specifier &= Requirement(constraint).specifier
    except InvalidRequirement:
        return line
    return str(requirement)


def requirements_txt(read: Read, path: str) -> Found:
    """`requirements.txt`, `constraints.txt`; options are not for here."""
    only_constraints = "constraint" in posixpath.basename(path)
    for number, line, constrains in expanded(read, path):
        if line.startswith("-") and not line.startswith(("-e", "--editable")):
            if re.match(r"(-r|--requirement|-c|--constraint)\b", line):
                yield Malformed(number, f"there is no file {line.split()[-1]!r}")
            continue
        name = name_of(line)
        if name is None:
            yield Malformed(number, f"{line!r} names no distribution")
        else:
            yield Stated(name, line, not (constrains or only_constraints))


def options(read: Read, path: str) -> tuple[str, ...]:
    """Where pip shall look for packages, as a requirements file says it."""
    lines = (line for _, line, _ in expanded(read, path))
    return tuple(line for line in lines if re.split(r"[\s=]", line)[0] in _OPTIONS)


def pyproject_toml(read: Read, path: str) -> Found:
    """PEP 621 and Poetry, with extras and groups."""
    data = tomllib.loads(read(path) or "")
    project = _table(data, "project")
    lines = list(_list(project.get("dependencies")))
    for group in (*_table(project, "optional-dependencies").values(),
                  *_table(data, "dependency-groups").values()):  # fmt: skip
        lines += [item for item in _list(group) if isinstance(item, str)]
    for line in lines:
        yield from _stated(line)
    poetry = _table(_table(data, "tool"), "poetry")
    tables = [_table(poetry, "dependencies")]
    tables += [
        _table(group, "dependencies")
        for group in _table(poetry, "group").values()
        if isinstance(group, dict)
    ]
    for table in tables:
        yield from _by_name(table)


def pipfile(read: Read, path: str) -> Found:
    yield from _by_name(_table(tomllib.loads(read(path) or ""), "packages"))


def setup_cfg(read: Read, path: str) -> Found:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(read(path) or "")
    for line in parser.get("options", "install_requires", fallback="").splitlines():
        if line.strip():
            yield from _stated(line.strip())


def environment_yml(read: Read, path: str) -> Found:
    """Conda's: what pip installs, and conda's own packages of the same names."""
    data = yaml.safe_load(read(path) or "")
    for item in _list(data.get("dependencies") if isinstance(data, dict) else None):
        if isinstance(item, dict):
            for line in _list(item.get("pip")):
                yield from _stated(str(line))
        elif (found := _CONDA.fullmatch(str(item))) and found[1] != "python":
            version = f"=={found[2]}.*" if found[2] else ""
            yield from _stated(found[1] + version)


def package_lock(read: Read, path: str) -> Found:
    """poetry.lock, uv.lock, pdm.lock, pylock.toml: exact versions."""
    data = tomllib.loads(read(path) or "")
    versions: dict[str, set[str]] = {}
    for package in _list(data.get("package") or data.get("packages")):
        name, version = package.get("name"), package.get("version")
        source = package.get("source")
        source = source if isinstance(source, dict) else {}
        if not isinstance(name, str) or source.keys() & {"virtual", "editable", "directory"}:
            continue
        git = source.get("git") or (source.get("url") if source.get("type") == "git" else None)
        if isinstance(git, str):
            base, _, commit = git.partition("#")
            commit = source.get("resolved_reference") or commit
            line = f"{name} @ git+{base.partition('?')[0]}" + (f"@{commit}" if commit else "")
        elif isinstance(version, str):
            line = f"{name}=={version}"
        else:
            continue
        versions.setdefault(canonicalize_name(name), set()).add(line)
    for key, lines in versions.items():
        if len(lines) == 1:  # else the version depends on the platform
            yield Stated(key, lines.pop(), wanted=False)


def pipfile_lock(read: Read, path: str) -> Found:
    data = json.loads(read(path) or "{}")
    for name, entry in _table(data, "default").items():
        if isinstance(entry, dict) and isinstance(entry.get("version"), str):
            yield Stated(canonicalize_name(name), f"{name}{entry['version']}", wanted=False)


#: Files by name, the ones that say most exactly what is wanted first; lock files only say versions.
FORMATS: Mapping[str, Callable[[Read, str], Found]] = {
    "requirements.txt": requirements_txt,
    "pyproject.toml": pyproject_toml,
    "Pipfile": pipfile,
    "setup.cfg": setup_cfg,
    "environment.yml": environment_yml,
    "environment.yaml": environment_yml,
    "uv.lock": package_lock,
    "poetry.lock": package_lock,
    "pdm.lock": package_lock,
    "pylock.toml": package_lock,
    "Pipfile.lock": pipfile_lock,
    "constraints.txt": requirements_txt,
}


def format_of(path: str) -> Callable[[Read, str], Found]:
    """How a file is read; those of other names are taken for requirements files."""
    return FORMATS.get(posixpath.basename(path), requirements_txt)


def _stated(line: str) -> Found:
    name = name_of(line)
    yield Stated(name, line) if name else Malformed(0, f"{line!r} names no distribution")


def _by_name(table: Mapping[str, Any]) -> Found:
    """`name = "^1.2"` and `name = {version = "...", extras = [...]}`."""
    for name, entry in table.items():
        if name == "python":
            continue
        entries = entry if isinstance(entry, list) else [entry]
        if len(entries) != 1:
            continue  # by platform
        value = entries[0] if isinstance(entries[0], dict) else {"version": entries[0]}
        extras = _list(value.get("extras"))
        shown = name + (f"[{','.join(map(str, extras))}]" if extras else "")
        if isinstance(value.get("git"), str):
            reference = (
                value.get("rev") or value.get("tag") or value.get("branch") or value.get("ref")
            )
            line = f"{shown} @ git+{value['git']}" + (f"@{reference}" if reference else "")
        elif isinstance(value.get("url"), str):
            line = f"{shown} @ {value['url']}"
        else:
            line = shown + _specifier(str(value.get("version", "*")))
            if isinstance(value.get("markers"), str):
                line += f"; {value['markers']}"
        yield from _stated(line)


def _specifier(text: str) -> str:
    """Poetry's `^1.2.3`, `~1.2` and `*`, or a specifier as it is."""
    found = []
    for part in text.split(","):
        part = part.strip()
        match = re.fullmatch(r"([\^~]?)(\d+(?:\.\d+)*)", part)
        if part in ("", "*"):
            continue
        if match is None:
            found.append(part)
            continue
        numbers = [int(number) for number in match[2].split(".")]
        if not match[1]:
            found.append(f"=={match[2]}")
            continue
        keep = min(len(numbers) - 1, 1)
        if match[1] == "^":
            keep = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
        upper = [*numbers[:keep], numbers[keep] + 1]
        found.append(f">={match[2]},<{'.'.join(map(str, upper))}")
    return ",".join(found)


def _table(data: Any, key: str) -> Mapping[str, Any]:
    value = data.get(key) if isinstance(data, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
