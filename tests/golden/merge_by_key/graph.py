"""Parts that belong together by a key of the body, whatever request they came with."""
import mlrun

def a(body): return body
fn = mlrun.new_function("by-key", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="in", handler="(event)")
graph.add_step(name="a", handler="a", after="in")
graph.add_step(name="b", handler="a", after="in")
graph.add_step("mlrun.serving.merger.Merge", name="merge", after=["a", "b"], key_path="event['x']", max_behind=3)
graph.add_step(name="out", handler="(event)", after="merge").respond()
