"""Situations of the link alerts: what must fire, when, and what must not."""

from tests.prometheus.promtool import (
    EXPORTER_STARTED,
    Case,
    Firing,
    Kind,
    always,
    bot,
    changes,
    until,
    with_lost_scrape,
    with_restart,
)

LINK = {"area": "link", "bot": "arb", "instance": "exporter:9121"}
BOARD = "/d/tradebot-system?var-bot=arb"

GONE_TEXT = {
    "summary": "A bot is gone",
    "description": (
        "Nothing is heard from arb although it should be running: its control socket is closed or silent. "
        "What it holds and what works at its venues is not known until it is back."
    ),
    "runbook_url": "prometheus/runbooks/TradebotDisconnected.md",
    "dashboard": BOARD,
}


def gone(*severities: str, tier: str = "live") -> tuple[Firing, ...]:
    """TradebotDisconnected in each of these severities."""
    return tuple(Firing({**LINK, "severity": severity, "tier": tier}, GONE_TEXT) for severity in severities)


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

DISCONNECTED = [
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
        "A bot that is back is gone no more.",
        "TradebotDisconnected",
        Kind.NEGATIVE,
        bot(
            connected=changes((0, 1), (65, 0), (90, 1)),
            last_heartbeat_timestamp_seconds=lambda at: at if at >= 90 else min(at, 60),
        ),
        silent_at=(90, 100, 300),
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
]

FLAPPING_FIRING = Firing(
    {**LINK, "severity": "warning", "tier": "live"},
    {
        "summary": "A bot's connection comes and goes",
        "description": (
            "The control socket of arb was lost and found again at least three times within ten minutes."
        ),
        "runbook_url": "prometheus/runbooks/TradebotFlapping.md",
        "dashboard": BOARD,
    },
)


# Lost and found every 15 s from 60 on; the sixth change is seen at 135.
FLAPS = changes((0, 1), (60, 0), (75, 1), (90, 0), (105, 1), (120, 0), (135, 1))

FLAPPING = [
    Case(
        "The sixth change of the connection within ten minutes is a warning.",
        "TradebotFlapping",
        Kind.FIRES,
        bot(connected=FLAPS),
        silent_at=(60, 134),
        firing_at=(135, 200),
        firing=(FLAPPING_FIRING,),
    ),
    Case(
        "A stopped bot, whose kernel accepts one connection after the other, is gone and not flapping.",
        "TradebotFlapping",
        Kind.NEGATIVE,
        bot(**STOPPED, reconnects_total=lambda at: max(0, at - 70) // 5),
        silent_at=(70, 150, 300),
    ),
    Case(
        "Two losses within ten minutes are not flapping.",
        "TradebotFlapping",
        Kind.NEGATIVE,
        bot(connected=changes((0, 1), (60, 0), (75, 1), (100, 0), (115, 1))),
        silent_at=(60, 100, 115, 200),
    ),
    Case(
        "A connection that flaps while the bot is meant to be away is planned.",
        "TradebotFlapping",
        Kind.NEGATIVE,
        bot(connected=FLAPS, expected=always(0)),
        silent_at=(135, 300),
    ),
    Case("Without series nothing flaps.", "TradebotFlapping", Kind.MISSING, {}, silent_at=(0, 300)),
    Case(
        "Lost scrapes are no changes of the connection.",
        "TradebotFlapping",
        Kind.LOST_SCRAPE,
        with_lost_scrape(with_lost_scrape(with_lost_scrape(bot(), 60), 70), 80),
        silent_at=(60, 85, 300),
    ),
    Case(
        "A lost scrape does not interrupt it.",
        "TradebotFlapping",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(connected=FLAPS), 150),
        firing_at=(135, 150, 154, 155),
        firing=(FLAPPING_FIRING,),
    ),
    Case(
        "An exporter that restarts makes no bot flap.",
        "TradebotFlapping",
        Kind.RESTART,
        with_restart(
            bot(connected=changes((0, 1), (75, 0), (80, 1))),
            60,
            75,
        ),
        silent_at=(60, 75, 80, 300),
    ),
]


def stale(severity: str, tier: str) -> Firing:
    """TradebotStateStale."""
    return Firing(
        {**LINK, "severity": severity, "tier": tier},
        {
            "summary": "A bot has stopped reporting its state",
            "description": (
                "arb is connected, but its state is overdue. Its live figures are old and no longer shown; "
                "it may still be trading."
            ),
            "runbook_url": "prometheus/runbooks/TradebotStateStale.md",
            "dashboard": BOARD,
        },
    )


# Overdue from the scrape at 80 on.
OVERDUE = {"up": changes((0, 1), (80, 0))}

STATE_STALE = [
    Case(
        "A live bot whose state is overdue for 8 s is critical.",
        "TradebotStateStale",
        Kind.FIRES,
        bot(**OVERDUE),
        silent_at=(80, 87),
        firing_at=(88, 200),
        firing=(stale("critical", "live"),),
    ),
    Case(
        "A paper bot in the same place is a warning.",
        "TradebotStateStale",
        Kind.FIRES,
        bot(tier="paper", **OVERDUE),
        silent_at=(87,),
        firing_at=(88,),
        firing=(stale("warning", "paper"),),
    ),
    Case(
        "A bot that is connected but sends no first state in time is stale.",
        "TradebotStateStale",
        Kind.FIRES,
        bot(tier="paper", up=always(0), awaiting_first_state=changes((0, 1), (180, 0))),
        silent_at=(60, 187),
        firing_at=(188,),
        firing=(stale("warning", "paper"),),
    ),
    Case(
        "A state that comes just after it was overdue ends it before it begins.",
        "TradebotStateStale",
        Kind.NEGATIVE,
        bot(up=changes((0, 1), (80, 0), (85, 1))),
        silent_at=(84, 85, 88, 100),
    ),
    Case(
        "A bot that is gone is not stale too.",
        "TradebotStateStale",
        Kind.NEGATIVE,
        bot(**KILLED),
        silent_at=(80, 200),
    ),
    Case(
        "A bot that is meant to be quiet is not stale.",
        "TradebotStateStale",
        Kind.NEGATIVE,
        bot(**OVERDUE, expected=changes((0, 1), (65, 0))),
        silent_at=(90, 200),
    ),
    Case("Without series nothing is stale.", "TradebotStateStale", Kind.MISSING, {}, silent_at=(0, 200)),
    Case(
        "A lost scrape does not make it start over.",
        "TradebotStateStale",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(**OVERDUE), 85),
        silent_at=(87,),
        firing_at=(88, 89, 90),
        firing=(stale("critical", "live"),),
    ),
    Case(
        "A lost scrape does not make a fresh state old.",
        "TradebotStateStale",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(), 75),
        silent_at=(75, 79, 85, 90),
    ),
    Case(
        "An exporter that restarts, and has no state at first, makes no bot stale.",
        "TradebotStateStale",
        Kind.RESTART,
        with_restart(
            bot(
                up=changes((0, 1), (80, 0), (95, 1)),
                awaiting_first_state=changes((0, 0), (80, 1), (95, 0)),
            ),
            gone=60,
            back=80,
        ),
        silent_at=(60, 70, 79, 80, 88, 94, 95, 110),
    ),
]


def hung(severity: str, tier: str) -> Firing:
    """TradebotLoopHung."""
    return Firing(
        {**LINK, "severity": severity, "tier": tier},
        {
            "summary": "A bot is alive but its trading loop hangs",
            "description": (
                "arb still sends heartbeats, but no cycle has ended for more than three of its intervals. It "
                "manages nothing: neither working orders nor positions."
            ),
            "runbook_url": "prometheus/runbooks/TradebotLoopHung.md",
            "dashboard": BOARD,
        },
    )


HANGS = {"loop_hung": changes((0, 0), (80, 1))}

LOOP_HUNG = [
    Case(
        "A live bot that beats, but whose loop hangs, is critical.",
        "TradebotLoopHung",
        Kind.FIRES,
        bot(**HANGS),
        silent_at=(75, 79),
        firing_at=(80, 200),
        firing=(hung("critical", "live"),),
    ),
    Case(
        "A paper bot in the same place is a warning.",
        "TradebotLoopHung",
        Kind.FIRES,
        bot(tier="paper", **HANGS),
        silent_at=(79,),
        firing_at=(80,),
        firing=(hung("warning", "paper"),),
    ),
    Case(
        "A bot without a beat is not hung but gone.",
        "TradebotLoopHung",
        Kind.NEGATIVE,
        bot(**STOPPED),
        silent_at=(70, 80, 200),
    ),
    Case(
        "A bot that may still take time for its first cycle is starting.",
        "TradebotLoopHung",
        Kind.NEGATIVE,
        bot(**HANGS, up=changes((0, 1), (65, 0)), awaiting_first_state=changes((0, 0), (65, 1))),
        silent_at=(80, 90, 200),
    ),
    Case(
        "A bot that is meant to be quiet is not hung.",
        "TradebotLoopHung",
        Kind.NEGATIVE,
        bot(**HANGS, expected=changes((0, 1), (65, 0))),
        silent_at=(80, 200),
    ),
    Case("Without series nothing hangs.", "TradebotLoopHung", Kind.MISSING, {}, silent_at=(0, 200)),
    Case(
        "A bot that sends no heartbeats cannot be seen to hang.",
        "TradebotLoopHung",
        Kind.MISSING,
        bot(loop_hung=None, last_heartbeat_timestamp_seconds=None),
        silent_at=(80, 200),
    ),
    Case(
        "A lost scrape does not interrupt it.",
        "TradebotLoopHung",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(**HANGS), 85),
        firing_at=(80, 85, 89, 90),
        firing=(hung("critical", "live"),),
    ),
    Case(
        "A lost scrape hangs nobody.",
        "TradebotLoopHung",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(), 75),
        silent_at=(75, 79, 80, 90),
    ),
    Case(
        "An exporter that restarts hangs nobody.",
        "TradebotLoopHung",
        Kind.RESTART,
        with_restart(bot(), gone=60, back=80),
        silent_at=(60, 70, 79, 80, 85, 100),
    ),
]

CASES = [*DISCONNECTED, *FLAPPING, *STATE_STALE, *LOOP_HUNG]
