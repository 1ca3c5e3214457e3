"""Branches: a join that runs for each arrival, a side branch that answers nobody."""
import mlrun


class Visit:
    def __init__(self, name=None):
        self.name = name

    def do(self, body):
        return {**body, "route": [*body.get("route", []), self.name]}


def tell(event):
    print("seen", event.id)
    return event


fn = mlrun.new_function("diamond", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Visit", "start")
graph.add_step("Visit", "left", after="start")
graph.add_step("Visit", "right", after="start")
graph.add_step(name="log", handler="tell", full_event=True, after="start")
graph.add_step("Visit", "end", after=["left", "right"]).respond()
