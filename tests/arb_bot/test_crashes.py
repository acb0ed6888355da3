"""A bot that dies at any moment: stores consistent, nothing doubled, and a start that says what it found."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arb_bot.simulated import memory
from arb_bot.simulated.order_log import OrderLog
from arb_bot.simulated.world import WorldShape
from arb_bot.sqlite_file import SqliteFile
from tests.arb_bot.lab import BANKROLL, Lab, query
from tests.arb_bot.test_program import QUICK, Bot, is_state, run  # noqa: F401 - the fixture

LIVELY = WorldShape(shortest_life=60.0, longest_life=300.0, news_per_hour=20.0, rivals=0.5)
DOCUMENTED = ("open intent(s) from prior session", "unhedged position(s)")
UNFINISHED = "SELECT COUNT(*) FROM order_intents WHERE status IN ('pending', 'submitted')"


class Died(BaseException):
    """The process is gone: nothing after this happens, no handler runs."""


class Deaths:
    """Counts everything that reaches the disk, and dies before or after the one that is due."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: int | None = None
        self.before = True
        self.before_sql = ""
        for owner, name in ((SqliteFile, "write"), (memory, "save"), (OrderLog, "_write")):
            monkeypatch.setattr(owner, name, self._deadly(getattr(owner, name)))

    def _deadly(self, reach: Callable[..., None]) -> Callable[..., None]:
        def write(*args: Any, **kwargs: Any) -> None:
            if self.before_sql and any(self.before_sql in str(argument) for argument in args):
                raise Died
            if self.left is not None:
                self.left -= 1
                if self.left == 0 and self.before:
                    raise Died
            reach(*args, **kwargs)
            if self.left == 0:
                raise Died

        return write


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> Deaths:
    return Deaths(monkeypatch)


def assert_consistent(folder: Path) -> None:
    """Both stores are whole, and every contract is in them once."""
    for name in ("arb_orders.db", "analytics.db"):
        assert query(folder / name, "PRAGMA integrity_check") == [("ok",)]
    orders, analytics = folder / "arb_orders.db", folder / "analytics.db"
    assert not query(orders, "SELECT 1 FROM leg_executions WHERE filled_contracts > contracts")
    assert not query(orders, "SELECT 1 FROM positions WHERE net_contracts < 0")
    twice = "SELECT intent_id, venue, market_id, side FROM positions GROUP BY 1, 2, 3, 4 HAVING COUNT(*) > 1"
    assert not query(orders, twice)
    settled = (
        "SELECT intent_id FROM fills WHERE metadata_json LIKE '%settlement%' GROUP BY 1 HAVING COUNT(*) > 1"
    )
    assert not query(analytics, settled), "no settlement twice"
    sold = dict(
        query(
            analytics,
            "SELECT json_extract(metadata_json, '$.position_id'), SUM(filled_contracts) FROM fills "
            "WHERE metadata_json LIKE '%unwind%' GROUP BY 1",
        )
    )
    for position, filled in query(
        orders,
        "SELECT position_id, filled_contracts FROM positions p JOIN leg_executions l "
        "ON (l.intent_id, l.venue, l.market_id, l.side) = (p.intent_id, p.venue, p.market_id, p.side)",
    ):
        assert sold.get(position, 0) <= filled, "no sale twice"


def assert_recovered(lab: Lab, unfinished: int) -> None:
    """A start after a death: what it found is what is there, and nothing is traded while that is open."""
    assert lab.session
    parts = lab.session.parts
    verdict = parts.kill.check()
    assert parts.portfolio.total() - parts.portfolio.realized == BANKROLL, "no dollar lost or doubled"
    assert "holds" not in verdict.reason, "venues and store agree to the contract"
    assert verdict.safe_mode_active == bool(parts.journal.recovery["reasons"])
    if unfinished:
        assert f"{unfinished} open intent(s) from prior session" in verdict.reason
    for reason in parts.journal.recovery["reasons"]:  # type: ignore[attr-defined]
        assert reason.endswith(DOCUMENTED)
    assert query(lab.folder / "arb_orders.db", UNFINISHED) == [(0,)]
    assert not any(venue.open_orders() for venue in lab.session.markets.venues.values())


DEATHS = st.tuples(
    st.integers(0, 10_000), st.integers(0, 150), st.integers(1, 12), st.booleans(), st.integers(0, 30)
)
"""Seed, seconds of trading, the write at which it dies, whether before or after it, seconds away."""


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(death=DEATHS)
def test_dying_before_or_after_any_write_loses_and_doubles_nothing(
    new_lab: Callable[[], Lab], deaths: Deaths, death: tuple[int, int, int, bool, int]
) -> None:
    seed, after, steps, before, away = death
    lab = new_lab()
    lab.start(str(seed), LIVELY)
    lab.run(after)
    deaths.left, deaths.before = steps, before
    with pytest.raises(Died):
        lab.run(900)
    deaths.left = None
    lab.crash()
    ((unfinished,),) = query(lab.folder / "arb_orders.db", UNFINISHED)
    lab.clock.advance(away)
    lab.start(f"{seed}:again", LIVELY)
    assert_recovered(lab, unfinished)
    assert_consistent(lab.folder)
    assert lab.session
    if lab.session.parts.kill.check().halted:
        placed = len(lab.placed())
        lab.run(30)
        assert len(lab.placed()) == placed
    lab.run(600)
    assert lab.session.parts.portfolio.total() - lab.session.parts.portfolio.realized == BANKROLL
    lab.end()
    assert_consistent(lab.folder)


def test_dying_between_a_result_and_the_end_of_its_position_books_it_once(
    new_lab: Callable[[], Lab], deaths: Deaths
) -> None:
    for seed in ("2", "3", "5"):
        lab = new_lab()
        lab.start(seed, LIVELY)
        lab.run(200 if seed == "2" else 0)
        deaths.before_sql = "SET status='closed'"
        with pytest.raises(Died):
            lab.run(3600)
        deaths.before_sql = ""
        lab.crash()
        results = query(lab.folder / "analytics.db", "SELECT COUNT(*) FROM fills")
        assert results > [(0,)], "the result is there, its position is still open"
        lab.start("again", LIVELY)
        assert_recovered(lab, query(lab.folder / "arb_orders.db", UNFINISHED)[0][0])
        assert_consistent(lab.folder)
        lab.run(600)
        assert_consistent(lab.folder)
        lab.end()


def kill_at_random(run: Callable[..., Bot], rounds: int, seed: int) -> dict[str, int]:  # noqa: F811
    """Real processes: killed at a random moment, started again, stopped, until all rounds are done."""
    rng = random.Random(seed)
    seen = {"killed": 0, "safe_mode": 0, "clean": 0, "orders": 0}
    for number in range(rounds):
        bot = run("--interval", "0.2", "--speed", "30", "--seed", str(seed + number), **QUICK)
        bot.connect()
        bot.receive(is_state)
        time.sleep(rng.uniform(0.0, 1.5))
        bot.process.send_signal(signal.SIGKILL)
        assert bot.wait() == -signal.SIGKILL
        seen["killed"] += 1
        assert_consistent(bot.folder)
        ((unfinished,),) = query(bot.folder / "arb_orders.db", UNFINISHED)
        again = run("--interval", "0.2", "--speed", "30", "--paused", **QUICK)
        again.connect()
        state = again.receive(is_state)
        reasons = state["recovery"]["reasons"]
        assert all(reason.endswith(DOCUMENTED) for reason in reasons), reasons
        assert state["kill_switch"]["active"] == bool(reasons)
        if unfinished:
            assert f"{unfinished} open intent(s) from prior session" in reasons
        seen["safe_mode" if reasons else "clean"] += 1
        total = sum(state["cash_by_venue"].values()) + sum(state["locked_capital_by_venue"].values())
        held = query(
            bot.folder / "arb_orders.db",
            "SELECT COALESCE(SUM(json_extract(raw_json, '$.held_fee_micros')), 0) FROM leg_executions l "
            "WHERE EXISTS (SELECT 1 FROM positions p WHERE p.intent_id = l.intent_id AND p.venue = l.venue "
            "AND p.market_id = l.market_id AND p.side = l.side AND p.status = 'open')",
        )[0][0]
        assert total + held / 1e6 - state["realized_pnl"] == pytest.approx(BANKROLL / 1e6, abs=1e-3)
        again.process.send_signal(signal.SIGTERM)
        assert again.wait() == 0
        assert_consistent(bot.folder)
        seen["orders"] = len(bot.placed())
    return seen


def test_killed_at_random_moments_a_real_bot_recovers_as_documented(run: Callable[..., Bot]) -> None:  # noqa: F811
    seen = kill_at_random(run, 3, seed=7)
    assert seen["killed"] == 3
    assert seen["orders"] > 0


@pytest.mark.soak
def test_killed_a_hundred_times_a_real_bot_recovers_as_documented(run: Callable[..., Bot]) -> None:  # noqa: F811
    seen = kill_at_random(run, 100, seed=1000)
    print(f"\nkilled at random moments: {seen}")
    assert seen["killed"] == 100
    assert seen["safe_mode"] > 0
    assert seen["orders"] > 100
