"""Expressions of remote steps: not Python, or with names that they do not see."""
import mlrun
from mlrun.serving.remote import BatchHttpRequests

fn = mlrun.new_function("wrong", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("$remote", "names", url="http://a", body_expression="json.dumps(event)")
graph.to("$remote", "endpoint", url="http://a", body_expression="endpoint")
graph.to("$remote", "syntax", url="http://a", headers_expression="{'a': }")
graph.to(BatchHttpRequests(name="batch", url_expression="context.get_param('url')"))
