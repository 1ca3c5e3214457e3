"""Elements of a list, each sent to a service: several at once, in order."""
import mlrun

fn = mlrun.new_function("lines", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("storey.FlatMap", "lines", _fn='(event["lines"])').to(
    "$remote", "price", url="http://prices", method="POST", max_in_flight=4
).to("$queue", "priced", path="kafka://broker:9092/priced")
