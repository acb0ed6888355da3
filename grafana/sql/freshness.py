"""Whether the reporting database is written now, what it holds, and which day a figure belongs to."""

from grafana.sql.performance import NOT_YET, OTHER_DAY
from grafana.sql.statement import BOT, FROM, NOW, TO, Statement, number, statement, text

BLIND_AFTER = 15
"""Seconds after which a heartbeat of the exporter is old: what stands in the database is then not now."""

NOT_READ_AFTER = 30
"""Seconds after its last look from which a ledger is not known to be what the bot's store holds."""

AGE = f"({NOW} - as_of)"
FRESH = f"ABS{AGE} <= {BLIND_AFTER}"
"""Holds for neither an old heartbeat nor one that is ahead of the clock: that may be an old one, too."""
LEDGER_READ = f"""SELECT MAX(last_read_at) AS at, status, rows FROM sources
    WHERE bot = {BOT} AND store = 'analytics' AND current = 1"""
"""When the store for fills was last read to its end, how it is, its rows so far; nulls without one."""
IS_READ = f"ABS({NOW} - COALESCE(ledger_read.at, 0)) < {NOT_READ_AFTER}"


def bot_variable() -> Statement:
    """The bots that the exporter writes about."""
    return statement({"bot": text("bot")}, "bots ORDER BY bot")


def as_of() -> Statement:
    """When the exporter last wrote, in ms, beside the days that are summed; no row while that is not now."""
    days = f"""'UTC days ' || date({FROM}, 'unixepoch') || ' to ' || date({TO}, 'unixepoch')
        || COALESCE((SELECT ' · daily bars: ' || tz || ' from ' || rolls_at FROM other), '')"""
    return statement(
        {"name": text(days), "value": number("1000 * as_of")},
        f"bots, ledger_read WHERE bot = {BOT} AND {FRESH} AND {IS_READ}",
        given={"other": OTHER_DAY, "ledger_read": LEDGER_READ},
    )


def blind() -> Statement:
    """Why the page is not now, and since when, in ms; no row while it is.

    The exporter stopped writing, or never wrote about the bot, or it cannot read the bot's store.
    """
    status = """CASE WHEN ledger_read.status <> 'ok' THEN ledger_read.status
        WHEN ledger_read.at IS NULL THEN 'first reading, ' || ledger_read.rows || ' rows so far'
        WHEN ledger_read.status = 'ok' THEN 'late' END"""
    stopped = f"CASE WHEN {AGE} < 0 THEN 'its time is ahead' ELSE 'the exporter stopped writing' END"
    return statement(
        {"name": text("told"), "value": number("1000 * at")},
        f"""(SELECT 'BLIND · ' || {stopped} AS told, as_of AS at FROM bots
            WHERE bot = {BOT} AND NOT ({FRESH})
        UNION ALL SELECT 'BLIND · nothing written about this bot yet', {NOW}
            WHERE NOT EXISTS (SELECT 1 FROM bots WHERE bot = {BOT})
        UNION ALL SELECT 'LEDGER NOT READ · ' || COALESCE({status}, 'no store for fills was read'),
            COALESCE(ledger_read.at, as_of) FROM bots, ledger_read
            WHERE bot = {BOT} AND {FRESH} AND NOT ({IS_READ}))""",
        given={"ledger_read": LEDGER_READ},
    )


_IS_NOW = f"""EXISTS (SELECT 1 FROM bots, ({LEDGER_READ}) AS ledger_read
    WHERE bot = {BOT} AND {FRESH} AND {IS_READ})"""


def while_read(figure: Statement) -> Statement:
    """A tile's figure while the ledger is read; no row while it is not."""
    return statement({"name": text("name"), "value": number("value")}, f"({figure.text}) WHERE {_IS_NOW}")


def when_it_was(figure: Statement) -> Statement:
    """The same while the ledger is not read: its name says OLD where its n stood."""
    old = "substr(name, 1, instr(name, ' · ')) || '· OLD'"
    return statement(
        {"name": text(f"CASE WHEN value = {NOT_YET} THEN name ELSE {old} END"), "value": number("value")},
        f"({figure.text}) WHERE NOT {_IS_NOW}",
    )


def real_money() -> Statement:
    """The bot's last known mode in words, and whether its markets are simulated, while that mode is live."""
    return _mode("= 'live'")


def no_real_money() -> Statement:
    """The same while its last known mode is any other, or none."""
    return _mode("IS NOT 'live'")


def _mode(which: str) -> Statement:
    markets = f"""CASE simulated WHEN 1 THEN 'SIMULATED' WHEN 0 THEN 'REAL MARKETS' ELSE 'SIMULATED ?' END
        || CASE WHEN mode IS NULL OR NOT ({FRESH}) THEN ' · last known' ELSE '' END"""
    return statement(
        {"name": text(markets), "value": text("UPPER(COALESCE(mode, last_mode, 'mode ?'))")},
        f"bots WHERE bot = {BOT} AND COALESCE(mode, last_mode) {which}",
    )
