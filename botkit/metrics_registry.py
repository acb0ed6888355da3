"""The bot's own counters and gauges, and the snapshot of them that goes out with every state.

Every metric may be moved from any thread. A gauge that was never set, or set to a value that is not finite,
is left out of the snapshot: unknown is not 0.
"""

import math
import re
import threading
from typing import Final, TypedDict, TypeVar

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*")


class Sample(TypedDict):
    """One metric as the state carries it; `kind` is `counter` or `gauge`."""

    name: str
    kind: str
    value: float


class Counter:
    """A count since the program's start; it only goes up."""

    kind: Final = "counter"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: float = 0

    @property
    def value(self) -> float:
        """The count so far."""
        return self._value

    def inc(self, amount: float = 1) -> None:
        """Count `amount` more. Raises ValueError for a negative or non-finite amount."""
        if not 0 <= amount < math.inf:
            raise ValueError(f"a counter only goes up, not by {amount}")
        with self._lock:
            self._value += amount


class Gauge:
    """A value that goes up and down; None until it is known."""

    kind: Final = "gauge"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: float | None = None

    @property
    def value(self) -> float | None:
        """The last known value, None while it is unknown."""
        return self._value

    def set(self, value: float | None) -> None:
        """Say what the value is now; None or a value that is not finite makes it unknown."""
        self._value = None if value is None or not math.isfinite(value) else value

    def inc(self, amount: float = 1) -> None:
        """Move the value by `amount`, from 0 if it was unknown."""
        with self._lock:
            self.set((self._value or 0) + amount)


_Metric = TypeVar("_Metric", Counter, Gauge)


class Registry:
    """All metrics of one bot by name; asking for a name again returns the same metric."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._metrics: dict[str, Counter | Gauge] = {}

    def counter(self, name: str) -> Counter:
        """Return the counter of this name, new at 0. Raises ValueError for a bad name or a gauge's."""
        return self._metric(name, Counter)

    def gauge(self, name: str) -> Gauge:
        """Return the gauge of this name, new and unknown. Raises ValueError for a bad name or a counter's."""
        return self._metric(name, Gauge)

    def snapshot(self) -> list[Sample]:
        """Return every known value, sorted by name."""
        with self._lock:
            metrics = sorted(self._metrics.items())
        samples: list[Sample] = []
        for name, metric in metrics:
            value = metric.value
            if value is not None:
                samples.append({"name": name, "kind": metric.kind, "value": value})
        return samples

    def _metric(self, name: str, kind: type[_Metric]) -> _Metric:
        with self._lock:
            metric = self._metrics.get(name)
            if metric is None:
                if not _NAME.fullmatch(name):
                    raise ValueError(
                        f"{name!r} is no metric name: letters, digits, '_', '.', '-', no digit first"
                    )
                metric = self._metrics[name] = kind()
        if not isinstance(metric, kind):
            raise ValueError(f"{name!r} is a {metric.kind}, not a {kind.kind}")
        return metric
