"""Made-up ledgers: of the asked size and shape, the same for the same seed, consistent in themselves."""

import json
import sqlite3
from pathlib import Path

import pytest

from arb_bot.analytics_store import AnalyticsStore, utc_date
from arb_bot.lanes import LANE_ORDER
from arb_bot.order_store import OrderStore
from benchmarks.ledger_generator import ANALYTICS, END, ORDERS, main, make

FILLS, DAYS = 600, 12.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ledger")
    make(made, FILLS, days=DAYS, seed=3)
    return made


def asked(folder: Path, store: str, sql: str) -> list[tuple]:
    with sqlite3.connect(f"file:{folder / store}?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


def test_a_ledger_has_exactly_the_asked_results_within_the_asked_days(folder: Path) -> None:
    [(count, first, last)] = asked(
        folder, ANALYTICS, "SELECT COUNT(*), MIN(timestamp), MAX(timestamp) FROM fills"
    )
    assert count == FILLS
    assert END - (DAYS + 1) * 86_400 < first < END - (DAYS - 2) * 86_400
    assert END - 2 * 86_400 < last < END + 2 * 86_400


def test_all_lanes_and_venues_are_traded_and_many_bucket_groups(folder: Path) -> None:
    assert {kind for (kind,) in asked(folder, ANALYTICS, "SELECT kind FROM fills")} == set(LANE_ORDER)
    venues = {venue for (venue,) in asked(folder, ORDERS, "SELECT venue FROM leg_executions")}
    assert venues == {"kalshi", "polymarket", "forecastex"}
    metadata = asked(folder, ANALYTICS, "SELECT metadata_json FROM fills WHERE kind = 'structural_bucket'")
    assert len({json.loads(text)["match_key"] for (text,) in metadata}) > 50


def test_the_engine_s_own_stores_open_it_and_read_the_same_books(folder: Path) -> None:
    orders, analytics = OrderStore(folder / ORDERS), AnalyticsStore(folder / ANALYTICS)
    try:
        holdings = orders.open_holdings()
        assert holdings
        assert all(holding.lots for holding in holdings)
        date = utc_date(END - 3 * 86_400)
        [(total, count)] = asked(
            folder, ANALYTICS, f"SELECT SUM(realized_pnl), COUNT(*) FROM fills WHERE date = '{date}'"
        )
        realized, lowest, rows = analytics.day(date)
        assert rows == count > 0
        assert realized == pytest.approx(total)
        assert lowest <= 0
    finally:
        orders.file.close()
        analytics.file.close()


def test_a_third_of_the_results_is_out_of_time_order(folder: Path) -> None:
    [(late,)] = asked(
        folder,
        ANALYTICS,
        "SELECT SUM(before > timestamp) FROM "
        "(SELECT timestamp, LAG(timestamp) OVER (ORDER BY id) AS before FROM fills)",
    )
    assert 0.2 * FILLS < late < 0.45 * FILLS


def test_there_are_losses_partial_fills_unwindings_failures_and_refusals(folder: Path) -> None:
    [(losses, partial, unwound)] = asked(
        folder,
        ANALYTICS,
        "SELECT SUM(realized_pnl < 0), SUM(fill_rate < 1), "
        "SUM(json_extract(metadata_json, '$.event') = 'unwind') FROM fills",
    )
    assert min(losses, partial, unwound) > 0
    statuses = {status for (status,) in asked(folder, ORDERS, "SELECT status FROM order_intents")}
    assert {"filled", "partially_filled", "failed"} <= statuses
    [(accepted, refused)] = asked(folder, ANALYTICS, "SELECT SUM(accepted), SUM(1 - accepted) FROM decisions")
    [(intents,)] = asked(folder, ORDERS, "SELECT COUNT(*) FROM order_intents")
    assert accepted == intents
    assert 1.7 * intents < refused < 2.3 * intents


def test_what_is_closed_has_a_result_and_no_result_is_older_than_its_order(folder: Path) -> None:
    with sqlite3.connect(f"file:{folder / ORDERS}?mode=ro", uri=True) as db:
        db.execute("ATTACH ? AS results", (f"file:{folder / ANALYTICS}?mode=ro",))
        settled = (
            "SELECT intent_id FROM results.fills WHERE json_extract(metadata_json, '$.event') = 'settlement'"
        )
        wrong = {
            "open though settled": f"positions WHERE status = 'open' AND intent_id IN ({settled})",
            "closed without a result": "positions WHERE status = 'closed' "
            "AND intent_id NOT IN (SELECT intent_id FROM results.fills)",
            "a result before its order": "results.fills f JOIN order_intents i USING (intent_id) "
            "WHERE f.timestamp < i.created_at",
        }
        found = {
            name: db.execute(f"SELECT COUNT(*) FROM {what}").fetchone()[0] for name, what in wrong.items()
        }
    assert found == dict.fromkeys(wrong, 0)


def test_the_same_seed_makes_the_same_ledger_and_another_seed_another(folder: Path, tmp_path: Path) -> None:
    rows = "SELECT * FROM fills"
    make(tmp_path / "again", FILLS, days=DAYS, seed=3)
    make(tmp_path / "other", FILLS, days=DAYS, seed=4)
    assert asked(tmp_path / "again", ANALYTICS, rows) == asked(folder, ANALYTICS, rows)
    assert asked(tmp_path / "other", ANALYTICS, rows) != asked(folder, ANALYTICS, rows)


def test_the_command_refuses_a_folder_that_holds_a_ledger(tmp_path: Path) -> None:
    order = ["--fills", "5", "--days", "1", str(tmp_path)]
    assert main(order) == 0
    with pytest.raises(SystemExit, match="2"):
        main(order)
