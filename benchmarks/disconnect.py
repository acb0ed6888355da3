"""How long after a bot is gone the alert is at a receiver, with the real Prometheus and Alertmanager between.

Several bots are killed, and as many stopped, spread over the five seconds between two scrapes, so that the
worst phase is among them. Floor: when the exporter itself knew, in the same run; a scrape comes within 5 s.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figure import Figure, at_most, exit_code, table
from tests.stack.console import ArbBot, Console, NotInstalledError

SCRAPE_SECONDS: Final = 5.0
GIVEN_UP_SECONDS: Final = 40.0
NEVER: Final = float("inf")
BOTS: Final = 4
"""Of each kind and round."""

LIMITS: Final = {
    signal.SIGKILL: ("bot killed (SIGKILL) → alert at the receiver", 10.0),
    signal.SIGSTOP: ("bot stopped (SIGSTOP) → alert at the receiver", 20.0),
}


@dataclass
class Loss:
    """One bot lost: how, when (epoch seconds), and seconds until the exporter knew and somebody was told."""

    bot: ArbBot
    how: signal.Signals
    at: float
    known: float = NEVER
    told: float = NEVER


def figures(small: bool) -> list[Figure]:
    """Measure one round, or ten of the long form."""
    losses: list[Loss] = []
    try:
        for _ in range(1 if small else 10):
            losses += one_round()
    except NotInstalledError as missing:
        return [at_most(name, NEVER, "s", limit, str(missing)) for name, limit in LIMITS.values()]
    return [figure(how, [loss for loss in losses if loss.how is how]) for how in LIMITS]


def figure(how: signal.Signals, losses: Sequence[Loss]) -> Figure:
    """The worst of them; one that was never told makes the figure missed."""
    name, limit = LIMITS[how]
    told = [loss.told for loss in losses]
    known = max(loss.known for loss in losses)
    note = f"worst of {len(told)}, median {median(told):.1f} s; the exporter knew within {known:.1f} s"
    return at_most(name, max(told), "s", limit, note)


def one_round() -> list[Loss]:
    """Start a console with its bots, lose all of them, and wait until everybody was told."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hows = [how for _ in range(BOTS) for how in LIMITS]
        bots = [ArbBot(f"bot{number}", folder) for number in range(len(hows))]
        console = stack.enter_context(Console(folder, [bot.entry for bot in bots]))
        for bot in bots:
            stack.callback(bot.stop)
            bot.start()
        console.wait_for_bots([bot.entry.name for bot in bots])
        began, losses = time.time(), list[Loss]()
        while time.time() < began + GIVEN_UP_SECONDS:
            if len(losses) < len(bots) and time.time() >= began + len(losses) * SCRAPE_SECONDS / len(bots):
                losses.append(lose(bots[len(losses)], hows[len(losses)]))
            look(console, losses)
            if len(losses) == len(bots) and all(loss.told < NEVER for loss in losses):
                break
            time.sleep(0.05)
        return losses


def lose(bot: ArbBot, how: signal.Signals) -> Loss:
    """Send the signal and remember when."""
    loss = Loss(bot, how, time.time())
    bot.send(how)
    return loss


def look(console: Console, losses: Sequence[Loss]) -> None:
    """Note who knows by now."""
    text = console.metrics()
    for loss in losses:
        name = loss.bot.entry.name
        if loss.known == NEVER and f'\ntradebot_connected{{bot="{name}"}} 0' in text:
            loss.known = time.time() - loss.at
        arrived = console.webhook.arrivals(bot=name, alertname="TradebotDisconnected", status="firing")
        if arrived:
            loss.told = arrived[0].at - loss.at


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a program of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disconnect", description=__doc__)
    parser.add_argument("--long", action="store_true", help="ten rounds")
    measured = figures(not parser.parse_args(arguments).long)
    print(table(measured))
    return exit_code(measured)


if __name__ == "__main__":
    sys.exit(main())
