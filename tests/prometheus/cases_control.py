"""Situations of the control alerts: the kill switch."""

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


def killed(severity: str, cause: str, tier: str = "live") -> Firing:
    """TradebotKillSwitchActive."""
    return firing(
        "TradebotKillSwitchActive",
        "A bot's kill switch is on",
        f"arb reports that it is killed (cause: {cause}). It opens nothing and keeps its hedged positions "
        "until it is re-armed.",
        board="tradebot-live",
        area="control",
        severity=severity,
        tier=tier,
        cause=cause,
    )


def with_switch(tier: str = "live", **by_cause: Series) -> dict[str, Series]:
    """A bot that reports its kill switch, off but for the given causes."""
    causes = {"operator": always(0), "environment": always(0), "automatic": always(0), "unknown": always(0)}
    return bot(
        tier=tier,
        **{f'bot_kill_switch_active,cause="{c}"': s for c, s in {**causes, **by_cause}.items()},
    )


ACTIVATED = changes((0, 0), (60, 1))

CASES = [
    Case(
        "An operator's kill is a reminder.",
        "TradebotKillSwitchActive",
        Kind.FIRES,
        with_switch(operator=ACTIVATED),
        silent_at=(59,),
        firing_at=(60, 600),
        firing=(killed("info", "operator"),),
    ),
    Case(
        "A bot that killed itself is critical.",
        "TradebotKillSwitchActive",
        Kind.FIRES,
        with_switch(automatic=ACTIVATED),
        silent_at=(59,),
        firing_at=(60, 600),
        firing=(killed("critical", "automatic"),),
    ),
    Case(
        "So is a kill of which nobody knows the cause.",
        "TradebotKillSwitchActive",
        Kind.FIRES,
        with_switch(unknown=ACTIVATED),
        silent_at=(59,),
        firing_at=(60,),
        firing=(killed("critical", "unknown"),),
    ),
    Case(
        "A paper bot that killed itself is a warning.",
        "TradebotKillSwitchActive",
        Kind.FIRES,
        with_switch(tier="paper", automatic=ACTIVATED),
        silent_at=(59,),
        firing_at=(60,),
        firing=(killed("warning", "automatic", "paper"),),
    ),
    Case(
        "A bot that says that it is armed again ends it.",
        "TradebotKillSwitchActive",
        Kind.FIRES,
        with_switch(automatic=changes((0, 1), (60, 0))),
        firing=(killed("critical", "automatic"),),
        ends=(180, "recovered"),
    ),
    Case(
        "A bot of which nothing is known any more is not called armed.",
        "TradebotKillSwitchActive",
        Kind.MISSING,
        with_restart(with_switch(automatic=always(1)), gone=60, back=10**6),
        firing=(killed("critical", "automatic"),),
        ends=(200, "its figures vanished"),
    ),
    Case(
        "A bot that is armed raises nothing.",
        "TradebotKillSwitchActive",
        Kind.NEGATIVE,
        with_switch(),
        silent_at=(0, 60, 300),
    ),
    Case(
        "A bot that does not report its kill switch is not called killed.",
        "TradebotKillSwitchActive",
        Kind.MISSING,
        bot(),
        silent_at=(0, 60, 300),
    ),
    Case(
        "A lost scrape does not interrupt it.",
        "TradebotKillSwitchActive",
        Kind.LOST_SCRAPE,
        with_lost_scrape(with_switch(automatic=ACTIVATED), 70),
        firing_at=(60, 70, 74, 75),
        firing=(killed("critical", "automatic"),),
    ),
    Case(
        "A minute without the exporter does not let it resolve.",
        "TradebotKillSwitchActive",
        Kind.RESTART,
        with_restart(with_switch(automatic=ACTIVATED), gone=90, back=150),
        firing_at=(90, 115, 149, 150, 300),
        firing=(killed("critical", "automatic"),),
    ),
]
