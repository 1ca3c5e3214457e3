"""Servers of Debian's packages: unpacked, not installed, so that nothing on the machine changes.

`python -m tests.servers.debian` fetches nats-server, mosquitto and rabbitmq-server into
.ci/servers, where tests find them.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import missing

_PACKAGES = ["nats-server", "mosquitto", "rabbitmq-server"]
_ROOT = Path(__file__).parents[2] / ".ci" / "servers"
_REMEDY = "run python -m tests.servers.debian"


def unpacked(pattern: str) -> str:
    """The one path of the packages' files that a pattern names."""
    found = sorted(_ROOT.glob(pattern))
    if not found:
        missing(Path(pattern).name, _REMEDY)
    return str(found[0])


def libraries() -> dict[str, str]:
    """The environment in which programs find the packages' libraries."""
    return {"LD_LIBRARY_PATH": ":".join(map(str, _ROOT.glob("usr/lib/*-linux-gnu")))}


def fetch() -> None:
    """Brings the packages, and those that they need and this machine has not, once."""
    _ROOT.parent.mkdir(parents=True, exist_ok=True)
    with (
        open(_ROOT.with_suffix(".lock"), "w") as lock,
        tempfile.TemporaryDirectory() as archives,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _ROOT.is_dir():
            return
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        Path(archives, "partial").mkdir()
        options = {
            "Dir::Cache::archives": archives,
            "Debug::NoLocking": "1",
            "APT::Sandbox::User": "root",
        }
        command = ["apt-get", "-qq", "-y", "--no-install-recommends", "--reinstall"]
        command += [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        command += ["--download-only", "install", *_PACKAGES]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        part = _ROOT.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for package in sorted(Path(archives).glob("*.deb")):
            subprocess.run(["dpkg-deb", "--extract", str(package), str(part)], check=True)
        part.rename(_ROOT)


if __name__ == "__main__":
    fetch()
