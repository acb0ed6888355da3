"""What the keeper asks of everything that is written to the reporting database."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import aiosqlite


class Job(Protocol):
    """Something that is written to the reporting database again and again.

    `write` runs inside a transaction that the keeper opened and ends; it never commits. It returns whether
    there is more: then it gets another transaction at once. What a job has pending is forgotten only in
    `committed`; after `rolled_back` the same is written again. Nothing here blocks the event loop.
    """

    @property
    def name(self) -> str:
        """What the log calls it."""

    def opened(self) -> None:
        """The database was opened; it may be another file than before: forget what was read from it."""

    def due(self, now: float) -> bool:
        """Whether there is something to write; asked once a second."""

    async def write(self, db: aiosqlite.Connection, now: float) -> bool:
        """Write a bounded part; True: there is more."""

    def committed(self) -> None:
        """What `write` wrote is on disk."""

    def rolled_back(self) -> None:
        """What `write` wrote is not in the database."""


@runtime_checkable
class Prepares(Protocol):
    """A job that attaches what its `write` copies: inside a transaction SQLite would not let go of it."""

    async def prepare(self, db: aiosqlite.Connection) -> None:
        """Attach and detach; called just before the transaction of each `write` begins."""


@runtime_checkable
class Follows(Protocol):
    """A job that copies what grows elsewhere, and knows whether it is behind."""

    @property
    def behind_since(self) -> float | None:
        """Since when more waits than was written, in epoch seconds; None while it is not behind."""
