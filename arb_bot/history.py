"""A simulated past: the same engine on a clock that does not wait, so that first-start pages are not empty.

Cycles are coarser (two minutes apart) because nothing else makes two weeks fit into seconds; orders, legs
and settlements are the same. The live session afterwards takes up accounts, events and open positions as
after a restart.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from arb_bot.clock import ManualClock
from arb_bot.engine import Pace
from arb_bot.session import Stores, open_session
from arb_bot.settings import Settings
from botkit.hot_reload import SettingsStore

CYCLE_SECONDS = 120.0
DAY_SECONDS = 86_400.0
PACE = Pace(busy=1.0, idle=CYCLE_SECONDS, cycle=CYCLE_SECONDS)


def fill(
    stores: Stores,
    settings: SettingsStore[Settings],
    *,
    folder: Path,
    seed: str,
    days: float,
    end: float,
    stop: threading.Event,
    progress: Callable[[float], None],
) -> None:
    """Run from `end` − `days` to `end` (epoch seconds).

    `progress` hears the part done, 0..1, after each day.
    """
    start = end - days * DAY_SECONDS
    clock = ManualClock(start)
    session = open_session(
        stores,
        settings,
        folder=folder,
        clock=clock,
        seed=f"{seed}:history",
        environ={},
        pace=PACE,
        kill_file=folder / ".kill_switch_of_simulated_past",
    )
    try:
        while clock.now() < end and not stop.is_set():
            session.engine.run(stop, min(end, clock.now() + DAY_SECONDS))
            # A person would have looked by now; the loss cap ends with its day by itself.
            session.parts.kill.clear_failures()
            progress((clock.now() - start) / (end - start))
        session.engine.finish()
    finally:
        session.close()
