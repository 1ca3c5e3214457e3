"""Storey's stateless steps: several events of one, dropped events, queues at the ends."""
import mlrun
import storey


class Clean(storey.MapClass):
    def do(self, body):
        if not body.get("text"):
            self.filter()
        return body


class Count:
    def __init__(self):
        self.seen = 0

    def do(self, word):
        self.seen += 1


def words(body):
    yield from body["text"].split()


def failed(body):
    return {"failed": body}


def of_user(event):
    return event.body["user"]


counter = Count()

fn = mlrun.new_function("stream-steps", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Clean", "clean")
graph.add_step(
    "storey.Rename", "rename", mapping={"txt": "text"}, after="clean"
).to("storey.steps.Partition", "sides", _predicate="(event.body['n'] > 1)").to(
    "storey.Map", "left", fn=lambda sides: list(sides)
).to(">>", "partitioned", path="demo/partitioned", sharding_func=of_user)
graph.add_step("storey.FlatMap", "words", _fn="words", after="clean").error_handler(
    "failed", handler="failed"
).to("storey.ForEach", "count", _fn="builtins.print", input_path="x", result_path="y").to(
    "$queue", "out", path="demo/words"
)
graph.add_step("storey.Map", "rows", _fn="(event['rows'])", after="clean").to("storey.Flatten", "flat").to(
    "$queue", "each-row", path="demo/rows", full_event=True
)
graph.add_step("storey.FlatMap", "letters", _fn="(event['text'])", result_path="letter", after="clean").respond()
