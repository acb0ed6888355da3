"""How the bot did in the UTC days of the range: figures with their n, equity, drawdown, days, calendar.

The curve's base and its high water mark before the range come from coarser buckets, so that equity and
drawdown at a moment are the same at every zoom. Formulas: exporter/performance.py, which tests compare.
"""

from grafana.sql.statement import (
    BOT,
    DAYS,
    FROM,
    MIDDLE,
    NO_DATA,
    TO,
    Statement,
    Value,
    charted,
    number,
    one_line,
    statement,
    text,
    time,
    usd,
)

NOT_YET = "-1e18"
"""In a tile, a figure that there is no data for yet: the name beside it says why."""

DAY, HOUR, MINUTE = 86400, 3600, 60
# Minutes up to two days, hours up to sixty, days beyond.
_STEP = (
    f"CASE WHEN $__to - $__from <= {2 * DAY * 1000} THEN {MINUTE}"
    f" WHEN $__to - $__from <= {60 * DAY * 1000} THEN {HOUR} ELSE {DAY} END"
)

_SUMS = """SELECT SUM(pnl) AS pnl, COALESCE(SUM(trades), 0) AS trades, SUM(wins) AS wins,
    SUM(gross_profit) AS gains, ABS(SUM(gross_loss)) AS losses, SUM(contracts) AS contracts,
    SUM(fill_rate_sum) AS fill_rates"""
_SUMMED = f"{_SUMS} FROM daily_pnl WHERE bot = {BOT} AND {DAYS}"


def _figure(name: str, value: str, *, known: str = "trades > 0", n: str = "trades") -> Statement:
    """A tile's name with its n, and its value; NOT_YET while `known` does not hold."""
    return statement(
        {
            "name": text(f"'{name}' || CASE WHEN trades = 0 THEN ' · {NO_DATA}' ELSE ' · n = ' || ({n}) END"),
            "value": number(f"CASE WHEN {known} THEN {value} ELSE {NOT_YET} END"),
        },
        "summed",
        given={"summed": _SUMMED},
    )


def net_pnl() -> Statement:
    """Sum of the fills' realised PnL, in USD; n: trades."""
    return _figure("NET PnL $", "ROUND(pnl, 6)")


def profit_factor() -> Statement:
    """Sum of gains over the sum of losses; undefined without a loss."""
    n = "trades || CASE WHEN losses > 0 THEN '' ELSE ', no loss' END"
    return _figure("PROFIT FACTOR", "gains / losses", known="losses > 0", n=n)


def expectancy() -> Statement:
    """Mean PnL of a trade, in USD."""
    return _figure("PnL A TRADE $", "pnl / trades")


def fill_rate() -> Statement:
    """Mean of each fill's filled over planned contracts, 0 to 1, not weighted."""
    return _figure("FILL RATE", "fill_rates / trades")


def win_rate() -> Statement:
    """Share of trades with a gain, 0 to 1."""
    return _figure("WIN RATE", "1.0 * wins / trades")


def trade_size() -> Statement:
    """Mean contracts of a trade."""
    return _figure("TRADE SIZE", "1.0 * contracts / trades")


_ENOUGH_DAYS = 30


def sharpe() -> Statement:
    """Mean over sample deviation of daily PnL × √365; UTC days without a trade count as 0; n: days.

    From the first day with a trade (or the range's first) to the last UTC day of the range.
    """
    days = f"""SELECT date, SUM(pnl) AS pnl FROM daily_pnl WHERE bot = {BOT} AND {DAYS} GROUP BY date"""
    spanned = f"""SELECT COUNT(*) AS trades, SUM(pnl) AS total,
        1 + julianday(MIN(date({TO}, 'unixepoch'), date('now')))
          - julianday(MAX(date({FROM}, 'unixepoch'), (SELECT MIN(date) FROM daily_pnl WHERE bot = {BOT})))
        AS n FROM day"""
    spread = """SELECT trades, CAST(n AS INTEGER) AS n, total / n AS mean,
        CASE WHEN n > 1 THEN sqrt(((SELECT SUM((pnl - total / n) * (pnl - total / n)) FROM day)
            + (n - trades) * total / n * total / n) / (n - 1)) END AS deviation
        FROM spanned"""
    name = f"""'SHARPE' || CASE WHEN trades = 0 THEN ' · {NO_DATA}'
        WHEN n < {_ENOUGH_DAYS} THEN ' · n = ' || n || ', too few'
        ELSE ' · √365 · n = ' || n || ' d' END"""
    value = f"""CASE WHEN trades > 0 AND n >= {_ENOUGH_DAYS} AND deviation > 0
        THEN mean / deviation * sqrt(365.0) ELSE {NOT_YET} END"""
    return statement(
        {"name": text(name), "value": number(value)},
        "spread",
        given={"day": days, "spanned": spanned, "spread": spread},
    )


# --- The curve ---
def _buckets(table: str, condition: str) -> str:
    return (
        f"SELECT at, pnl, low, high, drawdown FROM zoom CROSS JOIN {table}"
        f" WHERE bot = {BOT} AND at >= {condition}"
    )


_ZOOM = f"""SELECT step, first - first % step AS start, stop
    FROM (SELECT {_STEP} AS step, {FROM} AS first, {TO} AS stop)"""
_BUCKETS = " UNION ALL ".join(
    (
        _buckets("equity_day", f"0 AND at < start - start % {DAY}"),
        _buckets("equity_hour", f"start - start % {DAY} AND at < start - start % {HOUR}"),
        _buckets("equity_minute", f"start - start % {HOUR} AND at < start"),
        _buckets("equity_minute", f"start AND at <= stop AND step = {MINUTE}"),
        _buckets("equity_hour", f"start AND at <= stop AND step = {HOUR}"),
        _buckets("equity_day", f"start AND at <= stop AND step = {DAY}"),
    )
)
_WALK = """SELECT at, low, high, drawdown, SUM(pnl) OVER so_far AS equity,
    SUM(pnl) OVER so_far - pnl AS opened
    FROM bucket WINDOW so_far AS (ORDER BY at ROWS UNBOUNDED PRECEDING)"""
_PEAKS = """SELECT at, low, drawdown, equity, opened,
    MAX(0.0, MAX(opened + high) OVER (ORDER BY at ROWS UNBOUNDED PRECEDING)) AS mark,
    MAX(0.0, COALESCE(MAX(opened + high)
        OVER (ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0.0)) AS mark_before
    FROM walk"""
_CURVE = {"zoom": _ZOOM, "bucket": _BUCKETS, "walk": _WALK, "peak": _PEAKS}
_LAST_BEFORE = "SELECT * FROM peak, zoom WHERE at < start ORDER BY at DESC LIMIT 1"
_LAST = "SELECT * FROM peak, zoom ORDER BY at DESC LIMIT 1"


def equity() -> Statement:
    """Running sum of realised PnL since the ledger began, in USD, and its high water mark (never below 0)."""
    points = f"""SELECT start AS at, equity, mark FROM ({_LAST_BEFORE})
        UNION SELECT at, opened, mark_before FROM peak, zoom
            WHERE at = (SELECT MIN(at) FROM peak, zoom WHERE at >= start)
        UNION SELECT MIN(at + step, stop), equity, mark FROM peak, zoom WHERE at >= start
        UNION SELECT stop, equity, mark FROM ({_LAST})"""
    return charted(
        {"time": time("at"), "equity": usd("equity"), "high water mark": usd("mark")},
        {**_CURVE, "point": points},
        order="time",
    )


def drawdown() -> Statement:
    """How far equity stood below its high water mark, in USD (0 or less): the deepest inside each step."""
    points = f"""SELECT start AS at, equity - mark AS depth FROM ({_LAST_BEFORE})
        UNION ALL SELECT at, -MAX(drawdown, mark_before - opened - low) FROM peak, zoom WHERE at >= start
        UNION ALL SELECT MIN(at + step, stop), equity - mark FROM peak, zoom WHERE at >= start
        UNION ALL SELECT stop, equity - mark FROM ({_LAST})"""
    return charted(
        {"time": time("at"), "drawdown": usd("depth")},
        {**_CURVE, "point": points, "deepest": "SELECT at, MIN(depth) AS depth FROM point GROUP BY at"},
        order="time",
    )


def max_drawdown() -> Statement:
    """Largest fall below the high water mark in the range's UTC days, in USD; n: days with a trade."""
    days = f"SELECT at, pnl, low, high, drawdown FROM equity_day WHERE bot = {BOT} AND at <= {TO}"
    deepest = f"""SELECT COUNT(*) AS n, MAX(MAX(drawdown, mark_before - opened - low)) AS depth
        FROM peak WHERE at >= {FROM} - ({FROM}) % {DAY}"""
    return statement(
        {
            "name": text(f"'MAX DRAWDOWN $' || CASE n WHEN 0 THEN ' · {NO_DATA}' ELSE ' · n = ' || n END"),
            "value": number(f"CASE WHEN n > 0 THEN ROUND(depth, 6) ELSE {NOT_YET} END"),
        },
        "deepest",
        given={"bucket": days, "walk": _WALK, "peak": _PEAKS, "deepest": deepest},
    )


# --- Days ---
SHORT_RANGE = "choose a week or more"
OTHER_DAY = f"""SELECT tz, COALESCE(rolls_at, '00:00') AS rolls_at FROM bots WHERE bot = {BOT}
    AND (COALESCE(tz, 'UTC') <> 'UTC' OR COALESCE(rolls_at, '00:00') <> '00:00')"""
"""The operator's day, where it is not the UTC day."""


def days() -> Statement:
    """PnL of each of the operator's days where one is set, else of each UTC day; `day` names which.

    A day that began before the range stands at its start, whole.
    """
    utc = f"""SELECT CAST(strftime('%s', date) AS INTEGER) AS at, SUM(pnl) AS pnl,
        'UTC day' AS day FROM daily_pnl
        WHERE bot = {BOT} AND {DAYS} AND NOT EXISTS (SELECT 1 FROM other) GROUP BY date"""
    own = f"""SELECT starts_at, pnl, 'day of ' || other.tz || ' from ' || rolls_at
        FROM other CROSS JOIN operator_daily_pnl AS own
        WHERE own.bot = {BOT} AND ends_at > {FROM} AND starts_at <= {TO}"""
    return charted(
        {"time": time(f"MAX(at, {FROM})"), "PnL": usd("pnl"), "day": text("day")},
        {"other": OTHER_DAY, "days": f"{utc} UNION ALL {own}"},
        order="time",
    )


def calendar() -> Statement:
    """PnL of each UTC day, a row a week (at its Thursday noon) and a column a weekday: `band|text`.

    The band is -3 to 3 against the 90th percentile of the range's absolute daily PnL: below a third of it,
    below it, or at least it. Weeks have no place on an axis that is shorter than one, which is said instead.
    """
    sums = f"SELECT date, ROUND(SUM(pnl), 6) AS pnl FROM daily_pnl WHERE bot = {BOT} AND {DAYS} GROUP BY date"
    ranked = "SELECT ABS(pnl) AS size, ROW_NUMBER() OVER (ORDER BY ABS(pnl)) AS place FROM day"
    scale = """SELECT size FROM ranked WHERE place >= 0.9 * (SELECT COUNT(*) FROM ranked)
        ORDER BY place LIMIT 1"""
    banded = f"""SELECT strftime('%s', date, '-6 days', 'weekday 1', '+84 hours') AS week,
        strftime('%w', date) AS weekday,
        (SIGN(pnl) * (1 + (ABS(pnl) >= size / 3.0) + (ABS(pnl) >= size))) || '|' || {_MONEY} AS told
        FROM day, scale"""
    weekdays = {"Mon": 1, "Tue": 2, "Wed": 3, "Thu": 4, "Fri": 5, "Sat": 6, "Sun": 0}
    columns: dict[str, Value] = {"time": time("week")}
    columns |= {day: text(f'"{day}"') for day in weekdays}
    cells = ", ".join(
        f"MAX(CASE weekday WHEN '{n}' THEN told END) AS \"{day}\"" for day, n in weekdays.items()
    )
    given = {"day": sums, "ranked": ranked, "scale": scale, "banded": banded}
    given["week"] = f"""SELECT CAST(week AS INTEGER) AS week, {cells} FROM banded
        WHERE $__to - $__from >= {7 * DAY * 1000} GROUP BY 1"""
    # One column alone has no width to draw words in.
    blank = ", ".join(f'NULL AS "{day}"' for day in weekdays)
    why = f"'0|' || CASE WHEN EXISTS (SELECT 1 FROM day) THEN '{SHORT_RANGE}' ELSE '{NO_DATA}' END"
    words = blank.replace('NULL AS "Thu"', f'{why} AS "Thu"')
    given["shown"] = f"""SELECT * FROM week
        UNION ALL SELECT {MIDDLE}, {words} WHERE NOT EXISTS (SELECT 1 FROM week)
        UNION ALL SELECT {TO}, {blank} WHERE NOT EXISTS (SELECT 1 FROM week)"""
    return statement(columns, "shown ORDER BY week", given=given)


_MONEY = one_line(
    """CASE WHEN pnl < 0 THEN '−$' ELSE '$' END || CASE WHEN ABS(pnl) >= 10000
    THEN printf('%.0fk', ABS(pnl) / 1000.0) WHEN ABS(pnl) >= 100 THEN printf('%.0f', ABS(pnl))
    ELSE printf('%.2f', ABS(pnl)) END"""
)
