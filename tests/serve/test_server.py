"""What a client and a handler see of each other is what Nuclio 1.14.1 lets them see."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from graphc.diagnostics import GraphError

from .conftest import MakePackage, Running, StartServer

#: Answers with what it was given.
ECHO = """
import json

def handler(context, event):
    body = event.body
    kind = type(body).__name__
    if isinstance(body, bytes):
        body = body.decode("latin-1")
    return json.dumps({
        "kind": kind, "body": body, "content_type": event.content_type, "path": event.path,
        "method": event.method, "headers": event.headers, "fields": event.fields,
        "trigger": [event.trigger.kind, event.trigger.name], "id": event.id,
        "context": [context.trigger.kind, context.worker_id], "size": event.size,
        "shard_id": event.shard_id,
    })
"""


@pytest.fixture
def echo(make_package: MakePackage, start_server: StartServer) -> Running:
    make_package(ECHO)
    return start_server()


def start_with(
    make_package: MakePackage, start_server: StartServer, lines: str, **options: Any
) -> Running:
    """A server whose handler has these lines as its body."""
    body = "".join(f"    {line}\n" for line in lines.splitlines())
    make_package(f"import os, sys, time\ndef handler(context, event):\n{body}", **options)
    return start_server()


# -- events -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "body", "kind", "seen"),
    [
        ("application/json", b'{"a": 1}', "dict", {"a": 1}),
        ("application/json", b"[1]", "list", [1]),
        ("application/json", b"null", "NoneType", None),
        ("application/json", b"not json", "bytes", "not json"),
        ("application/json", b"", "bytes", ""),
        ("application/json; charset=utf-8", b'{"a": 1}', "bytes", '{"a": 1}'),
        ("Application/JSON", b"1", "bytes", "1"),
        ("text/plain", b"\xff\x00", "bytes", "\xff\x00"),
        (None, b"{}", "bytes", "{}"),
        (None, None, "bytes", ""),
    ],
)
def test_bodies(echo: Running, content_type: str | None, body: Any, kind: str, seen: Any) -> None:
    event = echo.call(body=body, content_type=content_type).json()
    assert (event["kind"], event["body"]) == (kind, seen)
    assert event["content_type"] == (content_type or "")
    assert event["size"] == len(body or b"")


def test_a_chunked_and_a_compressed_body_arrive_as_sent(echo: Running) -> None:
    event = echo.call(body=iter([b"\x1f\x8b", b"", b"b"]), method="POST", Content_Encoding="gzip")
    assert event.json()["body"] == "\x1f\x8bb"


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("/", "/"),
        ("/v2/models/m%201/infer", "/v2/models/m 1/infer"),
        ("//a//b/../c", "/a/c"),
        ("/a/./b/", "/a/b/"),
        ("/%2e%2e/%2e%2e/etc/passwd", "/etc/passwd"),
        ("/a%2Fb%C3%A9", "/a/bé"),
        ("/a?b=c", "/a"),
        ("/a+b", "/a+b"),
    ],
)
def test_paths_are_decoded_and_normalised(echo: Running, sent: str, seen: str) -> None:
    assert echo.call(sent).json()["path"] == seen


def test_names_of_headers_and_arguments(echo: Running) -> None:
    event = echo.call("/?a=1&a=2&b=x+y%26&c=", x_MY_header="v", X="1").json()
    assert event["fields"] == {"a": "2", "b": "x y&", "c": ""}
    assert event["headers"]["X-My-Header"] == "v"
    assert event["trigger"] == ["http", "http"]
    assert event["context"] == ["http", "0"]
    assert event["shard_id"] == -1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
def test_all_methods_pass(echo: Running, method: str) -> None:
    assert echo.call(method=method).json()["method"] == method


def test_head_keeps_the_length(echo: Running) -> None:
    reply = echo.call(method="HEAD")
    assert reply.body == b""
    assert int(reply.headers["Content-Length"]) > 100


def test_what_is_not_utf8_is_not_handed_over(echo: Running) -> None:
    assert echo.call("/%ff").status == 500
    assert echo.call("/", X_Bad="\xff").status == 500
    assert echo.call("/?a=%ff").status == 500
    assert echo.call("/").status == 200


def test_an_id_is_the_workers_and_not_the_events(echo: Running) -> None:
    assert echo.call().json()["id"] == echo.call().json()["id"]


def test_a_body_over_the_limit(make_package: MakePackage, start_server: StartServer) -> None:
    make_package(ECHO, http={"attributes": {"maxRequestBodySize": 1000}})
    make_package(ECHO, "other")
    running = start_server()
    for body in (b"x" * 1001, iter([b"x" * 600, b"x" * 600])):
        reply = running.call(body=body, method="POST")
        assert (reply.status, reply.body) == (400, b"Error when parsing request")
    assert running.call(body=b"x" * 1000).status == 200
    assert running.call(body=b"x" * (4 << 20), function=1).status == 200
    assert running.call(body=b"x" * ((4 << 20) + 1), function=1).status == 400


def test_a_client_that_waits_for_100_continue(echo: Running) -> None:
    address = urlsplit(echo.endpoints[0].url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as client:
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n"
            b"Expect: 100-continue\r\n\r\n"
        )
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"ab")
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200 ")
    assert b'"body": "ab"' in received


# -- answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "status", "content_type", "body"),
    [
        ("'text'", 200, "text/plain", b"text"),
        ("b'\\xff'", 200, "text/plain", b"\xff"),
        ("{'a': 1}", 200, "application/json", b'{"a": 1}'),
        ("(201, 'made')", 201, "text/plain", b"made"),
        ("(202, [1])", 202, "application/json", b"[1]"),
        ("None", 200, "text/plain", b"None"),
        ("1.5", 200, "text/plain", b"1.5"),
        ("[{'a': 1}, 2]", 200, "application/json", b'{"a": 1}'),
        ("[]", 500, None, b""),
        ("context.Response(body=[1], status_code=0)", 200, "text/plain", b"[1]"),
        ("context.Response(body='x', content_type='a/b', status_code=418)", 418, "a/b", b"x"),
        ("context.Response(body='x', status_code='200')", 500, "text/plain", None),
        ("context.Response(body='x', status_code=201.0)", 500, "text/plain", None),
        ("context.Response(body='x', status_code=True)", 500, "text/plain", None),
        ("context.Response(body='x', status_code=-5)", 500, "text/plain", None),
        ("context.Response(body={'a': object()})", 500, "text/plain", None),
    ],
)
def test_returned_values(
    make_package: MakePackage,
    start_server: StartServer,
    returned: str,
    status: int,
    content_type: str | None,
    body: bytes | None,
) -> None:
    running = start_with(make_package, start_server, f"return {returned}")
    reply = running.call()
    assert reply.status == status
    assert content_type is None or reply.content_type == content_type
    assert body is None or reply.body == body
    # Whatever it was, the worker goes on.
    assert running.call().status == status


def test_only_strings_are_headers(make_package: MakePackage, start_server: StartServer) -> None:
    running = start_with(
        make_package,
        start_server,
        "return context.Response(body='x', headers={'X-A': 'a', 'X-B': 1, 'X-C': None,\n"
        " 'X-D': 'a\\r\\nX-Evil: 1', 'bad name': 'x', 'Content-Length': '99', 'Server': 'me',\n"
        " 'Content-Type': 'lost/one', 'x-E': 'é'})",
    )
    reply = running.call()
    assert reply.headers["X-A"] == "a"
    assert reply.headers["X-D"] == "a  X-Evil: 1"
    assert reply.headers["Server"] == "me"
    assert reply.headers["Content-Length"] == "1"
    assert reply.content_type == "text/plain"
    assert not {"X-B", "X-C", "X-Evil", "bad name"} & reply.headers.keys()


@pytest.mark.parametrize("raised", ["ValueError('no: 100%')", "SystemExit(0)", "KeyboardInterrupt"])
def test_an_exception_is_an_answer(
    make_package: MakePackage, start_server: StartServer, raised: str
) -> None:
    running = start_with(make_package, start_server, f"raise {raised}")
    for _ in range(2):
        reply = running.call()
        assert (reply.status, reply.content_type) == (500, "text/plain")
        assert reply.body.startswith(b'Exception caught in handler - "')
        assert b"Traceback" in reply.body
    assert not any("the worker ended" in line for line in running.lines)


# -- the process ------------------------------------------------------------------------------


def test_start_and_state(
    make_package: MakePackage,
    start_server: StartServer,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("GIVEN", "outside")
    monkeypatch.setenv("GRAPHC_STREAMS", "dir:/x")
    monkeypatch.chdir(tmp_path)
    folder = make_package(
        """
        import asyncio, json, os, sys
        import helper

        async def tick(context):
            while True:
                context.user_data.ticks += 1
                await asyncio.sleep(0.01)

        async def init_context(context):
            await asyncio.sleep(0)
            context.user_data.ticks = 0
            context.user_data.task = asyncio.create_task(tick(context))

        async def handler(context, event):
            print("user print")
            context.logger.debug("not shown")
            context.logger.info_with("hello %s", "you", a=1)
            await asyncio.sleep(0)
            return {
                "path": sys.path[0], "cwd": os.getcwd(), "helper": helper.VALUE,
                "env": {name: os.environ.get(name) for name in
                        ("GIVEN", "NEW", "NUMBER", "SECRET", "GRAPHC_STREAMS",
                         "NUCLIO_FUNCTION_NAME")},
                "ticks": context.user_data.ticks, "graphc": "graphc" in sys.modules,
            }
        """,
        env=[
            {"name": "GIVEN", "value": "inside"},
            {"name": "NEW", "value": "yes"},
            {"name": "NUMBER", "value": 5},
            {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
        ],
    )
    (folder / "helper.py").write_text("VALUE = 7\n")
    running = start_server()
    time.sleep(0.2)
    seen = running.call().json()
    assert seen.pop("ticks") > 3
    assert seen == {
        "path": str(folder),
        "cwd": str(tmp_path),
        "helper": 7,
        "env": {
            "GIVEN": "outside",
            "NEW": "yes",
            "NUMBER": "5",
            "SECRET": None,
            "GRAPHC_STREAMS": "dir:/x",
            "NUCLIO_FUNCTION_NAME": "fn",
        },
        "graphc": False,
    }
    assert not list(folder.rglob("__pycache__"))
    out, err = capfd.readouterr()
    assert out == ""
    assert "user print" in err
    assert "fn/0 GET / [info] hello you {'a': 1}" in err
    assert "not shown" not in err


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("x = 1", "has no attribute 'handler'"),
        ("def init_context(c): raise ValueError('no model')\ndef handler(c, e): ...", "no model"),
        ("import os; os._exit(3)", "status 3"),
        ("raise SystemExit(0)", "SystemExit"),
    ],
)
def test_a_package_that_does_not_start(
    make_package: MakePackage, start_server: StartServer, code: str, said: str
) -> None:
    make_package(code)
    make_package(ECHO, "fine")
    with pytest.raises(GraphError) as caught:
        start_server()
    assert caught.value.code == "GC043"
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("os._exit(3)", "(status 3)"),
        ("os._exit(0)", "must not exit with status 0"),
        ("os.kill(os.getpid(), 9)", "(SIGKILL)"),
        ("(os.fork() and os._exit(5)) or time.sleep(5) or os._exit(0)", "(status 5)"),
        ("os.closerange(3, 1000) or time.sleep(60)", "(SIGKILL)"),
    ],
)
def test_a_lost_worker_is_replaced(
    make_package: MakePackage, start_server: StartServer, end: str, said: str
) -> None:
    running = start_with(
        make_package, start_server, f"if event.path == '/end': {end}\nreturn str(os.getpid())"
    )
    before = running.call().body
    assert running.call("/end").status == 500
    running.wait_for("fn: GET /end the worker ended before it answered")
    running.wait_for(said)
    after = running.call()
    assert after.status == 200
    assert after.body != before


def test_a_worker_that_is_lost_between_requests(
    make_package: MakePackage, start_server: StartServer
) -> None:
    running = start_with(make_package, start_server, "return str(os.getpid())")
    for _ in range(2):
        os.kill(int(running.call().body), signal.SIGKILL)
        assert running.call().status in (200, 500)
    running.wait_for("(SIGKILL)")
    assert running.call().status == 200


def test_workers_are_processes_and_no_more_than_said(
    make_package: MakePackage, start_server: StartServer
) -> None:
    running = start_with(
        make_package,
        start_server,
        "time.sleep(0.1)\nreturn str(os.getpid()) + ' ' + event.body.decode()",
        http={"numWorkers": 2},
    )
    assert running.endpoints[0].workers == 2
    with ThreadPoolExecutor(12) as clients:
        replies = list(clients.map(lambda n: running.call(body=b"%d" % n), range(12)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body.split()[0] for reply in replies}) == 2
    assert [reply.body.split()[1] for reply in replies] == [b"%d" % n for n in range(12)]


def test_no_free_worker(make_package: MakePackage, start_server: StartServer) -> None:
    running = start_with(
        make_package,
        start_server,
        "time.sleep(2 if event.path == '/slow' else 0)\nreturn 'x'",
        http={"workerAvailabilityTimeoutMilliseconds": 50},
    )
    with ThreadPoolExecutor(2) as clients:
        slow = clients.submit(running.call, "/slow")
        time.sleep(0.3)
        reply = running.call()
        assert (reply.status, reply.body) == (503, b"")
        running.wait_for("fn: GET / no worker is free")
        assert slow.result().status == 200
    assert running.call().status == 200


def test_sigusr1_runs_the_termination_callback_once(
    make_package: MakePackage, start_server: StartServer, tmp_path: Path
) -> None:
    running = start_with(
        make_package,
        start_server,
        f"def end(): open({str(tmp_path / 'ended')!r}, 'a').write('x')\n"
        "context.platform.set_termination_callback(end)\n"
        "return str(os.getpid())",
    )
    os.kill(int(running.call().body), signal.SIGUSR1)
    deadline = time.monotonic() + 10
    while not (tmp_path / "ended").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running.call().status == 503
    assert (tmp_path / "ended").read_text() == "x"


# -- several functions, ports -----------------------------------------------------------------


def test_each_function_has_a_port_and_its_routes(
    make_package: MakePackage, start_server: StartServer
) -> None:
    make_package("def handler(c, e): return 'b'", "b", graph={"topology": "flow"})
    router = {"topology": "router", "routes": {"m1": {}, "m:2 x": {}}}
    make_package("def handler(c, e): return 'a'", "a", graph=router)
    running = start_server()
    assert [endpoint.function for endpoint in running.endpoints] == ["b", "a"]
    assert running.endpoints[0].routes == ("/",)
    assert running.endpoints[1].routes == (
        "/v2/models/m1/infer",
        "/v2/models/m%3A2%20x/infer",
    )
    assert running.call(function=0).body == b"b"
    assert running.call(function=1).body == b"a"
    assert running.call("/__internal/health").status == 200


def test_what_is_not_done_here_is_said(
    make_package: MakePackage, start_server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERE", "x")
    make_package(
        "import os\ndef handler(c, e): return os.environ.get('HERE')",
        env=[
            {"name": "HERE"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
            {"name": "V3IO_API"},
        ],
        triggers={
            "tick": {"kind": "kinesis", "numWorkers": 1, "attributes": {"streamName": "s"}},
            "http": {"kind": "http", "numWorkers": 1},
        },
    )
    running = start_server()
    assert running.endpoints[0].remarks == (
        "trigger tick (kinesis) does not run here",
        "TOKEN is not set: its value comes from Kubernetes (secretKeyRef)",
        "V3IO_API is not set: its value comes from where the function is deployed",
    )
    assert running.call().body == b"x"


def test_a_taken_port(make_package: MakePackage, start_server: StartServer) -> None:
    make_package("def handler(c, e): return 'b'")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(GraphError) as caught:
        start_server(port=taken.getsockname()[1])
    assert caught.value.code == "GC043"
    assert "in use" in caught.value.message


# -- the end ----------------------------------------------------------------------------------

SERVE = """
import sys
from pathlib import Path
from graphc.serve import serve

def announce(endpoint):
    print(endpoint.url, flush=True)

sys.exit(serve(Path(sys.argv[1]), port=0, announce=announce))
"""

SLOW = """
import os, time
from pathlib import Path

HERE = Path(__file__).parent

def init_context(context):
    context.platform.set_termination_callback(lambda: (HERE / "ended").write_text("yes"))

def handler(context, event):
    (HERE / "begun").write_text(str(os.getpid()))
    time.sleep(float(event.path[1:]))
    return "done"
"""


def start_process(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, process.stdout.readline().strip()


def wait_for_file(path: Path) -> str:
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return path.read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_requests_in_progress_are_finished(make_package: MakePackage, number: int) -> None:
    folder = make_package(SLOW)
    process, url = start_process(folder.parent)
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(lambda: urllib.request.urlopen(f"{url}/1.5", timeout=60).read())
        wait_for_file(folder / "begun")
        process.send_signal(number)
        assert answer.result() == b"done"
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert (folder / "ended").read_text() == "yes"


def test_a_request_that_does_not_end_does_not_keep_the_server(make_package: MakePackage) -> None:
    folder = make_package(SLOW)
    process, url = start_process(folder.parent)
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(lambda: urllib.request.urlopen(f"{url}/60", timeout=60).read())
        worker = int(wait_for_file(folder / "begun"))
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert time.monotonic() - began < 40
        assert answer.exception() is not None
    assert process.returncode == 0
    assert has_ended(worker)


def test_a_second_signal_ends_it_at_once(make_package: MakePackage) -> None:
    folder = make_package(SLOW)
    process, url = start_process(folder.parent)
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(lambda: urllib.request.urlopen(f"{url}/60", timeout=60).read())
        worker = int(wait_for_file(folder / "begun"))
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert answer.exception() is not None
    assert process.returncode == 130
    assert has_ended(worker)


def test_workers_do_not_outlive_a_killed_server(make_package: MakePackage) -> None:
    folder = make_package(SLOW)
    process, url = start_process(folder.parent)
    urllib.request.urlopen(f"{url}/0", timeout=20).close()
    worker = int(wait_for_file(folder / "begun"))
    process.kill()
    process.communicate(timeout=60)
    assert has_ended(worker)


def test_a_signal_while_workers_start(make_package: MakePackage) -> None:
    folder = make_package(
        "import os, time\nfrom pathlib import Path\n"
        "Path(__file__).with_name('begun').write_text(str(os.getpid()))\ntime.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(folder.parent)], stderr=subprocess.PIPE, text=True
    )
    worker = int(wait_for_file(folder / "begun"))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert has_ended(worker)


def has_ended(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if status == "Z":
            return True
        time.sleep(0.02)
    return False


def test_the_log_has_a_line_for_each_request(echo: Running) -> None:
    echo.call("/a")
    echo.wait_for("fn: GET /a 200 ")
    assert json.loads(echo.call().body)["kind"] == "bytes"
