"""Situations of the risk alerts on what is open: exposure of one leg, old orders, late settlements."""

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

SILENT = ", by the last that it reported: it says nothing of it now"
VENUE = 'venue="kalshi"'


def unhedged(severity: str = "critical", tier: str = "live", usd: str = "38.00", by_now: str = "") -> Firing:
    """TradebotUnhedged with its USD, and what is said where they are no longer reported."""
    return firing(
        "TradebotUnhedged",
        "A bot has exposure without its other leg",
        f"arb has had {usd} USD without the other leg for 15 seconds or longer{by_now}. Until it is hedged "
        "or sold, it gains or loses with the market.",
        board="tradebot-live",
        area="risk",
        severity=severity,
        tier=tier,
        exempt="true",
    )


def with_exposure(kalshi: Series, tier: str = "live", **more: Series) -> dict[str, Series]:
    """A bot that has so much unhedged at one of its venues, and nothing at the other."""
    return bot(
        tier=tier,
        **{f"unhedged_usd,{VENUE}": kalshi, 'unhedged_usd,venue="polymarket"': always(0), **more},
    )


OPENED = changes((0, 0), (60, 38))

UNHEDGED = [
    Case(
        "Fifteen seconds of exposure are critical for a live bot.",
        "TradebotUnhedged",
        Kind.FIRES,
        with_exposure(OPENED),
        silent_at=(60, 74),
        firing_at=(75, 600),
        firing=(unhedged(),),
    ),
    Case(
        "They are a warning for a paper bot.",
        "TradebotUnhedged",
        Kind.FIRES,
        with_exposure(OPENED, "paper"),
        silent_at=(74,),
        firing_at=(75,),
        firing=(unhedged("warning", "paper"),),
    ),
    Case(
        "A bot of tier live that was last seen on paper has no money at stake.",
        "TradebotUnhedged",
        Kind.FIRES,
        with_exposure(OPENED, **{'last_mode,mode="live"': always(0), 'last_mode,mode="paper"': always(1)}),
        silent_at=(74,),
        firing_at=(75,),
        firing=(unhedged("warning"),),
    ),
    Case(
        "What two venues leave open adds up.",
        "TradebotUnhedged",
        Kind.FIRES,
        bot(**{f"unhedged_usd,{VENUE}": OPENED, 'unhedged_usd,venue="polymarket"': always(4.5)}),
        firing_at=(90,),
        firing=(unhedged(usd="42.50"),),
    ),
    Case(
        "Planned quiet does not hide it.",
        "TradebotUnhedged",
        Kind.FIRES,
        with_exposure(OPENED, expected=always(0)),
        firing_at=(75,),
        firing=(unhedged(),),
    ),
    Case(
        "Exposure of a bot that has stopped reporting is carried on for as long as nobody says otherwise.",
        "TradebotUnhedged",
        Kind.FIRES,
        bot(
            up=changes((0, 1), (90, 0)),
            connected=changes((0, 1), (90, 0)),
            **{f"unhedged_usd,{VENUE}": changes((0, 38), (90, None))},
        ),
        firing_at=(115, 600, 1800),
        firing=(unhedged(by_now=SILENT),),
    ),
    Case(
        "A bot that says that it is hedged ends it.",
        "TradebotUnhedged",
        Kind.FIRES,
        with_exposure(changes((0, 38), (90, 0))),
        firing=(unhedged(),),
        ends=(210, "recovered"),
    ),
    Case(
        "Exposure that nobody could watch any more has not gone.",
        "TradebotUnhedged",
        Kind.MISSING,
        with_restart(with_exposure(always(38)), gone=90, back=10**6),
        firing=(unhedged(by_now=SILENT),),
        ends=(230, "its figures vanished"),
    ),
    Case(
        "A bot that was started anew and does not report its exposure is not held to what it was.",
        "TradebotUnhedged",
        Kind.MISSING,
        bot(
            up=changes((0, 1), (90, 0), (150, 1)),
            restarts_total=changes((0, 0), (150, 1)),
            **{f"unhedged_usd,{VENUE}": changes((0, 38), (90, None))},
        ),
        silent_at=(300, 800, 860, 1500),
        firing=(unhedged(by_now=SILENT),),
        ends=(270, "its figures vanished"),
    ),
    Case(
        "A leg in flight is none: each trade leaves a little open for ten seconds.",
        "TradebotUnhedged",
        Kind.NEGATIVE,
        with_exposure(lambda at: 38 if at % 60 < 10 else 0),
        silent_at=(14, 65, 75, 80, 300),
    ),
    Case(
        "Of a bot that does not report its exposure nothing is claimed.",
        "TradebotUnhedged",
        Kind.MISSING,
        bot(),
        silent_at=(60, 300),
    ),
    *bridged("TradebotUnhedged", with_exposure(always(38)), unhedged(), at=15)[:1],
    Case(
        "An exporter that was away for minutes and has no state yet still knows of it.",
        "TradebotUnhedged",
        Kind.RESTART,
        with_restart(with_exposure(always(38)), gone=90, back=400, forgotten=("unhedged_usd",)),
        firing_at=(200, 225, 420, 900),
        firing=(unhedged(by_now=SILENT),),
    ),
]


def order_old(age: str = "25s", tier: str = "live") -> Firing:
    """TradebotWorkingOrderOld with the age of the order as people read it."""
    return firing(
        "TradebotWorkingOrderOld",
        "An order works for longer than a leg may take",
        f"An order of arb at kalshi was {age} old in the bot's last state; a leg has 10 seconds. It may be "
        "filled at a price of then.",
        board="tradebot-live",
        area="risk",
        severity="warning",
        tier=tier,
        venue="kalshi",
    )


def with_order(age: Series, skew: float | None = 0, **more: Series) -> dict[str, Series]:
    """A bot with a state at each scrape, in which its oldest order at a venue is so old (None: no order)."""
    ahead = skew or 0
    placed: Series = lambda at: None if age(at) is None else at + ahead - float(age(at) or 0)  # noqa: E731
    return bot(
        **{
            "last_state_timestamp_seconds": lambda at: at,
            "clock_skew_seconds": None if skew is None else always(skew),
            f"oldest_working_order_timestamp_seconds,{VENUE}": placed,
            f"working_orders,{VENUE}": lambda at: 0 if age(at) is None else 1,
            **more,
        }
    )


AGES = changes((0, 15), (60, 25))

WORKING_ORDER_OLD = [
    Case(
        "An order that is older than twice the leg's time is a warning.",
        "TradebotWorkingOrderOld",
        Kind.FIRES,
        with_order(AGES),
        silent_at=(59,),
        firing_at=(60, 300),
        firing=(order_old(),),
    ),
    Case(
        "A bot whose clock is ahead, and one whose clock is not known, are judged alike.",
        "TradebotWorkingOrderOld",
        Kind.FIRES,
        with_order(AGES, skew=40),
        silent_at=(59,),
        firing_at=(60,),
        firing=(order_old(),),
    ),
    Case(
        "An unknown skew counts as none.",
        "TradebotWorkingOrderOld",
        Kind.FIRES,
        with_order(AGES, skew=None),
        firing_at=(60,),
        firing=(order_old(),),
    ),
    Case(
        "An order that is done ends it.",
        "TradebotWorkingOrderOld",
        Kind.FIRES,
        with_order(changes((0, 25), (60, None))),
        firing=(order_old(),),
        ends=(180, "recovered"),
    ),
    Case(
        "An order of a bot that says nothing any more is not called done.",
        "TradebotWorkingOrderOld",
        Kind.MISSING,
        with_order(changes((0, 25), (60, None)), **{f"working_orders,{VENUE}": changes((0, 1), (60, None))}),
        firing=(order_old(),),
        ends=(180, "its figures vanished"),
    ),
    Case(
        "Young orders one after the other are none, nor is one that a state of a minute ago had.",
        "TradebotWorkingOrderOld",
        Kind.NEGATIVE,
        with_order(
            lambda at: at % 20,
            last_state_timestamp_seconds=lambda at: at - at % 60,
            **{f"oldest_working_order_timestamp_seconds,{VENUE}": lambda at: at - at % 60 - 2},
        ),
        silent_at=(40, 119, 300),
    ),
    Case(
        "Of a bot that does not say how old its orders are nothing is claimed.",
        "TradebotWorkingOrderOld",
        Kind.MISSING,
        bot(**{f"working_orders,{VENUE}": always(1)}),
        silent_at=(60, 300),
    ),
    *bridged("TradebotWorkingOrderOld", with_order(AGES), order_old(), at=60),
]


OVERDUE = firing(
    "TradebotSettlementOverdue",
    "A position has not settled when it should have",
    "A position of arb at kalshi was expected to settle more than an hour ago, at 1969-12-31 23:01:00 +0000 "
    "UTC, and is still open. Its capital is locked, and its result is not booked.",
    board="tradebot-live",
    area="risk",
    severity="warning",
    venue="kalshi",
)


def with_settlement(until: int = 10**6, positions: Series | None = None) -> dict[str, Series]:
    """A bot with a position that should have settled 59 minutes ago, and is not reported from a second on."""
    return bot(
        **{
            f"earliest_settlement_timestamp_seconds,{VENUE}": changes((0, -3540), (until, None)),
            f"open_positions,{VENUE}": positions or always(1),
        }
    )


SETTLEMENT_OVERDUE = [
    Case(
        "An hour past its settlement, for a minute, a position is a warning.",
        "TradebotSettlementOverdue",
        Kind.FIRES,
        with_settlement(),
        silent_at=(60, 65, 124),
        firing_at=(125, 600),
        firing=(OVERDUE,),
    ),
    Case(
        "A position that settled ends it.",
        "TradebotSettlementOverdue",
        Kind.FIRES,
        with_settlement(200, changes((0, 1), (200, 0))),
        firing=(OVERDUE,),
        ends=(340, "recovered"),
    ),
    Case(
        "A position of which nothing is known any more has not settled.",
        "TradebotSettlementOverdue",
        Kind.MISSING,
        with_settlement(200, changes((0, 1), (200, None))),
        firing=(OVERDUE,),
        ends=(340, "its figures vanished"),
    ),
    Case(
        "One that settles within its hour and a minute raises nothing.",
        "TradebotSettlementOverdue",
        Kind.NEGATIVE,
        with_settlement(90, always(0)),
        silent_at=(60, 100, 125, 600),
    ),
    Case(
        "Where nobody says when a position settles nothing is claimed.",
        "TradebotSettlementOverdue",
        Kind.MISSING,
        with_settlement(0),
        silent_at=(60, 125, 600),
    ),
    *bridged("TradebotSettlementOverdue", with_settlement(), OVERDUE, at=125),
]

CASES = [*UNHEDGED, *WORKING_ORDER_OLD, *SETTLEMENT_OVERDUE]
