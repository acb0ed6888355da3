"""Whether a store is still the one that was mirrored, or another that begins a new generation. Pure.

The mirror remembers, for each table, the last row it took (the anchor). A store that still has that row, or
that only lost rows from its low end, is the same store, wherever its file lies. One without it was replaced,
set back to an older copy, or began its ids anew. A wrong "new" costs a second reading and no more: rows that
an earlier generation holds with the same id and content are not taken twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

START: Final = -(2**63)
"""Before the first id or rowid that a row can have."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a table is mirrored.

    `last` is the last id taken, or the last rowid for tables whose rows change; `changed` the bot's time up
    to which their changes are known. `anchor` identifies the row at `last`.
    """

    last: int = START
    changed: float | None = None
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the mirror of one store stands: the generation, and a cursor for each table begun."""

    generation: int = 1
    cursors: Mapping[str, Cursor] = field(default_factory=dict)

    def cursor(self, table: str) -> Cursor:
        """The cursor of a table, a new one where nothing was read yet."""
        return self.cursors.get(table, Cursor())

    def next_generation(self) -> Place:
        """The place before the first row of another store."""
        return Place(self.generation + 1)


@dataclass(frozen=True, slots=True)
class Traces:
    """What a store shows of the rows that were mirrored from one of its tables.

    `anchor` is that of the row where the cursor stands, None where it is gone; `older` whether any row before
    it is left; `highest` the highest id ever given, None where the store does not keep it.
    """

    anchor: str | None
    older: bool
    highest: int | None = None


def continues(cursor: Cursor, traces: Traces) -> bool:
    """Whether a table is still the one that the cursor stands in."""
    if not cursor.anchor:
        return True
    if traces.highest is not None and traces.highest < cursor.last:
        return False
    if traces.anchor is not None:
        return traces.anchor == cursor.anchor
    return not traces.older


def digest(row: Sequence[object]) -> str:
    """A short text that is the same for rows with the same content."""
    return hashlib.blake2b(repr(tuple(row)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
