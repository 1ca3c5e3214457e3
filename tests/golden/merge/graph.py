"""Branches that meet in a Merge: one call each, a chain, and one that may drop the event."""
import mlrun


class Letters:
    def do(self, body):
        return {"letters": sum(char.isalpha() for char in body["text"])}


def split(body):
    return body["text"].split()


def count(body):
    return {"words": len(body)}


def combine(parts):
    return {key: value for part in parts for key, value in part.items()}


fn = mlrun.new_function("text-facts", kind="serving")
graph = fn.set_topology("flow")
graph.to(name="input", handler="(event)")
graph.add_step("Letters", name="letters", after="input")
graph.add_step(name="split", handler="split", after="input").to(name="count", handler="count")
graph.add_step("storey.Filter", name="long", _fn='(len(event["text"]) > 3)', after="input").to(
    name="size", handler='({"size": len(event["text"])})'
)
graph.add_step("mlrun.serving.merger.Merge", name="merge", after=["letters", "count", "size"])
graph.add_step(name="combine", handler="combine", after="merge").respond()
