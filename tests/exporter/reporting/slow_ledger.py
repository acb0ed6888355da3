"""What the rollups must say, computed the slow and plain way from rows in memory, to hold the SQL against."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

BOT = "arb"
KINDS = ("cross_venue", "structural_bucket")

FILL_COLUMNS = (
    "bot", "generation", "id", "timestamp", "date", "intent_id", "kind", "market_key", "planned_contracts",
    "filled_contracts", "planned_edge", "realized_pnl", "slippage", "fill_rate", "venue", "metadata_json",
)  # fmt: skip
DECISION_COLUMNS = (
    "bot", "generation", "id", "timestamp", "date", "kind", "execution_style", "market_key", "gross_edge",
    "net_edge", "contracts", "capital_required", "accepted", "reject_reason", "metadata_json",
)  # fmt: skip


@dataclass(frozen=True)
class Fill:
    """One row of `fills`, with defaults where a test does not care."""

    id: int
    timestamp: float
    realized_pnl: float
    generation: int = 0
    kind: str = "cross_venue"
    market_key: str = "kalshi/A:polymarket/B"
    intent_id: str = "none"
    planned_contracts: int = 10
    filled_contracts: int = 10
    planned_edge: float = 0.03
    slippage: float = 0.0
    fill_rate: float = 1.0
    venue: str = "kalshi"
    metadata_json: str = "{}"

    def row(self) -> tuple[object, ...]:
        values = {"bot": BOT, "date": day_text(self.timestamp)} | self.__dict__
        return tuple(values[column] for column in FILL_COLUMNS)


@dataclass(frozen=True)
class Leg:
    """One row of `leg_executions`; `ask` stands in the plan where it is given."""

    limit_price: float
    average_price: float | None = None
    filled_contracts: int = 10
    ask: float | None = None


@dataclass(frozen=True)
class Intent:
    """One row of `order_intents` with its legs; the plan says `plan` beside legs and edge."""

    intent_id: str
    legs: Sequence[Leg] = ()
    edge: float = 0.03
    created_at: float = 0.0
    status: str = "filled"
    plan: dict[str, object] = field(default_factory=dict)
    generation: int = 0

    @property
    def plan_json(self) -> str:
        legs = [
            {"limit_price": leg.limit_price, "metadata": {} if leg.ask is None else {"ask": leg.ask}}
            for leg in self.legs
        ]
        return json.dumps({"legs": legs, "metadata": {}, **self.plan})


@dataclass(frozen=True)
class Decision:
    """One row of `decisions`."""

    id: int
    timestamp: float
    accepted: int = 0
    reject_reason: str = ""
    kind: str = "cross_venue"
    generation: int = 0

    def row(self) -> tuple[object, ...]:
        known = {"bot": BOT, "date": day_text(self.timestamp), **self.__dict__}
        blank = {"execution_style": "taker", "market_key": "m", "metadata_json": "{}"}
        return tuple((blank | known).get(column, 0) for column in DECISION_COLUMNS)


def day_text(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")


def insert_fills(db: sqlite3.Connection, fills: Iterable[Fill]) -> None:
    """Write rows as the mirror does."""
    db.executemany(f"INSERT INTO fills VALUES ({','.join('?' * 16)})", [fill.row() for fill in fills])


def insert_decisions(db: sqlite3.Connection, decisions: Iterable[Decision]) -> None:
    db.executemany(f"INSERT INTO decisions VALUES ({','.join('?' * 15)})", [d.row() for d in decisions])


def put_intents(db: sqlite3.Connection, intents: Iterable[Intent]) -> None:
    """Write intents and legs, instead of what was there under the same ids."""
    for intent in intents:
        key = (BOT, intent.intent_id)
        db.execute("DELETE FROM order_intents WHERE bot = ? AND intent_id = ?", key)
        db.execute("DELETE FROM leg_executions WHERE bot = ? AND intent_id = ?", key)
        db.execute(
            "INSERT INTO order_intents (bot, generation, intent_id, plan_json, edge_per_contract, status,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                BOT,
                intent.generation,
                intent.intent_id,
                intent.plan_json,
                intent.edge,
                intent.status,
                intent.created_at,
            ),
        )
        db.executemany(
            "INSERT INTO leg_executions (bot, generation, leg_id, intent_id, leg_index, limit_price,"
            " average_price, filled_contracts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (BOT, intent.generation, f"{intent.intent_id}-{index}", intent.intent_id, index,
                 leg.limit_price, leg.average_price, leg.filled_contracts)
                for index, leg in enumerate(intent.legs)
            ],
        )  # fmt: skip


def sums(
    fills: Sequence[Fill], decisions: Sequence[Decision] = (), intents: Sequence[Intent] = ()
) -> dict[str, dict]:
    """Every rollup of one bot whose operator's day is UTC, by table and key."""
    tables: dict[str, dict] = {
        "daily_pnl": _grouped(fills, lambda f: (day_text(f.timestamp), f.kind), _daily),
        "bucket_pnl": _with_totals(
            _grouped(fills, lambda f: (f.kind, _bucket(f), day_text(f.timestamp)), _count)
        ),
        "slippage_histogram": _histogram(fills, lambda f: _bin(f.slippage, -0.05, 0.05, 0.005)),
        "fill_rate_histogram": _histogram(fills, lambda f: _bin(f.fill_rate, 0.0, 1.0, 0.05)),
        "hourly_pnl": _grouped(
            fills, lambda f: (day_text(f.timestamp), int(f.timestamp) // 3600 % 24, f.venue), _count
        ),
        "operator_daily_pnl": _grouped(fills, lambda f: (day_text(f.timestamp),), _operator),
        "lane_pnl": _grouped(
            fills, lambda f: (day_text(f.timestamp), f.kind), lambda group: _lane(group, intents)
        ),
    }
    for table, width in (("equity_minute", 60), ("equity_hour", 3600), ("equity_day", 86400)):
        tables[table] = _grouped(fills, lambda f, w=width: (int(f.timestamp) // w * w,), _equity)
    counts: dict = defaultdict(int)
    for d in decisions:
        counts[day_text(d.timestamp), d.kind, d.accepted, d.reject_reason.split(" (")[0]] += 1
    tables["decision_counts"] = {key: (count,) for key, count in counts.items()}
    return tables


def _grouped(fills, key, make):
    groups = defaultdict(list)
    for fill in sorted(fills, key=lambda f: (f.timestamp, f.generation, f.id)):
        groups[key(fill)].append(fill)
    return {group: make(members) for group, members in groups.items()}


def _histogram(fills, bin_of):
    counted = _grouped(
        fills, lambda f: (f.kind, bin_of(f), day_text(f.timestamp)), lambda group: (len(group),)
    )
    return _with_totals(counted)


def _bin(value, least, most, width):
    return round(int((min(max(value, least), most) - least) / width + 1e-6) * width + least, 3)


def _with_totals(daily):
    """Beside each day's sums those of its key over all days up to it."""
    return {
        (*key, day): (*values, *(map(sum, zip(*(
            other for (*same, before), other in daily.items() if same == key and before <= day
        ), strict=True))))
        for (*key, day), values in daily.items()
    }  # fmt: skip


def _count(group):
    return sum(f.realized_pnl for f in group), len(group), sum(f.realized_pnl > 0 for f in group)


def _operator(group):
    start = datetime.combine(date.fromisoformat(day_text(group[0].timestamp)), datetime.min.time(), UTC)
    return ("UTC", start.timestamp(), (start + timedelta(days=1)).timestamp(), *_count(group))


def _daily(group):
    pnls = [f.realized_pnl for f in group]
    return (
        sum(pnls), len(pnls), sum(p > 0 for p in pnls), sum(p < 0 for p in pnls),
        sum(p for p in pnls if p > 0), sum(p for p in pnls if p < 0),
        sum(f.filled_contracts for f in group), sum(f.planned_contracts for f in group),
        sum(f.planned_edge * f.filled_contracts for f in group), sum(f.fill_rate for f in group),
        sum(f.slippage for f in group), max(pnls), min(pnls),
    )  # fmt: skip


def _equity(group):
    running = [0.0]
    for fill in group:
        running.append(running[-1] + fill.realized_pnl)
    drawdown = max(max(running[: i + 1]) - value for i, value in enumerate(running))
    return (
        running[-1],
        len(group),
        sum(f.realized_pnl > 0 for f in group),
        min(running),
        max(running),
        drawdown,
    )


def _bucket(fill):
    if fill.kind == "structural_bucket" and "/" in fill.market_key:
        return json.loads(fill.metadata_json).get("match_key", fill.market_key)
    return fill.market_key


def _lane(group, intents):
    """trades, expected, gross, fees, slippage, adverse, unsplit, net, known."""
    expected = sum(f.planned_edge * f.filled_contracts for f in group)
    net = sum(f.realized_pnl for f in group)
    told, gross, unsplit = [], 0.0, 0.0
    for fill in group:
        promised = fill.planned_edge * fill.filled_contracts
        split = _split(fill, {intent.intent_id: intent for intent in intents}.get(fill.intent_id))
        if split is None:
            gross, unsplit = gross + promised, unsplit + fill.realized_pnl - promised
        else:
            told.append(split)
            gross += split[0]
    if not told:
        return len(group), expected, None, None, None, None, unsplit, net, 0
    fees, slippage, adverse = (sum(split[i] for split in told) for i in (1, 2, 3))
    return len(group), expected, gross, fees, slippage, adverse, unsplit, net, len(told)


def _split(fill, intent):
    """Gross, fees, slippage, adverse of a fill that can be told apart."""
    metadata = json.loads(fill.metadata_json)
    if intent is None or metadata.get("event") == "unwind" or intent.created_at > fill.timestamp + 3600:
        return None
    if not intent.legs or any(leg.average_price is None or not leg.filled_contracts for leg in intent.legs):
        return None
    payout = intent.plan.get("metadata", {}).get("constraint_adjusted_payout", 1.0)
    fee = intent.plan.get("gross_edge", payout - sum(leg.limit_price for leg in intent.legs)) - intent.edge
    planned = max(fee, 0.0) * fill.filled_contracts if -1e-9 <= fee <= payout else None
    paid = metadata["fees"] if isinstance(metadata.get("fees"), float) else planned
    if paid is None:
        return None
    gross = fill.planned_edge * fill.filled_contracts + (paid if planned is None else planned)
    planned_prices = (leg.limit_price if leg.ask is None else leg.ask for leg in intent.legs)
    better = sum(price - leg.average_price for price, leg in zip(planned_prices, intent.legs, strict=True))
    slippage = better * fill.filled_contracts
    return gross, paid, slippage, fill.realized_pnl - (gross - paid + slippage)
