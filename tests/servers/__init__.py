"""Real servers on loopback, for tests: started on free ports, stopped, killed, started again."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import pytest


def missing(what: str, remedy: str) -> NoReturn:
    """The test cannot run: it fails where GRAPHC_SERVERS=required, else it is skipped."""
    message = f"{what} is not here: {remedy}"
    if os.environ.get("GRAPHC_SERVERS") == "required":
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


class Server:
    """A process that listens on a port; `stop`, `kill` and `start` it as often as needed."""

    def __init__(
        self,
        command: list[str],
        port: int,
        folder: Path,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.command = command
        self.port = port
        self.folder = folder
        self._environment = os.environ | (environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self.folder / "log").read_text(errors="replace")

    def start(self, patience: float = 60) -> None:
        """Returns when something listens on its port."""
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        process = self._process
        wait_until(lambda: _listens(self.port) or process.poll() is not None, patience)
        if process.poll() is not None:
            raise AssertionError(f"{self.command[0]} does not start:\n{self.log[-2000:]}")

    def stop(self, patience: float = 30) -> None:
        """Ends it as an operator would."""
        self._end(signal.SIGTERM, patience)

    def kill(self) -> None:
        """Ends it as a crash would."""
        self._end(signal.SIGKILL, 10)

    def close(self) -> None:
        """Ends it for good."""
        self.kill()

    def _end(self, how: signal.Signals, patience: float) -> None:
        if self._process is not None:
            # A script may stand between us and the server.
            os.killpg(self._process.pid, how)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._process = None


def post_until_taken(address: str, bodies: Iterable[Any]) -> int:
    """Posts bodies as JSON, one after the other, until each is answered 200; failed attempts."""
    failed, connection = 0, http.client.HTTPConnection(address, timeout=90)
    for body in bodies:
        while True:
            try:
                connection.request("POST", "/", json.dumps(body))
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    break
            except (OSError, http.client.HTTPException):
                connection.close()
            failed += 1
            time.sleep(0.2)
    connection.close()
    return failed


def wait_until(true: Callable[[], object], patience: float = 60, pause: float = 0.05) -> None:
    """Returns when it is true; fails the test when it has not been for too long."""
    end = time.monotonic() + patience
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not so after {patience} seconds: {true}")
        time.sleep(pause)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
