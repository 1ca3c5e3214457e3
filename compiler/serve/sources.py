"""Where messages come from: what files of JSON lines and Kafka's topics have in common.

A source is read by one consumer of one group. It starts where the group has committed; partitions
come and go, and each time the `Claims` are told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

#: A stream, as writers name it, and the number of one of its partitions.
Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a stream."""

    stream: str
    partition: int
    offset: int
    body: bytes
    #: Seconds.
    timestamp: int
    headers: Mapping[str, bytes] = field(default_factory=dict)


class Claims(Protocol):
    """Who reads a source."""

    def claimed(self, partitions: Sequence[Partition]) -> None:
        """These are ours from now on."""

    async def release(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Finish what is in progress of these; what is to be committed, when nothing is."""

    def lost(self, partitions: Sequence[Partition]) -> None:
        """These are somebody else's already."""


class Source(Protocol):
    """Messages, and positions among them; all calls are awaited one after another."""

    @property
    def is_at_end(self) -> bool:
        """Has everything been read that is there? True if it cannot be told."""

    async def open(self, claims: Claims) -> None:
        """Join the group; raises GraphError if there is no way to."""

    async def read(self, most: int) -> Sequence[Message]:
        """Up to so many messages; none after a moment in which there are none."""

    async def hold(self, partitions: Sequence[Partition], held: bool) -> None:
        """Give no messages of these for now, or give them again."""

    async def rewind(self, positions: Mapping[Partition, int]) -> None:
        """Go on reading with these offsets; raises OSError if that cannot be now."""

    async def commit(self, positions: Mapping[Partition, int]) -> None:
        """The group has done everything before these offsets; raises OSError if that fails."""

    async def close(self) -> None:
        """Release what was claimed and leave the group."""
