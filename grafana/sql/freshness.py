"""Whether the reporting database is written now, what it holds, and which day a figure belongs to."""

from grafana.sql.performance import OTHER_DAY
from grafana.sql.statement import BOT, FROM, NOW, TO, Statement, clock, number, one_line, statement, text

BLIND_AFTER = 15
"""Seconds after which a heartbeat of the exporter is old: what stands in the database is then not now."""

AGE = f"({NOW} - as_of)"
FRESH = f"{AGE} <= {BLIND_AFTER}"


def bot_variable() -> Statement:
    """The bots that the exporter writes about."""
    return statement({"bot": text("bot")}, "bots ORDER BY bot")


def as_of() -> Statement:
    """When the exporter last wrote, in ms, beside the days that the page sums; no row once that is old."""
    days = f"""'UTC days ' || date({FROM}, 'unixepoch') || ' to ' || date({TO}, 'unixepoch')
        || COALESCE((SELECT ' · daily bars: ' || tz || ' from ' || rolls_at FROM other), '')"""
    return statement(
        {"name": text(days), "value": number("1000 * as_of")},
        f"bots WHERE bot = {BOT} AND {FRESH}",
        given={"other": OTHER_DAY},
    )


def blind() -> Statement:
    """Why the page is not now: the exporter stopped writing, or never wrote about the bot. Else no row."""
    return statement(
        {"name": text("told"), "value": number("at")},
        f"""(SELECT 'BLIND · the exporter stopped writing' AS told, 1000 * as_of AS at FROM bots
            WHERE bot = {BOT} AND NOT ({FRESH})
        UNION ALL SELECT 'BLIND · nothing written about this bot yet', 1000 * {NOW}
            WHERE NOT EXISTS (SELECT 1 FROM bots WHERE bot = {BOT}))""",
    )


def markets() -> Statement:
    """The bot's last known mode in words, and whether its markets are simulated."""
    return statement(
        {
            "name": text(
                """CASE simulated WHEN 1 THEN 'SIMULATED' WHEN 0 THEN 'REAL MARKETS' ELSE 'SIMULATED ?' END
                || CASE WHEN mode IS NULL THEN ' · last known' ELSE '' END"""
            ),
            "value": text("UPPER(COALESCE(mode, last_mode, 'mode ?'))"),
        },
        f"bots WHERE bot = {BOT}",
    )


DISCONNECTED = one_line(f"'bot disconnected since ' || {clock('link_since')}")
