"""What carries the streams between the functions: files, one Kafka broker, or what they say."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..diagnostics import GraphError
from .file_source import FileSource
from .kafka_source import KafkaSource, confluent_kafka, make_topics
from .packages import Package
from .process import Log
from .sources import Source
from .temporary import TemporaryFolder
from .triggers import StreamTrigger
from .worker import topic_of

#: The word for brokers as function.yaml and the graph name them.
CONFIGURED = "configured"
_BROKER = re.compile(r"(?:kafka://)?([^\s/,:@]+:\d+(?:,[^\s/,:@]+:\d+)*)/?")
_VARIABLE = "GRAPHC_STREAMS"


class Streams:
    """Where messages go and come from.

    Without a broker they are lines of files in `folder`; without that, too, in the folder that
    GRAPHC_STREAMS names, else in a temporary one.
    """

    def __init__(self, folder: Path | None = None, broker: str | None = None) -> None:
        self.environment: Mapping[str, str] = {}
        self.folder: Path | None = None
        self._temporary: TemporaryFolder | None = None
        self._brokers = ""
        if broker is None:
            self._use_files(folder)
        else:
            # Files named by the caller's environment are for those who ask for no broker.
            self.environment = {_VARIABLE: ""}
            if broker != CONFIGURED:
                match = _BROKER.fullmatch(broker)
                if match is None:
                    raise GraphError(
                        f"{broker!r} names no broker",
                        code="GC043",
                        help=f"--broker is kafka://host:port, or {CONFIGURED}",
                    )
                self._brokers = match[1]
            confluent_kafka()

    @property
    def is_temporary(self) -> bool:
        """Goes the folder when this is closed?"""
        return self._temporary is not None

    @property
    def broker_url(self) -> str | None:
        """The broker that has all streams."""
        return f"kafka://{self._brokers}" if self._brokers else None

    @property
    def about(self) -> str:
        """Where the streams are, for people."""
        if self.folder is not None:
            return f"files in {self.folder}"
        return f"topics of {self._brokers}" if self._brokers else "as configured"

    def source(self, trigger: StreamTrigger, log: Log) -> Source | None:
        """What a trigger reads; None if it cannot be read here."""
        if self.folder is not None:
            return FileSource(self.folder, trigger.streams, trigger.group, log)
        if self._brokers:
            return KafkaSource(trigger, self._brokers, log)
        if trigger.is_kafka and trigger.brokers:
            brokers = ",".join(
                address.partition("://")[2] or address for address in trigger.brokers
            )
            return KafkaSource(trigger, brokers, log)
        return None

    async def prepare(self, packages: Iterable[Package]) -> None:
        """Make the topics that the packages read or write, where all are on one broker."""
        if self._brokers:
            wanted: dict[str, int] = {}
            for package in packages:
                read = {
                    topic_of(stream): trigger.workers if trigger.static else 1
                    for trigger in package.triggers.streams
                    for stream in trigger.streams
                }
                for topic, count in (*read.items(), *package.graph.streams.items()):
                    wanted[topic] = max(count, wanted.get(topic, 1))
            await make_topics(self._brokers, wanted)

    def close(self) -> None:
        """Remove what was temporary."""
        if self._temporary is not None:
            self._temporary.close()

    def _use_files(self, folder: Path | None) -> None:
        given = os.environ.get(_VARIABLE, "")
        if folder is None and given.startswith("dir:"):
            folder = Path(given.removeprefix("dir:"))
        try:
            if folder is None:
                self._temporary = TemporaryFolder("graphc-streams-")
                folder = self._temporary.path
            else:
                folder = folder.resolve()
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = folder or "for the streams"
            raise GraphError(
                f"cannot make the folder {what}: {error.strerror}", code="GC043"
            ) from None
        self.folder = folder
        self.environment = {_VARIABLE: f"dir:{folder}"}
