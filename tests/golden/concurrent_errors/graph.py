"""Concurrent steps that could not work."""
import mlrun
import storey

fn = mlrun.new_function("wrong", kind="serving")
graph = fn.set_topology("flow", engine="async")


def two(body, context):
    return body


def items(body):
    yield body


def add(name, **args):
    graph.to("storey.ConcurrentExecution", name, **args)


add("none")
add("mechanism", _event_processor="(event)", concurrency_mechanism="thread_pol")
add("zero", _event_processor="(event)", max_in_flight=0)
add("inline", _event_processor="(event)", concurrency_mechanism="process_pool")
add("event", _event_processor="two", concurrency_mechanism="dedicated_process", full_event=True)
add("context", _event_processor="two", concurrency_mechanism="multiprocessing", pass_context=True)
add("arguments", _event_processor="two")
add("stream", _event_processor="items")
add("paths", _event_processor="(event)", input_path="a", result_path="b")
add("typo", _event_processor="(event)", max_inflight=2)
graph.to("storey.SendToHttp", "half", _request_builder="(event)", input_path="x")

sync = mlrun.new_function("sync", kind="serving")
sync.set_topology("flow", engine="sync").to("storey.ConcurrentExecution", "c", _event_processor="(event)")
