"""Situations of the link alerts: what must fire, when, and what must not."""

from tests.prometheus.promtool import (
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
    "last_heartbeat_timestamp_seconds": until(60),
    "last_state_timestamp_seconds": until(60, every=5),
}
# Stopped at the same moment: the kernel keeps the connection open.
STOPPED = {**KILLED, "connected": always(1)}
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
        "A bot stopped by SIGSTOP is warned of although its connection stays open.",
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
        "A bot whose beat stops while its states go on is not gone.",
        "TradebotDisconnected",
        Kind.NEGATIVE,
        bot(last_heartbeat_timestamp_seconds=until(60)),
        silent_at=(65, 70, 100, 300),
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
                last_state_timestamp_seconds=lambda at: None if at == 75 else at,
            ),
            gone=60,
            back=75,
        ),
        silent_at=(60, 70, 74, 75, 79, 80, 90, 100),
    ),
    Case(
        "An exporter that restarts beside a bot that is gone does not let it resolve.",
        "TradebotDisconnected",
        Kind.RESTART,
        with_restart(
            bot(tier="paper", **KILLED),
            gone=75,
            back=85,
            forgotten=("last_heartbeat_timestamp_seconds", "last_state_timestamp_seconds"),
        ),
        firing_at=tuple(range(75, 110)),
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
        "Three reconnections that no scrape saw are a warning too.",
        "TradebotFlapping",
        Kind.FIRES,
        bot(reconnects_total=changes((0, 0), (100, 1), (200, 2), (300, 3))),
        silent_at=(299,),
        firing_at=(300,),
        firing=(FLAPPING_FIRING,),
    ),
    Case(
        "Two losses within ten minutes are not flapping.",
        "TradebotFlapping",
        Kind.NEGATIVE,
        bot(
            connected=changes((0, 1), (60, 0), (75, 1), (300, 0), (315, 1)),
            reconnects_total=changes((0, 0), (75, 1), (315, 2)),
        ),
        silent_at=(60, 300, 315, 330),
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
        with_lost_scrape(bot(connected=FLAPS), 200),
        firing_at=(135, 200, 204, 205),
        firing=(FLAPPING_FIRING,),
    ),
    Case(
        "An exporter that restarts, and begins to count anew, makes no bot flap.",
        "TradebotFlapping",
        Kind.RESTART,
        with_restart(
            bot(reconnects_total=changes((0, 7), (75, 0)), connected=changes((0, 1), (75, 0), (80, 1))),
            60,
            75,
        ),
        silent_at=(60, 75, 80, 300),
    ),
]


def stale(severity: str, age: str, tier: str) -> Firing:
    """TradebotStateStale with an age as people read it."""
    return Firing(
        {**LINK, "severity": severity, "tier": tier},
        {
            "summary": "A bot has stopped reporting its state",
            "description": (
                f"No state came from arb for {age}. Its live figures are old and are no longer shown; it may "
                "still be trading."
            ),
            "runbook_url": "prometheus/runbooks/TradebotStateStale.md",
            "dashboard": BOARD,
        },
    )


# The last state came at 60; at the scrape at 80 it is 20 s old, more than stale_after.
QUIET = {"last_state_timestamp_seconds": until(60, every=5)}

STATE_STALE = [
    Case(
        "A live bot whose state is older than stale_after for 10 s is critical.",
        "TradebotStateStale",
        Kind.FIRES,
        bot(**QUIET),
        silent_at=(80, 89),
        firing_at=(90,),
        firing=(stale("critical", "30s", "live"),),
    ),
    Case(
        "A paper bot in the same place is a warning.",
        "TradebotStateStale",
        Kind.FIRES,
        bot(tier="paper", **QUIET),
        silent_at=(89,),
        firing_at=(90,),
        firing=(stale("warning", "30s", "paper"),),
    ),
    Case(
        "A bot that is connected but sends no first state is stale when the wait is longer than stale_after.",
        "TradebotStateStale",
        Kind.FIRES,
        bot(
            tier="paper",
            stale_after_seconds=always(180),
            last_state_timestamp_seconds=None,
            awaiting_first_state=always(1),
        ),
        silent_at=(180, 194),
        firing_at=(195,),
        firing=(stale("warning", "3m 15s", "paper"),),
    ),
    Case(
        "A state that comes late, but within stale_after, is not stale.",
        "TradebotStateStale",
        Kind.NEGATIVE,
        bot(last_state_timestamp_seconds=lambda at: at - at % 15),
        silent_at=(74, 75, 89, 90, 300),
    ),
    Case(
        "A bot that is meant to be quiet is not stale.",
        "TradebotStateStale",
        Kind.NEGATIVE,
        bot(**QUIET, expected=changes((0, 1), (65, 0))),
        silent_at=(90, 300),
    ),
    Case("Without series nothing is stale.", "TradebotStateStale", Kind.MISSING, {}, silent_at=(0, 300)),
    Case(
        "Without stale_after nothing is called stale.",
        "TradebotStateStale",
        Kind.MISSING,
        bot(**QUIET, stale_after_seconds=None),
        silent_at=(90, 300),
    ),
    Case(
        "A lost scrape does not make it start over.",
        "TradebotStateStale",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(**QUIET), 85),
        silent_at=(89,),
        firing_at=(90,),
        firing=(stale("critical", "30s", "live"),),
    ),
    Case(
        "A lost scrape does not make a fresh state old.",
        "TradebotStateStale",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(last_state_timestamp_seconds=lambda at: at - at % 15), 75),
        silent_at=(75, 79, 85, 89, 90, 100),
    ),
    Case(
        "An exporter that restarts for 19 s makes no state old.",
        "TradebotStateStale",
        Kind.RESTART,
        with_restart(bot(), gone=61, back=80),
        silent_at=(70, 79, 80, 85, 90, 100),
    ),
]


def hung(severity: str, age: str, tier: str) -> Firing:
    """TradebotLoopHung with an age as people read it."""
    return Firing(
        {**LINK, "severity": severity, "tier": tier},
        {
            "summary": "A bot is alive but its trading loop hangs",
            "description": (
                f"arb still sends heartbeats, but has not finished a cycle for {age}, more than three of its "
                "intervals. It manages nothing: neither working orders nor positions."
            ),
            "runbook_url": "prometheus/runbooks/TradebotLoopHung.md",
            "dashboard": BOARD,
        },
    )


LOOP_HUNG = [
    Case(
        "A live bot that beats, with its last cycle more than three intervals ago, is critical.",
        "TradebotLoopHung",
        Kind.FIRES,
        bot(**QUIET),
        silent_at=(75, 79),
        firing_at=(80,),
        firing=(hung("critical", "20s", "live"),),
    ),
    Case(
        "A paper bot in the same place is a warning.",
        "TradebotLoopHung",
        Kind.FIRES,
        bot(tier="paper", **QUIET),
        silent_at=(79,),
        firing_at=(80,),
        firing=(hung("warning", "20s", "paper"),),
    ),
    Case(
        "A bot without a beat is not hung but gone.",
        "TradebotLoopHung",
        Kind.NEGATIVE,
        bot(**STOPPED),
        silent_at=(70, 80, 300),
    ),
    Case(
        "A bot that has not finished its first cycle is starting.",
        "TradebotLoopHung",
        Kind.NEGATIVE,
        bot(**QUIET, awaiting_first_state=changes((0, 0), (65, 1))),
        silent_at=(80, 90, 300),
    ),
    Case(
        "A bot that is meant to be quiet is not hung.",
        "TradebotLoopHung",
        Kind.NEGATIVE,
        bot(**QUIET, expected=changes((0, 1), (65, 0))),
        silent_at=(80, 300),
    ),
    Case("Without series nothing hangs.", "TradebotLoopHung", Kind.MISSING, {}, silent_at=(0, 300)),
    Case(
        "A bot that sends no heartbeats cannot be seen to hang.",
        "TradebotLoopHung",
        Kind.MISSING,
        bot(**QUIET, last_heartbeat_timestamp_seconds=None),
        silent_at=(80, 300),
    ),
    Case(
        "A lost scrape does not interrupt it.",
        "TradebotLoopHung",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(**QUIET), 85),
        firing_at=(80, 85, 89),
        firing=(hung("critical", "20s", "live"),),
    ),
    Case(
        "A lost scrape hangs nobody.",
        "TradebotLoopHung",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(last_state_timestamp_seconds=lambda at: at - at % 15), 75),
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
