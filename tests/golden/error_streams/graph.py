import mlrun

fn = mlrun.new_function("streams", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to("$queue", "profile", path="ds://orders")
graph.to("$queue", "scheme", path="pulsar://host/topic")
graph.to("$queue", "subject", path="nats://host:4222")
graph.to("$queue", "wildcard", path="nats://host:4222/orders.*")
graph.to("$queue", "exchange", path="amqp://host")
graph.to("$queue", "topic", path="mqtt://host/a/#")
graph.to("$queue", "host", path="http:///a")

last = mlrun.new_function("errors", kind="serving")
last.spec.error_stream = "redis://host/errors"
last.set_topology("flow").to(name="f", handler="(event)").respond()
