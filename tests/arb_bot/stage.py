"""A session on scripted venues, running as fast as it can in a thread of its own behind a real socket.

The venues show the same quotes for ever, fresh at every look; orders rest unfilled unless the scene says
how many are filled. So each cycle decides the same, until somebody changes a setting.
"""

import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from arb_bot import session as session_module
from arb_bot.clock import ManualClock
from arb_bot.control import handlers
from arb_bot.engine import Pace
from arb_bot.quotes import Quote, Side
from arb_bot.relations import Relations
from arb_bot.session import Session, Stores, open_session
from arb_bot.settings import Settings
from arb_bot.venue import OrderReport, OrderRequest, WorkingOrder
from botkit.control_socket import ControlSocket
from botkit.hot_reload import SettingsStore, from_env

START = 1_795_212_000.0
DAY = 86_400.0
PATIENCE_SECONDS = 30.0


def quote(
    venue: str,
    market: str,
    yes: float,
    no: float,
    title: str = "",
    *,
    spread: float = 0.01,
    days: float = 10.0,
    age: float = 0.0,
    size: float = 1000.0,
    derived: Iterable[Side] = (),
) -> Quote:
    """A market's asks; bids are a spread below. `age` in seconds, `days` until it settles."""
    return Quote(
        venue=venue,
        market_id=market,
        title=title or market,
        observed_at=-age,
        yes_bid=yes - spread,
        yes_ask=yes,
        no_bid=no - spread,
        no_ask=no,
        yes_size=size,
        no_size=size,
        fee_per_contract=0.0,
        settles_at=START + days * DAY,
        derived=frozenset(derived),
    )


@dataclass(frozen=True)
class Scene:
    """What the venues show, what is known of the markets, how many orders fill, whether quotes stay fresh.

    `before` is done to the session before it runs.
    """

    quotes: Sequence[Quote]
    relations: Relations = field(default_factory=Relations)
    fills: int = 0
    frozen: bool = False
    before: Callable[[Session], object] = lambda _session: None


class StageVenue:
    """One scripted venue; `placed` are the orders of all venues, in order."""

    def __init__(self, name: str, scene: Scene, clock: ManualClock, fee: Callable[[], float]) -> None:
        self.name = name
        self._scene = scene
        self._clock = clock
        self._fee = fee
        self._working: dict[str, OrderRequest] = {}
        self.placed: list[OrderRequest] = []
        self.filled: list[str] = []

    def planned(self, ahead: float = 0.0) -> None:
        return None

    def last_heartbeat(self) -> float | None:
        return self._clock.now()

    def listed(self) -> int:
        return len(self.quotes())

    def quotes(self) -> Sequence[Quote]:
        now = START if self._scene.frozen else self._clock.now()
        own = (q for q in self._scene.quotes if q.venue == self.name)
        return [replace(q, observed_at=now + q.observed_at, fee_per_contract=self._fee()) for q in own]

    def quote(self, market_id: str) -> Quote | None:
        return next((q for q in self.quotes() if q.market_id == market_id), None)

    def place(self, request: OrderRequest) -> str:
        self.placed.append(request)
        order_id = f"{self.name}-{len(self.placed)}"
        self._working[order_id] = request
        if len(self.filled) < self._scene.fills:
            self.filled.append(order_id)
        return order_id

    def report(self, order_id: str) -> OrderReport:
        request = self._working[order_id]
        if order_id in self.filled:
            value = request.contracts * request.limit_price
            return OrderReport(order_id, False, request.contracts, value, 0)
        return OrderReport(order_id, request.contracts > 0, 0, 0, 0)

    def orders_tagged(self, tag: str) -> Sequence[OrderReport]:
        return []

    def cancel(self, order_id: str) -> None:
        self._working[order_id] = replace(self._working[order_id], contracts=0)

    def cancel_all(self) -> None:
        for order_id in self._working:
            self.cancel(order_id)

    def open_orders(self) -> Sequence[WorkingOrder]:
        return []

    def winner(self, market_id: str) -> Side | None:
        return None

    def balance(self) -> int:
        return 1_000_000_000

    def contracts_held(self) -> dict[tuple[str, Side], int]:
        return {}


class StageMarkets:
    """Both scripted venues."""

    def __init__(self, listings: Mapping[str, Any], scene: Scene, clock: ManualClock) -> None:
        self._relations = scene.relations
        self.venues = {
            name: StageVenue(name, scene, clock, listing.estimated_fee) for name, listing in listings.items()
        }

    def relations(self) -> Relations:
        return self._relations

    def rebalance(self) -> dict[str, int]:
        return {}

    def remember(self) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        """Nothing is open."""


class Stage:
    """A running session with its socket and a client of it; `states` are the newest ones, whole."""

    def __init__(
        self, folder: Path, scene: Scene, settings: Mapping[str, object], patch: pytest.MonkeyPatch
    ) -> None:
        clock = ManualClock(START)

        def markets(listings: Mapping[str, Any], **_rest: object) -> StageMarkets:
            self.venues = (made := StageMarkets(listings, scene, clock)).venues
            return made

        patch.setattr(session_module, "SimulatedMarkets", markets)
        values = {key: str(value) for key, value in settings.items()}
        self.settings = SettingsStore(from_env(Settings, values).settings)
        self.states: deque[dict[str, Any]] = deque(maxlen=500)
        self._news = threading.Condition()
        self._stop = threading.Event()
        self._port: Future[int] = Future()
        self._thread = threading.Thread(target=self._live, args=(folder, scene, clock))
        self._thread.start()
        port = self._port.result(PATIENCE_SECONDS)
        self._client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self._lines = self._client.makefile("rb")

    def update(self, key: str, value: object) -> dict[str, Any]:
        """Send a change over the socket while the engine runs, and return the ack."""
        request = {"type": "update_config", "key": key, "value": value, "id": key}
        self._client.sendall(json.dumps(request).encode() + b"\n")
        while True:
            line = self._lines.readline()
            assert line, "the bot closed the connection"
            message: dict[str, Any] = json.loads(line)
            if message["type"] == "update_config_ack":
                return message

    def after(self, cycles: int) -> list[dict[str, Any]]:
        """That many states of cycles that begin from now on."""
        with self._news:
            now = self.states[-1]["cycle"] if self.states else 0
            # The cycle that runs at the moment may have begun before: it is not counted.
            wanted = range(now + 2, now + 2 + cycles)
            assert self._news.wait_for(
                lambda: self.states and self.states[-1]["cycle"] >= wanted[-1], PATIENCE_SECONDS
            ), "the engine stands still"
            return [state for state in self.states if state["cycle"] in wanted]

    def close(self) -> None:
        """End it all."""
        self._stop.set()
        self._thread.join(PATIENCE_SECONDS)
        self._lines.close()
        self._client.close()

    def _live(self, folder: Path, scene: Scene, clock: ManualClock) -> None:
        """The whole life of the session, in the thread to which its stores belong."""
        stores = Stores.open(folder)
        try:
            session = open_session(
                stores,
                self.settings,
                folder=folder,
                clock=clock,
                seed="1",
                environ={},
                pace=Pace(busy=1.0, idle=1.0),
            )
            scene.before(session)
            console = ControlSocket(handlers=handlers(session), heartbeat=session.parts.pulse.read, port=0)
            session.engine.publish = lambda state: self._published(state, console)
            console.start()
            self._port.set_result(console.port)
            session.engine.run(self._stop)
            console.stop("the test is over")
            session.close()
        except BaseException as exc:
            if not self._port.done():
                self._port.set_exception(exc)
            raise
        finally:
            stores.close()

    def _published(self, state: dict[str, object], console: ControlSocket) -> None:
        with self._news:
            orders = self.venues["kalshi"].placed
            self.states.append(state | {"ordered": orders[-1].contracts if orders else 0})
            self._news.notify_all()
        console.publish(state)
