"""Rollups grow with the rows, and are at any time what the rows say."""

import asyncio
import itertools
import math
import re
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.reporting import schema
from exporter.reporting.days import OperatorDay
from exporter.reporting.rebuild import rebuild
from exporter.reporting.rollups import TABLES, Rollups
from tests.exporter.reporting import slow_ledger
from tests.exporter.reporting.slow_ledger import BOT, Decision, Fill, Intent, Leg

NOON = 1_795_176_000.0  # 2026-11-20 12:00 UTC
UTC_DAY = OperatorDay()
MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
EXAMPLES = 60
SOAK_EXAMPLES = 2_000


class Ledger:
    """A reporting database in memory, to which batches are added as the mirror adds them."""

    def __init__(self, db: aiosqlite.Connection, day: OperatorDay = UTC_DAY) -> None:
        self.db = db
        self.rollups = Rollups({BOT: day})

    async def fills(self, *fills: Fill) -> None:
        """One transaction a call; ids of one generation, all above those before."""
        await self._write(slow_ledger.insert_fills, fills)
        ids = [fill.id for fill in fills]
        await self.rollups.fills_added(self.db, BOT, fills[0].generation, min(ids) - 1, max(ids))
        await self.db.commit()

    async def decisions(self, *decisions: Decision) -> None:
        await self._write(slow_ledger.insert_decisions, decisions)
        ids = [decision.id for decision in decisions]
        await self.rollups.decisions_added(self.db, BOT, decisions[0].generation, min(ids) - 1, max(ids))
        await self.db.commit()

    async def intents(self, *intents: Intent) -> None:
        await self._write(slow_ledger.put_intents, intents)
        await self.rollups.intents_changed(self.db, BOT, [intent.intent_id for intent in intents])
        await self.db.commit()

    async def _write(self, write: Callable[[sqlite3.Connection, Any], None], rows: Sequence[object]) -> None:
        await self.db._execute(write, self.db._conn, rows)

    async def rows(self, table: str) -> dict[tuple[object, ...], tuple[object, ...]]:
        """A table's rows without the bot, by their keys."""
        columns = list(await self.db.execute_fetchall(f"PRAGMA table_info({table})"))
        keys = sum(bool(column[5]) for column in columns)
        return {
            tuple(row[1:keys]): tuple(row[keys:])
            for row in await self.db.execute_fetchall(f"SELECT * FROM {table}")
        }

    async def must_be(self, expected: dict[str, dict]) -> None:
        for table, wanted in expected.items():
            found = await self.rows(table)
            assert found.keys() == wanted.keys(), table
            for key, values in wanted.items():
                same = all(_same(*pair) for pair in zip(found[key], values, strict=True))
                assert same, (table, key, found[key], values)


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, float) and isinstance(wanted, int | float):
        return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-6)
    return found == wanted


def on_a_ledger(test: Callable[[Ledger], Awaitable[None]], day: OperatorDay = UTC_DAY) -> None:
    """Run one scenario on an empty database."""

    async def run() -> None:
        async with aiosqlite.connect(":memory:", isolation_level=None) as db:
            await db._execute(schema.create, db._conn)
            await db.execute("BEGIN")
            await test(Ledger(db, day))

    asyncio.run(run())


TIMES = st.one_of(
    st.sampled_from([NOON, NOON + 0.5, NOON + MINUTE, NOON + 11 * HOUR + 3599.999, NOON + 12 * HOUR]),
    st.floats(NOON, NOON + 2 * HOUR),
    st.floats(NOON - 3 * DAY, NOON + 3 * DAY),
)
MONEY = st.one_of(st.sampled_from([0.0, 1.0, -1.0, 0.1, -0.3]), st.floats(-50, 50))
METADATA = st.sampled_from(
    [
        "{}",
        '{"event": "settlement", "fees": 0.25, "match_key": "group-1"}',
        '{"event": "unwind"}',
        '{"fees": "no"}',
    ]
)
INTENT_IDS = [f"intent-{n}" for n in range(6)]


@st.composite
def fills(draw: st.DrawFn, number: int, generation: int) -> Fill:
    planned = draw(st.integers(1, 40))
    filled = draw(st.integers(1, planned))
    return Fill(
        number,
        draw(TIMES),
        draw(MONEY),
        generation,
        kind=draw(st.sampled_from(slow_ledger.KINDS)),
        market_key=draw(st.sampled_from(["kalshi/A:kalshi/B", "bucket-7"])),
        intent_id=draw(st.sampled_from([*INTENT_IDS, "none"])),
        planned_contracts=planned,
        filled_contracts=filled,
        planned_edge=draw(st.floats(-0.05, 0.1)),
        slippage=draw(st.floats(-2, 2)),
        fill_rate=filled / planned,
        venue=draw(st.sampled_from(["kalshi", "polymarket"])),
        metadata_json=draw(METADATA),
    )


@st.composite
def intents(draw: st.DrawFn, intent_id: str) -> Intent:
    prices = st.floats(0.1, 0.6)
    legs = [
        Leg(draw(prices), draw(st.none() | prices), draw(st.integers(0, 9)), draw(st.none() | prices))
        for _ in range(draw(st.integers(0, 3)))
    ]
    plan: dict[str, object] = draw(
        st.sampled_from([{}, {"gross_edge": 0.05}, {"metadata": {"constraint_adjusted_payout": 2.0}}])
    )
    created_at = NOON + 2 * HOUR * (INTENT_IDS.index(intent_id) - 3)  # what an intent never changes
    return Intent(
        intent_id,
        legs,
        draw(st.floats(-0.05, 0.1)),
        created_at,
        plan=plan,
        generation=draw(st.integers(0, 2)),
    )


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, list[Any]]]:
    """Batches as they are mirrored: rows of two generations, intents that are new or changed."""
    steps: list[tuple[str, list[Any]]] = []
    next_id = {0: 1, 1: 1}
    for _ in range(draw(st.integers(1, 8))):
        what = draw(st.sampled_from(["fills", "fills", "fills", "intents", "decisions"]))
        if what == "intents":
            chosen = draw(st.lists(st.sampled_from(INTENT_IDS), min_size=1, max_size=3, unique=True))
            steps.append((what, [draw(intents(name)) for name in chosen]))
            continue
        generation = draw(st.integers(0, 1))
        batch: list[Any] = []
        for _ in range(draw(st.integers(1, 12))):
            number = next_id[generation] = next_id[generation] + draw(st.integers(1, 3))
            if what == "fills":
                batch.append(draw(fills(number, generation)))
            else:
                reason = draw(st.sampled_from(["", "kelly_fraction_zero", "insufficient cash (kalshi)"]))
                batch.append(Decision(number, draw(TIMES), int(not reason), reason, generation=generation))
        draw(st.randoms()).shuffle(batch)
        steps.append((what, batch))
    return steps


async def _live_through(ledger: Ledger, history: list[tuple[str, list[Any]]]) -> dict[str, dict]:
    """Mirror a history and return what a slow reference makes of all its rows."""
    rows: dict[str, list[Any]] = {"fills": [], "decisions": [], "intents": []}
    for what, batch in history:
        await getattr(ledger, what)(*batch)
        rows[what] += batch
    newest = {intent.intent_id: intent for intent in rows["intents"]}
    return slow_ledger.sums(rows["fills"], rows["decisions"], list(newest.values()))


def _grown_equals_slow_and_fresh(history: list[tuple[str, list[Any]]]) -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.must_be(await _live_through(ledger, history))
        for compared in await rebuild(ledger.db, ledger.rollups):
            assert compared.agreed, str(compared)

    on_a_ledger(scenario)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_rollups_that_grew_batch_by_batch_equal_a_slow_reference_and_a_fresh_rebuild(history: Any) -> None:
    _grown_equals_slow_and_fresh(history)


@pytest.mark.soak
@settings(max_examples=SOAK_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_rollups_of_thousands_of_histories_equal_a_slow_reference_and_a_fresh_rebuild(history: Any) -> None:
    _grown_equals_slow_and_fresh(history)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.tuples(TIMES, MONEY), min_size=1, max_size=40), st.randoms())
def test_the_drawdown_is_the_same_at_every_zoom(results: list[tuple[float, float]], random: Any) -> None:
    rows = [Fill(number, at, pnl) for number, (at, pnl) in enumerate(results, 1)]
    random.shuffle(rows)
    whole = [0.0]
    for fill in sorted(rows, key=lambda fill: (fill.timestamp, fill.id)):
        whole.append(whole[-1] + fill.realized_pnl)
    worst = max(max(whole[: i + 1]) - value for i, value in enumerate(whole))

    async def scenario(ledger: Ledger) -> None:
        await ledger.fills(*rows)
        for table in ("equity_minute", "equity_hour", "equity_day"):
            total = peak = drawdown = 0.0
            for _, (pnl, _, _, low, high, inner) in sorted((await ledger.rows(table)).items()):
                drawdown = max(drawdown, inner, peak - (total + low))
                peak = max(peak, total + high)
                total += pnl
            assert drawdown == pytest.approx(worst, abs=1e-6), table
            assert peak == pytest.approx(max(whole), abs=1e-6), table

    on_a_ledger(scenario)


def test_a_late_fill_before_the_others_moves_the_drawdown_of_its_minute_hour_and_day() -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.fills(Fill(1, NOON + 10, 5.0), Fill(2, NOON + 20, -2.0))
        assert (await ledger.rows("equity_day"))[1_795_132_800,] == (3.0, 2, 1, 0.0, 5.0, 2.0)
        await ledger.fills(Fill(3, NOON + 5, -4.0))
        for table, at in (("equity_minute", NOON), ("equity_hour", NOON), ("equity_day", 1_795_132_800)):
            assert (await ledger.rows(table))[int(at),] == (-1.0, 3, 1, -4.0, 1.0, 4.0)

    on_a_ledger(scenario)


def test_fills_of_the_same_moment_count_in_the_order_of_their_generation_and_id() -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.fills(Fill(1, NOON, -1.0, generation=1))
        await ledger.fills(Fill(9, NOON, 3.0), Fill(8, NOON, -2.0))
        # −2, then 3, then −1: never below −2, never above 1, fallen by 2 and later by 1.
        assert (await ledger.rows("equity_minute"))[int(NOON),] == (0.0, 3, 1, -2.0, 1.0, 2.0)

    on_a_ledger(scenario)


@pytest.mark.parametrize(
    "mad",
    [
        Fill(1, math.inf, 1.0),
        Fill(1, -5.0, 1.0),
        Fill(1, NOON * 1000, 1.0),
        Fill(1, NOON, math.inf),
        Fill(1, NOON, 1e30),
    ],
    ids=["never", "before 1970", "in milliseconds", "infinite", "beyond any ledger"],
)
def test_a_row_that_no_ledger_can_mean_is_left_out_and_harms_no_other(mad: Fill) -> None:
    async def scenario(ledger: Ledger) -> None:
        row = list(Fill(mad.id, NOON, mad.realized_pnl).row())
        row[slow_ledger.FILL_COLUMNS.index("timestamp")] = mad.timestamp
        await ledger.db.execute(f"INSERT INTO fills VALUES ({','.join('?' * 16)})", row)
        await ledger.fills(Fill(2, NOON, 2.0))
        await ledger.rollups.fills_added(ledger.db, BOT, 0, 0, 1)
        await ledger.must_be(slow_ledger.sums([Fill(2, NOON, 2.0)]))

    on_a_ledger(scenario)


def test_text_that_is_no_json_is_no_reason_to_fail() -> None:
    async def scenario(ledger: Ledger) -> None:
        broken = Fill(1, NOON, 1.0, kind="structural_bucket", metadata_json="not json", intent_id="i")
        await ledger.intents(Intent("i", [Leg(0.4, 0.4)], created_at=NOON))
        await ledger.db.execute("UPDATE order_intents SET plan_json = 'nor this'")
        await ledger.fills(broken)
        assert (await ledger.rows("bucket_pnl")).keys() == {
            ("structural_bucket", "kalshi/A:polymarket/B", "2026-11-20")
        }
        assert (await ledger.rows("lane_pnl"))["2026-11-20", "structural_bucket"][-1] == 0

    on_a_ledger(scenario)


def test_histograms_hold_every_fill_in_the_bin_that_begins_at_or_below_its_value() -> None:
    async def scenario(ledger: Ledger) -> None:
        slips = (0.0, -1e-17, 0.0049, 0.005, 0.015, -0.001, -0.005, 3.0, -3.0)
        rates = (1.0, 0.999, 0.95, 0.05, 0.049, 0.0, 1.5, 0.5, 0.55)
        pairs = enumerate(zip(slips, rates, strict=True), 1)
        await ledger.fills(*(Fill(n, NOON, 1.0, slippage=slip, fill_rate=rate) for n, (slip, rate) in pairs))

        async def bins(table: str) -> dict[object, object]:
            return {key[1]: values[0] for key, values in (await ledger.rows(table)).items()}

        assert await bins("slippage_histogram") == {
            -0.05: 1, -0.005: 2, 0.0: 3, 0.005: 1, 0.015: 1, 0.05: 1,
        }  # fmt: skip
        assert await bins("fill_rate_histogram") == {
            0.0: 2, 0.05: 1, 0.5: 1, 0.55: 1, 0.95: 2, 1.0: 2,
        }  # fmt: skip

    on_a_ledger(scenario)


def test_a_bucket_is_its_group_whichever_way_the_bot_writes_it() -> None:
    async def scenario(ledger: Ledger) -> None:
        legs = "kalshi/A:kalshi/B"
        await ledger.fills(
            Fill(1, NOON, 1.0, kind="structural_bucket", market_key="nyc-high"),
            Fill(
                2,
                NOON,
                1.0,
                kind="structural_bucket",
                market_key=legs,
                metadata_json='{"match_key": "nyc-high"}',
            ),
            Fill(3, NOON, 1.0, kind="structural_bucket", market_key=legs),
            Fill(
                4, NOON, 1.0, kind="cross_venue", market_key=legs, metadata_json='{"match_key": "nyc-high"}'
            ),
        )
        found = {
            (kind, bucket): row[1] for (kind, bucket, _), row in (await ledger.rows("bucket_pnl")).items()
        }
        assert found == {
            ("structural_bucket", "nyc-high"): 2,
            ("structural_bucket", legs): 1,
            ("cross_venue", legs): 1,
        }

    on_a_ledger(scenario)


def test_a_rebuild_names_the_table_the_row_and_the_worst_difference_and_mends_it() -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.fills(*(Fill(n, NOON + n * 40_000, 1.0) for n in range(1, 6)))
        await ledger.db.execute("UPDATE daily_pnl SET pnl = pnl + 0.25 WHERE date = '2026-11-21'")
        await ledger.db.execute("DELETE FROM equity_minute WHERE at = (SELECT min(at) FROM equity_minute)")
        await ledger.db.execute("INSERT INTO hourly_pnl VALUES ('arb', '2020-01-01', 3, 'kalshi', 1, 1, 1)")
        found = {compared.table: compared for compared in await rebuild(ledger.db, ledger.rollups)}
        assert {table for table, compared in found.items() if not compared.agreed} == {
            "daily_pnl", "equity_minute", "hourly_pnl",
        }  # fmt: skip
        assert found["daily_pnl"].differing == 1
        assert found["daily_pnl"].worst == pytest.approx(0.25)
        assert str(found["daily_pnl"]) == (
            "daily_pnl: 1 of 3 rows differed, by 0.25 at most, such as arb 2026-11-21 cross_venue; made anew"
        )
        assert all(compared.agreed for compared in await rebuild(ledger.db, ledger.rollups))

    on_a_ledger(scenario)


def test_days_that_are_written_anew_lose_what_has_no_rows_any_more() -> None:
    async def scenario(ledger: Ledger) -> None:
        await ledger.fills(Fill(1, NOON, 1.0), Fill(2, NOON + DAY, 2.0), Fill(3, NOON + 2 * DAY, 3.0))
        await ledger.db.execute("DELETE FROM fills WHERE id = 2")
        await ledger.rollups.rewrite(ledger.db, BOT, NOON + DAY, NOON + DAY + 1)
        await ledger.must_be(slow_ledger.sums([Fill(1, NOON, 1.0), Fill(3, NOON + 2 * DAY, 3.0)]))

    on_a_ledger(scenario)


def test_every_table_of_sums_is_made_by_the_rollups() -> None:
    made = re.findall(r"CREATE TABLE (\w+)", schema.ROLLUPS)
    assert {*made} == {*TABLES, "buckets"}


def test_what_lies_between_two_dates_is_the_difference_of_two_totals() -> None:
    rows = [
        Fill(n, NOON + n % 7 * DAY, float(n), kind="structural_bucket", market_key=f"group-{n % 3}")
        for n in range(1, 60)
    ]

    async def scenario(ledger: Ledger) -> None:
        await ledger.fills(*rows[:30])
        await ledger.fills(*rows[30:])
        found = await ledger.db.execute_fetchall(
            """
            SELECT b.bucket, upto.pnl_to_date - coalesce(before.pnl_to_date, 0.0)
            FROM buckets AS b
            JOIN bucket_pnl AS upto ON upto.bot = b.bot AND upto.kind = b.kind AND upto.bucket = b.bucket
                AND upto.date = (SELECT max(date) FROM bucket_pnl AS p WHERE p.bot = b.bot
                                 AND p.kind = b.kind AND p.bucket = b.bucket AND p.date <= '2026-11-25')
            LEFT JOIN bucket_pnl AS before
                ON before.bot = b.bot AND before.kind = b.kind AND before.bucket = b.bucket
                AND before.date = (SELECT max(date) FROM bucket_pnl AS p WHERE p.bot = b.bot
                                   AND p.kind = b.kind AND p.bucket = b.bucket AND p.date < '2026-11-22')
            """
        )
        inside = [
            fill for fill in rows if "2026-11-22" <= slow_ledger.day_text(fill.timestamp) <= "2026-11-25"
        ]
        wanted = {
            group: sum(fill.realized_pnl for fill in inside if fill.market_key == group)
            for group in ("group-0", "group-1", "group-2")
        }
        assert dict(found) == pytest.approx(wanted)

    on_a_ledger(scenario)


def test_recorded_stores_give_the_sums_of_plain_queries_on_them_to_the_cent(
    samples: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "analytics.db"
    copy.write_bytes((samples / "arb-session" / "analytics.db").read_bytes())
    with sqlite3.connect(copy) as recorded:
        rows = recorded.execute(
            "SELECT id, timestamp, realized_pnl, 0, kind, market_key, intent_id, planned_contracts,"
            " filled_contracts, planned_edge, slippage, fill_rate, venue, metadata_json"
            " FROM fills ORDER BY id"
        ).fetchall()
        by_day_and_lane = {
            row[:2]: row[2:]
            for row in recorded.execute(
                "SELECT date, kind, SUM(realized_pnl), COUNT(*), SUM(realized_pnl > 0),"
                " SUM(filled_contracts), SUM(slippage), SUM(fill_rate) FROM fills GROUP BY date, kind"
            )
        }
    recorded.close()
    all_fills = [Fill(*row) for row in rows]

    async def scenario(ledger: Ledger) -> None:
        for start in range(0, len(all_fills), 50):
            await ledger.fills(*all_fills[start : start + 50])
        daily = await ledger.rows("daily_pnl")
        found = {key: (v[0], v[1], v[2], v[6], v[10], v[9]) for key, v in daily.items()}
        assert found.keys() == by_day_and_lane.keys()
        for key, wanted in by_day_and_lane.items():
            assert found[key] == pytest.approx(wanted, abs=0.001), key
        await ledger.must_be(slow_ledger.sums(all_fills))
        # The recording is out of time order, which is what makes this worth a test.
        assert any(later.timestamp < earlier.timestamp for earlier, later in itertools.pairwise(all_fills))

    on_a_ledger(scenario)
