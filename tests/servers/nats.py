"""nats-server with JetStream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from . import Server, free_port
from .debian import unpacked


class Nats(Server):
    def __init__(self, folder: Path) -> None:
        program, port = unpacked("usr/sbin/nats-server"), free_port()
        self.address = f"127.0.0.1:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "nats.conf"
        # It asks soon whether clients are there.
        settings.write_text(
            f'listen: "{self.address}"\nping_interval: "1s"\nping_max: 2\n'
            f'jetstream {{ store_dir: "{folder}" }}\n'
        )
        super().__init__([program, "--config", str(settings)], port, folder)

    def add_stream(self, name: str, subject: str) -> None:
        """A stream of JetStream that keeps what is sent to a subject."""

        async def work(jetstream: Any) -> None:
            await jetstream.add_stream(name=name, subjects=[subject])

        self._run(work)

    def messages(self, name: str) -> list[tuple[bytes, dict[str, str]]]:
        """What a stream has kept: data and headers, in order."""

        async def work(jetstream: Any) -> list[tuple[bytes, dict[str, str]]]:
            last = (await jetstream.stream_info(name)).state.last_seq
            kept = [await jetstream.get_msg(name, number) for number in range(1, last + 1)]
            return [(message.data, message.headers or {}) for message in kept]

        found: list[tuple[bytes, dict[str, str]]] = self._run(work)
        return found

    def _run(self, work: Callable[[Any], Awaitable[Any]]) -> Any:
        from nats.aio.client import Client

        async def main() -> Any:
            client = Client()
            await client.connect(f"nats://{self.address}")
            try:
                return await work(client.jetstream())
            finally:
                await client.close()

        return asyncio.run(main())
