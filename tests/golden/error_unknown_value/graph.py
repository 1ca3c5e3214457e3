import mlrun
import requests

LIMIT = requests.get("http://x").json()["limit"]


class Step:
    def __init__(self, limit):
        self.limit = limit

    def do(self, body):
        return body


fn = mlrun.new_function("unknown", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Step", limit=LIMIT + 1).respond()
if LIMIT > 3:
    graph.to("Step", "extra", limit=3)
