"""Situations of bots that restart again and again, have the wrong time, or do not come back from a pause."""

from tests.prometheus.cases_disconnected import KILLED
from tests.prometheus.promtool import (
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

GOODBYES = 'messages_received_total,type="goodbye"'


def looping(severity: str, tier: str = "live") -> Firing:
    """TradebotCrashLooping."""
    return firing(
        "TradebotCrashLooping",
        "A bot restarts again and again",
        "Within a quarter of an hour arb began anew at least three times without a word before, or six times "
        "in all. Each start takes what was in flight from its books and may leave a leg open.",
        area="link",
        severity=severity,
        tier=tier,
    )


def at_each(*seconds: int) -> Series:
    """A counter that is one more from each of these seconds on."""
    return lambda now: sum(now >= second for second in seconds)


def restarts(*seconds: int, announced: tuple[int, ...] = (), **more: Series) -> dict[str, Series | None]:
    """The counters of a bot that began anew at these seconds, and said goodbye at those."""
    return {"restarts_total": at_each(*seconds), GOODBYES: at_each(*announced), **more}


THREE = (60, 200, 340)
SIX = (60, 130, 200, 270, 340, 410)

CRASH_LOOPING = [
    Case(
        "The third restart without a word within a quarter of an hour is critical.",
        "TradebotCrashLooping",
        Kind.FIRES,
        bot(**restarts(*THREE)),
        silent_at=(200, 339),
        firing_at=(340, 900),
        firing=(looping("critical"),),
    ),
    Case(
        "A bot on paper in the same place is a warning.",
        "TradebotCrashLooping",
        Kind.FIRES,
        bot(tier="paper", **restarts(*THREE)),
        silent_at=(339,),
        firing_at=(340,),
        firing=(looping("warning", "paper"),),
    ),
    Case(
        "Six in all are a loop whoever wanted them, and its own goodbyes do not end it.",
        "TradebotCrashLooping",
        Kind.FIRES,
        bot(
            **restarts(
                *SIX,
                480,
                announced=tuple(at - 15 for at in (*SIX, 480)),
                expected=changes((0, 1), (465, 0), (480, 1)),
            )
        ),
        silent_at=(340, 409),
        firing_at=(410, 465, 470, 475, 480, 700),
        firing=(looping("critical"),),
    ),
    Case(
        "A quarter of an hour after the first of three it has recovered, and two minutes more to be sure.",
        "TradebotCrashLooping",
        Kind.FIRES,
        bot(**restarts(*THREE)),
        firing=(looping("critical"),),
        ends=(1077, "recovered"),
    ),
    Case(
        "An upgrade and its two corrections, each announced, are no loop.",
        "TradebotCrashLooping",
        Kind.NEGATIVE,
        bot(**restarts(*THREE, announced=(45, 185, 325))),
        silent_at=(340, 400, 900),
    ),
    Case(
        "One crash after two announced restarts is none either.",
        "TradebotCrashLooping",
        Kind.NEGATIVE,
        bot(**restarts(*THREE, announced=(45, 185))),
        silent_at=(340, 400, 900),
    ),
    Case(
        "Three within an hour are bad days, and no loop.",
        "TradebotCrashLooping",
        Kind.NEGATIVE,
        bot(**restarts(60, 1260, 2460)),
        silent_at=(60, 1260, 2460, 2700),
    ),
    Case(
        "Somebody who works on a bot has ordered maintenance first.",
        "TradebotCrashLooping",
        Kind.NEGATIVE,
        bot(**restarts(*THREE, expected=always(0))),
        silent_at=(340, 900),
    ),
    Case(
        "A bot whose restarts nobody counts is not accused.",
        "TradebotCrashLooping",
        Kind.MISSING,
        {},
        silent_at=(60, 900),
    ),
    Case(
        "A lost scrape hides no restart.",
        "TradebotCrashLooping",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(**restarts(*THREE)), 340),
        silent_at=(344,),
        firing_at=(345, 500),
        firing=(looping("critical"),),
    ),
    Case(
        "The counters of an exporter that restarts begin at 0, and that is no restart of the bot.",
        "TradebotCrashLooping",
        Kind.RESTART,
        with_restart(
            bot(**restarts(60, 200, restarts_total=changes((0, 0), (60, 1), (200, 2), (320, 0)))), 300, 320
        ),
        silent_at=(200, 300, 320, 330, 600),
    ),
]


def off(seconds: str, tier: str = "live") -> Firing:
    """TradebotClockSkew by that much."""
    return firing(
        "TradebotClockSkew",
        "The clock of a bot and that of the console differ",
        f"The time of arb less the console's is {seconds} s. Its fills and orders carry the wrong time, and "
        "around 00:00 UTC its profit and its losses count for the wrong day.",
        area="link",
        severity="warning",
        tier=tier,
    )


AHEAD = changes((0, 0.01), (60, 7.2))

CLOCK_SKEW = [
    Case(
        "A clock that is seven seconds ahead for a minute is a warning.",
        "TradebotClockSkew",
        Kind.FIRES,
        bot(clock_skew_seconds=AHEAD),
        silent_at=(60, 119),
        firing_at=(120, 300),
        firing=(off("+7.2"),),
    ),
    Case(
        "So is one that is behind, of a bot on paper too.",
        "TradebotClockSkew",
        Kind.FIRES,
        bot(tier="paper", clock_skew_seconds=changes((0, 0), (60, -5))),
        silent_at=(119,),
        firing_at=(120,),
        firing=(off("-5.0", "paper"),),
    ),
    Case(
        "A clock that was set right has recovered.",
        "TradebotClockSkew",
        Kind.FIRES,
        bot(clock_skew_seconds=changes((0, 7.2), (200, 0.02))),
        firing=(off("+7.2"),),
        ends=(321, "recovered"),
    ),
    Case(
        "One that comes and goes around the limit is told once.",
        "TradebotClockSkew",
        Kind.FIRES,
        bot(clock_skew_seconds=lambda at: 7.2 if at < 130 or at % 60 == 0 else 4.9),
        firing_at=(120, 150, 179, 180, 239, 300),
        firing=(off("+7.2"),),
    ),
    Case(
        "A bot that is gone with the wrong time has not.",
        "TradebotClockSkew",
        Kind.FIRES,
        bot(**KILLED | {"connected": changes((0, 1), (200, 0))}, clock_skew_seconds=always(7.2)),
        firing=(off("+7.2"),),
        ends=(321, "the connection was lost"),
    ),
    Case(
        "One message that was long on its way is no wrong clock.",
        "TradebotClockSkew",
        Kind.NEGATIVE,
        bot(clock_skew_seconds=lambda at: -9 if at % 60 == 0 else 0.01),
        silent_at=(60, 120, 185, 300),
    ),
    Case(
        "Four seconds are what a machine under load makes of a state.",
        "TradebotClockSkew",
        Kind.NEGATIVE,
        bot(clock_skew_seconds=always(-4.5)),
        silent_at=(60, 120, 300),
    ),
    Case(
        "What a bot that is meant to be away said of its time is not told.",
        "TradebotClockSkew",
        Kind.NEGATIVE,
        bot(clock_skew_seconds=AHEAD, expected=changes((0, 1), (60, 0))),
        silent_at=(120, 300),
    ),
    Case(
        "A bot that names no times has no clock that is off.",
        "TradebotClockSkew",
        Kind.MISSING,
        bot(),
        silent_at=(60, 120, 300),
    ),
    Case(
        "A lost scrape does not make it start over.",
        "TradebotClockSkew",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(clock_skew_seconds=AHEAD), 90),
        silent_at=(119,),
        firing_at=(120, 125),
        firing=(off("+7.2"),),
    ),
    Case(
        "A restart of the exporter does not let it resolve.",
        "TradebotClockSkew",
        Kind.RESTART,
        with_restart(bot(clock_skew_seconds=AHEAD), gone=200, back=215),
        firing_at=(195, 200, 210, 215, 220),
        firing=(off("+7.2"),),
    ),
]

OVERRUN_FIRING = firing(
    "TradebotMaintenanceOverrun",
    "A planned quiet is over and its bot is not back",
    "What was planned for arb has been over for two minutes, and it is not up: either it takes longer than "
    "planned, or it did not come back.",
    area="link",
    severity="warning",
)


def away(back: int = 10**6, **more: Series) -> dict[str, Series | None]:
    """A bot that is away in a window that ends at 200, and up again at `back`."""
    return {
        "connected": changes((0, 0), (back, 1)),
        "up": changes((0, 0), (back, 1)),
        "loop_hung": changes((0, None), (back, 0)),
        "last_heartbeat_timestamp_seconds": lambda at: at if at >= back else -60,
        "expected": changes((0, 0), (200, 1)),
        "planned_end_timestamp_seconds": changes((0, 200), (back, None)),
        **more,
    }


MAINTENANCE_OVERRUN = [
    Case(
        "A bot that is not back two minutes after its window is a warning.",
        "TradebotMaintenanceOverrun",
        Kind.FIRES,
        bot(**away()),
        silent_at=(100, 200, 320),
        firing_at=(321, 600),
        firing=(OVERRUN_FIRING,),
    ),
    Case(
        "When it is back at last it has recovered.",
        "TradebotMaintenanceOverrun",
        Kind.FIRES,
        bot(**away(back=400)),
        firing=(OVERRUN_FIRING,),
        ends=(401, "recovered"),
    ),
    Case(
        "When somebody orders more time, quiet is planned again.",
        "TradebotMaintenanceOverrun",
        Kind.FIRES,
        bot(
            **away(
                expected=changes((0, 0), (200, 1), (400, 0)),
                planned_end_timestamp_seconds=changes((0, 200), (400, 3600)),
            )
        ),
        firing=(OVERRUN_FIRING,),
        ends=(401, "planned: quiet began"),
    ),
    Case(
        "A bot that is back within two minutes raises nothing,",
        "TradebotMaintenanceOverrun",
        Kind.NEGATIVE,
        bot(**away(back=310)),
        silent_at=(200, 310, 320, 325, 340, 600),
    ),
    Case(
        "nor one that is back and takes its time for a first state.",
        "TradebotMaintenanceOverrun",
        Kind.NEGATIVE,
        bot(
            **away(
                connected=changes((0, 0), (310, 1)),
                awaiting_first_state=changes((0, 0), (310, 1), (400, 0)),
                up=changes((0, 0), (400, 1)),
                planned_end_timestamp_seconds=changes((0, 200), (400, None)),
            )
        ),
        silent_at=(310, 325, 399, 420, 600),
    ),
    Case(
        "A bot for which nothing was planned cannot be late.",
        "TradebotMaintenanceOverrun",
        Kind.MISSING,
        bot(),
        silent_at=(60, 321, 600),
    ),
    Case(
        "A lost scrape does not let it resolve.",
        "TradebotMaintenanceOverrun",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(**away()), 400),
        firing_at=(399, 400, 404, 405),
        firing=(OVERRUN_FIRING,),
    ),
    Case(
        "A restart of the exporter does not let it resolve.",
        "TradebotMaintenanceOverrun",
        Kind.RESTART,
        with_restart(bot(**away()), gone=400, back=415),
        firing_at=(399, 405, 414, 415, 420),
        firing=(OVERRUN_FIRING,),
    ),
]

CASES = [*CRASH_LOOPING, *CLOCK_SKEW, *MAINTENANCE_OVERRUN]
