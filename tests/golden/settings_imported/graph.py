"""Settings of a function that MLRun 1.12.1 has exported (`fn.export`), and some on top."""
import mlrun
import requests


def call(body):
    return requests.get(body["url"]).json()


fn = mlrun.import_function("exported.yaml", new_name="imported")
fn.with_sidecar("proxy", image="envoyproxy/envoy:v1.31", ports=[9901], command="envoy", args=["-c", "/etc/envoy.yaml"])
fn.with_v3io(local="/v3io", remote="projects/x").spec.no_cache = True
fn.set_env("LEVEL", fn.get_env("LEVEL") + "0")
