"""Calls that MLRun has and graphc does not compile: what they would do can be said in other ways."""
import mlrun

fn = mlrun.new_function("other", kind="serving", image="other")
graph = fn.set_topology("flow", engine="async")
graph.to(name="first", handler="(event)").respond()
graph.insert_step("second", {}, after="first")
graph["first"].set_next("third")
graph.cycle_to("first")
graph.add_shared_model("m")
graph.set_flow_source("source")
graph.track_models(True)
fn.setup_model_monitoring()
shop = fn.add_child_function("shop", "graph.py", "mill")
shop.add_child_function("till", "graph.py", "mill")
