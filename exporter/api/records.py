"""Answers what has been recorded, as JSON or as CSV: the audit trail and the mirrored fills.

Read from the reporting database in a thread, newest first, a page at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from exporter.api.answers import EVENTS as EVENT_ROWS
from exporter.api.answers import FILLS as FILL_ROWS
from exporter.api.answers import listing
from exporter.api.calls import REFUSALS, TOKEN
from exporter.control.access import Caller
from exporter.errors import NotNow
from exporter.reporting.chain import COLUMNS
from exporter.reporting.database import open_sync

MOST_ROWS: Final = 10_000
FILLS: Final = (
    *("bot", "generation", "id", "timestamp", "date", "intent_id", "kind", "market_key"),
    *("planned_contracts", "filled_contracts", "planned_edge", "realized_pnl", "slippage", "fill_rate"),
    *("venue", "metadata_json"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would run."""

Rows = Sequence[Sequence[object]]
Word = Annotated[str | None, Field(max_length=100)]
Moment = Annotated[float | None, Field(ge=0, le=1e11, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a table is listed by: its columns, newest first by `order`, the column of its time."""

    table: str
    columns: tuple[str, ...]
    time: str
    order: str
    filters: tuple[str, ...] = ()


EVENTS: Final = Listing("events", COLUMNS, "at", "seq DESC", ("bot", "kind", "severity"))
TRADES: Final = Listing(
    "fills", FILLS, "timestamp", "timestamp DESC, generation DESC, id DESC", ("bot", "kind")
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows: values by column (None: any), from and up to a time in epoch seconds, how many at most."""

    values: Mapping[str, str | None]
    since: float | None = None
    until: float | None = None
    limit: int = 1000


def read(path: Path, listing: Listing, wanted: Wanted) -> Rows:
    """The rows of a listing; raises NotNow while the database cannot be read."""
    terms: list[str] = []
    values: list[object] = []
    for name in listing.filters:
        if (value := wanted.values.get(name)) is not None:
            terms.append(f"{name} = ?")
            values.append(value)
    for bound, at in ((">=", wanted.since), ("<", wanted.until)):
        if at is not None:
            terms.append(f"{listing.time} {bound} ?")
            values.append(at)
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    columns = ", ".join(listing.columns)
    query = f"SELECT {columns} FROM {listing.table}{where} ORDER BY {listing.order} LIMIT ?"  # noqa: S608
    try:
        with contextlib.closing(open_sync(path, read_only=True)) as connection:
            return connection.execute(query, (*values, wanted.limit)).fetchall()
    except sqlite3.Error as error:
        says = f"the reporting database cannot be read now ({error}); the bots are not affected"
        raise NotNow(says) from error


def as_csv(columns: Sequence[str], rows: Rows) -> str:
    """The rows with a heading; a text that a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_harmless(value) for value in row] for row in rows)
    return out.getvalue()


class Page(BaseModel):
    """What every listing takes; times in epoch seconds."""

    model_config = ConfigDict(extra="forbid")

    bot: Word = None
    kind: Word = None
    severity: Word = None
    since: Moment = None
    until: Moment = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 1000
    format: Literal["json", "csv"] = "json"

    def wanted(self) -> Wanted:
        """The same for `read`."""
        values = {"bot": self.bot, "kind": self.kind, "severity": self.severity}
        return Wanted(values, self.since, self.until, self.limit)


def router(path: Path, looking: Callable[[Request], Caller]) -> APIRouter:
    """The calls `GET /api/events` and `GET /api/fills`."""
    made = APIRouter(prefix="/api", tags=["records"], dependencies=TOKEN)

    @made.get("/events", responses=REFUSALS | listing(EVENT_ROWS))
    async def events(request: Request, page: Annotated[Page, Query()]) -> Response:
        """The audit trail, newest first: who did what, from where, why, and what became of it."""
        looking(request)
        return _answer(EVENTS, await asyncio.to_thread(read, path, EVENTS, page.wanted()), page.format)

    @made.get("/fills", responses=REFUSALS | listing(FILL_ROWS))
    async def fills(request: Request, page: Annotated[Page, Query()]) -> Response:
        """The fills of every bot's ledger as they were mirrored, newest first."""
        looking(request)
        return _answer(TRADES, await asyncio.to_thread(read, path, TRADES, page.wanted()), page.format)

    return made


def _answer(listing: Listing, rows: Rows, form: str) -> Response:
    if form == "csv":
        heads = {"Content-Disposition": f'attachment; filename="{listing.table}.csv"'}
        return Response(as_csv(listing.columns, rows), media_type="text/csv", headers=heads)
    return JSONResponse({listing.table: [dict(zip(listing.columns, row, strict=True)) for row in rows]})


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
