"""The events of a bot's life: each told once, with its reason; what flaps is summed up and never lost."""

from dataclasses import replace

import pytest

from exporter.losscap import Breach
from exporter.reporting.throttle import PASSED, Throttle
from tests.doubles.messages import T0, base_state, goodbye, killed, state
from tests.exporter.reporting.hearing import Hearing, hearing


@pytest.fixture
async def heard(tmp_path):
    async with hearing(tmp_path) as hearing_now:
        yield hearing_now


def told(heard: Hearing) -> list[tuple[str, str, str]]:
    return [(event["kind"], event["severity"], event["what"]) for event in heard.events]


async def test_a_link_made_and_lost_is_two_events_and_the_attempts_after_it_are_none(heard):
    heard.connect(T0)
    heard.say(state(1))
    heard.disconnect(T0 + 10, "closed by the bot")
    for second in range(11, 30):
        heard.disconnect(T0 + second, "connection refused")
    assert told(heard) == [
        ("connected", "info", "connected to the bot"),
        ("disconnected", "warning", "the link was lost"),
    ]
    assert heard.events[1]["why"] == "closed by the bot"


async def test_a_bot_that_is_not_there_at_the_start_is_one_event(heard):
    for second in range(20):
        heard.disconnect(T0 + second, "connection refused")
    assert told(heard) == [("disconnected", "warning", "the bot cannot be reached")]


async def test_a_goodbye_is_told_with_its_reason_and_the_lost_link_is_no_warning(heard):
    heard.connect(T0)
    heard.say(state(1))
    heard.say(goodbye("stopped for an upgrade"), now=T0 + 6)
    heard.disconnect(T0 + 6)
    assert told(heard)[1:] == [
        ("goodbye", "info", "the bot stops"),
        ("disconnected", "info", "the link was lost"),
    ]
    assert heard.events[1]["why"] == "stopped for an upgrade"


async def test_a_restart_is_told_with_both_sessions_and_the_first_session_is_none(heard):
    heard.say(state(10))
    heard.say(state(1, ts=T0 + 60, session_id="next", version="0.2.0"))
    [event] = heard.told("restart")
    assert (event["before"], event["after"]) == ("5e55", "next")
    assert event["what"] == "another session of the bot, version 0.2.0"


async def test_mode_and_status_are_told_when_they_change_and_not_when_first_seen(heard):
    heard.say(
        state(1), state(2, status="paused"), state(3, mode="live", status="live"), state(4, mode="live")
    )
    assert [(kind, what) for kind, _, what in told(heard)] == [
        ("status_change", "status paper → paused"),
        ("mode_change", "mode paper → live"),
        ("status_change", "status paused → live"),
        ("status_change", "status live → paper"),
    ]


async def test_a_kill_switch_that_goes_on_is_an_alarm_and_its_severity_is_its_causes(heard):
    heard.say(state(1), state(2, kill_switch=killed("operator", "kill switch file exists (/x)")), state(3))
    heard.say(state(4, kill_switch=killed("automatic", "daily loss cap breached (realized=-10, cap=10)")))
    assert [(e["severity"], e["what"], e["why"]) for e in heard.told("kill_switch")] == [
        ("info", "the bot's kill switch is active", "operator: kill switch file exists (/x)"),
        ("info", "the bot's kill switch is off", ""),
        (
            "critical",
            "the bot's kill switch is active",
            "automatic: daily loss cap breached (realized=-10, cap=10)",
        ),
    ]
    assert [bot for bot, why in heard.alarms if "kill switch" in why] == ["arb", "arb"]


async def test_a_kill_switch_that_was_on_before_anybody_looked_is_told_and_no_alarm(heard):
    heard.say(state(1, kill_switch=killed("operator", "file")))
    assert told(heard) == [("kill_switch", "info", "the bot's kill switch is active when first seen")]
    assert heard.alarms == []


async def test_a_bot_that_says_nothing_of_its_kill_switch_has_no_event_of_it(heard):
    heard.say(base_state(1), base_state(2))
    assert told(heard) == []


async def test_a_breached_cap_is_told_once_and_is_an_alarm(heard):
    for cycle in range(1, 5):
        heard.say(state(cycle, daily_pnl=-11.0))
    assert told(heard) == [("cap_breached", "critical", "the daily loss cap of 2026-11-20 is breached")]
    assert len(heard.alarms) == 1


async def test_a_bot_that_trades_past_its_breached_cap_is_told_once_with_what_it_opened(heard):
    heard.say(state(1, daily_pnl=-11.0))
    view = heard.views["arb"]
    view.latch.breach = replace(view.latch.breach, opened_at=T0 + 15, opening="dry_run intra_venue x")
    heard.sockets.linked(view, T0 + 15)
    heard.sockets.linked(view, T0 + 20)
    (event,) = heard.told("cap_not_enforced")
    assert (event["severity"], event["why"]) == ("critical", "dry_run intra_venue x")
    assert len(heard.told("cap_breached")) == 1
    assert len(heard.alarms) == 2


async def test_a_breach_that_the_ledger_shows_is_told_though_no_state_comes(heard):
    view = heard.views["arb"]
    view.latch.breach = Breach("2026-11-20", T0)
    heard.sockets.linked(view, T0 + 1)
    heard.sockets.linked(view, T0 + 2)
    assert [kind for kind, *_ in told(heard)] == ["cap_breached"]


async def test_a_link_that_flaps_for_a_day_makes_few_events_that_count_every_change(heard):
    day, changes = 86_400, 0
    for second in range(0, day, 10):
        heard.connect(T0 + second)
        heard.disconnect(T0 + second + 5)
        changes += 2
    heard.sockets.ending(T0 + day)
    assert len(heard.events) < 60
    single = len(heard.told("connected")) + len(heard.told("disconnected"))
    assert single == PASSED
    sums = [event["data"]["counts"] for event in heard.told("flapping") if "data" in event]
    assert single + sum(sum(counts.values()) for counts in sums) == changes
    assert heard.told("flapping")[0]["what"] == "too many changes of link: from now on they are summed up"


async def test_after_a_quiet_time_a_link_is_told_change_by_change_again(heard):
    for second in range(0, 600, 10):
        heard.connect(T0 + second)
        heard.disconnect(T0 + second + 5)
    before = len(heard.told("connected"))
    heard.connect(T0 + 10_000)
    heard.disconnect(T0 + 11_000)
    heard.connect(T0 + 20_000)
    assert len(heard.told("connected")) == before + 2


async def test_a_link_that_is_lost_now_and_then_is_told_each_time(heard):
    for minute in range(0, 24 * 60, 5):
        heard.connect(T0 + 60 * minute)
        heard.disconnect(T0 + 60 * minute + 30)
    assert len(heard.events) == 2 * 24 * 60 / 5


async def test_one_bot_that_flaps_hides_nothing_of_another(tmp_path):
    async with hearing(tmp_path, "arb", "other") as heard:
        for second in range(0, 600, 5):
            heard.connect(T0 + second)
            heard.disconnect(T0 + second + 1)
        heard.connect(T0 + 600, bot="other")
        assert heard.events[-1]["bot"] == "other"


def test_a_clock_that_is_set_back_ends_a_window():
    throttle = Throttle()
    for _ in range(PASSED + 5):
        throttle.passes(("arb", "link"), "connected", "…", T0)
    [held] = throttle.ended(T0 - 3600)
    assert held.counts == {"connected": 5}
