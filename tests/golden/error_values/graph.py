"""Values that no package can hold."""
import os
import threading

import mlrun


class Step:
    def __init__(self, value):
        self.value = value

    def do(self, event):
        return event


fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Step", "lock", value=threading.Semaphore(3)).to("Step", "step", value=Step(1)).to(
    "Step", "inside", value={"url": os.environ["URL"]}
).to("Step", "file", value=open("rates.csv")).respond()
