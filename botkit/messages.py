"""The wire format between a bot and its console: one JSON object a line, sans I/O.

Bot → console: `state`, `heartbeat`, `goodbye`, acks (`<command>_ack`) and `error`. Console → bot: commands.
What is said here holds for both sides; neither knows of a socket.

Numbers that are not finite (`NaN`, `Infinity`, a float that overflows, an integer too long for a float)
become `None` in both directions: such a field counts as not reported. Half surrogate pairs, which no text
file or web page can hold, become U+FFFD.

Errors::

    ValueError
    ├── MalformedMessage    what came is no message: count `reason`, go on with the next line
    └── UnsendableMessage   what should go out cannot be written as JSON: a fault of the caller
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LINE_LIMIT: Final = 8 * 1024 * 1024
"""Longest line either side takes, in bytes without its line end."""

STATE: Final = "state"
HEARTBEAT: Final = "heartbeat"
GOODBYE: Final = "goodbye"
ERROR: Final = "error"

UPDATE_CONFIG: Final = "update_config"
KILL_SWITCH: Final = "kill_switch"
PAUSE: Final = "pause"
RESUME: Final = "resume"
CLOSE_POSITION: Final = "close_position"
SET_MODE: Final = "set_mode"
ADJUST_STOP: Final = "adjust_stop"
ADD_TO_POSITION: Final = "add_to_position"

BASE_COMMANDS: Final = (UPDATE_CONFIG, KILL_SWITCH)
"""What every bot of this protocol understands; a bot names anything more in its state's `commands`."""

ACK_SUFFIX: Final = "_ack"

TOO_LONG: Final = "too_long"
NOT_UTF8: Final = "not_utf8"
NOT_JSON: Final = "not_json"
NOT_AN_OBJECT: Final = "not_an_object"
NO_TYPE: Final = "no_type"
MALFORMED_REASONS: Final = (TOO_LONG, NOT_UTF8, NOT_JSON, NOT_AN_OBJECT, NO_TYPE)

LONGEST_INTEGER: Final = 300
"""Digits of an integer that surely fits a float; a longer one counts as not reported."""

_INFINITY: Final = float("inf")
_SURROGATE_ESCAPE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class MalformedMessage(ValueError):  # noqa: N818 - named for what came, not for what failed
    """A line that is no message; `reason` is one of `MALFORMED_REASONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class UnsendableMessage(ValueError):  # noqa: N818 - as above
    """A message that cannot be written as JSON: it contains itself, or a key that is no text or number."""


def encode(message: Mapping[str, object]) -> bytes:
    """Write one message as one ASCII line with its `\\n`.

    Mappings are written as objects, other values that JSON does not know as `str(value)`. Raises
    UnsendableMessage.
    """
    try:
        return _write(message)
    except ValueError:  # a number that is not finite, or a message that contains itself
        pass
    except TypeError as exc:
        raise UnsendableMessage(str(exc)) from exc
    except RecursionError as exc:
        raise UnsendableMessage("nested too deeply") from exc
    try:
        return _write(_without_non_finite(message))
    except RecursionError as exc:
        raise UnsendableMessage("it contains itself") from exc
    except (TypeError, ValueError) as exc:
        raise UnsendableMessage(str(exc)) from exc


def decode(line: bytes, *, keep_non_finite: bool = False) -> dict[str, object]:
    """Read one line, with or without its line end. Raises MalformedMessage, nothing else, on any bytes.

    With `keep_non_finite` a number that is not finite stays one, for a reader who must refuse it by name.
    """
    if len(line) > LINE_LIMIT + 2:
        raise MalformedMessage(TOO_LONG, f"{len(line)} bytes")
    try:
        text = line.decode()
    except UnicodeDecodeError as exc:
        raise MalformedMessage(NOT_UTF8, exc.reason) from exc
    try:
        message = (_KEEPING_DECODER if keep_non_finite else _DECODER).decode(text)
    except (ValueError, RecursionError) as exc:
        raise MalformedMessage(NOT_JSON, str(exc)) from exc
    if not isinstance(message, dict):
        raise MalformedMessage(NOT_AN_OBJECT, type(message).__name__)
    if not isinstance(message.get("type"), str):
        raise MalformedMessage(NO_TYPE)
    if b"\\u" in line and _SURROGATE_ESCAPE.search(line):
        return _with_whole_text(message)
    return message


def ack_type(command: str) -> str:
    """Return the type that answers a command of this type."""
    return command + ACK_SUFFIX


@dataclass(frozen=True, slots=True)
class TooLong:
    """Stands in a splitter's output where a line went past its limit; the rest of it is thrown away."""

    limit: int


class LineSplitter:
    """Cuts a byte stream into lines, at most `limit` bytes of an unfinished one in memory.

    A line past the limit is told once, at once, as `TooLong`; after its line end the stream is in step
    again. Blank lines are left out. Lines come without `\\n`; a `\\r` before it stays, JSON takes it as
    white space.
    """

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self.limit = limit
        self.unfinished = 0
        """Bytes seen of the line that has not ended yet, whether kept or thrown away."""
        self._kept = bytearray()

    def feed(self, data: bytes) -> list[bytes | TooLong]:
        """Take bytes as they came; return the lines they complete."""
        first, *others = data.split(b"\n")
        lines: list[bytes | TooLong] = []
        if not others:
            self._keep(first, lines)
            return lines
        if self.unfinished:
            self._keep(first, lines)
            first = self._take()
        self._add(first, lines)
        last = others.pop()
        for line in others:
            self._add(line, lines)
        self._keep(last, lines)
        return lines

    def close(self) -> list[bytes | TooLong]:
        """End the stream: an unfinished last line counts as a line."""
        lines: list[bytes | TooLong] = []
        self._add(self._take(), lines)
        return lines

    def _add(self, line: bytes, lines: list[bytes | TooLong]) -> None:
        if len(line) > self.limit:
            lines.append(TooLong(self.limit))
        elif line and not line.isspace():
            lines.append(line)

    def _keep(self, part: bytes, lines: list[bytes | TooLong]) -> None:
        before = self.unfinished
        self.unfinished += len(part)
        if self.unfinished <= self.limit:
            self._kept += part
        elif before <= self.limit:
            self._kept.clear()
            lines.append(TooLong(self.limit))

    def _take(self) -> bytes:
        line = bytes(self._kept)
        self._kept.clear()
        self.unfinished = 0
        return line


def _write(message: object) -> bytes:
    return (_ENCODER.encode(message) + "\n").encode("ascii")


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def _without_non_finite(value: object) -> object:
    if isinstance(value, float):
        return value if -_INFINITY < value < _INFINITY else None
    if isinstance(value, Mapping):
        return {_finite_key(key): _without_non_finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_non_finite(item) for item in value]
    return value


def _finite_key(key: object) -> object:
    """Name a key that is no finite number by its text, as `json` itself would."""
    return str(key) if isinstance(key, float) else key


def _with_whole_text(message: dict[str, object]) -> dict[str, object]:
    try:
        return {_SURROGATE.sub("\ufffd", key): _whole_text(item) for key, item in message.items()}
    except RecursionError as exc:
        raise MalformedMessage(NOT_JSON, "nested too deeply") from exc


def _whole_text(value: object) -> object:
    """Replace half surrogate pairs in every text of a decoded value, keys included."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_whole_text(key): _whole_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_text(item) for item in value]
    return value


def _not_finite(_literal: str) -> None:
    """Read `NaN`, `Infinity` and `-Infinity`, which JSON does not have, as not reported."""


def _float(digits: str) -> float | None:
    value = float(digits)
    return value if -_INFINITY < value < _INFINITY else None


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= LONGEST_INTEGER else None


_ENCODER: Final = json.JSONEncoder(default=_plain, allow_nan=False)
_KEEPING_DECODER: Final = json.JSONDecoder()
_DECODER: Final = json.JSONDecoder(parse_constant=_not_finite, parse_float=_float, parse_int=_integer)
