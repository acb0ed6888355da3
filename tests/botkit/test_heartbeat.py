"""Where the engine is and how late."""

from botkit.heartbeat import Heartbeat, Pulse


def test_an_engine_is_late_only_past_its_own_promise() -> None:
    now = 100.0
    pulse = Pulse(lambda: now)
    pulse.beat("quotes", cycle=12, within=5.0)
    now = 104.9
    assert pulse.read() == Heartbeat("quotes", 12, 0.0)
    now = 112.0
    assert pulse.read() == Heartbeat("quotes", 12, 7.0)
    pulse.beat("idle", cycle=13, within=1.0)
    assert pulse.read() == Heartbeat("idle", 13, 0.0)


def test_an_engine_that_has_not_begun_says_so() -> None:
    assert Pulse(lambda: 0.0).read() == Heartbeat("starting", 0, 0.0)
