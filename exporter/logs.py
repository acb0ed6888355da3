"""Logs as lines of plain text: time, level, module, sentence; one line an event, whatever happened."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TextIO


class OneLine(logging.Formatter):
    """`2026-01-31T12:00:00.123Z warning bridge arb: disconnected`, a traceback folded into the same line."""

    def format(self, record: logging.LogRecord) -> str:
        """One line for one event."""
        at = (
            datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
        module = record.name.removeprefix("exporter.")
        text = record.getMessage()
        if record.exc_info:
            text += f" | {self.formatException(record.exc_info)}"
        folded = " | ".join(line.strip() for line in text.splitlines() if line.strip())
        return f"{at} {record.levelname.lower()} {module} {printable(folded)}"


def printable(text: str) -> str:
    """The text without control characters, which could forge lines or steer a terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def set_up(stream: TextIO) -> None:
    """Send all logs to one stream; other people's libraries only from warnings on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("exporter").setLevel(logging.INFO)
