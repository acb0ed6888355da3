"""What one batch of the mirror wrote, told to the rollups before the commit. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ids:
    """Rows that this transaction added: key (bot, generation, id) with `after` < id ≤ `upto`.

    Ids may be left out; no row of the span may be older than the transaction, or it would count twice.
    """

    generation: int
    after: int
    upto: int


@dataclass(frozen=True, slots=True)
class Touched:
    """What changed of one bot; `intents` are those whose row, or one of whose legs, is new or differs."""

    bot: str
    fills: Ids | None = None
    decisions: Ids | None = None
    intents: frozenset[str] = frozenset()
    positions: bool = False
