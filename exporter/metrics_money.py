"""What a bot has, risks and is told to do, as metrics: a part of the one table (exporter.metrics)."""

from __future__ import annotations

from typing import Final

from exporter.control import kill_rows
from exporter.rows import COUNTER, GAUGE, HISTOGRAM, Metric, Rows, each, live, one
from exporter.sight import Sight
from exporter.sourced import consecutive_failures, daily_pnl, daily_trades, realized_pnl, remaining
from exporter.state import CAUSES


def _kill_switch(sight: Sight) -> Rows:
    kill = sight.view.state.kill if sight.view.state is not None else None
    return () if kill is None else [((cause,), kill.active and cause == kill.cause) for cause in CAUSES]


def _cap(sight: Sight) -> Rows:
    cap = sight.view.cap
    return one(cap if cap is not None and cap > 0 else None)


def _cap_not_enforced(sight: Sight) -> Rows:
    breach = sight.view.latch.active(sight.now)
    return one(breach is not None and breach.opened_at is not None)


# The tables keep their own layout: a metric in two or three lines.
# fmt: off
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
    Metric("tradebot_cap_not_enforced", GAUGE,
           "Whether the bot opened something more than a cycle after the breach, until the UTC day ends.",
           (), _cap_not_enforced),
    Metric("tradebot_earliest_settlement_timestamp_seconds", GAUGE,
           "When the open position that settles first is expected to, by venue; absent where nobody says.",
           ("venue",), live(lambda s: each(s.earliest_settlement))),
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
# fmt: on
