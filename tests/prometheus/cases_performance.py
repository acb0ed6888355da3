"""Situations of the alerts on performance: a bot that takes nothing of what it finds, and slow cycles."""

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

REASON = "fill_probability_below_threshold"
BLOCKED = firing(
    "TradebotBlocked",
    "A bot finds opportunities and takes none",
    "arb has opened nothing for half an hour and skipped more than 30 opportunities, nearly all of them for "
    f"one reason: {REASON}.",
    board="tradebot-live",
    area="performance",
    severity="warning",
    reason=REASON,
)


def with_block(blocked: Series, **more: Series | None) -> dict[str, Series]:
    """A bot that one reason blocks, or not (None)."""
    return bot(**{f'blocked,reason="{REASON}"': blocked, **more})


ON = changes((0, None), (60, 1))

BLOCKING = [
    Case(
        "One reason that blocks for ten minutes is a warning.",
        "TradebotBlocked",
        Kind.FIRES,
        with_block(ON),
        silent_at=(60, 659),
        firing_at=(660, 900),
        firing=(BLOCKED,),
    ),
    Case(
        "An opening ends it.",
        "TradebotBlocked",
        Kind.FIRES,
        with_block(changes((0, 1), (700, None))),
        firing=(BLOCKED,),
        ends=(1320, "recovered"),
    ),
    Case(
        "It ends as planned where the bot is sent away.",
        "TradebotBlocked",
        Kind.FIRES,
        with_block(changes((0, 1), (700, None)), expected=changes((0, 1), (700, 0))),
        firing=(BLOCKED,),
        ends=(1300, "planned: quiet began"),
    ),
    Case(
        "With the exporter goes what it counted, and that is no opening.",
        "TradebotBlocked",
        Kind.MISSING,
        with_restart(with_block(always(1)), gone=700, back=10**6),
        firing=(BLOCKED,),
        ends=(1320, "its figures vanished"),
    ),
    Case(
        "A bot that is silent has not opened anything.",
        "TradebotBlocked",
        Kind.MISSING,
        with_block(changes((0, 1), (700, None)), up=changes((0, 1), (700, 0))),
        firing=(BLOCKED,),
        ends=(1320, "its figures vanished"),
    ),
    Case(
        "Nine minutes are none.",
        "TradebotBlocked",
        Kind.NEGATIVE,
        with_block(changes((0, None), (60, 1), (600, None))),
        silent_at=(600, 620, 660, 900),
    ),
    Case(
        "A bot that somebody paused skips as it should.",
        "TradebotBlocked",
        Kind.NEGATIVE,
        with_block(always(1), **{'status,status="paused"': always(1)}),
        silent_at=(600, 900),
    ),
    Case(
        "So does one that is killed.",
        "TradebotBlocked",
        Kind.NEGATIVE,
        with_block(always(1), **{'bot_kill_switch_active,cause="operator"': always(1)}),
        silent_at=(600, 900),
    ),
    Case(
        "So does one that is meant to be quiet.",
        "TradebotBlocked",
        Kind.NEGATIVE,
        with_block(always(1), expected=always(0)),
        silent_at=(600, 900),
    ),
    Case(
        "Without decisions nothing is claimed.",
        "TradebotBlocked",
        Kind.MISSING,
        bot(),
        silent_at=(600, 900),
    ),
    *bridged("TradebotBlocked", with_block(ON), BLOCKED, at=660),
]


def slow(share: str = "95%") -> Firing:
    """TradebotCycleSlow with the share of the interval that nine of ten cycles take at most."""
    return firing(
        "TradebotCycleSlow",
        "A bot's cycles take nearly as long as the time between them",
        f"For ten minutes one of ten cycles of arb has taken {share} of its interval or more. It decides on "
        "older and older quotes, and soon it falls behind.",
        board="tradebot-system",
        area="performance",
        severity="warning",
    )


BOUNDS = ("2.5", "5", "10", "+Inf")


def with_cycles(
    slow_until: int = 10**6, *, interval: float | None = 5, observed: float | None = None, tier: str = "live"
) -> dict[str, Series]:
    """A bot that ends a cycle at each scrape, in 2.5 to 5 s until a second and faster from then on.

    By the bounds of the histogram nine of ten slow ones took at most 4.75 s, 95 % of an interval of 5 s.
    """

    def counts(bound: str) -> Series:
        return lambda at: (
            len(range(0, at + 1, 5)) - (bound == "2.5") * len(range(0, min(at, slow_until) + 1, 5))
        )

    return bot(
        tier=tier,
        **{f'cycle_duration_seconds_bucket,le="{bound}"': counts(bound) for bound in BOUNDS},
        **{
            'config_value,key="ARB_POLL_INTERVAL_SECONDS"': None if interval is None else always(interval),
            "expected_interval_seconds": None if observed is None else always(observed),
        },
    )


CYCLE_SLOW = [
    Case(
        "Cycles that take nearly their interval for ten minutes are a warning.",
        "TradebotCycleSlow",
        Kind.FIRES,
        with_cycles(),
        silent_at=(5, 604),
        firing_at=(605, 900),
        firing=(slow(),),
    ),
    Case(
        "Where no setting names the interval, the observed one counts.",
        "TradebotCycleSlow",
        Kind.FIRES,
        with_cycles(interval=None, observed=5),
        silent_at=(604,),
        firing_at=(605,),
        firing=(slow(),),
    ),
    Case(
        "Fast cycles end it when they are three quarters of five minutes.",
        "TradebotCycleSlow",
        Kind.FIRES,
        with_cycles(700, interval=4.9),
        firing=(slow("80%"),),
        ends=(1055, "recovered"),
    ),
    Case(
        "It ends as planned where the bot is sent away.",
        "TradebotCycleSlow",
        Kind.FIRES,
        with_cycles() | bot(expected=changes((0, 1), (700, 0))),
        firing=(slow(),),
        ends=(820, "planned: quiet began"),
    ),
    Case(
        "With the exporter it ends as unknown.",
        "TradebotCycleSlow",
        Kind.MISSING,
        with_restart(with_cycles(), gone=700, back=10**6),
        firing=(slow(),),
        ends=(840, "its figures vanished"),
    ),
    Case(
        "Slow cycles are no harm to a bot that has time for them.",
        "TradebotCycleSlow",
        Kind.NEGATIVE,
        with_cycles(interval=10),
        silent_at=(605, 900),
    ),
    Case(
        "Five minutes of them are none.",
        "TradebotCycleSlow",
        Kind.NEGATIVE,
        with_cycles(300),
        silent_at=(300, 605, 900),
    ),
    Case(
        "A bot that ends no cycle, and one whose interval nobody knows, have no slow ones.",
        "TradebotCycleSlow",
        Kind.MISSING,
        with_cycles(interval=None),
        silent_at=(605, 900),
    ),
    *bridged("TradebotCycleSlow", with_cycles(), slow(), at=605),
]

CASES = [*BLOCKING, *CYCLE_SLOW]
