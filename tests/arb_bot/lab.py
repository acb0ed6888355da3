"""A session on a clock moved by hand, with everything a test wants to look at afterwards."""

import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from arb_bot.clock import ManualClock
from arb_bot.engine import Pace
from arb_bot.profiles import profile
from arb_bot.session import Session, Stores, open_session
from arb_bot.settings import Settings
from arb_bot.simulated.world import WorldShape
from botkit.hot_reload import SettingsStore, from_env

START = 1_795_212_000.0
BANKROLL = 1_600_000_000
EAGER = {"ARB_MIN_EXPECTED_PROFIT_USD": "0.05", "ARB_MARKET_COOLDOWN_SECONDS": "20"}
"""Settings with which the simulated markets bring several trades a minute."""


def query(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query on a store, read as others read it."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


class Lab:
    """One data folder and the sessions run in it, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(START)
        self.states: list[dict[str, Any]] = []
        self.environ: dict[str, str] = {}
        self.stores: Stores | None = None
        self.session: Session | None = None

    def start(self, seed: str = "1", shape: WorldShape | None = None, **settings: str) -> Session:
        """Begin a session in this folder."""
        self.stores = Stores.open(self.folder)
        values = profile("demo") | EAGER | settings
        self.session = open_session(
            self.stores,
            SettingsStore(from_env(Settings, values).settings),
            folder=self.folder,
            clock=self.clock,
            seed=seed,
            environ=self.environ,
            pace=Pace(busy=1.0, idle=1.0),
            shape=shape,
        )
        self.session.engine.publish = self.states.append
        return self.session

    def run(self, seconds: float) -> None:
        """Let simulated time pass."""
        assert self.session
        self.session.engine.run(threading.Event(), self.clock.now() + seconds)

    def run_until(self, happened: Callable[[], bool], most: float = 7200.0) -> None:
        """Let simulated time pass until something is the case; fails when it never is."""
        end = self.clock.now() + most
        while not happened():
            assert self.clock.now() < end, "it never happened"
            self.run(1.0)

    def end(self) -> None:
        """Stop cleanly, as the program does."""
        if self.session:
            self.session.engine.finish()
            self.session.close()
        self.crash()

    def crash(self) -> None:
        """End without a clean stop: what is on the disk is all there is."""
        self.session = None
        if self.stores:
            self.stores.close()
            self.stores = None

    def log(self) -> list[dict[str, Any]]:
        """Every order message that the venues say they were sent, in order of time."""
        lines = [
            {"venue": path.name.split("_")[1], **json.loads(line)}
            for path in sorted(self.folder.glob("venue_*_orders.jsonl"))
            for line in path.read_text().splitlines()
        ]
        return sorted(lines, key=lambda line: float(line["ts"]))

    def placed(self) -> list[dict[str, Any]]:
        """Orders placed."""
        return [line for line in self.log() if line["action"] == "place"]

    def working(self) -> int:
        """Orders that the bot believes to be on a book."""
        assert self.session
        return sum(len(tickets) for tickets in self.session.parts.desk.working().values())

    def outage(self) -> bool:
        """Whether a venue is down, so that the bot cannot know what happened there."""
        assert self.session
        markets = self.session.markets
        return any(venue._down_until > markets.market_time() for venue in markets.venues.values())

    def decisions(self) -> list[dict[str, Any]]:
        """Every decision pushed."""
        return [decision for state in self.states for decision in state["last_cycle"]["decisions"]]
