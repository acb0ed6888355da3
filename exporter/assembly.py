"""The one place where the running exporter is put together from its parts."""

from __future__ import annotations

import socket
import time

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

from exporter import service
from exporter.alerting.digest_desk import DigestDesk
from exporter.alerting.paging import PageTest
from exporter.alerting.recall import Recall
from exporter.alerting.shown import alarms
from exporter.alertmanager import AlertDesk, Alertmanager
from exporter.api import alerts, bots, pages, records, runbooks
from exporter.api.asking import Doorkeeper
from exporter.api.stream import Streams
from exporter.bridge import Bridge
from exporter.calendars import Calendars
from exporter.collector import Collector
from exporter.config import Addresses, BotConfig, Config
from exporter.control.actions import Actions
from exporter.control.console import Console
from exporter.exposition import render
from exporter.last_modes import LastModes
from exporter.latches import LatchErrands, Latches
from exporter.losscap import Breach
from exporter.page import runbooks as runbook_pages
from exporter.page.parts import Place
from exporter.recording import Recording
from exporter.reporting.days import OperatorDay
from exporter.view import BotView
from exporter.web import application


async def serve(config: Config, where: Addresses, taken: socket.socket) -> None:
    """Watch the bots, keep the reporting database and answer on the socket, until a signal comes."""
    latches = Latches(config.latch_folder)
    calendars = Calendars(config.bots)
    modes = LastModes(config.latch_folder)
    views = [_view(bot, latches.restore(bot.name), modes.restore(bot.name), calendars) for bot in config.bots]
    breaches, kept_modes = LatchErrands(latches), LatchErrands(modes)
    recording = Recording(config, views, breaches.keep)

    def changed(view: BotView) -> None:
        breaches.keep(view)
        kept_modes.keep(view)
        recording.changed(view)

    bridges = [
        Bridge(
            view,
            bot.host,
            bot.port,
            heard=recording.heard,
            record=recording.recorder.record,
            changed=changed,
        )
        for view, bot in zip(views, config.bots, strict=True)
    ]
    console = Console(
        config,
        list(zip(config.bots, views, bridges, strict=True)),
        recording.keeper.events.record,
        recording.recorder,
    )
    recording.keeper.add(*console.jobs)
    recording.intents.update({name: desks.kill.ledger_opened for name, desks in console.bots.items()})
    alert_desk = AlertDesk(
        Alertmanager(where.alertmanager, where.prometheus),
        console.bots,
        recording.keeper.events.record,
        recording.recorder.ask,
    )
    recording.keeper.add(Recall(alert_desk.history, alert_desk.alerts))
    page_test = PageTest(alert_desk)
    known_runbooks = runbook_pages.read()
    digest = DigestDesk(
        config.reporting_db, OperatorDay(config.day.tz, config.day.rolls_at), list(console.bots), alert_desk
    )
    watches = [
        *console.watches(),
        *(
            service.Watch(f"the bridge of {view.name}", bridge.run, view.bridge_died)
            for view, bridge in zip(views, bridges, strict=True)
        ),
        service.Watch("the alerts", alert_desk.run, alert_desk.died),
        service.Watch("the daily digest", digest.run, lambda: None),
        *recording.watches(),
    ]
    if calendars.codes:
        watches.append(service.Watch("the calendars of exchanges", calendars.run, lambda: None))
    process = CollectorRegistry()
    ProcessCollector(registry=process)
    GCCollector(registry=process)
    collector = Collector(
        views,
        reporting=recording.keeper.health,
        alerts=alert_desk.alerts,
        chain=recording.chain.broken,
        disks=recording.disks.known,
        address=where.exporter_public,
    )
    door = Doorkeeper(console.access, console.clock)
    desk = pages.Desk(
        console,
        door,
        places=_places(where),
        alarms=lambda now: alarms(
            alert_desk.alerts,
            alert_desk.history,
            now,
            runbooks=known_runbooks,
            tested=page_test.last,
            live=any(desks.counts_as_live for desks in console.bots.values()),
        ),
        grafana=where.grafana_public,
        trouble=recording.trouble,
    )
    streams = Streams(desk.happening)
    app = application(
        lambda: render(collector, process),
        not_ready=lambda: [
            f"{view.name}: its link was not tried yet" for view in views if not view.link.attempts
        ],
        routers=[
            pages.router(console, door, desk),
            runbooks.router(known_runbooks, where.grafana_public),
            streams.router(),
            *_api(console, door, alert_desk, page_test),
        ],
    )

    def ending() -> None:
        console.quiet.ending()
        recording.ending()

    await service.serve(app, watches, taken, ending=ending, stopping=streams.end)


def _view(bot: BotConfig, breach: Breach | None, last_mode: str | None, calendars: Calendars) -> BotView:
    return BotView(
        bot.name,
        now=time.time(),
        kind=bot.kind,
        tier=bot.tier,
        expected_interval=bot.expected_interval,
        stale_after=bot.stale_after,
        schedule=calendars.of(bot),
        venue_schedule=calendars.by_venue(bot),
        breach=breach,
        last_mode=last_mode,
    )


def _api(console: Console, door: Doorkeeper, alert_desk: AlertDesk, page_test: PageTest) -> list[APIRouter]:
    """The admin API."""
    actions = Actions(console)
    return [
        alerts.router(alert_desk, page_test, actions, door),
        bots.router(actions, door),
        records.router(console.config.reporting_db, door.looking),
    ]


def _places(where: Addresses) -> list[Place]:
    """Where the page's links lead."""
    return [
        Place("Live", f"{where.grafana_public}/d/tradebot-live"),
        Place("System", f"{where.grafana_public}/d/tradebot-system"),
        Place("Analytics", f"{where.grafana_public}/d/tradebot-analytics"),
        Place("Config", f"{where.grafana_public}/d/tradebot-config"),
        Place("Wall", "/wall"),
        Place("Prometheus", where.prometheus_public),
        Place("Metrics", "/metrics"),
    ]
