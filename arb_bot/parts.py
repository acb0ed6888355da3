"""What a session is made of, put together once and shared by the engine, the trader and the results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from arb_bot.clock import Clock
from arb_bot.execution import Executor
from arb_bot.experience import Experience
from arb_bot.intake import Intake
from arb_bot.order_desk import OrderDesk
from arb_bot.portfolio import Portfolio
from arb_bot.recorder import Recorder
from arb_bot.relations import Relations
from arb_bot.settings import Settings
from arb_bot.snapshot import Journal, StateBuilder
from arb_bot.venue import Venue
from botkit.heartbeat import Pulse
from botkit.hot_reload import SettingsStore
from botkit.kill_switch import KillSwitch


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one session.

    `relations` is what is known of the markets at this moment, the same object while nothing changes;
    `remember` lets the venues write down what they keep and may raise OSError. `rebalance` moves cash
    between venues and says what each gained.
    """

    clock: Clock
    settings: SettingsStore[Settings]
    venues: Mapping[str, Venue]
    relations: Callable[[], Relations]
    remember: Callable[[], None]
    rebalance: Callable[[], Mapping[str, int]]
    kill: KillSwitch
    desk: OrderDesk
    portfolio: Portfolio
    executor: Executor
    intake: Intake
    orders: Recorder
    analytics: Recorder
    experience: Experience
    journal: Journal
    states: StateBuilder
    pulse: Pulse
