"""What the pages' statements answer: columns and types, the same numbers as the original stores, words."""

import math
import sqlite3
import time
from collections import defaultdict
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from exporter import performance as formulas
from exporter.reporting.days import OperatorDay
from grafana.sql import freshness, intents, lanes, performance
from grafana.sql.statement import NO_DATA, Kind, Statement
from grafana.words import SHORT_KINDS
from tests.grafana import ledgers
from tests.grafana.ledgers import BOT, Ledger, by, cents, read, rows_of

TYPES = {Kind.TIME: float, Kind.NUMBER: float, Kind.COUNT: int, Kind.TEXT: str}
STATEMENTS = ledgers.statements()
NOTHING = float(performance.NOT_YET)
DAY = 86400


def short(kind: str) -> str:
    return SHORT_KINDS.get(kind, kind)


# --- Form ---
@pytest.mark.parametrize("name", STATEMENTS)
def test_every_column_has_the_type_that_its_panel_expects(name: str, recorded: Ledger) -> None:
    made = STATEMENTS[name]
    for measure in lanes.MEASURES:
        for row in recorded.ask(made, measure=measure):
            for column, value in row.items():
                assert value is None or type(value) is TYPES[made.columns[column]], (column, value)
                assert value != "", f"{column}: Grafana would say that nothing answered"


def test_a_whole_first_value_does_not_cut_the_decimals_of_the_others(tmp_path: Path) -> None:
    ledger = ledgers.empty(tmp_path, 0, 10 * DAY)
    for day, pnl in enumerate((1, 12.7)):
        ledger.change(
            "INSERT INTO daily_pnl (bot, date, kind, pnl) VALUES (?, date(?, 'unixepoch'), 'x', ?)",
            (BOT, day * DAY, pnl),
        )
    values = [row["PnL"] for row in ledger.ask(performance.days())]
    assert values == [1.0, 12.7]
    assert {type(value) for value in values} == {float}


@pytest.mark.parametrize("name", STATEMENTS)
def test_an_empty_database_is_answered_in_words_and_never_with_a_figure(name: str, nothing: Ledger) -> None:
    rows = nothing.ask(STATEMENTS[name])
    if name == "control.what_is_killed":
        assert rows == [{"kill": f"KILL {BOT}"}], "a kill needs no database"
        return
    if name.startswith(("control.changeable", "freshness.while_read")) or name in {
        "control.as_of",
        "control.closable",
        "control.codes",
        "control.last_command",
        "control.last_drill",
        "control.last_known",
        "control.may_close",
        "control.no_code",
        "control.no_command",
        "control.none_unverified",
        "control.unverified",
        "control.would_remain",
        "freshness.bot_variable",
        "freshness.as_of",
        "freshness.real_money",
        "freshness.no_real_money",
        "marks.alerts",
        "marks.changes",
        "marks.kills",
        "marks.restarts",
        "live.operator_day",
        "live.operator_day_is_utc",
    }:
        assert rows == [], "the panel's own words stand there instead"
        return
    told = " ".join(str(value) for row in rows for value in row.values())
    assert NO_DATA in told or "BLIND" in told or rows[0].get("note") == 0.0, rows
    for row in rows:
        for column, value in row.items():
            if isinstance(value, float) and column not in {"time", "note"}:
                assert value == NOTHING or name == "freshness.blind", (column, value)
            assert type(value) is not int, (column, value)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_bot_nobody_knows_is_answered_like_an_empty_database(name: str, recorded: Ledger) -> None:
    made = STATEMENTS[name]
    for row in recorded.ask(made, bot="o'brien"):
        numbers = [value for column, value in row.items() if made.columns[column] is Kind.COUNT]
        assert name.startswith("stores.") or numbers == [None] * len(numbers)


# --- The recorded session, against its own stores ---
def figure(ledger: Ledger, made: Statement) -> tuple[str, float]:
    (row,) = ledger.ask(made)
    return row["name"], row["value"]


def test_the_tiles_are_those_of_the_recorded_fills(recorded: Ledger, original: sqlite3.Connection) -> None:
    fills = rows_of(
        original,
        "SELECT realized_pnl, fill_rate, filled_contracts FROM fills ORDER BY timestamp, id",
    )
    pnls = [fill[0] for fill in fills]
    assert len(pnls) == 233
    expected: dict[str, tuple[Statement, float | None]] = {
        "NET PnL $": (performance.net_pnl(), math.fsum(pnls)),
        "PROFIT FACTOR": (performance.profit_factor(), formulas.profit_factor(pnls)),
        "PnL A TRADE $": (performance.expectancy(), formulas.expectancy(pnls)),
        "WIN RATE": (performance.win_rate(), formulas.win_rate(pnls)),
        "FILL RATE": (performance.fill_rate(), formulas.fill_rate([fill[1] for fill in fills])),
        "TRADE SIZE": (performance.trade_size(), formulas.average_trade_size([fill[2] for fill in fills])),
    }
    for name, (made, value) in expected.items():
        said, shown = figure(recorded, made)
        assert said == f"{name} · n = 233"
        assert shown == pytest.approx(value, abs=1e-6)
    said, shown = figure(recorded, performance.max_drawdown())
    assert said == "MAX DRAWDOWN $ · n = 15"
    assert shown == pytest.approx(formulas.max_drawdown(pnls), abs=1e-6)


def test_half_a_cent_is_the_same_cent_on_every_panel(nothing: Ledger) -> None:
    for kind in range(3):
        nothing.change(
            "INSERT INTO daily_pnl (bot, date, kind, pnl, trades) VALUES (?, date(?, 'unixepoch'), ?, ?, 1)",
            (BOT, nothing.end, str(kind), (0.1, 0.2, 0.005)[kind]),
        )
    assert 0.1 + 0.2 + 0.005 != 0.305
    assert [row["value"] for row in nothing.ask(performance.net_pnl())] == [0.305]
    assert [row["PnL"] for row in nothing.ask(performance.days())] == [0.305]


def test_a_sharpe_of_fifteen_days_is_said_to_be_too_few(recorded: Ledger) -> None:
    assert figure(recorded, performance.sharpe()) == ("SHARPE · n = 15, too few", NOTHING)


def test_a_sharpe_of_forty_days_is_the_formulas_with_the_days_without_trades(tmp_path: Path) -> None:
    ledger = ledgers.empty(tmp_path, 3 * DAY, 43 * DAY - 1)
    by_date = {date(1970, 1, 4): 2.5, date(1970, 1, 9): -1.25, date(1970, 2, 3): 7.0}
    for day, pnl in by_date.items():
        ledger.change(
            "INSERT INTO daily_pnl (bot, date, kind, pnl) VALUES (?, ?, 'x', ?)",
            (BOT, day.isoformat(), pnl),
        )
    days = formulas.each_day(by_date, date(1970, 1, 4), date(1970, 2, 12))
    ratio = formulas.sharpe(days)
    assert ratio is not None
    said, shown = figure(ledger, performance.sharpe())
    assert said == "SHARPE · √365 · n = 40 d"
    assert shown == pytest.approx(ratio.annualised)


def test_no_loss_has_no_profit_factor(tmp_path: Path) -> None:
    ledger = ledgers.empty(tmp_path, 0, DAY)
    ledger.change(
        "INSERT INTO daily_pnl (bot, date, kind, pnl, trades, wins, gross_profit, gross_loss, contracts,"
        " fill_rate_sum) VALUES (?, '1970-01-01', 'x', 1, 1, 1, 1, 0, 1, 1)",
        (BOT,),
    )
    assert figure(ledger, performance.profit_factor()) == ("PROFIT FACTOR · n = 1, no loss", NOTHING)


def curve(original: sqlite3.Connection) -> list[tuple[float, float, float]]:
    """Time, equity and drawdown after each fill of the original, in order of time."""
    fills = rows_of(original, "SELECT timestamp, realized_pnl FROM fills ORDER BY timestamp, id")
    pnls = [pnl for _, pnl in fills]
    depths = formulas.drawdowns(pnls)
    sums = formulas.cumulative(pnls)
    return [(at, total, depth) for (at, _), total, depth in zip(fills, sums, depths, strict=True)]


ZOOMS = {"minutes": 60, "hours": 3600, "days": DAY}
RANGES = {"minutes": 2 * DAY, "hours": 10 * DAY, "days": 90 * DAY}


@pytest.mark.parametrize("zoom", ZOOMS)
def test_equity_at_a_moment_is_the_same_at_every_zoom(
    zoom: str, recorded: Ledger, original: sqlite3.Connection
) -> None:
    truth = curve(original)
    step = ZOOMS[zoom]
    for end in (recorded.end, recorded.end - 3.3 * DAY):
        begin = end - RANGES[zoom]
        rows = recorded.ask(performance.equity(), begin, end)
        assert rows == sorted(rows, key=lambda row: row["time"])
        marks = 0.0
        for row in rows:
            if row["time"] > int(end) - 1:
                continue  # the last point stands for what came until the range's end
            before = [(total, depth) for at, total, depth in truth if at < row["time"]]
            total, depth = before[-1] if before else (0.0, 0.0)
            assert row["time"] % step == 0
            assert row["equity"] == pytest.approx(total, abs=1e-6)
            assert row["high water mark"] == pytest.approx(total + depth, abs=1e-6)
            marks = max(marks, row["high water mark"])
        until = [(total, depth) for at, total, depth in truth if at < (int(end) // step + 1) * step]
        assert rows[-1]["equity"] == pytest.approx(until[-1][0], abs=1e-6)
        assert marks > 0


@pytest.mark.parametrize("zoom", ZOOMS)
def test_the_deepest_drawdown_is_the_same_at_every_zoom(
    zoom: str, recorded: Ledger, original: sqlite3.Connection
) -> None:
    step = ZOOMS[zoom]
    end = recorded.end
    begin = end - RANGES[zoom]
    inside = [depth for at, _, depth in curve(original) if at >= begin // step * step]
    rows = recorded.ask(performance.drawdown(), begin, end)
    assert min(row["drawdown"] for row in rows) == pytest.approx(-max(inside), abs=1e-6)
    assert max(row["drawdown"] for row in rows) <= 1e-9
    assert len({row["time"] for row in rows}) == len(rows)


def test_a_range_without_a_trade_still_knows_what_came_before(recorded: Ledger) -> None:
    begin = recorded.end + 2 * DAY
    rows = recorded.ask(performance.equity(), begin, begin + DAY)
    assert [cents(row["equity"]) for row in rows] == [17574, 17574]
    assert [row["time"] for row in rows] == [begin // 60 * 60, int(begin + DAY)]


def test_daily_bars_and_calendar_are_the_originals_days(
    recorded: Ledger, original: sqlite3.Connection
) -> None:
    truth = dict(
        rows_of(original, "SELECT date(timestamp, 'unixepoch'), SUM(realized_pnl) FROM fills GROUP BY 1")
    )
    bars = recorded.ask(performance.days())
    assert {time.strftime("%Y-%m-%d", time.gmtime(row["time"])): cents(row["PnL"]) for row in bars} == {
        day: cents(pnl) for day, pnl in truth.items()
    }
    assert {row["day"] for row in bars} == {"UTC day"}
    told = {}
    for week in recorded.ask(performance.calendar()):
        thursday = date.fromtimestamp(week["time"])
        assert thursday.weekday() == 3
        monday = date.fromordinal(thursday.toordinal() - 3)
        for number, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
            if week[name] is not None:
                told[date.fromordinal(monday.toordinal() + number).isoformat()] = week[name].split("|")
    assert told.keys() == truth.keys(), "a day without a trade is blank"
    sizes = sorted(abs(pnl) for pnl in truth.values())
    scale = sizes[math.ceil(0.9 * len(sizes)) - 1]
    for day, (band, text) in told.items():
        pnl = truth[day]
        size = 1 + (abs(pnl) >= scale / 3) + (abs(pnl) >= scale)
        assert int(band) == math.copysign(size, pnl)
        assert text == f"{'−' if pnl < 0 else ''}${abs(pnl):.{0 if abs(pnl) >= 100 else 2}f}"


def test_a_range_that_is_shorter_than_its_panel_can_draw_is_not_blank(recorded: Ledger) -> None:
    begin = recorded.end - 3600
    words, _ = recorded.ask(performance.calendar(), begin)
    assert words["Thu"] == f"0|{performance.SHORT_RANGE}"
    (bar,) = recorded.ask(performance.days(), begin)
    assert bar["time"] == int(begin), "the day began earlier, and its bar is seen"
    week = recorded.ask(performance.calendar(), recorded.end - 7 * DAY)
    assert all(row["Thu"] != words["Thu"] for row in week)


def test_the_operators_day_is_shown_and_named_where_it_is_another_one(tmp_path: Path, samples: Path) -> None:
    day = OperatorDay("America/New_York", 17 * 60)
    ledger = ledgers.mirrored(tmp_path, samples / "arb-session", day)
    ledger.bot(time.time(), tz="America/New_York", rolls_at="17:00")
    rows = ledger.ask(performance.days())
    assert {row["day"] for row in rows} == {"day of America/New_York from 17:00"}
    assert {time.strftime("%H:%M", time.gmtime(row["time"])) for row in rows} == {"22:00"}
    assert cents(math.fsum(row["PnL"] for row in rows)) == 17574
    read(ledger, "ok", time.time())
    (as_of,) = ledger.ask(freshness.as_of())
    assert as_of["name"].endswith(" · daily bars: America/New_York from 17:00")


def test_lanes_are_those_of_the_original(recorded: Ledger, original: sqlite3.Connection) -> None:
    truth = {
        short(kind): figures
        for kind, *figures in rows_of(
            original,
            "SELECT kind, SUM(realized_pnl), COUNT(*), SUM(planned_edge * filled_contracts),"
            " SUM(filled_contracts) FROM fills GROUP BY kind",
        )
    }
    absolute = math.fsum(abs(pnl) for pnl, *_ in truth.values())
    dollars = by(recorded.ask(lanes.pnl_by_lane(), measure="dollars"), "lane")
    trades = by(recorded.ask(lanes.pnl_by_lane(), measure="trades"), "lane")
    shares = by(recorded.ask(lanes.pnl_by_lane(), measure="percentage"), "lane")
    edges = by(recorded.ask(lanes.expected_and_realised()), "lane")
    split = by(recorded.ask(lanes.gross_to_net()), "lane")
    assert dollars.keys() == trades.keys() == shares.keys() == edges.keys() == truth.keys()
    assert split.keys() == {"all", *truth}
    for lane, (pnl, count, expected, contracts) in truth.items():
        assert cents(dollars[lane]["USD"]) == cents(pnl)
        assert dollars[lane]["trades"] is None
        assert trades[lane]["trades"] == count
        assert shares[lane]["% of absolute PnL"] == pytest.approx(100 * pnl / absolute)
        assert edges[lane]["expected"] == pytest.approx(100 * expected / contracts)
        assert edges[lane]["realised"] == pytest.approx(100 * pnl / contracts)
        assert cents(split[lane]["net"]) == cents(pnl)
    assert cents(split["all"]["net"]) == 17574


def test_gross_and_what_was_taken_from_it_add_up_to_net(recorded: Ledger) -> None:
    for row in recorded.ask(lanes.gross_to_net()):
        if row["gross"] is None:
            assert row["known"] == 0
            continue
        parts = ("gross", "fees", "slippage", "adverse", "unsplit")
        assert math.fsum(row[part] for part in parts) == pytest.approx(row["net"], abs=1e-4)
        assert row["fees"] <= 0


def test_hours_are_those_of_the_original(recorded: Ledger, original: sqlite3.Connection) -> None:
    rows = recorded.ask(lanes.hours())
    shown = {(row["hour"], row["venue"]): cents(row["PnL"]) for row in rows}
    truth: dict[str, float] = defaultdict(float)
    for at, pnl in rows_of(original, "SELECT timestamp, realized_pnl FROM fills"):
        truth[time.strftime("%Hh", time.gmtime(at))] += pnl
    by_hour: dict[str, float] = defaultdict(float)
    for row in rows:
        by_hour[row["hour"]] += row["PnL"]
    assert {hour: cents(pnl) for hour, pnl in by_hour.items()} == {h: cents(pnl) for h, pnl in truth.items()}
    assert len(shown) == len(rows)


def test_distributions_have_every_bin_and_every_fill(recorded: Ledger, original: sqlite3.Connection) -> None:
    fills = rows_of(original, "SELECT slippage, fill_rate FROM fills")
    slippages = recorded.ask(lanes.slippages())
    rates = recorded.ask(lanes.fill_rates())
    assert [len(slippages), len(rates)] == [21, 21]
    assert sum(row["fills"] for row in slippages) == sum(row["fills"] for row in rates) == 233
    assert by(slippages, "slippage")["< −4.5¢"]["fills"] == sum(slip < -0.045 for slip, _ in fills)
    assert by(rates, "fill rate")["100%"]["fills"] == sum(rate >= 1 for _, rate in fills)


def test_decisions_are_those_of_the_original(recorded: Ledger, original: sqlite3.Connection) -> None:
    reason = (
        "CASE WHEN instr(reject_reason, ' (') THEN substr(reject_reason, 1, instr(reject_reason, ' (') - 1)"
    )
    truth = rows_of(
        original,
        f"SELECT accepted, {reason} ELSE reject_reason END, COUNT(*) FROM decisions GROUP BY 1, 2",
    )
    rows = recorded.ask(lanes.decisions())
    assert {(row["decision"], row["reason"]): row["count"] for row in rows} == {
        ("accepted" if accepted else "rejected", words or "–"): n for accepted, words, n in truth
    }
    assert rows[0]["decision"] == "accepted"
    assert math.fsum(row["share"] for row in rows) == pytest.approx(1)
    assert sum(row["count"] for row in rows) == 1855


def test_bucket_groups_are_those_of_the_original_and_a_lane_can_be_chosen(
    recorded: Ledger, original: sqlite3.Connection
) -> None:
    truth = {
        (key, short(kind)): figures
        for key, kind, *figures in rows_of(
            original,
            "SELECT market_key, kind, COUNT(*), SUM(realized_pnl), SUM(realized_pnl > 0) FROM fills"
            " GROUP BY 1, 2",
        )
    }
    rows = {(row["group"], row["lane"]): row for row in recorded.ask(lanes.groups())}
    assert rows.keys() == truth.keys()
    for key, (trades, pnl, wins) in truth.items():
        assert (rows[key]["trades"], cents(rows[key]["PnL"])) == (trades, cents(pnl))
        assert rows[key]["win rate"] == pytest.approx(wins / trades)
        assert rows[key]["average profit"] == pytest.approx(pnl / trades)
    chosen = recorded.ask(lanes.groups(), lane="'structural_bucket', 'cross_venue'")
    assert {row["lane"] for row in chosen} == {"bucket", "cross"}
    assert len(chosen) == sum(lane in {"bucket", "cross"} for _, lane in truth)


def test_a_range_takes_its_own_days_of_groups_and_distributions_alone(
    recorded: Ledger, original: sqlite3.Connection
) -> None:
    begin, end = recorded.end // DAY * DAY - 8 * DAY, recorded.end // DAY * DAY - 2 * DAY - 1
    inside = f"FROM fills WHERE timestamp BETWEEN {begin} AND {end}"
    truth = {
        key: figures
        for key, *figures in rows_of(
            original, f"SELECT market_key || kind, COUNT(*), SUM(realized_pnl) {inside} GROUP BY 1"
        )
    }
    kinds = {name: kind for kind, name in SHORT_KINDS.items()}
    rows = recorded.ask(lanes.groups(), begin, end)
    assert {row["group"] + kinds[row["lane"]]: row["trades"] for row in rows} == {
        key: trades for key, (trades, _) in truth.items()
    }
    for row in rows:
        assert cents(row["PnL"]) == cents(truth[row["group"] + kinds[row["lane"]]][1])
    for made in (lanes.slippages(), lanes.fill_rates()):
        found = recorded.ask(made, begin, end)
        assert sum(row["fills"] for row in found) == sum(trades for trades, _ in truth.values())
    few = recorded.ask(lanes.slippages(), begin, end, lane="'cross_venue'")
    ((crosses,),) = rows_of(original, f"SELECT COUNT(*) {inside} AND kind = 'cross_venue'")
    assert sum(row["fills"] for row in few) == crosses > 0


def test_order_intents_have_their_legs_in_order(recorded: Ledger) -> None:
    with closing(sqlite3.connect(recorded.path.parent / "stores" / "arb_orders.db")) as store:
        truth = rows_of(store, "SELECT intent_id, status FROM order_intents ORDER BY created_at DESC")
        legs = rows_of(
            store,
            f"SELECT market_id FROM leg_executions WHERE intent_id = '{truth[0][0]}' ORDER BY leg_index",
        )
    rows = recorded.ask(intents.intents())
    assert len(rows) == len(truth) == 85
    assert [row["status"].partition(":")[0] for row in rows] == [status for _, status in truth]
    assert [leg.split()[1] for leg in rows[0]["legs"].split(" · ")] == [market for (market,) in legs]
