"""Failures of an asynchronous flow go to a stream: those that no step takes."""
import mlrun


class Check:
    def __init__(self, context, name=None):
        self.context = context

    def do_event(self, event):
        if event.body["x"] < 0:
            self.context.push_error(event, "negative", source="check", x=event.body["x"])
        return event


def halve(x):
    return {"x": 10 / x["x"]}


def rescue(event):
    return {"failed": event.origin_state}


def audit(body):
    return body["missing"]


fn = mlrun.new_function("careful", kind="serving", project="shop")
fn.spec.error_stream = "dummy://errors"
graph = fn.set_topology("flow", engine="async")
graph.to("Check", "check").to(name="double", handler='({"x": event["x"] * 2})').to(
    name="halve", handler="halve"
)
graph.add_step(name="audit", handler="audit", after="halve")
last = graph.add_step(name="last", handler='(event["x"] + 1)', after="halve")
last.respond()
last.error_handler("rescue", handler="rescue", full_event=True)
