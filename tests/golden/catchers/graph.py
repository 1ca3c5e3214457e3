"""Catchers: with `before`, with steps behind it, for events and for bodies; the graph's own."""
import mlrun


class Check:
    def __init__(self, field="x"):
        self.field = field

    def do(self, body):
        if self.field not in body:
            raise LookupError(f"no {self.field}")
        return body


def fallback(body):
    return {"value": -1}


def report(event):
    event.body = {"failed": event.origin_state, "why": str(event.error)}
    return event


def seen(body):
    return {**body, "seen": True}


def scale(body):
    return {**body, "value": body["value"] * 10}


fn = mlrun.new_function("checked", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.error_handler(name="report", handler="report", full_event=True)
graph.to("Check", "number", field="value").error_handler(
    name="fallback", handler="fallback", before="scale"
).to(name="scale", handler="scale").to("Check", "check-a", field="a").to("Check", "check-b", field="b").to(
    name="double", handler='({**event, "value": event["value"] * 2})'
).respond()
graph.add_step(name="seen", handler="seen", after="report")
