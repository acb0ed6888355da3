"""The benchmark of the cycle runs whole cycles on changing prices and opens nothing."""

from arb_bot.clock import ManualClock
from benchmarks.cycle import PROMISED, QUOTES_A_MARKET, SIZES, START, Run, _one_cycle, _session, measure


def test_the_promised_size_is_among_those_measured() -> None:
    assert PROMISED in SIZES
    assert PROMISED * QUOTES_A_MARKET == 8_000


def test_every_cycle_takes_in_all_markets_finds_something_and_sends_no_order() -> None:
    clock, run = ManualClock(START), Run([], [])
    with _session(60, clock) as session:
        for _ in range(4):
            _one_cycle(session, clock, run)
        parts = session.parts
        assert 50 <= session.engine.report.quotes <= 60
        assert all(len(venue.quotes()) == 30 * QUOTES_A_MARKET for venue in parts.venues.values())
        assert parts.desk.last_order_at is None
        assert {d.action for d in session.engine.report.decisions} == {"skipped"}
    assert len(run.times) == 4
    assert max(run.found) > 0


def test_the_first_cycle_is_not_counted() -> None:
    run = measure(20, cycles=2)
    assert len(run.times) == 3
    run = Run([0.5, 1.0, 2.0, 3.0], [])
    assert (run.typical, run.quickest) == (2.0, 1.0)
