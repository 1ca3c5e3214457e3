"""A temporary folder that does not outlive its process for long, however that ends."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path


class TemporaryFolder:
    """A folder that goes when this is closed; those of processes that were killed go now.

    Whoever uses one has a lock on it, which ends with the process: without a lock it is nobody's.
    Raises OSError.
    """

    def __init__(self, prefix: str) -> None:
        for path in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            with suppress(OSError):
                _remove_if_left(path)
        lock: int | None = None
        # One that is not locked yet may be taken for one that is left.
        while lock is None:
            self.path = Path(tempfile.mkdtemp(prefix=prefix))
            lock = _lock(self.path)
        self._lock = lock

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _remove_if_left(path: Path) -> None:
    lock = _lock(path)
    if lock is not None:
        shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def _lock(path: Path) -> int | None:
    """The lock on a folder of one's own; None if somebody else has it, or it is gone."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    with ExitStack() as stack:
        stack.callback(os.close, lock)
        if os.fstat(lock).st_uid == os.geteuid():
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if path.exists():
                    stack.pop_all()
                    return lock
    return None
