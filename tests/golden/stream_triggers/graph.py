"""Functions that are triggered by streams the file names itself."""
import os

import mlrun
import nuclio
from mlrun.datastore import StreamSource
from mlrun.datastore.sources import KafkaSource
from mlrun.runtimes.nuclio.triggers import RabbitMQTrigger
from nuclio.triggers import V3IOStreamTrigger


def served(name, engine="async"):
    made = mlrun.new_function(name, kind="serving")
    made.set_topology("flow", engine=engine).to(name="same", handler="(event)")
    return made


kafka = served("kafka-reader")
kafka.add_trigger(
    "orders",
    nuclio.KafkaTrigger(
        ["kafka-0:9092", "kafka-1:9092"],
        ["orders", "returns"],
        consumer_group="shop",
        explicit_ack_mode="explicitOnly",
        max_workers=2,
        extra_attributes={"balanceStrategy": "sticky", "tls": {"enable": True}},
    ).sasl(os.environ["KAFKA_USER"], "hunter2"),
)
kafka.add_trigger("old", {"kind": "kafka", "attributes": {"topics": ["t"], "brokers": ["b:9092"], "consumerGroup": "g"}})
source = KafkaSource(brokers="kafka-0:9092", topics="clicks", group="clicks", initial_offset="latest", attributes={"max_workers": 3})
source.add_nuclio_trigger(kafka)
kafka.disable_default_http_trigger()

v3io = served("v3io-reader")
v3io.add_v3io_stream_trigger("v3io:///users/shop/orders", group="shop", shards=4, ack_window_size=10)
v3io.add_trigger("late", V3IOStreamTrigger(name="late", container="users", path="shop/late", access_key=os.environ["V3IO_ACCESS_KEY"]))
StreamSource(name="returns", path="v3ios://webapi.example.com/projects/returns", shards=4).add_nuclio_trigger(v3io)

rabbit = served("rabbit-reader", engine="sync")
rabbit.add_rabbitmq_trigger("amqp://shop:hunter2@rabbit:5672/", "orders", queue_name="new", prefetch_count=10)
rabbit.add_trigger("news", RabbitMQTrigger(f"amqp://{os.environ['RABBIT']}:5672", "news", topics=["a.*", "b"], num_workers=1))

others = served("others")
others.add_trigger("nats", {"kind": "nats", "url": "nats://nats:4222", "maxWorkers": 4, "attributes": {"topic": "orders", "queueName": "shop"}})
others.add_trigger("mqtt", {"kind": "mqtt", "url": "mqtt:1883", "attributes": {"subscriptions": [{"topic": "a/#", "qos": 1}]}})
others.add_trigger(
    "kinesis",
    {
        "kind": "kinesis",
        "numWorkers": 2,
        "attributes": {
            "accessKeyID": "AKIAEXAMPLE",
            "secretAccessKey": "hunter2",
            "regionName": "eu-central-1",
            "streamName": "orders",
            "shards": ["shardId-000000000000", "shardId-000000000001"],
        },
    },
)
others.add_trigger("hub", {"kind": "eventhub", "attributes": {"namespace": "n", "eventHubName": "h", "partitions": [0, 1], "sharedAccessKeyName": "k"}})
others.add_trigger("pub", {"kind": "pubsub", "attributes": {"projectID": "p", "subscriptions": [{"topic": "t", "shared": True}]}})
others.add_trigger("first", {"kind": "kickstart", "attributes": {"event": {"body": "{}"}}})
