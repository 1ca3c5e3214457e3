import mlrun


class Known:
    def __init__(self, limit):
        self.limit = limit

    def do(self, body):
        return body


def two(body, other):
    return body


fn = mlrun.new_function("typo", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Knwon").to(name="json", handler="json.laods").to(name="bad", handler="(event +)").to(
    name="free", handler="(json.dumps(event))"
).respond()
