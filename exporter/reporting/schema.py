"""The tables of the reporting database, version 1: what each holds, by which key, in which units. Pure.

Times are REAL epoch seconds, money REAL USD, dates TEXT `YYYY-MM-DD` in UTC, yes or no INTEGER 1 or 0 with
NULL for unknown. `create` makes a new database; `exporter.reporting.database` migrates an old one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from typing import Final

VERSION: Final = 1
"""The `user_version` of a database that this program writes."""

APPLICATION_ID: Final = 0x54424F54
"""Marks the file as ours ("TBOT"), so that another program's database is never taken for it."""

PAGE_BYTES: Final = 8_192
"""Of a new database. Orders are fat rows, of which a page of 4 KiB would hold one or two."""

# What bots wrote, under the bots' own names. A replaced or restarted store is a new generation.
# Rows with random ids are not kept WITHOUT ROWID: in the order of their keys they take three times the room
# and nine times as long to write. Their keys begin with a time that stays: new ones land at the end of the
# index then, and a commit writes few of its pages. Who looks for an intent or its legs by id names the index
# over the ends of ids and compares both: each new row falls into another page of such an index, and over
# whole ids it would have three times as many.
MIRRORED: Final = """
CREATE TABLE fills (
    bot TEXT, generation INTEGER, id INTEGER, timestamp REAL, date TEXT, intent_id TEXT, kind TEXT,
    market_key TEXT, planned_contracts INTEGER, filled_contracts INTEGER, planned_edge REAL,
    realized_pnl REAL, slippage REAL, fill_rate REAL, venue TEXT, metadata_json TEXT,
    PRIMARY KEY (bot, generation, id)
) WITHOUT ROWID;
CREATE INDEX fills_by_time ON fills (bot, timestamp, generation, id, realized_pnl);

CREATE TABLE decisions (
    bot TEXT, generation INTEGER, id INTEGER, timestamp REAL, date TEXT, kind TEXT, execution_style TEXT,
    market_key TEXT, gross_edge REAL, net_edge REAL, contracts INTEGER, capital_required REAL,
    accepted INTEGER, reject_reason TEXT, metadata_json TEXT,
    PRIMARY KEY (bot, generation, id)
) WITHOUT ROWID;
CREATE INDEX decisions_by_time ON decisions (bot, timestamp);

CREATE TABLE order_intents (
    bot TEXT, generation INTEGER, intent_id TEXT, plan_json TEXT, kind TEXT, execution_style TEXT,
    contracts INTEGER, capital_required REAL, capital_required_by_venue TEXT, expected_profit REAL,
    edge_per_contract REAL, status TEXT, total_filled INTEGER, error TEXT, created_at REAL, updated_at REAL,
    PRIMARY KEY (bot, generation, created_at, intent_id)
);
CREATE INDEX order_intents_by_id ON order_intents (substr(intent_id, -8));
CREATE INDEX order_intents_by_time ON order_intents (bot, created_at);

CREATE TABLE leg_executions (
    bot TEXT, generation INTEGER, leg_id TEXT, intent_id TEXT, leg_index INTEGER, venue TEXT, market_id TEXT,
    side TEXT, contracts INTEGER, limit_price REAL, status TEXT, order_id TEXT, filled_contracts INTEGER,
    average_price REAL, raw_json TEXT, created_at REAL, updated_at REAL,
    PRIMARY KEY (bot, generation, created_at, leg_id)
);
CREATE INDEX leg_executions_by_intent ON leg_executions (substr(intent_id, -8));

CREATE TABLE positions (
    bot TEXT, generation INTEGER, position_id TEXT, intent_id TEXT, venue TEXT, market_id TEXT, side TEXT,
    net_contracts INTEGER, average_entry REAL, status TEXT, opened_at REAL, closed_at REAL,
    PRIMARY KEY (bot, generation, opened_at, position_id)
);
CREATE INDEX positions_by_status ON positions (bot, status);
"""

# Where the mirror stands, and which rows of the bot's it could not take. `store` is orders or analytics;
# `status` a word of exporter.reporting.sources; `last_id` a rowid where rows of the table change.
STORES: Final = """
CREATE TABLE sources (
    bot TEXT, store TEXT, generation INTEGER, path TEXT, status TEXT, detail TEXT, rows INTEGER,
    first_at REAL, last_read_at REAL, last_row_at REAL, current INTEGER,
    PRIMARY KEY (bot, store, generation)
) WITHOUT ROWID;

CREATE TABLE cursors (
    bot TEXT, store TEXT, tbl TEXT, generation INTEGER, last_id, updated_at REAL, anchor TEXT,
    PRIMARY KEY (bot, store, tbl)
) WITHOUT ROWID;

CREATE TABLE refused_rows (
    bot TEXT, store TEXT, generation INTEGER, tbl TEXT, id, why TEXT,
    PRIMARY KEY (bot, store, generation, tbl, id)
) WITHOUT ROWID;
"""

# An equity bucket begins at `at`; `low` and `high` are the least and the most of the running sum inside it,
# its start at 0 included; `drawdown` is the largest fall from a peak inside it, at least 0. So buckets can be
# joined.
_EQUITY: Final = """
CREATE TABLE {name} (
    bot TEXT, at INTEGER, pnl REAL, fills INTEGER, wins INTEGER, low REAL, high REAL, drawdown REAL,
    PRIMARY KEY (bot, at)
) WITHOUT ROWID;
"""

# Sums over fills and decisions, written in the transaction of the rows they sum. There are no rows for "all".
# `…_to_date` is the sum over all dates of a key up to that row's: what lies between two dates is found by two
# looks, however many rows there are. It is NULL only within a transaction, while it is to be made.
ROLLUPS: Final = (
    "".join(_EQUITY.format(name=name) for name in ("equity_minute", "equity_hour", "equity_day"))
    + """
CREATE TABLE daily_pnl (
    bot TEXT, date TEXT, kind TEXT, pnl REAL, trades INTEGER, wins INTEGER, losses INTEGER,
    gross_profit REAL, gross_loss REAL, contracts INTEGER, planned_contracts INTEGER, expected REAL,
    fill_rate_sum REAL, slippage_sum REAL, best REAL, worst REAL,
    PRIMARY KEY (bot, date, kind)
) WITHOUT ROWID;

CREATE TABLE lane_pnl (
    bot TEXT, date TEXT, kind TEXT, trades INTEGER, expected REAL, gross REAL, fees REAL, slippage REAL,
    adverse REAL, unsplit REAL, net REAL, known INTEGER,
    PRIMARY KEY (bot, date, kind)
) WITHOUT ROWID;

CREATE TABLE bucket_pnl (
    bot TEXT, kind TEXT, bucket TEXT, date TEXT, pnl REAL, trades INTEGER, wins INTEGER,
    pnl_to_date REAL, trades_to_date INTEGER, wins_to_date INTEGER,
    PRIMARY KEY (bot, kind, bucket, date)
) WITHOUT ROWID;
CREATE INDEX bucket_pnl_undone ON bucket_pnl (bot, kind, bucket, date) WHERE pnl_to_date IS NULL;

CREATE TABLE buckets (bot TEXT, kind TEXT, bucket TEXT, PRIMARY KEY (bot, kind, bucket)) WITHOUT ROWID;

CREATE TABLE hourly_pnl (
    bot TEXT, date TEXT, hour INTEGER, venue TEXT, pnl REAL, trades INTEGER, wins INTEGER,
    PRIMARY KEY (bot, date, hour, venue)
) WITHOUT ROWID;

CREATE TABLE slippage_histogram (
    bot TEXT, kind TEXT, bin REAL, date TEXT, count INTEGER, count_to_date INTEGER,
    PRIMARY KEY (bot, kind, bin, date)
) WITHOUT ROWID;
CREATE INDEX slippage_histogram_undone ON slippage_histogram (bot, kind, bin, date)
WHERE count_to_date IS NULL;

CREATE TABLE fill_rate_histogram (
    bot TEXT, kind TEXT, bin REAL, date TEXT, count INTEGER, count_to_date INTEGER,
    PRIMARY KEY (bot, kind, bin, date)
) WITHOUT ROWID;
CREATE INDEX fill_rate_histogram_undone ON fill_rate_histogram (bot, kind, bin, date)
WHERE count_to_date IS NULL;

CREATE TABLE decision_counts (
    bot TEXT, date TEXT, kind TEXT, accepted INTEGER, reason TEXT, count INTEGER,
    PRIMARY KEY (bot, date, kind, accepted, reason)
) WITHOUT ROWID;

CREATE TABLE operator_daily_pnl (
    bot TEXT, date TEXT, tz TEXT, starts_at REAL, ends_at REAL, pnl REAL, trades INTEGER, wins INTEGER,
    PRIMARY KEY (bot, date)
) WITHOUT ROWID;
"""
)

# What the socket said; never mixed with what the ledger says.
LIVE: Final = """
CREATE TABLE feed (
    id INTEGER PRIMARY KEY, bot TEXT, session TEXT, first_at REAL, last_at REAL, cycle INTEGER, action TEXT,
    kind TEXT, match_key TEXT, reason TEXT, detail TEXT, edge REAL, fill_prob REAL, count INTEGER
);
CREATE INDEX feed_by_time ON feed (bot, last_at);

CREATE TABLE live_positions (
    bot TEXT, source TEXT, position_id TEXT, venue TEXT, market_id TEXT, market TEXT, side TEXT,
    contracts INTEGER, entry REAL, expected_profit REAL, opened_at REAL, expected_settlement_at REAL,
    hedged INTEGER, kind TEXT, as_of REAL,
    PRIMARY KEY (bot, source, position_id)
) WITHOUT ROWID;

CREATE TABLE bots (
    bot TEXT PRIMARY KEY, kind TEXT, as_of REAL, connected INTEGER, link_since REAL, link_why TEXT,
    last_state_at REAL, stale_after REAL, mode TEXT, last_mode TEXT, status TEXT, simulated INTEGER,
    level TEXT, verdict TEXT, verdict_since REAL, tier TEXT, tz TEXT, rolls_at TEXT, loss_cap REAL,
    loss_cap_at REAL, commands TEXT
) WITHOUT ROWID;

CREATE TABLE states (
    bot TEXT, at REAL, loop TEXT, link TEXT, mode TEXT, status TEXT, kill TEXT, ledger TEXT, maintenance TEXT,
    PRIMARY KEY (bot, at)
) WITHOUT ROWID;

CREATE TABLE complaints (
    bot TEXT, date TEXT, severity TEXT, message TEXT, first_at REAL, last_at REAL, count INTEGER,
    PRIMARY KEY (bot, date, severity, message)
) WITHOUT ROWID;

CREATE TABLE sessions (
    bot TEXT, session TEXT, first_at REAL, last_at REAL, began REAL, ended REAL, version TEXT, mode TEXT,
    simulated INTEGER, end_reason TEXT,
    PRIMARY KEY (bot, session)
) WITHOUT ROWID;
"""

# What people did, what bots answered, and the hash chain over all of it (exporter.reporting.events).
CONTROL: Final = """
CREATE TABLE settings (
    bot TEXT, key TEXT, value TEXT, number REAL, session_start TEXT, seen_at REAL, changed_at REAL,
    changed_by TEXT, category TEXT, type TEXT, unit TEXT, minimum REAL, maximum REAL, hot INTEGER, risk TEXT,
    observable INTEGER, help TEXT, default_value TEXT, state TEXT, wanted TEXT, takes TEXT, restart TEXT,
    position INTEGER, differs_from_start INTEGER, differs_from_default INTEGER,
    PRIMARY KEY (bot, key)
) WITHOUT ROWID;

CREATE TABLE setting_changes (
    id INTEGER PRIMARY KEY, bot TEXT, key TEXT, at REAL, before TEXT, after TEXT, who TEXT, source TEXT,
    reason TEXT, state TEXT, command_id TEXT
);
CREATE UNIQUE INDEX setting_changes_by_command ON setting_changes (command_id);
CREATE INDEX setting_changes_by_time ON setting_changes (bot, at);

CREATE TABLE codes (
    bot TEXT, action TEXT, says TEXT, code TEXT, who TEXT, expires_at REAL
);

CREATE TABLE kills (
    id TEXT PRIMARY KEY, bot TEXT, venue TEXT, who TEXT, source TEXT, reason TEXT, drill INTEGER,
    sent_at REAL, acked_at REAL, decided_at REAL, state TEXT, rung TEXT, paths TEXT, detail TEXT,
    positions INTEGER, unhedged REAL, working_orders INTEGER, rearmed_at REAL, rearmed_by TEXT
) WITHOUT ROWID;

CREATE TABLE commands (
    id TEXT PRIMARY KEY, bot TEXT, command TEXT, who TEXT, source TEXT, reason TEXT, parameters TEXT,
    sent_at REAL, answered_at REAL, answer TEXT, state TEXT, seen TEXT, decided_at REAL
) WITHOUT ROWID;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY, at REAL, bot TEXT, kind TEXT, severity TEXT, who TEXT, source TEXT, what TEXT,
    why TEXT, before TEXT, after TEXT, answer TEXT, proof TEXT, latency REAL, data TEXT, previous TEXT,
    hash TEXT
);
CREATE INDEX events_by_time ON events (at);
"""

MIGRATIONS: Final[Mapping[int, str]] = {}
"""By the version that a database has, the statements that bring it to the next one."""

DDL: Final = MIRRORED + STORES + ROLLUPS + LIVE + CONTROL


def differs(connection: sqlite3.Connection) -> str:
    """What a database of this version lacks, in words; empty where its tables are as they are made here.

    What it has besides is nobody's concern.
    """
    with contextlib.closing(sqlite3.connect(":memory:")) as new:
        create(new)
        wanted = _layout(new)
    found = _layout(connection)
    lacks = (f"{name} is not as it should be" for name in wanted if found.get(name) != wanted[name])
    return next(lacks, "")


def _layout(connection: sqlite3.Connection) -> dict[str, frozenset[tuple[object, ...]]]:
    """Each table with its columns and their places in the key, each index with its columns in order."""
    names = "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'index') ORDER BY type DESC, name"
    asked = {"table": "SELECT name, pk FROM pragma_table_info(?)", "index": _INDEX}
    return {
        f"{kind} {name}": frozenset(map(tuple, connection.execute(asked[kind], (name,))))
        for kind, name in connection.execute(names).fetchall()
    }


_INDEX: Final = "SELECT seqno, name FROM pragma_index_info(?)"


def create(connection: sqlite3.Connection) -> None:
    """Make all tables in an empty database, in one transaction."""
    connection.executescript(
        f"PRAGMA page_size = {PAGE_BYTES};\nPRAGMA application_id = {APPLICATION_ID};\n"
        f"BEGIN;\n{DDL}\nPRAGMA user_version = {VERSION};\nCOMMIT;"
    )
