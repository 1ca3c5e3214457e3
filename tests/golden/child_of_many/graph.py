import mlrun


def kind(body):
    return {"order": body["order"], "kind": body.get("kind", "sale")}


class Book:
    def __init__(self, sign):
        self.sign = sign

    def do(self, body):
        return {"order": body["order"], "amount": self.sign * body["amount"]}


def audit(event):
    event.body = {**event.body, "id": event.id}
    return event


def answer(body):
    return {"booked": body["order"]}


# One function reads what two steps write, and answers requests that are put to it.
fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="kind", handler="kind").to("$queue", "sales", path="users/demo/sales")
graph.add_step("$queue", "refunds", path="v3io:///users/demo/refunds", after="kind")
graph.add_step("Book", "book", after="sales", function="ledger", sign=1)
graph.add_step("Book", "take_back", after="refunds", function="ledger", sign=-1)
graph.add_step(name="audit", handler="audit", full_event=True, after=["book", "take_back"], function="ledger")
graph.add_step(name="answer", handler="answer", after="audit", function="ledger").respond()
# Two steps read the same stream in one function, and another function does so, too.
graph.add_step(name="watch", handler="(event)", after="sales", function="watcher").to("$queue", "seen", path="seen/all")
graph.add_step(name="count", handler="answer", after="sales", function="watcher").to("$queue", "counts", path="seen/counts")
for name in ("ledger", "watcher"):
    fn.add_child_function(name, "graph.py", "mlrun/mlrun")
