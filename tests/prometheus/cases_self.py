"""Situations of the alerts on the console itself: the exporter, and the way an alert takes."""

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


def blind(where: str | None) -> Firing:
    """TradebotExporterDown, of an address or of none."""
    at = f" at {where}" if where else ""
    known = {"instance": where} if where else {}
    return Firing(
        {"area": "self", "severity": "critical", "job": "tradebot", **known},
        {
            "summary": "The exporter is down and the console is blind",
            "description": (
                f"Prometheus gets no figures from the exporter{at}. No bot is watched; the bots themselves "
                "go on."
            ),
            "runbook_url": "prometheus/runbooks/TradebotExporterDown.md",
            "dashboard": "/d/tradebot-system",
        },
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

WATCHDOG_FIRING = Firing(
    {"area": "self", "severity": "none"},
    {
        "summary": "The way an alert takes is open",
        "description": (
            "This alert fires all the time. Where it stops arriving, no other alert arrives either."
        ),
        "runbook_url": "prometheus/runbooks/TradebotWatchdog.md",
        "dashboard": "/d/tradebot-system",
    },
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

CASES = [*EXPORTER_DOWN, *WATCHDOG]
