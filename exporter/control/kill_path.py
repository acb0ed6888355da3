"""The kill file of one bot as its second path: written while it is wanted, looked at, taken away again.

One errand at a time goes to its disk, which may hang; whoever comes meanwhile waits for its turn, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from exporter.control import kill_file
from exporter.control.errand import errand
from exporter.control.kill import Order
from exporter.errors import KillFileLeft, KillFileNotWritten


class FilePath:
    """The path of `file`, None where none is configured; `wanted` is the order for which it should stand."""

    def __init__(self, file: Path | None, wanted: Callable[[], Order | None]) -> None:
        self._file = file
        self._wanted = wanted
        self._turn = asyncio.Lock()
        self._queued = False
        self.usable = False
        """Whether it could be written when last looked at."""
        self.outcome = ""
        """What became of the last attempt to write it."""

    async def keep(self) -> None:
        """Have the file there if it is wanted, and see whether it could be written."""
        if self._file is None or self._queued:
            return
        self._queued = True
        async with self._turn:
            self._queued = False
            file, order = self._file, self._wanted()
            try:
                if order is not None:
                    await errand(lambda: kill_file.write(file, order))
                    self.outcome = "written"
                self.usable = await errand(lambda: kill_file.usable(file))
            except KillFileNotWritten as error:
                self.usable, self.outcome = False, str(error)

    async def left(self) -> Order | None:
        """The order of an earlier run of this console whose file still stands there."""
        file = self._file
        return None if file is None else await errand(lambda: kill_file.written_by(file))

    async def gone(self, within: float) -> bool:
        """Whether nothing stands there any more."""
        file = self._file
        try:
            async with asyncio.timeout(within):
                return file is None or not await errand(lambda: kill_file.stands(file))
        except (OSError, TimeoutError):
            return False

    async def remove(self, within: float) -> list[str]:
        """Take the file away unless it is wanted again; returns sentences about what is left."""
        if self._file is None:
            return []
        file = self._file
        try:
            async with asyncio.timeout(within), self._turn:
                if self._wanted() is None:
                    await errand(lambda: kill_file.remove(file))
        except KillFileLeft as error:
            return [str(error)]
        except TimeoutError:
            return [f"the kill file {file} could not be removed in {within:.0f} s: its disk hangs"]
        return []
