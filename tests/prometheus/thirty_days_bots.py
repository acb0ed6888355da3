"""Bots of the simulated days: each sends what such a bot would, at its times, to whoever is connected.

`live` beats and reports everything; `deployed` speaks the base protocol alone, every 60 s, without goodbyes;
`paper` is one of ours on paper; `stocks` sleeps while its exchange is closed, connected and beating.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from tests.doubles import messages

Message = dict[str, Any]
DAY = 86_400
VENUES = ("kalshi", "polymarket")


class World(Protocol):
    """Time as a bot sees it: what it is, and how to be woken."""

    @property
    def now(self) -> float: ...

    def at(self, when: float, act: Callable[[], None]) -> None: ...

    def next_beat(self) -> float: ...


class Client(Protocol):
    """Whoever is connected to a bot."""

    def deliver(self, message: Message) -> None: ...

    def lost(self, why: str) -> None: ...


@dataclass(frozen=True)
class Nature:
    """What does not change of a bot; `sleeps` says whether its market is closed then."""

    name: str
    tier: str
    interval: float
    ours: bool = True
    sleeps: Callable[[float], bool] = lambda now: False
    pauses: Callable[[float], bool] = lambda now: False
    """Whether the venue kalshi gives no quotes then, as planned."""


class Bot:
    """One bot: started, stopped and killed by the scenario."""

    def __init__(self, nature: Nature, world: World, seed: int) -> None:
        self.nature = nature
        self.listens = False
        self.client: Client | None = None
        self.unhedged = 0.0
        self._world = world
        self._draw = Random(seed)
        self._run = 0
        self._cycle = 0
        self._began = 0.0
        self._day = -1
        self.pnl = 0.0
        self._trades = 0
        self._quoted = 0.0

    def start(self, ready: float = 2.0) -> None:
        """Begin a session: listen at once, and end a first cycle after so many seconds."""
        self._run += 1
        self._cycle, self._began, self.listens = 0, self._world.now, True
        self._later(ready, self._turn)
        if self.nature.ours:
            self._later(0.0, self._beat)

    def stop(self, *, word: bool) -> None:
        """End the session, with a goodbye where there is a `word`."""
        self._run += 1
        self.listens = False
        client, self.client = self.client, None
        if client is not None and word:
            client.deliver(messages.goodbye("restart"))
        if client is not None:
            client.lost("stopped: restart" if word else "connection reset")

    def pnl_of(self, now: float) -> float:
        """What its ledger says of the UTC day at `now`."""
        return self.pnl if self._day == now // DAY else 0.0

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        run = self._run
        self._world.at(self._world.now + seconds, lambda: act() if self._run == run else None)

    def _beat(self) -> None:
        """A heartbeat each second; while nobody looks, none until shortly before somebody does."""
        now = self._world.now
        phase = "starting" if self._cycle == 0 else "waiting"
        self._send(messages.heartbeat(now - self._draw.uniform(0.001, 0.02), self._cycle, phase=phase))
        self._later(max(1.0, self._world.next_beat() - now), self._beat)

    def _turn(self) -> None:
        """A cycle, unless the market sleeps."""
        if not self.nature.sleeps(self._world.now):
            self._cycle += 1
            self._trade()
            self._send(self._state())
        self._later(self.nature.interval, self._turn)

    def _send(self, message: Message) -> None:
        if self.client is not None:
            self.client.deliver(message)

    def _trade(self) -> None:
        now = self._world.now
        if self._day != now // DAY:
            self._day, self.pnl, self._trades = int(now // DAY), 0.0, 0
        if not self.nature.pauses(now):
            self._quoted = now
        if self._draw.random() < 0.02:
            self.pnl = max(-4.0, round(self.pnl + self._draw.uniform(-0.4, 0.6), 2))
            self._trades += 1

    def _state(self) -> Message:
        now, live = self._world.now, self.nature.tier == "live"
        ts = now - self._draw.uniform(0.001, 0.05)
        cap = {"ARB_LIVE_MODE": live, "ARB_DAILY_LOSS_CAP_USD": 10.0}
        base = {
            "mode": "live" if live else "paper",
            "uptime_seconds": now - self._began,
            "last_cycle": {
                "duration_ms": self._draw.randint(20, 900),
                "quotes_count": self._draw.randint(12, 40),
                "opportunities_found": self._draw.randint(0, 4),
                "near_opportunities": self._draw.randint(0, 9),
                "decisions": self._decisions(),
            },
        }
        if not self.nature.ours:
            return messages.base_state(self._cycle, ts, **base, config_snapshot=cap)
        paused, settles = self.nature.pauses(now), (now // DAY + 1) * DAY + 3600
        return messages.state(
            self._cycle,
            ts,
            **base,
            session_id=f"{self.nature.name}-{self._run}",
            simulated=not live,
            status=base["mode"],
            daily_pnl=self.pnl,
            daily_trades=self._trades,
            daily_loss_cap_remaining=10.0 + min(0.0, self.pnl),
            unhedged_usd={"kalshi": self.unhedged, "polymarket": 0.0},
            working_orders={venue: self._orders(ts) for venue in VENUES},
            stream_status={"kalshi": "disconnected" if paused else "connected", "polymarket": "connected"},
            quote_age_seconds={"kalshi": now - self._quoted, "polymarket": self._draw.uniform(0.1, 4)},
            open_positions=[{"market_id": "KX-1", "venue": "kalshi", "expected_settlement_at": settles}],
            config_snapshot={
                **cap,
                "ARB_POLL_INTERVAL_SECONDS": self.nature.interval,
                "ARB_STREAM_MODE": True,
            },
        )

    def _orders(self, now: float) -> Message:
        """Now and then an order has worked for a second or two when a cycle ends."""
        works = self._draw.random() < 0.03
        return {"count": int(works), "oldest_ts": now - self._draw.uniform(0.2, 2) if works else None}

    def _decisions(self) -> list[Message]:
        opened = [messages.decision(action="filled", reason="filled")] if self._draw.random() < 0.3 else []
        reasons = ("kelly_fraction_zero", "below_threshold", "cooldown")
        skipped = [messages.decision(action="skipped", reason=self._draw.choice(reasons)) for _ in range(2)]
        return opened + skipped
