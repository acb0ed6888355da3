"""The health of a venue's stream, transition by transition, and what a planned quiet changes about it."""

from datetime import UTC, datetime, time

import pytest

from arb_bot import OrderRejected
from arb_bot.simulated.markets import STYLES
from arb_bot.simulated.world import WorldShape
from arb_bot.stream_health import CONNECTED, DEGRADED, POLL_ONLY, RECOVERING, Patience, StreamHealth
from arb_bot.trading_hours import Quiet, WeeklyPause, quiet_at
from arb_bot.venue import OrderRequest
from tests.arb_bot.lab import Lab

PATIENCE = Patience(stale=30.0, poll_only=True, retry=30.0)
LIVELY = WorldShape(shortest_life=200.0, longest_life=900.0, news_per_hour=10.0)
THURSDAY_3 = datetime(2026, 11, 26, 8, tzinfo=UTC).timestamp()
"""3 o'clock in New York, in winter."""


def test_a_stream_recovers_connects_goes_stale_and_is_tried_again() -> None:
    health = StreamHealth(0.0)
    seen = []
    for now, newest in [
        (0, None), (5, 4.0), (10, 9.0), (15, 9.0), (39, 9.0), (40, 9.0), (45, 44.0), (69, 68.0), (70, 69.0),
        (75, 74.0), (80, 79.0),
    ]:  # fmt: skip
        health.answered(newest, now, PATIENCE)
        seen.append(health.status)
    assert seen == [
        RECOVERING, CONNECTED, CONNECTED, CONNECTED, CONNECTED, POLL_ONLY, POLL_ONLY, POLL_ONLY, RECOVERING,
        CONNECTED, CONNECTED,
    ]  # fmt: skip
    assert (health.gaps, health.reconnects) == (1, 1)


def test_a_venue_that_does_not_answer_is_degraded_and_asked_again_five_seconds_later() -> None:
    health = StreamHealth(0.0)
    health.answered(1.0, 1.0, PATIENCE)
    assert health.status == CONNECTED
    health.failed(10.0)
    assert health.status == DEGRADED
    assert [health.due(now) for now in (10.0, 14.9, 15.0)] == [False, False, True]
    health.answered(15.0, 15.0, PATIENCE)
    assert health.status == RECOVERING
    health.answered(20.0, 20.0, PATIENCE)
    assert health.status == CONNECTED
    health.failed(21.0)
    health.failed(26.0)
    assert (health.gaps, health.reconnects) == (2, 1), "one gap however often it is asked"


def test_without_poll_only_a_stale_stream_is_degraded() -> None:
    health = StreamHealth(0.0)
    patience = Patience(stale=30.0, poll_only=False, retry=20.0)
    health.answered(1.0, 1.0, patience)
    health.answered(1.0, 31.0, patience)
    assert health.status == DEGRADED
    assert [health.due(now) for now in (50.9, 51.0)] == [False, True]


@pytest.mark.parametrize(
    ("poll", "configured", "stale"), [(5.0, 0.0, 30.0), (60.0, 0.0, 120.0), (5.0, 90.0, 90.0)]
)
def test_a_stream_is_stale_after_thirty_seconds_two_polls_or_what_is_set(
    poll: float, configured: float, stale: float
) -> None:
    assert Patience.of(poll, configured, True, 30.0).stale == stale


def test_a_frozen_feed_becomes_poll_only_and_the_settings_say_when(lab: Lab) -> None:
    session = lab.start("1")
    lab.run(10)
    assert lab.states[-1]["stream_status"] == {"kalshi": "connected", "polymarket": "connected"}
    venue = session.markets.venues["kalshi"]
    venue._frozen_until = session.markets.market_time() + 120
    lab.run(50)
    assert lab.states[-1]["stream_status"]["kalshi"] == "poll_only"
    assert lab.states[-1]["quote_age_seconds"]["kalshi"] > 30
    session.parts.settings.update("ARB_STREAM_RECOVERY_ATTEMPT_SECONDS", 1)
    lab.run(45)
    assert "recovering" in {state["stream_status"]["kalshi"] for state in lab.states[-9:]}
    lab.run(60)
    assert lab.states[-1]["stream_status"]["kalshi"] == "connected"
    session.parts.settings.update("ARB_STREAM_STALE_DEGRADE_SECONDS", 300)
    venue._frozen_until = session.markets.market_time() + 120
    lab.run(100)
    assert lab.states[-1]["stream_status"]["kalshi"] == "connected"
    session.parts.settings.update("ARB_STREAM_STALE_DEGRADE_SECONDS", 0)
    session.parts.settings.update("ARB_STREAM_POLL_ONLY_ON_STALE", False)
    venue._frozen_until = session.markets.market_time() + 120
    lab.run(60)
    assert "degraded" in {state["stream_status"]["kalshi"] for state in lab.states[-10:]}


@pytest.mark.parametrize(
    ("day", "hour", "holds"),
    [(26, 7.99, False), (26, 8.0, True), (26, 9.99, True), (26, 10.0, False), (25, 9, False)],
)
def test_a_weekly_pause_holds_in_its_own_zone(day: int, hour: float, holds: bool) -> None:
    moment = datetime(2026, 11, day, tzinfo=UTC).timestamp() + hour * 3600
    quiet = quiet_at(STYLES["kalshi"].pauses, moment)
    assert quiet == (Quiet(THURSDAY_3 + 7200, "weekly maintenance") if holds else None)


def test_a_pause_follows_the_clocks_of_its_zone() -> None:
    pause = WeeklyPause("America/New_York", 3, time(3), time(5), "x")
    summer = datetime(2026, 7, 23, 7, tzinfo=UTC).timestamp()
    assert pause.at(summer) == Quiet(summer + 7200, "x")
    assert pause.at(summer - 20) is None
    assert pause.at(summer - 20, ahead=30) == Quiet(summer + 7200, "x")


def test_a_planned_quiet_is_known_told_and_kept(lab: Lab) -> None:
    lab.clock.advance(THURSDAY_3 - 900 - lab.clock.now())
    session = lab.start("2", LIVELY)
    lab.run(890)
    assert lab.states[-1]["planned"] == {}
    lab.run(600)
    within = [state for state in lab.states if THURSDAY_3 <= state["ts"] < THURSDAY_3 + 7200]
    assert len(within) > 100
    for state in within:
        assert state["planned"] == {"kalshi": {"until": THURSDAY_3 + 7200, "reason": "weekly maintenance"}}
        assert state["stream_status"]["kalshi"] == "connected"
        assert "kalshi" not in state["quote_age_seconds"], "nothing is expected, nothing is old"
        assert set(state["coverage"]) == {"polymarket"}, "a pause that was announced is no loss of sight"
    placed = [order for order in lab.placed() if order["venue"] == "kalshi"]
    assert placed
    assert not [order for order in placed if order["ts"] >= THURSDAY_3], "no order is sent into the quiet"
    assert session.parts.kill.check().reason == "ok"
    lab.run(7200)
    assert lab.states[-1]["planned"] == {}
    assert lab.states[-1]["stream_status"]["kalshi"] == "connected"
    assert [o for o in lab.placed() if o["venue"] == "kalshi" and o["ts"] > THURSDAY_3 + 7200]


def test_resting_orders_stay_on_the_book_of_a_quiet_venue_and_can_be_cancelled(lab: Lab) -> None:
    lab.clock.advance(THURSDAY_3 - 60 - lab.clock.now())
    venue = lab.start("2").markets.venues["kalshi"]
    quote = venue.quotes()[0]
    resting = venue.place(OrderRequest(quote.market_id, "yes", "buy", 3, 10_000))
    late = venue.place(OrderRequest(quote.market_id, "no", "buy", 3, 10_000))
    lab.clock.advance(120)
    assert [order.order_id for order in venue.open_orders()] == [resting, late]
    with pytest.raises(OrderRejected, match="weekly maintenance"):
        venue.place(OrderRequest(quote.market_id, "yes", "buy", 3, 990_000))
    assert not venue.quotes()
    venue.cancel(late)
    assert [order.order_id for order in venue.open_orders()] == [resting]
    assert venue.report(resting).filled == 0
