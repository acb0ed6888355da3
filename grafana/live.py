"""Live: is the bot all right, what is at stake, and what is wrong; read from four metres."""

from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models import dashboard

from grafana import kill_panels, ledger_panels, palette, queries
from grafana.charts import Column, Line, Rows, chart, rows_table, timeline
from grafana.ledger_panels import Face, Look
from grafana.page import Below, Place, page
from grafana.shared import alerts, verdict
from grafana.sql import live as sql_live
from grafana.stats import Level, Sizes, rows, tile
from grafana.words import POSITION_WORDS, SHORT_ACTIONS, SHORT_KINDS, STREAM_WORDS

FACT = Sizes(name=16, value=24)


def live() -> dashboard.Dashboard:
    """The page as a table of contents: 27 rows, which is a 1080p screen in kiosk mode."""
    return page(
        "tradebot-live",
        "Live",
        "One trading bot now: verdict, money at stake, alerts, kill switch, venues, positions, decisions.",
        [
            Place(verdict(Sizes(name=60, value=36)), x=0, y=0, w=24, h=4),
            Place(mode(), x=0, y=4, w=4, h=4),
            Place(data_age(), x=4, y=4, w=4, h=4),
            Place(loss_cap_used(), x=8, y=4, w=4, h=4),
            Place(day_pnl(), x=12, y=4, w=4, h=4),
            Place(exposed(), x=16, y=4, w=4, h=4),
            Place(last_fill(), x=20, y=4, w=4, h=4),
            Place(rows(alerts(Sizes(name=28, value=28), shown=5)), x=0, y=8, w=16, h=5),
            Place(kill_panels.kill_switch(), x=16, y=8, w=8, h=5),
            Place(pnl_today(), x=0, y=13, w=11, h=7),
            Place(operator_day(), x=11, y=13, w=3, h=3),
            Place(day_trades(), x=11, y=16, w=3, h=2),
            Place(failures(), x=11, y=18, w=3, h=2),
            Place(venues(), x=14, y=13, w=10, h=4),
            Place(capital(), x=14, y=17, w=10, h=3),
            Place(positions(), x=0, y=20, w=14, h=7),
            Place(feed(), x=14, y=20, w=10, h=7),
        ],
        [
            Below(
                "CLOSE A POSITION · by hand, where the bot can",
                [
                    Place(kill_panels.may_close(), x=0, y=0, w=5, h=3),
                    Place(kill_panels.last_command(), x=0, y=3, w=5, h=7),
                    Place(kill_panels.closing(), x=5, y=0, w=19, h=10),
                ],
            ),
            Below(
                "EVERY DECISION · as it came, by reason",
                [
                    Place(every_decision(), x=0, y=0, w=24, h=14),
                    Place(decisions_by_reason(), x=0, y=14, w=24, h=8),
                ],
            ),
            Below(
                "MARKET · cycle, uptime, quotes, opportunities, near opportunities",
                [
                    Place(cycle_number(), x=0, y=0, w=4, h=3),
                    Place(uptime(), x=0, y=3, w=4, h=4),
                    Place(opportunities_today(), x=4, y=0, w=10, h=7),
                    Place(quotes_today(), x=14, y=0, w=10, h=7),
                ],
            ),
            Below(
                "BALANCES · every venue, its orders, what is left of the loss cap, realised PnL",
                [
                    Place(every_balance(), x=0, y=0, w=8, h=8),
                    Place(by_venue(), x=8, y=0, w=8, h=8),
                    Place(cash_today(), x=16, y=0, w=8, h=8),
                    Place(cap_left(), x=0, y=8, w=6, h=2),
                    Place(realized(), x=6, y=8, w=6, h=2),
                ],
            ),
        ],
    )


# --- Six figures ---
def mode() -> stat.Panel:
    """What the bot says it is doing, and whether its markets are simulated."""
    looks = {
        "killed": ("KILLED", palette.RED),
        "paused": ("PAUSED", palette.BLUE),
        "live": ("LIVE", palette.INVERSE),
        "paper": ("PAPER", palette.BLUE),
    }
    return tile(
        "MODE / STATUS as the bot reports it; SIMULATED where it says that its markets are.",
        [
            Level(
                queries.status(word, simulated=simulated), "SIMULATED" if simulated else "MODE", colour, words
            )
            for word, (words, colour) in looks.items()
            for simulated in (True, False)
        ],
        known=queries.STATUS,
        unknown="MODE ?",
    )


def data_age() -> stat.Panel:
    """Seconds since the last state came in, against the bot's own limit."""
    return tile(
        "DATA AGE: time since the exporter took in the bot's last state, by the exporter's clock; amber "
        "at half of stale_after, red at all of it.",
        [
            Level(queries.AGE_PLANNED, "PLANNED", palette.BLUE),
            Level(queries.AGE_FRESH, "DATA AGE"),
            Level(queries.AGE_OLD, "DATA AGE", palette.AMBER),
            Level(queries.AGE_STALE, "DATA STALE", palette.RED),
        ],
        known=queries.STATE_AGE,
        unknown="AGE ?",
        unit="s",
    )


def loss_cap_used() -> stat.Panel:
    """Share of the day's loss cap that is used up; a breach stays until the UTC day ends."""
    return tile(
        "LOSS CAP USED: max(0, −PnL of the UTC day) / cap; amber at 80 %, red at 100 % or once breached "
        "today.",
        [
            Level(queries.CAP_USED_BREACHED, "CAP BREACHED", palette.RED, unit="percentunit"),
            Level(queries.CAP_LATCHED, "CAP BREACHED", palette.RED, "TODAY"),
            Level(queries.CAP_USED_HIGH, "CAP USED", palette.AMBER, unit="percentunit"),
            Level(queries.CAP_USED_LOW, "CAP USED", unit="percentunit"),
            Level(queries.NO_CAP, "LOSS LIMIT", words="NO CAP"),
            Level(queries.NO_CAP_LIVE, "LOSS LIMIT", palette.AMBER, "NO CAP"),
        ],
        known=queries.CAP_KNOWN,
        unknown="CAP ?",
    )


def day_pnl() -> stat.Panel:
    """Realised PnL since midnight UTC with its source. Its sign colours nothing: a losing day is no alarm."""
    return tile(
        "DAY PnL: realised since 00:00 UTC, in USD, as its source says (bot, or ledger where the bot does "
        "not report it); amber where the two differ by more than $1 and a twentieth of the cap.",
        [
            Level(queries.DAY_PNL_DIFFERS, "PnL ≠ LEDGER", palette.AMBER, unit="currencyUSD", decimals=2),
            Level(queries.DAY_PNL_SMALL, "PnL {{source}} UTC", unit="currencyUSD", decimals=2),
            Level(queries.DAY_PNL_GAIN, "PnL {{source}} UTC", unit="currency:financial:$"),
            Level(queries.DAY_PNL_LOSS, "PnL {{source}} UTC", unit="currency:financial:-$"),
        ],
        known=queries.DAY_PNL,
        unknown="PnL ?",
    )


def exposed() -> stat.Panel:
    """Dollars of unhedged exposure, and how many orders are working."""
    return tile(
        "EXPOSED: unhedged USD over all venues, rounded up; n ORD: working orders. Amber after 10 s (or "
        "an order older than 60 s), red after 60 s.",
        [
            Level(queries.EXPOSED_LONG, "EXPOSED{{orders}}", palette.RED),
            Level(queries.EXPOSED_SHORT, "EXPOSED{{orders}}", palette.AMBER),
            Level(queries.EXPOSED_CALM, "EXPOSED{{orders}}"),
        ],
        known=queries.EXPOSED_KNOWN,
        unknown="RISK ?",
        unit="currency:financial:$",
    )


def last_fill() -> stat.Panel:
    """Time since the last fill, or what has kept the bot from opening anything."""
    return tile(
        "LAST FILL, or BLOCKED BY the reason that most of the last 30 minutes' decisions were skipped for "
        "(whole in FEED).",
        [
            Level(queries.BLOCKED, "by {{short}}", palette.AMBER, "BLOCKED"),
            Level(queries.FILL_AGE, "LAST FILL", unit="s"),
            Level(queries.NO_FILLS, "FILLS TODAY", words="NONE"),
        ],
        known=queries.FILL_KNOWN,
        unknown="FILL ?",
    )


# --- Today ---
def pnl_today() -> timeseries.Panel:
    """The day's PnL as it went, with the loss cap and the trades."""
    return ledger_panels.chart(
        "PnL TODAY · $bot · USD since 00:00 UTC, from the ledger · a dot for each trade",
        "Sum of the ledger's fills since midnight UTC in USD, as far as the ledger was read; beside it what "
        f"the bot reports, and the daily loss cap dashed. Of a day with more than {sql_live.EACH_FILL_UP_TO} "
        "fills, a dot is a minute.",
        sql_live.pnl_today(),
        {"PnL · ledger": Look(palette.LINE), "trade": Look(palette.LINE, dots=True)},
        beside=[
            Line(queries.PNL_OF_BOT, "PnL · bot", palette.LINE_DIM, dashed=True),
            Line(queries.CAP_LINE, "loss cap", palette.LINE_RED, dashed=True),
        ],
    )


def operator_day() -> stat.Panel:
    """The operator's own day, where it differs from the one of the cap."""
    return ledger_panels.tile(
        "OPERATOR'S DAY: PnL of the operator's day so far, from the ledger, in USD; the cap's day is UTC.",
        [Face(sql_live.operator_day()), Face(sql_live.operator_day_is_utc())],
        sizes=FACT,
        unit=ledger_panels.MONEY,
        decimals=2,
    )


def venues() -> statetimeline.Panel:
    """Each venue's market data stream over the last hour."""
    return timeline(
        "VENUES · $bot · last hour (UTC)",
        "What the bot says of each venue's stream; purple where nobody said.",
        [(queries.STREAMS, "{{venue}}")],
        STREAM_WORDS,
        hours=1,
    )


def capital() -> stat.Panel:
    """Each venue's free cash, and locked capital against its limit."""
    panel = tile(
        "Free cash and locked capital against the venue's limit, in whole USD; red over the limit.",
        [
            Level(queries.OVER_LIMIT, "{{venue}} · {{free}} · {{locked}} of {{limit}} locked", palette.RED),
            Level(queries.WITHIN_LIMIT, "{{venue}} · {{free}} · {{locked}} of {{limit}} locked"),
            Level(queries.NO_LIMIT, "{{venue}} · {{free}} · {{locked}} locked", words="no limit"),
            Level(queries.ONLY_CASH, "{{venue}} · free, locked not reported", unit="currency:financial:$"),
        ],
        known=queries.CAPITAL_KNOWN,
        unknown="CAPITAL ?",
        sizes=Sizes(name=22, value=22),
        unit="percentunit",
    )
    return rows(panel)


_POSITION_WIDTHS = {
    "venue": 190,
    "side": 48,
    "contracts": 84,
    "entry": 70,
    "expected profit": 118,
    "settles in": 110,
}


def positions() -> table.Panel:
    """What is held, and where that is known from."""
    return ledger_panels.rows(
        "POSITIONS · $bot · unhedged first, then soonest settlement",
        "Open positions as the bot reports them; from its ledger, and the first row says so, while the bot "
        "is not connected or its last state is old. ?: not reported.",
        sql_live.positions(),
        {
            "state": Look(width=125, words=POSITION_WORDS),
            "market": Look(wrapped=True),
            **{name: Look(width=width) for name, width in _POSITION_WIDTHS.items()},
        },
    )


def by_venue() -> table.Panel:
    """Positions and orders by venue, in sums."""
    return rows_table(
        "POSITIONS AND ORDERS · $bot · by venue, reported by the bot",
        "Open positions, working orders, age of the oldest one and unhedged USD by venue.",
        Rows(
            [
                Column("venue", label="venue"),
                Column("open positions", queries.OPEN_POSITIONS),
                Column("working orders", queries.WORKING_ORDERS),
                Column("oldest order", queries.ORDER_AGE, unit="s"),
                Column("unhedged", queries.UNHEDGED_BY_VENUE, unit="currency:financial:$", decimals=2),
            ],
            explained_by=[queries.NO_POSITIONS],
            sort_by="unhedged",
        ),
    )


def feed() -> table.Panel:
    """What the bot decided in 15 minutes, grouped: one reason for nearly all is a verdict, not a feed."""
    return rows_table(
        "DECISIONS · $bot · last 15 minutes, grouped; the five most frequent",
        "Kind, action and reason with count and share of 15 minutes and the time since the last one (to "
        "15 s).",
        Rows(
            [
                Column("kind", label="kind", width=85, short=SHORT_KINDS),
                Column("action", label="action", width=72, short=SHORT_ACTIONS),
                Column("reason", label="reason"),
                Column("count", queries.FEED, width=58),
                Column("share", queries.FEED_SHARE, unit="percentunit", width=56),
                Column("last", queries.FEED_LAST, unit="s", width=62),
            ],
            explained_by=[queries.NO_FEED],
            sort_by="count",
        ),
    )


# --- Below: cycle ---
def cycle_number() -> stat.Panel:
    """How many evaluations the exporter has seen."""
    return _fact(
        "CYCLE", "Cycles that the exporter has counted since it started.", queries.CYCLE_NUMBER, unit="locale"
    )


def uptime() -> stat.Panel:
    """Time since the bot's process began."""
    return _fact("UPTIME", "Time since the bot's process began.", queries.UPTIME, unit="s")


def opportunities_today() -> timeseries.Panel:
    """Opportunities and near ones over the day."""
    return chart(
        "OPPORTUNITIES TODAY · $bot · each cycle (UTC)",
        "What each cycle found; a gap: no fresh state.",
        [
            Line(queries.OPPORTUNITIES, "opportunities", palette.LINE),
            Line(queries.NEAR_OPPORTUNITIES, "near opportunities", palette.LINE_DIM),
        ],
        unit="none",
    )


def quotes_today() -> timeseries.Panel:
    """Quotes over the day."""
    return chart(
        "QUOTES TODAY · $bot · each cycle (UTC)",
        "Quotes that each cycle used; a gap: no fresh state.",
        [Line(queries.QUOTES, "quotes", palette.LINE)],
        unit="none",
    )


# --- Below: decisions ---
def decisions_by_reason() -> timeseries.Panel:
    """Decisions a minute by action and reason."""
    return chart(
        "DECISIONS BY REASON · $bot · a minute, the eight most frequent (UTC)",
        "Decisions a minute over 5 minutes by action and reason.",
        [Line(queries.DECISION_RATE, "{{action}} · {{reason}}")],
        unit="none",
        bars=True,
    )


def every_decision() -> table.Panel:
    """What the bot said, as it came."""
    return ledger_panels.rows(
        f"EVERY DECISION · $bot · as it came, the newest {sql_live.NEWEST} of the range (UTC)",
        "Fills, skips with their reason, and what cycles detected, as the bot's socket told; kept over "
        "restarts. Identical skips are one row of up to five minutes with their count. Edge in ¢ a contract.",
        sql_live.feed(),
        {
            "last (UTC)": Look(width=160),
            "action": Look(width=120),
            "lane": Look(width=100),
            "market": Look(width=330),
            "edge": Look(unit="suffix:¢", decimals=2, width=90),
            "fill probability": Look(unit="percentunit", decimals=0, width=130),
            "count": Look(unit="locale", decimals=0, width=80),
            "cycle": Look(unit="none", decimals=0, width=80),
        },
        filterable=True,
    )


# --- Below: balances ---
def every_balance() -> table.Panel:
    """Cash, locked capital and limit of each venue."""
    return rows_table(
        "BALANCES · $bot · USD, reported by the bot",
        "Free cash, locked capital and the limit by venue.",
        Rows(
            [
                Column("venue", label="venue"),
                Column("free cash", queries.CASH, unit="currency:financial:$", decimals=2),
                Column("locked", queries.LOCKED, unit="currency:financial:$", decimals=2),
                Column("limit", queries.LIMIT, unit="currency:financial:$", decimals=2),
            ],
            explained_by=[queries.NO_BALANCES],
            sort_by="venue",
            ascending=True,
        ),
    )


def cash_today() -> timeseries.Panel:
    """Free cash by venue over the day."""
    return chart(
        "FREE CASH TODAY · $bot · by venue (UTC)",
        "Free cash by venue in USD; a gap: nobody said.",
        [Line(queries.CASH, "{{venue}}")],
        unit="currencyUSD",
        last=True,
    )


def day_trades() -> stat.Panel:
    """Trades since midnight UTC with their source."""
    return _fact(
        "TRADES · {{source}}",
        "Trades since 00:00 UTC, as the source says.",
        queries.DAY_TRADES,
        unit="locale",
    )


def cap_left() -> stat.Panel:
    """What is left of the day's loss cap."""
    return _fact(
        "CAP LEFT · {{source}}",
        "Cap − used, in USD; negative past the cap.",
        queries.CAP_LEFT,
        unit="currencyUSD",
    )


def failures() -> stat.Panel:
    """Failures in a row."""
    return _fact("FAILURES · {{source}}", "Consecutive failures, as the source says.", queries.FAILURES)


def realized() -> stat.Panel:
    """Realised PnL since the order store began."""
    return _fact(
        "REALISED · {{source}}",
        "Realised PnL since the order store began, in USD.",
        queries.REALIZED,
        unit="currencyUSD",
    )


def _fact(name: str, description: str, expr: str, *, unit: str = "none") -> stat.Panel:
    question = name.partition(" ·")[0]
    panel = tile(
        f"{question}. {description}",
        [Level(expr, name, unit=unit)],
        known=expr,
        unknown=f"{question} ?",
        sizes=FACT,
    )
    return panel.wide_layout(False)
