"""Steps that work on several events at once: ConcurrentExecution, SendToHttp."""
import json

import mlrun
import storey

fn = mlrun.new_function("at-once", kind="serving")
graph = fn.set_topology("flow", engine="async")
graph.to(
    "storey.ConcurrentExecution",
    name="load",
    _event_processor="load",
    concurrency_mechanism="threading",
    max_in_flight=4,
).to(
    storey.ConcurrentExecution(
        name="score", event_processor=lambda body: {**body, "score": body["a"] + 1}, retries=2
    )
).to(
    "storey.SendToHttp",
    "ask",
    _request_builder="request",
    _join_from_response="join",
    result_path="answer",
    retries=1,
    backoff_factor=0.1,
).error_handler(name="offline", handler="offline", before="stamp")
graph.add_step(
    "storey.ConcurrentExecution",
    "stamp",
    after="ask",
    _event_processor="stamp",
    pass_context=True,
    full_event=True,
)
graph.add_step(
    "storey.ConcurrentExecution",
    "heavy",
    after="stamp",
    _event_processor="heavy",
    concurrency_mechanism="multiprocessing",
    max_in_flight=2,
).respond()


def load(body):
    with open(body["path"]) as file:
        return json.load(file)


def request(event):
    return storey.HttpRequest("POST", f"http://asked{event.path}", json.dumps(event.body))


def join(body, response):
    return json.loads(response.body) if response.status == 200 else None


def offline(body):
    return {**body, "answer": None}


async def stamp(event, context):
    event.body["project"] = context.project
    return event


def heavy(body):
    return {**body, "sum": sum(range(body["score"]))}
