"""Situations of the alerts on what history stands on: the reporting database, its disk, the bots' stores."""

from tests.prometheus.cases_self import told_of_console
from tests.prometheus.promtool import (
    EXPORTER_STARTED,
    INSTANCE,
    LOST,
    Case,
    Firing,
    Kind,
    Series,
    always,
    bot,
    changes,
    firing,
    with_lost_scrape,
    with_restart,
)

LAG = f'tradebot_exporter_reporting_lag_seconds{{instance="{INSTANCE}",job="tradebot"}}'

STALE = told_of_console(
    "TradebotReportingStale",
    "The reporting database is not kept up",
    f"For five minutes or longer the exporter at {INSTANCE} could not write all that it has to its "
    "reporting database. The pages of history and the audit trail stand still; live figures, alerts "
    "and kills do not depend on it.",
    severity="warning",
    instance=INSTANCE,
    job="tradebot",
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
        "When it can be read again it has recovered, after a minute to be sure.",
        "TradebotStoreUnreadable",
        Kind.FIRES,
        bot(**store(ok=changes((0, 1), (60, 0), (200, 1)), locked=changes((0, 0), (60, 1), (200, 0)))),
        firing=(unreadable("locked"),),
        ends=(260, "recovered"),
    ),
    Case(
        "A store that is damaged after it was locked has not.",
        "TradebotStoreUnreadable",
        Kind.FIRES,
        bot(
            **store(
                ok=changes((0, 1), (60, 0)),
                locked=changes((0, 0), (60, 1), (200, 0)),
                corrupt=changes((0, 0), (200, 1)),
            )
        ),
        silent_at=(119,),
        firing_at=(120,),
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


def full(free: str, folder: str = "reporting") -> Firing:
    """TradebotDiskWillFill with this share free."""
    return told_of_console(
        "TradebotDiskWillFill",
        "A disk of the console is nearly full",
        f"{free} of the disk of the folder {folder} is free: almost nothing, or at the speed of the last "
        "hour it is full within four hours. A full disk stops the history and the audit trail, and a bot's "
        "own records if they are on it; no kill depends on it.",
        severity="warning",
        instance=INSTANCE,
        job="tradebot",
        folder=folder,
    )


def disk(size: float, free: Series, folder: str = "reporting") -> dict[str, Series]:
    """The series of one folder's disk."""
    where = f'{{folder="{folder}",instance="{INSTANCE}",job="tradebot"}}'
    return {
        f"tradebot_exporter_disk_size_bytes{where}": always(size),
        f"tradebot_exporter_disk_free_bytes{where}": free,
        EXPORTER_STARTED: always(-3600),
    }


FILLED = changes((0, 60e9), (60, 4e9))

DISK_WILL_FILL = [
    Case(
        "A twentieth that is less than 10 GB is a warning after a minute.",
        "TradebotDiskWillFill",
        Kind.FIRES,
        disk(100e9, FILLED) | disk(100e9, always(60e9), "arb"),
        silent_at=(60, 119),
        firing_at=(120, 300),
        firing=(full("4%"),),
    ),
    Case(
        "A disk that is full in four hours at the speed of the last hour is one, when half an hour is known.",
        "TradebotDiskWillFill",
        Kind.FIRES,
        disk(100e9, lambda at: 40e9 - 3e6 * (at - at % 60), "arb"),
        silent_at=(1800, 1859),
        firing_at=(1860,),
        firing=(full("34.42%", "arb"),),
    ),
    Case(
        "A first mirror writes two gigabytes at once, and ends.",
        "TradebotDiskWillFill",
        Kind.NEGATIVE,
        disk(100e9, lambda at: 30e9 - 2e9 * min(max(0, at - 1800), 120) / 120),
        silent_at=(1860, 1920, 2400, 3000, 3600, 5400),
    ),
    Case(
        "A twentieth of a large disk lasts for years.",
        "TradebotDiskWillFill",
        Kind.NEGATIVE,
        disk(4e12, always(150e9)),
        silent_at=(60, 300, 3600),
    ),
    Case(
        "A disk that fills fast and is still more than half empty has time.",
        "TradebotDiskWillFill",
        Kind.NEGATIVE,
        disk(100e9, lambda at: 95e9 - 9e6 * at),
        silent_at=(1800, 1860, 3600),
    ),
    Case(
        "Of a disk that nobody measured nothing is said.",
        "TradebotDiskWillFill",
        Kind.MISSING,
        {},
        silent_at=(60, 300),
    ),
    Case(
        "A lost scrape does not make it start over.",
        "TradebotDiskWillFill",
        Kind.LOST_SCRAPE,
        with_lost_scrape(disk(100e9, FILLED), 90),
        silent_at=(119,),
        firing_at=(120, 125),
        firing=(full("4%"),),
    ),
    Case(
        "A restart of the exporter does not let it resolve.",
        "TradebotDiskWillFill",
        Kind.RESTART,
        with_restart(disk(100e9, FILLED), gone=200, back=230),
        firing_at=(195, 215, 225, 235),
        firing=(full("4%"),),
    ),
]

CHAIN = f'tradebot_exporter_event_chain_broken{{instance="{INSTANCE}",job="tradebot"}}'
BROKEN = changes((0, 0), (60, 1))
BROKEN_FIRING = told_of_console(
    "TradebotEventChainBroken",
    "The audit trail was changed after it was written",
    f"The chain of events at {INSTANCE} does not hold: an event was altered, taken out or put in by "
    "something other than the exporter. What was recorded before the break still proves itself.",
    severity="warning",
    instance=INSTANCE,
    job="tradebot",
)

CHAIN_BROKEN = [
    Case(
        "A chain that does not hold is a warning at once.",
        "TradebotEventChainBroken",
        Kind.FIRES,
        {CHAIN: BROKEN},
        silent_at=(0, 59),
        firing_at=(60, 300),
        firing=(BROKEN_FIRING,),
    ),
    Case(
        "A chain that holds is none.",
        "TradebotEventChainBroken",
        Kind.NEGATIVE,
        {CHAIN: always(0)},
        silent_at=(0, 60, 300),
    ),
    Case(
        "A chain that was not checked yet is not called broken.",
        "TradebotEventChainBroken",
        Kind.MISSING,
        {},
        silent_at=(0, 60, 300),
    ),
    Case(
        "A lost scrape does not let it resolve.",
        "TradebotEventChainBroken",
        Kind.LOST_SCRAPE,
        {CHAIN: lambda at: LOST if at == 100 else int(at >= 60)},
        firing_at=(95, 100, 104, 105),
        firing=(BROKEN_FIRING,),
    ),
    Case(
        "An exporter that restarts goes through the chain first, and it is not mended by that.",
        "TradebotEventChainBroken",
        Kind.RESTART,
        {CHAIN: lambda at: int(at >= 60) if at < 200 else LOST if at == 200 else None if at < 500 else 1},
        firing_at=(195, 220, 300, 499, 500),
        firing=(BROKEN_FIRING,),
    ),
]

CASES = [*REPORTING_STALE, *STORE_UNREADABLE, *DISK_WILL_FILL, *CHAIN_BROKEN]
