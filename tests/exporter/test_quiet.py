"""A venue's own pause, what planned quiet never hides, and how it is told on page, API and /metrics."""

from dataclasses import dataclass

import pytest

from exporter.control.maintenance import Maintenance
from exporter.exchanges import Closed, Sessions
from exporter.page.planned_tiles import planned_tiles
from exporter.quiet import LONGEST_ANNOUNCED_SECONDS
from exporter.verdict import verdict
from exporter.view import BotView
from tests.doubles.messages import T0, base_state, cycle_of, decision, heartbeat, killed, state
from tests.exporter.test_metrics import Watched

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True)
class Window:
    """UTC, Fridays; T0 is a Friday, 17:53:20."""

    opens: int
    closes: int
    tz: str = "UTC"
    days: frozenset[int] = frozenset({4})
    reason: str = "venue maintenance"


NOW_OPEN = Window(17 * 60, 19 * 60)
LATER = Window(18 * 60, 19 * 60)


def pause(until: float, reason: str = "weekly maintenance") -> dict[str, dict[str, object]]:
    return {"kalshi": {"until": until, "reason": reason}}


def venue(watched: Watched, name: str) -> float | None:
    return watched.value("tradebot_venue_expected", venue=name)


# A venue's quiet


def test_every_venue_that_a_bot_names_is_expected_until_somebody_says_otherwise():
    watched = Watched().says(state(1, T0))
    assert (venue(watched, "kalshi"), venue(watched, "polymarket"), venue(watched, "nyse")) == (1, 1, None)


def test_a_window_of_a_venue_concerns_that_venue_alone():
    watched = Watched(venue_schedule={"kalshi": [NOW_OPEN]}).says(state(1, T0))
    assert (venue(watched, "kalshi"), venue(watched, "polymarket")) == (0, 1)
    assert watched.value("tradebot_expected") == 1
    assert watched.value("tradebot_maintenance") == 0


def test_a_venue_of_the_schedule_is_known_before_the_bot_names_it():
    watched = Watched(venue_schedule={"kalshi": [LATER]})
    assert venue(watched, "kalshi") == 1
    assert venue(watched.after(600), "kalshi") == 0
    assert venue(watched.after(HOUR), "kalshi") == 1


def test_the_bots_own_word_makes_a_venue_quiet_until_the_end_it_names():
    watched = Watched(stale_after=300).says(state(1, T0, planned=pause(T0 + 120)))
    assert (venue(watched, "kalshi"), venue(watched, "polymarket")) == (0, 1)
    assert watched.value("tradebot_expected") == 1
    assert venue(watched.after(119), "kalshi") == 0
    assert venue(watched.after(1), "kalshi") == 1


def test_the_bots_word_holds_only_while_its_state_is_fresh():
    watched = Watched(stale_after=30).says(state(1, T0, planned=pause(T0 + HOUR)))
    assert venue(watched.after(30), "kalshi") == 0
    assert venue(watched.after(1), "kalshi") == 1


def test_a_pause_without_an_end_within_a_week_is_not_believed():
    far = T0 + LONGEST_ANNOUNCED_SECONDS
    assert venue(Watched().says(state(1, T0, planned=pause(far))), "kalshi") == 0
    assert venue(Watched().says(state(1, T0, planned=pause(far + 1))), "kalshi") == 1


def test_a_pause_that_is_put_off_for_more_than_a_week_is_not_believed_until_the_bot_drops_it():
    watched = Watched(stale_after=DAY + 1)
    seen = []
    for day in range(10):
        watched.says(state(day + 1, watched.now, planned=pause(watched.now + 2 * DAY)))
        seen.append(venue(watched, "kalshi"))
        watched.after(DAY)
    assert seen == [0] * 8 + [1] * 2
    watched.says(state(20, watched.now))
    watched.says(state(21, watched.now, planned=pause(watched.now + HOUR)))
    assert venue(watched, "kalshi") == 0


@pytest.mark.parametrize(
    "said", [7, "kalshi", [], {"kalshi": None}, {"kalshi": 7}, {"kalshi": {}}, {"kalshi": {"until": "soon"}},
             {"kalshi": {"until": float("nan")}}, {"kalshi": {"until": True}}]
)  # fmt: skip
def test_a_word_of_a_wrong_shape_plans_nothing(said):
    assert venue(Watched().says(state(1, T0, planned=said)), "kalshi") == 1


def test_of_a_flood_of_venues_those_without_a_label_of_their_own_pause_nothing():
    flood = {f"v{n}": {"until": T0 + HOUR, "reason": "x"} for n in range(150)}
    watched = Watched().says(state(1, T0, planned=flood, cash_by_venue={"real": 1.0}, working_orders={}))
    found = watched.view.at(T0).venues
    assert len(found) <= 101
    assert found.get("other") is None


def test_the_quiet_of_a_venue_hides_nothing_of_money_or_control():
    watched = Watched().says(
        state(
            1,
            T0,
            planned=pause(T0 + HOUR),
            unhedged_usd={"kalshi": 38.0},
            kill_switch=killed("automatic", "daily loss cap breached"),
        )
    )
    assert watched.value("tradebot_unhedged_usd", venue="kalshi") == 38.0
    assert verdict(watched.view, T0 + 1).text == "HALTED: daily loss cap breached"


# The bot's own quiet


def quiet(until: float = T0 + HOUR) -> BotView:
    view = BotView("arb", now=T0 - 100)
    view.maintenance = Maintenance(T0 - 60, until, "new disk", "ann")
    view.connected(T0 - 50)
    view.received(state(1, T0), T0)
    view.received(heartbeat(T0), T0)
    return view


def test_a_closed_exchange_is_a_verdict_with_its_zone():
    monday = T0 + 2.6 * 86_400
    known = {"XNYS": Sessions((T0 - 10 * HOUR, monday), (T0 - 60, monday + HOUR))}
    view = BotView("arb", now=T0 - 100, schedule=[Closed("XNYS", "regular", "XNYS closed", known)])
    assert verdict(view, T0).text == "PLANNED until Mon 03:17 ET: XNYS closed"


def test_a_reason_that_does_not_fit_is_left_out_of_the_verdict():
    view = quiet()
    assert verdict(view, T0 + 1).text == "PLANNED until 18:53 UTC"
    assert view.maintenance is not None
    view.maintenance = Maintenance(T0, T0 + HOUR, "x", "ann")
    assert verdict(view, T0 + 1).text == "PLANNED until 18:53 UTC: maintenance: x"


def test_planned_quiet_hides_no_exposure_no_breach_and_no_kill():
    view = quiet()
    view.received(state(2, T0 + 5, unhedged_usd={"kalshi": 38.0}), T0 + 5)
    assert "UNHEDGED $38" in verdict(view, T0 + 105).text
    view.received(state(3, T0 + 106, daily_pnl=-11.0), T0 + 106)
    assert verdict(view, T0 + 107).text == "LOSS CAP BREACHED, NOT HALTED"


def test_the_end_is_on_metrics_while_quiet_holds_and_until_the_bot_is_back():
    watched = Watched(schedule=[LATER]).says(state(1, T0), heartbeat(T0))
    name = "tradebot_planned_end_timestamp_seconds"
    assert watched.value(name) is None
    watched.after(600)
    assert watched.value(name) == T0 + 400 + HOUR
    watched.view.last_quiet = watched.view.at(watched.now).quiet
    watched.after(HOUR)
    assert watched.value("tradebot_expected") == 1
    assert watched.value(name) == T0 + 400 + HOUR
    watched.view.connected(watched.now)
    watched.view.received(state(2, watched.now), watched.now)
    assert watched.value(name) is None


# What an operator ordered is no block.


SKIPS = {"last_cycle": cycle_of(*[decision(action="skipped", reason="paused (ordered)")] * 40)}
KILLS = {"last_cycle": cycle_of(*[decision(action="skipped", reason="kill switch: file (x)")] * 40)}


@pytest.mark.parametrize(
    ("skips", "status", "blocked"),
    [
        (SKIPS, "paused", False),
        (SKIPS, "paper", False),  # the skips of the minutes before it was resumed
        (KILLS, "killed", False),
        ({"last_cycle": cycle_of(*[decision(action="skipped", reason="no edge")] * 40)}, "paper", True),
        ({"last_cycle": cycle_of(*[decision(action="skipped", reason="no edge")] * 40)}, "paused", False),
    ],
)
def test_a_bot_that_opens_nothing_by_order_is_not_blocked(skips, status, blocked):
    watched = Watched().says(state(1, T0, status=status, **skips))
    assert (watched.view.at(watched.now).blocked is not None) == blocked


def test_a_bot_without_a_status_says_of_a_kill_by_its_skips_alone():
    watched = Watched().says(base_state(1, T0, **KILLS))
    assert watched.value("tradebot_blocked", reason="kill switch") == 1


# On the page


def test_the_page_says_until_when_why_and_who_ordered_it():
    (tile,) = planned_tiles(quiet().at(T0 + 1))
    assert (tile.value, tile.note, tile.tone) == (
        "until 18:53 UTC",
        "maintenance: new disk, ordered by ann",
        "planned",
    )


def test_the_page_says_how_long_a_bot_is_overdue():
    view = BotView("arb", now=T0 - 100)
    view.last_quiet = Maintenance(T0 - 600, T0, "new disk", "ann").planned
    (tile,) = planned_tiles(view.at(T0 + 190))
    assert (tile.value, tile.tone) == ("OVERRUN 3 min 10 s", "act")
    assert tile.note == "planned until 17:53 UTC · maintenance: new disk, ordered by ann"


def test_the_page_names_quiet_venues_and_says_nothing_where_nothing_is_planned():
    view = BotView("arb", now=T0, venue_schedule={"kalshi": [NOW_OPEN], "other": [LATER]})
    (tile,) = planned_tiles(view.at(T0))
    assert (tile.title, tile.value) == ("QUIET VENUES", "kalshi")
    assert tile.note == "kalshi until 19:00 UTC: venue maintenance, by its schedule"
    assert [*planned_tiles(BotView("arb", now=T0).at(T0))] == []
