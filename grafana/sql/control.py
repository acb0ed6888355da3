"""What people ordered and what became of it, the settings with their changes, and what bots complained of."""

from grafana.sql.freshness import FRESH
from grafana.sql.statement import (
    BOT,
    FROM,
    NO_DATA,
    NOW,
    TO,
    Statement,
    Value,
    clock,
    count,
    number,
    or_words,
    statement,
    text,
)

SHOWN = 200
"""The newest commands, changes and complaints that a list has."""
AUDITED = 500
"""The newest events of the audit trail on the page; the API has them all."""

CATEGORIES = (
    "Safety Rails",
    "Sizing",
    "Lanes",
    "Bucket Quality",
    "Cooldowns",
    "Exchange",
    "Paper simulation",
)
"""What the settings of an arbitrage bot are grouped by; those of other kinds of bots stand under `OTHERS`."""
OTHERS = "Others"

DOUBTFUL = ("not_verified", "unknown", "mode_flipped", "poisoned")
OPEN = ("sent", "acked", "unanswered", "restoring")


def _in(words: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{word}'" for word in words) + ")"


# --- Whether what stands here is now ---
_SPEAKS = f"COALESCE(connected = 1 AND {NOW} - last_state_at <= stale_after, 0)"


def as_of() -> Statement:
    """When the exporter last wrote, while it writes and the bot speaks."""
    return _as_of(f"{FRESH} AND {_SPEAKS}", "'settings as the bot said them'", clock("as_of"))


def last_known() -> Statement:
    """Since when the bot has said nothing, while it does not."""
    return _as_of(
        f"{FRESH} AND NOT {_SPEAKS}",
        "'the bot says nothing: settings as last known'",
        f"COALESCE({clock('last_state_at')}, 'NO STATE YET')",
    )


def blind() -> Statement:
    """Since when the exporter has written nothing; a row also where it never wrote about the bot."""
    return statement(
        {"name": text("told"), "value": text("at")},
        f"""(SELECT 'BLIND · the exporter stopped writing' AS told, {clock("as_of")} AS at FROM bots
            WHERE bot = {BOT} AND NOT ({FRESH})
        UNION ALL SELECT 'BLIND · nothing written about this bot', 'NEVER'
            WHERE NOT EXISTS (SELECT 1 FROM bots WHERE bot = {BOT}))""",
    )


def _as_of(when: str, name: str, value: str) -> Statement:
    return statement({"name": text(name), "value": text(value)}, f"bots WHERE bot = {BOT} AND {when}")


# --- Codes and doubt ---
_SHOWN_CODES = f"codes WHERE bot = {BOT} AND expires_at > {NOW}"
_WRITTEN = f"bots WHERE bot = {BOT} AND {FRESH}"
_KNOWN = f"EXISTS (SELECT 1 FROM {_WRITTEN})"


def codes() -> Statement:
    """Each code that is to be typed now, what it is for, who asked, until when."""
    name = f"says || ' · for ' || who || ' until ' || {clock('expires_at')}"
    return statement({"name": text(name), "value": text("code")}, f"{_SHOWN_CODES} ORDER BY expires_at DESC")


def no_code() -> Statement:
    """A row while no code is shown."""
    return statement(
        {"name": text("'CODE TO TYPE'"), "value": text("'NONE ASKED FOR'")},
        f"{_WRITTEN} AND NOT EXISTS (SELECT 1 FROM {_SHOWN_CODES})",
    )


_UNVERIFIED = f"settings WHERE bot = {BOT} AND state IN {_in((*OPEN, *DOUBTFUL))}"


def unverified() -> Statement:
    """Settings of which nobody knows whether the bot does what was wanted, with what was."""
    return statement(
        {
            "name": text("key || ' → ' || COALESCE(wanted, 'blank')"),
            "value": text("UPPER(REPLACE(state, '_', ' '))"),
        },
        f"{_UNVERIFIED} ORDER BY changed_at DESC LIMIT 3",
    )


def none_unverified() -> Statement:
    """A row while there are no such settings."""
    return statement(
        {"name": text("'UNVERIFIED CHANGES'"), "value": text("'NONE'")},
        f"{_WRITTEN} AND NOT EXISTS (SELECT 1 FROM {_UNVERIFIED})",
    )


# --- Commands and their effect ---
_WORDS = "UPPER(REPLACE(state, '_', ' '))"
_SETTING = "s.key || ': ' || COALESCE(s.before, 'blank') || ' → ' || COALESCE(s.after, 'blank')"
_COMMAND = """REPLACE(c.command, '_', ' ')
    || COALESCE(' ' || json_extract(c.parameters, '$.position_id'), '')"""
_ORDERED = f"""SELECT c.sent_at AS at, COALESCE({_SETTING}, {_COMMAND}) AS what, c.who, c.source,
        UPPER(REPLACE(c.state, '_', ' ')) AS result, c.seen, c.reason,
        0 AS kill FROM commands AS c LEFT JOIN setting_changes AS s ON s.command_id = c.id WHERE c.bot = {BOT}
    UNION ALL SELECT sent_at, CASE drill WHEN 1 THEN 'drill' ELSE 'KILL' END || COALESCE(' of ' || venue, ''),
        who, source, {_WORDS} || CASE WHEN rearmed_at IS NULL THEN '' ELSE ', RE-ARMED' END,
        COALESCE('by its ' || rung || printf(' after %.1f s', decided_at - sent_at), NULLIF(detail, ''),
            'no proof yet'), reason, 1 FROM kills WHERE bot = {BOT}
    UNION ALL SELECT at, what, who, source, UPPER(kind), proof, why, 0 FROM events
        WHERE kind IN ('rearm', 'maintenance') AND bot = {BOT}
    UNION ALL SELECT at, REPLACE(what, '/api/bots/' || {BOT} || '/', ''), who, source, 'REFUSED', proof, '', 0
        FROM events
        WHERE kind = 'refused' AND (what LIKE '/api/bots/' || {BOT} || '/%' OR what = '/api/kill')"""
_AT = "strftime('%m-%d %H:%M:%S', at, 'unixepoch')"
_WHO = "who || ' (' || source || ')'"


def commands() -> Statement:
    """What was ordered of the bot, newest first: what, by whom, what became of it, what was seen."""
    return or_words(
        {
            "at": text(_AT),
            "what": text("what"),
            "result": text("result"),
            "who": text(_WHO),
            "what was seen": text("seen"),
            "why": text("reason"),
        },
        {"ordered": f"SELECT * FROM ({_ORDERED}) ORDER BY at DESC LIMIT {SHOWN}"},
        order="ordered.at DESC",
        words="nothing was ordered yet",
        under="what",
        known=_KNOWN,
    )


def last_command() -> Statement:
    """The newest of them in one line: what became of it; of a refused one, why."""
    told = (
        f"CASE result WHEN 'REFUSED' THEN substr(seen, 1, 64) ELSE substr(what, 1, 44) || ' · ' || {_WHO} END"
    )
    result = "result || CASE WHEN kill = 1 THEN ' ' || substr(seen, 1, 40) ELSE '' END"
    return statement(
        {"name": text(f"{told} || ' · ' || {clock('at')}"), "value": text(result)},
        "last",
        given={"last": f"SELECT * FROM ({_ORDERED}) ORDER BY at DESC LIMIT 1"},
    )


def no_command() -> Statement:
    """A row while nothing was ordered yet."""
    return statement(
        {"name": text("'LAST COMMAND'"), "value": text("'NONE YET'")},
        f"bots WHERE bot = {BOT} AND NOT EXISTS (SELECT 1 FROM ordered)",
        given={"ordered": _ORDERED},
    )


def what_is_killed() -> Statement:
    """What stands on the button: a press must not be about another bot than the person thinks."""
    return statement({"kill": text(f"'KILL ' || {BOT}")}, "(SELECT 1)")


def would_remain() -> Statement:
    """What a kill would leave open, by the bot's last state."""
    held = f"live_positions WHERE bot = {BOT} AND source = 'bot'"
    words = """CASE WHEN COUNT(*) = 0 THEN 'no position' ELSE COUNT(*) || ' open' END
        || CASE WHEN SUM(hedged = 0) > 0 THEN ', ' || SUM(hedged = 0) || ' unhedged' ELSE '' END
        || CASE WHEN SUM(hedged IS NULL) > 0 THEN ', hedged or not: not said of ' || SUM(hedged IS NULL)
            ELSE '' END || CASE WHEN SUM(hedged = 1) = COUNT(*) THEN ', all hedged' ELSE '' END"""
    return statement(
        {
            "name": text(f"'a kill would leave · state of ' || {clock('last_state_at')}"),
            "value": text(f"(SELECT {words} FROM {held})"),
        },
        f"bots WHERE bot = {BOT} AND last_state_at IS NOT NULL",
    )


def last_drill() -> Statement:
    """When the newest drill ended with a proof, as far as this database goes."""
    return statement(
        {
            "name": text("'last proven drill'"),
            "value": text(f"""COALESCE((SELECT strftime('%Y-%m-%d ', decided_at, 'unixepoch')
                || {clock("decided_at")} || ' (' || rung || ')' FROM kills
                WHERE kills.bot = bots.bot AND drill = 1 AND rung IS NOT NULL
                ORDER BY decided_at DESC LIMIT 1), 'NONE IN THE DATABASE')"""),
        },
        f"bots WHERE bot = {BOT}",
    )


# --- Settings ---
_STATE = """CASE WHEN state = 'verified' THEN 'VERIFIED'
    WHEN state = 'acked_not_observable' THEN 'ACKED, NOT OBSERVABLE'
    WHEN state IN ('observed', 'at_restart') THEN 'OBSERVED'
    WHEN state = '' OR state IS NULL THEN 'as reported' ELSE UPPER(REPLACE(state, '_', ' ')) END"""
_CHANGED = f"""CASE WHEN changed_at IS NULL THEN '–' ELSE strftime('%m-%d ', changed_at, 'unixepoch')
    || {clock("changed_at")} || COALESCE(' by ' || NULLIF(changed_by, ''), '') END"""
_RISK = "CASE risk WHEN 'up' THEN '▲ raising it' WHEN 'down' THEN '▼ lowering it' ELSE '–' END"
# A value that nobody reported is no blank one: a blank was seen.
_VALUE = "COALESCE(value, CASE WHEN seen_at IS NULL THEN 'NOT REPORTED' ELSE '(blank)' END)"


def _category(category: str) -> str:
    if category == OTHERS:
        return f"category NOT IN {_in(CATEGORIES)}"
    return f"category = '{category}'"


def changeable(category: str) -> Statement:
    """The settings of a category that this bot takes while it runs, always in the same order."""
    return statement(
        {
            "change": text("' '"),
            "parameter": text("key"),
            "value": text(_VALUE),
            "unit": text("unit"),
            "takes": text("takes"),
            "more risk by": text(_RISK),
            "effect": text(_STATE),
            "last change": text(_CHANGED),
            "what it does": text("help"),
        },
        f"settings WHERE bot = {BOT} AND {_category(category)} AND hot = 1 ORDER BY position",
    )


def fixed(category: str) -> Statement:
    """The settings of a category that cannot be changed from here, and why not."""
    return or_words(
        {
            "parameter": text("key"),
            "value": text(_VALUE),
            "unit": text("unit"),
            "why it is not changed here": text("restart"),
            "what it does": text("help"),
        },
        {"kept": f"SELECT * FROM settings WHERE bot = {BOT} AND {_category(category)} AND hot = 0"},
        order="position",
        words="none in this category",
        under="parameter",
        known=_KNOWN,
    )


def differences() -> Statement:
    """Settings that are not as at the session's start, then those that are not the default."""
    return or_words(
        {
            "parameter": text("key"),
            "value": text(_VALUE),
            "at start": text(
                "CASE differs_from_start WHEN 1 THEN COALESCE(session_start, '(blank)') ELSE 'same' END"
            ),
            "default": text(
                "CASE differs_from_default WHEN 1 THEN COALESCE(default_value, '(blank)') ELSE 'same' END"
            ),
            "last change": text(_CHANGED),
        },
        {
            "differing": f"""SELECT * FROM settings WHERE bot = {BOT}
                AND (differs_from_start = 1 OR differs_from_default = 1)"""
        },
        order="COALESCE(differs_from_start, 0) DESC, position",
        words="nothing differs",
        under="parameter",
        known=_KNOWN,
    )


# --- What changed, what went wrong ---
_CHANGES = (
    "alert_had",
    "cap_breached",
    "command",
    "exporter",
    "goodbye",
    "kill",
    "kill_switch",
    "maintenance",
    "mode_change",
    "rearm",
    "restart",
    "setting_change",
    "setting_observed",
    "status_change",
    "store_status",
)
_BEFORE_AFTER = """CASE WHEN before IS NULL AND after IS NULL OR kind NOT LIKE 'setting%' THEN ''
    ELSE ' (' || COALESCE(before, 'blank') || ' → ' || COALESCE(after, 'blank') || ')' END"""


# Kills name who ordered them together with where from.
_WHO_OR_WHAT = f"""CASE WHEN COALESCE(who, '') = '' THEN source
    WHEN who LIKE '% (' || source || ')' THEN who ELSE {_WHO} END"""


def what_changed() -> Statement:
    """Versions, restarts, settings, modes, kills, silences and acks in one list, newest first."""
    return or_words(
        {
            "at": text(_AT),
            "kind": text("REPLACE(kind, '_', ' ')"),
            "what": text(f"what || {_BEFORE_AFTER}"),
            "who": text(_WHO_OR_WHAT),
            "why": text("why"),
        },
        {
            "changes": f"""SELECT * FROM events WHERE bot IN ({BOT}, '') AND kind IN {_in(_CHANGES)}
                ORDER BY seq DESC LIMIT {SHOWN}"""
        },
        order="seq DESC",
        words=NO_DATA,
        under="what",
    )


def complaints() -> Statement:
    """The bot's errors and warnings of the UTC days of the range, by message, the newest first."""
    days = f"date BETWEEN date({FROM}, 'unixepoch') AND date({TO}, 'unixepoch')"
    return or_words(
        {
            "severity": text("severity"),
            "message": text("message"),
            "count": count("n"),
            "last": text(clock("last_at")),
        },
        {
            "complained": f"""SELECT severity, message, SUM(count) AS n, MAX(last_at) AS last_at
                FROM complaints WHERE bot = {BOT} AND {days} GROUP BY severity, message
                ORDER BY MAX(last_at) DESC LIMIT {SHOWN}"""
        },
        order="last_at DESC",
        words="no error and no warning came",
        under="message",
        known=_KNOWN,
    )


def audit() -> Statement:
    """The audit trail as it was written: every event of the bot and of the console, newest first."""
    words = ("bot", "kind", "severity", "who", "source", "what", "why", "before", "after", "answer", "proof")
    columns: dict[str, Value] = {
        "seq": count("seq"),
        "at": text(f"strftime('%Y-%m-%d ', at, 'unixepoch') || {clock('at')}"),
    }
    columns |= {word: text(word) for word in words}
    columns["seconds"] = number("latency")
    return or_words(
        columns,
        {
            "newest": f"""SELECT * FROM events WHERE bot IN ({BOT}, '') AND at BETWEEN {FROM} AND {TO} + 1
                ORDER BY at DESC, seq DESC LIMIT {AUDITED}"""
        },
        order="seq DESC",
        words=NO_DATA,
        under="what",
    )


# --- Positions that can be closed by hand ---
_CLOSES = f"""SELECT *, {FRESH} AS fresh, {_SPEAKS} AS speaks,
    ' ' || COALESCE(commands, '') || ' ' LIKE '% close_position %' AS closes FROM bots WHERE bot = {BOT}"""


def closable() -> Statement:
    """Positions of a bot that speaks and can close one, the oldest first: a new one moves no other."""
    return statement(
        {
            "close": text("' '"),
            "symbol": text("p.market_id"),
            "market": text("COALESCE(p.market, p.market_id)"),
            "venue": text("p.venue"),
            "side": text("p.side"),
            "contracts": number("p.contracts"),
            "entry": number("p.entry"),
            "position": text("p.position_id"),
        },
        f"""closes JOIN live_positions AS p ON p.bot = closes.bot AND p.source = 'bot'
        WHERE p.bot = {BOT} AND fresh AND speaks AND closes ORDER BY p.opened_at, p.position_id""",
        given={"closes": _CLOSES},
    )


def may_close() -> Statement:
    """Whether a position can be closed from here, in words."""
    return statement(
        {
            "name": text("""CASE WHEN NOT fresh THEN 'the exporter stopped writing'
                WHEN NOT speaks THEN 'the bot says nothing now'
                WHEN NOT closes THEN 'the bot names no command for it'
                ELSE 'Close · type the symbol of the row' END"""),
            "value": text("CASE WHEN fresh AND speaks AND closes THEN 'CAN CLOSE' ELSE 'NO BUTTON' END"),
        },
        "closes",
        given={"closes": _CLOSES},
    )
