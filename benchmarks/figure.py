"""One measured figure: its value, its target, whether it was reached, and the floor beside it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the benchmark table; `target` is written as people read it, e.g. `≤ 1.05`."""

    name: str
    value: float
    unit: str
    target: str
    passed: bool
    floor_note: str = ""


def at_most(name: str, value: float, unit: str, limit: float, floor_note: str = "") -> Figure:
    """Make a figure that must not exceed `limit`; a value that is not a number misses it."""
    return Figure(name, value, unit, f"≤ {limit:g}", value <= limit, floor_note)


def at_least(name: str, value: float, unit: str, limit: float, floor_note: str = "") -> Figure:
    """Make a figure that must reach `limit`; a value that is not a number misses it."""
    return Figure(name, value, unit, f"≥ {limit:g}", value >= limit, floor_note)


def table(figures: Iterable[Figure]) -> str:
    """Write the figures as aligned text, one line each, a missed one marked in words."""
    rows = [("figure", "value", "target", "", "floor in the same run")]
    rows += [
        (
            f.name,
            f"{_short(f.value)} {f.unit}".rstrip(),
            f.target,
            "ok" if f.passed else "MISSED",
            f.floor_note,
        )
        for f in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def exit_code(figures: Iterable[Figure]) -> int:
    """Return 0 when every figure reached its target, 1 when one missed it or nothing was measured."""
    measured = list(figures)
    return 0 if measured and all(figure.passed for figure in measured) else 1


def _short(value: float) -> str:
    """Write large values in thousands, small ones with four significant digits."""
    if math.isfinite(value) and abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"
