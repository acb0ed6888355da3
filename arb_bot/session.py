"""Puts a session together: stores, simulated venues, kill switch, books, engine; and takes it apart again."""

import logging
from collections import ChainMap
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from arb_bot import StartRefused, StoreWriteFailed
from arb_bot.analytics_store import AnalyticsStore, utc_date
from arb_bot.clock import Clock
from arb_bot.engine import Engine, Pace
from arb_bot.execution import Executor, Ids
from arb_bot.intake import Intake
from arb_bot.money import to_micros
from arb_bot.order_desk import OrderDesk
from arb_bot.order_store import OrderStore
from arb_bot.parts import Parts
from arb_bot.recorder import Recorder
from arb_bot.recovery import recover
from arb_bot.settings import Settings
from arb_bot.simulated.markets import KALSHI, POLYMARKET, Listing, SimulatedMarkets
from arb_bot.simulated.world import WorldShape
from arb_bot.snapshot import Journal, StateBuilder
from botkit.heartbeat import Pulse
from botkit.hot_reload import SettingsStore
from botkit.kill_file import KillFileError
from botkit.kill_switch import KillSwitch
from botkit.metrics_registry import Registry

KILL_ENV_VAR = "ARB_KILL_SWITCH"
VENUE_KILL_PREFIX = "ARB_KILL_"

_log = logging.getLogger(__name__)
ORDERS_FILE, ANALYTICS_FILE, KILL_FILE = "arb_orders.db", "analytics.db", ".kill_switch"


@dataclass(frozen=True, slots=True)
class Stores:
    """Both stores of a data folder."""

    orders: OrderStore
    analytics: AnalyticsStore

    @classmethod
    def open(cls, folder: Path) -> "Stores":
        """Open both, new where they are missing. Raises StoreUnusable."""
        orders = OrderStore(folder / ORDERS_FILE)
        try:
            return cls(orders, AnalyticsStore(folder / ANALYTICS_FILE))
        except Exception:
            orders.file.close()
            raise

    @property
    def empty(self) -> bool:
        """Whether nothing was ever recorded."""
        return self.orders.is_empty() and self.analytics.is_empty()

    def close(self) -> None:
        """Checkpoint and close both."""
        self.orders.file.close()
        self.analytics.file.close()


@dataclass(frozen=True, slots=True)
class Session:
    """One running session; `venue_stops` are venues that an operator killed, as the environment would."""

    engine: Engine
    parts: Parts
    registry: Registry
    markets: SimulatedMarkets
    venue_stops: dict[str, str]

    def close(self) -> None:
        """End the session at the venues. The stores belong to who opened them."""
        try:
            self.markets.close()
        except OSError as exc:
            _log.error("the simulated venues' last state is not written: %s", exc)


def open_session(
    stores: Stores,
    settings: SettingsStore[Settings],
    *,
    folder: Path,
    clock: Clock,
    seed: str,
    environ: MutableMapping[str, str],
    speed: float = 1.0,
    pace: Pace | None = None,
    kill_file: Path | None = None,
    shape: WorldShape | None = None,
) -> Session:
    """A session ready to run, with what an earlier one left taken up. Raises StartRefused."""
    now, current = clock.now(), settings.current
    ids = Ids(f"{seed}:{now}")
    journal = Journal(ids.new(), now)
    registry = Registry()
    venue_stops: dict[str, str] = {}
    realized_today, lowest_today, journal.trades_today = stores.analytics.day(utc_date(now))
    journal.day = int(now // 86_400)
    try:
        kill = KillSwitch(
            kill_file or folder / KILL_FILE,
            environ=ChainMap(venue_stops, environ),
            env_var=KILL_ENV_VAR,
            venue_env_prefix=VENUE_KILL_PREFIX,
            daily_loss_cap=current.daily_loss_cap,
            max_consecutive_failures=current.max_consecutive_failures,
            realized_today=realized_today,
            lowest_today=lowest_today,
            clock=clock.now,
        )
    except KillFileError as exc:
        raise StartRefused(str(exc)) from exc
    markets = SimulatedMarkets(
        _listings(settings),
        folder=folder,
        clock=clock,
        seed=seed,
        session_id=journal.session_id,
        speed=speed,
        shape=shape,
    )
    store_failed = _store_failure(kill, journal, registry, clock)
    try:
        recovered = recover(stores.orders, markets.venues, stores.analytics.realized(), now)
    except StoreWriteFailed as exc:
        raise StartRefused(f"the order store cannot be written: {exc}") from exc
    if recovered.reasons:
        kill.enter_safe_mode("; ".join(recovered.reasons))
        journal.error(f"safe mode: {'; '.join(recovered.reasons)}", now)
    desk = OrderDesk(markets.venues, kill, registry)
    desk.last_fill_at = stores.orders.last_fill()
    orders = Recorder(stores.orders.file, store_failed)
    intake = Intake(markets.venues, registry)
    executor = Executor(markets.venues, desk, recovered.portfolio, orders=orders, kill=kill, ids=ids)
    executor.records.update(recovered.records)
    parts = Parts(
        clock=clock,
        settings=settings,
        venues=markets.venues,
        pairs=markets.pairs,
        remember=markets.remember,
        rebalance=markets.rebalance,
        kill=kill,
        desk=desk,
        portfolio=recovered.portfolio,
        executor=executor,
        intake=intake,
        orders=orders,
        analytics=Recorder(stores.analytics.file, store_failed),
        journal=journal,
        states=StateBuilder(
            venues=markets.venues,
            portfolio=recovered.portfolio,
            desk=desk,
            intake=intake,
            kill=kill,
            settings=settings,
            registry=registry,
            journal=journal,
        ),
        pulse=Pulse(),
    )
    return Session(Engine(parts, pace), parts, registry, markets, venue_stops)


def _listings(settings: SettingsStore[Settings]) -> dict[str, Listing]:
    current = settings.current
    bankroll = dict(current.bankroll_by_venue)
    sizes = {KALSHI: current.kalshi_markets, POLYMARKET: current.polymarket_markets}
    fees: dict[str, Callable[[], float]] = {
        KALSHI: lambda: settings.current.kalshi_fee,
        POLYMARKET: lambda: settings.current.polymarket_fee,
    }
    return {
        name: Listing(sizes[name], to_micros(bankroll[name]), fees[name]) for name in current.enabled_venues
    }


def _store_failure(
    kill: KillSwitch, journal: Journal, registry: Registry, clock: Clock
) -> Callable[[str], None]:
    """What happens when a store takes no row: trading halts, the wall is told."""
    failures = registry.counter("store_failures")

    def failed(sentence: str) -> None:
        failures.inc()
        journal.error(sentence, clock.now())
        kill.enter_safe_mode(sentence)

    return failed
