"""What one look at a bot's store brings: rows on a stage in memory, and the place that they lead to."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.reporting.generations import START, Place
from exporter.reporting.tables import Table

_numbers = itertools.count()


class Stage:
    """A database in memory that holds a batch; it ends with `close`, or with the last who has it attached."""

    def __init__(self) -> None:
        name = f"file:/stage-{next(_numbers)}?vfs=memdb"
        self.uri = f"{name}&mode=ro"
        self._writing = name
        self._held = sqlite3.connect(name, uri=True, check_same_thread=False)
        self._held.execute("PRAGMA user_version = 1")

    def attach(self, connection: sqlite3.Connection) -> None:
        """Let a reader of a store fill it, under the name `stage`."""
        connection.execute("ATTACH ? AS stage", (self._writing,))

    def close(self) -> None:
        """Let go of it."""
        self._held.close()


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a table whose rows change, from look to look; times are the bot's.

    All changes before `known` are mirrored; the present sweep has come to rowid `at`, and changes before
    `next_known` are mirrored when it ends. `newest` is the latest change seen, `seen` what rows were like
    that are read again and again, `pieces` how many rows each piece of the sweep had and the sum of their
    changes' times, by the rowid where it begins.
    """

    known: float
    next_known: float
    newest: float
    at: int = START
    seen: Mapping[object, int] = field(default_factory=dict)
    pieces: Mapping[int, tuple[int, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """What was read of one table. New rows of an append table have ids in (after, upto]."""

    table: Table
    after: int
    upto: int
    rows: int
    refused: tuple[tuple[object, str], ...] = ()
    gone: tuple[str, ...] = ()
    """Keys of watched rows that were unfinished and are not in the store any more."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.rows or self.refused or self.gone)


@dataclass(frozen=True, slots=True)
class Haul:
    """What one look at a store brought: it leads from `base` to `place`, and `more` is waiting."""

    base: Place
    place: Place
    status: str
    detail: str
    parts: tuple[Part, ...] = ()
    memory: Mapping[str, Memory] = field(default_factory=dict)
    more: bool = False
    swept: bool = True
    """Whether every sweep ended with this look."""
    stage: Stage | None = None
    created: tuple[float, str] | None = None
    """When the latest of the new intents was created, by the bot's clock, and its id."""
