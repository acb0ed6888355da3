"""Marks on the time series: kills, alerts while they fired, changes, restarts; with who and why."""

from grafana.sql.alerts import episodes, named
from grafana.sql.statement import BOT, FROM, NOW, TO, Statement, statement, text, time

MOST = 100
"""The newest of each kind: more of them hide the line that they are about."""
CHANGES = ("mode_change", "setting_change", "maintenance", "rearm")
RESTARTS = ("restart", "exporter", "goodbye")

_IN_RANGE = f"at BETWEEN {FROM} AND {TO} + 1"
_WHO = "CASE WHEN COALESCE(who, '') = '' THEN source ELSE who END"
_WHY = "CASE WHEN COALESCE(why, '') = '' THEN '' ELSE ': ' || why END"


def kills() -> Statement:
    """Each kill from its order until it was re-armed, and the bot's own kill switch where it went on."""
    ordered = f"""SELECT sent_at AS time, COALESCE(rearmed_at, {NOW}) AS until,
            CASE drill WHEN 1 THEN 'DRILL' ELSE 'KILL' END || COALESCE(' of ' || venue, '') AS title,
            who || ' (' || source || '), ' || REPLACE(state, '_', ' ') || COALESCE(' by its ' || rung, '')
                || CASE WHEN COALESCE(reason, '') = '' THEN '' ELSE ': ' || reason END AS text
        FROM kills WHERE bot = {BOT} AND sent_at <= {TO} AND COALESCE(rearmed_at, {NOW}) >= {FROM}"""
    itself = f"""SELECT at, at, 'KILL SWITCH', what || {_WHY} FROM events
        WHERE kind = 'kill_switch' AND bot = {BOT} AND {_IN_RANGE}"""
    return _newest(f"{ordered} UNION ALL {itself}")


def alerts() -> Statement:
    """Each alert from when it fired until it ended, or until now where it goes on."""
    return _newest(
        f"""SELECT fired_at AS time,
            COALESCE(resolved_at, CASE state WHEN 'firing' THEN {NOW} END, seen_until) AS until,
            UPPER(severity) || ' ' || {named("alert")} AS title,
            COALESCE(NULLIF(bot, '') || ', ', '') || CASE WHEN state = 'firing' THEN 'still on'
                WHEN why = 'ended' THEN why ELSE 'ended: ' || why END
                || COALESCE(', ' || NULLIF(had_by, '') || ' had it', '') AS text
        FROM episodes""",
        given={"episodes": episodes(MOST, "severity IN ('critical', 'warning')")},
    )


def changes() -> Statement:
    """Settings, modes, maintenance and re-arming, each at its moment."""
    return _events(CHANGES, "what || COALESCE(' (' || before || ' → ' || after || ')', '')")


def restarts() -> Statement:
    """Restarts of the bot, its goodbyes, starts and stops of the exporter."""
    return _events(RESTARTS, "what")


def _events(kinds: tuple[str, ...], what: str) -> Statement:
    words = ", ".join(f"'{kind}'" for kind in kinds)
    return _newest(
        f"""SELECT at AS time, at AS until, REPLACE(UPPER(kind), '_', ' ') AS title,
            {what} || ', ' || {_WHO} || {_WHY} AS text
        FROM events WHERE kind IN ({words}) AND bot IN ({BOT}, '') AND {_IN_RANGE}"""
    )


def _newest(select: str, given: dict[str, str] | None = None) -> Statement:
    """The newest marks as Grafana draws them: a mark that has an end of its own is a region."""
    return statement(
        {
            "time": time("time"),
            "timeEnd": time("until"),
            "title": text("title"),
            "text": text("text"),
        },
        f"(SELECT * FROM ({select}) ORDER BY time DESC LIMIT {MOST}) ORDER BY time",
        given=given,
    )
