"""What the bot holds and decides now, and how its day went, as the reporting database has it."""

from grafana.sql.freshness import FRESH, IS_READ, LEDGER_READ, NOT_READ_AFTER
from grafana.sql.performance import OTHER_DAY
from grafana.sql.statement import (
    BOT,
    FROM,
    NO_DATA,
    NOW,
    TO,
    Statement,
    Value,
    charted,
    clock,
    count,
    lane_name,
    number,
    statement,
    text,
    time,
    usd,
)
from grafana.words import SHORT_KINDS

# --- The day ---
EACH_FILL_UP_TO = 2000
"""Fills of a day that are drawn one by one; of a busier day, minutes are."""

# A line that goes on after the ledger was last read would show an old sum as now, and one through a ledger
# without any fill a 0 that nobody knows.
_HAS_FILLS = f"EXISTS (SELECT 1 FROM equity_day WHERE bot = {BOT})"
_DAY = f"""SELECT start, MIN({TO}, at) AS stop, COALESCE((SELECT fills FROM equity_day
    WHERE bot = {BOT} AND equity_day.at = start), 0) AS fills
    FROM (SELECT {TO} - ({TO}) % 86400 AS start), ledger_read WHERE at >= start AND {_HAS_FILLS}"""


def pnl_today() -> Statement:
    """Sum of the fills' realised PnL since 00:00 UTC of the range's last day, in USD, and each trade.

    Of a day with more than EACH_FILL_UP_TO fills, a dot is a minute with trades.
    """
    fills = f"""SELECT timestamp AS at, realized_pnl AS pnl, generation, id FROM today CROSS JOIN fills
        WHERE bot = {BOT} AND timestamp >= start AND timestamp <= stop AND today.fills <= {EACH_FILL_UP_TO}
        UNION ALL SELECT MIN(m.at + 60, stop), pnl, 0, 0 FROM today CROSS JOIN equity_minute AS m
        WHERE bot = {BOT} AND m.at >= start AND m.at <= stop AND today.fills > {EACH_FILL_UP_TO}"""
    walk = """SELECT at, generation, id,
        SUM(pnl) OVER (ORDER BY at, generation, id ROWS UNBOUNDED PRECEDING) AS pnl FROM fill"""
    points = """SELECT start AS at, 0.0 AS pnl, NULL AS trade, -1 AS generation, 0 AS id FROM today
        UNION ALL SELECT at, pnl, pnl, generation, id FROM walk
        UNION ALL SELECT stop, COALESCE((SELECT pnl FROM walk
            ORDER BY at DESC, generation DESC, id DESC LIMIT 1), 0.0), NULL, 1e9, 0 FROM today"""
    return charted(
        {"time": time("at"), "PnL · ledger": usd("pnl"), "trade": usd("trade")},
        {"ledger_read": LEDGER_READ, "today": _DAY, "fill": fills, "walk": walk, "point": points},
        order="time",
    )


def operator_day() -> Statement:
    """PnL of the operator's day so far, in USD, where it is not the UTC day; no row otherwise."""
    return statement(
        {
            "name": text("'day of ' || other.tz || ' from ' || other.rolls_at"),
            "value": usd(
                f"""COALESCE((SELECT pnl FROM operator_daily_pnl
                WHERE bot = {BOT} AND starts_at <= ledger_read.at AND ends_at > ledger_read.at), 0.0)"""
            ),
        },
        f"other, ledger_read WHERE {IS_READ} AND {_HAS_FILLS}",
        given={"other": OTHER_DAY, "ledger_read": LEDGER_READ},
    )


def operator_day_is_utc() -> Statement:
    """A row where the operator's day is the UTC day, or the ledger was not read for 30 s, or has no fill."""
    return statement(
        {
            "name": text(
                """CASE WHEN other.tz IS NULL THEN 'operator''s day'
                ELSE 'day of ' || other.tz || ' from ' || other.rolls_at END"""
            ),
            "value": text(
                f"""CASE WHEN other.tz IS NULL THEN '= UTC day' WHEN {IS_READ} THEN '{NO_DATA}'
                ELSE 'NOT READ' END"""
            ),
        },
        f"bots LEFT JOIN other LEFT JOIN ledger_read WHERE bot = {BOT}"
        f" AND (other.tz IS NULL OR NOT {IS_READ} OR NOT {_HAS_FILLS})",
        given={"other": OTHER_DAY, "ledger_read": LEDGER_READ},
    )


# --- Positions ---
NOT_REPORTED = "NOT REPORTED"
UNKNOWN = "?"
"""The same in a column that is too narrow for the words."""
_LINK = f"""SELECT *, {FRESH} AS fresh,
    COALESCE(connected = 1 AND {NOW} - last_state_at <= stale_after, 0) AS speaks,
    (SELECT MAX(last_read_at) FROM sources
        WHERE sources.bot = bots.bot AND store = 'orders' AND current = 1) AS read_at
    FROM bots WHERE bot = {BOT}"""
_SOURCE = """SELECT *, CASE WHEN speaks OR read_at IS NULL THEN 'bot' ELSE 'ledger' END AS source FROM link"""
_HELD = f"""SELECT p.* FROM source JOIN live_positions AS p ON p.bot = source.bot AND p.source = source.source
    WHERE p.bot = {BOT}"""
_WHY = f"""CASE WHEN connected = 0 THEN 'bot disconnected since ' || {clock("link_since")}
    WHEN last_state_at IS NULL THEN 'no state of the bot yet'
    ELSE 'last state of the bot ' || {clock("last_state_at")} END"""
_READ = f"COALESCE(source = 'ledger' AND ABS({NOW} - read_at) < {NOT_READ_AFTER}, 0)"
_NOTES = f"""SELECT 'BLIND' AS word, 'the exporter stopped writing ' || {clock("as_of")} AS told, 0 AS place
        FROM source WHERE NOT fresh
    UNION ALL SELECT 'BLIND', 'nothing written about this bot yet', 0 WHERE NOT EXISTS (SELECT 1 FROM source)
    UNION ALL SELECT CASE WHEN {_READ} THEN 'LEDGER' ELSE 'NOT READ' END, CASE WHEN {_READ} THEN ''
        ELSE 'last known ' END || 'from the ledger, ' || {_WHY}, 1 FROM source WHERE source = 'ledger'
    UNION ALL SELECT 'LAST KNOWN', CASE WHEN last_state_at IS NULL THEN '' ELSE 'from the bot, ' END || {_WHY}
        || ', no ledger', 1 FROM source WHERE source = 'bot' AND NOT speaks
    UNION ALL SELECT 'NONE', 'no open position', 2
        FROM source WHERE NOT EXISTS (SELECT 1 FROM held) AND fresh AND (speaks OR {_READ})"""


def positions() -> Statement:
    """Open positions, unhedged ones first, then by settlement; above them, in words, what is not now.

    From the bot while it is connected and fresh, else from its ledger, else what the bot said last.
    """
    held = f"""SELECT CASE WHEN hedged = 0 THEN 'UNHEDGED'
            WHEN expected_settlement_at < {NOW} THEN 'OVERDUE' WHEN hedged = 1 THEN 'hedged'
            ELSE '{NOT_REPORTED}' END AS word,
        COALESCE(market, market_id, '{NOT_REPORTED}') AS told,
        3 + (COALESCE(hedged, 1) <> 0) AS place, expected_settlement_at AS settles,
        {_or_not(_PLACE)} AS venue,
        {_or_not("side")} AS side, {_or_not("printf('%g', contracts)", "contracts")} AS contracts,
        {_or_not("printf('$%.3f', entry)", "entry")} AS entry,
        {_or_not(_usd("expected_profit"), "expected_profit")} AS profit,
        {_or_not(_remaining("expected_settlement_at"), "expected_settlement_at")} AS remaining FROM held"""
    read = f"""CASE WHEN word IN ('LEDGER', 'NOT READ')
        THEN 'read ' || (SELECT {clock("read_at")} FROM source) ELSE ' ' END"""
    notes = f"""SELECT word, told, place, NULL AS settles, {read} AS venue, ' ' AS side, ' ' AS contracts,
        ' ' AS entry, ' ' AS profit, ' ' AS remaining FROM note"""
    columns: dict[str, Value] = {"state": text("word"), "market": text("told")}
    columns |= {name: text(name) for name in ("venue", "side", "contracts", "entry")}
    columns |= {"expected profit": text("profit"), "settles in": text("remaining")}
    return statement(
        columns,
        "shown ORDER BY place, settles IS NULL, settles, told",
        given={
            "link": _LINK,
            "source": _SOURCE,
            "held": _HELD,
            "note": _NOTES,
            "shown": f"{notes} UNION ALL {held}",
        },
    )


_PLACE = "CASE WHEN market IS NULL THEN venue ELSE venue || COALESCE(' ' || market_id, '') END"


def _or_not(expression: str, of: str | None = None) -> str:
    return f"CASE WHEN {of or expression} IS NULL THEN '{UNKNOWN}' ELSE {expression} END"


def _usd(column: str) -> str:
    return f"CASE WHEN {column} < 0 THEN '−' ELSE '' END || printf('$%.2f', ABS({column}))"


def _remaining(moment: str) -> str:
    left = f"({moment} - {NOW})"
    size = f"ABS({left})"
    words = f"""CASE WHEN {size} < 120 THEN printf('%d s', {size}) WHEN {size} < 7200
        THEN printf('%d min', {size} / 60) WHEN {size} < 172800 THEN printf('%d h', {size} / 3600)
        ELSE printf('%d d', {size} / 86400) END"""
    return f"CASE WHEN {left} < 0 THEN 'overdue ' ELSE '' END || {words}"


# --- Feed ---
NEWEST = 500
"""So many rows of the feed are shown; the title says so."""


def feed() -> Statement:
    """What the bot said it did, newest first; a row of skips counts identical ones of up to five minutes."""
    newest = f"""SELECT * FROM feed WHERE bot = {BOT} AND last_at BETWEEN {FROM} AND {TO} + 1
        ORDER BY last_at DESC, id DESC LIMIT {NEWEST}"""
    notes = f"""SELECT 'BLIND: the exporter stopped writing ' || {clock("as_of")} AS told
            FROM bots WHERE bot = {BOT} AND NOT ({FRESH})
        UNION ALL SELECT 'BLIND: nothing written about this bot yet'
            WHERE NOT EXISTS (SELECT 1 FROM bots WHERE bot = {BOT})
        UNION ALL SELECT '{NO_DATA}' WHERE NOT EXISTS (SELECT 1 FROM newest)"""
    shown = f"""SELECT id, strftime('%Y-%m-%d %H:%M:%S', last_at, 'unixepoch') AS at, last_at, action,
            {lane_name("kind", SHORT_KINDS)} AS lane, match_key, detail, edge,
            fill_prob, count, cycle FROM newest
        UNION ALL SELECT NULL, NULL, 1e12, NULL, NULL, NULL, told, NULL, NULL, NULL, NULL FROM note"""
    return statement(
        {
            "last (UTC)": text("at"),
            "action": text("action"),
            "lane": text("lane"),
            "market": text("match_key"),
            "what": text("detail"),
            "edge": number("100 * edge"),
            "fill probability": number("fill_prob"),
            "count": count("count"),
            "cycle": count("cycle"),
        },
        "shown ORDER BY last_at DESC, id DESC",
        given={"newest": newest, "note": notes, "shown": shown},
    )
