"""The last half hour of one bot's link, as it was on the wire, in bounded memory.

Pure; the time is passed in. Lines are packed as they come, in segments of a minute; the oldest segments go
when they are older than the window, or when there are too many bytes. A bot that floods its link is recorded
up to a rate, and the tape says how much it left out.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

WINDOW_SECONDS: Final = 30 * 60.0
SEGMENT_SECONDS: Final = 60.0
SEGMENT_BYTES: Final = 512 * 1024  # before packing
FASTEST: Final = 256 * 1024.0  # bytes a second that are recorded, for as long as it may take …
BURST: Final = 2 * 1024 * 1024.0  # … beyond so many at once
LEVEL: Final = 1  # of packing: a tenth of the size at a hundredth of a second a megabyte

LEFT_OUT: Final = "left_out"
"""The direction of a line that says how many messages, and bytes of them, are not on the tape."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Packed lines from one stretch of time."""

    until: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line: when, in which direction, and as it was on the wire without its end."""

    at: float
    direction: str
    line: bytes


class Tape:
    """Lines of one bot, `most` packed bytes of them and one segment that is still open."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._segments: deque[Segment] = deque()
        self._bytes = 0
        self._packing: zlib._Compress | None = None
        self._packed: list[bytes] = []
        self._opened_at = self._last_at = 0.0
        self._raw = 0
        self._room, self._room_at = BURST, 0.0
        self._left_out = self._left_out_bytes = 0

    @property
    def size(self) -> int:
        """Packed bytes in closed segments."""
        return self._bytes

    def add(self, direction: str, line: bytes, now: float) -> None:
        """Record a line, or count it where the bot is too fast."""
        self._room = min(BURST, self._room + max(0.0, now - self._room_at) * FASTEST)
        self._room_at = now
        if len(line) > self._room:
            self._left_out += 1
            self._left_out_bytes += len(line)
            return
        self._room -= len(line)
        if self._left_out:
            self._say_left_out(now)
        self._pack(direction, line, now)

    def cut(self, now: float) -> list[Segment]:
        """All segments of the window, the open one closed with it."""
        if self._left_out:
            self._say_left_out(now)
        self._close()
        self._forget(now)
        return list(self._segments)

    def _say_left_out(self, now: float) -> None:
        says = b'{"messages": %d, "bytes": %d}' % (self._left_out, self._left_out_bytes)
        self._left_out = self._left_out_bytes = 0
        self._pack(LEFT_OUT, says, now)

    def _pack(self, direction: str, line: bytes, now: float) -> None:
        if self._raw >= SEGMENT_BYTES or not 0 <= now - self._opened_at < SEGMENT_SECONDS:
            self._close()
            self._forget(now)
            self._opened_at = now
        if self._packing is None:
            self._packing = zlib.compressobj(LEVEL)
        if packed := self._packing.compress(b"%.6f %b %b\n" % (now, direction.encode(), line)):
            self._packed.append(packed)
        self._raw += len(line)
        self._last_at = now

    def _close(self) -> None:
        if self._packing is not None:
            data = b"".join((*self._packed, self._packing.flush()))
            self._segments.append(Segment(self._last_at, data))
            self._bytes += len(data)
            self._packing, self._packed, self._raw = None, [], 0

    def _forget(self, now: float) -> None:
        """Let go of what is too old or too much."""
        while self._segments and (self._bytes > self._most or now - self._segments[0].until > WINDOW_SECONDS):
            self._bytes -= len(self._segments.popleft().data)


def unpacked(segment: Segment) -> Iterator[Recorded]:
    """The lines of a segment, in order."""
    for row in zlib.decompress(segment.data).split(b"\n"):
        if row:
            at, direction, line = row.split(b" ", 2)
            yield Recorded(float(at), direction.decode(), line)
