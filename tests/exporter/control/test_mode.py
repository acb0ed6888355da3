"""Paper to live: everything that must hold before, and how each sort of bot is told."""

from dataclasses import replace

import pytest

from exporter.control.catalogue import catalogue
from exporter.control.mode import Before, failing, order, preflight
from exporter.errors import Invalid, NotNow

ARB = catalogue("arb")
NOW = 10_000_000.0
DAY = 86_400.0
DEPLOYED: dict[str, object] = {"mode": "paper", "config_snapshot": {"ARB_LIVE_MODE": False}}
WILLING: dict[str, object] = {"mode": "paper", "commands": ["set_mode"], "config_snapshot": {}}
READY = Before(
    allow_live=True,
    connected=True,
    fresh=True,
    age=1.0,
    state=DEPLOYED,
    own=False,
    mode="paper",
    cap=10.0,
    breached=False,
    killed=False,
    unhedged=0.0,
    drill_at=NOW - 29 * DAY,
)


def test_a_bot_that_is_ready_goes_live_by_its_setting_or_its_command() -> None:
    assert failing(preflight(ARB, READY, NOW)) == ""
    by_setting = {"type": "update_config", "key": "ARB_LIVE_MODE", "value": True}
    assert order(ARB, READY, "live", NOW) == by_setting
    willing = replace(READY, state=WILLING, own=True)
    assert order(ARB, willing, "live", NOW) == {"type": "set_mode", "mode": "live", "confirm": True}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"allow_live": False}, "allow_live is false in exporter.yml"),
        ({"fresh": False, "age": 90.0}, "no fresh state: the last one is 90 s old"),
        ({"called_paper": True}, "nobody would be paged"),
        ({"connected": False}, "no fresh state"),
        ({"age": None, "fresh": False}, "none came yet"),
        ({"own": True}, "fixed while it runs: set ARB_LIVE_MODE and restart it"),
        ({"state": {"mode": "paper"}}, "fixed while it runs"),
        ({"state": None}, "has not sent a state yet"),
        ({"mode": None}, "the mode is not reported"),
        ({"mode": "live"}, "the mode is live"),
        ({"cap": None}, "cap is not known"),
        ({"cap": 0.0}, "no daily loss cap"),
        ({"cap": float("inf")}, "cap is not known"),
        ({"breached": True}, "breached today"),
        ({"killed": True}, "the bot is killed"),
        ({"unhedged": 38.0}, "unhedged: $38.00"),
        ({"drill_at": None}, "never proven by a drill"),
        ({"drill_at": NOW - 31 * DAY}, "31 days ago; 30 are allowed"),
        ({"drill_at": NOW + DAY}, "30 are allowed"),
    ],
)
def test_each_thing_that_does_not_hold_refuses_live_and_says_so(change: dict[str, object], says: str) -> None:
    before = replace(READY, **change)  # type: ignore[arg-type]
    assert says in failing(preflight(ARB, before, NOW))
    with pytest.raises(NotNow) as caught:
        order(ARB, before, "live", NOW)
    assert says in str(caught.value)


def test_everything_that_fails_is_said_at_once() -> None:
    with pytest.raises(NotNow) as caught:
        order(ARB, replace(READY, allow_live=False, cap=0.0, drill_at=None), "live", NOW)
    assert "allow_live" in str(caught.value) and "drill" in str(caught.value)


def test_back_to_paper_nothing_is_asked() -> None:
    live = replace(READY, mode="live", allow_live=False, cap=None, drill_at=None, breached=True, fresh=False)
    message = order(ARB, live, "paper", NOW)
    assert message == {"type": "update_config", "key": "ARB_LIVE_MODE", "value": False}
    with pytest.raises(NotNow, match="the mode is paper already"):
        order(ARB, READY, "paper", NOW)
    with pytest.raises(NotNow, match="not connected"):
        order(ARB, replace(live, connected=False), "paper", NOW)
    with pytest.raises(NotNow, match="fixed while it runs"):
        order(ARB, replace(live, own=True), "paper", NOW)


def test_there_are_two_modes() -> None:
    with pytest.raises(Invalid):
        order(ARB, READY, "dry", NOW)
