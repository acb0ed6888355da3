"""Situations of the risk alerts: the daily loss cap."""

from tests.prometheus.promtool import (
    Case,
    Firing,
    Kind,
    Series,
    always,
    bot,
    changes,
    firing,
    until,
    with_lost_scrape,
    with_restart,
)


def near(used: str, by: str = "its own figures", **texts: str) -> Firing:
    """TradebotLossCapNear with the used part as people read it."""
    return firing(
        "TradebotLossCapNear",
        "A bot is near its daily loss cap",
        f"arb has used {used} of its daily loss cap, or is losing so fast that it reaches the cap within 15 "
        f"minutes, by {by}. At the cap it stops opening positions until 00:00 UTC.",
        board="tradebot-live",
        texts=texts,
        area="risk",
        severity="warning",
    )


def with_cap(used: Series, cap: float | None = 100, source: str = "bot") -> dict[str, Series]:
    """A live bot with a cap of 100 USD of which so much is used."""

    def less(whole: float) -> Series:
        return lambda at: None if used(at) is None else whole - float(used(at) or 0)

    return bot(
        daily_loss_cap_usd=None if cap is None else always(cap),
        **{
            f'daily_loss_cap_remaining_usd,source="{source}"': less(100),
            f'daily_pnl_usd,source="{source}"': less(0),
        },
    )


GONE = "figures that are gone since"


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
        "Below seventy it ends as recovered, after the five minutes that keep it from flapping.",
        "TradebotLossCapNear",
        Kind.FIRES,
        with_cap(DOWN),
        firing=(near("75%"),),
        ends=(480, "recovered"),
    ),
    Case(
        "A loss that midnight takes off the account ends with the day.",
        "TradebotLossCapNear",
        Kind.FIRES,
        with_cap(changes((0, 90), (30, 0))),
        firing=(near("90%"),),
        ends=(330, "the UTC day rolled over"),
    ),
    Case(
        "A loss that nobody reports any more is not called recovered.",
        "TradebotLossCapNear",
        Kind.FIRES,
        with_cap(changes((0, 90), (90, None))),
        firing=(near("90%", GONE),),
        ends=(410, "its figures vanished"),
    ),
    Case(
        "A bot of which everything vanished with the exporter is not called recovered.",
        "TradebotLossCapNear",
        Kind.MISSING,
        with_restart(with_cap(always(90)), gone=90, back=10**6),
        firing=(near("90%", GONE),),
        ends=(410, "its figures vanished"),
    ),
    Case(
        "It says in one line how the bot is.",
        "TradebotLossCapNear",
        Kind.FIRES,
        {
            **with_cap(always(88.5)),
            **bot(
                daily_loss_cap_usd=always(100),
                **{
                    'verdict,level="act",text="DISCONNECTED"': always(1),
                    'daily_pnl_usd,source="bot"': always(-88.5),
                    'info,simulated="true"': always(1),
                },
            ),
        },
        firing_at=(30,),
        firing=(
            near(
                "88.5%",
                now="DISCONNECTED · last mode live · PnL -88.50 USD (bot) · cap 100 USD · simulated",
            ),
        ),
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
        "The bot's own figure counts while it reports one, its ledger's when it does not.",
        "TradebotLossCapNear",
        Kind.FIRES,
        {
            **with_cap(changes((0, 10), (60, None))),
            **with_cap(always(90), source="ledger"),
        },
        silent_at=(30, 80, 89),
        firing_at=(95, 120),
        firing=(near("90%", "its ledger"),),
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
        firing_at=(120, 130, 200),
        firing=(near("90%", "its ledger"),),
    ),
]


def breached(severity: str, tier: str, pnl: str = "nobody reports its PnL of the day now") -> Firing:
    """TradebotLossCapBreached, with what is known of the day's PnL."""
    return firing(
        "TradebotLossCapBreached",
        "A bot broke its daily loss cap",
        f"arb has lost its daily loss cap or more since 00:00 UTC; {pnl}. It must open nothing until the day "
        "ends; see that it does not.",
        board="tradebot-live",
        area="risk",
        severity=severity,
        tier=tier,
        exempt="true",
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
        "It ends with the day that ends the latch, and the two minutes that bridge a restart.",
        "TradebotLossCapBreached",
        Kind.FIRES,
        bot(daily_loss_breached=changes((0, 1), (60, 0))),
        firing=(breached("critical", "live"),),
        ends=(180, "the UTC day rolled over"),
    ),
    Case(
        "A latch that nobody knows any more has not ended with the day.",
        "TradebotLossCapBreached",
        Kind.MISSING,
        with_restart(bot(daily_loss_breached=always(1)), gone=60, back=10**6),
        firing=(breached("critical", "live"),),
        ends=(200, "its figures vanished"),
    ),
    Case(
        "It says the day's PnL and whose figure that is.",
        "TradebotLossCapBreached",
        Kind.FIRES,
        bot(daily_loss_breached=LATCHED, **{'daily_pnl_usd,source="ledger"': always(-104.5)}),
        firing_at=(60,),
        firing=(breached("critical", "live", "its PnL of the day is -104.50 USD by its ledger"),),
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


def disagrees(usd: str, severity: str = "critical", tier: str = "live") -> Firing:
    """TradebotLedgerDisagrees."""
    return firing(
        "TradebotLedgerDisagrees",
        "A bot's PnL of the day is not what its own fills add up to",
        f"arb and its ledger have been {usd} USD or more apart on the PnL of the UTC day for two minutes. "
        "One of the two is wrong, and the loss cap is judged by the bot's figure.",
        board="tradebot-live",
        area="risk",
        severity=severity,
        tier=tier,
        exempt="true",
    )


APART = changes((0, 0), (60, -4.5))

LEDGER_DISAGREES = [
    Case(
        "Two minutes apart at every scrape is critical for a live bot.",
        "TradebotLedgerDisagrees",
        Kind.FIRES,
        bot(ledger_difference_usd=APART, daily_loss_cap_usd=always(50)),
        silent_at=(60, 179),
        firing_at=(180, 400),
        firing=(disagrees("4.50"),),
    ),
    Case(
        "It is a warning for a paper bot.",
        "TradebotLedgerDisagrees",
        Kind.FIRES,
        bot(tier="paper", ledger_difference_usd=APART),
        silent_at=(179,),
        firing_at=(180,),
        firing=(disagrees("4.50", "warning", "paper"),),
    ),
    Case(
        "When the two agree again it ends, after the five minutes that keep it from flapping.",
        "TradebotLedgerDisagrees",
        Kind.FIRES,
        bot(ledger_difference_usd=changes((0, -4.5), (200, 0))),
        firing=(disagrees("4.50"),),
        ends=(500, "recovered"),
    ),
    Case(
        "Where one of the two is no longer known they do not agree.",
        "TradebotLedgerDisagrees",
        Kind.MISSING,
        bot(ledger_difference_usd=changes((0, -4.5), (200, None))),
        firing=(disagrees("4.50"),),
        ends=(640, "its figures vanished"),
    ),
    Case(
        "A bot whose states lag behind its fills differs again and again, and is fine.",
        "TradebotLedgerDisagrees",
        Kind.NEGATIVE,
        bot(ledger_difference_usd=lambda at: 0.4 if at % 60 < 5 else 20.0),
        silent_at=(120, 300, 600),
    ),
    Case(
        "Less than a dollar, or less than a twentieth of the cap, is nothing to wake anybody for.",
        "TradebotLedgerDisagrees",
        Kind.NEGATIVE,
        bot(ledger_difference_usd=always(4.5), daily_loss_cap_usd=always(100)),
        silent_at=(120, 300, 600),
    ),
    Case(
        "Where only one of the two is known there is nothing to compare.",
        "TradebotLedgerDisagrees",
        Kind.MISSING,
        bot(),
        silent_at=(60, 300),
    ),
    Case(
        "A lost scrape does not make it start over.",
        "TradebotLedgerDisagrees",
        Kind.LOST_SCRAPE,
        with_lost_scrape(bot(ledger_difference_usd=APART), 120),
        silent_at=(179,),
        firing_at=(180,),
        firing=(disagrees("4.50"),),
    ),
    Case(
        "A minute without the exporter does not let it resolve.",
        "TradebotLedgerDisagrees",
        Kind.RESTART,
        with_restart(bot(ledger_difference_usd=APART), gone=300, back=360),
        firing_at=(290, 320, 355, 365),
        firing=(disagrees("4.50"),),
    ),
]


CASES = [*LOSS_CAP_NEAR, *LOSS_CAP_BREACHED, *LEDGER_DISAGREES]
