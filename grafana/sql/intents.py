"""Order intents of the range, each with its legs."""

from grafana.sql.statement import (
    BOT,
    FROM,
    LANES,
    NO_DATA,
    TO,
    Statement,
    count,
    lane_name,
    number,
    or_words,
    text,
)
from grafana.words import SHORT_KINDS

NEWEST = 200
"""So many intents are shown; the title says so."""

_PRICE = "CASE WHEN average_price IS NULL THEN '' ELSE printf(' @%.3f', average_price) END"
_LEG = f"""venue || ' ' || market_id || ' ' || side || ' ' || filled_contracts || '/' || contracts || {_PRICE}
    || CASE status WHEN 'filled' THEN '' ELSE ' ' || status END"""


def intents() -> Statement:
    """The newest intents; expected profit in USD, legs as filled/wanted @average price."""
    newest = f"""SELECT bot, generation, intent_id, kind, status, contracts, total_filled, expected_profit,
        created_at, error FROM order_intents
        WHERE bot = {BOT} AND created_at BETWEEN {FROM} AND {TO} AND {LANES}
        ORDER BY created_at DESC LIMIT {NEWEST}"""
    legs = f"""SELECT group_concat(leg, ' · ') FROM (SELECT {_LEG} AS leg FROM leg_executions AS part
        INDEXED BY leg_executions_by_intent WHERE substr(part.intent_id, -8) = substr(newest.intent_id, -8)
        AND part.bot = newest.bot AND part.generation = newest.generation
        AND part.intent_id = newest.intent_id ORDER BY leg_index)"""
    return or_words(
        {
            "created (UTC)": text("strftime('%Y-%m-%d %H:%M:%S', created_at, 'unixepoch')"),
            "lane": text(lane_name("kind", SHORT_KINDS)),
            "status": text("status || CASE WHEN error IS NULL OR error = '' THEN '' ELSE ': ' || error END"),
            "wanted": count("contracts"),
            "filled": count("total_filled"),
            "expected": number("expected_profit"),
            "legs": text(f"COALESCE(({legs}), 'not said')"),
        },
        {"newest": newest},
        order="created_at DESC",
        words=NO_DATA,
        under="lane",
    )
