"""Situations of the alerts on the console itself: the exporter, what else is scraped, and the Watchdog."""

from tests.prometheus.promtool import (
    INSTANCE,
    LOST,
    Case,
    Firing,
    Kind,
    always,
    bot,
    changes,
)

UP = f'up{{instance="{INSTANCE}",job="tradebot"}}'
SPEAKS = f'tradebot_exporter_build_info{{instance="{INSTANCE}",job="tradebot",version="0.1.0"}}'


def told_of_console(alert: str, summary: str, description: str, **labels: str) -> Firing:
    """An alert of the console itself with all its labels and annotations."""
    return Firing(
        {"area": "self", **labels},
        {
            "summary": summary,
            "description": description,
            "runbook_url": f"prometheus/runbooks/{alert}.md",
            "dashboard": "/d/tradebot-system",
        },
    )


def blind(where: str | None) -> Firing:
    """TradebotExporterDown, of an address or of none."""
    at = f" at {where}" if where else ""
    known = {"instance": where} if where else {}
    return told_of_console(
        "TradebotExporterDown",
        "The exporter is down and the console is blind",
        f"Prometheus gets no figures from the exporter{at}. No bot is watched; the bots themselves go on.",
        severity="critical",
        job="tradebot",
        **known,
    )


EXPORTER_DOWN = [
    Case(
        "An exporter that has not answered for 30 s is critical.",
        "TradebotExporterDown",
        Kind.FIRES,
        {UP: changes((0, 1), (60, 0)), SPEAKS: changes((0, 1), (60, None))},
        silent_at=(60, 89),
        firing_at=(90, 300),
        firing=(blind(INSTANCE),),
    ),
    Case(
        "So is one that answers without a word of itself.",
        "TradebotExporterDown",
        Kind.FIRES,
        {UP: always(1), SPEAKS: lambda at: 1 if at < 60 else LOST if at == 60 else None},
        silent_at=(60, 109),
        firing_at=(110,),
        firing=(blind(INSTANCE),),
    ),
    Case(
        "And one that Prometheus does not know of.",
        "TradebotExporterDown",
        Kind.MISSING,
        {},
        silent_at=(29,),
        firing_at=(30,),
        firing=(blind(None),),
    ),
    Case(
        "An exporter that answers is not down.",
        "TradebotExporterDown",
        Kind.NEGATIVE,
        {UP: always(1), SPEAKS: always(1)},
        silent_at=(0, 30, 60, 300),
    ),
    Case(
        "One lost scrape is not down.",
        "TradebotExporterDown",
        Kind.LOST_SCRAPE,
        {UP: lambda at: 0 if at == 60 else 1, SPEAKS: lambda at: LOST if at == 60 else 1},
        silent_at=(60, 65, 90, 95),
    ),
    Case(
        "A restart of 25 s is not down.",
        "TradebotExporterDown",
        Kind.RESTART,
        {UP: lambda at: int(not 60 <= at < 85), SPEAKS: lambda at: LOST if 60 <= at < 85 else 1},
        silent_at=(60, 84, 85, 90, 120),
    ),
]

ALERTMANAGER = "alertmanager:9093"
PARTS = {
    f'up{{instance="{ALERTMANAGER}",job="alertmanager"}}': always(1),
    'up{instance="localhost:9090",job="prometheus"}': always(1),
}
ALERTMANAGER_UP, PROMETHEUS_UP = PARTS


def missing(job: str, where: str | None) -> Firing:
    """TradebotPrometheusTargetMissing, of an address or of none."""
    at = f" at {where}" if where else ""
    known = {"instance": where} if where else {}
    return told_of_console(
        "TradebotPrometheusTargetMissing",
        "A part of the way that an alert takes is down",
        f"Prometheus gets no answer from {job}{at}. Bots are watched, but perhaps nobody is told.",
        severity="critical",
        job=job,
        **known,
    )


TARGET_MISSING = [
    Case(
        "An Alertmanager that has not answered for 30 s is critical.",
        "TradebotPrometheusTargetMissing",
        Kind.FIRES,
        {**PARTS, ALERTMANAGER_UP: changes((0, 1), (60, 0))},
        silent_at=(60, 89),
        firing_at=(90, 300),
        firing=(missing("alertmanager", ALERTMANAGER),),
    ),
    Case(
        "So is a Prometheus that cannot scrape itself.",
        "TradebotPrometheusTargetMissing",
        Kind.FIRES,
        {**PARTS, PROMETHEUS_UP: changes((0, 1), (60, 0))},
        silent_at=(89,),
        firing_at=(90,),
        firing=(missing("prometheus", "localhost:9090"),),
    ),
    Case(
        "And targets that Prometheus does not know of.",
        "TradebotPrometheusTargetMissing",
        Kind.MISSING,
        {},
        silent_at=(29,),
        firing_at=(30,),
        firing=(missing("prometheus", None), missing("alertmanager", None)),
    ),
    Case(
        "Parts that answer are not down, whatever the exporter does.",
        "TradebotPrometheusTargetMissing",
        Kind.NEGATIVE,
        {**PARTS, UP: always(0)},
        silent_at=(0, 30, 60, 300),
    ),
    Case(
        "An Alertmanager that restarts within 25 s is not down.",
        "TradebotPrometheusTargetMissing",
        Kind.NEGATIVE,
        {**PARTS, ALERTMANAGER_UP: lambda at: int(not 60 <= at < 85)},
        silent_at=(60, 84, 85, 95, 120),
    ),
    Case(
        "One lost scrape is not down.",
        "TradebotPrometheusTargetMissing",
        Kind.LOST_SCRAPE,
        {**PARTS, PROMETHEUS_UP: lambda at: int(at != 60)},
        silent_at=(60, 65, 90, 95),
    ),
    Case(
        "A restart of the exporter is none of theirs.",
        "TradebotPrometheusTargetMissing",
        Kind.RESTART,
        {**PARTS, UP: lambda at: int(not 60 <= at < 85)},
        silent_at=(60, 84, 90, 120),
    ),
]

WATCHDOG_FIRING = told_of_console(
    "TradebotWatchdog",
    "The way an alert takes is open",
    "This alert fires all the time. Where it stops arriving, no other alert arrives either.",
    severity="none",
)

WATCHDOG = [
    Case(
        "The watchdog fires from the first moment on.",
        "TradebotWatchdog",
        Kind.FIRES,
        bot(),
        firing_at=(0, 60, 600),
        firing=(WATCHDOG_FIRING,),
    ),
    Case(
        "It fires when nothing at all is scraped.",
        "TradebotWatchdog",
        Kind.MISSING,
        {},
        firing_at=(0, 60, 600),
        firing=(WATCHDOG_FIRING,),
    ),
]

CASES = [*EXPORTER_DOWN, *TARGET_MISSING, *WATCHDOG]
