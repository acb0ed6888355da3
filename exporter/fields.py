"""Takes typed values out of what a bot sent, whose fields may have any shape.

Pure, and never raises. Absent and null (which is what NaN and Infinity decode to) are "not reported"; a
value of a wrong type is not reported either, and counted in `bad`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class Fields:
    """One JSON object of a message, iterable by name; objects inside it share its count of bad fields."""

    __slots__ = ("_bad", "_values", "partial")

    def __init__(self, values: Mapping[str, object], bad: list[int] | None = None) -> None:
        self._values = values
        self._bad = [0] if bad is None else bad
        self.partial: set[str] = set()
        """Fields of which some part was not reported, so that a sum over them is not known."""

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @property
    def bad(self) -> int:
        """How many fields so far had a type that their name does not allow."""
        return self._bad[0]

    def number(self, key: str) -> float | None:
        """A finite number; true and false are none."""
        value = self._values.get(key)
        if value is None:  # asked for some thirty fields of a state, of which many are absent
            return None
        if type(value) not in {int, float}:
            self._bad[0] += 1
            return None
        return finite(value)

    def text(self, key: str) -> str | None:
        """A text; the empty one counts as not reported."""
        return self._of(str, key) or None

    def flag(self, key: str) -> bool | None:
        """True or false, nothing that merely counts as such."""
        return self._of(bool, key)

    def items(self, key: str) -> list[object] | None:
        """A list as it came."""
        return self._of(list, key)

    def plain(self, key: str) -> dict[str, Any] | None:
        """An object as it came, where its values may be of any type."""
        return self._of(dict, key)

    def inner(self, key: str) -> Fields | None:
        """An object."""
        values = self._of(dict, key)
        return None if values is None else Fields(values, self._bad)

    def rows(self, key: str) -> list[Fields] | None:
        """The objects of a list; what is none is left out and counted."""
        if (values := self.items(key)) is None:
            return None
        found = [Fields(value, self._bad) for value in values if isinstance(value, dict)]
        self._bad[0] += len(values) - len(found)
        return found

    def texts(self, key: str) -> frozenset[str]:
        """The texts of a list; empty where nothing was reported."""
        values = self.items(key) or []
        found = [value for value in values if isinstance(value, str)]
        self._bad[0] += len(values) - len(found)
        return frozenset(found)

    def numbers(
        self, key: str, label: Callable[[str], str], merge: Callable[[float, float], float]
    ) -> dict[str, float] | None:
        """Numbers by label, such as cash by venue; `merge` joins those whose names share a label."""
        if (inner := self.inner(key)) is None:
            return None
        found: dict[str, float] = {}
        for name in inner:
            if (value := inner.number(name)) is not None:
                put(found, label(name), value, merge)
            else:
                self.partial.add(key)
        return found

    def _of(self, kind: type[T], key: str) -> T | None:
        value = self._values.get(key)
        if isinstance(value, kind):
            return value
        if value is not None:
            self._bad[0] += 1
        return None


def finite(value: object) -> float | None:
    """A float, or None for what is no finite number; true and false are 1 and 0."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int):
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def put(into: dict[str, float], label: str, value: float, merge: Callable[[float, float], float]) -> None:
    """Set the value of a label, joined with the one that is there already."""
    into[label] = merge(into[label], value) if label in into else value
