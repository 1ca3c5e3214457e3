"""Values that are known only where the package runs."""
import os

import mlrun


class Call:
    def __init__(self, url, token=None, retries=3):
        self.url, self.token, self.retries = url, token, retries

    def do(self, body):
        return {"would call": self.url}


fn = mlrun.new_function("caller", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Call", url=os.environ["SERVICE_URL"], token=os.getenv("TOKEN"), retries=int("4")).respond()
