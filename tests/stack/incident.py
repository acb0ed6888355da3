"""A bad minute: bots that die, stop, hang, lose, lie or restart as planned, and are then mended.

Everything happens at once so that the whole takes a minute; tests look at what arrived and was recorded. The
long form waits for everything that can happen to a bot, and for every end.
"""

import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.stack.console import ArbBot, Console
from tests.stack.processes import wait_until
from tests.stack.scene import Outcome, Scene, play
from tests.stack.scenes_bots import SCENES

MINUTE = tuple(scene for scene in SCENES if scene.soon)
"""What the short form plays."""

UNDISTURBED = ("planned", "well")
"""Bots of which nothing may be said: one restarts as planned, one just runs."""

LIVES_FAST = ("--speed", "20")
"""Markets that live fast give a short minute more to show."""

TRADES_NOTHING = ("--paused",)
"""As before an upgrade: a leg that is open at the stop would rightly call for somebody afterwards."""


@dataclass
class Incident:
    """The console it happened to, when (epoch seconds) it was ready, and what came of each scene.

    `seconds_to_prometheus`: from when the exporter had the first state of `well` until Prometheus had it.
    """

    console: Console
    ready: float
    seconds_to_prometheus: float
    names: list[str]
    outcomes: dict[str, Outcome] = field(default_factory=dict)


@contextmanager
def happened(folder: Path, scenes: Sequence[Scene], *, to_the_end: bool) -> Iterator[Incident]:
    """Run it from beginning to end; the console stays up behind it. Raises NotInstalledError."""
    with ExitStack() as stack:
        well = ArbBot("well", folder, arguments=LIVES_FAST)
        planned = ArbBot("planned", folder, arguments=TRADES_NOTHING)
        stack.enter_context(planned)
        bots = {
            scene.name: stack.enter_context(scene.makes(scene.name, folder))
            for scene in scenes
            if scene.makes
        }
        entries = [bot.entry for bot in (well, planned, *bots.values())]
        console = stack.enter_context(Console(folder, entries))
        stack.enter_context(well)
        wait_until(lambda: console.exporter_sees(["well"]), "well to be up", 40)
        seen = time.monotonic()
        console.wait_for_bots(["well"])
        seconds_to_prometheus = time.monotonic() - seen
        names = [entry.name for entry in entries]
        console.wait_for_bots(names)
        incident = Incident(console, time.time(), seconds_to_prometheus, names)
        with ThreadPoolExecutor(1) as beside:
            restarted = beside.submit(_restarted_as_planned, planned, console)
            incident.outcomes = play(
                console, [(scene, bots[scene.name]) for scene in scenes], to_the_end=to_the_end
            )
            restarted.result()
        _somebody_has(incident.outcomes["loser"], console)
        console.wait_for_bots(UNDISTURBED)
        yield incident


def _somebody_has(outcome: Outcome, console: Console) -> None:
    """An operator says so of what still fires."""
    assert outcome.fired is not None, outcome.error
    console.order(f"/alerts/{outcome.fired.fingerprint}/ack", reason="on it")
    wait_until(lambda: console.query("tradebot_alert_acknowledged"), "the operator's name in Prometheus")


def _restarted_as_planned(bot: ArbBot, console: Console) -> None:
    """Stop it as an upgrade does, and start it again when its absence was seen."""
    bot.send(signal.SIGTERM)
    assert bot.ended() == 0
    wait_until(lambda: console.query(f'tradebot_connected{{bot="{bot.entry.name}"}} == 0'), "it to be away")
    time.sleep(20)  # longer than a bot that is lost goes unnoticed
    bot.start()
