"""The parent by hand: each request is answered when its message has arrived."""

import json

from confluent_kafka import Producer


def mark(body):
    body["seen"] = True
    return body


def init_context(context):
    context.user_data.failed = []
    context.user_data.producer = Producer(
        {
            "bootstrap.servers": "BROKER",
            "enable.idempotence": True,
            "message.timeout.ms": 60_000,
            "linger.ms": 5,
            "on_delivery": lambda error, _: error and context.user_data.failed.append(error),
        }
    )


def handler(context, event):
    try:
        body = event.body
        if isinstance(body, (str, bytes)):
            body = json.loads(body)
        body = mark(body)
        message = {"full_event_wrapper": True, "body": body, "id": event.id}
        context.user_data.producer.produce("todo", json.dumps(message))
        context.user_data.producer.flush()
        if context.user_data.failed:
            raise OSError(str(context.user_data.failed.pop()))
    except Exception as exc:
        context.logger.error(f"{exc}")
        return context.Response(body=str(exc), content_type="text/plain", status_code=503)
    answer = json.dumps({"id": event.id})
    return context.Response(body=answer, content_type="application/json", status_code=200)
