"""Failures of a synchronous flow go to a stream, also those that a step takes."""
import mlrun


def double(body):
    return {"x": body["x"] * 2}


def rescued(body):
    return {"x": 0}


def everything(body):
    return {"caught": True}


fn = mlrun.new_function("careful", kind="serving")
fn.spec.error_stream = "dummy://errors"
fn.set_env("MLRUN_LOG_LEVEL", "debug")
graph = fn.set_topology("flow", engine="sync")
graph.to(name="double", handler="double").error_handler("rescued", handler="rescued").to(
    name="inverse", handler='({"x": 1 / event["x"]})'
).to(name="last", handler='(event["x"] + 1)')
graph.error_handler("everything", handler="everything")
