"""The page shows each figure with its source, its age, or in words that it is not known."""

from typing import Any

import pytest

from exporter.page import cards
from exporter.page.parts import Card, Tile
from exporter.view import BotView

NOW = 1_795_212_245.0  # 2026-11-20 22:04:05 UTC
FIVE = ["stream_status", "daily_pnl", "daily_trades", "daily_loss_cap_remaining", "consecutive_failures"]


def state(at: float, **changes: Any) -> dict[str, Any]:
    """A full state of the project's own bot; a change to None takes a field out."""
    fields: dict[str, Any] = {
        "type": "state",
        "ts": at,
        "cycle": 7,
        "mode": "paper",
        "uptime_seconds": 3723.0,
        "open_positions": [
            {"venue": "kalshi", "market_id": "K1"},
            {"venue": "kalshi", "market_id": "K2"},
            {"venue": "polymarket", "market_id": "P1"},
        ],
        "cash_by_venue": {"kalshi": 100.0},
        "locked_capital_by_venue": {},
        "last_cycle": {"decisions": []},
        "stream_status": {"kalshi": "connected"},
        "daily_pnl": -10.5,
        "daily_trades": 17,
        "daily_loss_cap_remaining": 39.5,
        "consecutive_failures": 2,
        "config_snapshot": {"ARB_DAILY_LOSS_CAP_USD": 50.0},
        "version": "0.1.0",
        "session_id": "ab",
        "simulated": True,
        "status": "paper",
        "reports": FIVE,
        "kill_switch": {"active": False, "reason": "ok", "since": None, "cause": None},
        "working_orders": {"kalshi": {"count": 2, "oldest_ts": at - 5}},
        "unhedged_usd": {"kalshi": 0.0},
        "last_fill_ts": at - 200,
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def beating(now: float) -> BotView:
    view = BotView("arb", now=NOW - 100)
    view.connected(NOW - 60)
    view.received(
        {"type": "heartbeat", "ts": now, "phase": "waiting", "loop_lag_seconds": 0.0, "cycle": 7}, now
    )
    return view


def seen(**changes: Any) -> dict[str, Tile]:
    """The tiles of a bot whose state came a second ago."""
    view = beating(NOW)
    view.received(state(NOW - 1, **changes), NOW - 1)
    return tiles(cards.card(view, NOW))


def tiles(card: Card) -> dict[str, Tile]:
    return {tile.title: tile for tile in card.tiles}


def test_a_healthy_bot_is_shown_in_neutral_figures_with_their_sources() -> None:
    view = beating(NOW)
    view.received(state(NOW - 1), NOW - 1)
    card = cards.card(view, NOW)
    assert (card.name, card.level, card.text) == ("arb", "ok", "OK")
    shown = tiles(card)
    assert {tile.tone for tile in card.tiles if tile.title != "MODE"} == {""}
    assert shown["MODE"] == Tile("MODE", "PAPER", "SIMULATED MARKETS", "planned")
    assert shown["DATA AGE"] == Tile("DATA AGE", "1 s", "stale after 3 min 00 s")
    assert shown["DAY PnL"] == Tile("DAY PnL", "−$10.50", "from the bot · day ends 00:00 UTC")
    assert shown["LOSS CAP USED"] == Tile("LOSS CAP USED", "21 %", "$10.50 of $50.00")
    assert shown["EXPOSED"] == Tile("EXPOSED", "$0.00", "nothing unhedged")
    assert shown["WORKING ORDERS"] == Tile("WORKING ORDERS", "2", "oldest 6 s")
    assert shown["POSITIONS"] == Tile("POSITIONS", "3", "kalshi 2 · polymarket 1")
    assert shown["LAST FILL"] == Tile("LAST FILL", "3 min 21 s", "ago")
    assert shown["TRADES TODAY"] == Tile("TRADES TODAY", "17", "failures in a row: 2")
    assert shown["KILL SWITCH"] == Tile("KILL SWITCH", "NOT ACTIVE", "says the bot")
    assert shown["LINK"] == Tile("LINK", "CONNECTED", "heartbeat 0 s ago · reconnects: 0")
    assert shown["BOT UP"] == Tile("BOT UP", "1 h 02 min", "version 0.1.0 · cycle 7")


def test_what_a_bot_never_reported_is_said_in_words_and_never_as_zero() -> None:
    absent = (
        "version session_id simulated status reports kill_switch working_orders unhedged_usd last_fill_ts"
    )
    hollow = {"daily_pnl": 0.0, "daily_trades": 0, "daily_loss_cap_remaining": 0.0, "consecutive_failures": 0}
    deployed = dict.fromkeys(absent.split()) | hollow
    shown = seen(**deployed, stream_status={})
    for title in ("DAY PnL", "EXPOSED", "WORKING ORDERS", "LAST FILL", "TRADES TODAY", "KILL SWITCH"):
        assert shown[title] == Tile(title, "NOT REPORTED", "by this bot", "unknown")
    assert shown["LOSS CAP USED"].value == "NOT REPORTED"
    assert shown["LOSS CAP USED"].note == "the day's PnL · cap $50.00"
    assert shown["MODE"] == Tile("MODE", "PAPER", "simulated: not reported", "planned")
    assert shown["POSITIONS"].value == "3"


def test_reported_zeros_are_zeros() -> None:
    shown = seen(daily_pnl=0.0, daily_trades=0, last_fill_ts=None, open_positions=[], working_orders={})
    assert shown["DAY PnL"].value == "$0.00"
    assert shown["LOSS CAP USED"].value == "0 %"
    assert shown["POSITIONS"].value == "0"
    assert shown["WORKING ORDERS"].value == "0"
    assert shown["LAST FILL"] == Tile("LAST FILL", "NO TRADE", "today, says the bot")


def test_old_figures_are_last_known_and_grey_with_their_age() -> None:
    view = BotView("arb", now=NOW - 1000, stale_after=30)
    view.connected(NOW - 1000)
    view.received(state(NOW - 300), NOW - 300)
    card = cards.card(view, NOW)
    shown = tiles(card)
    assert (card.level, card.text) == ("act", "STALE")
    assert shown["DATA AGE"] == Tile("DATA AGE", "5 min 00 s", "STALE · stale after 30 s", "act")
    assert shown["MODE"].note == "SIMULATED MARKETS · last known, 5 min 00 s old"
    for title in (
        "DAY PnL",
        "LOSS CAP USED",
        "EXPOSED",
        "POSITIONS",
        "TRADES TODAY",
        "KILL SWITCH",
        "BOT UP",
    ):
        assert shown[title].tone == "old"
        assert shown[title].note == "last known, 5 min 00 s old"
    assert shown["LINK"].note == "no heartbeats · reconnects: 0"


def test_a_lost_link_says_since_when_and_why() -> None:
    view = beating(NOW - 50)
    view.received(state(NOW - 50), NOW - 50)
    view.disconnected(NOW - 40, "connection refused")
    shown = tiles(cards.card(view, NOW))
    assert (shown["LINK"].value, shown["LINK"].tone) == ("DISCONNECTED", "act")
    assert shown["LINK"].note.endswith("connection refused")


def test_a_goodbye_is_planned_and_names_its_reason() -> None:
    view = beating(NOW - 10)
    view.received(state(NOW - 10), NOW - 10)
    view.received({"type": "goodbye", "reason": "upgrade"}, NOW - 9)
    view.disconnected(NOW - 9, "stopped: upgrade")
    card = cards.card(view, NOW)
    assert card.level == "planned"
    assert tiles(card)["LINK"] == Tile("LINK", "STOPPED", "upgrade", "planned")


def test_before_the_first_state_the_page_waits_in_words() -> None:
    view = beating(NOW)
    card = cards.card(view, NOW)
    assert (card.level, card.text) == ("planned", "AWAITING FIRST STATE")
    shown = tiles(card)
    assert shown["DATA AGE"] == Tile("DATA AGE", "NO STATE YET", "awaiting the first", "planned")
    assert shown["DAY PnL"] == Tile("DAY PnL", "AWAITING", "the first state", "awaiting")


def test_a_bot_never_seen_is_not_known() -> None:
    view = BotView("arb", now=NOW - 100)
    view.disconnected(NOW - 90, "connection refused")
    shown = tiles(cards.card(view, NOW))
    assert (shown["DATA AGE"].value, shown["DATA AGE"].tone) == ("NO STATE YET", "unknown")
    assert (shown["DAY PnL"].value, shown["DAY PnL"].tone) == ("NOT KNOWN", "unknown")


@pytest.mark.parametrize(
    ("changes", "title", "value", "tone"),
    [
        ({"mode": "live", "status": "live"}, "MODE", "LIVE", "inverse"),
        ({"status": "paused"}, "MODE", "PAUSED", "planned"),
        ({"status": "killed"}, "MODE", "KILLED", "act"),
        ({"daily_pnl": -40.0}, "LOSS CAP USED", "80 %", "look"),
        ({"daily_pnl": -49.9}, "LOSS CAP USED", "99 %", "look"),
        ({"daily_pnl": -50.0}, "LOSS CAP USED", "BREACHED", "act"),
        ({"config_snapshot": {"ARB_DAILY_LOSS_CAP_USD": 0.0}}, "LOSS CAP USED", "NO CAP", ""),
        ({"config_snapshot": None}, "LOSS CAP USED", "NOT REPORTED", "unknown"),
        ({"unhedged_usd": {"kalshi": 38.0}}, "EXPOSED", "$38.00", ""),
    ],
)
def test_a_figure_has_the_colour_of_what_to_do(
    changes: dict[str, Any], title: str, value: str, tone: str
) -> None:
    assert (seen(**changes)[title].value, seen(**changes)[title].tone) == (value, tone)


@pytest.mark.parametrize(
    ("mode", "lasting", "tone"),
    [("paper", 9, ""), ("paper", 10, "look"), ("paper", 60, "act"), ("live", 15, "act")],
)
def test_exposure_gets_louder_with_time_and_sooner_with_real_money(
    mode: str, lasting: int, tone: str
) -> None:
    view = beating(NOW - lasting)
    view.received(state(NOW - lasting, mode=mode, unhedged_usd={"kalshi": 38.0}), NOW - lasting)
    view.received({"type": "heartbeat", "ts": NOW, "cycle": 7}, NOW)
    exposed = tiles(cards.card(view, NOW))["EXPOSED"]
    assert (exposed.tone, exposed.note) == (tone, f"unhedged for {cards.duration(lasting)}")


@pytest.mark.parametrize(
    ("cause", "tone", "note"),
    [
        ("operator", "planned", "by an operator · file exists"),
        ("automatic", "act", "by the bot itself · file exists"),
        ("environment", "look", "by its environment · file exists"),
        ("elsewhere", "act", "cause not reported · file exists"),
    ],
)
def test_a_kill_is_planned_only_when_an_operator_ordered_it(cause: str, tone: str, note: str) -> None:
    switch = {"active": True, "reason": "file exists", "since": NOW, "cause": cause}
    shown = seen(status="killed", kill_switch=switch)
    assert shown["KILL SWITCH"] == Tile("KILL SWITCH", "ACTIVE", note, tone)
    assert (shown["MODE"].value, shown["MODE"].tone) == ("KILLED", tone)


def test_a_breach_stays_on_the_page_when_the_bot_is_gone() -> None:
    view = beating(NOW - 600)
    view.received(state(NOW - 600, daily_pnl=-51.0), NOW - 600)
    view.disconnected(NOW - 590, "connection refused")
    cap = tiles(cards.card(view, NOW))["LOSS CAP USED"]
    assert cap == Tile("LOSS CAP USED", "BREACHED", "earlier this UTC day · until 00:00 UTC", "act")


def test_one_reason_for_all_skips_takes_the_place_of_the_last_fill() -> None:
    view = beating(NOW)
    skips = [
        {"kind": "cross_venue", "action": "skipped", "reason": "edge_below", "edge": 0, "fill_prob": 0}
    ] * 31
    view.received(state(NOW - 1, last_cycle={"decisions": skips}), NOW - 1)
    assert tiles(cards.card(view, NOW))["BLOCKED BY"] == Tile("BLOCKED BY", "edge_below", "for 1 s", "look")


def test_times_of_the_bot_are_read_by_its_own_clock() -> None:
    view = beating(NOW)
    ahead = 3600.0
    view.received(state(NOW - 1 + ahead), NOW - 1)
    assert tiles(cards.card(view, NOW))["LAST FILL"].value == "3 min 21 s"


def test_data_half_way_to_stale_is_looked_at() -> None:
    view = BotView("arb", now=NOW - 100, stale_after=30)
    view.connected(NOW - 60)
    view.received(state(NOW - 16), NOW - 16)
    assert tiles(cards.card(view, NOW))["DATA AGE"].tone == "look"


@pytest.mark.parametrize(
    ("field", "said", "title"),
    [
        ("unhedged_usd", {"kalshi": None, "polymarket": 0.0}, "EXPOSED"),
        ("unhedged_usd", {"kalshi": "0"}, "EXPOSED"),
        ("working_orders", {"kalshi": {"count": None}, "polymarket": {"count": 0}}, "WORKING ORDERS"),
        ("working_orders", {"kalshi": 3}, "WORKING ORDERS"),
        ("open_positions", ["KX-1"], "POSITIONS"),
    ],
)
def test_a_sum_that_lacks_a_venue_is_not_shown_as_zero(field: str, said: Any, title: str) -> None:
    assert seen(**{field: said})[title] == Tile(title, "NOT REPORTED", "by this bot", "unknown")


def test_a_sum_that_lacks_a_venue_says_that_it_is_the_least() -> None:
    shown = seen(
        unhedged_usd={"kalshi": 38.0, "polymarket": None},
        working_orders={"kalshi": {"count": 2, "oldest_ts": None}, "polymarket": {}},
        open_positions=[{"market_id": "without a venue"}, {"venue": "kalshi"}, "nonsense"],
    )
    assert shown["EXPOSED"].value == "≥ $38.00"
    assert shown["WORKING ORDERS"].value == "≥ 2"
    assert (shown["POSITIONS"].value, shown["POSITIONS"].note) == ("≥ 2", "kalshi 1 · unknown 1")


def test_figures_of_yesterday_are_not_shown_as_todays() -> None:
    midnight = 1_795_219_200.0
    view = BotView("arb", now=midnight - 100, expected_interval=60)
    view.connected(midnight - 90)
    view.received(state(midnight - 10, daily_pnl=-49.0, last_fill_ts=None, daily_trades=0), midnight - 10)
    assert tiles(cards.card(view, midnight - 1))["DAY PnL"].value == "−$49.00"
    shown = tiles(cards.card(view, midnight))
    for title in ("DAY PnL", "LOSS CAP USED", "TRADES TODAY", "LAST FILL"):
        assert shown[title] == Tile(title, "NEW DAY", "no state of this UTC day yet", "awaiting")
    assert cards.card(view, midnight).text == "OK"
    stale = tiles(cards.card(view, midnight + 7200))
    assert (stale["DAY PnL"].value, stale["DAY PnL"].tone) == ("NEW DAY", "unknown")


def test_a_bot_that_is_not_connected_has_last_known_figures_however_young_they_are() -> None:
    view = beating(NOW - 1)
    view.received(state(NOW - 1), NOW - 1)
    view.disconnected(NOW, "closed by the bot")
    assert tiles(cards.card(view, NOW))["DAY PnL"] == Tile("DAY PnL", "−$10.50", "last known, 1 s old", "old")


def test_a_new_run_of_the_bot_awaits_its_state_and_does_not_show_the_old_ones_as_stale() -> None:
    view = beating(NOW - 10)
    view.received(state(NOW - 10), NOW - 10)
    view.disconnected(NOW - 5, "closed by the bot")
    view.connected(NOW - 2)
    beat = {"type": "heartbeat", "ts": NOW - 1, "phase": "starting", "loop_lag_seconds": 0.0, "cycle": 0}
    view.received(beat, NOW - 1)
    shown = tiles(cards.card(view, NOW))
    assert (shown["DATA AGE"].value, shown["DATA AGE"].tone) == ("10 s", "awaiting")
    assert (shown["DAY PnL"].note, shown["DAY PnL"].tone) == ("last known, 10 s old", "old")


def test_a_bot_that_accepts_and_is_silent_is_not_called_untried() -> None:
    view = beating(NOW - 20)
    link = tiles(cards.card(view, NOW))["LINK"]
    assert (link.value, link.note) == ("DISCONNECTED", "for 20 s · accepts, and says nothing")


@pytest.mark.parametrize(("ahead", "words"), [(7200.0, "2 h 00 min fast"), (-30.0, "30 s slow")])
def test_a_bot_whose_clock_is_off_is_told_beside_its_link(ahead: float, words: str) -> None:
    view = beating(NOW)
    view.received(state(NOW + ahead), NOW)
    link = tiles(cards.card(view, NOW))["LINK"]
    assert (link.value, link.tone) == ("CONNECTED", "look")
    assert link.note == f"heartbeat 0 s ago · the bot's clock is {words}"


def test_no_cap_is_last_known_once_the_bot_is_gone() -> None:
    view = beating(NOW - 1)
    view.received(state(NOW - 1, config_snapshot={"ARB_DAILY_LOSS_CAP_USD": 0.0}), NOW - 1)
    assert tiles(cards.card(view, NOW))["LOSS CAP USED"].note == "the bot's cap is 0 or less"
    view.disconnected(NOW, "closed by the bot")
    shown = tiles(cards.card(view, NOW))["LOSS CAP USED"]
    assert shown == Tile("LOSS CAP USED", "NO CAP", "last known, 1 s old", "old")
