"""Error handlers of a step and of the whole graph in a synchronous flow."""
import mlrun


def first(body):
    return {**body, "first": 1 / body["n"]}


def second(body):
    return {**body, "second": 2 / body["m"]}


def fix(event):
    return {"fixed": event.error, "step": event.origin_state}


def give_up(event):
    return {"gave": "up", "on": event.body}


fn = mlrun.new_function("careful", kind="serving")
graph = fn.set_topology("flow", engine="sync")
graph.to(name="first", handler="first").error_handler(name="fix", handler="fix", full_event=True)
graph.add_step(name="second", handler="second", after="first")
graph.error_handler(name="give-up", handler="give_up", full_event=True)
