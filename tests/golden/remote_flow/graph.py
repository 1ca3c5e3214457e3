"""Services that a flow awaits: RemoteStep and BatchHttpRequests with their arguments."""
import os

import mlrun
from mlrun.serving.remote import BatchHttpRequests, RemoteStep

fn = mlrun.new_function("enricher", kind="serving")
fn.spec.parameters = {"tenant": "north"}
graph = fn.set_topology("flow", engine="async")
graph.to(
    RemoteStep(
        name="customer",
        url="http://crm/customers/",
        url_expression="endpoint + '/' + str(event['customer'])",
        method="GET",
        result_path="who",
        max_in_flight=4,
        retries=2,
        backoff_factor=0.5,
        timeout=3,
    )
).error_handler(name="unknown", handler="unknown", full_event=True, before=["prices"])
graph.add_step(
    BatchHttpRequests(
        name="prices",
        url_expression="'http://prices/' + event['item']",
        body_expression="{'amount': event['amount']}",
        headers={"X-Asked-By": "enricher", "Authorization": f"Bearer {os.environ['TOKEN']}"},
        input_path="lines",
        result_path="prices",
        retries=1,
    ),
    after="customer",
)
graph.add_step(
    "$remote",
    "rank",
    after="prices",
    url=os.environ["RANKING"],
    subpath="$path",
    headers_expression="{'X-Tenant': context.get_param('tenant')}",
    body_expression="[line['item'] for line in event['lines']]",
).respond()


def unknown(event):
    event.body["who"] = {"error": str(event.error)}
    return event
