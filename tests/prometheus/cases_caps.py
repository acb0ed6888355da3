"""Situations of the risk alerts on caps and limits: one that does not hold, one that is not set, failures."""

from tests.prometheus.promtool import (
    Case,
    Firing,
    Kind,
    Series,
    always,
    bot,
    bridged,
    changes,
    firing,
    with_restart,
)

LATCHED = changes((0, 0), (60, 1))


def not_enforced(
    severity: str = "critical", tier: str = "live", pnl: str = "nobody reports its PnL of the day now"
) -> Firing:
    """TradebotCapNotEnforced, with what is known of the day's PnL."""
    return firing(
        "TradebotCapNotEnforced",
        "A bot goes on opening after its daily loss cap",
        f"arb broke its daily loss cap and has opened something since, more than a cycle later; {pnl}. Its "
        "cap does not hold it: kill it.",
        board="tradebot-live",
        area="risk",
        severity=severity,
        tier=tier,
        exempt="true",
    )


CAP_NOT_ENFORCED = [
    Case(
        "An opening after the breach is critical for a live bot, at the scrape that sees it.",
        "TradebotCapNotEnforced",
        Kind.FIRES,
        bot(cap_not_enforced=LATCHED, **{'daily_pnl_usd,source="bot"': always(-120)}),
        silent_at=(59,),
        firing_at=(60, 600),
        firing=(not_enforced(pnl="its PnL of the day is -120.00 USD by its own figures"),),
    ),
    Case(
        "It is a warning for a paper bot.",
        "TradebotCapNotEnforced",
        Kind.FIRES,
        bot(tier="paper", cap_not_enforced=LATCHED),
        silent_at=(59,),
        firing_at=(60,),
        firing=(not_enforced("warning", "paper"),),
    ),
    Case(
        "Planned quiet does not hide it.",
        "TradebotCapNotEnforced",
        Kind.FIRES,
        bot(cap_not_enforced=LATCHED, expected=always(0)),
        firing_at=(60, 300),
        firing=(not_enforced(),),
    ),
    Case(
        "It ends with the UTC day.",
        "TradebotCapNotEnforced",
        Kind.FIRES,
        bot(cap_not_enforced=changes((0, 1), (60, 0))),
        firing=(not_enforced(),),
        ends=(180, "the UTC day rolled over"),
    ),
    Case(
        "A breach whose cap holds is not this alert.",
        "TradebotCapNotEnforced",
        Kind.NEGATIVE,
        bot(cap_not_enforced=always(0), daily_loss_breached=always(1)),
        silent_at=(60, 300),
    ),
    Case(
        "Where nobody can tell, nothing is claimed.",
        "TradebotCapNotEnforced",
        Kind.MISSING,
        bot(daily_loss_breached=always(1)),
        silent_at=(60, 300),
    ),
    *bridged("TradebotCapNotEnforced", bot(cap_not_enforced=LATCHED), not_enforced(), at=60),
]


def cap_unset(severity: str = "critical", tier: str = "live") -> Firing:
    """TradebotCapUnsetLive."""
    return firing(
        "TradebotCapUnsetLive",
        "A bot trades live without a daily loss cap",
        "arb is in live mode, and its settings name no daily loss cap above 0. Nothing stops it however much "
        "it loses in a day.",
        board="tradebot-config",
        area="risk",
        severity=severity,
        tier=tier,
    )


def with_mode(tier: str = "live", mode: str = "live", **more: Series | None) -> dict[str, Series]:
    """A bot of a tier, in a mode, that has sent states."""
    modes = {f'last_mode,mode="{each}"': always(each == mode) for each in ("live", "paper")}
    return bot(tier=tier, **{"last_state_timestamp_seconds": lambda at: at, **modes, **more})


CAP_SET = changes((0, None), (60, 100))

CAP_UNSET_LIVE = [
    Case(
        "Live without a cap for half a minute is critical.",
        "TradebotCapUnsetLive",
        Kind.FIRES,
        with_mode(),
        silent_at=(0, 29),
        firing_at=(30, 300),
        firing=(cap_unset(),),
    ),
    Case(
        "A bot that is called paper and is live is a warning: that it pages is another alert's task.",
        "TradebotCapUnsetLive",
        Kind.FIRES,
        with_mode("paper"),
        silent_at=(29,),
        firing_at=(30,),
        firing=(cap_unset("warning", "paper"),),
    ),
    Case(
        "A cap that is set ends it.",
        "TradebotCapUnsetLive",
        Kind.FIRES,
        with_mode(daily_loss_cap_usd=CAP_SET),
        firing=(cap_unset(),),
        ends=(180, "recovered"),
    ),
    Case(
        "A bot of which nothing is known any more has not been given a cap.",
        "TradebotCapUnsetLive",
        Kind.MISSING,
        with_restart(with_mode(), gone=60, back=10**6),
        firing=(cap_unset(),),
        ends=(200, "its figures vanished"),
    ),
    Case(
        "A bot with a cap is fine.",
        "TradebotCapUnsetLive",
        Kind.NEGATIVE,
        with_mode(daily_loss_cap_usd=always(10)),
        silent_at=(30, 300),
    ),
    Case(
        "So is one on paper without one, whatever its tier.",
        "TradebotCapUnsetLive",
        Kind.NEGATIVE,
        with_mode(mode="paper"),
        silent_at=(30, 300),
    ),
    Case(
        "A cap that is set within half a minute of going live raises nothing, then or later.",
        "TradebotCapUnsetLive",
        Kind.NEGATIVE,
        with_mode(daily_loss_cap_usd=changes((0, 10), (60, None), (85, 10))),
        silent_at=(80, 90, 110, 200),
    ),
    Case(
        "Before the first state nobody knows whether there is a cap.",
        "TradebotCapUnsetLive",
        Kind.MISSING,
        with_mode(last_state_timestamp_seconds=None),
        silent_at=(30, 300),
    ),
    *bridged("TradebotCapUnsetLive", with_mode(), cap_unset(), at=30),
]


def failing(count: int, by: str = "its own count", limit: int = 5, tier: str = "live") -> Firing:
    """TradebotConsecutiveFailures with the count, who counts, and the limit."""
    return firing(
        "TradebotConsecutiveFailures",
        "A bot fails again and again",
        f"arb has failed {count} times in a row by {by}, and {limit} is where somebody should look. What "
        "failed are executions, or orders that were filled in part.",
        board="tradebot-live",
        area="risk",
        severity="warning",
        tier=tier,
    )


def with_failures(own: Series | None = None, kept: Series | None = None, limit: int = 0) -> dict[str, Series]:
    """A bot that counts so many failures in a row, its ledger, and the limit of its settings (0: none)."""
    return bot(
        **{
            'consecutive_failures,source="bot"': own,
            'consecutive_failures,source="ledger"': kept,
            'config_value,key="ARB_MAX_CONSECUTIVE_FAILURES"': always(limit),
        }
    )


CONSECUTIVE_FAILURES = [
    Case(
        "The fifth failure in a row is a warning.",
        "TradebotConsecutiveFailures",
        Kind.FIRES,
        with_failures(changes((0, 4), (60, 5))),
        silent_at=(59,),
        firing_at=(60, 600),
        firing=(failing(5),),
    ),
    Case(
        "A bot with a limit of its own is held to that.",
        "TradebotConsecutiveFailures",
        Kind.FIRES,
        with_failures(changes((0, 2), (60, 3)), limit=3),
        silent_at=(59,),
        firing_at=(60,),
        firing=(failing(3, limit=3),),
    ),
    Case(
        "Where the bot does not count, its ledger does.",
        "TradebotConsecutiveFailures",
        Kind.FIRES,
        with_failures(kept=changes((0, 4), (60, 6))),
        silent_at=(59,),
        firing_at=(60,),
        firing=(failing(6, "its ledger"),),
    ),
    Case(
        "One that works ends it.",
        "TradebotConsecutiveFailures",
        Kind.FIRES,
        with_failures(changes((0, 5), (60, 0))),
        firing=(failing(5),),
        ends=(180, "recovered"),
    ),
    Case(
        "A bot that says nothing of failures any more has not recovered from them.",
        "TradebotConsecutiveFailures",
        Kind.MISSING,
        with_failures(changes((0, 5), (60, None))),
        firing=(failing(5, "a count that is gone since"),),
        ends=(200, "its figures vanished"),
    ),
    Case(
        "What the ledger counts is nothing where the bot itself counts less, or the limit is higher.",
        "TradebotConsecutiveFailures",
        Kind.NEGATIVE,
        with_failures(always(9), always(12), limit=10),
        silent_at=(60, 300),
    ),
    Case(
        "Where nobody counts nothing is claimed.",
        "TradebotConsecutiveFailures",
        Kind.MISSING,
        with_failures(),
        silent_at=(60, 300),
    ),
    *bridged("TradebotConsecutiveFailures", with_failures(changes((0, 4), (60, 5))), failing(5), at=60)[:1],
    Case(
        "A minute without the exporter does not let it resolve.",
        "TradebotConsecutiveFailures",
        Kind.RESTART,
        with_restart(with_failures(changes((0, 4), (60, 5))), gone=90, back=150),
        firing_at=(90, 105, 150, 300),
        firing=(failing(5),),
    ),
]

CASES = [*CAP_NOT_ENFORCED, *CAP_UNSET_LIVE, *CONSECUTIVE_FAILURES]
