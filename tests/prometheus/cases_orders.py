"""Situations of the control alerts on what this console ordered: kills, drills, modes, settings."""

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

DAY = 86_400
DECIDED = changes((0, 0), (60, 1))


def with_kill(tier: str = "live", **by_state: Series) -> dict[str, Series]:
    """A bot whose kill is ready, but for the given states of it, and that was drilled yesterday."""
    states = {"ready": always(1)} | {
        state: always(0) for state in ("sent", "acked", "verified", "unproven", "not_verified")
    }
    kill = {f'kill_state,state="{state}"': series for state, series in {**states, **by_state}.items()}
    return bot(tier=tier, last_drill_timestamp_seconds=always(-DAY), **kill)


def not_killed(severity: str, tier: str = "live") -> Firing:
    """TradebotKillNotVerified."""
    return firing(
        "TradebotKillNotVerified",
        "A bot goes on trading after its kill",
        "arb was ordered to stop, and a position or an order was opened since. Stop its process or "
        "its access to the venue by other means, now.",
        area="control",
        severity=severity,
        tier=tier,
        exempt="true",
    )


def unproven(severity: str, tier: str = "live") -> Firing:
    """TradebotKillUnproven."""
    return firing(
        "TradebotKillUnproven",
        "Nobody can say whether a bot was stopped",
        "arb was ordered to stop. Nothing was opened since that could be seen, and that is no proof: it is "
        "silent, or trades too seldom for its silence to mean anything.",
        area="control",
        severity=severity,
        tier=tier,
    )


DRILL = firing(
    "TradebotDrillOverdue",
    "A bot's kill has not been drilled for 30 days",
    "Nobody has proven within 30 days that arb can be stopped from here, or nobody ever has.",
    area="control",
    severity="info",
)


def mode_changed(severity: str, tier: str = "live") -> Firing:
    """TradebotModeChangedUnexpectedly."""
    return firing(
        "TradebotModeChangedUnexpectedly",
        "A bot changed between paper and live, and nobody ordered it",
        "arb reports another mode than before, without an order from here. If that is not meant, kill it "
        "first and look afterwards.",
        area="control",
        severity=severity,
        tier=tier,
        exempt="true",
    )


UNVERIFIED = firing(
    "TradebotSettingNotVerified",
    "A setting was accepted and is not what was asked for",
    "arb acknowledged a change of ARB_DAILY_LOSS_CAP_USD, and its states show another value. Take what its "
    "states say for true.",
    board="tradebot-config",
    area="control",
    severity="warning",
    key="ARB_DAILY_LOSS_CAP_USD",
)


def with_modes(tier: str = "live", last: str | None = None, **counts: Series) -> dict[str, Series]:
    """A bot of a tier that was last seen in a mode, with the mode changes that were counted."""
    seen = last or tier
    return bot(
        tier=tier,
        **{f'last_mode,mode="{mode}"': always(mode == seen) for mode in ("live", "paper")},
        **{f'mode_changes_total,expected="{e}"': counts.get(e, always(0)) for e in ("true", "false")},
    )


def with_setting(value: Series) -> dict[str, Series]:
    """A bot with one setting that was changed from here."""
    return bot(**{'config_unverified,key="ARB_DAILY_LOSS_CAP_USD"': value})


KILLS = [
    case
    for alert, state, of in (
        ("TradebotKillNotVerified", "not_verified", not_killed),
        ("TradebotKillUnproven", "unproven", unproven),
    )
    for case in (
        Case(
            "A live bot's kill that came to this is critical at once.",
            alert,
            Kind.FIRES,
            with_kill(**{state: DECIDED}),
            silent_at=(59,),
            firing_at=(60, 600),
            firing=(of("critical"),),
        ),
        Case(
            "A paper bot's is a warning.",
            alert,
            Kind.FIRES,
            with_kill("paper", **{state: DECIDED}),
            silent_at=(59,),
            firing_at=(60,),
            firing=(of("warning", "paper"),),
        ),
        Case(
            "A kill on its way, and one that is proven, raise nothing.",
            alert,
            Kind.NEGATIVE,
            with_kill(sent=always(1), acked=always(1), verified=always(1)),
            silent_at=(0, 60, 300),
        ),
        Case(
            "Of a bot whose kill nobody knows nothing is claimed.",
            alert,
            Kind.MISSING,
            bot(),
            silent_at=(0, 60, 300),
        ),
        Case(
            "A lost scrape does not interrupt it.",
            alert,
            Kind.LOST_SCRAPE,
            with_lost_scrape(with_kill(**{state: DECIDED}), 70),
            firing_at=(60, 70, 74, 75),
            firing=(of("critical"),),
        ),
        Case(
            "A minute without the exporter does not let it resolve.",
            alert,
            Kind.RESTART,
            with_restart(with_kill(**{state: DECIDED}), gone=90, back=150),
            firing_at=(90, 115, 149, 150, 300),
            firing=(of("critical"),),
        ),
    )
]

COUNTING = {
    "kill_timestamp_seconds": always(60),
    "kill_quiet_cycles": lambda at: 0 if at < 60 else min(5, (at - 60) // 60),
    "kill_quiet_cycles_needed": always(7),
}

SLOW_PROOFS = [
    Case(
        "A silence that counts up towards its proof has two minutes.",
        "TradebotKillUnproven",
        Kind.FIRES,
        with_kill(unproven=DECIDED) | bot(**COUNTING),
        silent_at=(60, 179),
        firing_at=(180, 600),
        firing=(unproven("critical"),),
    ),
    Case(
        "One that is proven within them raises nothing.",
        "TradebotKillUnproven",
        Kind.NEGATIVE,
        with_kill(unproven=changes((0, 0), (60, 1), (120, 0)), verified=changes((0, 0), (120, 1)))
        | bot(**COUNTING),
        silent_at=(60, 119, 125, 180, 300),
    ),
    Case(
        "A silence that would never prove it has no two minutes.",
        "TradebotKillUnproven",
        Kind.FIRES,
        with_kill(unproven=DECIDED) | bot(**{**COUNTING, "kill_quiet_cycles_needed": None}),
        silent_at=(59,),
        firing_at=(60,),
        firing=(unproven("critical"),),
    ),
    Case(
        "Nor has that of a bot which does not speak.",
        "TradebotKillUnproven",
        Kind.FIRES,
        with_kill(unproven=DECIDED) | bot(**COUNTING, up=always(0)),
        silent_at=(59,),
        firing_at=(60,),
        firing=(unproven("critical"),),
    ),
]

ENDS = [
    Case(
        "A kill that is taken back, or proven at last, ends it.",
        "TradebotKillNotVerified",
        Kind.FIRES,
        with_kill(not_verified=changes((0, 1), (60, 0)), ready=changes((0, 0), (60, 1))),
        firing=(not_killed("critical"),),
        ends=(180, "recovered"),
    ),
    Case(
        "A kill of which nobody knows any more has not worked.",
        "TradebotKillNotVerified",
        Kind.MISSING,
        with_restart(with_kill(not_verified=always(1)), gone=60, back=10**6),
        firing=(not_killed("critical"),),
        ends=(200, "its figures vanished"),
    ),
    Case(
        "A proof ends it.",
        "TradebotKillUnproven",
        Kind.FIRES,
        with_kill(unproven=changes((0, 1), (60, 0)), verified=changes((0, 0), (60, 1))),
        firing=(unproven("critical"),),
        ends=(180, "recovered"),
    ),
    Case(
        "A drill ends it.",
        "TradebotDrillOverdue",
        Kind.FIRES,
        with_kill() | bot(last_drill_timestamp_seconds=changes((0, -31 * DAY), (700, 700))),
        firing=(DRILL,),
        ends=(820, "recovered"),
    ),
    Case(
        "A mode that changed a quarter of an hour ago is no news, and not called right.",
        "TradebotModeChangedUnexpectedly",
        Kind.FIRES,
        with_modes("live", "paper", false=DECIDED),
        firing=(mode_changed("critical"),),
        ends=(960, "its mode has not changed again for a quarter of an hour"),
    ),
    Case(
        "A setting that is there at last ends it.",
        "TradebotSettingNotVerified",
        Kind.FIRES,
        with_setting(changes((0, 1), (60, 0))),
        firing=(UNVERIFIED,),
        ends=(180, "recovered"),
    ),
]

DRILLS = [
    Case(
        "A drill that turns 30 days old is overdue ten minutes later.",
        "TradebotDrillOverdue",
        Kind.FIRES,
        with_kill() | bot(last_drill_timestamp_seconds=always(60 - 30 * DAY)),
        silent_at=(60, 664),
        firing_at=(665,),
        firing=(DRILL,),
    ),
    Case(
        "A bot that was never drilled is overdue, too.",
        "TradebotDrillOverdue",
        Kind.FIRES,
        {name: s for name, s in with_kill().items() if "last_drill" not in name},
        silent_at=(0, 599),
        firing_at=(600,),
        firing=(DRILL,),
    ),
    Case(
        "A drill of yesterday is good.",
        "TradebotDrillOverdue",
        Kind.NEGATIVE,
        with_kill(),
        silent_at=(0, 600, 1200),
    ),
    Case(
        "Of a bot whose kill nobody knows nothing is claimed.",
        "TradebotDrillOverdue",
        Kind.MISSING,
        bot(),
        silent_at=(0, 600, 1200),
    ),
    Case(
        "A lost scrape does not begin the ten minutes anew.",
        "TradebotDrillOverdue",
        Kind.LOST_SCRAPE,
        with_lost_scrape(with_kill() | bot(last_drill_timestamp_seconds=always(-31 * DAY)), 300),
        silent_at=(599,),
        firing_at=(600,),
        firing=(DRILL,),
    ),
    Case(
        "A minute without the exporter does not let it resolve.",
        "TradebotDrillOverdue",
        Kind.RESTART,
        with_restart(with_kill() | bot(last_drill_timestamp_seconds=always(-31 * DAY)), gone=700, back=760),
        firing_at=(700, 759, 760, 800),
        firing=(DRILL,),
    ),
]

SWITCHED = changes((0, 0), (60, 1))
MODES = [
    Case(
        "A live bot that fell back to paper by itself is critical.",
        "TradebotModeChangedUnexpectedly",
        Kind.FIRES,
        with_modes("live", "paper", false=SWITCHED),
        silent_at=(59,),
        firing_at=(60, 600),
        firing=(mode_changed("critical"),),
    ),
    Case(
        "A bot that is configured as paper and trades live counts as live, and pages.",
        "TradebotModeChangedUnexpectedly",
        Kind.FIRES,
        with_modes("paper", "live", false=SWITCHED),
        silent_at=(59,),
        firing_at=(60,),
        firing=(mode_changed("critical"),),
    ),
    Case(
        "A paper bot that was live for a moment and is paper again is a warning.",
        "TradebotModeChangedUnexpectedly",
        Kind.FIRES,
        with_modes("paper", "paper", false=SWITCHED),
        silent_at=(59,),
        firing_at=(60,),
        firing=(mode_changed("warning", "paper"),),
    ),
    Case(
        "A change that was ordered raises nothing.",
        "TradebotModeChangedUnexpectedly",
        Kind.NEGATIVE,
        with_modes("live", "paper", true=SWITCHED),
        silent_at=(0, 60, 300),
    ),
    Case(
        "Where changes are not counted none is claimed.",
        "TradebotModeChangedUnexpectedly",
        Kind.MISSING,
        bot(),
        silent_at=(0, 60, 300),
    ),
    Case(
        "A lost scrape does not hide it.",
        "TradebotModeChangedUnexpectedly",
        Kind.LOST_SCRAPE,
        with_lost_scrape(with_modes("live", "paper", false=SWITCHED), 60),
        silent_at=(64,),
        firing_at=(65, 75),
        firing=(mode_changed("critical"),),
    ),
    Case(
        "An exporter that restarts and counts from 0 neither ends nor repeats it.",
        "TradebotModeChangedUnexpectedly",
        Kind.RESTART,
        with_restart(
            with_modes("live", "paper", false=changes((0, 0), (60, 1), (150, 0))), gone=90, back=150
        ),
        firing_at=(90, 149, 150, 700),
        firing=(mode_changed("critical"),),
    ),
]

SETTINGS = [
    Case(
        "A setting that was accepted and is not there is told at once.",
        "TradebotSettingNotVerified",
        Kind.FIRES,
        with_setting(changes((0, 0), (60, 1))),
        silent_at=(59,),
        firing_at=(60, 300),
        firing=(UNVERIFIED,),
    ),
    Case(
        "A setting that is what was asked for raises nothing.",
        "TradebotSettingNotVerified",
        Kind.NEGATIVE,
        with_setting(always(0)),
        silent_at=(0, 60, 300),
    ),
    Case(
        "Where nothing was changed from here nothing is claimed.",
        "TradebotSettingNotVerified",
        Kind.MISSING,
        bot(),
        silent_at=(0, 60, 300),
    ),
    Case(
        "A lost scrape does not interrupt it.",
        "TradebotSettingNotVerified",
        Kind.LOST_SCRAPE,
        with_lost_scrape(with_setting(changes((0, 0), (60, 1))), 70),
        firing_at=(60, 70, 74, 75),
        firing=(UNVERIFIED,),
    ),
    Case(
        "A minute without the exporter does not let it resolve.",
        "TradebotSettingNotVerified",
        Kind.RESTART,
        with_restart(with_setting(changes((0, 0), (60, 1))), gone=90, back=150),
        firing_at=(90, 115, 149, 150, 300),
        firing=(UNVERIFIED,),
    ),
]

CASES = [*KILLS, *SLOW_PROOFS, *DRILLS, *MODES, *SETTINGS, *ENDS]
