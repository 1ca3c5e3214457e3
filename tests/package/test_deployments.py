"""kubernetes.yaml and compose.yaml: as wanted, as Nuclio and docker compose take them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from golden_cases import EXAMPLES, GOLDEN, graph_file
from graphc.cli import cli
from graphc.pipeline import Build, Options, build
from nuclio_model import check_resource
from servers import missing

HERE = Path(__file__).parent
CASES = [
    *(GOLDEN / name for name in ("child_kafka", "readers", "settings", "settings_mounts", "names")),
    EXAMPLES / "nlp",
]


def made(folder: Path) -> Build:
    options = Options(models_root=folder, images="registry.example.com:5000/team/", compose=True)
    return build(graph_file(folder), options)


@pytest.mark.parametrize("name", ["kubernetes", "compose"])
def test_files(name: str, update: bool) -> None:
    file = HERE / "deployments" / f"{name}.yaml"
    text = made(GOLDEN / "child_kafka").files[f"{name}.yaml"].decode()
    text = re.sub(r":[0-9a-f]{12}\b", ":TAG", text)  # it changes with runtime_min
    if update:
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_resources(folder: Path) -> None:
    built = made(folder)
    assert built.graph is not None
    text = built.files["kubernetes.yaml"].decode()
    resources = list(yaml.safe_load_all(text))
    assert [one["metadata"]["name"] for one in resources] == [
        function.full_name for function in built.graph.functions
    ]
    for resource, function in zip(resources, built.graph.functions, strict=True):
        check_resource(resource)
        config = yaml.safe_load(built.files[f"{function.name}/function.yaml"])
        image = resource["spec"].pop("image")
        config["spec"].pop("build")
        assert resource["spec"] == config["spec"]
        assert f"docker build -t {image} {function.name} && docker push {image}" in text


def test_another_package_is_another_image() -> None:
    first, second = (made(GOLDEN / name) for name in ("child_kafka", "sync_chain"))
    tags = {
        line.rpartition(":")[2]
        for built in (first, second)
        for line in built.files["kubernetes.yaml"].decode().splitlines()
        if line.startswith("  image: ")
    }
    assert len(tags) == 3
    assert first.files == made(GOLDEN / "child_kafka").files


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_compose(folder: Path, tmp_path: Path) -> None:
    if shutil.which("docker-compose") is None:
        missing("docker-compose", "apt-get install docker-compose")
    built = made(folder)
    assert built.graph is not None
    for path, data in built.files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    needed = re.findall(r"\$\{(\w+):\?\}", built.files["compose.yaml"].decode())
    given = dict.fromkeys(needed, "given")
    done = subprocess.run(
        ["docker-compose", "config"],
        cwd=tmp_path,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = yaml.safe_load(done.stdout)["services"]
    names = {function.name for function in built.graph.functions}
    others = set(found) - names
    hosts = set(others)
    for name in others:
        hosts |= set(found[name].get("networks", {}).get("default", {}).get("aliases", ()))
    published = [found[name]["ports"][0] for name in names]
    assert len(set(map(str, published))) == len(published)
    for function in built.graph.functions:
        config = yaml.safe_load(built.files[f"{function.name}/function.yaml"])["spec"]
        service = found[function.name]
        for entry in config.get("env", ()):
            # `config` writes a dollar as two, as it reads them.
            value = (service["environment"][entry["name"]] or "").replace("$$", "$")
            assert value == entry.get("value", given.get(entry["name"], ""))
        for address, topic in _kafka(config):
            if address.startswith("${"):
                continue  # filled in by whoever deploys
            host, _, port = address.rpartition(":")
            assert host in hosts
            broker, topics = sorted(others)
            assert f" {topic}" in str(found[topics]["command"])
            listeners = found[broker]["environment"]["KAFKA_LISTENERS"]
            assert f"://:{port}" in listeners


def _kafka(spec: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (address, topic)
        for trigger in spec["triggers"].values()
        if trigger["kind"] == "kafka-cluster"
        for address in trigger["attributes"]["brokers"]
        for topic in trigger["attributes"]["topics"]
    ]


def test_the_options(tmp_path: Path) -> None:
    graph = str(GOLDEN / "sync_chain" / "graph.py")
    out = tmp_path / "dist"
    run = CliRunner().invoke
    assert run(cli, ["build", graph, "-o", str(out)]).exit_code == 0
    assert not list(out.glob("*.yaml"))
    flags = ["--crd", "registry.example.com", "--compose"]
    assert run(cli, ["build", graph, "-o", str(out), *flags]).exit_code == 0
    assert {file.name for file in out.glob("*.yaml")} == {"kubernetes.yaml", "compose.yaml"}
    refused = run(cli, ["build", graph, "-o", str(out), "--crd", "x\n# y"])
    assert refused.exit_code == 2
    assert "an example: registry.example.com/team" in refused.output
