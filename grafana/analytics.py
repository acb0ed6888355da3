"""Analytics: how the bot did, from its ledger: curve, days, lanes, buckets, fills, decisions, intents."""

from grafana_foundation_sdk.builders import barchart, stat, statushistory, table, timeseries
from grafana_foundation_sdk.models import dashboard

from grafana import palette
from grafana.charts import shades
from grafana.ledger_panels import MONEY, Face, Look, banded, bars, chart, legend, rows, tile
from grafana.page import Choice, Place, ledger_page
from grafana.shared import alerts, verdict
from grafana.sql import freshness, intents, lanes, performance
from grafana.sql.statement import ALL_LANES, Statement
from grafana.stats import Sizes

FIGURE = Sizes(name=14, value=32)
SAID = Sizes(name=15, value=24)
WHOLE_DAYS = "In the whole UTC days that the range touches, all lanes."


def analytics() -> dashboard.Dashboard:
    """The page as a table of contents; a page for the desk, longer than a screen."""
    return ledger_page(
        "tradebot-analytics",
        "Analytics",
        "How one trading bot did, computed from its ledger, in USD and UTC days.",
        [
            Place(verdict(Sizes(name=30, value=24)), x=0, y=0, w=13, h=2),
            Place(markets(), x=13, y=0, w=4, h=2),
            Place(as_of(), x=17, y=0, w=7, h=2),
            Place(alerts(Sizes(name=20, value=20), shown=3), x=0, y=2, w=24, h=2),
            *(Place(figure, x=3 * place, y=4, w=3, h=3) for place, figure in enumerate(figures())),
            Place(equity(), x=0, y=7, w=16, h=9),
            Place(drawdown(), x=16, y=7, w=8, h=9),
            Place(pnl_by_lane(), x=0, y=16, w=8, h=8),
            Place(gross_to_net(), x=8, y=16, w=8, h=8),
            Place(expected_and_realised(), x=16, y=16, w=8, h=8),
            Place(days(), x=0, y=24, w=12, h=7),
            Place(calendar(), x=12, y=24, w=12, h=7),
            Place(hours(), x=0, y=31, w=8, h=7),
            Place(slippages(), x=8, y=31, w=4, h=7),
            Place(fill_rates(), x=12, y=31, w=4, h=7),
            Place(decisions(), x=16, y=31, w=8, h=7),
            Place(groups(), x=0, y=38, w=12, h=9),
            Place(order_intents(), x=12, y=38, w=12, h=9),
        ],
        range_from="now-90d",
        bots=freshness.bot_variable(),
        choices=[
            Choice("lane", "Lane", lanes.lane_variable(), all_of_them=ALL_LANES),
            Choice("measure", "PnL by lane in", tuple(lanes.MEASURES)),
        ],
    )


def markets() -> stat.Panel:
    """Whether this was real money, in words."""
    return tile(
        "The bot's mode, and whether it says that its markets are simulated.",
        [Face(freshness.no_real_money(), palette.BLUE), Face(freshness.real_money(), palette.INVERSE)],
        sizes=SAID,
        unknown="MODE ?",
    )


def as_of() -> stat.Panel:
    """When the ledger was last written to this page's source, and which days are summed."""
    return tile(
        "AS OF: when the exporter last wrote the reporting database, and the UTC days that the figures below "
        "sum; BLIND once that is older than 15 s.",
        [Face(freshness.as_of()), Face(freshness.blind(), palette.PURPLE)],
        sizes=SAID,
        unit="time:[as of] HH:mm:ss [UTC]",
    )


def figures() -> list[stat.Panel]:
    """Eight figures, each with its n."""
    return [
        _figure("NET PnL: sum of the fills' realised PnL, in USD.", performance.net_pnl(), unit=MONEY),
        _figure(
            "MAX DRAWDOWN: largest fall of equity below its high water mark, in USD; the mark knows what was "
            "before the range.",
            performance.max_drawdown(),
            unit=MONEY,
        ),
        _figure("PROFIT FACTOR: gains over losses.", performance.profit_factor()),
        _figure(
            "PnL A TRADE: expectancy, mean PnL of a trade, in USD.", performance.expectancy(), unit=MONEY
        ),
        _figure(
            "FILL RATE: mean of each fill's filled over planned contracts.",
            performance.fill_rate(),
            unit="percentunit",
        ),
        _figure("WIN RATE: share of trades with a gain.", performance.win_rate(), unit="percentunit"),
        _figure(
            "SHARPE: mean over sample deviation of daily PnL × √365; days without a trade are 0. "
            "From 30 days on.",
            performance.sharpe(),
        ),
        _figure("TRADE SIZE: mean contracts of a trade.", performance.trade_size(), decimals=1),
    ]


def _figure(description: str, statement: Statement, *, unit: str = "none", decimals: int = 2) -> stat.Panel:
    places = 1 if unit == "percentunit" else decimals
    faces = [
        Face(freshness.while_read(statement)),
        Face(freshness.when_it_was(statement), palette.DIM_PURPLE),
    ]
    return tile(f"{description} {WHOLE_DAYS}", faces, sizes=FIGURE, unit=unit, decimals=places)


def equity() -> timeseries.Panel:
    """The curve, its high water mark, and the drawdown between them."""
    return chart(
        "EQUITY · $bot · USD, running sum of realised PnL since the ledger began · shaded: drawdown (UTC)",
        "In USD, from 0. Steps of a minute up to two days, of an hour up to 60 days, else of a day; the "
        "mark is never below 0.",
        performance.equity(),
        {
            "equity": Look(palette.LINE),
            "high water mark": Look(palette.LINE_DIM, below_to="equity", thin=True),
        },
    )


def drawdown() -> timeseries.Panel:
    """How far below the mark."""
    return chart(
        "DRAWDOWN · $bot · USD below the high water mark (UTC)",
        "In USD, 0 or less: the deepest inside each step, then what stood.",
        performance.drawdown(),
        {"drawdown": Look(palette.LINE)},
    )


def pnl_by_lane() -> barchart.Panel:
    """Which lane earned it, as the toggle says."""
    looks = {
        "USD": Look(palette.LINE_DIM, unit="none", decimals=2),
        "trades": Look(palette.LINE_DIM, unit="none", decimals=0),
        "% of absolute PnL": Look(palette.LINE_DIM, unit="percent", decimals=1),
    }
    return bars(
        "PnL BY LANE · $bot · in $measure (UTC days)",
        "Above, choose dollars, trades or percentage: signed share of the sum of the lanes' absolute PnL.",
        lanes.pnl_by_lane(),
        looks,
        stacked=True,
    )


def gross_to_net() -> table.Panel:
    """What became of the gross profit, by lane."""
    usd = Look(unit="none", decimals=2)
    return rows(
        "GROSS → NET BY LANE · $bot · USD (UTC days)",
        "Gross + fees + slippage + adverse + unsplit = net. `unsplit`: the difference to the plan of trades "
        "whose parts are not known; `known`: the share of trades whose parts are. –: not known.",
        lanes.gross_to_net(),
        {
            "lane": Look(width=92),
            **dict.fromkeys(("gross", "fees", "slippage", "adverse", "unsplit", "net"), usd),
            "known": Look(unit="percentunit", decimals=0, width=64),
        },
    )


def expected_and_realised() -> barchart.Panel:
    """Whether the edge that was planned came in."""
    return bars(
        "EXPECTED AND REALISED EDGE BY LANE · $bot · ¢ a contract (UTC days)",
        "Planned edge, and realised PnL, both over the filled contracts.",
        lanes.expected_and_realised(),
        {
            "expected": Look(palette.LINE_DIM, unit="suffix:¢", decimals=2),
            "realised": Look(palette.LINE, unit="suffix:¢", decimals=2),
        },
    )


def days() -> timeseries.Panel:
    """Each day's PnL."""
    return chart(
        "DAILY PnL · $bot · USD · the day is named below; days are drawn in UTC",
        "Realised PnL in USD of each UTC day, or of each of the operator's days where one is set. A "
        "day without a trade has no bar.",
        performance.days(),
        {"PnL": Look(palette.LINE_DIM)},
        bars=True,
        named_by="day",
    )


def calendar() -> statushistory.Panel:
    """The weeks, day by day."""
    return banded(
        "CALENDAR · $bot · PnL of each UTC day in USD; shades to the 90th percentile of its size",
        "Three shades a side: below a third of the range's 90th percentile of absolute daily PnL, below it, "
        "at least it. Losses are rose, gains teal; a day without a trade is blank. A week is at Thursday.",
        performance.calendar(),
        palette.BANDS,
    )


def hours() -> barchart.Panel:
    """At what hour, on which venue."""
    panel = bars(
        "HOUR OF DAY × VENUE · $bot · PnL in USD by hour (UTC)",
        "Sum of the fills' realised PnL by hour of day and venue.",
        lanes.hours(),
        {venue: Look(colour) for venue, colour in palette.VENUES.items()},
        stacked=True,
        many=True,
    )
    pivot = {"columnField": "venue", "rowField": "hour", "valueField": "PnL", "emptyValue": "null"}
    panel.with_transformation(dashboard.DataTransformerConfig(id_val="groupingToMatrix", options=pivot))
    panel.color_scheme(shades(palette.LINE)).legend(legend(shown=True))
    return panel.override_by_field_type("number", Look(unit=MONEY).entries())


def slippages() -> barchart.Panel:
    """How much worse or better than planned."""
    return bars(
        "SLIPPAGE · $bot · $lane · ¢ (UTC)",
        "Fills by slippage, realised less planned in cents a contract: negative is worse. By the bin's "
        "lower edge; whole UTC days.",
        lanes.slippages(),
        {"fills": Look(palette.LINE_DIM, unit="none", decimals=0)},
        many=True,
    )


def fill_rates() -> barchart.Panel:
    """How much of what was wanted."""
    return bars(
        "FILL RATE · $bot · $lane (UTC)",
        "Fills by filled over planned contracts, by the bin's lower edge; whole UTC days.",
        lanes.fill_rates(),
        {"fills": Look(palette.LINE_DIM, unit="none", decimals=0)},
        many=True,
    )


def decisions() -> table.Panel:
    """What was taken, and why the rest was not."""
    return rows(
        "ACCEPTED AND REJECTED · $bot · the ledger's decisions, lane $lane (UTC days)",
        "Decisions that the bot recorded, with the reason of each rejection and its share of all.",
        lanes.decisions(),
        {
            "decision": Look(width=90),
            "count": Look(unit="locale", decimals=0, width=80),
            "share": Look(unit="percentunit", decimals=1, width=72),
        },
    )


def groups() -> table.Panel:
    """Each bucket group."""
    return rows(
        "BUCKET GROUPS · $bot · lane $lane · a click on a column sorts (UTC days)",
        "By bucket group for the bucket lane, by market legs for the others; PnL in USD.",
        lanes.groups(),
        {
            "lane": Look(width=90),
            "trades": Look(unit="locale", decimals=0, width=80),
            "PnL": Look(unit="none", decimals=2, width=100),
            "win rate": Look(unit="percentunit", decimals=0, width=90),
            "average profit": Look(unit="none", decimals=2, width=135),
        },
        filterable=True,
    )


def order_intents() -> table.Panel:
    """Each intent with its legs."""
    return rows(
        f"ORDER INTENTS · $bot · lane $lane · the newest {intents.NEWEST} with their legs (UTC)",
        "Contracts wanted and filled, expected profit in USD; each leg: venue, market, side, filled/wanted "
        "@average price, and its status where it is not filled.",
        intents.intents(),
        {
            "created (UTC)": Look(width=158),
            "lane": Look(width=80),
            "status": Look(width=150),
            "wanted": Look(unit="locale", decimals=0, width=84),
            "filled": Look(unit="locale", decimals=0, width=78),
            "expected": Look(unit="none", decimals=2, width=100),
        },
        filterable=True,
    )
