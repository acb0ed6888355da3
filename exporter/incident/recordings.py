"""What the flight recorder's files hold of a span: each message that went over a bot's link, once.

Recordings of one bot overlap, because each holds the half hour before it was written. A file that is damaged
gives what can be read of it, and a sentence.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from exporter.fields import finite
from exporter.incident.span import Span
from exporter.tape import WINDOW_SECONDS

PATTERN: Final = "flight-*.jsonl.gz"


@dataclass(slots=True)
class Recording:
    """One file: of which bot, written when and why."""

    path: Path
    bot: str
    at: float
    why: str
    exporter: str


@dataclass(slots=True)
class Found:
    """The recordings that overlap a span, and sentences about files that cannot be read."""

    recordings: list[Recording] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def overlapping(folder: Path, span: Span, bot: str | None) -> Found:
    """The recordings in a folder that may hold something of a span, oldest first."""
    found = Found()
    for path in sorted(folder.glob(PATTERN)):
        try:
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                about = json.loads(next(lines))
            made = Recording(
                path, str(about["bot"]), float(about["at"]), str(about["why"]), str(about["exporter"])
            )
        except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, StopIteration) as error:
            found.faults.append(f"{path.name} cannot be read: {error or type(error).__name__}")
            continue
        in_time = made.at >= span.start and made.at - WINDOW_SECONDS < span.end
        if in_time and bot in {None, made.bot}:
            found.recordings.append(made)
    found.recordings.sort(key=lambda recording: (recording.bot, recording.at))
    return found


def messages(found: Found, span: Span, read: Callable[[int], None]) -> Iterator[dict[str, Any]]:
    """What went over the links in a span, as {bot, at, direction, message}; by bot, in the order of time.

    `read` is told how many recordings have been read. Faults of files go to `found`.
    """
    bot, seen = "", set[bytes]()
    for number, recording in enumerate(found.recordings):
        if recording.bot != bot:
            bot, seen = recording.bot, set()
        try:
            for line in _lines(recording.path):
                row = json.loads(line)
                at = finite(row.get("at"))
                digest = hashlib.blake2b(line.encode(), digest_size=12).digest()
                if at is not None and span.start <= at < span.end and digest not in seen:
                    seen.add(digest)
                    yield {"bot": bot, **row}
        except (OSError, EOFError, zlib.error, ValueError, AttributeError) as error:
            found.faults.append(
                f"{recording.path.name} is damaged, what it holds before that is here: {error}"
            )
        read(number + 1)


def _lines(path: Path) -> Iterator[str]:
    """The lines of a recording but for the first, which is about it."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        next(lines, None)
        yield from lines
