"""Remote steps that could not work."""
import mlrun
from mlrun.serving.remote import BatchHttpRequests, RemoteStep

fn = mlrun.new_function("wrong", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("$remote", "no-url", url_expression="event['url']")
graph.to("$remote", "empty", url="")
graph.to("$remote", "ftp", url="ftp://files")
graph.to("$remote", "numbers", url="http://a", retries=-1, max_in_flight=0, timeout="5")
graph.to("$remote", "texts", url="http://a", headers={"X-Count": 3}, method=["GET"])
graph.to("$remote", "event", url="http://a", full_event=True)
graph.to("$remote", "typo", url="http://a", retrys=3, url_expression="endpoint", subpath="b")
graph.to(BatchHttpRequests(name="both", url="http://a", url_expression="event"))
graph.to(BatchHttpRequests(name="neither", method="POST"))

sync = mlrun.new_function("sync", kind="serving")
sync.set_topology("flow", engine="sync").to(BatchHttpRequests(name="batch", url="http://a"))

routes = mlrun.new_function("routes", kind="serving")
routes.set_topology("router").add_route("batch", class_name="mlrun.serving.remote.BatchHttpRequests", url="http://a")
