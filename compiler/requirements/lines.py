"""From what code imports and what the user declared to the lines that pip is given."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..diagnostics import Span
from .declared import Declared, Entry
from .distributions import distribution, names_of
from .files import name_of

#: What packages do without, unless the user allows it.
_REPLACED = frozenset({"mlrun", "storey", "graphc"})


@dataclass(frozen=True, slots=True)
class Need:
    """A third-party import that is reached."""

    name: str
    place: Span | None = None
    #: The code has a way without it: `except ImportError`.
    optional: bool = False
    #: Of clients of our own modules: the version, where the user declares none.
    version: str = ""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a function's requirements.txt says."""

    #: Pip's options first, then sorted.
    lines: tuple[str, ...] = ()
    #: What is said behind a line.
    comments: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: Sentences on what is there and what is not.
    remarks: tuple[str, ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The lines with their comments."""
        return tuple(
            f"{line}  # {self.comments[line]}" if line in self.comments else line
            for line in self.lines
        )


def requirements(needs: Iterable[Need], asked: Iterable[str], declared: Declared) -> Requirements:
    """`asked`: lines that the user gave to this very function. They stay, reached or not.

    Of what the files declare only what is reached is taken.
    """
    needs = list(needs)
    decided = _Decided(declared)
    reached = {canonicalize_name(name) for need in needs for name in names_of(need.name)}
    for line in dict.fromkeys(line.strip() for line in asked if line.strip()):
        decided.add_asked(line, reached)
    for need in needs:
        decided.add_needed(need)
    return decided.result(reached)


class _Decided:
    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._options: dict[str, None] = {}
        self._lines: dict[str, None] = {}
        self._there: set[str] = set()
        self._from_files = False
        self._unreached: list[str] = []
        self._replaced: list[str] = []
        self._optional: list[str] = []

    def add_asked(self, line: str, reached: Collection[str]) -> None:
        name = name_of(line)
        if name is None:
            is_option = line.startswith("-") and not line.startswith(("-e", "--editable"))
            (self._options if is_option else self._lines)[line] = None
            return
        if name in _REPLACED and name not in reached:
            self._replaced.append(name)
            return
        if name not in reached:
            self._unreached.append(name)
        entry = self._declared.entries.get(name)
        if entry is not None and not _has_version(line):
            line = _with_version(line, entry)
        self._lines[line] = None
        self._there.add(name)

    def add_needed(self, need: Need) -> None:
        names = [canonicalize_name(name) for name in names_of(need.name)]
        if not self._there.isdisjoint(names):
            return
        found = next((name for name in names if name in self._declared.entries), None)
        if found is not None:
            entry = self._declared.entries[found]
            self._lines[_spelled(entry.line.split(" --hash")[0].strip(), need.name)] = None
            self._options |= dict.fromkeys(entry.options)
            self._from_files = self._from_files or "--hash" in entry.line
            self._there.add(found)
        elif need.optional:
            place = f" ({need.place.file})" if need.place else ""
            self._optional.append(f"{distribution(need.name)}{place}")
        else:
            self._lines[distribution(need.name) + need.version] = None
            self._there.add(names[0])

    def result(self, reached: Collection[str]) -> Requirements:
        remarks = []
        lines = sorted(self._lines, key=lambda line: (line.casefold(), line))
        hashed = [line for line in lines if "--hash" in line]
        if self._from_files or (hashed and len(hashed) != len(lines)):
            lines = [line.split(" --hash")[0].strip() for line in lines]
            remarks.append(
                "Hashes are left out: pip would ask for those of every package underneath, too."
            )
        if self._unreached:
            names = ", ".join(sorted(set(self._unreached)))
            remarks.append(f"No import reaches these, which the function asks for: {names}.")
        for name in sorted(set(self._replaced)):
            remarks.append(f"{name} is asked for and left out: nothing here needs it.")
        if self._optional:
            names = ", ".join(sorted(set(self._optional)))
            remarks.append(
                f"Imported where the code can do without, and nowhere declared: {names}."
            )
        remarks += self._left_out(reached)
        comments = {line: "not pinned" for line in lines if not _has_version(line)}
        return Requirements((*self._options, *lines), comments, tuple(remarks))

    def _left_out(self, reached: Collection[str]) -> Iterator[str]:
        by_file: dict[str, list[str]] = {}
        for name, entry in self._declared.entries.items():
            if entry.wanted and not {name} & {*self._there, *reached, *_REPLACED}:
                by_file.setdefault(entry.file, []).append(name)
        for file, names in sorted(by_file.items()):
            yield f"Left out of {file}, as no import reaches them: {', '.join(sorted(names))}."


def _has_version(line: str) -> bool:
    """Is a version, an address or a path given?"""
    try:
        requirement = Requirement(line.split(" --")[0].strip())
    except InvalidRequirement:
        return True
    return bool(requirement.url or str(requirement.specifier))


def _with_version(line: str, entry: Entry) -> str:
    try:
        asked, known = Requirement(line), Requirement(entry.line.split(" --")[0].strip())
    except InvalidRequirement:
        return line
    asked.specifier, asked.url = known.specifier, known.url
    return str(asked)


def _spelled(line: str, import_name: str) -> str:
    """A line of a lock file with the distribution's usual spelling."""
    usual = distribution(import_name)
    match = re.match(r"[A-Za-z0-9._-]+", line)
    if match and match[0].islower() and canonicalize_name(match[0]) == canonicalize_name(usual):
        return usual + line[match.end() :]
    return line
