"""Reads every metric from every bot's view, anew at each scrape.

A scrape never raises and never waits: it reads what is in memory, and what cannot be read for one bot is left
out, logged and counted, while everything else is there. Call it from the thread that feeds the views.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import Metric as PrometheusMetric
from prometheus_client.registry import Collector as PrometheusCollector

from exporter import __version__
from exporter.alerts import Alerts
from exporter.disks import Disk
from exporter.metrics import DECLARED, METRICS
from exporter.metrics_self import SELF, Reporting, Scrape
from exporter.rows import COUNTER, Metric, Row
from exporter.sight import Sight
from exporter.totals import BUCKETS, Histogram
from exporter.view import BotView

log = logging.getLogger(__name__)

_BOUNDS = (*(str(bound) for bound in BUCKETS), "+Inf")


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all its rows of this scrape; `labels` includes `bot` where there is one."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...]
    rows: Sequence[Row]

    def samples(self) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...], float]]:
        """Each series as its name, label names, label values and value."""
        for values, value in self.rows:
            if isinstance(value, Histogram):
                counts = value.cumulative()
                for bound, count in zip(_BOUNDS, counts, strict=True):
                    yield f"{self.name}_bucket", (*self.labels, "le"), (*values, bound), float(count)
                yield f"{self.name}_sum", self.labels, values, value.sum
                yield f"{self.name}_count", self.labels, values, float(counts[-1])
            else:
                yield self.name, self.labels, values, float(value)


class Collector(PrometheusCollector):
    """All bots' metrics and the exporter's own; a collector for prometheus_client's registry, too."""

    def __init__(
        self,
        views: Iterable[BotView],
        clock: Callable[[], float] = time.time,
        reporting: Callable[[float], Reporting] | None = None,
        alerts: Alerts | None = None,
        *,
        chain: Callable[[float], bool | None] = lambda now: None,
        disks: Callable[[float], Mapping[str, Disk]] = lambda now: {},
        address: str = "",
    ) -> None:
        """`reporting`, `chain` and `disks` say how these are by now, from memory alone."""
        self._address = address
        self._views = tuple(views)
        self._reporting = reporting
        self._alerts = alerts or Alerts()
        self._chain = chain
        self._disks = disks
        self._clock = clock
        self._read_errors = {view.name: 0 for view in self._views}

    def families(self) -> list[Family]:
        """Every metric of the table, in its order; bots in theirs."""
        began, now = time.perf_counter(), self._clock()
        sights = [sight for view in self._views if (sight := self._look(view, now)) is not None]
        found = [
            Family(
                metric.name,
                metric.kind,
                metric.help,
                ("bot", *metric.labels),
                [row for sight in sights for row in self._read(metric, sight)],
            )
            for metric in METRICS
        ]
        scrape = Scrape(
            version=__version__,
            python=platform.python_version(),
            seconds=time.perf_counter() - began,
            read_errors=self._read_errors,
            bridge_restarts={view.name: view.totals.bridge_restarts for view in self._views},
            latch_errors={view.name: view.totals.latch_errors for view in self._views},
            reporting=self._reporting(now) if self._reporting is not None else None,
            chain_broken=self._chain(now),
            disks=self._disks(now),
            address=self._address,
            watchdog_at=self._alerts.watchdog_at,
            called=self._alerts.called(now),
            had=[(had.alert.bot, had.alert.name, had.by) for had in self._alerts.had(now)],
        )
        found += [Family(own.name, own.kind, own.help, own.labels, [*own.read(scrape)]) for own in SELF]
        return found

    def collect(self) -> Iterator[PrometheusMetric]:
        """The same as prometheus_client's own families."""
        for family in self.families():
            yield _as_prometheus(family)

    def describe(self) -> Iterator[PrometheusMetric]:
        """The names alone, so that registering reads no view."""
        for metric in DECLARED:
            yield _as_prometheus(Family(metric.name, metric.kind, metric.help, metric.labels, ()))

    def _look(self, view: BotView, now: float) -> Sight | None:
        try:
            return view.at(now)
        except Exception:  # noqa: BLE001 - the guard of a scrape: a fault in one view costs that view alone
            self._failed(view.name, "the view")
            return None

    def _read(self, metric: Metric[Sight], sight: Sight) -> list[Row]:
        """One metric of one bot."""
        name = sight.view.name
        try:
            return [((name, *labels), value) for labels, value in metric.read(sight)]
        except Exception:  # noqa: BLE001 - the same guard, for one metric
            self._failed(name, metric.name)
            return []

    def _failed(self, bot: str, what: str) -> None:
        self._read_errors[bot] += 1
        if self._read_errors[bot] == 1:  # each scrape would write the same again
            log.exception("bot %s: %s cannot be read; the scrape goes on without it", bot, what)


def _as_prometheus(family: Family) -> PrometheusMetric:
    name = family.name.removesuffix("_total") if family.kind == COUNTER else family.name
    metric = PrometheusMetric(name, family.help, family.kind)
    for sample, labels, values, value in family.samples():
        metric.add_sample(sample, dict(zip(labels, values, strict=True)), value)
    return metric
