"""Steps that get the event among steps that get the body; a catcher for each kind."""
import mlrun


def describe(event):
    event.body = {"was": event.body, "path": event.path}
    return event


class Stamp:
    def do_event(self, event):
        event.body["stamp"] = event.id
        return event


def size(body):
    return {**body, "size": len(body)}


class Sorry:
    def do(self, event):
        event.body = {"sorry": str(event.error), "at": event.origin_state}
        return event


fn = mlrun.new_function("events", kind="serving")
graph = fn.set_topology("flow", engine="async")
step = graph.to(name="describe", handler=describe, full_event=True)
step.error_handler("sorry", "Sorry", full_event=True)
step = step.to(name="size", handler=size)
step.error_handler("sorry", "Sorry", full_event=True)
step.to(Stamp, "stamp").to(name="last", handler=lambda body: sorted(body.items())).respond()
