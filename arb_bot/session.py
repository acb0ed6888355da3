"""Puts a session together: stores, venues, kill switch, books, engine; and takes it apart again."""

import logging
from collections import ChainMap
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from arb_bot import StartRefused, StoreWriteFailed, VenueUnavailable
from arb_bot.analytics_store import AnalyticsStore, utc_date
from arb_bot.clock import Clock
from arb_bot.engine import Engine, Pace
from arb_bot.execution import Executor, Ids
from arb_bot.experience import RESULTS_KEPT, Experience
from arb_bot.intake import Intake
from arb_bot.mapping import read_mapping
from arb_bot.markets import Markets
from arb_bot.money import to_micros
from arb_bot.order_desk import OrderDesk
from arb_bot.order_store import OrderStore
from arb_bot.parts import Parts
from arb_bot.recorder import Recorder
from arb_bot.recovery import Recovered, recover
from arb_bot.relations import JoinedRelations, Relations
from arb_bot.replay.markets import ReplayMarkets, ReplaySource
from arb_bot.rules import read_rules
from arb_bot.settings import Settings
from arb_bot.simulated.markets import KALSHI, POLYMARKET, Listing, SimulatedMarkets
from arb_bot.simulated.world import WorldShape
from arb_bot.snapshot import Journal, StateBuilder
from arb_bot.stream_health import Patience
from botkit.heartbeat import Pulse
from botkit.hot_reload import SettingsStore
from botkit.kill_file import KillFileError
from botkit.kill_switch import KillSwitch
from botkit.metrics_registry import Registry

_log = logging.getLogger(__name__)
ORDERS_FILE, ANALYTICS_FILE = "arb_orders.db", "analytics.db"


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
    markets: Markets
    venue_stops: dict[str, str]

    def close(self) -> None:
        """End the session at the venues. The stores belong to who opened them."""
        try:
            self.markets.close()
        except OSError as exc:
            _log.error("the venues' last state is not written: %s", exc)


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
    replay: ReplaySource | None = None,
) -> Session:
    """A session ready to run, with what an earlier one left taken up. Raises StartRefused.

    Markets are simulated, or those of `replay`, for which `seed` names only ids, and `speed` and `shape` mean
    nothing.
    """
    now, current = clock.now(), settings.current
    written = _written(current)  # before recovery: a start that is refused must leave its reasons in place
    ids = Ids(f"{seed}:{now}")
    journal = Journal(ids.new(), now)
    registry = Registry()
    venue_stops: dict[str, str] = {}
    listings, session_id = _listings(settings), journal.session_id
    markets: Markets = (
        SimulatedMarkets(
            listings,
            folder=folder,
            clock=clock,
            seed=seed,
            session_id=session_id,
            speed=speed,
            shape=shape,
        )
        if replay is None
        else ReplayMarkets(replay, listings, folder=folder, clock=clock, session_id=session_id)
    )
    realized_today, lowest_today, _ = stores.analytics.day(utc_date(now))
    try:
        kill = KillSwitch(
            kill_file or folder / current.kill_file,
            environ=ChainMap(venue_stops, environ),
            env_var=current.kill_env_var,
            venue_env_prefix=current.venue_kill_prefix,
            daily_loss_cap=current.daily_loss_cap,
            max_consecutive_failures=current.max_consecutive_failures,
            realized_today=realized_today,
            lowest_today=lowest_today,
            clock=clock.now,
        )
    except KillFileError as exc:
        raise StartRefused(str(exc)) from exc
    recovered = _recovered(stores, markets, now)
    realized, _, journal.trades_today = stores.analytics.day(utc_date(now))
    journal.day = int(now // 86_400)
    kill.record_pnl(realized - realized_today, now)  # what the recovery booked
    store_failed = _store_failure(kill, journal, registry, clock)
    if recovered.reasons:
        kill.enter_safe_mode("; ".join(recovered.reasons))
        journal.error(f"safe mode: {'; '.join(recovered.reasons)}", now)
    journal.recovery = recovered.as_state()
    desk = OrderDesk(markets.venues, kill, registry, unknown=recovered.unknown)
    desk.last_fill_at = stores.orders.last_fill()
    orders = Recorder(stores.orders.file, store_failed)
    relations = JoinedRelations(written, markets.relations)
    intake = Intake(
        markets.venues,
        registry,
        patience=lambda: _patience(settings.current),
        relations=relations,
        now=now,
    )
    executor = Executor(markets.venues, desk, recovered.portfolio, orders=orders, kill=kill, ids=ids)
    executor.records.update(recovered.records)
    parts = Parts(
        clock=clock,
        settings=settings,
        venues=markets.venues,
        relations=relations,
        remember=markets.remember,
        rebalance=markets.rebalance,
        kill=kill,
        desk=desk,
        portfolio=recovered.portfolio,
        executor=executor,
        intake=intake,
        orders=orders,
        analytics=Recorder(stores.analytics.file, store_failed),
        experience=Experience(seed, stores.analytics.newest_results(RESULTS_KEPT)),
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


def _written(current: Settings) -> Relations:
    """What the files of rules and mappings say. Raises InputFileUnusable."""
    rules = read_rules(Path(current.rules_path)) if current.rules_path else Relations()
    pairs = read_mapping(Path(current.mapping_path)) if current.mapping_path else ()
    return rules.joined(Relations(pairs=pairs))


def _recovered(stores: Stores, markets: Markets, now: float) -> Recovered:
    """What an earlier session left. Raises StartRefused."""
    try:
        return recover(stores.orders, stores.analytics, markets.venues, now)
    except StoreWriteFailed as exc:
        raise StartRefused(f"a store cannot be written: {exc}") from exc
    except VenueUnavailable as exc:
        raise StartRefused(f"{exc}: what the account there holds is unknown; try again later") from exc


def _patience(current: Settings) -> Patience:
    return Patience.of(
        current.poll_interval,
        current.stream_stale_seconds,
        current.stream_poll_only,
        current.stream_recovery_seconds,
    )


def _listings(settings: SettingsStore[Settings]) -> dict[str, Listing]:
    current = settings.current
    sizes = {KALSHI: current.kalshi_markets, POLYMARKET: current.polymarket_markets}
    fees: dict[str, Callable[[], float]] = {
        KALSHI: lambda: settings.current.kalshi_fee,
        POLYMARKET: lambda: settings.current.polymarket_fee,
    }
    return {
        name: Listing(sizes[name], to_micros(current.bankroll(name)), fees[name])
        for name in current.enabled_venues
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
