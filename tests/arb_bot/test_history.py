"""A simulated past: real rows from the same engine, marked simulated, and the session after it carries on."""

import json
import threading
from pathlib import Path

from arb_bot import history
from arb_bot.clock import ManualClock
from arb_bot.lanes import LANE_ORDER
from arb_bot.profiles import profile
from arb_bot.session import Stores, open_session
from arb_bot.settings import Settings
from botkit.hot_reload import SettingsStore, from_env
from tests.arb_bot.lab import BANKROLL, START, query


def test_two_days_of_past_fill_the_stores_up_to_now(tmp_path: Path) -> None:
    settings = SettingsStore(from_env(Settings, profile("demo")).settings)
    stores = Stores.open(tmp_path)
    progress: list[float] = []
    history.fill(
        stores,
        settings,
        folder=tmp_path,
        seed="1",
        days=2,
        end=START,
        stop=threading.Event(),
        progress=progress.append,
    )
    assert progress == [0.5, 1.0]
    analytics = tmp_path / "analytics.db"
    rows = query(analytics, "SELECT timestamp, date, kind FROM fills ORDER BY timestamp")
    marks = query(analytics, "SELECT metadata_json FROM fills UNION ALL SELECT metadata_json FROM decisions")
    assert len(rows) > 40
    assert START - 2 * 86_400 < rows[0][0] < rows[-1][0] <= START + 10
    assert len({row[1] for row in rows}) == 3
    assert {json.loads(mark)["simulated"] for (mark,) in marks} == {True}
    assert {row[2] for row in rows} == set(LANE_ORDER)

    session = open_session(
        stores, settings, folder=tmp_path, clock=ManualClock(START + 20), seed="2", environ={}
    )
    portfolio = session.parts.portfolio
    assert not session.parts.kill.check().halted
    assert portfolio.realized == stores.analytics.realized()
    assert portfolio.total() == BANKROLL + portfolio.realized
    session.close()
    stores.close()


def test_a_stop_ends_the_past_early(tmp_path: Path) -> None:
    stores = Stores.open(tmp_path)
    stop = threading.Event()
    stop.set()
    settings = SettingsStore(from_env(Settings, profile("demo")).settings)
    history.fill(
        stores, settings, folder=tmp_path, seed="1", days=300, end=START, stop=stop, progress=lambda _: None
    )
    stores.close()
