"""Classes of the graph's own that send requests, in a flow that awaits and where nothing does."""
import mlrun
from mlrun.serving.remote import BatchHttpRequests, RemoteStep


class Scoring(RemoteStep):
    """Asks the model of a tenant."""

    def __init__(self, tenant, **kwargs):
        super().__init__("http://scoring/v1", headers={"X-Tenant": tenant}, method="POST", **kwargs)

    def post_init(self, mode="sync", **kwargs):
        super().post_init(mode, **kwargs)
        self.headers["Authorization"] = self.context.get_secret("TOKEN")

    def _generate_request(self, event, body):
        method, url, headers, data, options = super()._generate_request(event, body)
        return method, f"{url}/{body['model']}", headers, data, options


class Ranking(RemoteStep):
    def _get_data(self, data, headers):
        return super()._get_data(data, headers)["ranking"]


class Prices(BatchHttpRequests):
    async def _process_event(self, event):
        answers = await super()._process_event(event)
        return answers[:10]


fn = mlrun.new_function("enricher", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("Scoring", "score", tenant="north", retries=2, result_path="score").to(
    "Ranking", "rank", url="ranking", body_expression="event['lines']", result_path="ranking"
).to(Prices(name="prices", url="http://prices", input_path="lines", result_path="prices")).respond()

spread = mlrun.new_function("spread", kind="serving")
spread.set_topology("router").add_route("scores", class_name="Scoring", tenant="south")
