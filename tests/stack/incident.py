"""A bad minute: bots that die, stop, hang, lose, are killed or restart as planned, and are then mended.

Everything happens at once so that the whole takes a minute; tests look at what arrived and was recorded.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.stack.console import ArbBot, Console
from tests.stack.live_bot import LiveBot
from tests.stack.processes import wait_until
from tests.stack.webhook import Arrival

PATIENCE = 60.0
"""Seconds after which what has not arrived is taken as never coming; the tests then say what."""


@dataclass(frozen=True)
class Expected:
    """What must arrive: within so many seconds of the fault, where, and how bad it is called."""

    alert: str
    receiver: str
    severity: str
    within: float = 20.0
    resolves: bool = True


# By bot. One of tier live whose last mode was paper is only warned of at first; `real` trades and is exposed.
# A reminder waits for its group for 15 s and hurries nobody; a broken cap and a kill hold beyond the minute.
EXPECTED = {
    "killed": Expected("TradebotDisconnected", "notify", "warning"),
    "stopped": Expected("TradebotDisconnected", "notify", "warning"),
    "hung": Expected("TradebotLoopHung", "notify", "warning"),
    "paper": Expected("TradebotDisconnected", "paper", "warning"),
    "real": Expected("TradebotDisconnected", "page", "critical"),
    # 15 s is its stale_after: the shortest there is.
    "mute": Expected("TradebotStateStale", "page", "critical", within=15 + 15),
    # On for 10 s, and a warning outside the link waits for its group for 15 s.
    "near": Expected("TradebotLossCapNear", "notify", "warning", within=45, resolves=False),
    "loser": Expected("TradebotLossCapBreached", "page", "critical", resolves=False),
    "halted": Expected("TradebotKillSwitchActive", "remind", "info", within=30, resolves=False),
}
ARGUMENTS = {
    "well": ("--speed", "20"),  # markets that live fast give a short minute more to show
    "halted": ("--paused",),
    # As before an upgrade: a leg that is open at the stop would rightly call for somebody afterwards.
    "planned": ("--paused",),
}
UNDISTURBED = ("planned", "well")
"""Bots of which nothing may be said: one restarts as planned, one just runs."""


@dataclass
class Incident:
    """The console it happened to, and when (epoch seconds) it was ready, all was broken, and all was mended.

    `seconds_to_prometheus`: from when the exporter had the first state of `well` until Prometheus had it.
    """

    console: Console
    ready: float
    seconds_to_prometheus: float
    caused: float = 0.0
    mended: float = 0.0
    names: list[str] = field(default_factory=list)

    def arrivals(self, bot: str, status: str) -> list[Arrival]:
        """What arrived of the alert that is expected for this bot, where it is expected."""
        expected = EXPECTED[bot]
        return self.console.webhook.arrivals(
            bot=bot, alertname=expected.alert, receiver=expected.receiver, status=status
        )


@contextmanager
def happened(folder: Path) -> Iterator[Incident]:
    """Run it from beginning to end; the console stays up behind it. Raises NotInstalledError."""
    with ExitStack() as stack:
        arbs = {name: ArbBot(name, folder) for name in ("killed", "stopped", "hung", "halted", *UNDISTURBED)}
        arbs["paper"] = ArbBot("paper", folder, tier="paper")
        live = {name: LiveBot(name, beats=name != "mute") for name in ("real", "loser", "near", "mute")}
        for bot in live.values():
            stack.enter_context(bot)
        live["real"].unhedged_usd = 38.0
        entries = [bot.entry for bot in (*arbs.values(), *live.values())]
        names = [entry.name for entry in entries]
        for name in arbs.keys() - {"well"}:
            stack.callback(arbs[name].stop)
            arbs[name].start(*ARGUMENTS.get(name, ()))
        console = stack.enter_context(Console(folder, entries))
        stack.callback(arbs["well"].stop)
        arbs["well"].start(*ARGUMENTS["well"])
        wait_until(lambda: console.exporter_sees(["well"]), "well to be up", 40)
        seen = time.monotonic()
        console.wait_for_bots(["well"])
        seconds_to_prometheus = time.monotonic() - seen
        console.wait_for_bots(names)
        incident = Incident(console, time.time(), seconds_to_prometheus, names=names)
        _cause(incident, arbs, live)
        _mend(incident, arbs, live)
        yield incident


def _cause(incident: Incident, arbs: dict[str, ArbBot], live: dict[str, LiveBot]) -> None:
    incident.caused = time.time()
    arbs["planned"].send(signal.SIGTERM)
    arbs["killed"].send(signal.SIGKILL)
    arbs["paper"].send(signal.SIGKILL)
    arbs["stopped"].send(signal.SIGSTOP)
    arbs["hung"].hang()
    _drilled_and_killed(incident.console, "halted")
    live["real"].vanish()
    live["loser"].daily_pnl = -12.0
    live["near"].daily_pnl = -8.5
    live["mute"].mute = True
    assert arbs["planned"].ended() == 0
    _wait(lambda: all(incident.arrivals(bot, "firing") for bot in EXPECTED))


def _drilled_and_killed(console: Console, bot: str) -> None:
    """Prove the kill, change a setting, then kill in earnest: all of it over the admin API."""
    console.order(f"/bots/{bot}/settings", key="ARB_DAILY_LOSS_CAP_USD", value=5)
    console.order(f"/bots/{bot}/drill")

    def proven() -> bool:
        kill = console.look(f"/bots/{bot}")["kill"]
        return kill["state"] == "ready" and kill["seen"]["last_drill"] is not None

    wait_until(proven, "the drill to be proven and over")
    console.order(f"/bots/{bot}/kill", reason="a bad minute")


def _mend(incident: Incident, arbs: dict[str, ArbBot], live: dict[str, LiveBot]) -> None:
    incident.mended = time.time()
    for name in ("planned", "killed", "paper"):
        arbs[name].start(*ARGUMENTS.get(name, ()))
    arbs["stopped"].send(signal.SIGCONT)
    arbs["hung"].go_on()
    live["real"].come_back()
    live["mute"].mute = False
    _wait(lambda: all(incident.arrivals(bot, "resolved") for bot, e in EXPECTED.items() if e.resolves))
    incident.console.wait_for_bots(incident.names)


def _wait(holds: Callable[[], object]) -> None:
    try:
        wait_until(holds, "the alerts", PATIENCE)
    except TimeoutError:
        return
