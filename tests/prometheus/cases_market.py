"""Situations of the alerts on market data: streams that are worse than declared, quotes that stand still."""

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

WORDS = ("connected", "degraded", "poll_only", "recovering")
LANES_OFF = {
    f'config_value,key="ARB_LANE_{lane}_ENABLED"': always(0)
    for lane in ("INTRA", "CROSS", "STRUCTURAL_BUCKET", "STRUCTURAL_EVENT_TREE", "STRUCTURAL_PARITY")
}
Word = str | None


def degraded(venue: str = "kalshi", tier: str = "live") -> Firing:
    """TradebotStreamDegraded of one venue."""
    return firing(
        "TradebotStreamDegraded",
        "A venue's quotes do not come as they should",
        f"For five minutes the quotes of {venue} have reached arb worse than they should: not at all, late, "
        "or only by asking. It trades there on less than it could see, or not at all.",
        board="tradebot-live",
        area="market",
        severity="warning",
        tier=tier,
        venue=venue,
    )


BLIND = firing(
    "TradebotStreamDegraded",
    "A bot gets no quotes from any venue",
    "For a minute or longer arb has had quotes from none of its venues, with a lane switched on. It can "
    "neither open nor hedge, and what it holds is not watched.",
    board="tradebot-live",
    area="market",
    severity="critical",
)


def stream(venue: str, *words: tuple[int, Word]) -> dict[str, Series]:
    """A venue's stream, with its word from each second on (None: the bot no longer reports it)."""

    def word(at: int) -> Word:
        return [each for since, each in words if since <= at][-1]

    def on(status: str) -> Series:
        return lambda at: None if word(at) is None else float(word(at) == status)

    known = {*WORDS, *(each for _, each in words if each)}
    return {f'stream_status,venue="{venue}",status="{status}"': on(status) for status in sorted(known)}


def streams(
    *of_kalshi: tuple[int, Word], other: Word = "connected", tier: str = "live", **more: Series | None
) -> dict[str, Series]:
    """A bot with the streams of two venues, of which one goes through these words."""
    both = stream("kalshi", *of_kalshi) | stream("polymarket", (0, other))
    return bot(tier=tier, **{**both, **more})


DOWN = ((0, "connected"), (60, "degraded"))
PAUSED = 'venue_expected,venue="kalshi"'

ONE_VENUE = [
    Case(
        "One venue that is degraded for five minutes is a warning.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        streams(*DOWN),
        silent_at=(60, 359),
        firing_at=(360, 600),
        firing=(degraded(),),
    ),
    Case(
        "Only asked for where it should be streamed is worse, too, and so is a word that nobody knows.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        streams((0, "connected"), (60, "poll_only"), (200, "limping")),
        silent_at=(359,),
        firing_at=(360,),
        firing=(degraded(),),
    ),
    Case(
        "A paper bot that gets nothing from anywhere is warned of, venue by venue.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        streams(*DOWN, other="degraded", tier="paper"),
        firing_at=(360, 600),
        firing=(degraded(tier="paper"), degraded("polymarket", "paper")),
    ),
    Case(
        "It ends when the quotes come again.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        streams((0, "degraded"), (400, "connected")),
        firing=(degraded(),),
        ends=(520, "recovered"),
    ),
    Case(
        "It ends as planned where the venue closes meanwhile.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        streams((0, "degraded"), **{PAUSED: changes((0, 1), (400, 0))}),
        firing=(degraded(),),
        ends=(520, "planned: quiet began"),
    ),
    Case(
        "It ends as planned where the bot is sent away meanwhile.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        streams((0, "degraded"), expected=changes((0, 1), (400, 0))),
        firing=(degraded(),),
        ends=(520, "planned: quiet began"),
    ),
    Case(
        "A bot that does not report any more has no better quotes.",
        "TradebotStreamDegraded",
        Kind.MISSING,
        streams((0, "degraded"), (400, None)),
        firing=(degraded(),),
        ends=(540, "its figures vanished"),
    ),
    Case(
        "Four minutes and a recovery are none.",
        "TradebotStreamDegraded",
        Kind.NEGATIVE,
        streams((0, "connected"), (60, "degraded"), (240, "recovering"), (300, "connected")),
        silent_at=(240, 300, 360, 400, 600),
    ),
    Case(
        "A bot that says that it polls is asked for no stream.",
        "TradebotStreamDegraded",
        Kind.NEGATIVE,
        streams((0, "poll_only"), other="poll_only", **{'config_value,key="ARB_STREAM_MODE"': always(0)}),
        silent_at=(60, 360, 600),
    ),
    Case(
        "A venue that is meant to be quiet, and one that the bot calls closed, are none.",
        "TradebotStreamDegraded",
        Kind.NEGATIVE,
        streams(*DOWN, other="maintenance", **{PAUSED: always(0)}),
        silent_at=(60, 360, 600),
    ),
    Case(
        "Nor is anything of a bot that is meant to be away.",
        "TradebotStreamDegraded",
        Kind.NEGATIVE,
        streams(*DOWN, other="degraded", expected=always(0)),
        silent_at=(60, 360, 600),
    ),
    Case(
        "Of a bot that reports no streams nothing is claimed.",
        "TradebotStreamDegraded",
        Kind.MISSING,
        bot(),
        silent_at=(60, 360, 600),
    ),
    *bridged("TradebotStreamDegraded", streams(*DOWN), degraded(), at=360),
]

OUT = ((0, "connected"), (60, "degraded"))

NO_VENUE = [
    Case(
        "A minute without quotes from any venue is critical.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        streams(*OUT, other="poll_only"),
        silent_at=(119,),
        firing_at=(120, 200),
        firing=(BLIND,),
    ),
    Case(
        "A bot that looks each minute is blind after a cycle and a half: one failed look is not enough.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        streams(*OUT, other="degraded", expected_interval_seconds=always(60)),
        silent_at=(120, 149),
        firing_at=(150, 200),
        firing=(BLIND,),
    ),
    Case(
        "With the first venue that is back it ends.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        bot(**stream("kalshi", (0, "degraded"), (100, "connected"))),
        firing=(BLIND,),
        ends=(220, "recovered"),
    ),
    Case(
        "It ends as planned where the only venue closes.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        bot(**stream("kalshi", (0, "degraded")), **{PAUSED: changes((0, 1), (100, 0))}),
        firing=(BLIND,),
        ends=(220, "planned: quiet began"),
    ),
    Case(
        "With the exporter it ends as unknown.",
        "TradebotStreamDegraded",
        Kind.MISSING,
        with_restart(bot(**stream("kalshi", (0, "degraded"))), gone=100, back=10**6),
        firing=(BLIND,),
        ends=(240, "its figures vanished"),
    ),
    Case(
        "With every lane off nobody needs quotes.",
        "TradebotStreamDegraded",
        Kind.NEGATIVE,
        streams(*OUT, other="degraded", **LANES_OFF),
        silent_at=(120, 200),
    ),
    Case(
        "A stream that recovers has answered.",
        "TradebotStreamDegraded",
        Kind.NEGATIVE,
        streams(*OUT, other="recovering"),
        silent_at=(120, 200),
    ),
    Case(
        "A venue that is not meant to send leaves the others to be looked at.",
        "TradebotStreamDegraded",
        Kind.FIRES,
        streams(*OUT, **{'venue_expected,venue="polymarket"': always(0)}),
        silent_at=(119,),
        firing_at=(120,),
        firing=(BLIND,),
    ),
    *bridged("TradebotStreamDegraded", streams(*OUT, other="degraded"), BLIND, at=120)[:1],
]


def frozen(age: str = "", venue: str = "kalshi", tier: str = "live") -> Firing:
    """TradebotFeedFrozen: a venue's newest quote so old, or no quotes at all."""
    said = (
        f"The newest quote that arb has of {venue} is {age} old, although it asks in every cycle."
        if age
        else "arb has had no quote at all in any cycle of five minutes."
    )
    labels = {"venue": venue} if age else {}
    return firing(
        "TradebotFeedFrozen",
        "A bot's quotes stand still",
        f"{said} It is connected and runs; what it decides, it decides on prices of then or on none.",
        board="tradebot-live",
        area="market",
        severity="warning",
        tier=tier,
        **labels,
    )


def with_ages(kalshi: Series, **more: Series | None) -> dict[str, Series]:
    """A bot that says how old the newest quotes of two venues are, in seconds."""
    ages = {'quote_age_seconds,venue="kalshi"': kalshi, 'quote_age_seconds,venue="polymarket"': always(1)}
    return bot(**{"quotes": always(40), **ages, **more})


OLD = changes((0, 295), (60, 305))
NONE_LEFT = changes((0, 40), (60, 0))

FEED_FROZEN = [
    Case(
        "A newest quote of more than five minutes is a warning.",
        "TradebotFeedFrozen",
        Kind.FIRES,
        with_ages(OLD),
        silent_at=(59,),
        firing_at=(60, 300),
        firing=(frozen("5m 5s"),),
    ),
    Case(
        "Of a bot that only counts its quotes, five minutes without any are.",
        "TradebotFeedFrozen",
        Kind.FIRES,
        bot(quotes=NONE_LEFT),
        silent_at=(60, 359),
        firing_at=(360, 600),
        firing=(frozen(),),
    ),
    Case(
        "It ends with a new quote.",
        "TradebotFeedFrozen",
        Kind.FIRES,
        with_ages(changes((0, 305), (60, 1))),
        firing=(frozen("5m 5s"),),
        ends=(180, "recovered"),
    ),
    Case(
        "It ends as planned where the venue closes.",
        "TradebotFeedFrozen",
        Kind.FIRES,
        with_ages(changes((0, 305), (60, None)), **{PAUSED: changes((0, 1), (60, 0))}),
        firing=(frozen("5m 5s"),),
        ends=(180, "planned: quiet began"),
    ),
    Case(
        "Of a bot that does not report any more nobody knows how old its quotes are.",
        "TradebotFeedFrozen",
        Kind.MISSING,
        with_ages(changes((0, 305), (60, None)), quotes=changes((0, 40), (60, None))),
        firing=(frozen("5m 5s"),),
        ends=(200, "its figures vanished"),
    ),
    Case(
        "A count of quotes that stays the same says nothing, and a minute without any little.",
        "TradebotFeedFrozen",
        Kind.NEGATIVE,
        bot(quotes=changes((0, 40), (400, 0), (460, 40))),
        silent_at=(300, 400, 460, 700),
    ),
    Case(
        "A venue that is meant to be quiet, and a bot that is, have no quotes to be late.",
        "TradebotFeedFrozen",
        Kind.NEGATIVE,
        with_ages(OLD, **{PAUSED: always(0)}),
        silent_at=(60, 300),
    ),
    Case(
        "A bot all of whose venues are closed has no quotes, as it should.",
        "TradebotFeedFrozen",
        Kind.NEGATIVE,
        bot(quotes=always(0), **{PAUSED: always(0)}),
        silent_at=(300, 360, 600),
    ),
    Case(
        "When a pause ends, the quotes of before are old, and nobody could have had others.",
        "TradebotFeedFrozen",
        Kind.NEGATIVE,
        with_ages(changes((0, 3600), (410, 1)), **{PAUSED: changes((0, 0), (400, 1))}),
        silent_at=(399, 400, 405, 420, 720),
    ),
    Case(
        "Five minutes after it they could.",
        "TradebotFeedFrozen",
        Kind.NEGATIVE,
        with_ages(always(3600), **{PAUSED: changes((0, 0), (400, 1))}),
        silent_at=(400, 695),
        firing_at=(705,),
        firing=(frozen("1h 0m 0s"),),
    ),
    Case(
        "Nor has a bot that only counts had any when the quiet of all its venues ends.",
        "TradebotFeedFrozen",
        Kind.NEGATIVE,
        bot(quotes=changes((0, 0), (410, 40)), **{PAUSED: changes((0, 0), (400, 1))}),
        silent_at=(399, 400, 405, 420, 720),
    ),
    Case(
        "A bot that is meant to be away has none either.",
        "TradebotFeedFrozen",
        Kind.NEGATIVE,
        bot(quotes=always(0), expected=always(0)),
        silent_at=(300, 360, 600),
    ),
    Case(
        "Where quotes are neither dated nor counted nothing is claimed.",
        "TradebotFeedFrozen",
        Kind.MISSING,
        bot(),
        silent_at=(60, 600),
    ),
    *bridged("TradebotFeedFrozen", with_ages(OLD), frozen("5m 5s"), at=60),
]

CASES = [*ONE_VENUE, *NO_VENUE, *FEED_FROZEN]
