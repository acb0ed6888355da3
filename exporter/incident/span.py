"""The stretch of time that an incident is about, and how people may write its ends. Pure; `now` is passed in.

2026-11-20T17:00Z, 2026-11-20 17:00 (UTC), 2026-11-20T12:00-05:00, 1795194000 (epoch seconds), -2h, now
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_AGO: Final = re.compile(r"-(\d{1,9}(?:\.\d{1,6})?)([smhd])")
_EPOCH: Final = re.compile(r"\d{9,11}(?:\.\d{1,9})?")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
EXPECTED: Final = (
    "expected a time such as 2026-11-20T17:00Z, '2026-11-20 17:00' (which is UTC), epoch seconds, -2h or now"
)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to and not with `end`, in epoch seconds."""

    start: float
    end: float

    def __post_init__(self) -> None:
        if not self.start < self.end:
            raise ValueError(f"--from {said(self.start)} is not before --to {said(self.end)}")

    def __str__(self) -> str:
        return f"{said(self.start)} to {said(self.end)}"


def moment(text: str, now: float) -> float:
    """The time that a person wrote, in epoch seconds; one without a zone is UTC. Raises ValueError."""
    written = text.strip()
    if written == "now":
        return now
    if (ago := _AGO.fullmatch(written)) is not None:
        return now - float(ago[1]) * _SECONDS[ago[2]]
    if _EPOCH.fullmatch(written):
        return float(written)
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(EXPECTED) from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def said(at: float) -> str:
    """A time as people read it, in UTC, with its milliseconds where it has some."""
    when = datetime.fromtimestamp(round(at, 3), UTC)
    milliseconds = f".{when.microsecond // 1000:03}" if when.microsecond else ""
    return f"{when:%Y-%m-%d %H:%M:%S}{milliseconds} UTC"
