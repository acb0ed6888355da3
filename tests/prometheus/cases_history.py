"""Situations of the alerts on what history is read from: the reporting database and the bots' own stores."""

from tests.prometheus.promtool import (
    INSTANCE,
    LOST,
    Case,
    Firing,
    Kind,
    Series,
    bot,
    changes,
    firing,
    with_lost_scrape,
    with_restart,
)

LAG = f'tradebot_exporter_reporting_lag_seconds{{instance="{INSTANCE}",job="tradebot"}}'

STALE = Firing(
    {"area": "self", "severity": "warning", "instance": INSTANCE, "job": "tradebot"},
    {
        "summary": "The reporting database is not kept up",
        "description": (
            f"For five minutes or longer the exporter at {INSTANCE} could not write all that it has to its "
            "reporting database. The pages of history and the audit trail stand still; live figures, alerts "
            "and kills do not depend on it."
        ),
        "runbook_url": "prometheus/runbooks/TradebotReportingStale.md",
        "dashboard": "/d/tradebot-system",
    },
)


REPORTING_STALE = [
    Case(
        "Five minutes behind is a warning.",
        "TradebotReportingStale",
        Kind.FIRES,
        {LAG: lambda at: float(max(1, at - 60))},
        silent_at=(60, 364),
        firing_at=(365, 600),
        firing=(STALE,),
    ),
    Case(
        "A first mirror of two minutes is none.",
        "TradebotReportingStale",
        Kind.NEGATIVE,
        {LAG: lambda at: float(at if at < 150 else 1)},
        silent_at=(100, 149, 300),
    ),
    Case(
        "An exporter that says nothing of it is another alert's business.",
        "TradebotReportingStale",
        Kind.MISSING,
        {},
        silent_at=(60, 700),
    ),
    Case(
        "A lost scrape does not let it resolve.",
        "TradebotReportingStale",
        Kind.LOST_SCRAPE,
        {LAG: lambda at: LOST if at == 500 else float(max(1, at - 60))},
        firing_at=(495, 500, 504, 505),
        firing=(STALE,),
    ),
    Case(
        "An exporter that restarts has not been behind for long.",
        "TradebotReportingStale",
        Kind.RESTART,
        {
            LAG: lambda at: (
                float(at) if at < 200 else LOST if at == 200 else None if at < 230 else float(at - 230)
            )
        },
        silent_at=(200, 230, 300, 500),
    ),
]


def unreadable(status: str, **labels: str) -> Firing:
    """TradebotStoreUnreadable."""
    return firing(
        "TradebotStoreUnreadable",
        "A bot's own store cannot be read",
        f"For a minute the store orders of arb has been {status}. What the bot writes there is not on the "
        "pages of history, and figures from its ledger are missing.",
        area="self",
        severity="warning",
        store="orders",
        status=status,
        **labels,
    )


def store(**statuses: Series) -> dict[str, Series]:
    """The series of a store by status, for `bot`."""
    return {f'store_status,store="orders",status="{status}"': series for status, series in statuses.items()}


LOCKED = store(ok=changes((0, 1), (60, 0)), locked=changes((0, 0), (60, 1)))

STORE_UNREADABLE = [
    Case(
        "A store that is locked for a minute is a warning.",
        "TradebotStoreUnreadable",
        Kind.FIRES,
        bot(**LOCKED),
        silent_at=(60, 119),
        firing_at=(120, 300),
        firing=(unreadable("locked"),),
    ),
    Case(
        "A store that is locked for ten seconds is none.",
        "TradebotStoreUnreadable",
        Kind.NEGATIVE,
        bot(**store(ok=changes((0, 1), (60, 0), (70, 1)), locked=changes((0, 0), (60, 1), (70, 0)))),
        silent_at=(65, 120, 300),
    ),
    Case(
        "A bot that has not traded yet has no store, or an empty one.",
        "TradebotStoreUnreadable",
        Kind.NEGATIVE,
        bot(**store(missing=changes((0, 1), (300, 0)), empty=changes((0, 0), (300, 1)))),
        silent_at=(60, 290, 600),
    ),
    Case(
        "A bot without stores has none that cannot be read.",
        "TradebotStoreUnreadable",
        Kind.MISSING,
        bot(),
        silent_at=(60, 300),
    ),
    Case(
        "A lost scrape does not make it start over.",
        "TradebotStoreUnreadable",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(**LOCKED), 90),
        silent_at=(119,),
        firing_at=(120,),
        firing=(unreadable("locked"),),
    ),
    Case(
        "A restart of the exporter does not let it resolve.",
        "TradebotStoreUnreadable",
        Kind.RESTART,
        with_restart(bot(**LOCKED), gone=200, back=230),
        firing_at=(195, 215, 235),
        firing=(unreadable("locked"),),
    ),
]

CASES = [*REPORTING_STALE, *STORE_UNREADABLE]
