"""Reads from a bot's store what the mirror does not have yet, in one short read transaction.

    new rows        by growing id (rows that are only added) or rowid (rows that change), a batch at a time,
                    copied by SQLite itself into a database in memory (the stage), not through Python
    changed rows    by the bot's own `updated_at` with an overlap: at each look among the newest rows and the
                    unfinished ones, and in a sweep that goes through the whole table a piece a look
    ended rows      `watched` tables: rows that were unfinished and no longer are, by their keys

Rows that cannot be taken are named with the reason (`Part.refused`), never passed over in silence.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from exporter.reporting.changes import advanced, candidates, selecting, sweep
from exporter.reporting.generations import START, Cursor, Place, Traces, continues, digest
from exporter.reporting.haul import Haul, Memory, Part, Stage
from exporter.reporting.sources import (
    BUSY_SECONDS,
    CORRUPT,
    FOREIGN,
    OK,
    StoreTrouble,
    lacking,
    opened,
    trouble,
)
from exporter.reporting.tables import NUMBER, ORDER_INTENTS, TEXT, Table, is_utf8

CACHE_KIB: Final = 256  # a look goes through a store once and has little to look up

T = TypeVar("T")


def look(
    path: Path,
    tables: Collection[Table],
    base: Place,
    memory: Mapping[str, Memory],
    unfinished: frozenset[str] = frozenset(),
    *,
    most: int | None = None,
    busy_seconds: float = BUSY_SECONDS,
) -> Haul:
    """Read what is new since `base`, a batch at most of one table; raises StoreTrouble. Blocks: for a thread.

    A batch is as large as its table says, or `most` rows.

    `unfinished` are the keys of watched rows that are mirrored as unfinished.
    """
    damaged: dict[str, StoreTrouble] = {}
    while True:
        stage = Stage()
        try:
            with opened(path, busy_seconds) as store:
                store.connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
                stage.attach(store.connection)
                store.connection.execute("BEGIN")
                looking = _Look(store.connection, path, base, memory, unfinished, most=most)
                haul = looking.over(tables, damaged)
                store.connection.execute("COMMIT")
            break
        except _Damaged as error:
            stage.close()
            damaged[error.table] = error.found
        except BaseException:
            stage.close()
            raise
    if all(part.empty for part in haul.parts):
        stage.close()
        return haul
    return replace(haul, stage=stage)


class _Damaged(Exception):  # noqa: N818 - named for what it is; never leaves this module
    """A table cannot be read; what was staged is lost with the transaction, so the look begins anew."""

    def __init__(self, table: str, found: StoreTrouble) -> None:
        super().__init__(str(found))
        self.table = table
        self.found = found


class _Look:
    """One look at one open store."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        base: Place,
        memory: Mapping[str, Memory],
        unfinished: frozenset[str],
        *,
        most: int | None,
    ) -> None:
        connection.create_function("is_utf8", 1, is_utf8, deterministic=True)
        connection.text_factory = lambda text: text.decode(errors="replace")
        self._db = connection
        self._path = path
        self._base = base
        self._place = base
        self._memory = dict(memory)
        self._unfinished = unfinished
        self._created: tuple[float, str] | None = None
        self._most = most
        self._wrong: dict[str, list[str]] = {CORRUPT: [], FOREIGN: []}

    def over(self, tables: Collection[Table], damaged: Mapping[str, StoreTrouble]) -> Haul:
        """Read the tables that are not known as damaged; raises _Damaged for another one that is."""
        for found in damaged.values():
            self._wrong[found.status].append(str(found))
        whole = [table for table in tables if table.name not in damaged and self._usable(table)]
        if not all(self._of(table, self._continued) for table in whole if table.anchored):
            self._place = self._base.next_generation()
            self._memory, self._unfinished = {}, frozenset()
        parts: list[Part] = []
        more = False
        for table in whole:
            part, more = self._of(table, self._changing if table.changed else self._added)
            parts.append(part)
            if more:
                break  # a batch is enough at once
        status = next((status for status, says in self._wrong.items() if says), OK)
        return Haul(
            base=self._base,
            place=self._place,
            status=status,
            detail="; ".join(dict.fromkeys(itertools.chain(*self._wrong.values()))),
            parts=tuple(parts),
            memory=self._memory,
            more=more,
            swept=all(seen.at == START for seen in self._memory.values()),
            created=self._created,
        )

    def _of(self, table: Table, read: Callable[[Table], T]) -> T:
        """What is read of a table; raises _Damaged where that table alone may be at fault."""
        try:
            return read(table)
        except sqlite3.Error as error:
            found = trouble(self._path, error)
            if found.status not in self._wrong:
                raise
            raise _Damaged(table.name, found) from error

    def _usable(self, table: Table) -> bool:
        missing = lacking(self._db, table)
        if missing:
            self._wrong[FOREIGN].append(f"{self._path} lacks {', '.join(missing)}")
        return not missing

    def _continued(self, table: Table) -> bool:
        cursor = self._place.cursor(table.name)
        return continues(cursor, self._traces(table, cursor))

    def _traces(self, table: Table, cursor: Cursor) -> Traces:
        if table.changed:
            found = self._one(f"SELECT 1 FROM main.{table.name} WHERE {table.key} = ?", cursor.anchor)
            older = self._one(f"SELECT 1 FROM main.{table.name} LIMIT 1")
            return Traces(cursor.anchor if found else None, older is not None)
        row = self._one(f"SELECT {table.listed} FROM main.{table.name} WHERE id = ?", cursor.last)
        older = self._one(f"SELECT 1 FROM main.{table.name} WHERE id < ? LIMIT 1", cursor.last)
        return Traces(digest(row) if row else None, older is not None, self._highest(table))

    def _highest(self, table: Table) -> int | None:
        """The highest id that the table ever gave, where it keeps that."""
        made = self._one("SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = ?", table.name)
        if made is None or "AUTOINCREMENT" not in str(made[0]).upper():
            return None
        row = self._one("SELECT seq FROM main.sqlite_sequence WHERE name = ?", table.name)
        return int(row[0]) if row else 0

    def _added(self, table: Table) -> tuple[Part, bool]:
        """New rows of a table whose rows are only added."""
        after = self._place.cursor(table.name).last
        part, full = self._new(table, "id", after)
        if part.upto > after:
            last = self._one(f"SELECT {table.listed} FROM main.{table.name} WHERE id = ?", part.upto)
            self._move(table, Cursor(part.upto, None, digest(last or ())))
        return part, full

    def _new(self, table: Table, order: str, after: int) -> tuple[Part, bool]:
        """Stage the next batch in the order of id or rowid; True: the batch is full."""
        limit = min(table.batch, self._most or table.batch)
        upto, count = self._one(
            f"SELECT max(place), count(*) FROM (SELECT {order} AS place FROM main.{table.name}"
            f" WHERE {order} > ? ORDER BY {order} LIMIT ?)",
            after,
            limit,
        )
        self._db.execute(f"CREATE TABLE IF NOT EXISTS stage.{table.name} ({_declared(table)})")
        if not count:
            return Part(table, after, after, 0), False
        among = f"FROM main.{table.name} WHERE {order} > ? AND {order} <= ?"
        copy = f"INSERT INTO stage.{table.name} SELECT {table.listed} {among} AND {table.acceptable}"
        rows = self._db.execute(copy, (after, upto)).rowcount
        refused: list[tuple[object, str]] = []
        if rows < count:
            named = f"SELECT {table.key}, {table.fault} {among} AND NOT ({table.acceptable})"
            refused = self._db.execute(named, (after, upto)).fetchall()
        return Part(table, after, upto, rows, tuple(refused)), count == limit

    def _changing(self, table: Table) -> tuple[Part, bool]:
        """New rows of a table whose rows change; after the last of them, changes in those that are known."""
        cursor = self._place.cursor(table.name)
        memory = self._memory.get(table.name) or self._begin(table, cursor)
        part, full = self._new(table, "rowid", cursor.last)
        anchor, newest = cursor.anchor, memory.newest
        if part.rows:
            anchor, latest = self._one(
                f"SELECT {table.key}, (SELECT max({table.changed}) FROM stage.{table.name})"
                f" FROM stage.{table.name} ORDER BY rowid DESC LIMIT 1"
            )
            newest = max(newest, latest)
            if table is ORDER_INTENTS:
                self._created = self._one(
                    "SELECT created_at, intent_id FROM stage.order_intents ORDER BY created_at DESC LIMIT 1"
                )
        memory = replace(memory, newest=newest)
        if not full:
            part, memory = self._changes(table, part, memory)
        self._memory[table.name] = memory
        self._move(table, Cursor(part.upto, memory.known, str(anchor)))
        return part, full

    def _begin(self, table: Table, cursor: Cursor) -> Memory:
        """What is known of changes at the first look of this program, or of anybody."""
        known = cursor.changed
        if known is None:
            numbers = f"typeof({table.changed}) IN ('integer', 'real')"
            row = self._one(f"SELECT max({table.changed}) FROM main.{table.name} WHERE {numbers}")
            known = float(row[0] or 0.0)
        return Memory(known, known, known)

    def _changes(self, table: Table, part: Part, memory: Memory) -> tuple[Part, Memory]:
        """Stage the known rows that differ from how they were seen last."""
        found = {row[0]: row for row in candidates(self._db, table, part.after, memory)}
        piece, swept = sweep(self._db, table, part.after, memory)
        found.update((row[0], row) for row in swept)
        gone: list[str] = []
        for key in self._unfinished - found.keys() if table.watched else ():
            row = self._one(selecting(table) + f"{table.key} = ?", key)
            if row is None:
                gone.append(key)
            else:
                found[key] = row
        seen = {key: hash(row) for key, row in found.items()}
        fresh = [row for key, row in found.items() if memory.seen.get(key) != seen[key]]
        good = [row[2:] for row in fresh if not row[1]]
        marks = ", ".join("?" * len(table.columns))
        self._db.executemany(f"INSERT INTO stage.{table.name} VALUES ({marks})", good)
        refused = tuple((row[0], row[1]) for row in fresh if row[1])
        part = replace(part, rows=part.rows + len(good), refused=part.refused + refused, gone=tuple(gone))
        pieces = {**memory.pieces, memory.at: piece}
        return part, advanced(replace(memory, seen=seen, pieces=pieces), part.upto)

    def _move(self, table: Table, cursor: Cursor) -> None:
        self._place = replace(self._place, cursors={**self._place.cursors, table.name: cursor})

    def _one(self, sql: str, *values: object) -> Any:
        return self._db.execute(sql, values).fetchone()


def _declared(table: Table) -> str:
    kinds = {TEXT: "TEXT", NUMBER: "NUMERIC"}
    return ", ".join(f"{column.name} {kinds.get(column.holds, 'REAL')}" for column in table.columns)
