"""Plain sums over fills and decisions: the SQL that adds new rows to them, or makes those of whole days anew.

New rows are added to what is there (`ON CONFLICT … SET x = x + excluded.x`), so a batch costs what its own
rows cost, however long the history. Sums of money may therefore differ from freshly made ones by what
floating addition in another order differs, far below a millionth of a dollar; counts never do.

Slippage is counted in bins of half a cent from −0.05 to 0.05 USD a contract, the fill rate in bins of a
twentieth from 0 to 1; what lies outside counts in the outermost bin, and fills in full have the bin 1.0 to
themselves. Buckets and bins have running totals, too (exporter.reporting.to_date).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exporter.reporting.fill_rows import DATE, DAY, NEW, SPAN, TIMELY
from exporter.reporting.to_date import complete, reset, reset_later

SLIPPAGE_BIN: Final = 0.005
SLIPPAGE_ENDS: Final = 0.05
FILL_RATE_BIN: Final = 0.05
_NOISE: Final = 1e-6  # of a bin, so that an edge that floats miss by a hair is not in the bin below

# The group of a bucket fill: some bots write it as market_key, others its legs there and it in the metadata.
_BUCKET: Final = """CASE
    WHEN kind = 'structural_bucket' AND instr(market_key, '/') AND json_valid(metadata_json)
    THEN coalesce(json_extract(metadata_json, '$.bucket_group_id'),
                  json_extract(metadata_json, '$.match_key'), market_key)
    ELSE market_key END"""


@dataclass(frozen=True, slots=True)
class Sum:
    """A table of sums: its key columns after `bot`, how each column is added to, and its grouped rows.

    `select` yields `bot`, the keys and the columns in their order; {rows} in it says which rows to take.
    """

    table: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    select: str
    merged: tuple[tuple[str, str], ...] = ()
    """Columns that are not simply added, with the expression that is taken instead."""
    running: bool = False
    """Whether it has running totals; its keys then end with the date."""

    def insert(self, rows: str) -> str:
        """Write the groups of some rows."""
        names, chosen = ", ".join(("bot", *self.keys, *self.columns)), self.select.replace("{rows}", rows)
        return f"INSERT INTO {self.table} ({names})\nSELECT {names} FROM ({chosen})\nWHERE true"

    def add(self, rows: str) -> str:
        """Add the groups of some rows to what is there."""
        how = {column: f"{column} + excluded.{column}" for column in self.columns} | dict(self.merged)
        how |= reset(self.columns) if self.running else {}
        sets = ", ".join(f"{column} = {value}" for column, value in how.items())
        return f"{self.insert(rows)}\nON CONFLICT (bot, {', '.join(self.keys)}) DO UPDATE SET {sets}"

    def rewrite(self, rows: str = SPAN) -> tuple[str, ...]:
        """Make those of whole UTC days anew."""
        later = (reset_later(self.table, self.keys[:-1], self.columns),) if self.running else ()
        delete = f"DELETE FROM {self.table} WHERE bot = :bot AND date >= :first AND date < :end"
        return (*later, delete, self.insert(rows))

    def complete(self) -> tuple[str, ...]:
        """Make the running totals that `add` or `rewrite` left to be made."""
        return (complete(self.table, self.keys[:-1], self.columns),) if self.running else ()


# One pass over the rows for several tables: groups fine enough for both histograms, and few.
_GROUP: Final = """
CREATE TEMP TABLE IF NOT EXISTS summed_fills (
    bot, day, kind, slip, rate, trades, pnl, wins, losses, gross_profit, gross_loss, contracts,
    planned_contracts, expected, fill_rate_sum, slippage_sum, best, worst
)"""
_SUMMED: Final = f"""
INSERT INTO temp.summed_fills
SELECT bot, {DAY} AS day, kind,
       CAST((min(max(slippage, -{SLIPPAGE_ENDS}), {SLIPPAGE_ENDS}) + {SLIPPAGE_ENDS}) / {SLIPPAGE_BIN}
            + {_NOISE} AS INTEGER) AS slip,
       CAST(min(max(fill_rate, 0.0), 1.0) / {FILL_RATE_BIN} + {_NOISE} AS INTEGER) AS rate,
       count(*), sum(realized_pnl), sum(realized_pnl > 0), sum(realized_pnl < 0),
       sum(max(realized_pnl, 0.0)), sum(min(realized_pnl, 0.0)),
       sum(filled_contracts), sum(planned_contracts), sum(planned_edge * filled_contracts),
       sum(fill_rate), sum(slippage), max(realized_pnl), min(realized_pnl)
FROM fills
WHERE {{rows}}
GROUP BY bot, day, kind, slip, rate"""


def _prepared(rows: str) -> tuple[str, ...]:
    return (_GROUP, "DELETE FROM temp.summed_fills", _SUMMED.replace("{rows}", rows))


def _histogram(table: str, column: str, edge: str) -> Sum:
    select = f"""
    SELECT bot, {DATE} AS date, kind, {edge} AS bin, count
    FROM (SELECT bot, day, kind, {column}, sum(trades) AS count
          FROM temp.summed_fills GROUP BY bot, day, kind, {column})"""
    return Sum(table, ("kind", "bin", "date"), ("count",), select, running=True)


_DAILY_COLUMNS: Final = (
    "pnl", "trades", "wins", "losses", "gross_profit", "gross_loss", "contracts", "planned_contracts",
    "expected", "fill_rate_sum", "slippage_sum",
)  # fmt: skip

FILL_SUMS: Final = (
    Sum(
        "daily_pnl",
        ("date", "kind"),
        (*_DAILY_COLUMNS, "best", "worst"),
        f"""
    SELECT bot, {DATE} AS date, kind, {", ".join(_DAILY_COLUMNS)}, best, worst
    FROM (SELECT bot, day, kind, {", ".join(f"sum({c}) AS {c}" for c in _DAILY_COLUMNS)},
                 max(best) AS best, min(worst) AS worst
          FROM temp.summed_fills GROUP BY bot, day, kind)""",
        merged=(("best", "max(best, excluded.best)"), ("worst", "min(worst, excluded.worst)")),
    ),
    _histogram("slippage_histogram", "slip", f"round(slip * {SLIPPAGE_BIN} - {SLIPPAGE_ENDS}, 3)"),
    _histogram("fill_rate_histogram", "rate", f"round(rate * {FILL_RATE_BIN}, 2)"),
    Sum(
        "bucket_pnl",
        ("kind", "bucket", "date"),
        ("pnl", "trades", "wins"),
        f"""
    SELECT bot, {DATE} AS date, kind, bucket, pnl, trades, wins
    FROM (SELECT bot, {DAY} AS day, kind, {_BUCKET} AS bucket,
                 sum(realized_pnl) AS pnl, count(*) AS trades, sum(realized_pnl > 0) AS wins
          FROM fills WHERE {{rows}} GROUP BY bot, day, kind, bucket)""",
        running=True,
    ),
    Sum(
        "hourly_pnl",
        ("date", "hour", "venue"),
        ("pnl", "trades", "wins"),
        """
    SELECT bot, date(at * 3600, 'unixepoch') AS date, at % 24 AS hour, venue, pnl, trades, wins
    FROM (SELECT bot, CAST(timestamp AS INTEGER) / 3600 AS at, venue,
                 sum(realized_pnl) AS pnl, count(*) AS trades, sum(realized_pnl > 0) AS wins
          FROM fills WHERE {rows} GROUP BY bot, at, venue)""",
    ),
)

# Reasons are counted without what stands in parentheses: those are ids.
_NEW_DECISIONS: Final = (
    f"bot = :bot AND generation = :generation AND id > :after AND id <= :upto AND {TIMELY}"
)
_SPAN_DECISIONS: Final = f"bot = :bot AND timestamp >= :since AND timestamp < :until AND {TIMELY}"

_DECISIONS: Final = Sum(
    "decision_counts",
    ("date", "kind", "accepted", "reason"),
    ("count",),
    f"""
    SELECT bot, {DATE} AS date, kind, accepted, reason, count
    FROM (SELECT bot, {DAY} AS day, kind, accepted != 0 AS accepted,
                 substr(reject_reason, 1, instr(reject_reason || ' (', ' (') - 1) AS reason, count(*) AS count
          FROM decisions WHERE {{rows}} GROUP BY 1, 2, 3, 4, 5)""",
)

_COMPLETE: Final = (
    """
INSERT OR IGNORE INTO buckets (bot, kind, bucket)
SELECT bot, kind, bucket FROM bucket_pnl INDEXED BY bucket_pnl_undone
WHERE bot = :bot AND pnl_to_date IS NULL""",
    *(statement for each in FILL_SUMS for statement in each.complete()),
)

FOLD_FILLS: Final = (*_prepared(NEW), *(each.add(NEW) for each in FILL_SUMS), *_COMPLETE)
FOLD_DECISIONS: Final = (_DECISIONS.add(_NEW_DECISIONS),)
REWRITE: Final = (
    *_prepared(SPAN),
    *(statement for each in FILL_SUMS for statement in each.rewrite()),
    *_COMPLETE,
    *_DECISIONS.rewrite(_SPAN_DECISIONS),
)
"""The sums of whole UTC days anew: `:first` and `:end` are the dates of `:since` and `:until`."""
