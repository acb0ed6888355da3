"""Writes what a look at a store brought: rows, sums over them, and the place reached, in one transaction.

The batch is attached to the writing connection as `stage`. Rows that are only added are inserted, except
those that an earlier generation of the store holds with the same id and content. A row that changes is in
one generation only, the newest whose store had it, and is written only where it differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import aiosqlite

from exporter.reporting.generations import Cursor, Place
from exporter.reporting.haul import Haul, Part
from exporter.reporting.sources import FOREIGN, OK
from exporter.reporting.tables import FILLS, POSITIONS, Table

GONE: Final = "gone"
"""The status of a position whose row vanished from its store while it was open: its end is unknown."""

NAMED: Final = 3  # refused rows that a sentence names


class Sums(Protocol):
    """What keeps the sums over mirrored rows (exporter.reporting.rollups)."""

    async def fills_added(
        self, db: aiosqlite.Connection, bot: str, generation: int, after: int, last: int
    ) -> None:
        """Fills with `after` < id ≤ `last` of a generation were inserted."""

    async def decisions_added(
        self, db: aiosqlite.Connection, bot: str, generation: int, after: int, last: int
    ) -> None:
        """The same of decisions."""

    async def intents_changed(self, db: aiosqlite.Connection, bot: str, intents: Iterable[str]) -> None:
        """These intents, or legs of theirs, are new or differ from what they were."""

    async def days_changed(self, db: aiosqlite.Connection, bot: str) -> bool:
        """Make the operator's days of a bot anew if another setting made them."""


@dataclass(frozen=True, slots=True)
class Target:
    """A store of a bot, as the reporting database names it."""

    bot: str
    store: str
    path: str


async def place_of(db: aiosqlite.Connection, target: Target) -> Place:
    """Where the mirror of a store stands in this database."""
    generations = await db.execute_fetchall(
        "SELECT max(generation) FROM sources WHERE bot = ? AND store = ?", (target.bot, target.store)
    )
    rows = await db.execute_fetchall(
        "SELECT tbl, last_id, updated_at, anchor FROM cursors WHERE bot = ? AND store = ?",
        (target.bot, target.store),
    )
    cursors = {tbl: Cursor(last, changed, anchor) for tbl, last, changed, anchor in rows}
    return Place(next(iter(generations))[0] or 1, cursors)


async def open_positions(db: aiosqlite.Connection, target: Target, generation: int) -> frozenset[str]:
    """Keys of the positions that the mirror holds as open, of one generation."""
    rows = await db.execute_fetchall(
        "SELECT position_id FROM positions WHERE bot = ? AND generation = ? AND status = 'open'",
        (target.bot, generation),
    )
    return frozenset(key for (key,) in rows)


async def take(db: aiosqlite.Connection, target: Target, haul: Haul, sums: Sums) -> int:
    """Write the rows of a haul and what depends on them; returns how many rows are new or changed."""
    generation = haul.place.generation
    written = 0
    intents: set[str] = set()
    for part in haul.parts:
        if part.table.changed:
            written += await _put(db, target, generation, part, intents)
        else:
            written += await _add(db, target, generation, part, sums)
        await _refuse(db, target, generation, part)
    if intents:
        await sums.intents_changed(db, target.bot, intents)
    await _move(db, target, haul)
    return written


async def begin_generation(db: aiosqlite.Connection, target: Target, generation: int) -> None:
    """Leave what was mirrored of a store as it is: another one is in its place."""
    whose = (target.bot, target.store)
    await db.execute_fetchall("UPDATE sources SET current = 0 WHERE bot = ? AND store = ?", whose)
    await db.execute_fetchall("DELETE FROM cursors WHERE bot = ? AND store = ?", whose)
    if target.store == "orders":
        await db.execute_fetchall(
            f"UPDATE positions SET status = '{GONE}' WHERE bot = ? AND status = 'open' AND generation < ?",
            (target.bot, generation),
        )


async def _add(db: aiosqlite.Connection, target: Target, generation: int, part: Part, sums: Sums) -> int:
    """Insert rows that are only ever added, and have them summed."""
    table = part.table
    if not part.rows:
        return 0
    whose = {"bot": target.bot, "generation": generation}
    rows = await _insert(db, whose, table, _not_in_earlier(table, generation))
    if not rows:
        return 0
    added = sums.fills_added if table is FILLS else sums.decisions_added
    await added(db, target.bot, generation, part.after, part.upto)
    return rows


def _not_in_earlier(table: Table, generation: int) -> str:
    """SQL for staged rows that no earlier generation holds with the same id and content."""
    if generation == 1:
        return "true"
    earlier = ", ".join(str(number) for number in range(1, generation))
    return (
        f"NOT EXISTS (SELECT 1 FROM main.{table.name} AS old WHERE old.bot = :bot"
        f" AND old.generation IN ({earlier}) AND old.{table.key} = new.{table.key} AND {_same(table)})"
    )


def _same(table: Table) -> str:
    old, new = (", ".join(f"{side}.{name}" for name in table.names) for side in ("old", "new"))
    return f"({old}) IS ({new})"


async def _insert(db: aiosqlite.Connection, whose: Mapping[str, object], table: Table, where: str) -> int:
    """Insert the staged rows for which `where` holds; an ON CONFLICT may follow in it."""
    rows = await db.execute(
        f"INSERT INTO main.{table.name} (bot, generation, {table.listed})"
        f" SELECT :bot, :generation, {table.listed} FROM stage.{table.name} AS new WHERE {where}",
        whose,
    )
    return rows.rowcount


async def _put(
    db: aiosqlite.Connection, target: Target, generation: int, part: Part, intents: set[str]
) -> int:
    """Insert or replace rows that change, where they differ; adds the intents that they belong to."""
    table = part.table
    whose = {"bot": target.bot, "generation": generation}
    gone = 0
    for key in part.gone:
        row = await db.execute(
            f"UPDATE {table.name} SET status = '{GONE}'"
            f" WHERE bot = :bot AND generation = :generation AND {table.key} = :key AND status = 'open'",
            {**whose, "key": key},
        )
        gone += row.rowcount
    if not part.rows:
        return gone
    if generation > 1:
        earlier, key = ", ".join(map(str, range(1, generation))), ", ".join(table.mirrored_key)
        await db.execute_fetchall(
            f"DELETE FROM main.{table.name} WHERE bot = :bot AND generation IN ({earlier})"
            f" AND ({key}) IN (SELECT {key} FROM stage.{table.name})",
            {"bot": target.bot},
        )
    # A row that is there already is touched only where it differs, and only such rows are counted. Which
    # intents they are of is asked where there are fills to attribute to those.
    kept = ("bot", "generation", *table.mirrored_key)
    others = [name for name in table.names if name not in kept]
    old, new = (", ".join(f"{side}.{name}" for name in others) for side in (table.name, "excluded"))
    sets = ", ".join(f"{name} = excluded.{name}" for name in others)
    asked = table is not POSITIONS and await db.execute_fetchall(
        "SELECT 1 FROM fills WHERE bot = ? LIMIT 1", (target.bot,)
    )
    written = await db.execute(
        f"INSERT INTO main.{table.name} (bot, generation, {table.listed})"
        f" SELECT :bot, :generation, {table.listed} FROM stage.{table.name} WHERE true"
        f" ON CONFLICT ({', '.join(kept)}) DO UPDATE SET {sets} WHERE ({old}) IS NOT ({new})"
        f"{' RETURNING intent_id' if asked else ''}",
        whose,
    )
    if not asked:
        return gone + written.rowcount
    belong = [str(intent) for (intent,) in await written.fetchall()]
    intents.update(belong)
    return gone + len(belong)


async def _refuse(db: aiosqlite.Connection, target: Target, generation: int, part: Part) -> None:
    """Keep which rows cannot be taken and why, and forget those that can be taken now."""
    name = part.table.name
    whose = (target.bot, target.store, generation, name)
    if part.rows and part.table.changed:
        # The + has SQLite walk the refused rows, of which there are hardly any, and not the staged ones.
        await db.execute_fetchall(
            "DELETE FROM refused_rows WHERE bot = ? AND store = ? AND generation = ? AND tbl = ?"
            f" AND +id IN (SELECT {part.table.key} FROM stage.{name})",
            whose,
        )
    if part.refused:
        await db.executemany(
            "INSERT OR REPLACE INTO refused_rows (bot, store, generation, tbl, id, why)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [(*whose, "NULL" if key is None else key, why) for key, why in part.refused],
        )


async def refusals(db: aiosqlite.Connection, target: Target) -> str:
    """A sentence on the rows of a store's present generation that could not be taken; empty for none."""
    whose = (target.bot, target.store)
    of = (
        "FROM refused_rows WHERE bot = ? AND store = ? AND generation ="
        " (SELECT max(generation) FROM sources WHERE bot = refused_rows.bot AND store = refused_rows.store)"
    )
    count = next(iter(await db.execute_fetchall(f"SELECT count(*) {of}", whose)))[0]
    if not count:
        return ""
    rows = await db.execute_fetchall(f"SELECT tbl, id, why {of} ORDER BY tbl, id LIMIT {NAMED}", whose)
    named = ", ".join(f"{tbl} {key} ({why})" for tbl, key, why in rows)
    more = f" and {count - NAMED} more" if count > NAMED else ""
    return f"{count} {'row' if count == 1 else 'rows'} cannot be taken: {named}{more}"


async def _move(db: aiosqlite.Connection, target: Target, haul: Haul) -> None:
    """Keep the place that was reached."""
    await db.executemany(
        "INSERT OR REPLACE INTO cursors (bot, store, tbl, generation, last_id, updated_at, anchor)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (target.bot, target.store, tbl, haul.place.generation, cursor.last, cursor.changed, cursor.anchor)
            for tbl, cursor in haul.place.cursors.items()
        ],
    )


@dataclass(frozen=True, slots=True)
class Word:
    """How a store is, and a sentence on it; both are shown to people."""

    status: str
    detail: str

    def with_refusals(self, sentence: str) -> Word:
        """The word of a store some of whose rows could not be taken."""
        if not sentence:
            return self
        detail = f"{self.detail}; {sentence}" if self.detail else sentence
        return Word(FOREIGN if self.status == OK else self.status, detail)


async def say(
    db: aiosqlite.Connection, target: Target, generation: int, word: Word, now: float, *, read: bool
) -> None:
    """Keep how a store is, and when it was last read to its end if it was `read` so now."""
    await db.execute_fetchall(
        "INSERT INTO sources (bot, store, generation, path, status, detail, rows, first_at, last_read_at,"
        " current) VALUES (:bot, :store, :generation, :path, :status, :detail, 0, :now, :read_at, 1)"
        " ON CONFLICT (bot, store, generation) DO UPDATE SET path = :path, status = :status,"
        " detail = :detail, last_read_at = coalesce(:read_at, last_read_at)",
        {
            "bot": target.bot,
            "store": target.store,
            "generation": generation,
            "path": target.path,
            "status": word.status,
            "detail": word.detail,
            "now": now,
            "read_at": now if read else None,
        },
    )


async def count(db: aiosqlite.Connection, target: Target, generation: int, rows: int, now: float) -> None:
    """Add to the rows of a store that were mirrored or changed."""
    await db.execute_fetchall(
        "UPDATE sources SET rows = rows + ?, last_row_at = ? WHERE bot = ? AND store = ? AND generation = ?",
        (rows, now, target.bot, target.store, generation),
    )
