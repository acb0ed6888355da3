"""Which rows of the reporting database belong to an incident, and how they are read: a page at a time.

Each page is a short read of its own, so that an exporter that runs goes on writing. Rows come as mappings of
their columns, oldest first. JSON in a column (what a bot noted beside a row) loses what looks like a
credential; nothing else is changed.
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

    `starts` and `ends` are columns, or expressions, in epoch seconds; `key` tells rows of one time apart.
    """

    name: str
    starts: str
    ends: str
    key: tuple[str, ...]
    says: str


TABLES: Final = (
    Table("states", "at", "at", ("bot",), "changes of how a bot was: link, loop, mode, status, kill"),
    Table("sessions", "first_at", "last_at", ("bot", "session"), "the bots' sessions, with versions"),
    Table("decisions", "timestamp", "timestamp", ("bot", "generation", "id"), "what bots decided: ledger"),
    Table("feed", "first_at", "last_at", ("id",), "what bots decided: their sockets"),
    Table("fills", "timestamp", "timestamp", ("bot", "generation", "id"), "fills of the ledgers"),
    Table(
        "order_intents",
        "created_at",
        "coalesce(updated_at, created_at)",
        ("bot", "generation", "intent_id"),
        "order intents that were open then",
    ),
    Table(
        "leg_executions",
        "created_at",
        "coalesce(updated_at, created_at)",
        ("bot", "generation", "leg_id"),
        "their legs",
    ),
    Table(
        "positions",
        "opened_at",
        "coalesce(closed_at, 1e12)",
        ("bot", "generation", "position_id"),
        "positions that were open then; status and contracts as last read",
    ),
    Table("commands", "sent_at", "coalesce(decided_at, answered_at, sent_at)", ("id",), "commands by people"),
    Table(
        "kills",
        "sent_at",
        "coalesce(rearmed_at, 1e12)",
        ("id",),
        "kills that held then, also older ones that were not re-armed before",
    ),
    Table("setting_changes", "at", "at", ("id",), "changes of settings, also such that nobody ordered"),
)


def rows(db: sqlite3.Connection, table: Table, span: Span, bot: str | None) -> Iterator[Row]:
    """The rows of a table that belong to a span, of one bot or all; raises sqlite3.Error."""
    where = f"{table.starts} < ? AND {table.ends} >= ?"
    values: list[object] = [span.end, span.start]
    if bot is not None:
        where, values = f"bot = ? AND {where}", [bot, *values]
    yield from _paged(db, table.name, where, values, (table.starts, *table.key))


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
