"""rabbitmq-server, with an Erlang port mapper of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from . import Server, free_port
from .debian import libraries, unpacked

_ERL = """#!/bin/sh
export ROOTDIR="{root}" BINDIR="{programs}" EMU=beam PROGNAME=erl
exec "$BINDIR/erlexec" "$@"
"""


class Rabbitmq(Server):
    def __init__(self, folder: Path) -> None:
        start = unpacked("usr/lib/rabbitmq/lib/*/sbin/rabbitmq-server")
        self._programs = unpacked("usr/lib/erlang/erts-*/bin")
        port, self._mapper_port = free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        # Debian's `erl` looks for Erlang where Debian installs it.
        erl = folder / "bin" / "erl"
        erl.parent.mkdir(parents=True, exist_ok=True)
        erl.write_text(_ERL.format(root=unpacked("usr/lib/erlang"), programs=self._programs))
        erl.chmod(0o755)
        (folder / "rabbitmq.conf").write_text(f"listeners.tcp.default = {self.address}\n")
        environment = {
            **libraries(),
            "HOME": str(folder),
            "PATH": f"{erl.parent}:/usr/local/bin:/usr/bin:/bin",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._mapper_port),
            "RABBITMQ_NODENAME": "rabbit@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }
        super().__init__(["sh", start], port, folder, environment)
        self._mapper: subprocess.Popen[bytes] | None = None

    def start(self, patience: float = 60) -> None:
        if self._mapper is None:
            where = ["-address", "127.0.0.1", "-port", str(self._mapper_port)]
            self._mapper = subprocess.Popen([f"{self._programs}/epmd", *where])
        super().start(patience)

    def close(self) -> None:
        """Ends it for good."""
        self.kill()
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait()

    def declare(self, exchange: str, key: str, queue: str) -> None:
        """A topic exchange and a queue that takes what has the key, as Nuclio's trigger does."""
        with self._connection() as connection:
            channel = connection.channel()
            channel.exchange_declare(exchange, "topic", durable=True)
            channel.queue_declare(queue, durable=True)
            channel.queue_bind(queue, exchange, key)

    def messages(self, queue: str) -> list[tuple[bytes, dict[str, str]]]:
        """What waits in a queue: data and headers, in order; it is taken out."""
        found: list[tuple[bytes, dict[str, str]]] = []
        with self._connection() as connection:
            channel = connection.channel()
            while True:
                method, properties, data = channel.basic_get(queue, auto_ack=True)
                if method is None:
                    return found
                found.append((data, properties.headers or {}))

    def _connection(self) -> Any:
        import pika

        return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.port))
