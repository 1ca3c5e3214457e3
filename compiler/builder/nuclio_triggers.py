"""The triggers of Nuclio 1.14, by kind (nuclio.md 2.1, 2.3).

Beside the shapes: which of their values are secrets.
"""

from __future__ import annotations

from collections.abc import Mapping

from .nuclio_config import DURATION, LABEL_KEY
from .shapes import (
    FLAG,
    NAME,
    TEXT,
    Items,
    Path,
    Record,
    Shape,
    Table,
    one_of,
    pattern,
    whole,
)

_SCHEDULE = pattern(
    "a cron schedule of five fields, or six with seconds, or @hourly, @every 1h and the like",
    r"@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)|\S+( +\S+){4,5}",
)
_TRIGGER: Mapping[str, Shape] = {
    "kind": NAME,
    "name": NAME,
    "class": TEXT,
    "disabled": FLAG,
    "numWorkers": whole(0, 100_000),
    "maxWorkers": whole(0, 100_000),
    "workerAvailabilityTimeoutMilliseconds": whole(),
    "workerAllocatorName": TEXT,
    "workerTerminationTimeout": DURATION,
    "url": TEXT,
    "username": TEXT,
    "password": TEXT,
    "secret": TEXT,
    "annotations": Table(LABEL_KEY, TEXT),
}
#: Of kinds whose messages a handler can acknowledge (nuclio.md 2.6).
_ACKNOWLEDGED: Mapping[str, Shape] = {
    **_TRIGGER,
    "explicitAckMode": one_of("disable", "enable", "explicitOnly"),
    "waitExplicitAckDuringRebalanceTimeout": DURATION,
}
_ALLOCATION = one_of("pool", "static")
_EVENT = Record({"body": TEXT, "path": TEXT, "method": TEXT, "headers": Table(NAME, TEXT)})

_HTTP = Record(
    {
        "port": whole(0, 65535),
        "serviceType": one_of("ClusterIP", "NodePort"),
        "ingresses": Table(
            NAME,
            Record(
                {
                    "host": TEXT,
                    "hostTemplate": TEXT,
                    "paths": Items(NAME),
                    "pathType": TEXT,
                    "secretName": TEXT,
                }
            ),
        ),
        "maxRequestBodySize": whole(1),
        "readBufferSize": whole(1),
        "reduceMemoryUsage": FLAG,
        "disablePortPublishing": FLAG,
        "cors": Record(
            {
                "enabled": FLAG,
                "allowOrigins": Items(TEXT),
                "allowMethods": Items(TEXT),
                "allowHeaders": Items(TEXT),
                "allowCredentials": FLAG,
                "exposeHeaders": Items(TEXT),
                "preflightRequestMethod": TEXT,
                "preflightMaxAgeSeconds": whole(),
            }
        ),
    }
)
_CRON = Record(
    {
        "interval": DURATION,
        "schedule": _SCHEDULE,
        "event": _EVENT,
        "concurrencyPolicy": one_of("Allow", "Forbid", "Replace"),
        "jobBackoffLimit": whole(),
    }
)
_KAFKA = Record(
    {
        "topics": Items(NAME),
        "brokers": Items(NAME),
        "consumerGroup": NAME,
        "initialOffset": one_of("earliest", "latest"),
        "workerAllocationMode": _ALLOCATION,
        "balanceStrategy": one_of("range", "roundrobin", "sticky"),
        **dict.fromkeys(
            """sessionTimeout heartbeatInterval maxProcessingTime rebalanceTimeout
            rebalanceRetryBackoff retryBackoff maxWaitTime maxWaitHandlerDuringRebalance""".split(),
            DURATION,
        ),
        **dict.fromkeys(
            """rebalanceRetryMax fetchMin fetchDefault fetchMax channelBufferSize ackWindowSize
            logLevel""".split(),
            whole(),
        ),
        "version": NAME,
        "sasl": Record(
            {
                "enable": FLAG,
                "handshake": FLAG,
                "user": TEXT,
                "password": TEXT,
                "mechanism": TEXT,
                "oauth": Record(
                    {
                        "clientID": TEXT,
                        "clientSecret": TEXT,
                        "tokenURL": TEXT,
                        "scopes": Items(TEXT),
                    }
                ),
            }
        ),
        "tls": Record({"enable": FLAG, "insecureSkipVerify": FLAG, "minimumVersion": TEXT}),
        "caCert": TEXT,
        "accessKey": TEXT,
        "accessCertificate": TEXT,
        "secretPath": TEXT,
    },
    required=("topics", "consumerGroup"),
)
_V3IO = Record(
    {
        "containerName": NAME,
        "streamPath": NAME,
        # As mlrun 1.12.1 wants it.
        "consumerGroup": pattern("a group: letters, digits and `_`", r"(?!_)[a-zA-Z0-9_]{1,256}"),
        "seekTo": one_of("latest", "earliest"),
        "workerAllocationMode": _ALLOCATION,
        **dict.fromkeys(
            """readBatchSize numTransportWorkers recordBatchSizeChan ackWindowSize logLevel
            pollingIntervalMs""".split(),
            whole(),
        ),
        **dict.fromkeys(
            """sessionTimeout heartbeatInterval sequenceNumberCommitInterval
            sequenceNumberShardWaitInterval""".split(),
            DURATION,
        ),
        "partitions": Items(whole()),
    }
)
_KINESIS = Record(
    {
        "accessKeyID": TEXT,
        "secretAccessKey": TEXT,
        "regionName": NAME,
        "streamName": NAME,
        "shards": Items(NAME),
        "iteratorType": one_of("LATEST", "TRIM_HORIZON"),
        "pollingPeriod": DURATION,
    },
    required=("regionName", "streamName", "shards"),
)
_NATS = Record({"topic": NAME, "queueName": TEXT}, required=("topic",))
_RABBITMQ = Record(
    {
        "exchangeName": TEXT,
        "queueName": TEXT,
        "topics": Items(NAME),
        "reconnectDuration": DURATION,
        "reconnectInterval": DURATION,
        "prefetchCount": whole(),
        "durableExchange": FLAG,
        "durableQueue": FLAG,
    }
)
_SUBSCRIPTIONS: Mapping[str, Shape] = {
    "subscriptions": Items(Record({"topic": NAME, "qos": whole(0, 2)}, required=("topic",))),
    "clientID": TEXT,
    "protocolVersion": whole(3, 5),
}
_IOT_CORE = Record(
    {
        **_SUBSCRIPTIONS,
        "projectID": NAME,
        "regionName": NAME,
        "registryID": NAME,
        "deviceID": NAME,
        "privateKey": Record({"contents": TEXT}),
        "jwtRefreshInterval": DURATION,
    },
    required=("subscriptions",),
)
_PUBSUB = Record(
    {
        "subscriptions": Items(
            Record(
                {
                    "topic": NAME,
                    "idPrefix": TEXT,
                    "shared": FLAG,
                    "ackDeadline": DURATION,
                    "skipCreate": FLAG,
                    "maxNumWorkers": whole(1),
                    "synchronous": FLAG,
                },
                required=("topic",),
            )
        ),
        "projectID": NAME,
        "ackDeadline": DURATION,
        "credentials": Record({"contents": TEXT}),
        "noCredentials": FLAG,
    },
    required=("subscriptions", "projectID"),
)
_EVENTHUB = Record(
    {
        "sharedAccessKeyName": TEXT,
        "sharedAccessKeyValue": TEXT,
        "namespace": NAME,
        "eventHubName": NAME,
        "consumerGroup": NAME,
        "partitions": Items(whole()),
    },
    required=("namespace", "eventHubName", "partitions"),
)
_ITEM_POLLER = Record(
    {
        "url": TEXT,
        "containerID": whole(),
        "containerAlias": TEXT,
        **dict.fromkeys("paths attributes queries suffixes".split(), Items(TEXT)),
        "incremental": FLAG,
        "restart": FLAG,
        **dict.fromkeys(
            "shardID totalShards intervalMs maxBatchSize maxBatchWaitMs".split(), whole()
        ),
    }
)


def _record(attributes: Record, keys: Mapping[str, Shape] = _TRIGGER) -> Record:
    required = ("attributes",) if attributes.required else ()
    return Record({**keys, "attributes": attributes}, required=required)


#: What each kind's structure looks like.
TRIGGERS: Mapping[str, Record] = {
    "http": _record(_HTTP),
    "cron": Record({**_TRIGGER, "attributes": _CRON}, required=("attributes",)),
    **dict.fromkeys(("kafka-cluster", "kafka"), _record(_KAFKA, _ACKNOWLEDGED)),
    "v3ioStream": _record(_V3IO, _ACKNOWLEDGED),
    "kinesis": _record(_KINESIS),
    "nats": _record(_NATS),
    **dict.fromkeys(("rabbit-mq", "rabbitMq"), _record(_RABBITMQ)),
    "mqtt": _record(Record(_SUBSCRIPTIONS, required=("subscriptions",))),
    "iotCoreMqtt": _record(_IOT_CORE),
    "pubsub": _record(_PUBSUB),
    "eventhub": _record(_EVENTHUB),
    "v3ioItemPoller": _record(_ITEM_POLLER),
    "kickstart": _record(Record({"event": _EVENT})),
}
#: Values that let their reader in somewhere, by their paths in a trigger.
SECRETS: tuple[Path, ...] = (
    ("password",),
    ("secret",),
    ("attributes", "accessKey"),
    ("attributes", "secretAccessKey"),
    ("attributes", "sharedAccessKeyValue"),
    ("attributes", "sasl", "password"),
    ("attributes", "sasl", "oauth", "clientSecret"),
    ("attributes", "credentials", "contents"),
    ("attributes", "privateKey", "contents"),
)
