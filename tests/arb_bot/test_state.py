"""The pushed state: every documented field with its type, the extras, and a size that fits many of them."""

import json
from typing import Any

from arb_bot.settings import Settings
from botkit.hot_reload import catalogue
from botkit.messages import decode, encode
from tests.arb_bot.lab import START, Lab

DOCUMENTED = {
    "type": str,
    "ts": float,
    "cycle": int,
    "mode": str,
    "uptime_seconds": float,
    "cash_by_venue": dict,
    "locked_capital_by_venue": dict,
    "open_positions": list,
    "last_cycle": dict,
    "stream_status": dict,
    "daily_pnl": float,
    "daily_trades": int,
    "daily_loss_cap_remaining": float,
    "consecutive_failures": int,
    "config_snapshot": dict,
}
CYCLE = {"duration_ms", "quotes_count", "opportunities_found", "near_opportunities", "decisions"}
POSITION = {
    "intent_id",
    "bid",
    "closing",
    "position_id", "venue", "market_id", "market", "side", "contracts", "entry", "expected_profit",
    "opened_at", "expected_settlement_at", "hedged", "kind",
}  # fmt: skip


def test_a_state_has_every_documented_field_and_says_which_are_real(lab: Lab) -> None:
    session = lab.start("1")
    lab.run_until(lambda: len(session.parts.portfolio.holdings) > 4)
    state = lab.states[-1]
    for name, kind in DOCUMENTED.items():
        assert isinstance(state[name], kind), name
    assert set(state["last_cycle"]) == CYCLE
    assert state["mode"] == "paper"
    assert state["simulated"] is True
    assert set(state["reports"]) <= set(state)
    assert set(state["commands"]) == {"update_config", "kill_switch", "pause", "resume", "close_position"}
    assert state["uptime_seconds"] == state["ts"] - START
    assert state["config_snapshot"].keys() == {s.key for s in catalogue(Settings).values()}
    position = state["open_positions"][0]
    assert set(position) == POSITION
    assert position["expected_settlement_at"] > position["opened_at"]
    assert 0 < position["entry"] < 1
    venues = {"kalshi", "polymarket"}
    for by_venue in (
        "working_orders",
        "unhedged_usd",
        "venue_limit_usd",
        "coverage",
        "quote_age_seconds",
        "rejects",
    ):
        assert set(state[by_venue]) == venues, by_venue
    assert {m["name"] for m in state["metrics"]} >= {"orders_placed", "quote_cache_size"}


def test_a_state_is_strict_json_of_a_few_kilobytes(lab: Lab) -> None:
    session = lab.start("1")
    lab.run_until(lambda: len(session.parts.portfolio.holdings) > 7)
    for state in lab.states:
        line = encode(state)
        assert json.loads(json.dumps(state, allow_nan=False)) == decode(line)
        assert len(line) < 32_000


def test_cycles_count_up_by_one_and_come_at_the_interval(lab: Lab) -> None:
    lab.start("1")
    lab.run(60)
    assert [state["cycle"] for state in lab.states] == list(range(1, 13))
    assert {b["ts"] - a["ts"] for a, b in zip(lab.states, lab.states[1:], strict=False)} == {5.0}


def test_without_a_cap_there_is_no_headroom_and_without_orders_no_time(lab: Lab) -> None:
    lab.start("1", ARB_DAILY_LOSS_CAP_USD="0", ARB_LANE_CROSS_ENABLED="false", ARB_LANE_INTRA_ENABLED="false")
    lab.run(5)
    state = lab.states[-1]
    assert state["daily_loss_cap_remaining"] is None
    assert state["last_order_ts"] is None
    assert state["last_fill_ts"] is None
    assert state["working_orders"]["kalshi"] == {"count": 0, "oldest_ts": None}


def test_unhedged_money_and_working_orders_are_told_while_a_leg_is_in_flight(lab: Lab) -> None:
    session = lab.start("1")
    lab.run_until(lambda: lab.working() == 1 and any(e.leg == 1 for e in session.parts.executor.active))
    state: Any = session.parts.states.build(session.engine.report, lab.clock.now())
    (flying,) = [p for p in state["open_positions"] if not p["hedged"]]
    assert state["unhedged_usd"][flying["venue"]] > 0
    counts = {venue: orders["count"] for venue, orders in state["working_orders"].items()}
    assert sum(counts.values()) == 1
    (working,) = [orders for orders in state["working_orders"].values() if orders["count"]]
    assert working["oldest_ts"] == state["last_order_ts"]


def test_decisions_use_the_documented_words(lab: Lab) -> None:
    lab.start("1", ARB_MAX_OPEN_MARKETS_PER_VENUE="3", ARB_MIN_EXPECTED_PROFIT_USD="0.3")
    lab.run(3600)
    said = {(d["action"], d["reason"].split(" (")[0].split(":")[0]) for d in lab.decisions()}
    assert ("dry_run", "paper_position_opened") in said
    assert ("settled", "paper_position_settled") in said
    assert said <= {
        ("dry_run", "paper_position_opened"),
        ("settled", "paper_position_settled"),
        ("execution_failed", "one or more legs failed"),
        ("execution_failed", "legging aborted"),
        ("skipped", "paper_no_fill"),
        ("skipped", "cluster_open_position_cap_reached"),
        ("skipped", "edge_exceeds_sanity_threshold"),
        ("skipped", "edge_below_dynamic_threshold"),
        ("skipped", "cluster_budget_exhausted"),
        ("skipped", "position_sizer_rejected"),
        ("skipped", "kelly_fraction_zero"),
        ("skipped", "kelly_resize_rejected"),
        ("skipped", "fill_probability_below_threshold"),
        ("skipped", "fill_quality_below_threshold"),
        ("skipped", "expected_realized_profit_below_threshold"),
        ("skipped", "maker_estimate_disabled_in_live"),
        ("skipped", "market cooldown active"),
        ("skipped", "insufficient cash"),
        ("skipped", "venue exposure cap reached"),
        ("skipped", "open market cap reached"),
    }
    most = max(
        len({p["market_id"] for p in s["open_positions"] if p["venue"] == "kalshi"}) for s in lab.states
    )
    assert most <= 3
