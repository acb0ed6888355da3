"""How much room the disks have that hold the reporting database and the bots' stores.

A disk that hangs costs its own figures and nothing else: each folder is looked at in a thread that nobody
waits for, one at a time. What was seen is told no more once it is old.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from exporter.config import Config
from exporter.control.errand import errand

EVERY: Final = 15.0  # seconds between two looks
KNOWN_SECONDS: Final = 60.0
"""After the last look that was answered, the room on a disk is known no longer."""

REPORTING: Final = "reporting"


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk under a folder, in bytes: what this program may still write, and the whole."""

    free: int
    size: int
    at: float


def look(folder: Path, now: float) -> Disk | None:
    """The disk under a folder, or under the nearest one above it that is there; None where none answers."""
    for place in (folder, *folder.parents):
        try:
            found = os.statvfs(place)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        size = found.f_blocks * found.f_frsize
        return Disk(found.f_bavail * found.f_frsize, size, now) if size > 0 else None
    return None


def folders(config: Config) -> dict[str, Path]:
    """The folders to look at by what they hold; a bot whose stores lie apart has one for each."""
    found = {REPORTING: config.reporting_db.parent}
    for bot in config.bots:
        places = {store: path.parent for store, path in bot.stores.items()}
        if len(set(places.values())) == 1:
            found[f"stores of {bot.name}"] = next(iter(places.values()))
        else:
            found |= {f"{store} store of {bot.name}": place for store, place in places.items()}
    return found


class Disks:
    """The last look at each folder."""

    def __init__(self, where: Mapping[str, Path], clock: Callable[[], float] = time.time) -> None:
        self._where = dict(where)
        self._clock = clock
        self._seen: dict[str, Disk] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._hanging: set[str] = set()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.begin()
            await asyncio.sleep(EVERY)

    def begin(self) -> list[asyncio.Task[None]]:
        """Begin to look at each folder at which no earlier look still hangs; returns the looks."""
        begun = [
            asyncio.get_running_loop().create_task(self._look(name))
            for name in self._where
            if name not in self._hanging
        ]
        for task in begun:
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return begun

    def known(self, now: float) -> dict[str, Disk]:
        """What is known by now."""
        return {name: disk for name, disk in self._seen.items() if 0 <= now - disk.at <= KNOWN_SECONDS}

    async def _look(self, name: str) -> None:
        self._hanging.add(name)
        try:
            found = await errand(partial(look, self._where[name], self._clock()))
        finally:
            self._hanging.discard(name)
        if found is not None:
            self._seen[name] = found
