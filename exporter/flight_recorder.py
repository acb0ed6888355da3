"""Keeps what went over each bot's link lately, and writes it beside the database when something went wrong.

A recording is a file of JSON lines, packed: first what it is about, then each message as {at, direction,
message}. No credential gets into one: values of such settings are taken out wherever they stand.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from botkit.messages import MalformedMessage, decode
from exporter import __version__
from exporter.state import is_credential
from exporter.tape import LEFT_OUT, Segment, Tape, unpacked

log = logging.getLogger(__name__)

TOTAL_BYTES: Final = 12 * 1024 * 1024
"""Packed bytes in memory, shared equally by all bots."""
PAUSE_SECONDS: Final = 30.0
"""Between two recordings of one bot: several alarms at once are one occasion."""
KEPT_FILES: Final = 50
KEPT_BYTES: Final = 256 * 1024 * 1024

SETTINGS: Final = "config_snapshot"
OF_A_SETTING: Final = ("value", "old", "new")
"""Fields of commands and acks that hold the value of the setting that `key` names."""
REMOVED: Final = "(removed)"


class FlightRecorder:
    """The tapes of all bots; `told` is called with a bot's name, a written file and why it was written."""

    def __init__(
        self,
        folder: Path,
        bots: Iterable[str],
        *,
        clock: Callable[[], float] = time.time,
        told: Callable[[str, Path, str], None] = lambda bot, path, why: None,
    ) -> None:
        names = tuple(bots)
        self._folder = folder
        self._clock = clock
        self._told = told
        self._tapes = {name: Tape(TOTAL_BYTES // max(1, len(names))) for name in names}
        self._asked_at: dict[str, float] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self.failures = 0

    def record(self, bot: str, direction: str, line: bytes, now: float) -> None:
        """Take in one line that went over a bot's link."""
        self._tapes[bot].add(direction, line, now)

    def ask(self, bot: str, why: str) -> None:
        """Have a bot's tape written soon, unless that was asked a moment ago; call it on the event loop."""
        now = self._clock()
        if 0 <= now - self._asked_at.get(bot, -PAUSE_SECONDS) < PAUSE_SECONDS:
            log.info("bot %s: %s; its recording was written a moment ago", bot, why)
            return
        self._asked_at[bot] = now
        task = asyncio.get_running_loop().create_task(self._write(bot, why), name=f"recording of {bot}")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def dump(self, bot: str, why: str) -> Path:
        """Write a bot's tape into a new file, in a thread; raises OSError."""
        now = self._clock()
        segments = self._tapes[bot].cut(now)
        about = {"bot": bot, "why": why, "at": now, "exporter": __version__}
        return await asyncio.to_thread(_write_file, self._folder, about, segments)

    async def written(self) -> None:
        """Wait until everything that was asked for is written."""
        await asyncio.gather(*self._writing)

    async def _write(self, bot: str, why: str) -> None:
        try:
            path = await self.dump(bot, why)
        except OSError as error:
            self.failures += 1
            log.error("bot %s: its recording cannot be written: %s", bot, error)  # noqa: TRY400
            return
        log.warning("bot %s: %s; what went over its link lately is in %s", bot, why, path)
        self._told(bot, path, why)


def _write_file(folder: Path, about: Mapping[str, object], segments: Iterable[Segment]) -> Path:
    """Write a recording in one step, and remove the oldest ones that are too many."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(float(str(about["at"]))))
    name, number = f"flight-{about['bot']}-{stamp}", 1
    while (path := folder / f"{name}{f'-{number}' if number > 1 else ''}.jsonl.gz").exists():
        number += 1
    part = path.with_suffix(".part")
    try:
        with part.open("wb") as file:
            with gzip.open(file, "wt", encoding="utf-8", compresslevel=6) as text:
                for row in (about, *_rows(segments)):
                    text.write(json.dumps(row) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _prune(folder)
    return path


def _rows(segments: Iterable[Segment]) -> Iterator[dict[str, object]]:
    for segment in segments:
        for recorded in unpacked(segment):
            row: dict[str, object] = {"at": recorded.at, "direction": recorded.direction}
            if recorded.direction == LEFT_OUT:
                yield row | json.loads(recorded.line)
                continue
            try:
                yield row | {"message": without_credentials(decode(recorded.line))}
            except MalformedMessage as error:
                yield row | {"unreadable": error.reason, "bytes": len(recorded.line)}


def without_credentials(message: Mapping[str, object]) -> dict[str, object]:
    """The message without the values of what looks like a credential.

    Of settings all such values go. Elsewhere numbers stay, because `account_equity` is money, and texts go.
    """
    clean = {key: _clean(key, value) for key, value in message.items()}
    if isinstance(key := message.get("key"), str) and is_credential(key):
        clean |= dict.fromkeys(clean.keys() & set(OF_A_SETTING), REMOVED)
    return clean


def _clean(key: str, value: object, *, settings: bool = False, hidden: bool = False) -> object:
    """One field; `settings`: it is inside of settings; `hidden`: inside of what looks like a credential."""
    hidden = hidden or is_credential(key)
    if hidden and (settings or isinstance(value, str)):
        return REMOVED
    settings = settings or key == SETTINGS
    if isinstance(value, dict):
        return {name: _clean(name, inner, settings=settings, hidden=hidden) for name, inner in value.items()}
    if isinstance(value, list):
        return [_clean(key, inner, settings=settings, hidden=hidden) for inner in value]
    return value


def _prune(folder: Path) -> None:
    """Keep the newest recordings, as many as are kept in number and in bytes."""
    total = 0
    found = sorted(folder.glob("flight-*.jsonl.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for number, path in enumerate(found):
        total += path.stat().st_size
        if number and (number >= KEPT_FILES or total > KEPT_BYTES):
            path.unlink(missing_ok=True)
