"""How a package reaches the disk, whole or not at all, and how it is compared with what is there.

In goes a map of names to contents, already complete; out comes a folder that holds exactly that.
What the files mean is not known here, but that `graph.json` has the key `graphc`: by it a folder is
recognised as an earlier output, and nothing else is ever replaced.

The files are staged in a sibling folder and put in place by renames:

    .dist.graphc-new-<n>   being written             at any time
    dist -> .dist.graphc-old                         the old output is moved away
    .dist.graphc-new-<n> -> dist                     the new one takes its place
    .dist.graphc-old -> .dist.graphc-trash-<n>       and the old one is removed

Killed at any instant, the old output is at `dist` or at `.dist.graphc-old`, or the new one is at
`dist`. `publish` and `recover` repair the middle state, `compare` names it. A lock file beside the
folder keeps builds into the same folder apart; readers need no lock.
"""

from __future__ import annotations

import difflib
import json
import os
import shutil
import stat
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from ..diagnostics import GraphError

if sys.platform != "win32":
    import fcntl

#: Relative POSIX path -> content.
Files = Mapping[str, bytes]

#: The file by which an output of graphc is recognised, and the key in it.
MARK_FILE = "graph.json"
MARK_KEY = "graphc"

_LOCK_SECONDS = 60.0
_CACHE = "__pycache__"
#: Beyond these a changed file is named and not shown: difflib's time grows with the square.
_LONGEST_DIFF_BYTES = 1 << 20
_LONGEST_DIFF_LINES = 20_000


def publish(files: Files, out: Path, *, protect: Iterable[Path] = ()) -> None:
    """Make `out` a folder with exactly these files, or leave it as it was.

    `protect` names what must survive: the sources, say, which may not lie inside `out`. A folder
    that has these very files already is not touched.
    """
    _check_names(files)
    out = _checked_place(out, protect)
    if not _needs_repair(out) and _holds(files, out):
        return
    with _as_graph_error(out), _locked(out):
        _restore(out)
        _check_replaceable(out)
        if not _holds(files, out):
            _clean(out, strict=False)
            _swap(files, out)
        _clean(out, strict=True)


def recover(out: Path) -> bool:
    """Repair what a killed build left beside `out`; whether there was anything to repair."""
    out = _checked_place(out, ())
    if not _needs_repair(out):
        return False
    with _as_graph_error(out), _locked(out):
        found = bool(_traces(out))
        _restore(out)
        _clean(out, strict=True)
    return found


def compare(files: Files, out: Path) -> str:
    """What `publish` would change, as a unified diff with missing and left-over files named.

    "" if nothing. Old is what is on disk, new is what was built; names begin with the folder's own.
    """
    _check_names(files)
    name = _shown(out.name or str(out))
    place = Path(os.path.realpath(out))
    if not os.path.lexists(place):
        if os.path.lexists(_beside(place, "old")):
            return f"interrupted: a build was killed while it replaced {name}; build again\n"
        return f"missing: {name}\n"
    if out.is_symlink() or not place.is_dir():
        return f"not a folder: {name}\n"
    with _as_graph_error(out):
        found = dict(_walk(place))
        parts = []
        for path in sorted(files.keys() | found.keys()):
            label = f"{name}/{_shown(path)}"
            if path not in found:
                parts.append(f"missing: {label}\n")
            elif path not in files:
                parts.append(f"left over: {label}\n")
            elif not found[path]:
                parts.append(f"not a regular file: {label}\n")
            else:
                parts.append(_difference((place / path).read_bytes(), files[path], label))
    return "".join(parts)


# --------------------------------------------------------------------------
# what may be written, and where
# --------------------------------------------------------------------------


def _check_names(files: Files) -> None:
    """Names come from templates and checked function names: a bad one is a bug, a clash is not."""
    spelled: dict[tuple[str, ...], tuple[str, ...]] = {}
    kinds: dict[tuple[str, ...], bool] = {}
    for path in sorted(files):
        parts = tuple(path.split("/"))
        if not _is_clean(path, parts):
            raise AssertionError(f"not a clean relative path in a package: {path!r}")
        for length in range(1, len(parts) + 1):
            head = parts[:length]
            # macOS and Windows hold these for the same name.
            key = tuple(unicodedata.normalize("NFC", part).casefold() for part in head)
            is_file = length == len(parts)
            if spelled.setdefault(key, head) != head or kinds.setdefault(key, is_file) != is_file:
                raise GraphError(
                    f"two parts of the output have the name {'/'.join(head)!r} "
                    f"(the other is {'/'.join(spelled[key])!r})",
                    code="GC018",
                    help="rename one of them; upper and lower case count as the same here, as not "
                    "every file system tells them apart",
                )
    if MARK_FILE not in files or not _is_mark(files[MARK_FILE]):
        raise AssertionError(f"a package needs a {MARK_FILE} with the key {MARK_KEY!r}")


def _is_clean(path: str, parts: tuple[str, ...]) -> bool:
    return all(part not in ("", ".", "..") for part in parts) and not any(
        char == "\\" or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in path
    )


def _is_mark(content: bytes) -> bool:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and MARK_KEY in value


def _checked_place(out: Path, protect: Iterable[Path]) -> Path:
    """The folder's real path; refused when replacing it would harm more than an output."""
    if out.is_symlink():
        raise _refusal(out, "it is a symbolic link", "name the folder itself")
    try:
        real = Path(os.path.realpath(out))
        here = Path.cwd()
        home = Path(os.path.realpath(Path.home()))
    except (OSError, RuntimeError, ValueError) as error:
        raise GraphError(f"cannot use the output folder {out}: {error}", code="GC041") from None
    if real == Path(real.anchor):
        raise _refusal(out, "it is the root of the file system")
    for place, what in ((here, "the current folder"), (home, "your home folder")):
        if place.is_relative_to(real):
            raise _refusal(out, f"it is or contains {what}")
    for kept in protect:
        if Path(os.path.realpath(kept)).is_relative_to(real):
            raise _refusal(out, f"it contains the source {kept}")
    return real


def _check_replaceable(out: Path) -> None:
    """Only what an earlier build wrote is replaced; and never the history of a repository."""
    if not os.path.lexists(out):
        return
    if not stat.S_ISDIR(os.lstat(out).st_mode):
        raise _refusal(out, "it is not a folder")
    with os.scandir(out) as entries:
        if not any(True for _ in entries):
            return
    mark = out / MARK_FILE
    if mark.is_symlink() or not mark.is_file() or not _is_mark(mark.read_bytes()):
        raise _refusal(out, f"it has files, and no {MARK_FILE} that graphc wrote")
    for folder, folders, names in os.walk(out):
        if ".git" in folders or ".git" in names:
            raise _refusal(out, f"there is a repository in it: {Path(folder) / '.git'}")


def _refusal(
    out: Path, why: str, help: str = "name a new folder, an empty one or an earlier output with -o"
) -> GraphError:
    return GraphError(f"{out} is not replaced: {why}", code="GC040", help=help)


# --------------------------------------------------------------------------
# the swap
# --------------------------------------------------------------------------


def _swap(files: Files, out: Path) -> None:
    staged = _unused(out, "new")
    old = _beside(out, "old")
    try:
        _stage(files, staged)
        if _has_entries(out):
            os.rename(out, old)
        # An empty folder is replaced by this very rename.
        os.rename(staged, out)
    except BaseException:
        _restore(out)
        shutil.rmtree(staged, ignore_errors=True)
        raise
    _retire(old, out)


def _stage(files: Files, staged: Path) -> None:
    os.mkdir(staged)
    folders = {str(PurePosixPath(path).parent) for path in files}
    folders |= {str(parent) for folder in folders for parent in PurePosixPath(folder).parents}
    for folder in sorted(folders - {"."}):
        os.mkdir(staged / folder)
    for path in sorted(files):
        with open(staged / path, "xb") as file:
            file.write(files[path])


def _restore(out: Path) -> None:
    """Put the old output back when a build ended between the two renames."""
    old = _beside(out, "old")
    if not os.path.lexists(old):
        return
    if os.path.lexists(out):
        _retire(old, out)
    else:
        os.rename(old, out)


def _retire(old: Path, out: Path) -> None:
    # Removed under another name: half of an old output must never be taken for a whole one.
    if os.path.lexists(old):
        os.rename(old, _unused(out, "trash"))


def _clean(out: Path, *, strict: bool) -> None:
    """Remove what staging and retiring left; nobody else stages while the lock is held."""
    for path in _traces(out):
        try:
            if path.is_symlink() or not path.is_dir():
                path.unlink()
            else:
                shutil.rmtree(path)
        except OSError as error:
            if strict:
                raise GraphError(
                    f"{out} is complete, but {path} cannot be removed: {_reason(error)}",
                    code="GC041",
                    help=f"remove {path} by hand",
                ) from None


def _traces(out: Path) -> list[Path]:
    """What a killed build may have left beside `out`."""
    prefixes = tuple(f".{out.name}.graphc-{kind}-" for kind in ("new", "trash"))
    try:
        names = os.listdir(out.parent)
    except OSError:
        return []
    old = _beside(out, "old").name
    return [out.parent / name for name in sorted(names) if name == old or name.startswith(prefixes)]


def _needs_repair(out: Path) -> bool:
    return bool(_traces(out)) or os.path.lexists(_beside(out, "lock"))


def _beside(out: Path, kind: str) -> Path:
    return out.with_name(f".{out.name}.graphc-{kind}")


def _unused(out: Path, kind: str) -> Path:
    number = os.getpid()
    while os.path.lexists(path := _beside(out, f"{kind}-{number}")):
        number += 1
    return path


def _has_entries(folder: Path) -> bool:
    return os.path.lexists(folder) and bool(os.listdir(folder))


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold the lock of this output; wait for a build that has it, but not for ever."""
    out.parent.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield
        return
    path = _beside(out, "lock")
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it removed the file: a lock on that one excludes nobody.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(path)):
                    break
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(handle)
                raise GraphError(
                    f"another build is writing {out}",
                    code="GC041",
                    help=f"wait for it, or end it; the lock is {path}",
                ) from None
            time.sleep(0.02)
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(path)
        os.close(handle)


@contextmanager
def _as_graph_error(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GraphError(
            f"{out} cannot be written or read: {_reason(error)}", code="GC041"
        ) from error


def _reason(error: OSError) -> str:
    place = f" ({_shown(str(error.filename))})" if error.filename else ""
    return f"{error.strerror or error}{place}"


# --------------------------------------------------------------------------
# what is there, and how it differs
# --------------------------------------------------------------------------


def _walk(folder: Path) -> Iterator[tuple[str, bool]]:
    """Every file below the folder and whether it is a regular one, Python's caches left out."""

    def fail(error: OSError) -> None:
        raise error

    for at, folders, names in os.walk(folder, onerror=fail):
        below = Path(at).relative_to(folder)
        for name in list(folders):
            # Named once, not file by file; a link to a folder is walked by nobody.
            if name == ".git" or (Path(at) / name).is_symlink():
                folders.remove(name)
                yield (below / name).as_posix(), False
        if _CACHE in folders:
            folders.remove(_CACHE)
        elif not folders and not names and Path(at) != folder:
            yield f"{below.as_posix()}/", False
        for name in names:
            mode = os.lstat(os.path.join(at, name)).st_mode
            yield (below / name).as_posix(), stat.S_ISREG(mode)


def _holds(files: Files, out: Path) -> bool:
    """Whether the folder has exactly these files."""
    try:
        if out.is_symlink() or not out.is_dir():
            return False
        found = dict(_walk(out))
        return found.keys() == files.keys() and all(
            is_regular
            and (out / path).stat().st_size == len(files[path])
            and (out / path).read_bytes() == files[path]
            for path, is_regular in found.items()
        )
    except OSError:
        return False


def _difference(old: bytes, new: bytes, label: str) -> str:
    if old == new:
        return ""
    if len(old) + len(new) > _LONGEST_DIFF_BYTES:
        return f"differs (too large to show): {label}\n"
    try:
        before, after = old.decode(), new.decode()
    except UnicodeDecodeError:
        return f"differs (binary): {label}\n"
    if "\0" in before or "\0" in after:
        return f"differs (binary): {label}\n"
    if before.count("\n") + after.count("\n") > _LONGEST_DIFF_LINES:
        return f"differs (too large to show): {label}\n"
    lines = difflib.unified_diff(
        _lines(before), _lines(after), label, label, "on disk", "built", lineterm="\n"
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(text: str) -> list[str]:
    # str.splitlines would split at form feeds and the like as well, which no diff tool does.
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _shown(name: str) -> str:
    """A name from the disk without what would steer a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in name
    )
