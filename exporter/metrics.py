"""Every metric of the exporter, declared once: name, kind, help, labels, how to read it from a bot's view.

Each series of `METRICS` has the label `bot` in front of the labels named here. Three rules hold for all: a
value that was not reported is no series; gauges of what the bot says of itself are no series either once its
last state is stale (`live`); counters and the link's own gauges are always there, and start at 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exporter.control import kill_rows
from exporter.labels import REPORTING_STATES, STATUSES, STREAM_STATUSES, UNKNOWN
from exporter.reported import by_field
from exporter.reporting.sources import STATUSES as STORE_STATUSES
from exporter.rows import COUNTER, GAUGE, HISTOGRAM, Metric, Rows, each, live, one, states
from exporter.sight import Sight
from exporter.sourced import consecutive_failures, daily_pnl, daily_trades, realized_pnl, remaining
from exporter.state import CAUSES, State
from exporter.verdict import judge
from exporter.view import TIERS

LOOK_SECONDS: Final = 30.0  # after which a look at a store is too long ago to say how it is


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one scrape knows of the exporter itself; counts are by bot."""

    version: str
    python: str
    seconds: float
    read_errors: Mapping[str, int]
    bridge_restarts: Mapping[str, int]
    latch_errors: Mapping[str, int]
    reporting: Reporting | None
    watchdog_at: float | None = None
    had: Sequence[tuple[str, str, str]] = ()
    """The alerts that somebody has: bot (or an empty text), alertname, by whom."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """How the reporting database is: a word of REPORTING_STATES, seconds behind, errors since the start."""

    state: str
    lag: float
    errors: int


def _info(sight: Sight) -> Rows:
    if sight.live is None:
        return ()
    session, simulated = sight.view.session, sight.live.simulated
    simulated_word = UNKNOWN if simulated is None else str(simulated).lower()
    return [((session.version or UNKNOWN, session.session_id or UNKNOWN, simulated_word), 1)]


def _verdict(sight: Sight) -> Rows:
    verdict = judge(sight)
    return [((verdict.level, verdict.text), 1)]


def _stream_status(state: State) -> Rows:
    streams = (state.stream_status or {}).items()
    return [((venue, *label), on) for venue, word in streams for label, on in states(STREAM_STATUSES, word)]


def _kill_switch(sight: Sight) -> Rows:
    kill = sight.view.state.kill if sight.view.state is not None else None
    return () if kill is None else [((cause,), kill.active and cause == kill.cause) for cause in CAUSES]


def _store_status(sight: Sight) -> Rows:
    """Of stores that were looked at lately: one look a second, and a slow disk's patience."""
    seen = {name: store for name, store in sight.view.stores.items() if sight.now - store.at <= LOOK_SECONDS}
    words = ((name, states(STORE_STATUSES, store.status)) for name, store in seen.items())
    return [((name, *label), on) for name, rows in words for label, on in rows]


def _cap(sight: Sight) -> Rows:
    cap = sight.view.cap
    return one(cap if cap is not None and cap > 0 else None)


# The tables keep their own layout: a metric in two or three lines.
# fmt: off
LINK: Final[tuple[Metric[Sight], ...]] = (
    Metric("tradebot_up", GAUGE, "Whether the bot is connected and its last state is fresh.",
           (), lambda s: one(s.up)),
    Metric("tradebot_connected", GAUGE,
           "Whether the control socket is connected and, if the bot beats, was heard from within 5 seconds.",
           (), lambda s: one(s.connected)),
    Metric("tradebot_expected", GAUGE,
           "Whether the bot is meant to be there: 0 in a scheduled window and for 120 s after a goodbye.",
           (), lambda s: one(s.expected)),
    Metric("tradebot_maintenance", GAUGE, "Whether a window of the bot's schedule is open.",
           (), lambda s: one(s.planned is not None)),
    Metric("tradebot_last_state_timestamp_seconds", GAUGE,
           "When the last state was received, by the exporter's clock.",
           (), lambda s: one(s.view.state_at)),
    Metric("tradebot_last_heartbeat_timestamp_seconds", GAUGE,
           "When the last heartbeat was received, by the exporter's clock; absent for a bot that sends none.",
           (), lambda s: one(s.view.link.heartbeat_at)),
    Metric("tradebot_loop_lag_seconds", GAUGE,
           "How late the bot's loop is by its last heartbeat, while it beats.",
           (), lambda s: one(s.view.link.loop_lag if s.view.link.beating(s.now) else None)),
    Metric("tradebot_loop_hung", GAUGE,
           "Whether the bot beats but no cycle has ended for three intervals; absent while it does not beat.",
           (), lambda s: one(s.hung)),
    Metric("tradebot_clock_skew_seconds", GAUGE,
           "How far the bot's clock is ahead of the exporter's, as of its last message with a time.",
           (), lambda s: one(s.view.clock_skew)),
    Metric("tradebot_reconnects_total", COUNTER, "Connections to the bot after the first.",
           (), lambda s: one(s.view.link.reconnects)),
    Metric("tradebot_states_received_total", COUNTER, "States received from the bot, repeated ones included.",
           (), lambda s: one(s.view.totals.states)),
    Metric("tradebot_states_missed_total", COUNTER,
           "Cycles of the bot whose state never came, by gaps in its cycle number.",
           (), lambda s: one(s.view.totals.missed)),
    Metric("tradebot_messages_received_total", COUNTER,
           "Messages received from the bot by type; an ack here is one that nobody waited for.",
           ("type",), lambda s: each(s.view.totals.messages)),
    Metric("tradebot_malformed_messages_total", COUNTER,
           "Lines that were no message, and fields of a wrong type (bad_field), by reason.",
           ("reason",), lambda s: each(s.view.totals.malformed)),
    Metric("tradebot_restarts_total", COUNTER,
           "Restarts of the bot, seen by its session, or by its cycle or uptime going down.",
           (), lambda s: one(s.view.totals.restarts)),
    Metric("tradebot_field_reported", GAUGE,
           "Whether the bot's last state really reports a field that some leave out or send as a constant.",
           ("field",), lambda s: each(by_field(s.view.state))),
    Metric("tradebot_verdict", GAUGE, "1 for what an operator should know first of this bot, in words.",
           ("level", "text"), _verdict),
    Metric("tradebot_verdict_since_timestamp_seconds", GAUGE, "Since when the verdict holds.",
           (), lambda s: one(judge(s).since)),
    Metric("tradebot_awaiting_first_state", GAUGE,
           "Whether the bot is connected, has no fresh state, and the next one is not overdue yet.",
           (), lambda s: one(s.awaiting)),
    Metric("tradebot_stale_after_seconds", GAUGE,
           "Age at which the bot's last state is no longer shown as now.",
           (), lambda s: one(s.view.cadence.stale_after)),
    Metric("tradebot_expected_interval_seconds", GAUGE,
           "Time between two states, as configured or observed; absent until known.",
           (), lambda s: one(s.view.cadence.expected_interval)),
    Metric("tradebot_tier", GAUGE,
           "Which tier the bot is in, as configured or by its last known mode; all 0 while unknown.",
           ("tier",), lambda s: [((tier,), tier == s.view.tier) for tier in TIERS]),
    Metric("tradebot_last_mode", GAUGE, "The bot's last known mode, however old; absent until known.",
           ("mode",), lambda s: states(TIERS, s.view.last_mode)),
)

STATE: Final[tuple[Metric[Sight], ...]] = (
    Metric("tradebot_info", GAUGE,
           "1 for the bot's version, its session and whether its markets are simulated.",
           ("version", "session", "simulated"), _info),
    Metric("tradebot_mode", GAUGE, "The bot's mode.", ("mode",), live(lambda s: states(TIERS, s.mode))),
    Metric("tradebot_status", GAUGE, "The bot's status in its own words.",
           ("status",), live(lambda s: states(STATUSES, s.status))),
    Metric("tradebot_start_time_seconds", GAUGE,
           "When the bot's session began, by the exporter's clock and the bot's uptime.",
           (), lambda s: one(None if s.live is None else s.view.session.began)),
    Metric("tradebot_cycles_total", COUNTER,
           "Cycles of the bot since this exporter first saw it, those without a state included.",
           (), lambda s: one(s.view.totals.cycles)),
    Metric("tradebot_cycle_duration_seconds", HISTOGRAM, "How long the bot's cycles took.",
           (), lambda s: [((), s.view.totals.durations)]),
    Metric("tradebot_quotes", GAUGE, "Quotes that the last cycle used.", (), live(lambda s: one(s.quotes))),
    Metric("tradebot_opportunities", GAUGE, "Opportunities that the last cycle found.",
           (), live(lambda s: one(s.opportunities))),
    Metric("tradebot_near_opportunities", GAUGE,
           "Opportunities that the last cycle found just below its threshold.",
           (), live(lambda s: one(s.near_opportunities))),
    Metric("tradebot_decisions_total", COUNTER,
           "Decisions of the bot by lane, what it did, and why without ids.",
           ("kind", "action", "reason"), lambda s: s.view.decisions.counts.items()),
    Metric("tradebot_stream_status", GAUGE, "The status of each venue's quote stream.",
           ("venue", "status"), live(_stream_status)),
    Metric("tradebot_coverage_ratio", GAUGE, "Share of a venue's markets that are scanned.",
           ("venue",), live(lambda s: each(s.coverage))),
    Metric("tradebot_quote_age_seconds", GAUGE, "Age of a venue's quotes at the last cycle.",
           ("venue",), live(lambda s: each(s.quote_age))),
    Metric("tradebot_rejects_total", COUNTER, "Quotes or orders that a venue or the bot rejected.",
           ("venue",), lambda s: each(s.view.totals.rejects)),
    Metric("tradebot_errors_total", COUNTER, "Warnings and errors in the bot's list of recent ones.",
           ("severity",), lambda s: each(s.view.totals.errors)),
    Metric("tradebot_blocked", GAUGE,
           "1 while of 30 minutes' decisions > 30 were skipped, > 80 % for one reason, and none opened.",
           ("reason",), lambda s: [] if s.blocked is None else [((s.blocked.reason,), 1)]),
)

MONEY: Final[tuple[Metric[Sight], ...]] = (
    Metric("tradebot_cash_usd", GAUGE, "Free cash by venue, in USD.",
           ("venue",), live(lambda s: each(s.cash))),
    Metric("tradebot_locked_capital_usd", GAUGE, "Capital locked in positions by venue, in USD.",
           ("venue",), live(lambda s: each(s.locked_capital))),
    Metric("tradebot_venue_limit_usd", GAUGE, "The most that may be locked at a venue, in USD.",
           ("venue",), live(lambda s: each(s.venue_limit))),
    Metric("tradebot_open_positions", GAUGE, "Open positions by venue.",
           ("venue",), live(lambda s: each(s.open_positions))),
    Metric("tradebot_working_orders", GAUGE, "Orders that work at a venue.",
           ("venue",), live(lambda s: each(s.working_orders))),
    Metric("tradebot_oldest_working_order_timestamp_seconds", GAUGE,
           "When the oldest order that works at a venue was placed, by the bot's clock.",
           ("venue",), live(lambda s: each(s.oldest_working_order))),
    Metric("tradebot_unhedged_usd", GAUGE, "Exposure without its other leg by venue, in USD.",
           ("venue",), live(lambda s: each(s.unhedged))),
    Metric("tradebot_last_fill_timestamp_seconds", GAUGE, "When the bot was last filled, by its own clock.",
           (), live(lambda s: one(s.last_fill))),
    Metric("tradebot_daily_pnl_usd", GAUGE,
           "Realised PnL of the UTC day, in USD; the bot's absent until a state of this day.",
           ("source",), daily_pnl),
    Metric("tradebot_daily_trades", GAUGE,
           "Trades of the UTC day; the bot's absent until a state of this day.",
           ("source",), daily_trades),
    Metric("tradebot_daily_loss_cap_usd", GAUGE,
           "The daily loss cap by the last known settings, in USD; absent while unknown or off.",
           (), _cap),
    Metric("tradebot_daily_loss_cap_remaining_usd", GAUGE,
           "What may still be lost this UTC day, in USD: cap − max(0, −PnL); negative past the cap.",
           ("source",), remaining),
    Metric("tradebot_daily_loss_breached", GAUGE,
           "Whether the loss was seen to reach its cap this UTC day; stays 1 until the day ends.",
           (), lambda s: one(s.view.latch.active(s.now) is not None)),
    Metric("tradebot_consecutive_failures", GAUGE,
           "Failures in a row; by the ledger, intents that failed or filled in part since one that filled.",
           ("source",), consecutive_failures),
    Metric("tradebot_realized_pnl_usd", GAUGE, "Realised PnL since the bot's store began, in USD.",
           ("source",), realized_pnl),
    Metric("tradebot_ledger_difference_usd", GAUGE,
           "The day's PnL as the bot says it less that of its ledger, in USD, where both are known.",
           (), lambda s: one(s.ledger_difference)),
)

CONTROL: Final[tuple[Metric[Sight], ...]] = (
    Metric("tradebot_bot_kill_switch_active", GAUGE,
           "Whether the bot's last state, however old, reports its kill switch as on, by cause.",
           ("cause",), _kill_switch),
    Metric("tradebot_kill_state", GAUGE,
           "Where the kill that this console ordered stands, by what the bot's later states prove.",
           ("state",), kill_rows.stages),
    Metric("tradebot_kill_proof", GAUGE, "Which rung of proof a verified kill stands on; all 0 without one.",
           ("rung",), kill_rows.rungs),
    Metric("tradebot_kill_path", GAUGE, "Whether a kill could go over this path now.",
           ("path",), kill_rows.paths),
    Metric("tradebot_kill_timestamp_seconds", GAUGE, "When the kill that is on was ordered.",
           (), kill_rows.of_kill(lambda k: k.order.sent_at)),
    Metric("tradebot_kill_positions_remaining", GAUGE,
           "Open positions of a bot that is killed, by its last state whatever its age.",
           (), kill_rows.positions_remaining),
    Metric("tradebot_kill_time_to_verified_seconds", GAUGE,
           "How long it took from the order of the kill that is on to its proof.",
           (), kill_rows.of_kill(lambda k: k.time_to_verified)),
    Metric("tradebot_kill_verified_timestamp_seconds", GAUGE, "When the kill that is on was proven.",
           (), kill_rows.of_kill(lambda k: k.decided_at)),
    Metric("tradebot_kill_quiet_cycles", GAUGE,
           "Full cycles without an opening since the kill that is on.",
           (), kill_rows.of_kill(lambda k: k.quiet)),
    Metric("tradebot_kill_quiet_cycles_needed", GAUGE,
           "How many such cycles would prove it; absent where no silence would.",
           (), kill_rows.of_kill(lambda k: k.need)),
    Metric("tradebot_last_drill_timestamp_seconds", GAUGE,
           "When a drill last proved that this console can kill the bot; absent where none did.",
           (), kill_rows.last_drill),
    Metric("tradebot_commands_total", COUNTER,
           "Commands to the bot by what became of them: unknown is one without an answer.",
           ("command", "result"), lambda s: s.view.totals.commands.items()),
    Metric("tradebot_command_duration_seconds", HISTOGRAM, "How long the bot's answers to commands took.",
           (), lambda s: [((), s.view.totals.command_durations)]),
    Metric("tradebot_config_value", GAUGE,
           "The bot's last known settings that are numbers or switches (1 or 0).",
           ("key",), lambda s: each(s.view.settings)),
    Metric("tradebot_config_unverified", GAUGE,
           "Whether a setting's last change by this console is in doubt: 1 until a state shows it.",
           ("key",), lambda s: each(s.view.unverified)),
    Metric("tradebot_config_timestamp_seconds", GAUGE,
           "When the bot's settings were last received, by the exporter's clock.",
           (), lambda s: one(s.view.settings_at)),
    Metric("tradebot_mode_changes_total", COUNTER,
           "Changes of the bot's mode, by whether this console ordered them.",
           ("expected",), lambda s: [(("true",), s.view.totals.mode_changes_ordered),
                                     (("false",), s.view.totals.mode_changes)]),
)

REGISTRY: Final[tuple[Metric[Sight], ...]] = (
    Metric("tradebot_registry_value", GAUGE, "The bot's own counters and gauges, as it sends them.",
           ("name", "kind"), live(lambda s: (s.registry or {}).items())),
)

STORES: Final[tuple[Metric[Sight], ...]] = (
    Metric("tradebot_store_status", GAUGE,
           "How a bot's own store was at the last look: 1 for the state that holds; absent without a look.",
           ("store", "status"), _store_status),
)

# fmt: on
METRICS: Final[tuple[Metric[Sight], ...]] = (*LINK, *STATE, *MONEY, *CONTROL, *REGISTRY, *STORES)
"""What is read from every bot's view; `bot` is the first label of each."""

# fmt: off
BUILD_INFO: Final[Metric[Scrape]] = Metric(
    "tradebot_exporter_build_info", GAUGE, "1 for the exporter's version and that of its Python.",
    ("version", "python"), lambda s: [((s.version, s.python), 1)])
"""By which a page of metrics is known as an exporter's."""

SELF: Final[tuple[Metric[Scrape], ...]] = (
    BUILD_INFO,
    Metric("tradebot_exporter_scrape_duration_seconds", GAUGE,
           "How long this scrape took to read all bots' views.",
           (), lambda s: one(s.seconds)),
    Metric("tradebot_exporter_read_errors_total", COUNTER,
           "Metrics of a bot that a scrape left out because reading them failed; see the exporter's log.",
           ("bot",), lambda s: each(s.read_errors)),
    Metric("tradebot_exporter_bridge_restarts_total", COUNTER,
           "Times that the reader of a bot's link died by a fault of the exporter and was started again.",
           ("bot",), lambda s: each(s.bridge_restarts)),
    Metric("tradebot_exporter_latch_errors_total", COUNTER,
           "Times that a bot's breach or kill latch could not be written to disk; it holds in memory.",
           ("bot",), lambda s: each(s.latch_errors)),
    Metric("tradebot_exporter_reporting_state", GAUGE,
           "How the reporting database is: 1 for the state that holds, 0 for the others.",
           ("state",), lambda s: () if s.reporting is None else states(REPORTING_STATES, s.reporting.state)),
    Metric("tradebot_exporter_reporting_lag_seconds", GAUGE,
           "How long ago everything that waited was in the reporting database; at most a second or two.",
           (), lambda s: one(None if s.reporting is None else s.reporting.lag)),
    Metric("tradebot_exporter_reporting_errors_total", COUNTER,
           "Times that something could not be written to the reporting database; it is tried again.",
           (), lambda s: one(None if s.reporting is None else s.reporting.errors)),
    Metric("tradebot_exporter_alert_path_timestamp_seconds", GAUGE,
           "When Alertmanager last delivered the Watchdog to this exporter; absent while it never did.",
           (), lambda s: one(s.watchdog_at)),
    Metric("tradebot_alert_acknowledged", GAUGE,
           "1 for an alert that somebody has, until it ends or for an hour; bot is empty where it has none.",
           ("bot", "alertname", "by"), lambda s: [(labels, 1) for labels in dict.fromkeys(s.had)]),
)
"""What is read from the exporter itself, once a scrape."""

# fmt: on
DECLARED: Final[tuple[Metric[Any], ...]] = (*METRICS, *SELF)
