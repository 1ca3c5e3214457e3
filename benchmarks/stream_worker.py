"""One side of the measurement of streams: a package with a Kafka topic before or behind it.

    stream_worker.py parent PACKAGE BROKER COUNT    COUNT requests
    stream_worker.py enrich PACKAGE BROKER COUNT    COUNT messages that lie in the topic `todo`

Prints seconds and CPU seconds as JSON. Events are made as Nuclio's wrapper makes them, one after
another on one event loop; what is acknowledged is committed once a second, and at the end.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import sys
import time
from typing import Any

import nuclio_sdk
from confluent_kafka import Consumer, TopicPartition

_KINDS = {"parent": "http", "enrich": "kafka-cluster"}


async def measure(side: str, package: str, broker: str, count: int) -> tuple[float, float]:
    acknowledged: dict[str, Any] = {}

    async def control(message: dict[str, Any]) -> None:
        acknowledged.update(message["attributes"])

    logger = nuclio_sdk.Logger(logging.ERROR)
    logger.set_handler("default", sys.stderr, nuclio_sdk.logger.HumanReadableFormatter())
    trigger = nuclio_sdk.TriggerInfo(_KINDS[side], "measured")
    platform = nuclio_sdk.Platform("local", on_control_callback=control)
    context = nuclio_sdk.Context(logger=logger, platform=platform, worker_id="0", trigger=trigger)
    sys.path.insert(0, package)
    module = importlib.import_module("handler")
    module.init_context(context)

    def event(body: bytes, offset: int) -> Any:
        topic = {"parent": "", "enrich": "todo"}[side]
        content_type = {"parent": "application/json", "enrich": ""}[side]
        shard = {"parent": -1, "enrich": 0}[side]
        return nuclio_sdk.Event(
            body=body, content_type=content_type, trigger=trigger, headers={}, _id="id",
            method="POST", path=topic or "/", topic=topic, shard_id=shard, offset=offset,
        )  # fmt: skip

    if side == "parent":
        module.handler(context, event(b'{"n": -1}', 0))  # connects
        began, cpu = time.perf_counter(), time.process_time()
        for number in range(count):
            answer = module.handler(context, event(b'{"n": %d}' % number, 0))
            assert answer.status_code == 200, answer.body
            await asyncio.sleep(0)
        return time.perf_counter() - began, time.process_time() - cpu

    settings = {"bootstrap.servers": broker, "group.id": "g", "enable.auto.commit": False}
    consumer = Consumer(settings)
    consumer.assign([TopicPartition("todo", 0, 0)])
    (first,) = consumer.consume(1, 30)
    module.handler(context, event(first.value(), first.offset()))
    await asyncio.sleep(1.5)  # its stride ends: all is connected
    messages = consumer.consume(500, 1)
    began, cpu, handled, committed = time.perf_counter(), time.process_time(), 0, 0.0
    while handled < count:
        for message in messages:
            module.handler(context, event(message.value(), message.offset()))
            await asyncio.sleep(0)
            handled += 1
        if acknowledged and time.perf_counter() - committed > 1:
            commit(consumer, acknowledged)
            committed = time.perf_counter()
        messages = consumer.consume(500, 1) if handled < count else []
    await platform._on_signal(callback_type="termination")
    commit(consumer, acknowledged)
    assert acknowledged["offset"] == message.offset(), acknowledged
    took = time.perf_counter() - began, time.process_time() - cpu
    consumer.close()
    return took


def commit(consumer: Consumer, acknowledged: dict[str, Any]) -> None:
    place = TopicPartition("todo", acknowledged["partition"], acknowledged["offset"] + 1)
    consumer.commit(offsets=[place])


if __name__ == "__main__":
    name, folder, address, wanted = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(name, folder, address, int(wanted)))))
