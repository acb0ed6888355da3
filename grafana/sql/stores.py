"""Each bot's own stores, as the exporter finds them."""

from grafana.sql.statement import NO_DATA, Statement, clock, count, or_words, text


def stores() -> Statement:
    """Every store that is followed: how it is, why, how much of it is mirrored, when it was last read."""
    age = f"strftime('%Y-%m-%d ', last_row_at, 'unixepoch') || {clock('last_row_at')}"
    return or_words(
        {
            "bot": text("bot"),
            "store": text("store"),
            "status": text("status"),
            "why": text("COALESCE(NULLIF(detail, ''), '–')"),
            "rows": count("rows"),
            "newest row": text(age),
            "last read": text(clock("last_read_at")),
            "path": text("path"),
        },
        {"current_ones": "SELECT * FROM sources WHERE current = 1"},
        order="status = 'ok', bot, store",
        words=NO_DATA,
        under="bot",
    )
