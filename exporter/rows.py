"""What a metric is, and how its rows are made of what a bot reports.

Pure. A row is the values of the metric's labels and a number; a value that is not known makes no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from exporter.sight import Sight
from exporter.state import State
from exporter.totals import Histogram

Kind = Literal["gauge", "counter", "histogram"]
GAUGE: Final = "gauge"
COUNTER: Final = "counter"
HISTOGRAM: Final = "histogram"

Row = tuple[tuple[str, ...], float | Histogram]
Rows = Iterable[Row]
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Metric(Generic[S]):
    """One metric and how to read its rows, as label values and a number (or a histogram)."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    read: Callable[[S], Rows]


def one(value: float | None) -> Rows:
    """The one series of a value, or none."""
    return () if value is None else (((), value),)


def each(values: Mapping[str, float] | None) -> Rows:
    """A series for each label."""
    return () if values is None else [((label,), value) for label, value in values.items()]


def states(known: tuple[str, ...], current: str | None) -> Rows:
    """A series for each state there is, 1 for the current one; none while it is unknown."""
    if current is None:
        return ()
    names = known if current in known else (*known, current)
    return [((name,), name == current) for name in names]


def live(read: Callable[[State], Rows]) -> Callable[[Sight], Rows]:
    """Read from the last state, and nothing at all where it is stale."""
    return lambda sight: () if sight.live is None else read(sight.live)
