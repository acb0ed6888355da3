"""The analytics store, `analytics.db`: decisions on plans, and realised results, in the documented schema.

A row of `fills` is one realisation: a settlement of what an intent held, or an unwinding of contracts
that no other leg covered (`metadata_json.event` says which), so that Σ `realized_pnl` of a UTC day is the
day's realised PnL. A row of `decisions` is written for every accepted plan, and for a refusal when its
reason is a new one for that opportunity or the last row about it is 15 minutes old: the same skip every
cycle says nothing new.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from arb_bot.experience import Result
from arb_bot.money import MICROS, to_usd
from arb_bot.opportunity import Opportunity
from arb_bot.plan import Plan
from arb_bot.portfolio import Holding
from arb_bot.sqlite_file import SqliteFile, Statement, insert

DDL = """
CREATE TABLE IF NOT EXISTS decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp REAL NOT NULL,
    date TEXT NOT NULL,
    kind TEXT NOT NULL,
    execution_style TEXT NOT NULL,
    market_key TEXT NOT NULL,
    gross_edge REAL NOT NULL,
    net_edge REAL NOT NULL,
    contracts INTEGER NOT NULL,
    capital_required REAL NOT NULL,
    accepted INTEGER NOT NULL,
    reject_reason TEXT NOT NULL DEFAULT '',
    metadata_json TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE IF NOT EXISTS fills (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp REAL NOT NULL,
    date TEXT NOT NULL,
    intent_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    market_key TEXT NOT NULL,
    planned_contracts INTEGER NOT NULL,
    filled_contracts INTEGER NOT NULL,
    planned_edge REAL NOT NULL,
    realized_pnl REAL NOT NULL,
    slippage REAL NOT NULL,
    fill_rate REAL NOT NULL,
    venue TEXT NOT NULL DEFAULT '',
    metadata_json TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS idx_decisions_date ON decisions(date);
CREATE INDEX IF NOT EXISTS idx_decisions_kind ON decisions(kind);
CREATE INDEX IF NOT EXISTS idx_fills_date ON fills(date);
CREATE INDEX IF NOT EXISTS idx_fills_intent ON fills(intent_id);
"""


REPEAT_SECONDS = 900.0
SETTLEMENT, UNWIND = "settlement", "unwind"


def utc_date(timestamp: float) -> str:
    """`YYYY-MM-DD` of the UTC day."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")


class AnalyticsStore:
    """Writes and reads one `analytics.db`. The statement makers are pure; `file` runs them."""

    def __init__(self, path: Path) -> None:
        self.file = SqliteFile(path, DDL)

    def realized(self) -> int:
        """Realised PnL since the store began, micro-dollars."""
        return round(float(self.file.read("SELECT COALESCE(SUM(realized_pnl), 0) FROM fills")[0][0]) * MICROS)

    def day(self, date: str) -> tuple[float, float, int]:
        """Realised PnL of a UTC day in USD, its lowest point so far (≤ 0), and the number of rows."""
        rows = self.file.read("SELECT realized_pnl FROM fills WHERE date = ? ORDER BY timestamp, id", (date,))
        total = lowest = 0.0
        for row in rows:
            total += row["realized_pnl"]
            lowest = min(lowest, total)
        return total, lowest, len(rows)

    def newest_results(self, count: int) -> list[Result]:
        """The last results, the newest last."""
        rows = self.file.read("SELECT * FROM fills ORDER BY id DESC LIMIT ?", (count,))
        return [
            Result(
                row["kind"],
                str(json.loads(row["metadata_json"]).get("match_key", row["market_key"])),
                realized=row["realized_pnl"] / max(1, row["filled_contracts"]),
                expected=row["planned_edge"],
            )
            for row in reversed(rows)
        ]

    def is_empty(self) -> bool:
        """Whether nothing was ever recorded."""
        return not self.file.read("SELECT 1 FROM fills UNION ALL SELECT 1 FROM decisions LIMIT 1")


class DecisionNews:
    """Which refusals are worth a row: pure memory of what was written last about each opportunity."""

    def __init__(self) -> None:
        self._last: dict[object, tuple[str, float]] = {}

    def is_news(self, opportunity: Opportunity, reason: str, now: float) -> bool:
        """Whether this reason says something that the last row about the same opportunity does not."""
        last, written = self._last.get(opportunity.identity, ("", 0.0))
        if last == reason and now - written < REPEAT_SECONDS:
            return False
        self._last[opportunity.identity] = (reason, now)
        return True

    def forget(self, before: float) -> None:
        """Drop what was written before a time."""
        self._last = {key: entry for key, entry in self._last.items() if entry[1] >= before}


def insert_decision(
    opportunity: Opportunity, plan: Plan | None, reject_reason: str, *, session: str, now: float
) -> Statement:
    """A verdict on an opportunity; an empty reason means accepted. Without a plan nothing was sized."""
    metadata = {"simulated": True, "session": session, "match_key": opportunity.match_key}
    return insert(
        "decisions",
        {
            "timestamp": now,
            "date": utc_date(now),
            "kind": opportunity.kind,
            "execution_style": opportunity.execution_style,
            "market_key": opportunity.market_key,
            "gross_edge": opportunity.gross_edge,
            "net_edge": opportunity.net_edge,
            "contracts": plan.contracts if plan else 0,
            "capital_required": plan.capital_required if plan else 0.0,
            "accepted": int(not reject_reason),
            "reject_reason": reject_reason,
            "metadata_json": json.dumps(metadata),
        },
    )


@dataclass(frozen=True, slots=True)
class Realized:
    """A result: `event` is `settlement` or `unwind`, `pnl` in micro-dollars, contracts planned and done.

    `position_id` names what was sold, for an unwinding.
    """

    event: str
    venue: str
    planned: int
    filled: int
    pnl: int
    position_id: str = ""


def insert_fill(holding: Holding, result: Realized, *, session: str, now: float) -> Statement:
    """A realised result. Slippage is realised minus planned in dollars a contract: negative is worse."""
    metadata = {"simulated": True, "session": session, "event": result.event, "match_key": holding.match_key}
    if result.position_id:
        metadata["position_id"] = result.position_id
    if result.event == SETTLEMENT:  # of all that the lots still held, so all their fees are part of it
        metadata["fees"] = to_usd(sum(lot.fees for lot in holding.lots.values()))
    realized = to_usd(result.pnl)
    return insert(
        "fills",
        {
            "timestamp": now,
            "date": utc_date(now),
            "intent_id": holding.intent_id,
            "kind": holding.kind,
            "market_key": holding.market_key,
            "planned_contracts": result.planned,
            "filled_contracts": result.filled,
            "planned_edge": holding.planned_edge,
            "realized_pnl": realized,
            "slippage": realized / result.filled - holding.planned_edge,
            "fill_rate": result.filled / result.planned,
            "venue": result.venue,
            "metadata_json": json.dumps(metadata),
        },
    )
