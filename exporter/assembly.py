"""The one place where the running exporter is put together from its parts."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

from exporter import __version__, service
from exporter.bridge import Bridge
from exporter.collector import Collector
from exporter.config import Addresses, BotConfig, Config
from exporter.exposition import render
from exporter.flight_recorder import FlightRecorder
from exporter.latches import Latches
from exporter.losscap import Breach
from exporter.page import Place
from exporter.reporting.from_sockets import FromSockets
from exporter.reporting.keeper import Keeper
from exporter.view import BotView
from exporter.web import application


async def serve(config: Config, where: Addresses, taken: socket.socket) -> None:
    """Watch the bots, keep the reporting database and answer on the socket, until a signal comes."""
    latches = Latches(config.latch_folder)
    views = [_view(bot, latches.restore(bot.name)) for bot in config.bots]
    keeper, sockets, recorder = _reporting(config, views)

    def changed(view: BotView) -> None:
        latches.keep(view)
        sockets.linked(view, time.time())

    bridges = [
        Bridge(view, bot.host, bot.port, heard=sockets.heard, record=recorder.record, changed=changed)
        for view, bot in zip(views, config.bots, strict=True)
    ]
    keeper.events.record("exporter", source="exporter", what=f"started, version {__version__}")
    watches = [
        *(
            service.Watch(f"the bridge of {view.name}", bridge.run, view.bridge_died)
            for view, bridge in zip(views, bridges, strict=True)
        ),
        # The last to be told of the end, so that it writes what the others record then.
        service.Watch("the reporting database", keeper.run, keeper.died),
    ]
    process = CollectorRegistry()
    ProcessCollector(registry=process)
    GCCollector(registry=process)
    collector = Collector(views, reporting=keeper.health)
    app = application(
        views,
        lambda: render(collector, process),
        not_ready=lambda: [
            f"{view.name}: its link was not tried yet" for view in views if not view.link.attempts
        ],
        places=_places(where),
    )

    def ending() -> None:
        sockets.ending(time.time())
        keeper.events.record("exporter", source="exporter", what="stopped")

    await service.serve(app, watches, taken, ending=ending)


def _reporting(config: Config, views: Sequence[BotView]) -> tuple[Keeper, FromSockets, FlightRecorder]:
    """The reporting database with everything that writes it, and the recorder of what went over the links."""

    def record(kind: str, **told: object) -> None:
        keeper.events.record(kind, **told)  # type: ignore[arg-type] # each listener names what it tells

    def recorded(bot: str, path: Path, why: str) -> None:
        record("flight_recorded", bot=bot, source="exporter", what=f"recorded as {path.name}", why=why)

    folder, names = config.reporting_db.parent, [view.name for view in views]
    recorder = FlightRecorder(folder, names, told=recorded)
    day = config.day
    rolls_at = f"{day.rolls_at // 60:02}:{day.rolls_at % 60:02}"
    sockets = FromSockets(views, record, tz=day.tz, rolls_at=rolls_at, alarm=recorder.ask)
    keeper = Keeper(config.reporting_db, sockets.jobs)
    return keeper, sockets, recorder


def _view(bot: BotConfig, breach: Breach | None) -> BotView:
    return BotView(
        bot.name,
        now=time.time(),
        kind=bot.kind,
        tier=bot.tier,
        expected_interval=bot.expected_interval,
        stale_after=bot.stale_after,
        schedule=bot.schedule,
        breach=breach,
    )


def _places(where: Addresses) -> list[Place]:
    """Where the page's links lead."""
    return [
        Place("Live", f"{where.grafana_public}/d/tradebot-live"),
        Place("System", f"{where.grafana_public}/d/tradebot-system"),
        Place("Prometheus", where.prometheus_public),
        Place("Metrics", "/metrics"),
    ]
