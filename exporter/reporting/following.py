"""What is kept of each store that is followed, what a look at it offers to be written, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from exporter.reporting.generations import Place
from exporter.reporting.haul import Haul, Memory
from exporter.reporting.sources import Signature
from exporter.reporting.tables import MIRRORED, Table
from exporter.reporting.taking import Target, Word


class Listener(Protocol):
    """Who wants to know what became of a bot's stores; called in the event loop."""

    def news(self, bot: str) -> None:
        """Rows of this bot were committed."""

    def store_seen(self, bot: str, store: str, word: Word, now: float) -> None:
        """A look at a store ended; it was read if the word's status is `ok` or `foreign`."""

    def intent_created(self, bot: str, at: float, intent: str) -> None:
        """New intents were read; this is the latest, created `at` by the bot's clock. May be told twice."""

    def store_kept(self, bot: str, store: str, at: float) -> None:
        """Everything that a store held at a time is in the database."""


@dataclass(slots=True)
class Followed:
    """A store that is followed: how far, what is remembered of it, how it is."""

    target: Target
    path: Path
    tables: tuple[Table, ...]
    place: Place = field(default_factory=Place)
    memory: Mapping[str, Memory] = field(default_factory=dict)
    open: frozenset[str] = frozenset()
    refusals: str = ""
    said: Word | None = None
    said_at: float = 0.0
    behind_since: float | None = None
    idle: Signature | None = None
    """How the files were when the last look found nothing and had nothing left to sweep."""


@dataclass(slots=True, eq=False)
class Offer:
    """What a look brought, waiting to be written; `done` tells whether it was."""

    followed: Followed
    haul: Haul
    word: Word
    read: bool
    done: asyncio.Future[bool]
    open: frozenset[str] = frozenset()
    refusals: str = ""
    written: int = 0
    at: float = 0.0
    """When the look began."""


def stores_of(bot: str, kind: str, stores: Mapping[str, Path]) -> list[Followed]:
    """The stores of a bot that are known for its kind, in the order of reading."""
    return [
        Followed(Target(bot, name, str(stores[name])), stores[name], tables)
        for (of_kind, name), tables in MIRRORED.items()
        if of_kind == kind and name in stores
    ]
