"""From a bot's fill in its own store to what the console says of the day, with the parts that really run."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.config import Config
from exporter.losscap import utc_day
from exporter.recording import Recording
from exporter.view import BotView
from tests.doubles.messages import base_state
from tests.exporter.reporting.mirroring import add, bots_store, fill

LONGEST = 20.0


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONGEST):
        while not holds():
            await asyncio.sleep(0.02)


def _config(tmp_path: Path) -> Config:
    stores = {"analytics": str(tmp_path / "analytics.db"), "orders": str(tmp_path / "orders.db")}
    return Config.model_validate(
        {
            "reporting_db": str(tmp_path / "state" / "reporting.db"),
            "bots": [{"name": "arb", "kind": "arb", "stores": stores}],
        }
    )


@pytest.mark.parametrize("orders", [True, False], ids=["both stores", "no order store"])
async def test_a_fill_in_the_bots_store_becomes_the_day_and_its_breach_on_disk(
    tmp_path: Path, orders: bool
) -> None:
    now = time.time()
    if utc_day(now) != utc_day(now + 2 * LONGEST):
        pytest.skip("the UTC day ends while this would run")
    config, view = _config(tmp_path), BotView("arb", now=now)
    view.connected(now)
    view.received(base_state(ts=now, config_snapshot={"ARB_DAILY_LOSS_CAP_USD": 10.0}), now)
    kept: list[BotView] = []
    recording = Recording(config, [view], kept.append)
    store = bots_store(tmp_path / "analytics.db", "analytics")
    if orders:
        bots_store(tmp_path / "orders.db", "orders").close()
    add(store, "fills", [fill(n) | {"timestamp": now, "realized_pnl": -2.0} for n in range(1, 4)])
    tasks = [asyncio.create_task(watch.run()) for watch in recording.watches()]
    try:
        await _until(lambda: view.at(time.time()).ledger is not None)
        first = view.at(time.time()).ledger
        assert first is not None
        assert (first.day, first.pnl, first.trades, first.failures) == (utc_day(now), -6.0, 3, None)
        assert view.latch.breach is None
        add(store, "fills", [fill(9) | {"timestamp": now, "realized_pnl": -4.5}])
        await _until(lambda: view.latch.breach is not None)
        assert view.at(time.time()).headroom == view.at(time.time()).ledger_headroom
        assert view in kept
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        store.close()
