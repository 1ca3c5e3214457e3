"""A package in Nuclio's own processor, where one is named: built by whoever runs the tests.

GRAPHC_NUCLIO_PROCESSOR is the processor of Nuclio 1.14, NUCLIO_PYTHON_WRAPPER_PATH its
_nuclio_wrapper.py; NUCLIO_PYTHON_EXE_PATH may name the Python that runs packages, which needs
nuclio-sdk, msgpack and the packages' requirements.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import free_port, wait_until

_NEEDS = "import confluent_kafka, msgpack, nuclio_sdk, spacy"


def needs_processor() -> None:
    """Skips the test, and says why, where no processor is named."""
    for name in ("GRAPHC_NUCLIO_PROCESSOR", "NUCLIO_PYTHON_WRAPPER_PATH"):
        if not os.path.isfile(os.environ.get(name, "")):
            pytest.skip(f"{name} names no file: these tests run in Nuclio's own processor")
    if subprocess.run([_python(), "-c", _NEEDS], capture_output=True).returncode:
        pytest.skip(f"{_python()} lacks nuclio-sdk, msgpack, confluent-kafka or spacy")


def _python() -> str:
    return os.environ.get("NUCLIO_PYTHON_EXE_PATH", sys.executable)


class Processor:
    """The processor, which runs a package by its own function.yaml, on ports of its own."""

    def __init__(
        self, package: Path, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._folder = folder
        self._package = package
        self._health, self.port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        config = yaml.safe_load((package / "function.yaml").read_text())
        for trigger in config["spec"]["triggers"].values():
            if trigger["kind"] == "http":
                trigger["url"] = f"127.0.0.1:{self.port}"
        (folder / "function.yaml").write_text(yaml.safe_dump(config))
        log = {"level": "info", "sink": "out"}
        platform = {
            "webAdmin": {"enabled": True, "listenAddress": f"127.0.0.1:{free_port()}"},
            "healthCheck": {"enabled": True, "listenAddress": f"127.0.0.1:{self._health}"},
            "logger": {"sinks": {"out": {"kind": "stdout"}}, "system": [log], "functions": [log]},
        }
        (folder / "platform.yaml").write_text(yaml.safe_dump(platform))
        # What Nuclio's platforms set, which the processor leaves to them.
        given = {
            entry["name"]: entry["value"]
            for entry in config["spec"].get("env", ())
            if "value" in entry
        }
        self._environment = {
            **os.environ,
            **given,
            **(environment or {}),
            "NUCLIO_PYTHON_PATH": str(package),
            "NUCLIO_PYTHON_EXE_PATH": _python(),
            "TMPDIR": str(folder),
        }

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns when it is ready."""
        with open(self._folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [
                    os.environ["GRAPHC_NUCLIO_PROCESSOR"],
                    f"--config={self._folder}/function.yaml",
                    f"--platform-config={self._folder}/platform.yaml",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                cwd=self._folder,
                start_new_session=True,
            )
        wait_until(lambda: self._is_ready() or not self.running, 60)
        assert self.running, f"the processor does not start:\n{self.log[-4000:]}"

    def request(self, body: Any = None, path: str = "/", method: str = "POST") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def kill(self) -> None:
        """Ends it and its workers as a crash of the machine would."""
        self._end(signal.SIGKILL)

    def stop(self) -> float:
        """Ends it as Kubernetes does; how many seconds that took."""
        assert self._process is not None
        started = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(60)
        self._end(signal.SIGKILL)
        return time.monotonic() - started

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, how)
        self._process.wait(30)
        self._process = None

    def _is_ready(self) -> bool:
        probe = http.client.HTTPConnection("127.0.0.1", self._health, timeout=5)
        try:
            probe.request("GET", "/ready")
            return probe.getresponse().status == 200
        except OSError:
            return False
        finally:
            probe.close()


@contextmanager
def processor(
    package: Path, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Processor]:
    """A processor that runs a package."""
    made = Processor(package, folder, environment)
    made.start()
    try:
        yield made
    finally:
        made.kill()
