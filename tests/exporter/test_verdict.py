"""The verdict in over fifty situations, each alone and in likely pairs."""

from dataclasses import dataclass

import pytest

from exporter.losscap import Breach
from exporter.verdict import LONGEST, Level, judge, verdict
from exporter.view import BotView
from tests.doubles import messages
from tests.doubles.messages import T0, base_state, cycle_of, decision, heartbeat, killed, state

NOW = T0 + 100.0
TODAY = "2026-11-20"
LEG_OPEN = {"kalshi": 38.0}
SKIPS = cycle_of(*[decision(action="skipped", reason="venue exposure cap reached (kalshi)")] * 31)
BY_OPERATOR = killed("operator", "kill switch file exists (/data/.kill_switch)")
BY_CAP = killed("automatic", "daily loss cap breached (realized=-10.2, cap=10.0)")
LIVE = {"mode": "live", "status": "live"}


@dataclass(frozen=True)
class Window:
    """New York, Fridays from 12:00 to 20:00, which NOW is in; or ten hours later, which it is not."""

    opens: int = 12 * 60
    closes: int = 20 * 60
    tz: str = "America/New_York"
    days: frozenset[int] = frozenset({4})
    reason: str = "venue maintenance"


QUIET = {"schedule": [Window()]}
WINDOW_OPENED = T0 - (53 * 60 + 20)


def view_of(*said, beats=True, until=NOW, connect=True, **settings) -> BotView:
    """A bot that sent these states 5 s apart, the last one 2 s before `until`, its heartbeats up to then."""
    view = BotView("arb", now=T0 - 1000, **settings)
    if connect:
        view.connected(T0 - 900)
    first = until - 2 - 5 * (len(said) - 1)
    for number, message in enumerate(said):
        at = first + 5 * number
        view.received({**message, "ts": at, "cycle": number + 1, "uptime_seconds": 5.0 * number}, at)
    if beats and connect:
        view.received(heartbeat(until - 0.5, cycle=len(said), phase="quotes"), until - 0.5)
    return view


def steadily(count=5, make=state, **fields) -> list[dict[str, object]]:
    return [make(**fields)] * count


def gone(view: BotView, at: float = NOW - 1, why: str = "closed by the bot") -> BotView:
    view.disconnected(at, why)
    return view


def said_goodbye(view: BotView, at: float) -> BotView:
    view.received(messages.goodbye("upgrade"), at)
    return gone(view, at)


def stale(**fields) -> BotView:
    """A bot without heartbeats whose last state came 60 s ago."""
    return view_of(*steadily(make=base_state, **fields), beats=False, until=NOW - 60)


def hung(*said, **settings) -> BotView:
    """A bot that beats, and whose last cycle ended 60 s ago."""
    view = view_of(*(said or steadily()), until=NOW - 60, **settings)
    view.received(heartbeat(NOW - 1, cycle=len(said or steadily()), phase="quotes"), NOW - 1)
    return view


def awaited_again(view: BotView) -> BotView:
    """The bot is connected again since 5 s, and has only beaten so far."""
    gone(view, NOW - 50)
    view.connected(NOW - 5)
    view.received(heartbeat(NOW - 1, cycle=5), NOW - 1)
    return view


def latched(view: BotView, opened_at: float | None = None) -> BotView:
    view.latch.breach = Breach(TODAY, T0, opened_at=opened_at)
    return view


def awaited(**settings) -> BotView:
    return view_of(beats=False, **settings)


def new(**settings) -> BotView:
    return BotView("arb", now=NOW - 5, **settings)


ALONE = {
    "nothing wrong": (view_of(*steadily()), "ok", "OK"),
    "a bot that does not report its PnL": (
        view_of(*steadily(make=base_state), beats=False), "ok", "OK, PnL NOT REPORTED"),
    "an exporter that has just started": (new(), "unknown", "CONNECTING"),
    "never connected": (view_of(connect=False), "act", "DISCONNECTED"),
    "connected, no state yet": (awaited(expected_interval=400), "planned", "AWAITING FIRST STATE"),
    "connected for long, no state ever": (awaited(), "look", "NO FIRST STATE"),
    "disconnected": (gone(view_of(*steadily())), "act", "DISCONNECTED"),
    "silent although connected": (view_of(*steadily(), until=NOW - 8), "act", "DISCONNECTED"),
    "stale": (stale(), "act", "STALE"),
    "hung": (hung(), "act", "HUNG in quotes"),
    "stopped with a goodbye a minute ago": (
        said_goodbye(view_of(*steadily()), NOW - 60), "planned", "STOPPED: upgrade"),
    "stopped with a goodbye and not back": (
        said_goodbye(view_of(*steadily(), until=NOW - 121), NOW - 121), "act", "DISCONNECTED"),
    "planned and away": (gone(view_of(*steadily(), **QUIET)), "planned", "PLANNED until 20:00 ET"),
    "planned and here": (view_of(*steadily(), **QUIET), "planned", "PLANNED until 20:00 ET"),
    "outside its window": (
        view_of(*steadily(), schedule=[Window(closes=12 * 60 + 30)]), "ok", "OK"),
    "blocked": (
        view_of(*steadily(last_cycle=SKIPS)), "look", "BLOCKED BY venue exposure cap reached"),
    "loss cap breached": (
        view_of(*steadily(daily_pnl=-10.0, kill_switch=BY_CAP)), "act", "LOSS CAP BREACHED"),
    "loss cap breached and won back": (
        latched(view_of(*steadily(daily_pnl=0.0, kill_switch=BY_CAP))), "act", "LOSS CAP BREACHED"),
    "loss cap breached and trading on": (
        view_of(*steadily(daily_pnl=-10.0)), "act", "LOSS CAP BREACHED, NOT HALTED"),
    "loss cap breached and seen to open": (
        latched(view_of(*steadily(daily_pnl=-10.0)), opened_at=T0 + 9), "act",
        "LOSS CAP BREACHED, STILL TRADING"),
    "near the loss cap": (view_of(*steadily(daily_pnl=-8.57)), "look", "LOSS CAP 85 %"),
    "not near the loss cap": (view_of(*steadily(daily_pnl=-7.9)), "ok", "OK"),
    "killed by the operator": (
        view_of(*steadily(kill_switch=BY_OPERATOR, status="killed")), "planned", "KILLED BY OPERATOR"),
    "killed by the environment": (
        view_of(*steadily(kill_switch=killed("environment", "x"))), "look", "KILLED BY ENVIRONMENT"),
    "killed by nobody knows whom": (
        view_of(*steadily(kill_switch=killed("gremlin", "x"))), "act", "KILLED, CAUSE UNKNOWN"),
    "killed by an older bot's own word": (
        view_of(*steadily(make=base_state, status="killed"), beats=False), "act", "KILLED, CAUSE UNKNOWN"),
    "halted by failures": (
        view_of(*steadily(kill_switch=killed("automatic", "consecutive failures breached (5 >= 5)"))),
        "act", "HALTED: consecutive failures breached"),
    "halted for a long reason": (
        view_of(*steadily(kill_switch=killed("automatic", "safe mode " + "x" * 80))),
        "act", "HALTED: safe mode xxxxxxxxxxxxxxxxxxxxx…"),
    "paused": (view_of(*steadily(status="paused")), "planned", "PAUSED"),
    "a leg in flight": (view_of(*steadily(2, unhedged_usd=LEG_OPEN)), "ok", "OK"),
    "unhedged for 22 s": (view_of(*steadily(unhedged_usd=LEG_OPEN)), "look", "UNHEDGED $38"),
    "unhedged for 22 s with real money": (
        view_of(*steadily(unhedged_usd=LEG_OPEN, **LIVE)), "act", "UNHEDGED $38"),
    "unhedged for a minute": (view_of(*steadily(14, unhedged_usd=LEG_OPEN)), "act", "UNHEDGED $38"),
    "real money, cap off": (
        view_of(*steadily(config_snapshot={"ARB_DAILY_LOSS_CAP_USD": 0.0}, **LIVE)),
        "look", "LIVE WITHOUT A LOSS CAP"),
    "real money, settings unknown": (
        view_of(*steadily(config_snapshot=None, **LIVE)), "unknown", "LIVE, LOSS CAP UNKNOWN"),
    "real money, PnL not reported": (
        view_of(*steadily(make=base_state, mode="live"), beats=False), "unknown", "LIVE, PnL NOT REPORTED"),
    "real money, all reported": (view_of(*steadily(**LIVE)), "ok", "OK"),
}  # fmt: skip

PAIRS = {
    "breached and disconnected": (
        latched(gone(view_of(*steadily()))), "act", "LOSS CAP BREACHED, DISCONNECTED"),
    "breached and hung": (latched(hung()), "act", "LOSS CAP BREACHED, HUNG in quotes"),
    "breached and stale": (latched(stale()), "act", "LOSS CAP BREACHED, STALE"),
    "breached and away as planned": (
        latched(gone(view_of(*steadily(kill_switch=BY_CAP), **QUIET))), "act", "LOSS CAP BREACHED"),
    "breached and unhedged": (
        latched(view_of(*steadily(14, unhedged_usd=LEG_OPEN, kill_switch=BY_CAP))),
        "act", "LOSS CAP BREACHED"),
    "unhedged and disconnected": (
        gone(view_of(*steadily(2, unhedged_usd=LEG_OPEN)), NOW), "act", "DISCONNECTED, UNHEDGED $38"),
    "unhedged and disconnected long ago": (
        gone(view_of(*steadily(unhedged_usd={"kalshi": 1234.0}), until=NOW - 60), NOW - 60),
        "act", "DISCONNECTED, UNHEDGED $1,200"),
    "unhedged and stale": (stale(unhedged_usd={"kalshi": 0.5}), "act", "STALE, UNHEDGED $0.50"),
    "unhedged and killed by the operator": (
        view_of(*steadily(14, unhedged_usd=LEG_OPEN, kill_switch=BY_OPERATOR)),
        "act", "UNHEDGED $38, KILLED"),
    "unhedged and paused": (
        view_of(*steadily(unhedged_usd=LEG_OPEN, status="paused")), "look", "UNHEDGED $38"),
    "unhedged in a window": (view_of(*steadily(unhedged_usd=LEG_OPEN), **QUIET), "look", "UNHEDGED $38"),
    "unhedged and away as planned": (
        gone(view_of(*steadily(unhedged_usd=LEG_OPEN), **QUIET)), "act", "UNHEDGED $38 WHEN LAST SEEN"),
    "unhedged and stopped with a goodbye": (
        said_goodbye(view_of(*steadily(unhedged_usd=LEG_OPEN)), NOW - 1),
        "act", "UNHEDGED $38 WHEN LAST SEEN"),
    "a leg in flight at a goodbye": (
        said_goodbye(view_of(*steadily(2, unhedged_usd=LEG_OPEN)), NOW - 1), "planned", "STOPPED: upgrade"),
    "unhedged and not heard of since the reconnect": (
        awaited_again(view_of(*steadily(unhedged_usd=LEG_OPEN), until=NOW - 60)),
        "act", "UNHEDGED $38 WHEN LAST SEEN"),
    "halted in a window": (
        view_of(*steadily(kill_switch=killed("automatic", "safe mode active (x)")), **QUIET),
        "act", "HALTED: safe mode active"),
    "just started in a window": (new(**QUIET), "planned", "PLANNED until 20:00 ET"),
    "halted and disconnected": (
        gone(view_of(*steadily(kill_switch=killed("automatic", "safe mode active (x)")))),
        "act", "DISCONNECTED"),
    "killed by the operator and disconnected": (
        gone(view_of(*steadily(kill_switch=BY_OPERATOR))), "act", "DISCONNECTED"),
    "killed by the operator and blocked": (
        view_of(*steadily(kill_switch=BY_OPERATOR, last_cycle=SKIPS)), "planned", "KILLED BY OPERATOR"),
    "killed by the operator near the cap": (
        view_of(*steadily(kill_switch=BY_OPERATOR, daily_pnl=-9.0)), "look", "LOSS CAP 90 %"),
    "paused and blocked": (
        view_of(*steadily(status="paused", last_cycle=SKIPS)), "planned", "PAUSED"),
    "paused and planned": (view_of(*steadily(status="paused"), **QUIET), "planned", "PAUSED"),
    "blocked and planned": (
        view_of(*steadily(last_cycle=SKIPS), **QUIET), "planned", "PLANNED until 20:00 ET"),
    "hung and planned": (hung(**QUIET), "planned", "PLANNED until 20:00 ET"),
    "never connected and planned": (view_of(connect=False, **QUIET), "planned", "PLANNED until 20:00 ET"),
    "near the cap and blocked": (
        view_of(*steadily(daily_pnl=-8.0, last_cycle=SKIPS)), "look", "LOSS CAP 80 %"),
    "hung before a silence": (hung(*steadily(unhedged_usd=LEG_OPEN)), "act", "HUNG in quotes, UNHEDGED $38"),
}  # fmt: skip

SITUATIONS = ALONE | PAIRS


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_situation_alone_and_in_pairs_has_its_level_and_words(situation):
    view, level, text = SITUATIONS[situation]
    found = verdict(view, NOW)
    assert (found.level, found.text) == (level, text)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_verdict_fits_the_wall_and_began_in_the_past(situation):
    found = judge(SITUATIONS[situation][0].at(NOW))
    assert len(found.text) <= LONGEST
    assert found.since <= NOW


def test_there_are_enough_situations_and_every_level_is_among_them():
    assert len(ALONE) >= 20
    assert {level for _, level, _ in SITUATIONS.values()} == {str(level) for level in Level}


@pytest.mark.parametrize(
    ("situation", "since"),
    [
        ("disconnected", NOW - 1),
        ("silent although connected", NOW - 8.5),
        ("stale", NOW - 62 + 15),
        ("hung", NOW - 62 + 15),
        ("unhedged for 22 s", NOW - 22),
        ("loss cap breached and won back", T0),
        ("killed by the operator", NOW - 22),
        ("near the loss cap", NOW - 22),
        ("planned and away", WINDOW_OPENED),
    ],
)
def test_a_verdict_says_since_when_it_holds(situation, since):
    assert verdict(SITUATIONS[situation][0], NOW).since == since


def test_a_text_does_not_tick():
    view = SITUATIONS["disconnected"][0]
    assert verdict(view, NOW + 1).text == verdict(view, NOW + 47).text


def test_small_moves_of_an_exposure_do_not_make_a_new_text():
    texts = {
        verdict(view_of(*steadily(unhedged_usd={"kalshi": usd})), NOW).text
        for usd in (1210.0, 1215.5, 1249.9)
    }
    assert texts == {"UNHEDGED $1,200"}


def test_a_goodbye_is_the_last_word_though_the_socket_still_stands():
    view = view_of(*steadily(make=base_state), beats=False)
    view.received(messages.goodbye("upgrade"), NOW - 1)
    assert verdict(view, NOW).text == "STOPPED: upgrade"
    view.disconnected(NOW, "stopped: upgrade")
    view.connected(NOW + 1)
    assert verdict(view, NOW + 1).text != "STOPPED: upgrade"


@pytest.mark.parametrize(("away", "text"), [(119.0, "STOPPED: upgrade"), (121.0, "DISCONNECTED")])
def test_a_goodbye_excuses_two_minutes_and_the_next_state_ends_it(away, text):
    view = said_goodbye(view_of(*steadily()), NOW)
    back = NOW + away
    assert verdict(view, back).text == text
    view.connected(back)
    view.received(heartbeat(back + 1, cycle=0), back + 1)
    assert verdict(view, back + 1).text == "AWAITING FIRST STATE"
    view.received(state(1, ts=back + 2, session_id="new"), back + 2)
    assert verdict(view, back + 2).text == "OK"


def test_exposure_of_which_nothing_is_reported_any_more_is_still_exposure():
    view = view_of(*steadily(4, unhedged_usd=LEG_OPEN), state(unhedged_usd={"kalshi": None}))
    assert verdict(view, NOW).text == "UNHEDGED, AMOUNT UNKNOWN"
    assert verdict(gone(view), NOW).text == "DISCONNECTED, UNHEDGED, AMOUNT UNKNOWN"


def test_a_long_phase_leaves_room_for_the_exposure_behind_it():
    view = hung(*steadily(unhedged_usd=LEG_OPEN))
    view.received(heartbeat(NOW - 0.5, cycle=5, phase="x" * 100), NOW - 0.5)
    assert verdict(view, NOW).text == "HUNG in xxxxxxxxxxxx, UNHEDGED $38"


def test_a_bot_that_calls_itself_killed_is_not_ok():
    assert verdict(view_of(*steadily(status="killed")), NOW).text == "KILLED, CAUSE UNKNOWN"


def test_a_state_of_a_run_that_has_ended_is_awaited_anew():
    view = gone(view_of(*steadily()), NOW - 3)
    view.connected(NOW - 1)
    view.received(heartbeat(NOW, cycle=0), NOW)
    assert verdict(view, NOW).text == "AWAITING FIRST STATE"


def test_a_halt_of_the_bots_own_is_not_named_after_the_kill_file_beside_it():
    both = "kill switch file exists (/d/.kill_switch); safe mode active (1 unhedged position(s); 1 intent)"
    view = view_of(*steadily(kill_switch=killed("automatic", both)))
    assert verdict(view, NOW).text == "HALTED: safe mode active"
