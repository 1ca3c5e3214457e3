"""A synchronous flow: functions, a class with arguments, a method named by handler."""
import mlrun

RATE = 1.2


def trim(body):
    return {key: str(value).strip() for key, value in body.items()}


class Price:
    # what a caller pays
    def __init__(self, context, name=None, tax=0.0):
        self.context = context
        self.tax = tax

    def total(self, body):
        return {"total": float(body["amount"]) * (RATE + self.tax)}


def ending(event):
    event.body = {"answer": event.body, "path": event.path}
    return event


fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="sync")
graph.to(name="trim", handler="trim").to("Price", "price", handler="total", tax=0.2).to(
    name="ending", handler="ending", full_event=True
)
