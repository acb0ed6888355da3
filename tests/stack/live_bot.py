"""A scripted bot that says it trades real money, with something unhedged: what no bot of ours can be yet.

It beats each second and sends a state every two, from a thread of its own, and can vanish and come back, or
fall silent on a connection that stands.
"""

import asyncio
import threading
import time
from types import TracebackType
from typing import Any, Self

from tests.doubles import messages
from tests.doubles.scripted_bot import ScriptedBot
from tests.stack.console import BotEntry

CAP_USD = 10.0


class LiveBot:
    """In mode live, with a cap of 10 USD; `daily_pnl` and `unhedged_usd` are what it will say next.

    Without `beats` it is as bots of the base protocol are, which send no heartbeat. While `mute` it says
    nothing at all.
    """

    def __init__(self, name: str, *, beats: bool = True) -> None:
        self._name = name
        self._beats = beats
        self.mute = False
        self.daily_pnl = 0.0
        self.unhedged_usd = 0.0
        self._bot = ScriptedBot()
        self._listens = threading.Event()
        self._gone = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._speak()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._listens.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(10)

    @property
    def entry(self) -> BotEntry:
        return BotEntry(self._name, "live", self._bot.port)

    def vanish(self) -> None:
        """Close every connection and listen no more, without a word."""
        self._gone.set()

    def come_back(self) -> None:
        """Listen and speak again, on the same port."""
        self._gone.clear()

    async def _speak(self) -> None:
        began, listens = time.time(), True
        async with self._bot as bot:
            self._listens.set()
            for second in range(10**6):
                if self._over.is_set():
                    return
                if listens and self._gone.is_set():
                    await bot.stop()
                elif not listens and not self._gone.is_set():
                    await bot.start()
                listens = not self._gone.is_set()
                if listens and not self.mute:
                    if self._beats:
                        await bot.send(messages.heartbeat(ts=time.time(), cycle=second // 2))
                    if second % 2 == 0:
                        await bot.send(self._state(second // 2, time.time() - began))
                await asyncio.sleep(1)

    def _state(self, cycle: int, uptime: float) -> dict[str, Any]:
        return messages.state(
            cycle=cycle,
            ts=time.time(),
            mode="live",
            status="live",
            simulated=False,
            uptime_seconds=uptime,
            daily_pnl=self.daily_pnl,
            daily_loss_cap_remaining=CAP_USD + min(0.0, self.daily_pnl),
            unhedged_usd={"kalshi": self.unhedged_usd},
            config_snapshot={"ARB_LIVE_MODE": True, "ARB_DAILY_LOSS_CAP_USD": CAP_USD},
        )
