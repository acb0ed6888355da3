"""Situations of the risk, control and self alerts: what must fire, when, and what must not."""

from tests.prometheus.promtool import (
    INSTANCE,
    LOST,
    Case,
    Firing,
    Kind,
    Series,
    always,
    bot,
    changes,
    until,
    with_lost_scrape,
    with_restart,
)

LIVE_PAGE = "/d/tradebot-live?var-bot=arb"


def labels(area: str, severity: str, tier: str = "live", **more: str) -> dict[str, str]:
    """The labels of an alert of the bot."""
    return {"area": area, "severity": severity, "bot": "arb", "instance": INSTANCE, "tier": tier, **more}


def near(used: str, tier: str = "live") -> Firing:
    """TradebotLossCapNear with the used part as people read it."""
    return Firing(
        labels("risk", "warning", tier),
        {
            "summary": "A bot is near its daily loss cap",
            "description": (
                f"arb has used {used} of its daily loss cap, or is losing so fast that it reaches the "
                "cap within 15 minutes. At the cap it stops opening positions until 00:00 UTC."
            ),
            "runbook_url": "prometheus/runbooks/TradebotLossCapNear.md",
            "dashboard": LIVE_PAGE,
        },
    )


def with_cap(used: Series, cap: float | None = 100, source: str = "bot") -> dict[str, Series]:
    """A live bot with a cap of 100 USD of which so much is used."""
    remaining: Series = lambda at: None if used(at) is None else 100 - float(used(at) or 0)  # noqa: E731
    return bot(
        daily_loss_cap_usd=None if cap is None else always(cap),
        **{f'daily_loss_cap_remaining_usd,source="{source}"': remaining},
    )


# Four fifths used from the start, 75 % from 120 on, 69 % from 180 on.
DOWN = changes((0, 80), (120, 75), (180, 69))

LOSS_CAP_NEAR = [
    Case(
        "Eighty per cent used for 10 s is a warning.",
        "TradebotLossCapNear",
        Kind.FIRES,
        with_cap(changes((0, 79), (60, 80))),
        silent_at=(60, 69),
        firing_at=(70, 119),
        firing=(near("80%"),),
    ),
    Case(
        "Between seventy and eighty it goes on, with the figure of now.",
        "TradebotLossCapNear",
        Kind.FIRES,
        with_cap(DOWN),
        firing_at=(120, 179),
        firing=(near("75%"),),
    ),
    Case(
        "Below seventy it ends, after the five minutes that keep it from flapping.",
        "TradebotLossCapNear",
        Kind.NEGATIVE,
        with_cap(DOWN),
        silent_at=(480, 600),
    ),
    Case(
        "A loss that grows by 4 % of the cap a minute is a warning when two fifths are used.",
        "TradebotLossCapNear",
        Kind.FIRES,
        with_cap(lambda at: at / 15),
        silent_at=(590, 600),
        firing_at=(650,),
        firing=(near("43.33%"),),
    ),
    Case(
        "Seventy-nine per cent that stand still are no warning.",
        "TradebotLossCapNear",
        Kind.NEGATIVE,
        with_cap(always(79)),
        silent_at=(60, 300, 700),
    ),
    Case(
        "Three fifths lost at once just after the start is no slope.",
        "TradebotLossCapNear",
        Kind.NEGATIVE,
        with_cap(changes((0, 0), (30, 60))),
        silent_at=(45, 60, 240),
    ),
    Case(
        "A bot without a cap is near none.",
        "TradebotLossCapNear",
        Kind.MISSING,
        with_cap(always(95), cap=None),
        silent_at=(60, 300),
    ),
    Case(
        "Headroom that nobody reports is near no cap.",
        "TradebotLossCapNear",
        Kind.MISSING,
        bot(daily_loss_cap_usd=always(100)),
        silent_at=(60, 300),
    ),
    Case(
        "A lost scrape does not make it start over.",
        "TradebotLossCapNear",
        Kind.LOST_SCRAPE,
        with_lost_scrape(with_cap(changes((0, 10), (60, 90))), 65),
        silent_at=(69,),
        firing_at=(70, 100),
        firing=(near("90%"),),
    ),
    Case(
        "A restart of the exporter does not let it resolve, nor does a source that changes meanwhile.",
        "TradebotLossCapNear",
        Kind.RESTART,
        with_restart(
            {
                **with_cap(changes((0, 90), (90, None))),
                **with_cap(changes((0, None), (120, 90)), source="ledger"),
            },
            gone=90,
            back=120,
        ),
        firing_at=(89, 100, 115, 120, 130, 200),
        firing=(near("90%"),),
    ),
]


def breached(severity: str, tier: str) -> Firing:
    """TradebotLossCapBreached."""
    return Firing(
        labels("risk", severity, tier, exempt="true"),
        {
            "summary": "A bot broke its daily loss cap",
            "description": (
                "arb has lost its daily loss cap or more since 00:00 UTC. It must open nothing until the day "
                "ends; see that it does not."
            ),
            "runbook_url": "prometheus/runbooks/TradebotLossCapBreached.md",
            "dashboard": LIVE_PAGE,
        },
    )


LATCHED = changes((0, 0), (60, 1))

LOSS_CAP_BREACHED = [
    Case(
        "A live bot's latch is critical at the scrape that sees it.",
        "TradebotLossCapBreached",
        Kind.FIRES,
        bot(daily_loss_breached=LATCHED),
        silent_at=(59,),
        firing_at=(60, 600),
        firing=(breached("critical", "live"),),
    ),
    Case(
        "A paper bot's is a warning.",
        "TradebotLossCapBreached",
        Kind.FIRES,
        bot(tier="paper", daily_loss_breached=LATCHED),
        silent_at=(59,),
        firing_at=(60,),
        firing=(breached("warning", "paper"),),
    ),
    Case(
        "It goes on when the bot is lost, and when it is meant to be away.",
        "TradebotLossCapBreached",
        Kind.FIRES,
        bot(
            daily_loss_breached=LATCHED,
            connected=changes((0, 1), (90, 0)),
            expected=changes((0, 1), (120, 0)),
            last_heartbeat_timestamp_seconds=until(90),
        ),
        firing_at=(90, 120, 600),
        firing=(breached("critical", "live"),),
    ),
    Case(
        "A cap of which nothing is left, but whose latch is open, is not called broken.",
        "TradebotLossCapBreached",
        Kind.NEGATIVE,
        {**with_cap(always(99)), **bot(daily_loss_breached=always(0))},
        silent_at=(60, 300),
    ),
    Case(
        "It ends two minutes after the day that ends the latch.",
        "TradebotLossCapBreached",
        Kind.NEGATIVE,
        bot(daily_loss_breached=changes((0, 1), (60, 0))),
        silent_at=(181, 300),
    ),
    Case(
        "Without the latch's series nothing is claimed.",
        "TradebotLossCapBreached",
        Kind.MISSING,
        bot(),
        silent_at=(60, 300),
    ),
    Case(
        "A lost scrape does not interrupt it.",
        "TradebotLossCapBreached",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(daily_loss_breached=LATCHED), 70),
        firing_at=(60, 70, 74, 75),
        firing=(breached("critical", "live"),),
    ),
    Case(
        "A minute without the exporter does not let it resolve.",
        "TradebotLossCapBreached",
        Kind.RESTART,
        with_restart(bot(daily_loss_breached=LATCHED), gone=90, back=150),
        firing_at=(90, 110, 115, 145, 150, 155, 300),
        firing=(breached("critical", "live"),),
    ),
]


def killed(severity: str, cause: str, tier: str = "live") -> Firing:
    """TradebotKillSwitchActive."""
    return Firing(
        labels("control", severity, tier, cause=cause),
        {
            "summary": "A bot's kill switch is on",
            "description": (
                f"arb reports that it is killed (cause: {cause}). It opens nothing and keeps its hedged "
                "positions until it is re-armed."
            ),
            "runbook_url": "prometheus/runbooks/TradebotKillSwitchActive.md",
            "dashboard": LIVE_PAGE,
        },
    )


def with_switch(tier: str = "live", **by_cause: Series) -> dict[str, Series]:
    """A bot that reports its kill switch, off but for the given causes."""
    causes = {"operator": always(0), "environment": always(0), "automatic": always(0), "unknown": always(0)}
    return bot(
        tier=tier,
        **{f'bot_kill_switch_active,cause="{c}"': s for c, s in {**causes, **by_cause}.items()},
    )


KILL_SWITCH_ACTIVE = [
    Case(
        "An operator's kill is a reminder.",
        "TradebotKillSwitchActive",
        Kind.FIRES,
        with_switch(operator=LATCHED),
        silent_at=(59,),
        firing_at=(60, 600),
        firing=(killed("info", "operator"),),
    ),
    Case(
        "A bot that killed itself is critical.",
        "TradebotKillSwitchActive",
        Kind.FIRES,
        with_switch(automatic=LATCHED),
        silent_at=(59,),
        firing_at=(60, 600),
        firing=(killed("critical", "automatic"),),
    ),
    Case(
        "So is a kill of which nobody knows the cause.",
        "TradebotKillSwitchActive",
        Kind.FIRES,
        with_switch(unknown=LATCHED),
        silent_at=(59,),
        firing_at=(60,),
        firing=(killed("critical", "unknown"),),
    ),
    Case(
        "A paper bot that killed itself is a warning.",
        "TradebotKillSwitchActive",
        Kind.FIRES,
        with_switch(tier="paper", automatic=LATCHED),
        silent_at=(59,),
        firing_at=(60,),
        firing=(killed("warning", "automatic", "paper"),),
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
        with_lost_scrape(with_switch(automatic=LATCHED), 70),
        firing_at=(60, 70, 74, 75),
        firing=(killed("critical", "automatic"),),
    ),
    Case(
        "A minute without the exporter does not let it resolve.",
        "TradebotKillSwitchActive",
        Kind.RESTART,
        with_restart(with_switch(automatic=LATCHED), gone=90, back=150),
        firing_at=(90, 115, 149, 150, 300),
        firing=(killed("critical", "automatic"),),
    ),
]

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

CASES = [*LOSS_CAP_NEAR, *LOSS_CAP_BREACHED, *KILL_SWITCH_ACTIVE, *EXPORTER_DOWN, *WATCHDOG]
