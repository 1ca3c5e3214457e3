"""Steps that choose among the steps behind them."""
import mlrun
import storey


class BySize(storey.Choice):
    def __init__(self, limit, **kwargs):
        super().__init__(**kwargs)
        self.limit = limit

    def select_outlets(self, body):
        return ["big"] if body["n"] > self.limit else ["small", "log"]


class Route:
    def do(self, body):
        return {**body, "routed": True}

    def select_outlets(self, body):
        return body.get("to")


def kinds(body):
    return body["kinds"]


def note(event):
    event.noted = True
    return event


fn = mlrun.new_function("choices", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Route", "route")
graph.add_step("BySize", "by-size", limit=10, after="route").error_handler("oops", handler="(str(event))")
graph.add_step(name="big", handler="(event['n'] // 10)", after="by-size")
graph.add_step(name="small", handler="(event['n'])", after="by-size")
graph.add_step(name="log", handler="note", full_event=True, after="by-size").to(">>", "seen", path="demo/seen")
graph.add_step("mlrun.serving.steps.ChoiceByField", "by-field", field_name="kind", after="route")
graph.add_step(name="x", handler="(1)", after="by-field").to("$queue", "xs", path="demo/xs")
graph.add_step("storey.FlatMap", "y", fn=kinds, fn_select_outlets=lambda kind: [kind], after="by-field")
graph.add_step("$queue", "k1", path="demo/k1", after="y")
graph.add_step("$queue", "k2", path="demo/k2", after="y")
graph.add_step(name="end", handler="(event)", after=["big", "small"]).respond()
