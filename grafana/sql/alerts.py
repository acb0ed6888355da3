"""The history of alerts from the audit trail: when the symptom began, somebody was told, it ended."""

from grafana.sql.freshness import FRESH
from grafana.sql.statement import (
    BOT,
    FROM,
    NO_DATA,
    NOW,
    TO,
    Statement,
    count,
    number,
    or_words,
    text,
)

SHOWN = 200
COUNTED = 2000
"""Of how many alerts the medians are: reading each costs what it tells of itself as JSON."""
BEFORE = 7 * 86400
"""Seconds before the range in which an alert is looked for that still is on: at midnight nothing ends."""

_READ = ", ".join(
    f"json_extract(data, '$.{name}') AS {name}"
    for name in (
        *("state", "fingerprint", "active_at", "fired_at", "delivered_at"),
        *("resolved_at", "seen_until", "had_by"),
    )
)


def episodes(most: int, severities: str = "1") -> str:
    """Each alert of the bot and of the console itself once, with what is known of it by now.

    It has a row when it fires and one when it ended, which says everything again: the later one counts. So
    the newest rows, twice as many as alerts, tell of at least the `most` that fired or ended last. One that
    is still on counts also where it fired before the range.
    """
    newest = f"""SELECT * FROM events WHERE kind = 'alert' AND bot IN ({BOT}, '') AND {severities}
        AND at BETWEEN {FROM} - {BEFORE} AND {TO} + 1 ORDER BY at DESC LIMIT {2 * most}"""
    latest = f"""SELECT *, MAX(seq) FROM (SELECT seq, at, bot, severity, why,
        substr(what, 1, instr(what, ' ') - 1) AS alert, {_READ} FROM ({newest}))
    GROUP BY fingerprint, CAST(fired_at AS INTEGER)"""
    return f"SELECT * FROM ({latest}) WHERE at >= {FROM} OR state = 'firing'"


_KNOWN = f"EXISTS (SELECT 1 FROM bots WHERE bot = {BOT} AND {FRESH})"
_TOLD = "delivered_at - active_at"
_LASTED = "resolved_at - fired_at"


def named(column: str) -> str:
    """An alert's name without the project's prefix."""
    return f"CASE WHEN {column} LIKE 'Tradebot%' THEN substr({column}, 9) ELSE {column} END"


def history() -> Statement:
    """Each alert, the newest first; times in UTC, spans in seconds."""
    return or_words(
        {
            "symptom": text("strftime('%m-%d %H:%M:%S', COALESCE(active_at, fired_at), 'unixepoch')"),
            "alert": text(named("alert")),
            "bot": text("bot"),
            "severity": text("severity"),
            "told after": number(_TOLD),
            "lasted": number(f"COALESCE(resolved_at, CASE state WHEN 'firing' THEN {NOW} END) - fired_at"),
            "ended": text(
                """CASE WHEN state = 'firing' THEN 'STILL ON' WHEN resolved_at IS NULL
                    THEN 'seen until ' || strftime('%H:%M:%S', seen_until, 'unixepoch') ELSE why END"""
            ),
            "had by": text("COALESCE(NULLIF(had_by, ''), '–')"),
        },
        {"newest": f"SELECT * FROM ({episodes(SHOWN)}) ORDER BY fired_at DESC LIMIT {SHOWN}"},
        order="fired_at DESC",
        words="none fired or ended",
        under="alert",
        known=_KNOWN,
    )


def times() -> Statement:
    """By alert: how often, and the median seconds until somebody was told and until it had ended."""
    return or_words(
        {
            "alert": text(named("alert")),
            "fired": count("n"),
            "told after": number("told"),
            "lasted": number("lasted"),
        },
        {
            "episodes": episodes(COUNTED),
            "ranked": f"""SELECT alert, {_TOLD} AS told, {_LASTED} AS lasted,
                ROW_NUMBER() OVER (PARTITION BY alert, {_TOLD} IS NULL ORDER BY {_TOLD}) AS told_rank,
                SUM({_TOLD} IS NOT NULL) OVER (PARTITION BY alert) AS told_of,
                ROW_NUMBER() OVER (PARTITION BY alert, {_LASTED} IS NULL ORDER BY {_LASTED}) AS lasted_rank,
                SUM({_LASTED} IS NOT NULL) OVER (PARTITION BY alert) AS lasted_of FROM episodes""",
            "summed": """SELECT alert, COUNT(*) AS n,
                AVG(CASE WHEN told_rank IN ((told_of + 1) / 2, (told_of + 2) / 2) THEN told END) AS told,
                AVG(CASE WHEN lasted_rank IN ((lasted_of + 1) / 2, (lasted_of + 2) / 2) THEN lasted END)
                AS lasted FROM ranked GROUP BY alert""",
        },
        order="n DESC, alert",
        words=NO_DATA,
        under="alert",
    )
