"""Every metric of the exporter, declared once: name, kind, help, labels, how to read it from a bot's view.

Each series of `METRICS` has the label `bot` in front of the labels named here. Three rules hold for all: a
value that was not reported is no series; gauges of what the bot says of itself are no series either once its
last state is stale (`live`); counters and the link's own gauges are always there, and start at 0.
"""

from __future__ import annotations

from typing import Any, Final

from exporter.metrics_money import CONTROL, MONEY
from exporter.metrics_self import SELF
from exporter.metrics_state import LINK, REGISTRY, STATE, STORES
from exporter.rows import Metric
from exporter.sight import Sight

METRICS: Final[tuple[Metric[Sight], ...]] = (*LINK, *STATE, *MONEY, *CONTROL, *REGISTRY, *STORES)
"""What is read from every bot's view; `bot` is the first label of each."""

DECLARED: Final[tuple[Metric[Any], ...]] = (*METRICS, *SELF)
