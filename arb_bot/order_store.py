"""The order store, `arb_orders.db`, in the documented schema: intents, their legs, and their positions.

Money in USD, prices in dollars a contract, times in epoch seconds. `raw_json` of a leg keeps its fee, and
what of it belongs to contracts still held, in micro-dollars, so that the books can be taken up again to
the last digit.
"""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from arb_bot import StoreUnusable
from arb_bot.money import MICROS, to_usd
from arb_bot.plan import Plan
from arb_bot.portfolio import Holding, Lot
from arb_bot.sqlite_file import SqliteFile, Statement, insert

SCHEMA_VERSION = 1
PENDING, SUBMITTED, FILLED = "pending", "submitted", "filled"
PARTIALLY_FILLED, FAILED, CANCELLED = "partially_filled", "failed", "cancelled"

DDL = """
CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS order_intents (
    intent_id       TEXT PRIMARY KEY,
    plan_json       TEXT NOT NULL,
    kind            TEXT NOT NULL,
    execution_style TEXT NOT NULL,
    contracts       INTEGER NOT NULL,
    capital_required REAL NOT NULL,
    capital_required_by_venue TEXT NOT NULL,
    expected_profit REAL NOT NULL,
    edge_per_contract REAL NOT NULL,
    status          TEXT NOT NULL DEFAULT 'pending',
    total_filled    INTEGER NOT NULL DEFAULT 0,
    error           TEXT,
    created_at      REAL NOT NULL,
    updated_at      REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS leg_executions (
    leg_id          TEXT PRIMARY KEY,
    intent_id       TEXT NOT NULL REFERENCES order_intents(intent_id),
    leg_index       INTEGER NOT NULL,
    venue           TEXT NOT NULL,
    market_id       TEXT NOT NULL,
    side            TEXT NOT NULL,
    contracts       INTEGER NOT NULL,
    limit_price     REAL NOT NULL,
    status          TEXT NOT NULL DEFAULT 'pending',
    order_id        TEXT,
    filled_contracts INTEGER NOT NULL DEFAULT 0,
    average_price   REAL,
    raw_json        TEXT,
    created_at      REAL NOT NULL,
    updated_at      REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS positions (
    position_id     TEXT PRIMARY KEY,
    intent_id       TEXT NOT NULL REFERENCES order_intents(intent_id),
    venue           TEXT NOT NULL,
    market_id       TEXT NOT NULL,
    side            TEXT NOT NULL,
    net_contracts   INTEGER NOT NULL,
    average_entry   REAL NOT NULL,
    status          TEXT NOT NULL DEFAULT 'open',
    opened_at       REAL NOT NULL,
    closed_at       REAL
);
CREATE INDEX IF NOT EXISTS idx_order_intents_status ON order_intents(status);
CREATE INDEX IF NOT EXISTS idx_leg_executions_intent ON leg_executions(intent_id);
CREATE INDEX IF NOT EXISTS idx_leg_executions_status ON leg_executions(status);
CREATE INDEX IF NOT EXISTS idx_positions_status ON positions(status);
CREATE INDEX IF NOT EXISTS idx_positions_venue ON positions(venue, market_id);
"""


@dataclass(slots=True)
class LegRecord:
    """What is known of one leg: its row's id, order, state, contracts filled, cost and fee in micro-dollars.

    `held_fee` is the part of the fee that belongs to contracts still held.
    """

    leg_id: str
    status: str = PENDING
    order_id: str | None = None
    filled: int = 0
    cost: int = 0
    fee: int = 0
    held_fee: int = 0
    error: str | None = None

    @property
    def raw_json(self) -> str:
        """The leg's `raw_json`."""
        content: dict[str, object] = {
            "simulated": True,
            "fee_micros": self.fee,
            "held_fee_micros": self.held_fee,
        }
        if self.error:
            content["error"] = self.error
        return json.dumps(content)


class OrderStore:
    """Writes and reads one `arb_orders.db`. The statement makers are pure; `file` runs them."""

    def __init__(self, path: Path) -> None:
        self.file = SqliteFile(path, DDL)
        versions = [row["version"] for row in self.file.read("SELECT version FROM schema_version")]
        if not versions:
            self.file.write(("INSERT INTO schema_version VALUES (?)", (SCHEMA_VERSION,)))
        elif versions != [SCHEMA_VERSION]:
            self.file.close()
            raise StoreUnusable(f"{path} has schema version {versions}, this bot writes {SCHEMA_VERSION}")

    def open_holdings(self) -> list[Holding]:
        """Holdings with open positions, as the earlier session left them."""
        rows = self.file.read(
            "SELECT p.*, i.kind, i.plan_json, i.contracts AS planned, i.edge_per_contract AS edge, "
            "l.leg_index, l.raw_json FROM positions p JOIN order_intents i USING (intent_id) "
            "JOIN leg_executions l ON l.intent_id = p.intent_id AND l.venue = p.venue "
            "AND l.market_id = p.market_id AND l.side = p.side "
            "WHERE p.status = 'open' ORDER BY p.opened_at, l.leg_index"
        )
        holdings: dict[str, Holding] = {}
        for row in rows:
            holding = holdings.get(row["intent_id"])
            if holding is None:
                holding = holdings[row["intent_id"]] = _holding(row)
            holding.lots[row["leg_index"]] = _lot(row)
        return list(holdings.values())

    def legs(self, intent_id: str) -> list[LegRecord]:
        """The legs of an intent, in order."""
        rows = self.file.read(
            "SELECT * FROM leg_executions WHERE intent_id = ? ORDER BY leg_index", (intent_id,)
        )
        return [_leg(row) for row in rows]

    def last_fill(self) -> float | None:
        """When a leg last began to fill, epoch seconds, no later than the last fill; None before it."""
        latest: float | None = self.file.read("SELECT MAX(opened_at) AS at FROM positions")[0]["at"]
        return latest

    def open_intents(self) -> list[str]:
        """Ids of intents that an earlier session left pending or submitted."""
        sql = "SELECT intent_id FROM order_intents WHERE status IN (?, ?)"
        rows = self.file.read(sql, (PENDING, SUBMITTED))
        return [row["intent_id"] for row in rows]

    def is_empty(self) -> bool:
        """Whether no intent was ever recorded."""
        return not self.file.read("SELECT 1 FROM order_intents LIMIT 1")


def _plan_legs(row: sqlite3.Row) -> tuple[dict[str, str], list[dict[str, str]], list[dict[str, object]]]:
    plan = json.loads(row["plan_json"])
    return plan["metadata"], plan["legs"], [leg["metadata"] for leg in plan["legs"]]


def _holding(row: sqlite3.Row) -> Holding:
    about, legs, metadata = _plan_legs(row)
    match_key = about["match_key"]
    times = [m.get("settles_at") for m in metadata]
    known = [float(t) for t in times if isinstance(t, int | float)]
    return Holding(
        intent_id=row["intent_id"],
        kind=row["kind"],
        match_key=match_key,
        market_key=":".join(sorted(f"{leg['venue']}/{leg['market_id']}" for leg in legs)),
        cluster=about.get("correlation_cluster", f"match:{match_key}"),
        leg_count=len(legs),
        planned_contracts=row["planned"],
        planned_edge=row["edge"],
        settles_at=max(known) if len(known) == len(legs) else None,
    )


def _lot(row: sqlite3.Row) -> Lot:
    raw = json.loads(row["raw_json"] or "{}")
    contracts = row["net_contracts"]
    return Lot(
        position_id=row["position_id"],
        leg_index=row["leg_index"],
        venue=row["venue"],
        market_id=row["market_id"],
        title=str(_plan_legs(row)[2][row["leg_index"]].get("title", row["market_id"])),
        side=row["side"],
        opened_at=row["opened_at"],
        contracts=contracts,
        cost=round(row["average_entry"] * contracts * MICROS),
        fees=raw.get("held_fee_micros", 0),
    )


def _leg(row: sqlite3.Row) -> LegRecord:
    raw = json.loads(row["raw_json"] or "{}")
    filled = row["filled_contracts"]
    return LegRecord(
        leg_id=row["leg_id"],
        status=row["status"],
        order_id=row["order_id"],
        filled=filled,
        cost=round((row["average_price"] or 0.0) * filled * MICROS),
        fee=raw.get("fee_micros", 0),
        held_fee=raw.get("held_fee_micros", 0),
        error=raw.get("error"),
    )


def intent_status(legs: Iterable[LegRecord]) -> str:
    """What legs that are done make of their intent."""
    fills = [leg.filled for leg in legs]
    if min(fills) > 0:
        return FILLED
    return PARTIALLY_FILLED if max(fills) > 0 else FAILED


def insert_intent(intent_id: str, plan: Plan, legs: list[LegRecord], now: float) -> list[Statement]:
    """A new intent, pending, with its legs."""
    o = plan.opportunity
    statements = [
        insert(
            "order_intents",
            {
                "intent_id": intent_id,
                "plan_json": plan.as_json(simulated=True),
                "kind": o.kind,
                "execution_style": o.execution_style,
                "contracts": plan.contracts,
                "capital_required": plan.capital_required,
                "capital_required_by_venue": json.dumps(plan.capital_by_venue()),
                "expected_profit": plan.expected_profit,
                "edge_per_contract": o.net_edge,
                "created_at": now,
                "updated_at": now,
            },
        )
    ]
    for index, (leg, record) in enumerate(zip(o.legs, legs, strict=True)):
        row = {
            "leg_id": record.leg_id,
            "intent_id": intent_id,
            "leg_index": index,
            "venue": leg.venue,
            "market_id": leg.market_id,
            "side": leg.side,
            "contracts": plan.contracts,
            "limit_price": to_usd(plan.limit_price(index)),
            "created_at": now,
            "updated_at": now,
        }
        statements.append(insert("leg_executions", row))
    return statements


def update_intent(intent_id: str, status: str, total_filled: int, error: str | None, now: float) -> Statement:
    """The intent's state."""
    return (
        "UPDATE order_intents SET status=?, total_filled=?, error=?, updated_at=? WHERE intent_id=?",
        (status, total_filled, error, now, intent_id),
    )


def update_leg(leg: LegRecord, now: float) -> Statement:
    """A leg's state, order and fills."""
    average = to_usd(leg.cost) / leg.filled if leg.filled else None
    return (
        "UPDATE leg_executions SET status=?, order_id=?, filled_contracts=?, average_price=?, raw_json=?, "
        "updated_at=? WHERE leg_id=?",
        (leg.status, leg.order_id, leg.filled, average, leg.raw_json, now, leg.leg_id),
    )


def put_position(intent_id: str, lot: Lot) -> Statement:
    """A position as it stands now, new or changed."""
    sql, values = insert(
        "positions",
        {
            "position_id": lot.position_id,
            "intent_id": intent_id,
            "venue": lot.venue,
            "market_id": lot.market_id,
            "side": lot.side,
            "net_contracts": lot.contracts,
            "average_entry": to_usd(lot.cost) / lot.contracts,
            "opened_at": lot.opened_at,
        },
    )
    upsert = "net_contracts=excluded.net_contracts, average_entry=excluded.average_entry"
    return f"{sql} ON CONFLICT(position_id) DO UPDATE SET {upsert}", values


def close_position(position_id: str, now: float) -> Statement:
    """A position is closed; its last size and entry stay in the row."""
    return "UPDATE positions SET status='closed', closed_at=? WHERE position_id=?", (now, position_id)
