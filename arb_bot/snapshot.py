"""The state that goes out over the control socket: the documented fields and our extras, from the live
parts.

Extras of this bot alone, besides those that the design names:

* `planned` {venue: {until, reason}}: a quiet that the venue announced holds until then. No order is sent
  there, its `stream_status` stays as it was, and it has no `quote_age_seconds` and no `coverage`: a pause
  that was announced is not a venue of which nothing is seen.
* `recovery` {reasons, cancelled_orders}: what the start found of an earlier session, and by venue how many
  orders it took off the book, or `unknown`. A venue whose orders are unknown is not in `working_orders`.
* `replay` {file, speed, assumed_size, outcomes}: only while recorded quotes are played.
* In `open_positions`: `intent_id`, shared by rows that are closed together; `bid`, what a contract would
  fetch by the last look, null where nobody is known to bid; `closing`, while an order to sell it holds.
* `venue_heartbeat_ts`, `venue_kills`: when a venue answered last; venues that are killed, and by what.
"""

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from arb_bot import __version__
from arb_bot.decision import Decision
from arb_bot.intake import Intake
from arb_bot.money import by_venue_usd, to_usd
from arb_bot.order_desk import OrderDesk
from arb_bot.portfolio import Holding, Lot, Portfolio
from arb_bot.settings import Settings
from arb_bot.venue import Venue
from botkit import messages
from botkit.hot_reload import SettingsStore
from botkit.kill_switch import KillSwitch
from botkit.metrics_registry import Registry

REPORTED = ("stream_status", "daily_pnl", "daily_trades", "daily_loss_cap_remaining", "consecutive_failures")
COMMANDS = (
    messages.UPDATE_CONFIG,
    messages.KILL_SWITCH,
    messages.PAUSE,
    messages.RESUME,
    messages.CLOSE_POSITION,
)
ERRORS_KEPT = 50

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What one cycle did. `duration` in seconds."""

    number: int = 0
    duration: float = 0.0
    quotes: int = 0
    found: int = 0
    near: int = 0
    decisions: Sequence[Decision] = ()


@dataclass(slots=True)
class Journal:
    """What a session remembers for its states: pause, errors, trades of the UTC day, how it recovered, and
    what it replays.
    """

    session_id: str
    started_at: float
    paused: dict[str, object] | None = None
    errors: deque[dict[str, object]] = field(default_factory=lambda: deque(maxlen=ERRORS_KEPT))
    trades_today: int = 0
    day: int = 0
    recovery: dict[str, object] = field(default_factory=dict)
    replay: dict[str, object] = field(default_factory=dict)

    def error(self, message: str, now: float, severity: str = "error") -> None:
        """Keep an error or a warning for the states."""
        self.errors.append({"ts": now, "severity": severity, "message": message})
        if severity == "error":
            _log.error("%s", message)

    def trade(self, now: float) -> None:
        """Count a realised result in its UTC day."""
        self.roll(now)
        self.trades_today += 1

    def roll(self, now: float) -> None:
        """Begin a new count where a UTC day has begun."""
        if int(now // 86_400) > self.day:
            self.day, self.trades_today = int(now // 86_400), 0


class StateBuilder:
    """Builds states from the parts of a session; reads only."""

    def __init__(
        self,
        *,
        venues: Mapping[str, Venue],
        portfolio: Portfolio,
        desk: OrderDesk,
        intake: Intake,
        kill: KillSwitch,
        settings: SettingsStore[Settings],
        registry: Registry,
        journal: Journal,
    ) -> None:
        self._venues = venues
        self._portfolio = portfolio
        self._desk = desk
        self._intake = intake
        self._kill = kill
        self._settings = settings
        self._registry = registry
        self._journal = journal

    def build(self, report: CycleReport, now: float) -> dict[str, object]:
        """One state, complete, shared with nobody."""
        return {
            "type": messages.STATE,
            "ts": now,
            "cycle": report.number,
            "mode": "paper",
            "uptime_seconds": now - self._journal.started_at,
            "version": __version__,
            "session_id": self._journal.session_id,
            "simulated": True,
            "reports": list(REPORTED),
            "commands": list(COMMANDS),
            **self._control(),
            **self._money(now),
            **self._orders(),
            **self._feeds(now),
            "last_cycle": {
                "duration_ms": round(report.duration * 1000),
                "quotes_count": report.quotes,
                "opportunities_found": report.found,
                "near_opportunities": report.near,
                "decisions": [decision.as_message() for decision in report.decisions],
            },
            "metrics": self._registry.snapshot(),
            "recent_errors": list(self._journal.errors),
            "recovery": self._journal.recovery,
            **({"replay": self._journal.replay} if self._journal.replay else {}),
            "config_snapshot": self._settings.snapshot(),
        }

    def _control(self) -> dict[str, object]:
        verdict = self._kill.check()
        paused = self._journal.paused
        by_venue = self._kill.check(self._venues).venue_kills
        return {
            "status": "killed" if verdict.halted else "paused" if paused else "paper",
            "kill_switch": verdict.as_state(),
            "venue_kills": dict(by_venue),
            **({"paused": paused} if paused else {}),
        }

    def _money(self, now: float) -> dict[str, object]:
        kill, portfolio, limit = self._kill, self._portfolio, self._settings.current.max_exposure_per_venue
        self._journal.roll(now)
        remaining = kill.daily_loss_remaining
        return {
            "cash_by_venue": by_venue_usd(portfolio.cash),
            "locked_capital_by_venue": by_venue_usd(portfolio.locked()),
            "unhedged_usd": by_venue_usd(portfolio.unhedged()),
            "venue_limit_usd": dict.fromkeys(self._venues, limit),
            "realized_pnl": to_usd(portfolio.realized),
            "daily_pnl": round(kill.realized_today, 6),
            "daily_trades": self._journal.trades_today,
            "daily_loss_cap_remaining": None if remaining is None else round(remaining, 6),
            "consecutive_failures": kill.consecutive_failures,
            "open_positions": [self._position(holding, lot) for holding, lot in portfolio.lots()],
        }

    def _orders(self) -> dict[str, object]:
        working = {
            venue: {"count": len(tickets), "oldest_ts": min((t.placed_at for t in tickets), default=None)}
            for venue, tickets in self._desk.working().items()
            if venue not in self._desk.unknown
        }
        return {
            "working_orders": working,
            "last_order_ts": self._desk.last_order_at,
            "last_fill_ts": self._desk.last_fill_at,
        }

    def _feeds(self, now: float) -> dict[str, object]:
        feeds = self._intake.feeds
        return {
            "stream_status": {name: feed.health.status for name, feed in feeds.items()},
            "planned": {
                name: {"until": feed.planned.until, "reason": feed.planned.reason}
                for name, feed in feeds.items()
                if feed.planned is not None
            },
            "coverage": {
                name: {"scanned": f.scanned, "total": f.listed}
                for name, f in feeds.items()
                if f.planned is None
            },
            "quote_age_seconds": {
                name: round(max(0.0, now - f.newest), 3)
                for name, f in feeds.items()
                if f.newest is not None and f.planned is None
            },
            "venue_heartbeat_ts": {name: venue.last_heartbeat() for name, venue in self._venues.items()},
            "rejects": {name: f.rejects for name, f in feeds.items()},
        }

    def _position(self, holding: Holding, lot: Lot) -> dict[str, object]:
        excess = holding.excess(lot)
        quote = self._intake.last.get((lot.venue, lot.market_id))
        return {
            "position_id": lot.position_id,
            "intent_id": holding.intent_id,
            "venue": lot.venue,
            "market_id": lot.market_id,
            "market": lot.title,
            "side": lot.side,
            "contracts": lot.contracts,
            "entry": round(lot.average_entry / 1_000_000, 6),
            "expected_profit": round(holding.planned_edge * (lot.contracts - excess) / holding.leg_count, 6),
            "opened_at": lot.opened_at,
            "expected_settlement_at": holding.settles_at,
            "hedged": excess == 0,
            "kind": holding.kind,
            "bid": quote.bid(lot.side) if quote is not None else None,
            "closing": holding.closing,
        }
