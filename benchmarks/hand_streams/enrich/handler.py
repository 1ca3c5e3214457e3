"""The child by hand: confirmed and acknowledged each 100 events, after a second, and at the end."""

import asyncio
import json
import os

from confluent_kafka import Producer
from nuclio_sdk import QualifiedOffset


def double(body):
    body["n"] *= 2
    return body


def split(body):
    return [{"n": body["n"], "part": 0}, {"n": body["n"], "part": 1}]


def init_context(context):
    data = context.user_data
    data.failed, data.last, data.count, data.timer, data.tasks = [], {}, 0, None, set()
    data.loop = asyncio.get_running_loop()
    data.producer = Producer(
        {
            "bootstrap.servers": "BROKER",
            "enable.idempotence": True,
            "message.timeout.ms": 60_000,
            "linger.ms": 5,
            "on_delivery": lambda error, _: error and data.failed.append(error),
        }
    )

    async def drain():
        stride(context)
        await asyncio.gather(*data.tasks)

    context.platform.set_drain_callback(drain)
    context.platform.set_termination_callback(drain)


def stride(context):
    data = context.user_data
    if data.timer is not None:
        data.timer.cancel()
        data.timer = None
    data.producer.flush()
    if data.failed:
        os._exit(1)
    for offset in data.last.values():
        task = data.loop.create_task(context.platform.explicit_ack(offset))
        data.tasks.add(task)
        task.add_done_callback(data.tasks.discard)
    data.last, data.count = {}, 0


def handler(context, event):
    data = context.user_data
    try:
        body = json.loads(event.body)
        if body.get("full_event_wrapper"):
            body = body["body"]
        for item in split(double(body)):
            data.producer.produce("done", json.dumps(item))
    except Exception as exc:
        context.logger.error(f"{event.topic}[{event.shard_id}]@{event.offset}: {exc}")
    data.last[event.shard_id] = QualifiedOffset.from_event(event)
    data.count += 1
    if data.count == 100:
        stride(context)
    elif data.timer is None:
        data.timer = data.loop.call_later(1, stride, context)
    answer = json.dumps({"id": event.id})
    return context.Response(body=answer, content_type="application/json", status_code=200)
