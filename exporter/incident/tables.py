"""Which rows of the reporting database belong to an incident, and how they are read: a page at a time.

Each page is a short read of its own, so that an exporter that runs goes on writing; it goes on along an index
where the last one ended, so that a long table costs no more than its rows. Rows come as mappings of their
columns, bot by bot. JSON in a column (what a bot noted beside a row) loses what looks like a credential.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exporter.flight_recorder import without_credentials
from exporter.incident.span import Span
from exporter.reporting.chain import COLUMNS

PAGE: Final = 2000
Row = dict[str, Any]

_JSON: Final = frozenset({"metadata_json", "plan_json", "raw_json", "parameters", "answer", "data"})


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one table that were there in a span: they began before its end and ended after its start.

    `starts` and `ends` are columns, or expressions, in epoch seconds. Within a bot the columns of `order`
    tell all rows apart, and stand in an index where the table may be long; `bot` is how one is looked for.
    """

    name: str
    starts: str
    ends: str
    order: tuple[str, ...]
    says: str
    bot: str = "bot"


_CHANGED: Final = "coalesce(updated_at, created_at)"

TABLES: Final = (
    Table("states", "at", "at", ("at",), "changes of how a bot was: link, loop, mode, status, kill"),
    Table("sessions", "first_at", "last_at", ("session",), "the bots' sessions, with versions"),
    Table(
        "decisions", "timestamp", "timestamp", ("timestamp", "generation", "id"), "what bots decided: ledger"
    ),
    # In the order of its ids: the index by time would have each page sorted.
    Table("feed", "first_at", "last_at", ("id",), "what bots decided: their sockets", bot="+bot"),
    Table("fills", "timestamp", "timestamp", ("timestamp", "generation", "id"), "fills of the ledgers"),
    Table(
        "order_intents",
        "created_at",
        _CHANGED,
        ("created_at", "generation", "intent_id"),
        "order intents that were open then",
    ),
    Table("leg_executions", "created_at", _CHANGED, ("generation", "created_at", "leg_id"), "their legs"),
    Table(
        "positions",
        "opened_at",
        "coalesce(closed_at, 1e12)",
        ("generation", "opened_at", "position_id"),
        "positions that were open then; status and contracts as last read",
    ),
    Table(
        "commands",
        "sent_at",
        "coalesce(decided_at, answered_at, sent_at)",
        ("sent_at", "id"),
        "commands by people",
    ),
    Table(
        "kills",
        "sent_at",
        "coalesce(rearmed_at, 1e12)",
        ("sent_at", "id"),
        "kills that held then, also older ones that were not re-armed before",
    ),
    Table("setting_changes", "at", "at", ("at", "id"), "changes of settings, also such that nobody ordered"),
)


def rows(db: sqlite3.Connection, table: Table, span: Span, bot: str | None) -> Iterator[Row]:
    """The rows of a table that belong to a span, of one bot or all; raises sqlite3.Error."""
    found = [bot] if bot is not None else _bots_of(db, table)
    where = f"{table.bot} = ? AND {table.starts} < ? AND {table.ends} >= ?"
    for name in found:
        yield from _paged(db, table.name, where, [name, span.end, span.start], table.order)


def events(db: sqlite3.Connection, span: Span) -> Iterator[Row]:
    """Every event between the first and the last one of a span, of all bots: so its chain has no hole."""
    first, last = db.execute(
        "SELECT min(seq), max(seq) FROM events WHERE at >= ? AND at < ?", (span.start, span.end)
    ).fetchone()
    if first is not None:
        for row in _paged(db, "events", "seq BETWEEN ? AND ?", [first, last], ("seq",), clean=False):
            yield {name: row[name] for name in COLUMNS}


def bots(db: sqlite3.Connection) -> set[str]:
    """The bots that the database has ever known."""
    return {str(name) for (name,) in db.execute("SELECT bot FROM bots UNION SELECT bot FROM sessions")}


def _bots_of(db: sqlite3.Connection, table: Table) -> list[str]:
    names = db.execute(f"SELECT DISTINCT bot FROM {table.name} ORDER BY bot").fetchall()  # noqa: S608 - as below
    return [name for (name,) in names]


def _paged(
    db: sqlite3.Connection,
    table: str,
    where: str,
    values: Sequence[object],
    order: tuple[str, ...],
    *,
    clean: bool = True,
) -> Iterator[Row]:
    key, marks = ", ".join(order), ", ".join("?" * len(order))
    select = f"SELECT *, {key} FROM {table} WHERE {where}"  # noqa: S608 - names of our own tables
    beyond, after = "", list[object]()
    while True:
        cursor = db.execute(f"{select}{beyond} ORDER BY {key} LIMIT {PAGE}", (*values, *after))
        names = [column[0] for column in cursor.description][: -len(order)]
        page = cursor.fetchall()
        for row in page:
            found = dict(zip(names, row, strict=False))
            yield _clean(found) if clean else found
        if len(page) < PAGE:
            return
        beyond, after = f" AND ({key}) > ({marks})", list(page[-1][-len(order) :])


def _clean(row: Row) -> Row:
    return {name: _without(value) if name in _JSON else value for name, value in row.items()}


def _without(value: object) -> object:
    """JSON without what looks like a credential; a text that is no JSON object stays as it is."""
    if not isinstance(value, str):
        return value
    try:
        read = json.loads(value)
    except ValueError:
        return value
    if isinstance(read, Mapping):
        clean: object = without_credentials(read)
    elif isinstance(read, list):
        clean = [without_credentials(each) if isinstance(each, Mapping) else each for each in read]
    else:
        return value
    return value if clean == read else json.dumps(clean)
