"""What states, levels and causes are called and coloured; codes where a query can only say a number."""

from grafana import palette

Words = tuple[str, str]  # text, colour

# The words that bots use for a venue's stream, by code; a word that nobody foresaw is OTHER, not nothing.
STREAM_CODES = {
    1: "connected|streaming|live|ok",
    2: "poll_only|polling",
    3: "degraded|recovering|stale|reconnecting|connecting",
    4: "down|disconnected|failed|error|offline|outage",
    5: "paused|maintenance|closed",
}
STREAM_OTHER = 6
STREAM_PLANNED = 7
STREAM_WORDS: dict[int, Words] = {
    0: ("NOT REPORTED", palette.PURPLE),
    1: ("CONNECTED", palette.LANE),
    2: ("POLLING", palette.LANE),
    3: ("DEGRADED", palette.AMBER),
    4: ("DOWN", palette.RED),
    5: ("PAUSED", palette.BLUE),
    STREAM_OTHER: ("OTHER", palette.AMBER),
    STREAM_PLANNED: ("PLANNED", palette.BLUE),
}

# Lanes of the six-hour timeline; the order is the code, and 0 is "nobody said".
_STATES: dict[str, Words] = {
    "nothing": ("NOT REPORTED", palette.PURPLE),
    "ok": ("OK", palette.LANE),
    "look": ("SLOW", palette.AMBER),
    "act": ("DOWN", palette.RED),
    "planned": ("PLANNED", palette.BLUE),
    "live": ("LIVE", palette.INVERSE),
    "paper": ("PAPER", palette.BLUE),
    "paused": ("PAUSED", palette.BLUE),
    "killed": ("KILLED", palette.RED),
    "none": ("none", palette.NEUTRAL),
    "overrun": ("OVERRUN", palette.AMBER),
    "unread": ("NOT READ", palette.AMBER),
    "killing": ("KILLING", palette.AMBER),
    "halted": ("HALTED", palette.BLUE),
    "unproven": ("UNPROVEN", palette.RED),
    "not killed": ("NOT KILLED", palette.RED),
}
STATE_CODES = {state: code for code, state in enumerate(_STATES)}
STATE_WORDS = dict(enumerate(_STATES.values()))

CAUSES = {
    "operator": "by an operator",
    "automatic": "by its own limits",
    "environment": "by its environment",
    "unknown": "by an unknown cause",
}

LEVEL_WORDS: dict[str, Words] = {
    "act": ("ACT NOW", palette.RED),
    "unknown": ("UNKNOWN", palette.PURPLE),
    "look": ("LOOK", palette.AMBER),
    "planned": ("PLANNED", palette.BLUE),
    "ok": ("OK", palette.NEUTRAL),
}
MARKET_WORDS: dict[str, Words] = {
    "true": ("SIMULATED", palette.BLUE),
    "false": ("REAL", palette.NEUTRAL),
    "unknown": ("NOT SAID", palette.DIM_PURPLE),
}
SEVERITY_WORDS: dict[str, Words] = {
    "critical": ("CRITICAL", palette.RED),
    "warning": ("WARNING", palette.AMBER),
    "info": ("INFO", palette.NEUTRAL),
}

# What a bot complains of; nothing of it is an alarm by itself.
COMPLAINT_WORDS: dict[str, Words] = {
    "error": ("ERROR", palette.AMBER),
    "warning": ("WARNING", palette.LANE),
}

# What became of a command or a kill, as the lists of them say it.
RESULT_WORDS: dict[str, Words] = {
    "VERIFIED": ("VERIFIED", palette.NEUTRAL),
    "VERIFIED, RE-ARMED": ("VERIFIED, RE-ARMED", palette.NEUTRAL),
    "SENT": ("SENT", palette.BLUE),
    "ACKED": ("ACKED", palette.BLUE),
    "ACKED, RE-ARMED": ("ACKED, RE-ARMED", palette.BLUE),
    "RESTORING": ("RESTORING", palette.BLUE),
    "REARM": ("RE-ARMED", palette.BLUE),
    "MAINTENANCE": ("MAINTENANCE", palette.BLUE),
    "ACKED NOT OBSERVABLE": ("ACKED, NOT OBSERVABLE", palette.DIM_PURPLE),
    "UNANSWERED": ("UNANSWERED", palette.PURPLE),
    "UNKNOWN": ("UNKNOWN", palette.PURPLE),
    "REFUSED": ("REFUSED", palette.AMBER),
    "NOT SENT": ("NOT SENT", palette.AMBER),
    "UNPROVEN": ("UNPROVEN", palette.RED),
    "UNPROVEN, RE-ARMED": ("UNPROVEN, RE-ARMED", palette.AMBER),
    "NOT VERIFIED": ("NOT VERIFIED", palette.RED),
    "NOT VERIFIED, RE-ARMED": ("NOT VERIFIED, RE-ARMED", palette.AMBER),
    "MODE FLIPPED": ("MODE FLIPPED", palette.RED),
    "POISONED": ("POISONED", palette.RED),
}

# Whether a change of a setting has the effect that was wanted.
EFFECT_WORDS: dict[str, Words] = {
    "as reported": ("as reported", palette.NEUTRAL),
    "VERIFIED": ("VERIFIED", palette.LANE),
    "OBSERVED": ("CHANGED ELSEWHERE", palette.BLUE),
    "ACKED, NOT OBSERVABLE": ("ACKED, NOT OBSERVABLE", palette.DIM_PURPLE),
    "SENT": ("SENT", palette.BLUE),
    "ACKED": ("ACKED, UNVERIFIED", palette.BLUE),
    "RESTORING": ("PUTTING BACK", palette.AMBER),
    "UNANSWERED": ("UNVERIFIED", palette.PURPLE),
    "UNKNOWN": ("UNVERIFIED", palette.PURPLE),
    "NOT SENT": ("NOT SENT", palette.AMBER),
    "REFUSED": ("REFUSED", palette.AMBER),
    "NOT VERIFIED": ("UNVERIFIED: NOT SEEN", palette.RED),
    "MODE FLIPPED": ("MODE FLIPPED", palette.RED),
    "POISONED": ("POISONED", palette.RED),
}

# How a bot's store is (exporter/reporting/sources.py).
STORE_WORDS: dict[str, Words] = {
    "ok": ("ok", palette.NEUTRAL),
    **{
        status: (status.replace("_", " ").upper(), palette.AMBER)
        for status in (
            "missing",
            "empty",
            "locked",
            "corrupt",
            "unreadable",
            "read_only",
            "wal_only",
            "foreign",
        )
    },
}

# What stands before a position, or before a line of words about all of them.
POSITION_WORDS: dict[str, Words] = {
    "BLIND": ("BLIND", palette.PURPLE),
    "LEDGER": ("LEDGER", palette.DIM_PURPLE),
    "LAST KNOWN": ("LAST KNOWN", palette.DIM_PURPLE),
    "NOT READ": ("NOT READ", palette.DIM_PURPLE),
    "NONE": ("NONE", palette.NEUTRAL),
    "UNHEDGED": ("UNHEDGED", palette.RED),
    "OVERDUE": ("OVERDUE", palette.RED),
    "NOT REPORTED": ("NOT REPORTED", palette.DIM_PURPLE),
    "hedged": ("hedged", palette.NEUTRAL),
}

# Lanes and actions in words short enough for a column of the wall.
SHORT_KINDS = {
    "intra_venue": "intra",
    "cross_venue": "cross",
    "structural_bucket": "bucket",
    "structural_event_tree": "event tree",
    "structural_parity": "parity",
}
SHORT_ACTIONS = {"dry_run": "dry run", "execution_failed": "failed"}
