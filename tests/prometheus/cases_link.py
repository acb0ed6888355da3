"""Situations of the other link alerts: bots that flap, fall silent or hang."""

from tests.prometheus.cases_disconnected import KILLED, STOPPED
from tests.prometheus.promtool import (
    Case,
    Firing,
    Kind,
    always,
    bot,
    changes,
    firing,
    until,
    with_lost_scrape,
    with_restart,
)

FLAPPING_FIRING = firing(
    "TradebotFlapping",
    "A bot's connection comes and goes",
    "The control socket of arb was lost and found again at least three times within ten minutes.",
    area="link",
    severity="warning",
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
        "Ten minutes after the last of them it has recovered.",
        "TradebotFlapping",
        Kind.FIRES,
        bot(connected=changes((0, 1), (60, 0), (62, 1), (70, 0), (75, 1), (80, 0), (85, 1))),
        firing_at=(300,),
        firing=(FLAPPING_FIRING,),
        ends=(657, "recovered"),
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
    return firing(
        "TradebotStateStale",
        "A bot has stopped reporting its state",
        "arb is connected, but its state is overdue. Its live figures are old and no longer shown; "
        "it may still be trading.",
        area="link",
        severity=severity,
        tier=tier,
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
        "A state that comes at last ends it.",
        "TradebotStateStale",
        Kind.FIRES,
        bot(up=changes((0, 1), (80, 0), (120, 1))),
        firing=(stale("critical", "live"),),
        ends=(121, "recovered"),
    ),
    Case(
        "A bot that is stale and then gone has not recovered: it is gone.",
        "TradebotStateStale",
        Kind.FIRES,
        bot(
            up=changes((0, 1), (80, 0)),
            connected=changes((0, 1), (120, 0)),
            last_heartbeat_timestamp_seconds=until(118),
        ),
        firing=(stale("critical", "live"),),
        ends=(121, "the connection was lost"),
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
    return firing(
        "TradebotLoopHung",
        "A bot is alive but its trading loop hangs",
        "arb still sends heartbeats, but no cycle has ended for more than three of its intervals. It "
        "manages nothing: neither working orders nor positions.",
        area="link",
        severity=severity,
        tier=tier,
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
        "A cycle that ends at last ends it.",
        "TradebotLoopHung",
        Kind.FIRES,
        bot(loop_hung=changes((0, 0), (80, 1), (120, 0))),
        firing=(hung("critical", "live"),),
        ends=(121, "recovered"),
    ),
    Case(
        "A hung bot that is killed has not recovered.",
        "TradebotLoopHung",
        Kind.FIRES,
        bot(
            loop_hung=changes((0, 0), (80, 1), (120, None)),
            connected=changes((0, 1), (120, 0)),
            last_heartbeat_timestamp_seconds=until(118),
        ),
        firing=(hung("critical", "live"),),
        ends=(137, "the connection was lost"),
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

CASES = [*FLAPPING, *STATE_STALE, *LOOP_HUNG]
