"""A scripted bot that says it trades real money, with something unhedged: what no bot of ours can be yet.

It beats each second and sends a state every two, from a thread of its own. It says what a test has it say,
and has the troubles that bots have: it vanishes and comes back, restarts, hangs, falls silent on a connection
that stands, or is behind a network that loses what is sent without telling either side.
"""

import asyncio
import contextlib
import itertools
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tests.doubles import messages
from tests.doubles.scripted_bot import Blackhole, ScriptedBot
from tests.stack.console import BotEntry

CAP_USD = 10.0


class LiveBot:
    """In mode live, with a cap of 10 USD, unless `fields` of its states say otherwise.

    All of them beat at the same moment, `phase` seconds after each whole one.
    Without `beats` it is as bots of the base protocol are, which send no heartbeat. While `mute` it says
    nothing at all; while `hung` it beats and no cycle ends. `ahead` is what its clock is ahead, in seconds.
    One that is `far` is behind a network that can lose packets.
    """

    def __init__(
        self,
        name: str,
        *,
        tier: str = "live",
        beats: bool = True,
        far: bool = False,
        phase: float = 0.0,
        stores: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> None:
        self.mute = False
        self.hung = False
        self.ahead = 0.0
        self._name, self._tier, self._stores = name, tier, stores or {}
        self._beats, self._far, self._phase = beats, far, phase
        self._fields = fields
        self._session = 1
        self._bot = ScriptedBot()
        self._relay: Blackhole | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listens = threading.Event()
        self._gone = threading.Event()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._live()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listens.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    @property
    def entry(self) -> BotEntry:
        port = self._relay.port if self._relay is not None and self._far else self._bot.port
        return BotEntry(self._name, self._tier, port, self._stores)

    def says(self, **fields: Any) -> None:
        """Have it say this from its next state on, in the words of the wire.

        What is called with its time is said anew in each state.
        """
        self._fields = self._fields | fields

    def vanish(self) -> None:
        """Close every connection and listen no more, without a word."""
        self._gone.set()

    def come_back(self) -> None:
        """Listen and speak again, on the same port."""
        self._gone.clear()

    def restart(self) -> None:
        """Be another run of the bot from now on, by what it says of itself."""
        self._session += 1

    def lose_packets(self) -> None:
        """Let the network swallow what either side sends: the connection is half open."""
        assert self._loop is not None and self._relay is not None
        self._loop.call_soon_threadsafe(self._relay.swallow)

    def pass_packets(self) -> None:
        """Let everything through again."""
        assert self._loop is not None and self._relay is not None
        self._loop.call_soon_threadsafe(self._relay.restore)

    async def _live(self) -> None:
        async with self._bot as bot, Blackhole(bot.port) as relay:
            self._relay, self._loop = relay, asyncio.get_running_loop()
            self._listens.set()
            await self._speak(bot)

    async def _speak(self, bot: ScriptedBot) -> None:
        session, began, cycle, listens = self._session, time.time(), 0, True
        for second in itertools.count():
            if session != self._session:
                session, began, cycle = self._session, time.time(), 0
            if listens and self._gone.is_set():
                await bot.stop()
            elif not listens and not self._gone.is_set():
                await bot.start()
            listens = not self._gone.is_set()
            ends_a_cycle = second % 2 == 0 and not self.hung
            cycle += ends_a_cycle
            if listens and not self.mute:
                if self._beats:
                    await bot.send(messages.heartbeat(ts=time.time() + self.ahead, cycle=cycle))
                if ends_a_cycle:
                    await bot.send(self._state(session, cycle, time.time() - began))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), 1 - (time.time() - self._phase) % 1)
                return

    def _state(self, session: int, cycle: int, uptime: float) -> dict[str, Any]:
        said = {
            "mode": "live",
            "status": "live",
            "simulated": False,
            "daily_pnl": 0.0,
            "unhedged_usd": {"kalshi": 0.0},
            "config_snapshot": {"ARB_LIVE_MODE": True, "ARB_DAILY_LOSS_CAP_USD": CAP_USD},
            **self._fields,
        }
        now = time.time() + self.ahead
        said |= {name: value(now) for name, value in said.items() if callable(value)}
        return messages.state(
            cycle=cycle,
            ts=now,
            session_id=f"{self._name}-{session}",
            uptime_seconds=uptime,
            **{"daily_loss_cap_remaining": CAP_USD + min(0.0, said["daily_pnl"]), **said},
        )
