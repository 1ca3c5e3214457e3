"""Settings that packages carry, and settings that are reported because they do not yet."""
import mlrun
import requests

fn = mlrun.new_function("settings", kind="serving", image="registry.example.com/base:1.2", requirements=["pandas"])
fn.with_requirements("./requirements.txt").set_envs({"LEVEL": "1", "NAME": "a 'b' \"c\""})
fn.set_env("SECRET", value_from="somewhere")
fn.with_limits(mem="1G")
fn.spec.min_replicas = 2
fn.spec.max_replicas = 3
fn.spec.readiness_timeout = 60
fn.spec.description = "what it is for: everything"
fn.verbose = True


def call(body):
    return requests.get(body["url"]).json()


fn.set_topology("flow", engine="sync").to(name="call", handler="call")
