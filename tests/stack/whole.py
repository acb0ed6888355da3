"""The long form: every alert of the rules, each caused by its symptom and mended, all of it at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.stack import scenes_bots, scenes_console
from tests.stack.incident import happened
from tests.stack.scene import Outcomes, Scene
from tests.stack.webhook import Arrival

SCENES: tuple[Scene, ...] = (*scenes_bots.SCENES, *scenes_console.SCENES)


@dataclass
class Whole:
    """What came of every scene, and everything that arrived about bots."""

    outcomes: Outcomes
    arrivals: Sequence[Arrival]


def everything(folder: Path) -> Whole:
    """Play all of it: the bots on one console, parts of a console on others. Raises NotInstalledError."""
    stands = scenes_console.STANDS
    with ThreadPoolExecutor(len(stands)) as pool:
        playing = []
        for stand in stands:
            (folder / stand.name).mkdir()
            playing.append(pool.submit(stand.played, folder / stand.name))
        (folder / "bots").mkdir()
        with happened(folder / "bots", scenes_bots.SCENES, to_the_end=True) as incident:
            outcomes, arrivals = dict(incident.outcomes), incident.console.webhook.arrivals()
        for each in playing:
            outcomes |= each.result()
    return Whole(outcomes, arrivals)
