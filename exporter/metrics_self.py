"""What the exporter says of itself, as metrics: a part of the one table (exporter.metrics)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from exporter.alerting.receivers import Receivers
from exporter.disks import Disk
from exporter.labels import REPORTING_STATES
from exporter.rows import COUNTER, GAUGE, Metric, each, one, states


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one scrape knows of the exporter itself; counts are by bot."""

    version: str
    python: str
    seconds: float
    read_errors: Mapping[str, int]
    bridge_restarts: Mapping[str, int]
    latch_errors: Mapping[str, int]
    reporting: Reporting | None
    chain_broken: bool | None = None
    """Whether the chain of events is broken, where that is known."""
    disks: Mapping[str, Disk] = field(default_factory=dict)
    """The disks that were seen lately, by what they hold."""
    watchdog_at: float | None = None
    had: Sequence[tuple[str, str, str]] = ()
    """The alerts that somebody has: bot (or an empty text), alertname, by whom."""
    address: str = ""
    """Where people open this exporter's pages."""
    called: Receivers | None = None
    """Whom Alertmanager would call; None while that is not known."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """How the reporting database is: a word of REPORTING_STATES, seconds behind, errors since the start."""

    state: str
    lag: float
    errors: int


# fmt: off
ALERT_PATH: Final[Metric[Scrape]] = Metric(
    "tradebot_exporter_alert_path_timestamp_seconds", GAUGE,
    "When Alertmanager last delivered the Watchdog to this exporter; absent while it never did.",
    (), lambda s: one(s.watchdog_at))
BUILD_INFO: Final[Metric[Scrape]] = Metric(
    "tradebot_exporter_build_info", GAUGE, "1 for the exporter's version and that of its Python.",
    ("version", "python"), lambda s: [((s.version, s.python), 1)])
"""By which a page of metrics is known as an exporter's."""

SELF: Final[tuple[Metric[Scrape], ...]] = (
    BUILD_INFO,
    Metric("tradebot_exporter_address_info", GAUGE,
           "1 for the address at which people open the exporter's pages: links of Grafana lead there.",
           ("address",), lambda s: [((s.address,), 1)] if s.address else []),
    Metric("tradebot_exporter_scrape_duration_seconds", GAUGE,
           "How long this scrape took to read all bots' views.",
           (), lambda s: one(s.seconds)),
    Metric("tradebot_exporter_read_errors_total", COUNTER,
           "Metrics of a bot that a scrape left out because reading them failed; see the exporter's log.",
           ("bot",), lambda s: each(s.read_errors)),
    Metric("tradebot_exporter_bridge_restarts_total", COUNTER,
           "Times that the reader of a bot's link died by a fault of the exporter and was started again.",
           ("bot",), lambda s: each(s.bridge_restarts)),
    Metric("tradebot_exporter_latch_errors_total", COUNTER,
           "Times that a bot's breach or kill latch could not be written to disk; it holds in memory.",
           ("bot",), lambda s: each(s.latch_errors)),
    Metric("tradebot_exporter_reporting_state", GAUGE,
           "How the reporting database is: 1 for the state that holds, 0 for the others.",
           ("state",), lambda s: () if s.reporting is None else states(REPORTING_STATES, s.reporting.state)),
    Metric("tradebot_exporter_reporting_lag_seconds", GAUGE,
           "How long ago everything that waited was in the reporting database; at most a second or two.",
           (), lambda s: one(None if s.reporting is None else s.reporting.lag)),
    Metric("tradebot_exporter_reporting_errors_total", COUNTER,
           "Times that something could not be written to the reporting database; it is tried again.",
           (), lambda s: one(None if s.reporting is None else s.reporting.errors)),
    Metric("tradebot_exporter_event_chain_broken", GAUGE,
           "Whether the chain of hashes over the events is broken; absent until all of it was looked at.",
           (), lambda s: one(s.chain_broken)),
    Metric("tradebot_exporter_disk_free_bytes", GAUGE,
           "What may still be written to the disk under a folder; absent while the disk does not answer.",
           ("folder",), lambda s: each({name: disk.free for name, disk in s.disks.items()})),
    Metric("tradebot_exporter_disk_size_bytes", GAUGE,
           "The size of the disk under a folder; absent while the disk does not answer.",
           ("folder",), lambda s: each({name: disk.size for name, disk in s.disks.items()})),
    ALERT_PATH,
    Metric("tradebot_exporter_push_receivers", GAUGE,
           "How many push receivers of a kind Alertmanager has; absent while it cannot be asked.",
           ("integration",), lambda s: each(s.called.called if s.called is not None else None)),
    Metric("tradebot_exporter_dead_man_receivers", GAUGE,
           "How many dead-man's switches Alertmanager has; absent while it cannot be asked.",
           (), lambda s: one(s.called.dead_man if s.called is not None else None)),
    Metric("tradebot_alert_acknowledged", GAUGE,
           "1 for an alert that somebody has, until it ends or for an hour; bot is empty where it has none.",
           ("bot", "alertname", "by"), lambda s: [(labels, 1) for labels in dict.fromkeys(s.had)]),
)
"""What is read from the exporter itself, once a scrape."""
# fmt: on
