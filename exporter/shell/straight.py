"""Kills bots without an exporter: over their sockets and by their kill files, from this process.

The latch is kept as the exporter keeps it, so one that starts later goes on with the kill and its proof.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final

from exporter.bridge import Bridge
from exporter.config import BotConfig, Config
from exporter.control.kill import Stage
from exporter.control.kill_desk import KillDesk
from exporter.control.kill_latch import KillLatch
from exporter.control.told import standing_of
from exporter.view import BotView

SOURCE: Final = "shell, no exporter"
LOOK_SECONDS: Final = 0.2
END_SECONDS: Final = 1.0
"""What the latch and the file get at the end, to be on disk."""
NOT_KEPT: Final = "an exporter that starts later will not know of this kill: its latch cannot be written in"


async def kill(
    config: Config,
    bots: Sequence[BotConfig],
    *,
    who: str,
    reason: str,
    venue: str | None,
    wait: float,
    said: Callable[[str], None],
) -> list[dict[str, object]]:
    """Kill these bots and wait so many seconds for proof; where each stands then.

    `said` hears how it goes, again and again.
    """
    async with contextlib.AsyncExitStack() as stack:
        desks = []
        for bot in bots:
            view = BotView(
                bot.name,
                now=time.time(),
                kind=bot.kind,
                expected_interval=bot.expected_interval,
                stale_after=bot.stale_after,
            )
            bridge = Bridge(view, bot.host, bot.port)
            desk = KillDesk(view, bridge, KillLatch(config.latch_folder, bot.name), bot.kill_file)
            bridge.listen(desk.heard, desk.opened)
            for work in (desk.run(), bridge.run()):
                stack.push_async_callback(_ended, asyncio.create_task(work))
            desk.kill(who, SOURCE, reason, venue)
            desks.append((view, desk))
        await _decided(desks, time.monotonic() + wait, said)
        await asyncio.sleep(END_SECONDS)
        for view, _ in desks:
            if view.totals.latch_errors:
                said(f"{view.name}: {NOT_KEPT} {config.latch_folder}")
        return [standing_of(view.name, desk.standing(time.time())) for view, desk in desks]


async def _decided(
    desks: Sequence[tuple[BotView, KillDesk]], until: float, said: Callable[[str], None]
) -> None:
    """Say how it goes, until each kill is decided or the time (of the monotonic clock) is over."""
    while True:
        stands = [desk.standing(time.time()) for _, desk in desks]
        said("; ".join(f"{view.name} {stand.words}" for (view, _), stand in zip(desks, stands, strict=True)))
        decided = all(stand.state in {Stage.VERIFIED, Stage.NOT_VERIFIED} for stand in stands)
        if decided or time.monotonic() > until:
            return
        await asyncio.sleep(LOOK_SECONDS)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
