"""One setting of a bot as the catalogue knows it: what it takes, and what a change of it does to the risk.

Pure. Values come typed from JSON or as text from a form and are read strictly: `true` is no number, `50.0` is
no whole number, nothing is rounded. `Value` is what a setting holds; None is a blank where one is allowed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

Value = bool | int | float | str | dict[str, float] | None

SWITCH: Final = "switch"
INTEGER: Final = "integer"
NUMBER: Final = "number"
TEXT: Final = "text"
AMOUNTS: Final = "amounts"
NUMERIC: Final = (INTEGER, NUMBER)

LONGEST_TEXT: Final = 500
LONGEST_SHOWN: Final = 40
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")


class BadValue(ValueError):  # noqa: N818 - named for what came
    """A value that the setting does not take; the text says what was expected and what came."""


def _plain_number(value: object) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("expected a finite number")
    return value


def _said(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a few words")
    return value.strip()


Finite = Annotated[float, BeforeValidator(_plain_number)]
Words = Annotated[str, BeforeValidator(_said)]


class Described(BaseModel):
    """What the catalogue's file says of one setting; exporter/catalogues/arb.yml explains the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["switch", "integer", "number", "text", "amounts"]
    optional: bool = False
    unit: str = ""
    minimum: Finite | None = None
    maximum: Finite | None = None
    choices: tuple[str, ...] = ()
    default: bool | int | float | str | dict[str, float] | None
    zero_is_unlimited: bool = False
    inherits: tuple[str, ...] = ()
    blank_is: Finite | None = None
    restart: Words | None = None
    risk: Literal["up", "down", "none"] = "none"
    own: bool = True
    deployed: Literal["effective", "shown", "refused"] = "refused"
    help: Words

    @model_validator(mode="after")
    def _sound(self) -> Described:
        numeric = self.type in (*NUMERIC, AMOUNTS)
        if numeric != (self.minimum is not None) or numeric != (self.maximum is not None):
            raise ValueError("expected a minimum and a maximum where the type is a number, and only there")
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError("expected a minimum below the maximum")
        if self.choices and self.type != TEXT:
            raise ValueError("expected choices only where the type is text")
        if self.zero_is_unlimited and (self.type not in NUMERIC or self.risk != "up" or self.minimum != 0):
            raise ValueError("expected zero_is_unlimited only where a number from 0 raises the risk")
        if (self.inherits or self.blank_is is not None) and not self.optional:
            raise ValueError("expected inherits and blank_is only where a blank is taken")
        try:
            self.parse(self.default)
        except BadValue as error:
            raise ValueError(f"expected a default that the setting takes: {error}") from None
        return self

    def parse(self, raw: object) -> Value:
        """Return the typed value of what came from JSON or as text. Raises BadValue."""
        text = raw.strip() if isinstance(raw, str) else None
        if raw is None or text == "":
            if self.optional:
                return None
            value: Value = None
        elif self.type == SWITCH:
            value = _switch(raw, text)
        elif self.type == INTEGER:
            value = _whole(raw, text)
        elif self.type == NUMBER:
            value = _number(raw, text)
        elif self.type == AMOUNTS:
            value = _amounts(raw, text)
        else:
            value = text
        if value is None or not self._fits(value):
            raise BadValue(f"expected {self.expectation}, got {shown(raw)}")
        return value

    @property
    def expectation(self) -> str:
        """What the setting takes, e.g. `a number from 0 to 1`."""
        if self.type == SWITCH:
            what = "true or false"
        elif self.type == TEXT:
            what = "one of " + ", ".join(self.choices) if self.choices else "text on one line"
        else:
            unit = f" {self.unit}" if self.unit else ""
            what = f"{_NOUN[self.type]} from {self.minimum:.12g} to {self.maximum:.12g}{unit}"
        return what + (" or blank" if self.optional else "")

    def _fits(self, value: Value) -> bool:
        if isinstance(value, str):
            fits = value in self.choices if self.choices else value.isprintable()
            return fits and len(value) <= LONGEST_TEXT
        if self.minimum is None or self.maximum is None:
            return isinstance(value, bool)
        amounts = value.values() if isinstance(value, dict) else [value]
        return all(amount is not None and self.minimum <= amount <= self.maximum for amount in amounts)


class Parameter(Described):
    """One setting with its key and the category under which people look for it."""

    key: str
    category: str

    def refusal(self, *, own: bool) -> str | None:
        """Why a running bot takes no change of it, or None where it does; `own`: a bot of this project."""
        if own and self.restart is not None:
            return f"requires a restart: {self.restart}"
        if own and not self.own:
            return "this bot has no such setting"
        if not own and self.deployed == "refused":
            return "requires a restart: this bot takes it from its environment at start only"
        return None

    def observable(self, *, own: bool) -> bool:
        """Whether a later state that shows a value shows that the bot works with it, too."""
        return own if own else self.deployed == "effective"

    def raises_risk(self, before: object, after: Value, settings: Mapping[str, object]) -> bool:
        """Whether going from one value to the other may raise the risk; an unknown one before is taken to.

        `settings` are the bot's last known ones, by key, for what a blank inherits.
        """
        if self.risk == "none":
            return False
        try:
            old = self.parse(before)
        except BadValue:
            return True
        if same(old, after):
            return False
        from_levels, to_levels = self._levels(old, settings), self._levels(after, settings)
        if not from_levels or not to_levels:
            return True
        if self.risk == "up":
            return max(to_levels) > min(from_levels)
        return min(to_levels) < max(from_levels)

    def _levels(self, value: Value, settings: Mapping[str, object]) -> list[float]:
        """The numbers that a value may stand for; none where that is not known."""
        if value is None:
            if self.blank_is is not None:
                return [self.blank_is]
            inherited = [settings.get(key) for key in self.inherits]
            levels = [float(level) for level in inherited if isinstance(level, bool | int | float)]
            return levels if len(levels) == len(inherited) else []
        if isinstance(value, bool | int | float):
            return [math.inf if self.zero_is_unlimited and value == 0 else float(value)]
        return []


_NOUN: Final = {
    INTEGER: "a whole number",
    NUMBER: "a number",
    AMOUNTS: "amounts like kalshi=250,polymarket=100, each",
}


def same(one: object, other: object) -> bool:
    """Whether two values of a setting are the same, as far as a number survives being written and read."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return (one or None) == (other or None) if _texts(one, other) else one == other


def shown(raw: object) -> str:
    """A value as a sentence may quote it: short, on one line."""
    if isinstance(raw, int) and abs(raw) >= 10**18:
        return "a number of many digits"
    text = "blank" if raw is None or raw == "" else repr(raw) if isinstance(raw, str) else str(raw)
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _texts(*values: object) -> bool:
    return all(value is None or isinstance(value, str) for value in values)


def _switch(raw: object, text: str | None) -> bool | None:
    if isinstance(raw, bool):
        return raw
    word = (text or "").lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _whole(raw: object, text: str | None) -> int | None:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    return int(text) if text is not None and _WHOLE.fullmatch(text) else None


def _number(raw: object, text: str | None) -> int | float | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, float):
        return raw if math.isfinite(raw) else None
    if text is None or not _DECIMAL.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def _amounts(raw: object, text: str | None) -> dict[str, float] | None:
    pairs: Iterable[tuple[object, object]]
    if text is not None:
        parts = (part.partition("=") for part in text.split(",") if part.strip())
        pairs = [(name.strip(), amount.strip()) for name, _, amount in parts]
    else:
        pairs = list(raw.items()) if isinstance(raw, Mapping) else []
    found: dict[str, float] = {}
    for name, amount in pairs:
        number = _number(amount, amount if isinstance(amount, str) else None)
        if not isinstance(name, str) or not name or name in found or number is None:
            return None
        found[name] = float(number)
    return found or None
