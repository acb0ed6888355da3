"""A scene: one symptom caused for real, the alert that must arrive for it, and how the symptom is mended.

Scenes are rows of a table; `play` runs many of them at once on one console, each in a thread of its own, so
that one that takes a quarter of an hour holds up no other.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

from tests.stack.console import BotEntry, Console
from tests.stack.processes import wait_until
from tests.stack.webhook import Arrival

SOON = 60.0
"""Seconds in which most alerts fire, and resolve: what takes longer is for the long form."""

GRACE = 45.0
"""Seconds after the time a scene should take until what has not arrived is taken as never coming."""

SCRAPES = 6.0
"""Seconds that a symptom stays after its alert has arrived, so that some scrape saw each part of it."""


class Told(NamedTuple):
    """Who is told of an alert, and how bad it is called."""

    receiver: str
    severity: str


PAGED = Told("page", "critical")
WARNED = Told("notify", "warning")
REMINDED = Told("remind", "info")
ON_PAPER = Told("paper", "warning")


class NotPossibleError(Exception):
    """This machine does not allow a scene; says why."""


class Bot(Protocol):
    """A bot that a scene plays with: an arbitrage bot in a process of its own, or a scripted one."""

    @property
    def entry(self) -> BotEntry:
        """How exporter.yml names it; known once it is entered."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass
class Stage:
    """What a scene acts on: the console, and its bot where it has one."""

    console: Console
    name: str
    bot: Any = None
    held: Any = None
    """What a cause leaves to its mending."""

    def order(self, call: str, **said: object) -> Any:
        """What an operator orders for this bot."""
        return self.console.order(f"/bots/{self.name}/{call}", **said)

    def order_with_code(self, call: str, **said: object) -> None:
        """What raises the risk: ordered, and ordered again with the code that the panel shows."""
        self.console.order_with_code(self.name, call, **said)


Act = Callable[[Stage], object]


@dataclass(frozen=True)
class Scene:
    """One row. Its `name` is that of its bot, too; a scene without `makes` breaks a part of the console.

    `makes` gets the name and the folder of the console, in which the exporter keeps its files.

    What is done to the bot or the console is `cause`, and `mend` unless it cannot be undone.
    `fires` and `ends` are the seconds that the alert may take to arrive and, mended, to resolve; what has a
    `promise` must arrive within that. `says` stands in what arrives, `ended` is why it ends.
    """

    name: str
    alert: str
    told: Told
    symptom: str
    makes: Callable[[str, Path], Bot] | None
    cause: Act
    mend: Act | None
    says: str = ""
    ended: str = "recovered"
    fires: float = SOON
    ends: float = SOON
    promise: float | None = None
    tells_its_end: bool = True
    """Whether anybody hears of the end; a dead man's switch is there to miss the next call."""
    prepare: Act | None = None
    """What has to be so before it can begin, and is no part of its time."""

    @property
    def soon(self) -> bool:
        """Whether it fires soon enough for the short form."""
        return self.fires <= SOON

    def arrivals(self, console: Console, status: str, since: float) -> list[Arrival]:
        """What arrived of its alert, where it is expected."""
        labels = {"alertname": self.alert, "severity": self.told.severity, "receiver": self.told.receiver}
        if self.makes is not None:
            labels["bot"] = self.name
        return [one for one in console.webhook.arrivals(status=status, **labels) if one.at >= since]


@dataclass
class Outcome:
    """What came of a scene; times in epoch seconds.

    `error` says why it could not be played to its end, `skipped` why it cannot be played on this machine.
    """

    scene: Scene
    caused: float = 0.0
    fired: Arrival | None = None
    mended: float | None = None
    resolved: Arrival | None = None
    error: str = ""
    skipped: str = ""

    @property
    def seconds_to_fire(self) -> float | None:
        """From the symptom until the alert was at its receiver."""
        return None if self.fired is None else self.fired.at - self.caused

    @property
    def seconds_to_resolve(self) -> float | None:
        """From the mending until the receiver heard of the end."""
        if self.resolved is None or self.mended is None:
            return None
        return self.resolved.at - self.mended


Outcomes = dict[str, Outcome]
"""What came of each scene, by its name."""


def play(console: Console, stages: Sequence[tuple[Scene, Bot | None]], *, to_the_end: bool) -> Outcomes:
    """Play scenes at once; the ends that take long are waited for only `to_the_end`."""
    outcomes = {scene.name: Outcome(scene) for scene, _ in stages}
    with ThreadPoolExecutor(max_workers=max(1, len(stages))) as pool:
        for scene, bot in stages:
            pool.submit(_played, Stage(console, scene.name, bot), outcomes[scene.name], to_the_end)
    return outcomes


def _played(stage: Stage, outcome: Outcome, to_the_end: bool) -> None:
    scene = outcome.scene

    def arrived(status: str, since: float, patience: float) -> Arrival | None:
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: scene.arrivals(stage.console, status, since), scene.name, patience + GRACE)
        return next(iter(scene.arrivals(stage.console, status, since)), None)

    try:
        if scene.prepare is not None:
            scene.prepare(stage)
        outcome.caused = time.time()
        scene.cause(stage)
        outcome.fired = arrived("firing", outcome.caused, scene.fires)
        if outcome.fired is None or scene.mend is None:
            return
        time.sleep(SCRAPES)
        began = time.time()
        scene.mend(stage)
        outcome.mended = time.time()
        if scene.tells_its_end and (to_the_end or scene.ends <= SOON):
            outcome.resolved = arrived("resolved", began, scene.ends)
    except NotPossibleError as why:
        outcome.skipped = str(why)
    except Exception as error:  # noqa: BLE001 - whatever a scene met is told by its own test
        outcome.error = f"{type(error).__name__}: {error}"


def rows(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, ...]]:
    """The table of what came of scenes, with its heading."""
    yield "alert", "symptom", "severity", "receiver", "to fire", "to resolve"
    for each in sorted(outcomes, key=lambda each: (each.scene.alert, each.scene.told, each.scene.name)):
        scene, times = each.scene, (each.seconds_to_fire, each.seconds_to_resolve)
        fire, resolve = ("-" if seconds is None else f"{seconds:.1f} s" for seconds in times)
        yield scene.alert, scene.symptom, scene.told.severity, scene.told.receiver, fire, resolve
