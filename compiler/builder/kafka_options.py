"""What a queue says of a Kafka producer: keywords of kafka-python become settings of librdkafka.

Before:  {"compression_type": "gzip", "ssl_cafile": "/ca.pem", "acks": 1}
After:   {"compression.type": "gzip", "ssl.ca.location": "/ca.pem"}, and a word on `acks`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..arguments import Arguments
from ..diagnostics import Span

if TYPE_CHECKING:
    from .session import Session

#: kafka-python 2's keywords whose values mean the same to librdkafka.
_SETTINGS = {
    "batch_size": "batch.size",
    "client_id": "client.id",
    "compression_type": "compression.type",
    "connections_max_idle_ms": "connections.max.idle.ms",
    "delivery_timeout_ms": "message.timeout.ms",
    "linger_ms": "linger.ms",
    "max_request_size": "message.max.bytes",
    "metadata_max_age_ms": "metadata.max.age.ms",
    "receive_buffer_bytes": "socket.receive.buffer.bytes",
    "reconnect_backoff_max_ms": "reconnect.backoff.max.ms",
    "reconnect_backoff_ms": "reconnect.backoff.ms",
    "request_timeout_ms": "request.timeout.ms",
    "retry_backoff_ms": "retry.backoff.ms",
    "sasl_kerberos_service_name": "sasl.kerberos.service.name",
    "sasl_mechanism": "sasl.mechanisms",
    "sasl_plain_password": "sasl.password",
    "sasl_plain_username": "sasl.username",
    "security_protocol": "security.protocol",
    "send_buffer_bytes": "socket.send.buffer.bytes",
    "ssl_cafile": "ssl.ca.location",
    "ssl_certfile": "ssl.certificate.location",
    "ssl_ciphers": "ssl.cipher.suites",
    "ssl_crlfile": "ssl.crl.location",
    "ssl_keyfile": "ssl.key.location",
    "ssl_password": "ssl.key.password",
}
#: What packages settle themselves: each message is confirmed by all replicas, in order, once.
_SETTLED = {
    "acks": "each message is confirmed by all replicas",
    "enable_idempotence": "each message is written once",
    "max_in_flight_requests_per_connection": "messages stay in order",
    "retries": "messages are sent again until delivery_timeout_ms is over",
}
_PASSWORDS = frozenset({"sasl_plain_password", "ssl_password"})
#: Without meaning for this client.
_NEEDLESS = frozenset({"api_version", "api_version_auto_timeout_ms", "max_block_ms"})


def settings(session: Session, options: Any, where: Span) -> dict[str, Any]:
    """The settings of `kafka_producer_options`; what has no counterpart is reported."""
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise session.wrong_value(options, "kafka_producer_options must be a dict", where)
    arguments, found = Arguments(session), {}
    for key, value in options.items():
        name = session.text(key, "an option of a producer", where)
        if value is None or name in _NEEDLESS:
            continue
        if name in _PASSWORDS and isinstance(value, str):
            session.diagnostics.warning(
                "GC032",
                f"{name} stands in the package as plain text",
                where,
                help='read it from the environment: os.environ["KAFKA_PASSWORD"]',
            )
        if name in _SETTINGS:
            found[_SETTINGS[name]] = arguments.value(value, where, opens=True)
        elif name == "ssl_check_hostname":
            checks = arguments.flag(value, name, where)
            found["ssl.endpoint.identification.algorithm"] = "https" if checks else "none"
        elif name in _SETTLED:
            if (name, value) not in (("acks", "all"), ("acks", -1), ("enable_idempotence", True)):
                session.diagnostics.warning(
                    "GC032", f"{name}= of a producer has no effect: {_SETTLED[name]}", where
                )
        else:
            session.diagnostics.warning(
                "GC032",
                f"{name}= of a producer has no counterpart in confluent-kafka and no effect",
                where,
            )
    return found
