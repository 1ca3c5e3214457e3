import mlrun


class Stamp:
    def __init__(self, field):
        self.field = field

    def do(self, event):
        event.body[self.field] = event.path
        return event


def signed(event):
    event.body["by"] = event.id
    return event


fn = mlrun.new_function("events", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="async")
step = graph
for name in ("first", "second", "third", "fourth"):
    step = step.to("Stamp", name, full_event=True, field=name)
step.to(name="signed", handler="signed", full_event=True).respond()
