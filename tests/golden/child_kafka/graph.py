import os

import mlrun


def parse(body):
    return {"order": body["order"], "items": body["items"]}


class Price:
    def __init__(self, context, prices=None):
        self.context = context
        self.prices = prices

    def do(self, body):
        total = sum(self.prices[item] for item in body["items"])
        return {"order": body["order"], "total": total, "currency": self.context.get_param("currency")}


class Reject:
    def do(self, event):
        event.body = {"rejected": event.body["order"], "step": event.origin_state}
        return event


fn = mlrun.new_function("shop", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(name="parse", handler="parse").to(
    "$queue", "orders", path="kafka://kafka-1:9092/orders", group="pricing-readers", shards=4
).to("Price", "price", function="pricing", prices={"tea": 3, "cake": 5}).to(
    "$queue",
    "priced",
    path="priced",
    kafka_brokers="kafka-1:9092,kafka-2:9092",
    kafka_producer_options={
        "acks": 1,
        "compression_type": "gzip",
        "linger_ms": 20,
        "sasl_plain_password": os.environ["KAFKA_PASSWORD"],
        "ssl_check_hostname": False,
        "ssl_password": "in plain sight",
        "value_serializer": str,
    },
)
graph.steps["price"].error_handler("reject", "Reject", full_event=True)
graph.add_step("$queue", "rejected", path="kafka://kafka-1:9092/rejected", after="reject")

pricing = fn.add_child_function("pricing", "graph.py", "mlrun/mlrun")
pricing.spec.parameters = {"currency": "EUR"}
