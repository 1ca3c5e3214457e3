import mlrun


class Known:
    def __init__(self, limit):
        self.limit = limit

    def do(self, body):
        return body


class Empty:
    pass


def two(body, other):
    return body


def generates(body):
    yield body


fn = mlrun.new_function("calls", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Known", "no-limit").to("Known", "misspelled", limt=3).to("Empty").to(name="two", handler="two").to(
    "Known", "method", limit=1, handler="undo"
).to(name="stream", handler="generates").respond()
