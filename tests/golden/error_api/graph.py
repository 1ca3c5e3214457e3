import mlrun

fn = mlrun.new_function("api", kind="serving")
graph = fn.set_topology("flow", engin="async")
graph = fn.set_topology("flow")
graph.to()
graph.to(handler="(event)")
graph.add_step(name="a", handler="(event)", aftr="x")
graph.add_step(name="b", handler="(event)", after="nowhere")
fn.add_model("m", model_path="x")
fn.add_model("far", model_url="http://far/model", url="http://near/model")
mlrun.new_function("Bad/Name", kind="serving")
mlrun.import_function("hub://something_else")
