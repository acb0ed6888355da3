"""Every metric from a bot's view: unknown is no series, old is none, reported zero is zero."""

import shutil
import subprocess

import pytest
from prometheus_client import CollectorRegistry

from exporter.collector import Collector
from exporter.exposition import render
from exporter.losscap import Breach
from exporter.metrics import DECLARED, METRICS
from exporter.rows import COUNTER, HISTOGRAM
from exporter.view import BotView
from tests.doubles import messages
from tests.doubles.messages import T0, base_state, heartbeat, killed, state


class Watched:
    """A view behind a registry, as tests of exporters read it."""

    def __init__(self, **settings) -> None:
        self.now = T0
        self.view = BotView("arb", now=T0, **settings)
        self.registry = CollectorRegistry()
        self.registry.register(Collector([self.view], clock=lambda: self.now))

    def says(self, *said, connect=True) -> "Watched":
        if connect and self.view.link.opened_at is None:
            self.view.connected(self.now)
        for message in said:
            self.now = max(self.now, message["ts"])
            self.view.received(message, self.now)
        return self

    def after(self, seconds: float) -> "Watched":
        self.now += seconds
        return self

    def value(self, name: str, /, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, {"bot": "arb", **labels})


def steadily(count=4, make=state, **fields) -> list[dict[str, object]]:
    return [make(cycle, **fields) for cycle in range(1, count + 1)]


# The table


def test_every_metric_is_declared_once_with_a_name_that_says_its_unit_and_kind():
    names = [metric.name for metric in DECLARED]
    assert len(names) == len(set(names))
    for metric in DECLARED:
        assert metric.name.startswith("tradebot_")
        assert metric.name.endswith("_total") == (metric.kind == COUNTER)
        assert metric.help.endswith(".")
        assert metric.kind != HISTOGRAM or metric.name.endswith("_seconds")
        assert "bot" not in metric.labels or metric not in METRICS


def test_all_names_of_the_design_that_have_a_source_by_now_are_there():
    link = """up connected expected last_state_timestamp_seconds last_heartbeat_timestamp_seconds
        loop_lag_seconds clock_skew_seconds reconnects_total states_received_total states_missed_total
        malformed_messages_total restarts_total field_reported verdict awaiting_first_state
        stale_after_seconds expected_interval_seconds maintenance verdict_since_timestamp_seconds"""
    of_state = """info mode status start_time_seconds cycles_total cycle_duration_seconds quotes
        opportunities near_opportunities decisions_total stream_status coverage_ratio quote_age_seconds
        rejects_total blocked"""
    money = """cash_usd locked_capital_usd venue_limit_usd open_positions working_orders unhedged_usd
        oldest_working_order_timestamp_seconds last_fill_timestamp_seconds daily_pnl_usd daily_trades
        daily_loss_cap_usd daily_loss_cap_remaining_usd daily_loss_breached consecutive_failures
        realized_pnl_usd"""
    rest = """config_value mode_changes_total registry_value exporter_build_info
        exporter_scrape_duration_seconds"""
    expected = {f"tradebot_{name}" for name in f"{link} {of_state} {money} {rest}".split()}
    assert expected <= {metric.name for metric in DECLARED}


# Unknown is never 0


@pytest.mark.parametrize(
    "name",
    [
        "daily_pnl_usd",
        "daily_trades",
        "daily_loss_cap_remaining_usd",
        "consecutive_failures",
        "realized_pnl_usd",
    ],
)
def test_a_deployed_bots_constants_are_no_series(name):
    watched = Watched().says(*steadily(make=base_state))
    assert watched.value(f"tradebot_{name}", source="bot") is None


def test_what_a_deployed_bot_does_not_send_is_no_series():
    watched = Watched().says(*steadily(make=base_state))
    assert watched.value("tradebot_status", status="paper") is None
    assert watched.value("tradebot_bot_kill_switch_active", cause="operator") is None
    assert watched.value("tradebot_unhedged_usd", venue="kalshi") is None
    assert watched.value("tradebot_working_orders", venue="kalshi") is None
    assert watched.value("tradebot_stream_status", venue="kalshi", status="connected") is None
    assert watched.value("tradebot_last_heartbeat_timestamp_seconds") is None
    assert watched.value("tradebot_loop_hung") is None
    assert watched.value("tradebot_field_reported", field="daily_pnl") == 0
    assert watched.value("tradebot_field_reported", field="unhedged_usd") == 0


def test_a_reported_zero_is_a_zero():
    watched = Watched().says(*steadily())
    assert watched.value("tradebot_daily_pnl_usd", source="bot") == 0
    assert watched.value("tradebot_unhedged_usd", venue="kalshi") == 0
    assert watched.value("tradebot_consecutive_failures", source="bot") == 0
    assert watched.value("tradebot_field_reported", field="daily_pnl") == 1


def test_before_anything_was_heard_only_the_link_and_the_counters_speak():
    watched = Watched()
    families = {family.name for family in Collector([watched.view], lambda: T0).families() if family.rows}
    assert (
        families & {"tradebot_mode", "tradebot_cash_usd", "tradebot_config_value", "tradebot_info"} == set()
    )
    assert watched.value("tradebot_up") == 0
    assert watched.value("tradebot_connected") == 0
    assert watched.value("tradebot_last_mode", mode="paper") is None
    assert watched.value("tradebot_tier", tier="live") == 0
    assert watched.value("tradebot_states_received_total") == 0
    assert watched.value("tradebot_verdict", level="unknown", text="CONNECTING") == 1


def test_a_cap_that_is_off_or_unknown_is_no_series():
    off = Watched().says(*steadily(config_snapshot={"ARB_DAILY_LOSS_CAP_USD": 0.0}, daily_pnl=-3.0))
    unknown = Watched().says(*steadily(config_snapshot=None, daily_pnl=-3.0))
    for watched in (off, unknown):
        assert watched.value("tradebot_daily_loss_cap_usd") is None
        assert watched.value("tradebot_daily_loss_cap_remaining_usd", source="bot") is None
    assert off.value("tradebot_config_value", key="ARB_DAILY_LOSS_CAP_USD") == 0


# Old is never now

LIVE_ONLY = [
    ("tradebot_info", {"version": "0.1.0", "session": "5e55", "simulated": "true"}, 1),
    ("tradebot_mode", {"mode": "paper"}, 1),
    ("tradebot_status", {"status": "paper"}, 1),
    ("tradebot_start_time_seconds", {}, T0),
    ("tradebot_quotes", {}, 19),
    ("tradebot_opportunities", {}, 2),
    ("tradebot_near_opportunities", {}, 5),
    ("tradebot_stream_status", {"venue": "kalshi", "status": "connected"}, 1),
    ("tradebot_stream_status", {"venue": "kalshi", "status": "degraded"}, 0),
    ("tradebot_coverage_ratio", {"venue": "kalshi"}, 0.75),
    ("tradebot_quote_age_seconds", {"venue": "kalshi"}, 1.2),
    ("tradebot_cash_usd", {"venue": "polymarket"}, 100),
    ("tradebot_locked_capital_usd", {"venue": "kalshi"}, 12.5),
    ("tradebot_venue_limit_usd", {"venue": "kalshi"}, 200),
    ("tradebot_open_positions", {"venue": "kalshi"}, 1),
    ("tradebot_open_positions", {"venue": "polymarket"}, 0),
    ("tradebot_working_orders", {"venue": "kalshi"}, 2),
    ("tradebot_oldest_working_order_timestamp_seconds", {"venue": "kalshi"}, T0 + 1),
    ("tradebot_unhedged_usd", {"venue": "kalshi"}, 0),
    ("tradebot_last_fill_timestamp_seconds", {}, T0 + 2),
    ("tradebot_daily_pnl_usd", {"source": "bot"}, -2.5),
    ("tradebot_daily_trades", {"source": "bot"}, 4),
    ("tradebot_daily_loss_cap_remaining_usd", {"source": "bot"}, 7.5),
    ("tradebot_consecutive_failures", {"source": "bot"}, 1),
    ("tradebot_realized_pnl_usd", {"source": "bot"}, 12.34),
    ("tradebot_registry_value", {"name": "orders_placed", "kind": "counter"}, 12),
]
STAYING = [
    ("tradebot_last_mode", {"mode": "paper"}, 1),
    ("tradebot_last_state_timestamp_seconds", {}, T0 + 20),
    ("tradebot_last_heartbeat_timestamp_seconds", {}, T0 + 20),
    ("tradebot_cycles_total", {}, 4),
    ("tradebot_cycle_duration_seconds_count", {}, 4),
    ("tradebot_decisions_total", {
        "kind": "intra_venue", "action": "dry_run", "reason": "paper_position_opened"}, 4),
    ("tradebot_rejects_total", {"venue": "kalshi"}, 0),
    ("tradebot_config_value", {"key": "ARB_DAILY_LOSS_CAP_USD"}, 10),
    ("tradebot_config_timestamp_seconds", {}, T0 + 20),
    ("tradebot_daily_loss_cap_usd", {}, 10),
    ("tradebot_daily_loss_breached", {}, 0),
    ("tradebot_bot_kill_switch_active", {"cause": "operator"}, 0),
    ("tradebot_stale_after_seconds", {}, 15),
    ("tradebot_expected_interval_seconds", {}, 5),
    ("tradebot_mode_changes_total", {"expected": "false"}, 0),
    ("tradebot_clock_skew_seconds", {}, 0),
]  # fmt: skip


def traded() -> Watched:
    fields = {
        "daily_pnl": -2.5,
        "daily_trades": 4,
        "consecutive_failures": 1,
        "last_fill_ts": T0 + 2,
        "working_orders": {"kalshi": {"count": 2, "oldest_ts": T0 + 1}},
    }
    return Watched().says(*steadily(**fields), heartbeat(T0 + 20, cycle=4))


@pytest.mark.parametrize(("name", "labels", "value"), LIVE_ONLY + STAYING)
def test_a_fresh_state_shows_every_value(name, labels, value):
    assert traded().value(name, **labels) == value


@pytest.mark.parametrize(("name", "labels", "value"), LIVE_ONLY)
def test_gauges_of_the_bot_vanish_when_it_is_stale(name, labels, value):
    assert traded().after(15.1).value(name, **labels) is None


@pytest.mark.parametrize(("name", "labels", "value"), STAYING)
def test_link_counters_settings_kill_and_latch_stay_when_the_bot_is_stale(name, labels, value):
    assert traded().after(3600).value(name, **labels) == value


def test_a_bot_is_up_only_while_connected_and_fresh():
    watched = traded()
    assert watched.value("tradebot_up") == 1
    watched.view.disconnected(watched.now, "closed by the bot")
    assert watched.value("tradebot_up") == 0
    assert watched.value("tradebot_cash_usd", venue="kalshi") == 200


# Risk


def test_headroom_is_computed_from_the_pnl_and_negative_past_the_cap():
    watched = Watched().says(*steadily(daily_pnl=-12.5))
    assert watched.value("tradebot_daily_loss_cap_remaining_usd", source="bot") == -2.5
    assert watched.value("tradebot_daily_loss_breached") == 1


def test_a_profit_does_not_raise_the_headroom_above_the_cap():
    watched = Watched().says(*steadily(daily_pnl=3.42, daily_loss_cap_remaining=6.58))
    assert watched.value("tradebot_daily_loss_cap_remaining_usd", source="bot") == 10


def test_a_bot_that_reports_only_its_headroom_is_quoted():
    watched = Watched().says(base_state(1, daily_loss_cap_remaining=6.58))
    assert watched.value("tradebot_daily_loss_cap_remaining_usd", source="bot") == 6.58
    assert watched.value("tradebot_daily_pnl_usd", source="bot") is None


def test_the_breach_latch_stays_over_disconnect_and_restart_until_the_utc_day_ends():
    watched = Watched().says(*steadily(daily_pnl=-10.0))
    watched.view.disconnected(watched.now, "gone")
    watched.after(600).says(state(1, ts=watched.now + 1, session_id="new"))
    assert watched.value("tradebot_daily_loss_breached") == 1
    watched.now = 1_795_219_200.0  # the next midnight UTC
    assert watched.value("tradebot_daily_loss_breached") == 0


def test_the_kill_switch_is_shown_by_its_cause_and_stays_when_the_bot_is_gone():
    watched = Watched().says(
        *steadily(status="killed", kill_switch=killed("automatic", "safe mode active (x)"))
    )
    watched.after(3600)
    found = {
        cause: watched.value("tradebot_bot_kill_switch_active", cause=cause)
        for cause in ("operator", "automatic", "environment", "unknown")
    }
    assert found == {"operator": 0, "automatic": 1, "environment": 0, "unknown": 0}


# Sets of states and counters


def test_a_set_of_states_is_one_series_a_state():
    watched = Watched().says(*steadily(status="paused"))
    found = {
        status: watched.value("tradebot_status", status=status)
        for status in ("paper", "live", "paused", "killed")
    }
    assert found == {"paper": 0, "live": 0, "paused": 1, "killed": 0}


def test_a_state_that_nobody_knows_is_shown_beside_the_known_ones():
    watched = Watched().says(*steadily(stream_status={"kalshi": "warming up"}))
    assert watched.value("tradebot_stream_status", venue="kalshi", status="warming up") == 1
    assert watched.value("tradebot_stream_status", venue="kalshi", status="connected") == 0


@pytest.mark.parametrize(
    "reason", ["too_long", "not_utf8", "not_json", "not_an_object", "no_type", "bad_field"]
)
def test_malformed_messages_are_born_at_zero_by_reason(reason):
    assert Watched().value("tradebot_malformed_messages_total", reason=reason) == 0


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("tradebot_reconnects_total", {}),
        ("tradebot_restarts_total", {}),
        ("tradebot_states_missed_total", {}),
        ("tradebot_mode_changes_total", {"expected": "false"}),
        ("tradebot_messages_received_total", {"type": "goodbye"}),
        ("tradebot_errors_total", {"severity": "error"}),
        ("tradebot_decisions_total", {"kind": "intra_venue", "action": "filled", "reason": "executed"}),
        ("tradebot_cycle_duration_seconds_bucket", {"le": "+Inf"}),
        ("tradebot_exporter_read_errors_total", {}),
        ("tradebot_exporter_bridge_restarts_total", {}),
        ("tradebot_exporter_latch_errors_total", {}),
    ],
)
def test_every_counter_of_a_bounded_set_is_born_at_zero(name, labels):
    assert Watched().value(name, **labels) == 0


def test_cycle_durations_fall_into_buckets():
    watched = Watched().says(state(1), state(2, last_cycle={"duration_ms": 3200, "decisions": []}))
    assert watched.value("tradebot_cycle_duration_seconds_bucket", le="0.05") == 1
    assert watched.value("tradebot_cycle_duration_seconds_bucket", le="2.5") == 1
    assert watched.value("tradebot_cycle_duration_seconds_bucket", le="5.0") == 2
    assert watched.value("tradebot_cycle_duration_seconds_sum") == pytest.approx(3.232)


def test_planned_quiet_and_a_goodbye_make_the_bot_unexpected_in_the_same_scrape():
    watched = Watched().says(*steadily())
    watched.view.received(messages.goodbye("upgrade"), watched.now)
    watched.view.disconnected(watched.now, "stopped: upgrade")
    assert watched.value("tradebot_connected") == 0
    assert watched.value("tradebot_expected") == 0
    assert watched.value("tradebot_maintenance") == 0


def test_the_verdict_is_one_series_beside_its_time():
    watched = traded()
    assert watched.value("tradebot_verdict", level="ok", text="OK") == 1
    assert watched.value("tradebot_verdict_since_timestamp_seconds") == T0 + 5


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (package prometheus)")
def test_promtool_finds_nothing_to_say_about_our_metrics():
    body, _ = render(Collector([traded().view], clock=lambda: T0 + 21))
    checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


# The day


MIDNIGHT = 1_795_219_200.0
OF_THE_DAY = ("tradebot_daily_pnl_usd", "tradebot_daily_trades", "tradebot_daily_loss_cap_remaining_usd")


def test_figures_of_yesterday_end_with_it_and_all_else_stays():
    watched = Watched(expected_interval=60)
    watched.says(state(1, ts=MIDNIGHT - 10, daily_pnl=-9.0, daily_trades=40))
    for name in OF_THE_DAY:
        assert watched.value(name, source="bot") is not None
    watched.after(10)
    for name in OF_THE_DAY:
        assert watched.value(name, source="bot") is None
    assert watched.value("tradebot_cash_usd", venue="kalshi") == 200.0
    watched.says(state(2, ts=MIDNIGHT + 50, daily_pnl=0.0, daily_trades=0))
    assert watched.value("tradebot_daily_pnl_usd", source="bot") == 0.0


def test_a_bot_whose_clock_is_hours_off_keeps_its_day_by_the_exporters():
    watched = Watched()
    watched.says(state(1, ts=MIDNIGHT - 7200, daily_pnl=-20.0))
    watched.after(5).view.received(state(2, ts=MIDNIGHT + 3600, daily_pnl=-20.0), watched.now)
    assert watched.value("tradebot_clock_skew_seconds") == 10_795
    assert watched.value("tradebot_daily_pnl_usd", source="bot") == -20.0
    assert watched.value("tradebot_daily_loss_breached") == 1
    assert watched.after(MIDNIGHT - watched.now).value("tradebot_daily_loss_breached") == 0


def test_a_bot_whose_clock_is_a_little_fast_begins_its_day_early_and_keeps_it():
    watched = Watched()
    watched.says(state(1, ts=MIDNIGHT - 40))
    watched.after(10).view.received(state(2, ts=MIDNIGHT + 1, daily_pnl=-1.0), watched.now)
    assert watched.after(20).value("tradebot_daily_pnl_usd", source="bot") == -1.0


def test_a_breach_kept_until_the_last_second_of_the_day_is_over_in_the_next():
    watched = Watched(breach=Breach("2026-11-20", MIDNIGHT - 500))
    assert watched.after(MIDNIGHT - 1 - watched.now).value("tradebot_daily_loss_breached") == 1
    assert watched.after(1).value("tradebot_daily_loss_breached") == 0


def test_a_field_of_which_a_venue_is_missing_is_not_reported_though_the_others_are_shown():
    watched = Watched().says(state(1, unhedged_usd={"kalshi": None, "polymarket": 0.0}))
    assert watched.value("tradebot_unhedged_usd", venue="polymarket") == 0.0
    assert watched.value("tradebot_unhedged_usd", venue="kalshi") is None
    assert watched.value("tradebot_field_reported", field="unhedged_usd") == 0


def settling(*times: object) -> list[dict[str, object]]:
    return [
        {"market_id": f"KX-{number}", "venue": "kalshi", "expected_settlement_at": at}
        for number, at in enumerate(times)
    ]


def test_the_first_settlement_of_a_venue_is_the_earliest_that_a_position_names():
    rows = [*settling(T0 + 500, T0 + 90, None), {"market_id": "P", "venue": "polymarket"}]
    watched = Watched().says(*steadily(open_positions=rows))
    name = "tradebot_earliest_settlement_timestamp_seconds"
    assert watched.value(name, venue="kalshi") == T0 + 90
    assert watched.value(name, venue="polymarket") is None
    assert watched.after(600).value(name, venue="kalshi") is None  # old is never now


@pytest.mark.parametrize("at", [0, -5, 1e300, float("nan"), "soon", True, [], 10**400])
def test_a_settlement_at_no_time_is_no_series(at):
    watched = Watched().says(*steadily(open_positions=settling(at)))
    assert watched.value("tradebot_earliest_settlement_timestamp_seconds", venue="kalshi") is None
    assert watched.value("tradebot_open_positions", venue="kalshi") == 1
