"""A breached cap that a bot trades past: what counts as an opening, what is excused, how long it holds."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from exporter.enforcement import CapGuard
from exporter.latches import Latches
from exporter.metrics import METRICS
from exporter.rows import Metric
from exporter.view import BotView
from tests.doubles.messages import T0, base_state, cycle_of, decision, state
from tests.exporter.program import LONGEST, exporter, free_port

MIDNIGHT = 1_795_219_200.0  # 2026-11-21 00:00 UTC
LOSS = {"daily_pnl": -11.0}
NOTHING = cycle_of()
OPENED = cycle_of(decision())
SETTLED = cycle_of(decision(action="settled", reason="paper_position_settled"))
GATED = cycle_of(decision(action="execution_failed", reason="kill switch: daily loss cap breached (x)"))
NOT_ENFORCED: Metric = next(metric for metric in METRICS if metric.name == "tradebot_cap_not_enforced")


class Watched:
    """A bot of a 5 s rhythm, and the guard of its cap."""

    def __init__(self, breach=None, **settings):
        self.view = BotView("arb", now=T0, expected_interval=5.0, breach=breach, **settings)
        self.guard = CapGuard(self.view)
        self.now = T0
        self.view.connected(T0)

    def says(self, message, at=None):
        self.now = message["ts"] if at is None else at
        self.view.received(message, self.now)
        self.guard.heard(message, self.now)
        return self

    def books(self, created_at, now):
        self.now = now
        self.guard.ledger_opened(created_at, "order intent 7f", now)
        return self

    def at(self, now):
        self.now = now
        return self

    @property
    def not_enforced(self):
        ((_, value),) = NOT_ENFORCED.read(self.view.at(self.now))
        return bool(value)

    @property
    def opening(self):
        return self.view.latch.breach.opening


def breached(**changed):
    """After a breach in cycle 1 and the cycle that was under way then."""
    watched = Watched().says(state(1, **LOSS, last_cycle=OPENED, **changed))
    return watched.says(state(2, **LOSS, last_cycle=OPENED, **changed))


def test_the_cycle_that_breaches_and_the_one_under_way_then_are_no_fault():
    assert not breached().not_enforced


def test_an_opening_in_the_second_cycle_after_the_breach_is_told_with_what_it_was():
    watched = breached().says(state(3, **LOSS, last_cycle=OPENED))
    assert watched.not_enforced
    assert watched.opening == "dry_run intra_venue kalshi:KX-1"
    assert watched.view.latch.breach.opened_at == T0 + 15


@pytest.mark.parametrize("action", ["filled", "dry_run", "execution_failed"])
def test_every_attempt_to_open_counts(action):
    watched = breached().says(state(3, **LOSS, last_cycle=cycle_of(decision(action=action, reason="x"))))
    assert watched.not_enforced


@pytest.mark.parametrize("cycle", [NOTHING, SETTLED, GATED], ids=["nothing", "settled", "refused"])
def test_a_settlement_or_a_refusal_is_no_opening(cycle):
    watched = breached().says(state(3, **LOSS, last_cycle=cycle)).says(state(4, **LOSS, last_cycle=cycle))
    assert not watched.not_enforced


def test_a_position_that_ends_is_no_opening_and_a_new_one_is():
    fewer = breached().says(state(3, **LOSS, last_cycle=NOTHING, open_positions=[]))
    assert not fewer.not_enforced
    more = [{"market_id": "KX-2", "venue": "kalshi"}]
    assert fewer.says(state(4, **LOSS, last_cycle=NOTHING, open_positions=more)).not_enforced
    assert fewer.opening == "new position kalshi KX-2"


def test_a_deployed_bot_is_judged_by_its_decisions_too():
    watched = Watched()
    watched.view.latch.judge(None, None, "2026-11-20", T0)
    assert not watched.says(base_state(1)).not_enforced  # no cap was breached
    watched.view.ledger_read(T0)
    for cycle in range(2, 5):
        watched.says(base_state(cycle, daily_pnl=-11.0))
    assert watched.not_enforced


def test_what_was_opened_before_the_breach_was_seen_is_no_fault_although_it_comes_later():
    watched = breached()
    late = state(3, ts=T0 + 5, **LOSS, last_cycle=OPENED)
    assert not watched.says(late, at=T0 + 12).not_enforced


def test_a_fill_of_an_order_from_before_the_breach_is_no_opening():
    watched = breached(last_order_ts=T0 + 4)
    assert not watched.says(state(3, **LOSS, last_cycle=OPENED, last_order_ts=T0 + 4)).not_enforced
    assert watched.says(state(4, **LOSS, last_cycle=OPENED, last_order_ts=T0 + 19)).not_enforced


@pytest.mark.parametrize("cap", [20.0, 0.0], ids=["raised", "taken away"])
def test_what_fits_under_a_cap_that_was_raised_since_is_allowed(cap):
    settings = {"config_snapshot": {"ARB_DAILY_LOSS_CAP_USD": cap}}
    assert not breached().says(state(3, **LOSS, last_cycle=OPENED, **settings)).not_enforced


@pytest.mark.parametrize("cap", [10.0, 5.0, 10.5], ids=["the same", "lowered", "raised too little"])
def test_any_other_cap_allows_nothing(cap):
    settings = {"config_snapshot": {"ARB_DAILY_LOSS_CAP_USD": cap}}
    assert breached().says(state(3, **LOSS, last_cycle=OPENED, **settings)).not_enforced


def test_losses_won_back_do_not_undo_the_breach():
    assert breached().says(state(3, daily_pnl=-1.0, last_cycle=OPENED)).not_enforced


def test_without_a_breach_openings_are_what_a_bot_is_for():
    watched = Watched()
    for cycle in range(1, 6):
        watched.says(state(cycle, last_cycle=OPENED))
    assert not watched.not_enforced


def test_it_holds_until_the_utc_day_ends_and_no_longer():
    watched = breached().says(state(3, **LOSS, last_cycle=OPENED)).says(state(4, last_cycle=NOTHING))
    assert watched.at(MIDNIGHT - 1).not_enforced
    assert not watched.at(MIDNIGHT).not_enforced


def test_an_opening_of_the_next_day_is_not_held_against_the_day_before():
    watched = breached().says(state(3, ts=MIDNIGHT + 5, daily_pnl=0.0, last_cycle=OPENED), at=MIDNIGHT - 0.5)
    assert not watched.at(MIDNIGHT - 0.5).not_enforced
    assert not watched.at(MIDNIGHT + 5).not_enforced


def test_what_was_found_survives_a_restart_of_the_exporter(tmp_path):
    watched = breached().says(state(3, **LOSS, last_cycle=OPENED))
    Latches(tmp_path).keep(watched.view)
    again = Watched(Latches(tmp_path).restore("arb")).at(T0 + 60)
    assert again.not_enforced
    again.says(state(20, **LOSS, last_cycle=NOTHING))
    assert (again.opening, again.not_enforced) == (watched.opening, True)


def test_after_a_restart_of_the_exporter_the_first_state_counts_if_the_breach_is_old(tmp_path):
    Latches(tmp_path).keep(breached().view)
    kept = Latches(tmp_path).restore("arb")
    assert Watched(kept).says(state(9, **LOSS, last_cycle=OPENED)).not_enforced
    assert not Watched(kept).says(state(2, **LOSS, last_cycle=OPENED)).not_enforced


def test_an_order_in_the_books_counts_one_interval_after_the_breach():
    watched = breached()
    assert not watched.books(T0 + 5 + 4.9, T0 + 20).not_enforced
    assert watched.books(T0 + 5 + 5.1, T0 + 20).not_enforced
    assert watched.opening == "order intent 7f"


@pytest.mark.parametrize("created", [0.0, -1.0, T0 - 86_400, T0 + 86_400, 1e300, float("inf"), float("nan")])
def test_an_order_of_another_time_in_the_books_is_none(created):
    assert not breached().books(created, T0 + 20).not_enforced


def test_one_cycle_that_is_told_twice_is_one_cycle():
    watched = Watched().says(state(1, **LOSS, last_cycle=OPENED))
    for pushed in range(3):
        watched.says(state(2, ts=T0 + 10 + pushed / 10, **LOSS, last_cycle=OPENED))
    assert not watched.not_enforced


@pytest.mark.parametrize(
    "changed",
    [
        {"last_cycle": {"decisions": [None, 5, "x", {}, {"action": []}, {"action": "filled", "kind": 3}]}},
        {"ts": None, "last_cycle": None, "open_positions": [None, {"venue": 5}]},
        {"last_order_ts": "late", "last_cycle": cycle_of(decision())},
    ],
)
def test_odd_states_raise_nothing(changed):
    watched = breached()
    message = {**state(3, **LOSS), **changed}
    watched.view.received(message, T0 + 15)
    watched.guard.heard(message, T0 + 15)


def test_a_restarted_bot_that_trades_on_is_caught_and_its_kept_positions_are_not():
    watched = breached()
    kept = state(1, ts=T0 + 30, session_id="new", uptime_seconds=1.0, **LOSS, last_cycle=NOTHING)
    assert not watched.says(kept).not_enforced
    traded = state(2, ts=T0 + 35, session_id="new", uptime_seconds=6.0, **LOSS, last_cycle=OPENED)
    assert watched.says(traded).not_enforced
    assert watched.view.latch.breach.opened_at == T0 + 35


@asynccontextmanager
async def trading_on() -> AsyncIterator[int]:
    """A bot on loopback that is past its cap and opens something in each cycle all the same."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cycle = 0
        while not writer.is_closing():
            cycle += 1
            message = base_state(cycle, ts=time.time(), daily_pnl=-11.0)
            writer.write(json.dumps(message).encode() + b"\n")
            await asyncio.sleep(0.1)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_real_exporter_says_it_and_still_does_when_it_was_killed_and_the_bot_is_gone(tmp_path):
    async with trading_on() as port, exporter(tmp_path, port) as running:
        await running.until("/metrics", 'tradebot_cap_not_enforced{bot="arb"} 1')
        async with asyncio.timeout(LONGEST):
            while '"opening": "dry_run' not in (tmp_path / "data" / "breach-arb.json").read_text():
                await asyncio.sleep(0.02)
        await running.stop(signal.SIGKILL)
    async with exporter(tmp_path, free_port()) as running:
        metrics = await running.until("/metrics", 'tradebot_cap_not_enforced{bot="arb"} ')
        _, log = await running.stop()
    assert 'tradebot_cap_not_enforced{bot="arb"} 1' in metrics
    assert "Traceback" not in log
