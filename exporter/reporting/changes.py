"""Finds rows of a bot's store that changed since they were mirrored, at the same cost whatever the size.

Looked at each time are the newest rows, the unfinished ones, and the next piece of a sweep that goes through
the whole table, each time only for rows whose own time of change is new enough.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from exporter.reporting.generations import START
from exporter.reporting.haul import Memory
from exporter.reporting.tables import Table

OVERLAP: Final = 5.0  # seconds of the bot's time: a row may be committed that much later than it says
TAIL: Final = 2_000  # newest rows in which changes are looked for at each look
SWEEP: Final = 10_000  # rowids that a sweep goes on by at each look


def candidates(db: sqlite3.Connection, table: Table, last: int, memory: Memory) -> Iterator[Any]:
    """Rows up to a rowid that may have changed, as key, fault, columns; some come twice."""
    rows, since = selecting(table), memory.newest - OVERLAP
    recent = f"{table.changed} >= ?"
    yield from db.execute(
        f"{rows} rowid > ? AND rowid <= ? AND {recent}", (max(START, last - TAIL), last, since)
    )
    states = ", ".join(f"'{word}'" for word in table.unfinished)
    # The + keeps SQLite from walking the rowids instead of the index on status.
    unfinished = f"{rows} status IN ({states}) AND +rowid <= ?"
    if table.watched:
        yield from db.execute(unfinished, (last,))
    elif _indexed(db, table):
        yield from db.execute(f"{unfinished} AND {recent}", (last, since))


def sweep(
    db: sqlite3.Connection, table: Table, last: int, memory: Memory
) -> tuple[tuple[int, float], list[Any]]:
    """The next piece of the sweep: its count and sum of times, and the rows of it that changed.

    A piece that differs though no row of it says that it changed was changed by a clock that was set
    back: then all of its rows are read.
    """
    within = (memory.at, min(_sweep_end(memory.at), last))
    piece = db.execute(
        f"SELECT count(*), total({table.changed}) FROM main.{table.name} WHERE rowid > ? AND rowid <= ?",
        within,
    ).fetchone()
    among = f"{selecting(table)} rowid > ? AND rowid <= ?"
    recent = f"{among} AND {table.changed} >= ?"
    rows = db.execute(recent, (*within, memory.known - OVERLAP)).fetchall()
    told = any(memory.seen.get(row[0]) != hash(row) for row in rows)
    if not told and memory.pieces.get(memory.at, piece) != piece:
        rows = db.execute(among, within).fetchall()
    return piece, rows


def selecting(table: Table) -> str:
    """A query for rows up to its condition: their key, their fault (empty for none), and all columns."""
    return (
        f"SELECT {table.key}, CASE WHEN {table.acceptable} THEN '' ELSE {table.fault} END, {table.listed}"
        f" FROM main.{table.name} WHERE "
    )


def _indexed(db: sqlite3.Connection, table: Table) -> bool:
    found = db.execute(
        "SELECT 1 FROM pragma_index_list(?, 'main') AS list, pragma_index_info(list.name, 'main') AS part"
        " WHERE part.seqno = 0 AND part.name = 'status'",
        (table.name,),
    ).fetchone()
    return found is not None


def _sweep_end(at: int) -> int:
    return max(at, 0) + SWEEP


def advanced(memory: Memory, last: int) -> Memory:
    """The sweep after one more piece; where it is through, the next one begins."""
    end = _sweep_end(memory.at)
    if end < last:
        return replace(memory, at=end)
    return replace(memory, at=START, known=memory.next_known, next_known=memory.newest)
