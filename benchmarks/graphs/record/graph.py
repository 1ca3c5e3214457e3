import mlrun


def tidy(body):
    return {"text": body["text"].strip()}


def measured(body):
    return {"length": len(body["text"])}


def recorded(body):
    return {"seen": body["text"].lower()}


fn = mlrun.new_function("record", project="bench", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="tidy", handler="tidy")
graph.add_step(name="measured", handler="measured", after="tidy").respond()
graph.add_step(name="recorded", handler="recorded", after="tidy")
graph.add_step("$queue", "log", path="dummy://bench/log", after="recorded")
