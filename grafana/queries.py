"""Every PromQL expression of the pages; metric names stand here and in no other module of this package.

A constant is one figure of the chosen bot (`$bot`), aggregated by bot: a moved exporter does not double it.
What a bot has not reported is an absent series, which `why_unknown` turns into words, never into 0.
"""

from grafana.promql import (
    by_bot,
    by_venue,
    duration_in_words,
    first_of,
    grown,
    in_words,
    of,
    saying,
    total,
    without,
)
from grafana.words import STATE_CODES, STREAM_CODES, STREAM_OTHER, STREAM_PLANNED

# The bots of the last week: the choice survives an exporter that is down.
BOT_VARIABLE = "query_result(group by (bot) (last_over_time(tradebot_connected[7d])))"
# Where people open the exporter's own pages, as it says itself.
CONSOLE_VARIABLE = "query_result(group by (address) (last_over_time(tradebot_exporter_address_info[7d])))"

# --- Why a figure is missing ---
CONNECTED = by_bot(of("tradebot_connected"))
EXPECTED = by_bot(of("tradebot_expected"))
AWAITING = by_bot(of("tradebot_awaiting_first_state"))
FRESH = by_bot(of("tradebot_up"))
MEANT_DOWN = f"({EXPECTED} == 0 and on(bot) {FRESH} == 0)"

WHY_CODES = {"BLIND": 1, "PLANNED": 2, "DISCONNECTED": 3, "AWAITING": 4, "STALE": 5, "NOT REPORTED": 6}
WHY_CONDITIONS = {
    "BLIND": f"absent({of('tradebot_connected')})",
    "PLANNED": MEANT_DOWN,
    "DISCONNECTED": f"({CONNECTED} == 0)",
    "AWAITING": f"({AWAITING} == 1)",
    "STALE": f"({FRESH} == 0)",
    "NOT REPORTED": "vector(1)",
}


def why_unknown(known: str) -> str:
    """One series `{why=…}` of value WHY_CODES[why] while `known` has no series, none otherwise.

    The first that holds: the console itself is blind, the bot is down as planned, its socket is down, it is
    connected and has not sent a state yet, its last state is too old, or it is alive and does not say.
    """
    reasons = (
        f"({saying(f'vector({code})', 'why', why)} and on() {WHY_CONDITIONS[why]})"
        for why, code in WHY_CODES.items()
    )
    return f"({' or on() '.join(reasons)}) unless on() ({known})"


# --- Verdict ---
VERDICT_LEVELS = ("act", "unknown", "look", "planned", "ok")  # worst first
_SINCE = "(time() - max by (bot) (tradebot_verdict_since_timestamp_seconds))"


def verdict(level: str) -> str:
    """Scrape time in ms of the oldest verdict of `level`, unless any bot has a worse one.

    Labels: `bot`, `text`, `lasting` (for how long) and `more` (how many other bots are at this level).
    """
    worse = VERDICT_LEVELS[: VERDICT_LEVELS.index(level)]
    at_level = f'max by (bot, text) (tradebot_verdict{{level="{level}"}} == 1)'
    chosen = f"topk(1, {_SINCE} and on(bot) {at_level})"
    others = f"(count({at_level}) - 1 > 0)"
    more = first_of(in_words(others, "more", " · +$1 more", by=""), without("vector(1)", "more"), on="")
    clock = f'1000 * max by (bot) (timestamp(tradebot_verdict{{level="{level}"}}))'
    expression = (
        f"({clock} and on(bot) {chosen}) * on(bot) group_right() {at_level}"
        f" * on(bot) group_left(lasting) ({duration_in_words(_SINCE, 'lasting')})"
        f" * on() group_left(more) ({more})"
    )
    if worse:
        expression += f' unless on() (tradebot_verdict{{level=~"{"|".join(worse)}"}} == 1)'
    return expression


NO_VERDICT = "1000 * vector(time()) and on() absent(tradebot_verdict)"
ALL_VERDICTS = "max by (bot, level, text) (tradebot_verdict == 1)"
ALL_MODES = "max by (bot, mode) (tradebot_last_mode == 1)"
ALL_STATE_AGES = "ceil(time() - max by (bot) (tradebot_last_state_timestamp_seconds))"
ALL_VERSIONS = "max by (bot, version, simulated) (tradebot_info)"
ALL_STARTS = "max by (bot) (tradebot_start_time_seconds) * 1000"
ALL_RESTARTS = "round(sum by (bot) (increase(tradebot_restarts_total[24h]))) and on(bot) tradebot_connected"
SILENCE = "BLIND: the exporter says nothing"
NO_BOTS = f"{saying('vector(1)', 'text', SILENCE)} and on() absent(tradebot_verdict)"

# --- Six figures of Live ---
SIMULATED = by_bot(of("tradebot_info", simulated="true"))


def _status(word: str) -> str:
    # Bots of the base protocol have a mode and no status.
    mode = f"{by_bot(of('tradebot_mode', mode=word))} unless on(bot) {of('tradebot_status')}"
    return f"({first_of(by_bot(of('tradebot_status', status=word)), mode)}) == 1"


def status(word: str, *, simulated: bool) -> str:
    """Present while the bot's status is `word`, split by whether it says that its markets are simulated."""
    join = "and" if simulated else "unless"
    return f"({_status(word)}) {join} on(bot) {SIMULATED}"


STATUS = first_of(of("tradebot_status"), of("tradebot_mode"))

_LAST_STATE = of("tradebot_last_state_timestamp_seconds")
STATE_AGE = f"ceil(time() - {by_bot(_LAST_STATE)})"
STALE_AFTER = by_bot(of("tradebot_stale_after_seconds"))
# Judged by its age when it was scraped, shown by its age now: a scrape of 5 s ago does not make a state old.
_AGE_THEN = f"min by (bot) (timestamp({_LAST_STATE}) - {_LAST_STATE})"
AGE_PLANNED = f"{STATE_AGE} and on(bot) {MEANT_DOWN}"


def _aged(bounds: str) -> str:
    return f"({STATE_AGE} and on(bot) ({_AGE_THEN} {bounds})) unless on(bot) {MEANT_DOWN}"


AGE_FRESH = _aged(f"< on(bot) {STALE_AFTER} / 2")
AGE_OLD = _aged(f">= on(bot) {STALE_AFTER} / 2 < on(bot) {STALE_AFTER}")
AGE_STALE = _aged(f">= on(bot) {STALE_AFTER}")


def _from_best_source(metric: str) -> str:
    by_source = (f"max by (bot, source) ({of(metric, source=source)})" for source in ("bot", "ledger"))
    return f"({first_of(*by_source)})"


DAY_PNL = _from_best_source("tradebot_daily_pnl_usd")
CAP = f"({by_bot(of('tradebot_daily_loss_cap_usd'))} > 0)"
LEDGER_DIFFERENCE = by_bot(of("tradebot_ledger_difference_usd"))
_DIFFERS = (
    f"((abs({LEDGER_DIFFERENCE}) > 1) unless on(bot) (abs({LEDGER_DIFFERENCE}) <= on(bot) 0.05 * {CAP}))"
)
DAY_PNL_DIFFERS = f"{DAY_PNL} and on(bot) {_DIFFERS}"
_DAY_PNL_AGREED = f"({DAY_PNL} unless on(bot) {_DIFFERS})"
DAY_PNL_SMALL = f"{_DAY_PNL_AGREED} > -1000 < 1000"
DAY_PNL_GAIN = f"{_DAY_PNL_AGREED} >= 1000"
DAY_PNL_LOSS = f"-1 * ({_DAY_PNL_AGREED} <= -1000)"  # shown behind "-$"
CAP_USED = f"(clamp_min(-1 * {DAY_PNL}, 0) / on(bot) {CAP})"
BREACHED = f"({by_bot(of('tradebot_daily_loss_breached'))} == 1)"
CAP_USED_LOW = f"({CAP_USED} < 0.8) unless on(bot) {BREACHED}"
CAP_USED_HIGH = f"({CAP_USED} >= 0.8 < 1) unless on(bot) {BREACHED}"
CAP_USED_BREACHED = first_of(f"{CAP_USED} and on(bot) {BREACHED}", f"{CAP_USED} >= 1")
CAP_LATCHED = f"{BREACHED} unless on(bot) {CAP_USED}"
_LAST_LIVE = f"({by_bot(of('tradebot_last_mode', mode='live'))} == 1)"
NO_CAP = f"{by_bot(DAY_PNL)} unless on(bot) {CAP} unless on(bot) {BREACHED} unless on(bot) {_LAST_LIVE}"
NO_CAP_LIVE = f"({by_bot(DAY_PNL)} unless on(bot) {CAP} unless on(bot) {BREACHED}) and on(bot) {_LAST_LIVE}"
CAP_KNOWN = first_of(by_bot(DAY_PNL), BREACHED)

_UNHEDGED = of("tradebot_unhedged_usd")
UNHEDGED = total(_UNHEDGED)
_ORDERS = total(of("tradebot_working_orders"))
_ORDER_AGE = f"(time() - min by (bot) ({of('tradebot_oldest_working_order_timestamp_seconds')}))"


def _exposed_for(seconds: int) -> str:
    # The steps of a subquery are whole multiples of 5 s: what it sees last may be over by now.
    lasting = f"({UNHEDGED} > 0) and on(bot) (min_over_time(({UNHEDGED})[{seconds}s:5s]) > 0)"
    before = f"({total(f'{_UNHEDGED} offset {seconds}s')} > 0)"
    return f"({lasting} and on(bot) {before})"


_EXPOSED_RED = _exposed_for(60)
_EXPOSED_AMBER = f"({first_of(_exposed_for(10), f'{_ORDER_AGE} > 60')})"
_ORDER_WORDS = first_of(
    in_words(f"({_ORDERS} > 0 < 10)", "orders", " $1 ord"),
    f"{saying(f'{_ORDERS} >= 10', 'orders', ' 9+')} * 0 + 1",
    without(UNHEDGED, "orders"),
)
# Rounded up to a whole dollar: forty cents at risk are not nothing.
EXPOSED = f"(ceil({UNHEDGED}) * on(bot) group_left(orders) ({_ORDER_WORDS}))"
EXPOSED_LONG = f"{EXPOSED} and on(bot) {_EXPOSED_RED}"
EXPOSED_SHORT = f"({EXPOSED} and on(bot) {_EXPOSED_AMBER}) unless on(bot) {_EXPOSED_RED}"
# Nothing is at risk only where every venue says so; where one does not, what is known may still alarm.
_EXPOSED_WHOLE = f"({by_bot(of('tradebot_field_reported', field='unhedged_usd'))} == 1)"
EXPOSED_CALM = (
    f"({EXPOSED} and on(bot) {_EXPOSED_WHOLE}) unless on(bot) {_EXPOSED_AMBER} unless on(bot) {_EXPOSED_RED}"
)
EXPOSED_KNOWN = f"(({EXPOSED_LONG}) or ({EXPOSED_SHORT}) or ({EXPOSED_CALM}))"

_LAST_FILL = by_bot(of("tradebot_last_fill_timestamp_seconds"))
_NO_FILL_TODAY = f"({by_bot(of('tradebot_daily_trades'))} == 0)"
_BLOCKED = f"topk(1, max by (bot, reason) ({of('tradebot_blocked')} == 1))"
_REASON = f'label_replace({_BLOCKED}, "short", "$1", "reason", "(.*)")'
_CUT_REASON = f'label_replace({_REASON}, "short", "$1…", "reason", "(.{{9}}).{{2,}}")'
BLOCKED = f"max by (bot, short) ({_CUT_REASON})"
FILL_AGE = f"ceil(time() - {_LAST_FILL}) unless on(bot) {_BLOCKED}"
NO_FILLS = f"{_NO_FILL_TODAY} unless on(bot) {_LAST_FILL} unless on(bot) {_BLOCKED}"
FILL_KNOWN = first_of(_LAST_FILL, _NO_FILL_TODAY, _BLOCKED)

# --- The bot's own kill switch; what else there is about kills stands in kill_queries.py ---
KILL_SWITCH = by_bot(of("tradebot_bot_kill_switch_active"))

# --- PnL today ---
PNL_OF_BOT = by_bot(of("tradebot_daily_pnl_usd", source="bot"))
CAP_LINE = f"-1 * {CAP}"

# --- Venues ---
_KNOWN_STREAMS = "|".join(STREAM_CODES.values())


def _stream(operator: str, words: str) -> str:
    selector = of("tradebot_stream_status", f'status{operator}"{words}"')
    return f"{by_venue(selector)} == 1"


# A venue that is meant to be quiet is planned, whatever its stream says.
_QUIET_VENUES = f"({by_venue(of('tradebot_venue_expected'))} == 0)"
STREAMS = first_of(
    f"{_QUIET_VENUES} + {STREAM_PLANNED}",
    *(f"({_stream('=~', words)}) * 0 + {code}" for code, words in STREAM_CODES.items()),
    f"({_stream('!~', _KNOWN_STREAMS)}) * 0 + {STREAM_OTHER}",
    f"group by (bot, venue) (last_over_time({of('tradebot_stream_status')}[2h])) * 0",
    # A bot that names no venue at all: a timeline without a series would say something about time fields.
    'label_replace(vector(0), "venue", "venues", "", "")'
    f" unless on() last_over_time({of('tradebot_stream_status')}[2h] @ end())",
    on="bot, venue",
)
CASH = by_venue(of("tradebot_cash_usd"))
LOCKED = by_venue(of("tradebot_locked_capital_usd"))
LIMIT = f"({by_venue(of('tradebot_venue_limit_usd'))} > 0)"
_BOTH = "bot, venue"
_FREE_WORDS = in_words(f"floor({CASH})", "free", "$$$1 free", by=_BOTH)
_LOCKED_WORDS = in_words(f"ceil({LOCKED})", "locked", "$$$1", by=_BOTH)
_LIMIT_WORDS = in_words(f"floor({LIMIT})", "limit", "$$$1", by=_BOTH)
_FREE_AND_LOCKED = (
    f"* on(bot, venue) group_left(free) {_FREE_WORDS} * on(bot, venue) group_left(locked) {_LOCKED_WORDS}"
)
_OF_LIMIT = f"* on(bot, venue) group_left(limit) {_LIMIT_WORDS}"
LIMIT_USED = f"({LOCKED} / on(bot, venue) {LIMIT}) {_FREE_AND_LOCKED} {_OF_LIMIT}"
WITHIN_LIMIT = f"{LIMIT_USED} <= 1.001"
OVER_LIMIT = f"{LIMIT_USED} > 1.001"  # a cent of rounding is not a limit overrun
NO_LIMIT = f"({LOCKED} unless on(bot, venue) {LIMIT}) {_FREE_AND_LOCKED}"
ONLY_CASH = f"{CASH} unless on(bot, venue) {LOCKED}"
CAPITAL_KNOWN = first_of(CASH, LOCKED)

# --- Positions and orders by venue ---
OPEN_POSITIONS = by_venue(of("tradebot_open_positions"))
WORKING_ORDERS = by_venue(of("tradebot_working_orders"))
ORDER_AGE = f"ceil(time() - {by_venue(of('tradebot_oldest_working_order_timestamp_seconds'))})"
UNHEDGED_BY_VENUE = by_venue(_UNHEDGED)


NO_POSITIONS = f'label_replace({why_unknown(OPEN_POSITIONS)}, "venue", "$1", "why", "(.+)")'
NO_BALANCES = f'label_replace({why_unknown(CASH)}, "venue", "$1", "why", "(.+)")'

# --- Decisions ---
_DECISIONS = of("tradebot_decisions_total")
_EACH = "max by (bot, kind, action, reason)"


def _decided_in(window: str) -> str:
    # A series born inside the window counts from its birth, which increase() leaves out.
    return first_of(
        f"{_EACH} ({_DECISIONS}) unless on(bot, kind, action, reason) {_EACH} ({_DECISIONS} offset {window})",
        f"{_EACH} (round(increase({_DECISIONS}[{window}])))",
        on="bot, kind, action, reason",
    )


FEED = f"topk(5, (({_decided_in('15m')}) > 0) and on(bot) {CONNECTED})"
FEED_SHARE = f"{FEED} / on(bot) group_left() sum by (bot) ({_decided_in('15m')})"
FEED_LAST = (
    f"ceil((time() - {_EACH} (max_over_time(timestamp(changes({_DECISIONS}[30s]) > 0)[15m:15s]))) / 15) * 15"
    f" and on(bot, kind, action, reason) {FEED}"
)
NO_FEED = (
    f"{saying('vector(1)', 'reason', SILENCE)} and on() {WHY_CONDITIONS['BLIND']}"
    f" or on() ({saying('vector(0)', 'reason', 'no decision in 15 minutes')} unless on() {FEED})"
)
DECISION_RATE = f"topk(8, sum by (action, reason) (rate({_DECISIONS}[5m]))) * 60"

# --- Cycle and market ---
CYCLE_NUMBER = by_bot(of("tradebot_cycles_total"))
UPTIME = f"time() - {by_bot(of('tradebot_start_time_seconds'))}"
QUOTES = by_bot(of("tradebot_quotes"))
OPPORTUNITIES = by_bot(of("tradebot_opportunities"))
NEAR_OPPORTUNITIES = by_bot(of("tradebot_near_opportunities"))
DAY_TRADES = _from_best_source("tradebot_daily_trades")
REALIZED = _from_best_source("tradebot_realized_pnl_usd")
FAILURES = _from_best_source("tradebot_consecutive_failures")
CAP_LEFT = _from_best_source("tradebot_daily_loss_cap_remaining_usd")
_CYCLE_BUCKETS = f"sum by (le) (rate({of('tradebot_cycle_duration_seconds_bucket')}[5m]))"
CYCLE_MEDIAN = f"histogram_quantile(0.5, {_CYCLE_BUCKETS})"
CYCLE_WORST = f"histogram_quantile(0.99, {_CYCLE_BUCKETS})"
INTERVAL = by_bot(of("tradebot_expected_interval_seconds"))
COVERAGE = by_venue(of("tradebot_coverage_ratio"))
QUOTE_AGE = by_venue(of("tradebot_quote_age_seconds"))
_AGE_WORDS = first_of(
    in_words(f"round({QUOTE_AGE}, 0.1)", "age", "quotes $1 s old", by=_BOTH),
    f"{saying(COVERAGE, 'age', 'age of quotes not reported')} * 0 + 1",
    on=_BOTH,
)
COVERAGE_ROWS = f"{COVERAGE} * on(bot, venue) group_left(age) ({_AGE_WORDS})"
ERRORS = grown("tradebot_errors_total", "10m", by="severity", severity="error")
WARNINGS = grown("tradebot_errors_total", "10m", 'severity!="error"', by="severity")
REJECTS = grown("tradebot_rejects_total", "10m", by="venue")

# --- The chain from the venues to the person ---
# Of the venues that are meant to be there; where none is, all of them count.
_MEANT = f"count by (bot, venue) ({of('tradebot_stream_status')}) unless on(bot, venue) {_QUIET_VENUES}"
_STREAMING = (
    f"count(({_stream('=~', f'{STREAM_CODES[1]}|{STREAM_CODES[2]}')}) unless on(bot, venue) {_QUIET_VENUES})"
)
_VENUES = f"count({_MEANT})"
_VENUES_UP = f"({_STREAMING} or on() ({_VENUES} * 0))"
_OF_VENUES = in_words(_VENUES, "all", "$1", by="")
VENUES_ALL_UP = f"({_VENUES_UP} == {_VENUES}) * on() group_left(all) {_OF_VENUES}"
VENUES_SOME_UP = f"({_VENUES_UP} < {_VENUES} > 0) * on() group_left(all) {_OF_VENUES}"
VENUES_NONE_UP = f"({_VENUES_UP} == 0) * on() group_left(all) {_OF_VENUES}"
VENUES_QUIET = (
    f"count({of('tradebot_stream_status')} and on(bot, venue) {_QUIET_VENUES}) unless on() {_VENUES}"
)
VENUES_KNOWN = of("tradebot_stream_status")

BEAT_AGE = f"ceil(time() - {by_bot(of('tradebot_last_heartbeat_timestamp_seconds'))})"
LOOP_LAG = f"(ceil({by_bot(of('tradebot_loop_lag_seconds'))} * 1000) / 1000 and on(bot) {CONNECTED} == 1)"
LOOP_HUNG = f"({by_bot(of('tradebot_loop_hung'))} == 1)"
LOOP_CALM = f"({LOOP_LAG} < 1) unless on(bot) {LOOP_HUNG}"
LOOP_SLOW = f"({LOOP_LAG} >= 1) unless on(bot) {LOOP_HUNG}"
LOOP_KNOWN = first_of(LOOP_LAG, LOOP_HUNG)

SOCKET_UP = f"{CONNECTED} == 1"
SOCKET_PLANNED = f"({CONNECTED} == 0) and on(bot) {EXPECTED} == 0"
SOCKET_DOWN = f"({CONNECTED} == 0) unless on(bot) {EXPECTED} == 0"

_EXPORTER_UP = 'max(up{job="tradebot"})'
_ANSWERS = f"and on() ({_EXPORTER_UP} == 1)"
LEDGER_FAILING = f'max by (state) (tradebot_exporter_reporting_state{{state!~"ok|opening"}} == 1) {_ANSWERS}'
_UNREAD_STORES = 'max by (bot, store, status) (tradebot_store_status{status!="ok"} == 1)'
LEDGER_UNREAD = f"(topk(1, {_UNREAD_STORES}) {_ANSWERS}) unless on() ({LEDGER_FAILING})"
REPORTING_LAG = "max(tradebot_exporter_reporting_lag_seconds)"
LEDGER_LATE = (
    f"({REPORTING_LAG} > 10 {_ANSWERS}) unless on() ({LEDGER_FAILING}) unless on() ({_UNREAD_STORES})"
)
EXPORTER_UP = (
    f"(ceil(max(tradebot_exporter_scrape_duration_seconds) * 1000) / 1000 {_ANSWERS})"
    f" unless on() ({LEDGER_FAILING}) unless on() ({_UNREAD_STORES}) unless on() ({REPORTING_LAG} > 10)"
)
_DISK = "max by (folder) (tradebot_exporter_disk_free_bytes / tradebot_exporter_disk_size_bytes)"
DISK_LOW = f"{_DISK} < 0.1"
DISK_FREE = f"{_DISK} >= 0.1"
_CHAIN = "max(tradebot_exporter_event_chain_broken)"
CHAIN_BROKEN = f"{_CHAIN} == 1"
CHAIN_WHOLE = f"{_CHAIN} == 0"
REPORTING_ERRORS = "round(max(increase(tradebot_exporter_reporting_errors_total[1h])))"
EXPORTER_DOWN = f'{_EXPORTER_UP} == 0 or on() absent(up{{job="tradebot"}})'

_SCRAPE_AGE = 'ceil(time() - max(timestamp(up{job="tradebot"})))'
SCRAPE_FRESH = f"({_SCRAPE_AGE}) < 15"
SCRAPE_LATE = f"({_SCRAPE_AGE}) >= 15 < 60"
SCRAPE_STOPPED = f"({_SCRAPE_AGE}) >= 60"


# --- States of six hours: code 0 is "nobody said", so a gap is never blank ---
def coded(*states: tuple[str, str]) -> str:
    """The code of the first of (word, condition) that holds."""
    known = (f"max(({condition}) * 0 + {STATE_CODES[word]})" for word, condition in states)
    nothing = f"group(last_over_time({of('tradebot_expected')}[1h])) * 0"
    return first_of(*known, nothing, on="")


EXPORTER_STATES = coded(("ok", 'up{job="tradebot"} == 1'), ("act", 'up{job="tradebot"} == 0'))
LINK_STATES = coded(
    ("act", f"({CONNECTED} == 0) and on(bot) {EXPECTED} == 1"),
    ("planned", f"{CONNECTED} == 0"),
    ("ok", f"{CONNECTED} == 1"),
)
_CALM = f"{EXPECTED} == 0 or on(bot) {AWAITING} == 1"
DATA_STATES = coded(("ok", f"{FRESH} == 1"), ("planned", _CALM), ("act", f"{FRESH} == 0"))
LOOP_STATES = coded(("act", LOOP_HUNG), ("look", LOOP_SLOW), ("ok", LOOP_CALM))
_MODES = ("killed", "paused", "live", "paper")
MODE_STATES = coded(*((word, _status(word)) for word in _MODES))
_STORES = of("tradebot_store_status", 'status!="ok"')
LEDGER_STATES = coded(
    ("unread", f"{by_bot(_STORES)} == 1"),
    ("ok", f"{by_bot(of('tradebot_store_status', status='ok'))} == 1"),
)
_QUIET = f"{by_bot(of('tradebot_maintenance'))} == 1 or on(bot) {EXPECTED} == 0"
PLANNED_END = by_bot(of("tradebot_planned_end_timestamp_seconds"))
_OVERRUN = f"(time() - {PLANNED_END} > 0)"
PLANNED_STATES = coded(("overrun", _OVERRUN), ("planned", _QUIET), ("none", f"{EXPECTED} == 1"))
OVERRUN = f"ceil{_OVERRUN}"
QUIET_FOR = f"ceil({PLANNED_END} - time() > 0)"

# --- The link in figures ---
CLOCK_SKEW = f"round({by_bot(of('tradebot_clock_skew_seconds'))}, 0.01)"
RECONNECTS = f"{grown('tradebot_reconnects_total', '1h')} and on(bot) {CONNECTED}"
RESTARTS = f"{grown('tradebot_restarts_total', '24h')} and on(bot) {CONNECTED}"
MISSED_HOUR = f"{grown('tradebot_states_missed_total', '1h')} and on(bot) {CONNECTED}"
MALFORMED_HOUR = f"{grown('tradebot_malformed_messages_total', '1h')} and on(bot) {CONNECTED}"
MODE_CHANGES = f"{grown('tradebot_mode_changes_total', '24h', expected='false')} and on(bot) {CONNECTED}"
MESSAGES = grown("tradebot_messages_received_total", "1m", by="type")
STATES = grown("tradebot_states_received_total", "1m")
MISSED = grown("tradebot_states_missed_total", "1m")
MALFORMED = grown("tradebot_malformed_messages_total", "10m", by="reason")
SETTINGS = f"max by (key) ({of('tradebot_config_value')})"
SETTINGS_AGE = f"ceil(time() - {by_bot(of('tradebot_config_timestamp_seconds'))})"
REPORTED = f"max by (field) ({of('tradebot_field_reported')})"
REGISTRY = f"max by (name, kind) ({of('tradebot_registry_value')})"

# --- The exporter itself ---
EXPORTER_SCRAPE = "max(tradebot_exporter_scrape_duration_seconds)"
SCRAPE_SECONDS = 'max(scrape_duration_seconds{job="tradebot"})'
EXPORTER_MEMORY = 'max(process_resident_memory_bytes{job="tradebot"})'
EXPORTER_CPU = 'max(rate(process_cpu_seconds_total{job="tradebot"}[5m]))'
EXPORTER_FILES = 'max(process_open_fds{job="tradebot"})'
READ_ERRORS = "sum by (bot) (increase(tradebot_exporter_read_errors_total[1h]))"
BRIDGE_RESTARTS = "sum by (bot) (increase(tradebot_exporter_bridge_restarts_total[1h]))"
LATCH_ERRORS = "sum by (bot) (increase(tradebot_exporter_latch_errors_total[1h]))"
EXPORTER_BUILD = "max by (version) (tradebot_exporter_build_info)"

# Exported, and on purpose on no page: why.
UNUSED = {
    "tradebot_cap_not_enforced": "the verdict says it in words, and a critical alert stands on it",
    "tradebot_earliest_settlement_timestamp_seconds": "an alert stands on it; POSITIONS has each one",
}
