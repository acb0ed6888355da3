"""What the statements of Live, and those on how fresh a page is, answer."""

import math
import sqlite3
import time
from pathlib import Path

import pytest

from exporter import performance as formulas
from grafana.sql import freshness, live, performance
from tests.grafana.ledgers import BOT, Ledger, by, cents, read, rows_of

DAY = 86400


def test_the_day_is_drawn_from_midnight_to_where_the_ledger_was_read(
    recorded: Ledger, original: sqlite3.Connection
) -> None:
    midnight = recorded.end // DAY * DAY
    fills = rows_of(
        original,
        f"SELECT timestamp, realized_pnl FROM fills WHERE timestamp >= {midnight} ORDER BY timestamp, id",
    )
    rows = recorded.ask(live.pnl_today(), midnight, recorded.end + 500)
    assert (rows[0]["time"], rows[0]["PnL · ledger"], rows[0]["trade"]) == (midnight, 0.0, None)
    dots = [row for row in rows if row["trade"] is not None]
    assert [row["time"] for row in dots] == [at for at, _ in fills]
    assert [cents(row["trade"]) for row in dots] == [
        cents(x) for x in formulas.cumulative(p for _, p in fills)
    ]
    assert rows[-1]["time"] == pytest.approx(max(at for at, _ in fills)), "no further than it was read"
    assert cents(rows[-1]["PnL · ledger"]) == cents(math.fsum(pnl for _, pnl in fills))


def test_a_busy_day_is_drawn_by_the_minute(recorded: Ledger, tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    path.write_bytes(recorded.path.read_bytes())
    busy = Ledger(path, recorded.begin, recorded.end)
    busy.change("UPDATE equity_day SET fills = 100000")
    midnight = recorded.end // DAY * DAY
    rows = busy.ask(live.pnl_today(), midnight, recorded.end + 500)
    each = recorded.ask(live.pnl_today(), midnight, recorded.end + 500)
    assert len(rows) < len(each)
    assert cents(rows[-1]["PnL · ledger"]) == cents(each[-1]["PnL · ledger"])
    assert {row["time"] % 60 for row in rows[1:-2]} == {0.0}


def held(ledger: Ledger, source: str, name: str, **columns: object) -> None:
    known = {
        "bot": BOT,
        "source": source,
        "position_id": name,
        "market": name,
        "as_of": time.time(),
        **columns,
    }
    ledger.change(
        f"INSERT INTO live_positions ({', '.join(known)}) VALUES ({', '.join('?' * len(known))})",
        list(known.values()),
    )


@pytest.fixture
def positions(nothing: Ledger) -> Ledger:
    """Positions from both sources."""
    now = time.time()
    for source in ("bot", "ledger"):
        held(nothing, source, f"{source} later", hedged=1, expected_settlement_at=now + 9000, side="yes")
        held(nothing, source, f"{source} open", hedged=0, expected_settlement_at=now + 99999, contracts=7)
        held(nothing, source, f"{source} late", hedged=1, expected_settlement_at=now - 300, entry=0.335)
        held(nothing, source, f"{source} bare")
    nothing.change(
        "INSERT INTO sources (bot, store, generation, status, last_read_at, current) VALUES (?, 'orders', 1,"
        " 'ok', ?, 1)",
        (BOT, now - 1),
    )
    return nothing


def said(ledger: Ledger) -> list[tuple[str, str]]:
    return [(row["state"], row["market"]) for row in ledger.ask(live.positions())]


def test_unhedged_positions_come_first_then_the_soonest_settlement(positions: Ledger) -> None:
    positions.bot(time.time())
    assert said(positions) == [
        ("UNHEDGED", "bot open"),
        ("OVERDUE", "bot late"),
        ("hedged", "bot later"),
        ("NOT REPORTED", "bot bare"),
    ]
    rows = by(positions.ask(live.positions()), "market")
    assert rows["bot late"]["settles in"] == "overdue 5 min"
    assert rows["bot late"]["entry"] == "$0.335"
    assert rows["bot open"]["contracts"] == "7"
    assert rows["bot bare"]["contracts"] == rows["bot bare"]["side"] == "?"


def test_without_the_socket_positions_are_the_ledgers_and_say_so_first(positions: Ledger) -> None:
    positions.bot(time.time(), connected=0, link_since=0.0)
    first, *rest = said(positions)
    assert first[0] == "LEDGER"
    assert first[1] == "from the ledger, bot disconnected since 00:00:00 UTC"
    assert positions.ask(live.positions())[0]["venue"].startswith("read ")
    assert [market.partition(" ")[0] for _, market in rest] == ["ledger"] * 4


def test_an_old_state_is_not_shown_as_now(positions: Ledger) -> None:
    positions.bot(time.time(), last_state_at=60.0)
    assert said(positions)[0][1].startswith("from the ledger, last state of the bot 00:01:00 UTC")


def test_without_a_ledger_the_last_known_positions_are_called_that(positions: Ledger) -> None:
    positions.change("DELETE FROM sources")
    positions.bot(time.time(), connected=0, link_since=0.0)
    assert said(positions)[0] == (
        "LAST KNOWN",
        "from the bot, bot disconnected since 00:00:00 UTC, no ledger",
    )


def test_no_position_is_said_only_by_somebody_who_knows(nothing: Ledger) -> None:
    nothing.bot(time.time())
    assert said(nothing) == [("NONE", "no open position")]
    nothing.bot(time.time(), connected=0, last_state_at=None, link_since=0.0)
    assert said(nothing) == [("LAST KNOWN", "bot disconnected since 00:00:00 UTC, no ledger")]


def test_positions_of_a_ledger_that_is_not_read_are_no_news(positions: Ledger) -> None:
    now = time.time()
    positions.bot(now, connected=0, link_since=0.0)
    positions.change("UPDATE sources SET last_read_at = ?", (now - 31,))
    words = ("NOT READ", "last known from the ledger, bot disconnected since 00:00:00 UTC")
    assert said(positions)[0] == words
    positions.change("DELETE FROM live_positions")
    assert said(positions) == [words], "nobody knows whether there is none"
    positions.change("UPDATE sources SET last_read_at = ?", (now,))
    assert said(positions)[1:] == [("NONE", "no open position")]


def test_a_database_that_nobody_writes_is_blind_on_every_part_of_the_page(positions: Ledger) -> None:
    positions.bot(time.time() - 16)
    assert said(positions)[0][0] == "BLIND"
    assert positions.ask(live.feed())[0]["what"].startswith("BLIND: the exporter stopped writing")
    assert positions.ask(freshness.as_of()) == []
    (why,) = positions.ask(freshness.blind())
    assert why["name"] == "BLIND · the exporter stopped writing"
    positions.bot(time.time() - 5)
    (why,) = positions.ask(freshness.blind())
    assert why["name"] == "LEDGER NOT READ · no store for fills was read"
    read(positions, "ok", time.time())
    assert positions.ask(freshness.blind()) == []
    (as_of,) = positions.ask(freshness.as_of())
    assert as_of["name"].startswith("UTC days ")


@pytest.mark.parametrize(
    ("mode", "last", "simulated", "words"),
    [
        ("paper", "paper", 1, ("SIMULATED", "PAPER")),
        ("live", "paper", 0, ("REAL MARKETS", "LIVE")),
        (None, "live", 0, ("REAL MARKETS · last known", "LIVE")),
        (None, None, None, ("SIMULATED ? · last known", "MODE ?")),
    ],
)
def test_whether_it_was_real_money_is_said_in_words(
    mode: str | None, last: str | None, simulated: int | None, words: tuple[str, str], nothing: Ledger
) -> None:
    nothing.bot(time.time(), mode=mode, last_mode=last, simulated=simulated)
    said, other = freshness.real_money(), freshness.no_real_money()
    if words[1] != "LIVE":
        said, other = other, said
    assert nothing.ask(said) == [dict(zip(("name", "value"), words, strict=True))]
    assert nothing.ask(other) == []
    nothing.bot(time.time() - 16, mode=mode, last_mode=last, simulated=simulated)
    assert nothing.ask(said)[0]["name"] == words[0].removesuffix(" · last known") + " · last known"


def test_a_ledger_that_cannot_be_read_is_not_shown_as_now(nothing: Ledger) -> None:
    now = time.time()
    nothing.bot(now)
    for status, words in (("locked", "locked"), ("ok", "late")):
        read(nothing, status, now - 31)
        assert nothing.ask(freshness.as_of()) == []
        assert nothing.ask(freshness.blind()) == [
            {"name": f"LEDGER NOT READ · {words}", "value": pytest.approx(1000 * (now - 31))}
        ]


def test_a_ledger_that_was_not_read_to_its_end_yet_is_not_shown_as_whole(nothing: Ledger) -> None:
    now = time.time()
    nothing.bot(now)
    fill_today(nothing, now)
    read(nothing, "ok", now)
    assert len(nothing.ask(live.pnl_today(), now - 60, now)) == 2
    nothing.change("UPDATE sources SET last_read_at = NULL, rows = 1234")
    assert nothing.ask(freshness.as_of()) == []
    (why,) = nothing.ask(freshness.blind())
    assert why["name"] == "LEDGER NOT READ · first reading, 1234 rows so far"
    (row,) = nothing.ask(live.pnl_today(), now - 60, now)
    assert row["note"] == 0


def test_what_is_from_a_time_ahead_is_not_now(nothing: Ledger) -> None:
    now = time.time()
    nothing.bot(now + 600)
    assert nothing.ask(freshness.as_of()) == []
    assert nothing.ask(freshness.blind())[0]["name"] == "BLIND · its time is ahead"
    nothing.bot(now)
    read(nothing, "ok", now + 600)
    assert nothing.ask(freshness.blind())[0]["name"] == "LEDGER NOT READ · late"


def test_a_figure_of_a_ledger_that_is_not_read_now_is_called_old(nothing: Ledger) -> None:
    now = time.time()
    nothing.change(
        "INSERT INTO daily_pnl (bot, date, kind, pnl, trades) VALUES (?, date(?, 'unixepoch'), 'x', 5.0, 1)",
        (BOT, nothing.end),
    )
    read(nothing, "ok", now)
    shown, old = (wrap(performance.net_pnl()) for wrap in (freshness.while_read, freshness.when_it_was))
    nothing.bot(now)
    assert nothing.ask(shown) == [{"name": "NET PnL $ · n = 1", "value": 5.0}]
    assert nothing.ask(old) == []
    was = [{"name": "NET PnL $ · OLD", "value": 5.0}]
    nothing.bot(now - 60)
    assert (nothing.ask(shown), nothing.ask(old)) == ([], was)
    nothing.bot(now)
    nothing.change("UPDATE sources SET last_read_at = ?", (now - 60,))
    assert (nothing.ask(shown), nothing.ask(old)) == ([], was)


def fill_today(ledger: Ledger, now: float) -> None:
    """A day with a fill, as far as its sums say."""
    ledger.change(
        "INSERT INTO equity_day VALUES (?, ?, 5.0, 1, 1, 0.0, 5.0, 0.0)", (BOT, int(now) // DAY * DAY)
    )


def test_a_ledger_without_any_fill_has_no_figure_of_the_day(nothing: Ledger) -> None:
    now = time.time()
    read(nothing, "ok", now)
    nothing.bot(now, tz="Europe/Berlin", rolls_at="17:00")
    (row,) = nothing.ask(live.pnl_today(), now - 60, now)
    assert (row["PnL · ledger"], row["note"]) == (None, 0)
    assert nothing.ask(live.operator_day()) == []
    assert [row["value"] for row in nothing.ask(live.operator_day_is_utc())] == ["no data yet"]
    fill_today(nothing, now)
    assert [row["value"] for row in nothing.ask(live.operator_day())] == [0.0]
    assert nothing.ask(live.operator_day_is_utc()) == []


def test_the_feed_is_newest_first_and_says_where_more_is_left_out(nothing: Ledger) -> None:
    nothing.bot(time.time())
    for number in range(live.NEWEST + 20):
        nothing.change(
            "INSERT INTO feed (bot, first_at, last_at, action, kind, reason, detail, edge, count)"
            " VALUES (?, ?, ?, 'skipped', 'cross_venue', 'r', 'r (x)', 0.0125, ?)",
            (BOT, nothing.begin + number, nothing.begin + number, number),
        )
    rows = nothing.ask(live.feed())
    assert [row["count"] for row in rows] == list(range(live.NEWEST + 19, 19, -1))
    assert (rows[0]["lane"], rows[0]["what"], rows[0]["edge"]) == ("cross", "r (x)", 1.25)


def test_what_a_row_of_the_feed_does_not_have_is_no_empty_word(nothing: Ledger) -> None:
    nothing.bot(time.time())
    nothing.change(
        "INSERT INTO feed (bot, first_at, last_at, action, kind, match_key, reason, detail, count)"
        " VALUES (?, ?, ?, 'detected', '', '', 'opportunities found', '1 found', 1)",
        (BOT, nothing.begin, nothing.begin),
    )
    (row,) = nothing.ask(live.feed())
    assert (row["lane"], row["market"], row["what"]) == (None, None, "1 found")


def test_the_operators_day_has_its_own_figure_only_where_it_is_another_one(nothing: Ledger) -> None:
    read(nothing, "ok", time.time())
    nothing.bot(time.time())
    assert nothing.ask(live.operator_day()) == []
    assert [row["value"] for row in nothing.ask(live.operator_day_is_utc())] == ["= UTC day"]
    nothing.bot(time.time(), tz="Europe/Berlin", rolls_at="17:00")
    nothing.change(
        "INSERT INTO operator_daily_pnl VALUES (?, '2026-01-01', 'Europe/Berlin', ?, ?, 12.5, 3, 2)",
        (BOT, time.time() - 60, time.time() + 60),
    )
    fill_today(nothing, time.time())
    assert nothing.ask(live.operator_day()) == [{"name": "day of Europe/Berlin from 17:00", "value": 12.5}]
    assert nothing.ask(live.operator_day_is_utc()) == []
    nothing.change("UPDATE sources SET last_read_at = last_read_at - 60")
    assert nothing.ask(live.operator_day()) == []
    assert [row["value"] for row in nothing.ask(live.operator_day_is_utc())] == ["NOT READ"]
