"""Functions that read streams: files between them, crashes, ends, positions."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from graphc.diagnostics import GraphError
from graphc.package.publish import publish
from graphc.pipeline import build
from graphc.serve import Streams, invoke, serve

from .conftest import MakePackage, Running, StartServer

SEED = 7

#: Of both functions: `push` writes to a stream as a package does, `once` is true the first time.
HELPERS = """
import asyncio, json, os, sys
from pathlib import Path
import nuclio_sdk

HERE = Path(__file__).parent

def push(stream, data):
    folder = os.environ["GRAPHC_STREAMS"].partition(":")[2]
    with open(f"{folder}/{stream}.jsonl", "a") as file:
        file.write(json.dumps({"data": data, "key": None}) + "\\n")

def once(name):
    try:
        (HERE / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
"""

PARENT = (
    HELPERS
    + """
def handler(context, event):
    # parse
    for number in range(int(event.body)):
        push("numbers", str(number))
    return "sent"
"""
)

#: Acknowledges each tenth event, and the rest when it ends or drains.
CHILD = (
    HELPERS
    + """
class Strides:
    last, tasks = None, set()

def acknowledge(context):
    if Strides.last is not None:
        task = asyncio.get_running_loop().create_task(context.platform.explicit_ack(Strides.last))
        Strides.tasks.add(task)

def init_context(context):
    context.platform.set_termination_callback(lambda: acknowledge(context))
    context.platform.set_drain_callback(lambda: acknowledge(context))

def handler(context, event):
    number = int(event.body)
    # double
    if CRASH:
        pass
    push("doubled", str(2 * number))
    Strides.last = nuclio_sdk.QualifiedOffset.from_event(event)
    if number % 10 == 9:
        acknowledge(context)
    return "done"
"""
)


def kafka_trigger(topic: str = "numbers", **more: Any) -> dict[str, Any]:
    attributes = {
        "topics": [topic],
        "brokers": ["broker:9092"],
        "consumerGroup": "g",
        "initialOffset": "earliest",
        "workerAllocationMode": "static",
    }
    return {
        "kafka": {
            "name": "kafka",
            "kind": "kafka-cluster",
            "numWorkers": 1,
            "explicitAckMode": "explicitOnly",
            "workerTerminationTimeout": "3s",
            "attributes": attributes,
            **more,
        }
    }


def child(make_package: MakePackage, crash: str = "False", **trigger: Any) -> Path:
    code = CHILD.replace("CRASH", crash)
    read = {"stream": "kafka://broker/numbers", "steps": ["double"]}
    steps = {"steps": {"double": {}}, "reads": {"numbers": read}, "parent": "parent"}
    return make_package(code, "child", graph=steps, triggers=kafka_trigger(**trigger))


def messages(folder: Path, stream: str) -> list[str]:
    try:
        lines = (folder / f"{stream}.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line)["data"] for line in lines]


def position(folder: Path) -> int:
    try:
        line, _ = json.loads((folder / "numbers.g.offset").read_text() or "[0, 0]")
    except FileNotFoundError:
        return 0
    return int(line)


def wait_for(true: Any, what: Any = "") -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def doubled(count: int) -> list[str]:
    return [str(2 * number) for number in range(count)]


def has_all(folder: Path, count: int) -> bool:
    return set(messages(folder, "doubled")) == set(doubled(count))


def send(running: Running, count: int) -> None:
    assert running.call(body=b"%d" % count).body == b"sent"


def test_a_parent_and_a_child(
    make_package: MakePackage, start_server: StartServer, tmp_path: Path
) -> None:
    make_package(PARENT, "parent")
    child(make_package)
    running = start_server()
    assert running.endpoints[1].reads == (f"numbers (group g, files in {tmp_path / 'streams'})",)
    send(running, 25)
    wait_for(lambda: len(messages(tmp_path / "streams", "doubled")) == 25, running.lines)
    assert messages(tmp_path / "streams", "doubled") == doubled(25)
    running.wait_for("child: numbers[0]@24 double 200 ")
    # Committed is what was acknowledged: in strides of ten.
    wait_for(lambda: position(tmp_path / "streams") == 20)
    # The child answers requests as well.
    assert running.call(body=b"100", function=1).body == b"done"


EVENT = """
import json
from pathlib import Path
def handler(context, event):
    seen = {name: getattr(event, name) for name in
            ("path", "method", "headers", "content_type", "shard_id", "offset", "topic", "size")}
    seen["body"] = repr(event.body)
    seen["kinds"] = [event.trigger.kind, context.trigger.kind, context.trigger.name]
    with open(Path(__file__).with_name("seen"), "a") as file:
        file.write(json.dumps(seen) + "\\n")
    raise ValueError("none of this is an answer")
"""

V3IO = {
    "kind": "v3ioStream",
    "attributes": {"containerName": "users", "streamPath": "/a/s/", "seekTo": "earliest"},
}


@pytest.mark.parametrize(
    ("trigger", "stream", "path", "topic", "kinds"),
    [
        (kafka_trigger("t")["kafka"], "t", "t", "t", ["kafka-cluster"] * 2 + ["it"]),
        (V3IO, "users%2Fa%2Fs", "/", "a/s", ["v3io-stream", "v3ioStream", "it"]),
        (
            {"kind": "v3ioStream", "url": "http://h:8081/users/a@g"},
            "users%2Fa",
            "/",
            "a",
            ["v3io-stream", "v3ioStream", "it"],
        ),
        (
            {"kind": "nats", "url": "nats://h", "attributes": {"topic": "s", "queueName": "q"}},
            "s",
            "s",
            "",
            ["nats", "nats", "it"],
        ),
    ],
)
def test_what_events_of_streams_have(
    make_package: MakePackage,
    start_server: StartServer,
    tmp_path: Path,
    trigger: dict[str, Any],
    stream: str,
    path: str,
    topic: str,
    kinds: list[str],
) -> None:
    trigger = {**trigger, "name": "it", "explicitAckMode": "disable"}
    folder = make_package(EVENT, triggers={"it": trigger})
    lines = ['{"data": "{}", "key": "k"}\n', "no JSON\n", '{"data_b64": "/w==", "key": null}\n']
    (tmp_path / "streams").mkdir()
    (tmp_path / "streams" / f"{stream}.jsonl").write_text("".join(lines) + '{"data": "half')
    running = start_server()
    running.wait_for("@2 500 " if "nats" not in kinds else "500 ", 1)
    wait_for(lambda: len((folder / "seen").read_text().splitlines()) == 2)
    first, second = map(json.loads, (folder / "seen").read_text().splitlines())
    has_offsets = "nats" not in kinds
    assert first == {
        "path": path,
        "method": "",
        "headers": {},
        "content_type": "",
        "shard_id": 0 if has_offsets else -1,
        "offset": 0,
        "topic": topic,
        "size": 2,
        "body": "b'{}'",
        "kinds": kinds,
    }
    assert second["body"] == r"b'\xff'"
    running.wait_for("@1 is no message: passed over")
    # An exception is an answer like others, and acknowledges.
    wait_for(lambda: any(re.match(rb"\[3, ", file.read_bytes()) for file in offsets(tmp_path)))


def offsets(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "streams").glob("*.offset"))


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("os._exit(3)", "(status 3)"),
        ("os._exit(0)", "must not exit with status 0"),
        ("os.kill(os.getpid(), 9)", "(SIGKILL)"),
    ],
)
@pytest.mark.parametrize("mode", ["explicitOnly", "enable", "disable"])
def test_what_a_crashed_worker_had_not_done_comes_again(
    make_package: MakePackage,
    start_server: StartServer,
    tmp_path: Path,
    end: str,
    said: str,
    mode: str,
) -> None:
    make_package(PARENT, "parent")
    child(make_package, f"number == 35 and once('crashed') and {end}", explicitAckMode=mode)
    running = start_server()
    send(running, 100)
    running.wait_for(said)
    running.wait_for("child: numbers[0]@35 the worker ended before it was done")
    wait_for(lambda: has_all(tmp_path / "streams", 100), running.lines)
    # From the last that was acknowledged, and in order.
    again = 30 if mode == "explicitOnly" else 35
    assert messages(tmp_path / "streams", "doubled") == doubled(35) + doubled(100)[again:]
    running.wait_for(f"child: numbers[0] goes on at {again}")
    wait_for(lambda: position(tmp_path / "streams") == 100)


def test_a_worker_that_is_killed_between_events(
    make_package: MakePackage, start_server: StartServer, tmp_path: Path
) -> None:
    make_package(PARENT, "parent")
    folder = child(make_package, "(HERE / 'pid').write_text(str(os.getpid())) and False")
    running = start_server()
    send(running, 15)
    wait_for(lambda: has_all(tmp_path / "streams", 15))
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    wait_for(lambda: messages(tmp_path / "streams", "doubled") == doubled(15) + doubled(15)[10:])
    running.wait_for("child: numbers[0] goes on at 10")


def test_a_worker_that_crashes_each_time_is_restarted_ever_more_slowly(
    make_package: MakePackage, start_server: StartServer, tmp_path: Path
) -> None:
    make_package(PARENT, "parent")
    child(make_package, "number == 1 and os._exit(5)")
    running = start_server()
    send(running, 3)
    time.sleep(4)
    assert 3 <= sum("(status 5)" in line for line in running.lines) <= 6
    assert set(messages(tmp_path / "streams", "doubled")) == {"0"}
    assert position(tmp_path / "streams") == 0
    # The parent is another process.
    send(running, 0)


def test_positions_outlive_the_server(
    make_package: MakePackage, start_server: StartServer, tmp_path: Path
) -> None:
    make_package(PARENT, "parent")
    folder = child(make_package)
    running = start_server()
    send(running, 15)
    wait_for(lambda: has_all(tmp_path / "streams", 15))
    # A second reader of the group waits, and takes over where the first has ended.
    second = start_server(streams=Streams(tmp_path / "streams"))
    second.wait_for("numbers is read by another process of the group: waiting")
    running.stop()
    assert position(tmp_path / "streams") == 15
    second.wait_for("child: numbers[0] is read")
    send(second, 3)
    wait_for(lambda: len(messages(tmp_path / "streams", "doubled")) == 18)
    assert messages(tmp_path / "streams", "doubled") == doubled(15) + doubled(3)
    assert not list(folder.rglob("__pycache__"))


def test_each_partition_has_its_worker_and_logs_name_the_step(
    make_package: MakePackage,
    start_server: StartServer,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make_package(PARENT, "parent")
    logs = "number == 7 and context.logger.error('seven') or number == 8 and own.warning('eight')"
    folder = child(make_package, logs, numWorkers=2)
    with open(folder / "handler.py", "a") as handler:
        handler.write("\nimport logging\nown = logging.getLogger('own')\n")
    running = start_server()
    send(running, 10)
    wait_for(lambda: messages(tmp_path / "streams", "doubled") == doubled(10))
    said = capfd.readouterr().err
    assert "child/kafka/0 numbers[0]@7 double [error] seven" in said
    assert "child/kafka/0 numbers[0]@8 double [warning] eight" in said


def test_a_tick(make_package: MakePackage, start_server: StartServer) -> None:
    make_package(
        "def handler(c, e): return [e.trigger.kind, e.body, e.path][:3] and 'x'",
        triggers={
            "tick": {
                "kind": "cron",
                "attributes": {"interval": "100ms", "event": {"body": "{}", "path": "/p"}},
            },
            "calendar": {"kind": "cron", "attributes": {"schedule": "0 0 * * *"}},
        },
    )
    running = start_server()
    running.wait_for("fn: tick 200", 3)
    assert running.endpoints[0].remarks == ("trigger calendar (cron) does not run here",)


def test_a_function_without_an_http_trigger(
    make_package: MakePackage, start_server: StartServer
) -> None:
    make_package(CHILD, triggers=kafka_trigger(), disableDefaultHTTPTrigger=True)
    make_package("def handler(c, e): return 'b'", "b")
    running = start_server()
    assert [bool(endpoint.url) for endpoint in running.endpoints] == [False, True]
    assert running.call(function=1).body == b"b"


# -- invoke -----------------------------------------------------------------------------------


def test_one_event_through_a_graph(
    make_package: MakePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRAPHC_STREAMS", raising=False)
    folder = make_package(PARENT, "parent")
    child(make_package)
    # The last of a graph sends when it ends.
    late = "    context.platform.set_termination_callback(lambda: push('late', 'x\\x07'))\n"
    make_package(
        HELPERS + "def init_context(context):\n" + late + "def handler(c, e): pass\n",
        "last",
        graph={"topology": "flow", "parent": "parent"},
        triggers=kafka_trigger("doubled"),
    )
    sent: list[tuple[str, bytes]] = []
    answer = invoke(folder.parent, body=b"3", sent=lambda *message: sent.append(message))
    assert answer.body == b"sent"
    assert sorted(sent) == [
        *(("doubled", b"%d" % (2 * number)) for number in range(3)),
        ("late", b"x\x07"),
        *(("numbers", b"%d" % number) for number in range(3)),
    ]
    command = [sys.executable, "-m", "graphc", "invoke", str(folder.parent), "--body", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "sent"
    assert [line for line in done.stderr.splitlines() if line.startswith(("doubled", "late"))] == [
        "doubled: 0",
        "doubled: 2",
        r"late: x\x07",
    ]


def test_streams_of_two_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nuclio's events of both have the same topic; the trigger tells them apart."""
    monkeypatch.delenv("GRAPHC_STREAMS", raising=False)
    (tmp_path / "graph.py").write_text(
        """
import mlrun

def same(body):
    return body

fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
first = graph.to(name="first", handler="same")
for container in ("users", "projects", "bigdata"):
    first.to("$queue", container, path=f"{container}/shop/in").to(
        name=f"of-{container}", handler="same", function="reader"
    ).to("$queue", f"out-{container}", path=f"{container}/shop/out")
fn.add_child_function("reader", "graph.py", "mlrun/mlrun")
"""
    )
    made = build(tmp_path / "graph.py")
    assert not made.failed
    publish(made.files, tmp_path / "dist")
    sent: list[tuple[str, bytes]] = []
    invoke(tmp_path / "dist", body=b"[1]", sent=lambda *message: sent.append(message))
    names = [f"{container}/shop/out" for container in ("bigdata", "projects", "users")]
    assert sorted(found for found in sent if "/out" in found[0]) == [
        (name, b"[1]") for name in names
    ]


# -- as a command -----------------------------------------------------------------------------


def start_command(dist: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "graphc", "serve", str(dist), "--port", "0", *arguments]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def url_of(process: subprocess.Popen[str], function: str) -> str:
    assert process.stderr
    for line in process.stderr:
        if found := re.match(rf"{function}: (http://\S+)", line):
            return found[1]
    raise AssertionError("it did not start")


def test_ctrl_c_carries_through_what_was_sent(
    make_package: MakePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRAPHC_STREAMS", raising=False)
    folder = make_package(PARENT, "parent")
    done = child(make_package, "(HERE / 'done').write_text(str(number)) and False")
    process = start_command(folder.parent)
    url = url_of(process, "parent")
    urllib.request.urlopen(url, data=b"200", timeout=20).close()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    # The last stride is acknowledged by the termination callback.
    assert "child: numbers[0] is given up, all done before 200" in err
    assert (done / "done").read_text() == "199"
    (place,) = set(re.findall(r"/\S*graphc-streams-\w+", err)) or {""}
    assert not Path(place or "/nowhere").exists()


def test_a_server_that_is_killed_goes_on_where_it_was(
    make_package: MakePackage, tmp_path: Path
) -> None:
    folder = child(make_package)
    streams, count = tmp_path / "kept", 3000
    streams.mkdir()
    lines = (json.dumps({"data": str(number), "key": None}) + "\n" for number in range(count))
    (streams / "numbers.jsonl").write_text("".join(lines))
    chance = random.Random(SEED)
    for _ in range(4):
        process = start_command(folder.parent, "--streams", str(streams), "--quiet")
        url_of(process, "child")
        time.sleep(chance.uniform(0, 0.6))
        process.kill()
        process.communicate()
        killed_at = position(streams)
        assert killed_at <= len(set(messages(streams, "doubled")))
    process = start_command(folder.parent, "--streams", str(streams), "--quiet")
    url_of(process, "child")
    wait_for(lambda: position(streams) == count)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    found = messages(streams, "doubled")
    assert set(found) == set(doubled(count))
    print(f"4 kills (seed {SEED}): {len(found) - count} of {count} came again")


def test_the_folder_of_a_server_that_is_killed(
    make_package: MakePackage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one takes it away, and none that is in use."""
    monkeypatch.delenv("GRAPHC_STREAMS", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    dist = child(make_package).parent

    def start() -> tuple[subprocess.Popen[str], Path]:
        before = {*(tmp_path / "tmp").iterdir()}
        process = start_command(dist, "--quiet")
        url_of(process, "child")
        (folder,) = {*(tmp_path / "tmp").iterdir()} - before
        return process, folder

    killed, left = start()
    running, used = start()
    assert left.exists()
    killed.kill()
    killed.communicate()
    assert left.exists()
    process, folder = start()
    assert {*(tmp_path / "tmp").iterdir()} == {used, folder}
    for each in (running, process):
        each.send_signal(signal.SIGTERM)
        each.communicate()
    assert not [*(tmp_path / "tmp").iterdir()]


def test_the_first_function_alone(make_package: MakePackage) -> None:
    folder = make_package(PARENT, "parent")
    child(make_package)
    process = start_command(folder.parent, "--function", "child", "--quiet")
    assert url_of(process, r"\w+")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "parent" not in err


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ({"functions": ["chidl"]}, "GC041", "there is no function chidl"),
        ({"broker": "kafka:/x"}, "GC043", "names no broker"),
        ({"broker": "localhost"}, "GC043", "names no broker"),
        ({"broker": "127.0.0.1:1"}, "GC043", "the broker 127.0.0.1:1 does not answer"),
        ({"folder": Path("/dev/null/x")}, "GC043", "cannot make the folder"),
    ],
)
def test_what_cannot_be_served(
    make_package: MakePackage, options: dict[str, Any], code: str, said: str
) -> None:
    folder = child(make_package)
    if "127" in str(options):
        pytest.importorskip("confluent_kafka")
    with pytest.raises(GraphError) as caught:
        serve(folder.parent, port=0, log=lambda line: None, **options)
    assert caught.value.code == code
    assert said in caught.value.message


def test_a_broker_without_the_library(
    make_package: MakePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    folder = child(make_package)
    with pytest.raises(GraphError) as caught:
        serve(folder, port=0, broker="kafka://127.0.0.1:9092")
    assert caught.value.code == "GC043"
    assert "graphc[kafka]" in (caught.value.help or "")
