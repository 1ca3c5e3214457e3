from __future__ import annotations

import asyncio
import http.client
import json
import os
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from graphc.serve import Endpoint, Server, Streams
from graphc.serve.packages import find_packages

MakePackage = Callable[..., Path]
StartServer = Callable[..., "Running"]


@pytest.fixture
def make_package(tmp_path: Path) -> MakePackage:
    """Writes the folder of one function into tmp_path/dist, and the graph.json beside it."""

    def make(
        code: str,
        name: str = "fn",
        *,
        requirements: str = "",
        graph: dict[str, Any] | None = None,
        http: dict[str, Any] | None = None,
        **spec: Any,
    ) -> Path:
        folder = tmp_path / "dist" / name
        folder.mkdir(parents=True)
        (folder / "handler.py").write_text(textwrap.dedent(code))
        (folder / "requirements.txt").write_text(requirements)
        trigger = {"name": "http", "kind": "http", "numWorkers": 1, **(http or {})}
        config = {
            "apiVersion": "nuclio.io/v1",
            "kind": "NuclioFunction",
            "metadata": {"name": name},
            "spec": {"handler": "handler:handler", "triggers": {"http": trigger}, **spec},
        }
        (folder / "function.yaml").write_text(yaml.safe_dump(config))
        place = tmp_path / "dist" / "graph.json"
        known: dict[str, Any] = {"graphc": "0", "functions": {}}
        if place.exists():
            known = json.loads(place.read_text())
        known["functions"][name] = graph or {"topology": "flow"}
        place.write_text(json.dumps(known))
        return folder

    return make


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Running:
    """A server in a thread of its own."""

    server: Server
    loop: asyncio.AbstractEventLoop
    endpoints: tuple[Endpoint, ...] = ()
    lines: list[str] = field(default_factory=list)

    def stop(self) -> None:
        """End it before the test does."""
        asyncio.run_coroutine_threadsafe(self.server.close(), self.loop).result(60)

    def call(
        self,
        path: str = "/",
        body: Any = None,
        content_type: str | None = None,
        method: str | None = None,
        function: int = 0,
        **headers: str,
    ) -> Reply:
        address = urlsplit(self.endpoints[function].url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if content_type is not None:
            named["Content-Type"] = content_type
        try:
            connection.request(
                method or ("GET" if body is None else "POST"), path, body=body, headers=named
            )
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def wait_for(self, text: str, count: int = 1) -> None:
        """Until the log has so many lines with the text."""
        deadline = time.monotonic() + 60
        while sum(text in line for line in self.lines) < count:
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.01)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Serves tmp_path/dist on free ports until the test ends."""
    running: list[Running] = []
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def run(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    def start(**options: Any) -> Running:
        async def begin() -> Running:
            lines: list[str] = []
            if "streams" not in options:
                given = "GRAPHC_STREAMS" in os.environ
                options["streams"] = Streams(None if given else tmp_path / "streams")
            server = Server(find_packages(tmp_path / "dist"), log=lines.append, **options)
            found = Running(server, loop, lines=lines)
            running.append(found)
            found.endpoints = await server.start()
            return found

        result: Running = run(begin())
        return result

    try:
        yield start
    finally:
        for each in running:
            run(each.server.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
