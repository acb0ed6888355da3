"""What the ledger says stands beside what the bot says, and goes when it can no longer be believed."""

from collections.abc import Mapping

import aiosqlite
import pytest

from exporter.ledger import ANALYTICS, KEPT_SECONDS, ORDERS, LedgerFigures
from exporter.losscap import utc_day
from exporter.metrics import METRICS
from exporter.page import cards
from exporter.reporting import schema
from exporter.reporting.ledger import LedgerJob, read_figures
from exporter.reporting.rollups import Rollups
from exporter.view import BotView
from tests.doubles.messages import T0, base_state, state
from tests.doubles.views import connected_view, fed
from tests.exporter.reporting.slow_ledger import BOT, Fill, Intent, insert_fills, put_intents

CAP = {"ARB_DAILY_LOSS_CAP_USD": 10.0}
TWO_SOURCES = (
    "tradebot_daily_pnl_usd",
    "tradebot_daily_trades",
    "tradebot_daily_loss_cap_remaining_usd",
    "tradebot_consecutive_failures",
    "tradebot_realized_pnl_usd",
)


def figures(pnl: float, now: float = T0) -> LedgerFigures:
    return LedgerFigures(utc_day(now), pnl, 3, pnl + 100, now - 5, 2)


def kept(view: BotView, known: LedgerFigures, at: float) -> BotView:
    """A view whose ledger was just computed from stores read to their end."""
    view.ledger.figures = known
    view.ledger.kept = {ANALYTICS: at, ORDERS: at}
    view.ledger_read(at)
    return view


def series(view: BotView, now: float, name: str) -> Mapping[tuple[str, ...], object]:
    return {
        labels: value
        for metric in METRICS
        if metric.name == name
        for labels, value in metric.read(view.at(now))
    }


def test_a_bot_that_reports_only_constants_has_its_day_from_the_ledger() -> None:
    view = kept(fed(base_state(config_snapshot=CAP)), figures(-4.0), T0 + 5)
    assert [series(view, T0 + 6, name) for name in TWO_SOURCES] == [
        {("ledger",): -4.0}, {("ledger",): 3}, {("ledger",): 6.0}, {("ledger",): 2}, {("ledger",): 96.0},
    ]  # fmt: skip
    assert view.at(T0 + 6).headroom == view.at(T0 + 6).ledger_headroom


def test_where_both_speak_both_are_shown_and_how_far_apart_they_are() -> None:
    view = kept(fed(state(daily_pnl=-5.0, config_snapshot=CAP, reports=["daily_pnl"])), figures(-4.0), T0 + 5)
    now = T0 + 6
    assert series(view, now, "tradebot_daily_pnl_usd") == {("bot",): -5.0, ("ledger",): -4.0}
    assert series(view, now, "tradebot_daily_loss_cap_remaining_usd") == {("bot",): 5.0, ("ledger",): 6.0}
    assert series(view, now, "tradebot_ledger_difference_usd") == {(): -1.0}
    room = view.at(now).headroom
    assert room is not None
    assert room.used == 5.0


def test_where_only_one_speaks_there_is_no_difference() -> None:
    assert series(fed(state(daily_pnl=-5.0)), T0 + 6, "tradebot_ledger_difference_usd") == {}
    view = kept(connected_view(), figures(-4.0), T0)
    assert series(view, T0 + 1, "tradebot_ledger_difference_usd") == {}


def test_the_ledger_speaks_on_while_the_bot_is_stale_and_falls_silent_when_its_store_is_not_read() -> None:
    late = T0 + 1000
    view = kept(fed(base_state(config_snapshot=CAP)), figures(-4.0), late)
    assert view.at(late).live is None
    assert series(view, late + KEPT_SECONDS, "tradebot_daily_pnl_usd") == {("ledger",): -4.0}
    for name in TWO_SOURCES:
        assert series(view, late + KEPT_SECONDS + 1, name) == {}
    for name in TWO_SOURCES:  # a clock that was set back: nobody knows how old it is
        assert series(view, late - 60, name) == {}


def test_each_store_keeps_only_its_own_figures() -> None:
    view = kept(connected_view(), figures(-4.0), T0)
    del view.ledger.kept[ANALYTICS]
    assert series(view, T0, "tradebot_consecutive_failures") == {("ledger",): 2}
    assert series(view, T0, "tradebot_daily_pnl_usd") == {}
    assert series(view, T0, "tradebot_realized_pnl_usd") == {}


def test_yesterdays_figures_are_not_todays() -> None:
    midnight = (T0 // 86_400 + 1) * 86_400
    view = kept(connected_view(), figures(-4.0, midnight - 1), midnight - 1)
    assert view.at(midnight - 0.5).ledger is not None
    assert series(view, midnight, "tradebot_daily_pnl_usd") == {}
    assert series(view, midnight, "tradebot_daily_trades") == {}
    assert series(view, midnight, "tradebot_realized_pnl_usd") == {("ledger",): 96.0}


def test_a_breach_by_the_ledger_is_latched_though_the_bot_says_nothing() -> None:
    view = kept(fed(base_state(config_snapshot=CAP)), figures(-9.99), T0 + 5)
    assert view.latch.active(T0 + 5) is None
    assert view.near_cap_since == T0 + 5
    kept(view, figures(-10.0), T0 + 6)
    kept(view, figures(-1.0), T0 + 7)
    assert view.latch.active(T0 + 8) is not None
    assert series(view, T0 + 8, "tradebot_daily_loss_breached") == {(): True}
    assert view.near_cap_since is None


def test_figures_that_may_be_partial_breach_nothing() -> None:
    view = fed(base_state(config_snapshot=CAP))
    view.ledger.figures = figures(-50.0)
    view.ledger_read(T0 + 5)
    assert view.latch.active(T0 + 5) is None


def test_the_landing_page_says_that_a_figure_is_from_the_ledger() -> None:
    view = kept(fed(base_state(config_snapshot=CAP)), figures(-4.0), T0 + 5)
    tiles = {tile.title: tile for tile in cards.card(view, T0 + 6).tiles}
    assert (tiles["DAY PnL"].value, tiles["DAY PnL"].note) == (
        "−$4.00",
        "from the ledger · day ends 00:00 UTC",
    )
    assert (tiles["LOSS CAP USED"].value, tiles["LOSS CAP USED"].note) == (
        "40 %",
        "$4.00 of $10.00 by the ledger",
    )
    assert tiles["TRADES TODAY"].note == "from the ledger · failures in a row: 2"
    view.received(state(2, daily_pnl=-5.0, config_snapshot=CAP, reports=["daily_pnl"]), T0 + 10)
    tiles = {tile.title: tile for tile in cards.card(view, T0 + 10).tiles}
    assert tiles["DAY PnL"].note == "from the bot · day ends 00:00 UTC"


@pytest.fixture
async def db():
    async with aiosqlite.connect(":memory:", isolation_level=None) as connection:
        await connection._execute(schema.create, connection._conn)
        yield connection


async def _mirror(db: aiosqlite.Connection, *fills: Fill) -> None:
    await db._execute(insert_fills, db._conn, fills)
    await Rollups({}).fills_added(db, BOT, 0, fills[0].id - 1, fills[-1].id)


async def test_figures_are_read_from_the_rollups_and_the_newest_intents(db: aiosqlite.Connection) -> None:
    assert await read_figures(db, BOT, T0) == LedgerFigures(utc_day(T0))
    await _mirror(
        db, Fill(1, T0 - 86_400, 7.0), Fill(2, T0 - 9, -2.0), Fill(3, T0 - 8, 0.5, kind="intra_venue")
    )
    statuses = ("failed", "filled", "failed", "pending", "partially_filled")
    intents = [Intent(f"i{n}", created_at=T0 + n, status=status) for n, status in enumerate(statuses)]
    await db._execute(put_intents, db._conn, intents)
    assert await read_figures(db, BOT, T0) == LedgerFigures(utc_day(T0), -1.5, 2, 5.5, T0 - 8, 2)
    assert await read_figures(db, BOT, T0 + 86_400) == LedgerFigures(
        utc_day(T0 + 86_400), 0.0, 0, 5.5, T0 - 8, 2
    )


async def test_figures_have_no_dust_of_floats(db: aiosqlite.Connection) -> None:
    await _mirror(db, *(Fill(n, T0 - n, pnl) for n, pnl in enumerate((0.1, 0.2, 0.005), 1)))
    read = await read_figures(db, BOT, T0)
    assert (read.pnl, read.realized) == (0.305, 0.305)


async def _serve(job: LedgerJob, db: aiosqlite.Connection, now: float) -> bool:
    if not job.due(now):
        return False
    assert await job.write(db, now) is False
    job.committed()
    return True


async def test_a_restart_computes_the_figures_anew_and_shows_them_once_the_store_was_read(
    db: aiosqlite.Connection,
) -> None:
    await _mirror(db, Fill(1, T0 - 9, -2.0))
    view, judged = connected_view(), []
    job = LedgerJob([view], judged.append)
    job.opened()
    assert await _serve(job, db, T0)
    assert view.ledger.figures is not None
    assert view.at(T0).ledger is None, "what the store got since is not in the database yet"
    job.store_kept(BOT, ANALYTICS, T0 + 1)
    assert view.at(T0 + 1).ledger == LedgerFigures(utc_day(T0), -2.0, 1, -2.0, T0 - 9)
    assert judged == [view, view]
    assert not await _serve(job, db, T0 + 1)


async def test_a_store_counts_as_kept_only_with_figures_that_hold_what_it_brought(
    db: aiosqlite.Connection,
) -> None:
    view = connected_view()
    job = LedgerJob([view], lambda _: None)
    await _serve(job, db, T0)
    await _mirror(db, Fill(1, T0 - 9, -2.0))
    job.news(BOT)
    job.store_kept(BOT, ANALYTICS, T0)
    assert view.at(T0).ledger is None
    job.rolled_back()
    assert await _serve(job, db, T0 + 1)
    assert series(view, T0 + 1, "tradebot_daily_pnl_usd") == {("ledger",): -2.0}


async def test_the_day_begins_anew_at_midnight_without_news(db: aiosqlite.Connection) -> None:
    midnight = (T0 // 86_400 + 1) * 86_400
    await _mirror(db, Fill(1, midnight - 60, -2.0))
    view = connected_view()
    job = LedgerJob([view], lambda _: None)
    await _serve(job, db, midnight - 1)
    job.store_kept(BOT, ANALYTICS, midnight)
    assert series(view, midnight, "tradebot_daily_pnl_usd") == {}
    assert await _serve(job, db, midnight)
    assert series(view, midnight, "tradebot_daily_pnl_usd") == {("ledger",): 0.0}
    assert series(view, midnight, "tradebot_realized_pnl_usd") == {("ledger",): -2.0}


async def test_another_database_under_the_connection_takes_the_figures_away(db: aiosqlite.Connection) -> None:
    await _mirror(db, Fill(1, T0 - 9, -2.0))
    view = connected_view()
    job = LedgerJob([view], lambda _: None)
    await _serve(job, db, T0)
    job.store_kept(BOT, ANALYTICS, T0)
    job.opened()
    assert view.at(T0).ledger is None
    assert job.due(T0)
