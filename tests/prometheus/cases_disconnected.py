"""Situations of TradebotDisconnected: bots that are gone, in every way, and those that are not."""

from tests.prometheus.promtool import (
    EXPORTER_STARTED,
    Case,
    Firing,
    Kind,
    Labels,
    Series,
    always,
    bot,
    changes,
    firing,
    until,
    with_lost_scrape,
    with_restart,
)


def gone(*severities: str, tier: str = "live", **texts: str) -> tuple[Firing, ...]:
    """TradebotDisconnected in each of these severities; `texts` as of `firing`."""
    return tuple(
        firing(
            "TradebotDisconnected",
            "A bot is gone",
            "Nothing is heard from arb although it should be running: its control socket is closed or "
            "silent. What it holds and what works at its venues is not known until it is back.",
            texts=texts,
            area="link",
            severity=severity,
            tier=tier,
        )
        for severity in severities
    )


def both(*expected: Firing) -> tuple[Firing, ...]:
    """The same of the bot `other`, too."""

    def others(said: Labels) -> dict[str, str]:
        return {name: text.replace("arb", "other") for name, text in said.items()}

    return (*expected, *(Firing(others(one.labels), others(one.annotations)) for one in expected))


def beating_until(last: float) -> Series:
    """The time of the last of the beats, which come every second, in fractions of a second."""
    return lambda second: min(second - 0.3, last)


# Two bots on one machine that died at 63.6 s: the scrape at 65 finds beats that are 1.7 s and 2.4 s old.
DIED = {"connected": changes((0, 1), (65, 0)), "up": changes((0, 1), (65, 0)), "loop_hung": None}
YOUNGER = {**DIED, "last_heartbeat_timestamp_seconds": beating_until(63.3)}
OLDER = {**DIED, "last_heartbeat_timestamp_seconds": beating_until(62.6)}
# Killed between the scrapes at 60 and 65: the scrape at 65 finds no connection and a last beat 5 s old.
KILLED = {
    "connected": changes((0, 1), (65, 0)),
    "up": changes((0, 1), (65, 0)),
    "last_heartbeat_timestamp_seconds": until(60),
    "loop_hung": changes((0, 0), (65, None)),
}
# Stopped at the same moment: the exporter calls it unconnected when it was silent for more than 5 s.
STOPPED = {
    **KILLED,
    "connected": changes((0, 1), (70, 0)),
    "up": changes((0, 1), (70, 0)),
    "loop_hung": changes((0, 0), (70, None)),
}
EXPOSED = {'unhedged_usd,venue="kalshi"': changes((0, 38), (75, None))}

CASES = [
    Case(
        "A paper bot lost to SIGKILL is warned of at the first scrape that misses it, and never pages.",
        "TradebotDisconnected",
        Kind.FIRES,
        bot(tier="paper", **KILLED),
        silent_at=(64,),
        firing_at=(65, 300),
        firing=gone("warning", tier="paper"),
    ),
    Case(
        "Two bots that are lost together are told together, though one beat is a little younger.",
        "TradebotDisconnected",
        Kind.FIRES,
        {**bot(tier="paper", **YOUNGER), **bot("other", tier="paper", **OLDER)},
        silent_at=(64,),
        firing_at=(65, 300),
        firing=both(*gone("warning", tier="paper")),
    ),
    Case(
        "So are two that are stopped together, of which one is silent for 5 s and the other not yet.",
        "TradebotDisconnected",
        Kind.FIRES,
        {
            **bot(
                tier="paper",
                connected=changes((0, 1), (75, 0)),
                last_heartbeat_timestamp_seconds=beating_until(65.2),
            ),
            **bot(
                "other",
                tier="paper",
                connected=changes((0, 1), (70, 0)),
                last_heartbeat_timestamp_seconds=beating_until(64.7),
            ),
        },
        silent_at=(69,),
        firing_at=(70, 300),
        firing=both(*gone("warning", tier="paper")),
    ),
    Case(
        "A link that is away for so short a time is none where nobody else was lost just now.",
        "TradebotDisconnected",
        Kind.NEGATIVE,
        {
            **bot(
                tier="paper",
                connected=changes((0, 1), (65, 0), (70, 1)),
                last_heartbeat_timestamp_seconds=(lambda second: second - 0.3 if second != 65 else 63.3),
            ),
            **bot("other", tier="paper"),
        },
        silent_at=(64, 65, 69, 70, 90),
    ),
    Case(
        "A bot stopped by SIGSTOP is warned of at the scrape that finds it silent.",
        "TradebotDisconnected",
        Kind.FIRES,
        bot(tier="paper", **STOPPED),
        silent_at=(69,),
        firing_at=(70, 300),
        firing=gone("warning", tier="paper"),
    ),
    Case(
        "A live bot that left money unhedged is critical six seconds after its warning.",
        "TradebotDisconnected",
        Kind.FIRES,
        bot(**KILLED, **EXPOSED),
        firing_at=(71, 84, 300),
        firing=gone("warning", "critical"),
    ),
    Case(
        "A live bot that left money unhedged is only warned of until then.",
        "TradebotDisconnected",
        Kind.NEGATIVE,
        bot(**KILLED, **EXPOSED),
        firing_at=(65, 70),
        firing=gone("warning"),
    ),
    Case(
        "A live bot that left nothing open is only a warning for two minutes.",
        "TradebotDisconnected",
        Kind.NEGATIVE,
        bot(**KILLED, **{'unhedged_usd,venue="kalshi"': always(0)}),
        silent_at=(64,),
        firing_at=(65, 184),
        firing=gone("warning"),
    ),
    Case(
        "A live bot that left nothing open is critical after two minutes.",
        "TradebotDisconnected",
        Kind.FIRES,
        bot(**KILLED, **{'unhedged_usd,venue="kalshi"': always(0)}),
        firing_at=(185, 250),
        firing=gone("warning", "critical"),
    ),
    Case(
        "A bot whose tier nobody knows can page.",
        "TradebotDisconnected",
        Kind.FIRES,
        bot(tier="unknown", **KILLED),
        firing_at=(185,),
        firing=gone("warning", "critical", tier="unknown"),
    ),
    Case(
        "A bot that never beat is gone when every scrape of 20 s found no connection.",
        "TradebotDisconnected",
        Kind.FIRES,
        bot(tier="paper", **{**KILLED, "last_heartbeat_timestamp_seconds": None}),
        silent_at=(65, 79, 80),
        firing_at=(85,),
        firing=gone("warning", tier="paper"),
    ),
    Case(
        "A bot that went with a goodbye and is back within its allowance raises nothing.",
        "TradebotDisconnected",
        Kind.NEGATIVE,
        bot(
            connected=changes((0, 1), (65, 0), (150, 1)),
            expected=changes((0, 1), (65, 0), (150, 1)),
            last_heartbeat_timestamp_seconds=lambda at: at if at >= 150 else min(at, 60),
        ),
        silent_at=(65, 71, 100, 149, 150, 155, 200),
    ),
    Case(
        "A bot that went with a goodbye and is not back when its allowance ends is warned of.",
        "TradebotDisconnected",
        Kind.FIRES,
        bot(tier="paper", **KILLED, expected=changes((0, 1), (65, 0), (185, 1))),
        silent_at=(65, 184),
        firing_at=(185,),
        firing=gone("warning", tier="paper"),
    ),
    Case(
        "A connection lost and found again within two seconds raises nothing, even when a scrape sees it.",
        "TradebotDisconnected",
        Kind.NEGATIVE,
        bot(
            connected=changes((0, 1), (65, 0), (70, 1)),
            last_heartbeat_timestamp_seconds=lambda at: 64 if at == 65 else at,
        ),
        silent_at=(65, 69, 70, 80),
    ),
    Case(
        "A bot that is back is gone no more, and has recovered.",
        "TradebotDisconnected",
        Kind.FIRES,
        bot(
            tier="paper",
            connected=changes((0, 1), (65, 0), (90, 1)),
            last_heartbeat_timestamp_seconds=lambda at: at if at >= 90 else min(at, 60),
        ),
        silent_at=(64,),
        firing=gone("warning", tier="paper"),
        ends=(91, "recovered"),
    ),
    Case(
        "A bot that is gone when its window begins is meant to be quiet, not recovered.",
        "TradebotDisconnected",
        Kind.FIRES,
        bot(tier="paper", **KILLED, expected=changes((0, 1), (100, 0))),
        firing=gone("warning", tier="paper"),
        ends=(101, "planned: quiet began"),
    ),
    Case(
        "Without any series of the bot nothing is claimed of it.",
        "TradebotDisconnected",
        Kind.MISSING,
        {},
        silent_at=(0, 60, 300),
    ),
    Case(
        "A bot that vanishes from the exporter's answer is not called gone: nobody knows.",
        "TradebotDisconnected",
        Kind.MISSING,
        {name: lambda at, s=each: s(at) if at < 60 else None for name, each in bot().items()},
        silent_at=(65, 79, 80, 100, 300),
    ),
    Case(
        "A bot that is gone and of which then nothing is known any more has not recovered.",
        "TradebotDisconnected",
        Kind.RESTART,
        with_restart(bot(tier="paper", **KILLED), gone=90, back=10**6),
        firing=gone(
            "warning",
            tier="paper",
            now="no verdict · last mode paper · PnL not known · no cap known",
        ),
        ends=(107, "its figures vanished"),
    ),
    Case(
        "A lost scrape neither raises it for a healthy bot",
        "TradebotDisconnected",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(), 60),
        silent_at=(60, 62, 64, 65, 70, 80),
    ),
    Case(
        "nor lets it resolve, nor start over, for one that is gone.",
        "TradebotDisconnected",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(**KILLED, **EXPOSED), 70),
        firing_at=(71, 74, 75, 80),
        firing=gone("warning", "critical"),
    ),
    Case(
        "An exporter that restarts beside a healthy bot, scraped before it has connected, raises nothing.",
        "TradebotDisconnected",
        Kind.RESTART,
        with_restart(
            bot(
                connected=changes((0, 1), (75, 0), (80, 1)),
                last_heartbeat_timestamp_seconds=lambda at: None if at == 75 else at,
            ),
            gone=60,
            back=75,
        ),
        silent_at=(60, 70, 74, 75, 79, 80, 90, 100),
    ),
    Case(
        "An exporter that has just started has 30 s to find a bot that is still starting itself.",
        "TradebotDisconnected",
        Kind.RESTART,
        {
            **bot(
                tier="paper",
                connected=always(0),
                up=always(0),
                last_heartbeat_timestamp_seconds=None,
                loop_hung=None,
            ),
            EXPORTER_STARTED: always(0),
        },
        silent_at=(10, 20, 30),
        firing_at=(31,),
        firing=gone("warning", tier="paper"),
    ),
    Case(
        "An exporter that restarts beside a bot that is gone does not let it resolve.",
        "TradebotDisconnected",
        Kind.RESTART,
        with_restart(
            bot(tier="paper", **KILLED),
            gone=75,
            back=85,
            forgotten=("last_heartbeat_timestamp_seconds",),
        ),
        firing_at=tuple(range(75, 150)),
        firing=gone("warning", tier="paper"),
    ),
    Case(
        "nor one that is gone and never beat.",
        "TradebotDisconnected",
        Kind.RESTART,
        with_restart(
            bot(tier="paper", **{**KILLED, "last_heartbeat_timestamp_seconds": None}), gone=100, back=110
        ),
        silent_at=(80,),
        firing_at=tuple(range(85, 180)),
        firing=gone("warning", tier="paper"),
    ),
]
