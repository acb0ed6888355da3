"""Bots in every situation, as the exporter shows them over five minutes: samples for a Prometheus."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from exporter.collector import Collector
from exporter.control.kill import Order, Stage, pressed
from exporter.control.proof import Rung
from exporter.control.standing import Standing, standing
from exporter.ledger import ANALYTICS, LedgerFigures
from exporter.losscap import utc_day
from exporter.planned import Planned
from exporter.view import BotView, StoreSeen
from tests.doubles.messages import T0, base_state, cycle_of, decision, heartbeat, killed, state

SCRAPE = 5
CHANGE = 120
"""Second at which what is wrong with a bot begins."""
END = T0 + 300
"""When the pages are looked at."""
CROWD = T0 + 200
"""When more alerts fire than the page has rows for; they have stopped by `END`."""

HELD = T0 + 170
"""When somebody has one of them."""

Extras = Mapping[str, Any]


@dataclass(frozen=True)
class Situation:
    """What a bot sends each 5 seconds, and `after` which second it no longer does."""

    changed: Extras | None = None
    """Fields of its states from `CHANGE` on."""
    always: Extras | None = None
    """Fields of all its states."""
    ours: bool = True
    """Our own bot, which reports everything and beats; else one of the base protocol."""
    states_until: float = 1e9
    beats_until: float = 1e9
    connected_from: float = 0
    disconnects_at: float | None = None
    ledger_pnl: float | None = None
    """The day's PnL that its ledger says."""
    store: str | None = None
    """How its store for fills is found at each look."""
    settings: Extras | None = None
    """Of its entry in the exporter's settings."""
    kill: Extras | None = None
    """Of a kill that is ordered at `CHANGE`; empty where none is. Without it this console cannot kill."""
    kill_file: bool = False
    last_drill: float | None = None
    quiet: Planned | None = None
    """The planned quiet that held last."""


EVERY_DAY = SimpleNamespace(tz="UTC", days=frozenset(range(7)), opens=0, closes=0, reason="venue maintenance")
UNHEDGED = {"unhedged_usd": {"kalshi": 38.4, "polymarket": 0.0}, "working_orders": {"kalshi": {"count": 12}}}
SITUATIONS: dict[str, Situation] = {
    "alive": Situation({"last_fill_ts": T0 + 110, "daily_pnl": 3.5, "daily_trades": 4}),
    "awaiting": Situation(connected_from=295, states_until=0),
    "stale": Situation(ours=False, states_until=CHANGE),
    "disconnected": Situation(disconnects_at=CHANGE),
    "planned": Situation(disconnects_at=CHANGE, settings={"schedule": (EVERY_DAY,)}),
    "overrun": Situation(disconnects_at=CHANGE, quiet=Planned(T0, T0 + 200, "upgrade", ZoneInfo("UTC"))),
    "venue planned": Situation(
        {"stream_status": {"kalshi": "down", "polymarket": "connected"}},
        settings={"venue_schedule": {"kalshi": (EVERY_DAY,)}},
    ),
    "venues planned": Situation(
        {"stream_status": {"kalshi": "down", "polymarket": "down"}},
        settings={"venue_schedule": {"kalshi": (EVERY_DAY,), "polymarket": (EVERY_DAY,)}},
    ),
    "silent": Situation(ours=False),
    "hung": Situation(states_until=CHANGE),
    "operator": Situation({"status": "killed", "kill_switch": killed("operator", "stop")}),
    "halted": Situation({"status": "killed", "kill_switch": killed("automatic", "daily loss cap")}),
    "lost": Situation(
        {"status": "killed", "kill_switch": killed("automatic", "daily loss cap")}, disconnects_at=200
    ),
    "paused": Situation({"status": "paused", "paused": {"since": T0 + CHANGE, "reason": "lunch"}}),
    "breached": Situation(
        {"daily_pnl": -10.5, **UNHEDGED},
        {"mode": "live", "status": "live", "simulated": False},
    ),
    "near": Situation({"daily_pnl": -8.5}),
    "uncapped": Situation(always={"config_snapshot": {"ARB_DAILY_LOSS_CAP_USD": 0.0}}),
    "blocked": Situation(
        always={"last_cycle": cycle_of(*[decision(action="skipped", reason="edge below threshold")] * 20)}
    ),
    "rich": Situation({"daily_pnl": 12345.6}),
    "poor": Situation({"daily_pnl": -23456.7}, {"config_snapshot": {"ARB_DAILY_LOSS_CAP_USD": 90000.0}}),
    "degraded": Situation(
        {"stream_status": {"kalshi": "degraded", "polymarket": "connected", "gemini": "odd"}}
    ),
    "half": Situation({"unhedged_usd": {"kalshi": None, "polymarket": 0.0}}),
    "disagrees": Situation({"daily_pnl": 3.5}, ledger_pnl=-4.25, store="ok"),
    "by its ledger": Situation(ours=False, ledger_pnl=-4.25, store="ok"),
    "unread": Situation(store="corrupt"),
    "ready": Situation(kill={}, last_drill=T0 - 3 * 86400),
    "undrilled": Situation(kill={}),
    "by file": Situation(kill={}, kill_file=True, disconnects_at=CHANGE),
    "no path": Situation(kill={}, disconnects_at=CHANGE),
    "no path now": Situation(kill={}, disconnects_at=CHANGE, settings={"schedule": (EVERY_DAY,)}),
    "stopped itself": Situation({"status": "killed", "kill_switch": killed("automatic", "cap")}, kill={}),
    "being killed": Situation(kill={"stage": Stage.ACKED}),
    "proven": Situation(
        {"status": "killed", "kill_switch": killed("operator", "stop")},
        kill={"stage": Stage.VERIFIED, "rung": Rung.FLAG, "decided_at": T0 + CHANGE + 1},
    ),
    "unproven": Situation(kill={"stage": Stage.UNPROVEN, "quiet": 4, "need": 7}),
    "never proven": Situation(kill={"stage": Stage.UNPROVEN, "quiet": 4}),
    "not killed": Situation(kill={"stage": Stage.NOT_VERIFIED}),
    "full": Situation({"locked_capital_by_venue": {"kalshi": 200.0, "polymarket": 230.0}}),
}


def samples() -> str:
    """What five minutes of scrapes stored, as OpenMetrics with times."""
    by_series: dict[str, list[str]] = {}
    plays = [Play(name, situation) for name, situation in SITUATIONS.items()]
    now = T0
    collector = Collector([play.view for play in plays], clock=lambda: now)
    for second in range(301):
        now = T0 + second
        for play in plays:
            play.at(second)
        if second % SCRAPE == 0:
            for family in collector.families():
                for name, labels, values, value in family.samples():
                    add(by_series, name, dict(zip(labels, values, strict=True)), value, now)
            for name, own_labels, value in around(now):
                add(by_series, name, own_labels, value, now)
    return "".join(line for lines in by_series.values() for line in lines) + "# EOF\n"


def add(
    by_series: dict[str, list[str]], name: str, labels: Mapping[str, str], value: float, now: float
) -> None:
    pairs = ",".join(f'{label}="{text}"' for label, text in labels.items())
    series = f"{name}{{{pairs}}}"
    by_series.setdefault(series, []).append(f"{series} {value} {now}\n")


def around(now: float) -> Iterator[tuple[str, dict[str, str], float]]:
    """What Prometheus and Alertmanager say beside the exporter."""
    for job in ("tradebot", "prometheus", "alertmanager"):
        yield "up", {"job": job}, 1
    yield "prometheus_notifications_alertmanagers_discovered", {}, 1
    yield "prometheus_notifications_dropped_total", {}, 0
    yield "prometheus_notifications_errors_total", {}, 0
    yield "alertmanager_integrations", {}, 0
    yield "alertmanager_notifications_failed_total", {"integration": "email"}, 0
    yield "ALERTS", {"alertname": "TradebotWatchdog", "alertstate": "firing", "severity": "none"}, 1
    if T0 + 150 <= now <= CROWD:
        for number in range(7):
            labels = {
                "alertname": f"TradebotTrouble{number}",
                "severity": "critical" if number < 2 else "warning",
                "bot": "alive",
            }
            yield "ALERTS", {**labels, "alertstate": "firing"}, 1
            yield "ALERTS_FOR_STATE", labels, T0 + 150 - number
        if now <= HELD:
            held = {"alertname": "TradebotTrouble0", "bot": "alive", "by": "ann"}
            yield "tradebot_alert_acknowledged", held, 1


class Killer:
    """Says how a kill stands as a situation has it."""

    def __init__(self, view: BotView, situation: Situation) -> None:
        self._view, self._situation = view, situation

    def standing(self, now: float) -> Standing:
        """At this moment."""
        it = self._situation
        kills = []
        if it.kill and now >= T0 + CHANGE:
            order = Order("k1", "ann", "grafana", "", T0 + CHANGE)
            kills.append(replace(pressed(order, None, T0 + CHANGE), **it.kill))
        return standing(
            self._view, kills, now, delivered={}, file_usable=it.kill_file, last_drill=it.last_drill
        )


class Play:
    """One bot's situation, second by second."""

    def __init__(self, name: str, situation: Situation) -> None:
        self.situation = situation
        self.view = BotView(name, now=T0, **{"expected_interval": 5.0, **(situation.settings or {})})
        self.view.last_quiet = situation.quiet
        if situation.kill is not None:
            self.view.control = Killer(self.view, situation)

    def at(self, second: int) -> None:
        """What happens in this second."""
        it, now = self.situation, T0 + second
        if second == it.connected_from:
            self.view.connected(now)
        if second == it.disconnects_at:
            self.view.disconnected(now, "reset by peer")
        if it.ledger_pnl is not None:
            self.view.ledger.figures = LedgerFigures(utc_day(now), it.ledger_pnl, 3, it.ledger_pnl)
            self.view.ledger.kept[ANALYTICS] = now
        if it.store is not None:
            self.view.stores[ANALYTICS] = StoreSeen(it.store, now)
        gone = it.disconnects_at is not None and second >= it.disconnects_at
        if gone or second < it.connected_from:
            return
        cycle = second // SCRAPE + 1
        if it.ours and second <= it.beats_until:
            self.view.received(heartbeat(now, min(cycle, int(it.states_until // SCRAPE) + 1)), now)
        if second % SCRAPE == 0 and second <= it.states_until and it.states_until > 0:
            make: Callable[..., dict[str, Any]] = state if it.ours else base_state
            changed = it.changed if it.changed and second >= CHANGE else {}
            self.view.received(make(cycle, now, **{**(it.always or {}), **changed}), now)
