"""What a bot's link and its states say, as metrics: a part of the one table (exporter.metrics)."""

from __future__ import annotations

from typing import Final

from exporter.labels import STATUSES, STREAM_STATUSES, UNKNOWN
from exporter.planned import BOT
from exporter.reported import by_field
from exporter.reporting.sources import STATUSES as STORE_STATUSES
from exporter.rows import COUNTER, GAUGE, HISTOGRAM, Metric, Rows, each, live, one, states
from exporter.sight import Sight
from exporter.state import State
from exporter.verdict import judge
from exporter.view import TIERS

LOOK_SECONDS: Final = 30.0  # after which a look at a store is too long ago to say how it is


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


def _store_status(sight: Sight) -> Rows:
    """Of stores that were looked at lately: one look a second, and a slow disk's patience."""
    seen = {name: store for name, store in sight.view.stores.items() if sight.now - store.at <= LOOK_SECONDS}
    words = ((name, states(STORE_STATUSES, store.status)) for name, store in seen.items())
    return [((name, *label), on) for name, rows in words for label, on in rows]


# The tables keep their own layout: a metric in two or three lines.
# fmt: off
LINK: Final[tuple[Metric[Sight], ...]] = (
    Metric("tradebot_up", GAUGE, "Whether the bot is connected and its last state is fresh.",
           (), lambda s: one(s.up)),
    Metric("tradebot_connected", GAUGE,
           "Whether the control socket is connected and, if the bot beats, was heard from within 5 seconds.",
           (), lambda s: one(s.connected)),
    Metric("tradebot_expected", GAUGE,
           "Whether the bot is meant to be there: 0 in planned quiet and for 120 s after a goodbye.",
           (), lambda s: one(s.expected)),
    Metric("tradebot_maintenance", GAUGE,
           "Whether quiet is planned: by a window of its schedule, a closed exchange or a person's order.",
           (), lambda s: one(s.planned is not None and s.planned.by != BOT)),
    Metric("tradebot_planned_end_timestamp_seconds", GAUGE,
           "When the planned quiet ends that holds, or ended without the bot being back since; else absent.",
           (), lambda s: one(s.planned_end)),
    Metric("tradebot_venue_expected", GAUGE,
           "Whether a venue's market data is meant to come: 0 in a window or a pause that was announced.",
           ("venue",), lambda s: [((venue,), quiet is None) for venue, quiet in s.venues.items()]),
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
