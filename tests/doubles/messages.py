"""Messages as bots send them, with every field open to a test: our bot's in full, and the base protocol's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

T0 = 1_795_197_200.0
"""2026-11-20 17:53:20 UTC, a Friday: when scripted sessions begin."""

FIVE_CONSTANTS = {
    "stream_status": {},
    "daily_pnl": 0.0,
    "daily_trades": 0,
    "daily_loss_cap_remaining": 0.0,
    "consecutive_failures": 0,
}
"""What deployed bots push whatever happens."""


def base_state(cycle: int = 1, ts: float | None = None, **changed: Any) -> dict[str, Any]:
    """A state of a deployed bot: the documented fields alone, the five risk fields constants."""
    return {
        "type": "state",
        "ts": T0 + 5 * cycle if ts is None else ts,
        "cycle": cycle,
        "mode": "paper",
        "uptime_seconds": 5.0 * cycle,
        "cash_by_venue": {"kalshi": 200.0, "polymarket": 100.0},
        "locked_capital_by_venue": {"kalshi": 12.5},
        "open_positions": [{"market_id": "KX-1", "venue": "kalshi"}],
        "last_cycle": {
            "duration_ms": 32,
            "quotes_count": 19,
            "opportunities_found": 2,
            "near_opportunities": 5,
            "decisions": [decision()],
        },
        **FIVE_CONSTANTS,
        "config_snapshot": {"ARB_LIVE_MODE": False, "ARB_DAILY_LOSS_CAP_USD": 10.0},
        **changed,
    }


def state(cycle: int = 1, ts: float | None = None, **changed: Any) -> dict[str, Any]:
    """A state of our own bot: everything reported, nothing wrong."""
    ours = {
        "version": "0.1.0",
        "session_id": "5e55",
        "simulated": True,
        "status": "paper",
        "reports": list(FIVE_CONSTANTS),
        "commands": ["update_config", "kill_switch", "pause", "resume"],
        "kill_switch": {"active": False, "reason": "ok", "since": None, "cause": None},
        "working_orders": {"kalshi": {"count": 0, "oldest_ts": None}},
        "unhedged_usd": {"kalshi": 0.0, "polymarket": 0.0},
        "venue_limit_usd": {"kalshi": 200.0, "polymarket": 200.0},
        "last_order_ts": None,
        "last_fill_ts": None,
        "realized_pnl": 12.34,
        "coverage": {"kalshi": {"scanned": 30, "total": 40}},
        "quote_age_seconds": {"kalshi": 1.2},
        "rejects": {"kalshi": 3},
        "metrics": [{"name": "orders_placed", "kind": "counter", "value": 12}],
        "recent_errors": [],
        "stream_status": {"kalshi": "connected"},
    }
    return base_state(cycle, ts, **(ours | changed))


def decision(
    kind: str = "intra_venue", action: str = "dry_run", reason: str = "paper_position_opened"
) -> dict[str, Any]:
    """One decision of a cycle."""
    return {
        "action": action,
        "kind": kind,
        "match_key": "kalshi:KX-1",
        "reason": reason,
        "edge": 0.02,
        "fill_prob": 0.9,
    }


def cycle_of(*decisions: Mapping[str, Any]) -> dict[str, Any]:
    """A `last_cycle` with these decisions."""
    return {**base_state()["last_cycle"], "decisions": list(decisions)}


def heartbeat(ts: float = T0, cycle: int = 1, lag: float = 0.001, phase: str = "waiting") -> dict[str, Any]:
    """A heartbeat."""
    return {"type": "heartbeat", "ts": ts, "phase": phase, "loop_lag_seconds": lag, "cycle": cycle}


def goodbye(reason: str = "stopped") -> dict[str, Any]:
    """The last word of a bot that stops cleanly."""
    return {"type": "goodbye", "reason": reason}


def killed(cause: str, reason: str, since: float | None = None) -> dict[str, Any]:
    """The `kill_switch` of a bot that is killed."""
    return {"active": True, "reason": reason, "since": since, "cause": cause}


def ack(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of a bot that does what it is asked, with the request's id where it had one."""
    echoed = {"id": request["id"]} if "id" in request else {}
    return {"type": f"{request.get('type')}_ack", "ok": True, **echoed}
