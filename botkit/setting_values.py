"""What a setting accepts, and the sentence that says so where a value is refused.

Five types: `bool`, `int`, `float`, `str`, and amounts by name (`kalshi=250,polymarket=100`); the first four
also optional, where a blank means "inherit". Values come typed from JSON or as text from the environment
and the command line, and are read strictly: `true` is no number, `50.0` and `"50.0"` are no integers,
nothing is rounded.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Risk = Literal["up", "down", "none"]
"""What raising the value does to the risk; for a switch, what switching it on does."""

Amounts = tuple[tuple[str, float], ...]
"""Amounts by name, sorted, as a frozen settings object can hold them; on the wire a JSON object."""

_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,300}\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_SHOWN: Final = 40
_TOO_LARGE: Final = 10**18


class BadValue(ValueError):  # noqa: N818 - named for what came
    """A value that the setting does not take; the text says what was expected and what came."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as operators know it: its key, what it takes, and what raising it does to the risk."""

    key: str
    kind: type
    default: object
    category: str
    optional: bool = False
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    hot: bool = True
    risk: Risk = "none"
    help: str = ""

    def parse(self, raw: object) -> object:
        """Return the typed value of what came from JSON or as text. Raises BadValue."""
        blank = raw is None or (isinstance(raw, str) and not raw.strip())
        if blank and self.optional:
            return None
        text = raw.strip() if isinstance(raw, str) else None
        if self.kind is bool:
            value: object = _switch(raw, text)
        elif self.kind is int:
            value = _whole(raw, text)
        elif self.kind is float:
            value = _number(raw, text)
        elif self.kind is tuple:
            value = _amounts(raw, text)
        else:
            value = text
        if value is None or not self._fits(value):
            raise BadValue(f"expected {self.expectation()}, got {_shown(raw)}")
        return value

    def wire(self, value: object) -> object:
        """Return a value of this setting as it stands in a state's `config_snapshot`."""
        return dict(value) if isinstance(value, tuple) else value

    def expectation(self) -> str:
        """Say what the setting takes, e.g. `a number from 0 to 1`."""
        if self.kind is str:
            what = "one of " + ", ".join(self.choices) if self.choices else "text"
        else:
            what = _KINDS[self.kind] + self._range()
        return what + (" or blank to inherit" if self.optional else "")

    def _fits(self, value: object) -> bool:
        if isinstance(value, str):
            return bool(value) and (not self.choices or value in self.choices)
        numbers = [amount for _, amount in value] if isinstance(value, tuple) else [value]
        return all(
            (self.minimum is None or number >= self.minimum)
            and (self.maximum is None or number <= self.maximum)
            for number in numbers
            if isinstance(number, int | float)
        )

    def _range(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        match self.minimum, self.maximum:
            case None, None:
                return unit
            case low, None:
                return f" from {low:g}{unit}"
            case None, high:
                return f" up to {high:g}{unit}"
            case low, high:
                return f" from {low:g} to {high:g}{unit}"


_KINDS: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple: "amounts like kalshi=250,polymarket=100, each",
}


def _switch(raw: object, text: str | None) -> bool | None:
    if isinstance(raw, bool):
        return raw
    word = (text or "").lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _whole(raw: object, text: str | None) -> int | None:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw if abs(raw) < _TOO_LARGE else None
    return int(text) if text is not None and _INTEGER.fullmatch(text) else None


def _number(raw: object, text: str | None = None) -> float | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        try:
            value = float(raw)
        except OverflowError:
            return None
    elif text is not None and _NUMBER.fullmatch(text):
        value = float(text)
    else:
        return None
    return value if math.isfinite(value) else None


def _amounts(raw: object, text: str | None) -> Amounts | None:
    if text is not None:
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        entries: list[tuple[object, object]] = [(name.strip(), amount.strip()) for name, _, amount in pairs]
    elif isinstance(raw, Mapping):
        entries = list(raw.items())
    else:
        return None
    amounts: dict[str, float] = {}
    for name, amount in entries:
        number = _number(amount, amount if isinstance(amount, str) else None)
        if not isinstance(name, str) or not name or name in amounts or number is None:
            return None
        amounts[name] = number
    return tuple(sorted(amounts.items())) or None


def _shown(raw: object) -> str:
    if isinstance(raw, int) and abs(raw) >= _TOO_LARGE:
        return "a number of many digits"
    shown = json.dumps(raw, default=str)
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
