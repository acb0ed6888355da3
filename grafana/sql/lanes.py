"""By lane, bucket, hour and reason: where the money of the range came from, and what was refused."""

from collections.abc import Mapping

from grafana.sql.statement import (
    BOT,
    DAYS,
    FROM,
    LANES,
    NO_DATA,
    TO,
    Statement,
    Value,
    count,
    lane_name,
    number,
    once,
    or_words,
    text,
    usd,
)
from grafana.words import SHORT_KINDS

_LANE = lane_name("kind", SHORT_KINDS)
MEASURES = {"dollars": "USD", "trades": "trades", "percentage": "% of absolute PnL"}
"""What the toggle of the lanes' chart chooses, and what it is called there."""


def lane_variable() -> Statement:
    """The lanes that the chosen bot ever traded, under their short names."""
    return or_words(
        {"__text": text(_LANE), "__value": text("kind")},
        {"lane": f"SELECT DISTINCT kind FROM daily_pnl WHERE bot = {BOT}"},
        order='"__text"',
        words=NO_DATA,
        under="__text",
    )


def pnl_by_lane() -> Statement:
    """PnL in USD, trades, or signed share of the lanes' absolute PnL in %, as the toggle says."""
    shown = {
        "dollars": usd("CASE WHEN '$measure' = 'dollars' THEN pnl END"),
        "trades": count("CASE WHEN '$measure' = 'trades' THEN trades END"),
        "percentage": number("CASE WHEN '$measure' = 'percentage' AND whole > 0 THEN 100 * pnl / whole END"),
    }
    sums = f"""SELECT kind, SUM(pnl) AS pnl, SUM(trades) AS trades FROM daily_pnl
        WHERE bot = {BOT} AND {DAYS} GROUP BY kind"""
    columns: dict[str, Value] = {"lane": text(_LANE)}
    columns |= {MEASURES[measure]: value for measure, value in shown.items()}
    return or_words(
        columns,
        {"lane": sums, "share": "SELECT *, SUM(ABS(pnl)) OVER () AS whole FROM lane"},
        order="lane",
        words=NO_DATA,
        under="lane",
    )


def gross_to_net() -> Statement:
    """From gross to net PnL in USD, all lanes first: gross + fees + slippage + adverse + unsplit = net.

    `known`: share of the trades whose parts are known; all of another trade's difference to its plan is
    `unsplit`. Where none is known, gross and the parts are null.
    """
    # Where nothing of a day is known, its gross is what the plans expected.
    sums = """SUM(trades) AS trades, SUM(known) AS known, SUM(COALESCE(gross, expected)) AS gross,
        SUM(fees) AS fees, SUM(slippage) AS slippage, SUM(adverse) AS adverse, SUM(unsplit) AS unsplit,
        SUM(net) AS net"""
    days = f"FROM lane_pnl WHERE bot = {BOT} AND {DAYS}"
    lanes = (
        f"SELECT kind, {sums} {days} GROUP BY kind UNION ALL SELECT NULL, {sums} {days} HAVING COUNT(*) > 0"
    )
    columns: dict[str, Value] = {
        "lane": text(f"COALESCE({_LANE}, 'all')"),
        "gross": usd("CASE WHEN known > 0 THEN gross END"),
        "fees": number("0.0 - ROUND(fees, 6)"),
    }
    columns |= {step: usd(step) for step in ("slippage", "adverse", "unsplit", "net")}
    columns["known"] = number("1.0 * known / trades")
    return or_words(
        columns,
        {"lanes": lanes},
        order="kind IS NOT NULL, lane",
        words=NO_DATA,
        under="lane",
    )


def expected_and_realised() -> Statement:
    """Planned and realised edge by lane, in cents a filled contract."""
    sums = f"""SELECT kind, SUM(expected) / SUM(contracts) AS expected, SUM(pnl) / SUM(contracts) AS realised
        FROM daily_pnl WHERE bot = {BOT} AND {DAYS} GROUP BY kind HAVING SUM(contracts) > 0"""
    return or_words(
        {"lane": text(_LANE), "expected": number("100 * expected"), "realised": number("100 * realised")},
        {"lanes": sums},
        order="lane",
        words=NO_DATA,
        under="lane",
    )


def hours() -> Statement:
    """PnL by hour of day (UTC) and venue, in USD, a row each."""
    sums = f"""SELECT hour, CASE venue WHEN '' THEN 'venue not said' ELSE venue END AS place, SUM(pnl) AS pnl
        FROM hourly_pnl WHERE bot = {BOT} AND {DAYS} GROUP BY hour, venue"""
    return or_words(
        {"hour": text("printf('%02dh', hour)"), "venue": text("place"), "PnL": usd("pnl")},
        {"hours": sums},
        order="hour, venue",
        words=NO_DATA,
        under="hour",
    )


def slippages() -> Statement:
    """Fills by slippage in cents a contract, by the bin's lower edge; negative is worse than planned."""
    label = "CASE n WHEN -10 THEN '< −4.5¢' WHEN 10 THEN '≥ 5¢' ELSE printf('%+.1f¢', n / 2.0) END"
    return _histogram(
        "slippage_histogram", {n: round(0.005 * n, 3) for n in range(-10, 11)}, "slippage", label
    )


def fill_rates() -> Statement:
    """Fills by share of the planned contracts that were filled, by the bin's lower edge."""
    bins = {n: round(0.05 * n, 2) for n in range(21)}
    return _histogram("fill_rate_histogram", bins, "fill rate", "printf('%d%%', 5 * n)")


# A row of these tables has what came to date: a range is the difference of two rows, however long it is.
def _last(column: str, of: str, date: str) -> str:
    return f"COALESCE((SELECT {column} FROM {of} AND date {date} ORDER BY date DESC LIMIT 1), 0)"


_BEFORE = f"< date({FROM}, 'unixepoch')"
_UP_TO = f"<= date({TO}, 'unixepoch')"


def _histogram(table: str, bins: Mapping[int, float], name: str, label: str) -> Statement:
    """Every bin of the axis, those without a fill too: else neighbours may be far apart."""
    pairs = [[n, lower] for n, lower in bins.items()]
    axis = f"""SELECT json_extract(value, '$[0]') AS n, json_extract(value, '$[1]') AS bin
        FROM json_each('{pairs}')"""
    traded = f"SELECT DISTINCT kind FROM daily_pnl WHERE bot = {BOT} AND {LANES}"
    of = f"{table} AS sums WHERE bot = {BOT} AND sums.kind = traded.kind AND sums.bin = axis.bin"
    fills = f"{_last('count_to_date', of, _UP_TO)} - {_last('count_to_date', of, _BEFORE)}"
    return or_words(
        {name: text(label), "fills": count("fills")},
        {
            "axis": axis,
            "traded": traded,
            "counted": once(f"SELECT n, SUM({fills}) AS fills FROM axis CROSS JOIN traded GROUP BY n"),
            "shown_bins": "SELECT * FROM counted WHERE (SELECT SUM(fills) FROM counted) > 0",
        },
        order="n",
        words=NO_DATA,
        under=name,
    )


def decisions() -> Statement:
    """The ledger's decisions: accepted ones first, then rejected ones by reason, with their share of all."""
    sums = f"""SELECT accepted, reason, SUM(count) AS n FROM decision_counts
        WHERE bot = {BOT} AND {DAYS} AND {LANES} GROUP BY accepted, reason"""
    return or_words(
        {
            "decision": text("CASE accepted WHEN 1 THEN 'accepted' ELSE 'rejected' END"),
            "reason": text(
                "CASE WHEN reason <> '' THEN reason WHEN accepted = 1 THEN '–' ELSE 'not said' END"
            ),
            "count": count("n"),
            "share": number("1.0 * n / whole"),
        },
        {"reasons": sums, "share": "SELECT *, SUM(n) OVER () AS whole FROM reasons"},
        order="accepted DESC, n DESC, reason",
        words=NO_DATA,
        under="decision",
    )


def groups() -> Statement:
    """Each bucket group, or the legs' markets where a lane has no groups; PnL in USD, win rate 0 to 1."""
    of = f"bucket_pnl AS sums WHERE bot = {BOT} AND sums.kind = chosen.kind AND sums.bucket = chosen.bucket"
    sums = ", ".join(
        f"{_last(f'{column}_to_date', of, _UP_TO)} - {_last(f'{column}_to_date', of, _BEFORE)} AS {column}"
        for column in ("trades", "pnl", "wins")
    )
    return or_words(
        {
            "group": text("bucket"),
            "lane": text(_LANE),
            "trades": count("trades"),
            "PnL": usd("pnl"),
            "win rate": number("1.0 * wins / trades"),
            "average profit": number("pnl / trades"),
        },
        {
            "chosen": f"SELECT kind, bucket FROM buckets WHERE bot = {BOT} AND {LANES}",
            "summed": once(f"SELECT kind, bucket, {sums} FROM chosen"),
            "groups": "SELECT * FROM summed WHERE trades > 0",
        },
        order="pnl DESC, bucket",
        words=NO_DATA,
        under="group",
    )
