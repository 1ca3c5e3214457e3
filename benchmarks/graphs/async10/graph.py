import mlrun


class Add:
    def __init__(self, amount):
        self.amount = amount

    def do(self, body):
        body["x"] += self.amount
        return body


class Catch:
    def do(self, event):
        event.body = {"error": type(event.error).__name__, "from": event.origin_state}
        return event


def parse(body):
    return {"type": body["type"], "x": body["x"]}


def double(body):
    body["x"] *= 2
    return body


def finish(body):
    return {"outputs": body["x"]}


fn = mlrun.new_function("async10", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="async")
step = graph.to(name="parse", handler="parse")
step.error_handler(name="catcher", class_name="Catch", full_event=True)
step = step.to("storey.Filter", name="filter", _fn='(event["type"]=="infer")')
for number in range(4):
    step = step.to("Add", name=f"add{number}", amount=number)
    if number < 3:
        step = step.to(name=f"double{number}", handler="double")
step.to(name="finish", handler="finish").respond()
