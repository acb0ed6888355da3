"""Trades, daily highs and caps that are not set become events: each once, few in number, never made up."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exporter.ledger import LedgerFigures
from exporter.notifications import notifications
from exporter.notified import Notified, Told
from exporter.notifier import HIGH_SECONDS, TRADES_AN_HOUR, Notifier
from exporter.view import BotView
from tests.doubles.messages import T0, base_state, cycle_of, decision, state
from tests.exporter.program import LONGEST, exporter
from tests.exporter.reporting.keeping import rows

MIDNIGHT = 1_795_219_200.0  # 2026-11-21 00:00 UTC
DAY = 86_400.0
NOTHING = cycle_of()
NO_CAP = {"config_snapshot": {"ARB_DAILY_LOSS_CAP_USD": 0.0}}


class Watched:
    """One bot, and what was recorded of it."""

    def __init__(self, told=None, *, now=T0, kind="arb", **settings) -> None:
        self.view = BotView("arb", now=now, kind=kind, expected_interval=5.0, **settings)
        self.view.connected(now)
        self.now = now
        self.told: list[tuple[str, dict[str, object]]] = []
        self.kept: list[Told] = []
        self.notifier = Notifier(
            notifications(),
            lambda event, **told: self.told.append((event, told)),
            {"arb": told or Told()},
            lambda bot, told: self.kept.append(told),
        )

    def says(self, *messages, at=None) -> "Watched":
        for message in messages:
            self.now = message["ts"] if at is None else at
            self.view.received(message, self.now)
            self.notifier.look(self.view, self.now)
        return self

    def books(self, pnl, now, day="2026-11-20") -> "Watched":
        """The ledger was looked at."""
        self.now = now
        self.view.ledger.figures = LedgerFigures(day, pnl=pnl)
        self.view.ledger.kept["analytics"] = now
        self.view.ledger_read(now)
        self.notifier.look(self.view, now)
        return self

    def whats(self, event) -> list[object]:
        return [told["what"] for name, told in self.told if name == event]


def quiet(cycle, **changed):
    return state(cycle, **{"last_cycle": NOTHING, **changed})


def pnl(cycle, value, **changed):
    return quiet(cycle, daily_pnl=value, **changed)


# Trades


def test_a_trade_is_an_event_with_what_was_opened_and_for_how_much():
    watched = Watched().says(quiet(1), state(2))
    ((event, told),) = watched.told
    assert event == "trade"
    assert told["what"] == "intra_venue kalshi:KX-1, edge +0.0200 USD a contract (paper)"
    assert told == told | {"bot": "arb", "severity": "info", "source": "bot", "data": {"count": 1}}


def test_what_filled_for_money_is_not_called_paper_and_what_came_to_nothing_is_no_trade():
    actions = ("filled", "skipped", "execution_failed", "settled", "detected")
    last_cycle = cycle_of(*(decision(action=action) for action in actions))
    watched = Watched().says(quiet(1), state(2, last_cycle=last_cycle))
    assert watched.whats("trade") == ["intra_venue kalshi:KX-1, edge +0.0200 USD a contract"]


def test_the_trades_of_one_cycle_are_one_event():
    last_cycle = cycle_of(*(decision(kind=f"lane_{number}") for number in range(5)))
    watched = Watched().says(quiet(1), state(2, last_cycle=last_cycle))
    ((_, told),) = watched.told
    assert str(told["what"]).count("; lane_") == 2
    assert str(told["what"]).endswith(", and 2 more")
    assert told["data"] == {"count": 5}


def test_many_trades_in_a_row_are_summed_up_and_none_is_lost():
    watched, cycles = Watched().says(quiet(1)), 4_000
    watched.says(*(state(cycle) for cycle in range(2, cycles + 2)))
    watched.notifier.tick(watched.now, last=True)
    counts = [told["data"]["count"] for _, told in watched.told]
    assert sum(counts) == cycles
    assert counts[:TRADES_AN_HOUR] == [1] * TRADES_AN_HOUR
    assert len(counts) <= TRADES_AN_HOUR + 6  # 5 h and 33 min
    assert watched.whats("trade")[TRADES_AN_HOUR] == "715 more trades in 60 minutes"


def test_a_cycle_that_ended_before_this_program_began_was_told_by_the_one_before():
    assert Watched(now=T0 + 100).says(state(3, ts=T0 + 15), at=T0 + 100).told == []
    assert len(Watched(now=T0 + 100).says(state(21, ts=T0 + 105)).told) == 1


def test_a_cycle_that_is_pushed_twice_is_told_once():
    watched = Watched().says(quiet(1), state(2), state(2, ts=T0 + 10.5), state(2))
    assert len(watched.told) == 1


def test_a_bot_of_a_kind_whose_trades_are_not_read_has_none():
    assert Watched(kind="ema").says(quiet(1), state(2)).told == []


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "filled",
        {"action": "filled"},
        {"action": "filled", "kind": 5, "match_key": []},
        {"action": ["filled"], "kind": "x"},
        {"action": {}, "kind": "x"},
    ],
)
def test_what_is_no_decision_is_no_trade(odd):
    assert Watched().says(quiet(1), state(2, last_cycle=cycle_of() | {"decisions": [odd]})).told == []


def test_what_a_bot_says_of_a_trade_is_short_and_printable():
    nasty = {
        **{"action": "filled", "kind": "k" * 9_000, "match_key": "\x1b[2J\ud800" + "m" * 9_000},
        **{"edge": 1e308, "reason": "x"},
    }
    watched = Watched().says(quiet(1), state(2, last_cycle=cycle_of(nasty)))
    (what,) = watched.whats("trade")
    assert len(str(what)) < 300
    assert str(what).isprintable()
    assert "edge" not in str(what)


def test_the_log_has_what_the_table_says_and_no_more(caplog):
    with caplog.at_level(logging.INFO, "exporter.notifier"):
        Watched().says(pnl(1, 0.0), state(2, daily_pnl=4.0, **NO_CAP))
    said = [record.message for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith("bot arb: trade: intra_venue kalshi:KX-1")
    assert said[1].startswith("bot arb: cap_unset: ")


# A new daily high


def test_a_pnl_above_all_of_its_day_is_a_new_high():
    watched = Watched(Told("2026-11-20", 10.0)).says(pnl(1, 9.0), pnl(2, 10.0), pnl(3, 10.01))
    ((event, told),) = watched.told
    assert event == "daily_high"
    assert told["what"] == "new daily high: +10.01 USD"
    assert told == told | {"severity": "info", "source": "bot"}
    assert told["data"] == {"pnl": 10.01, "date": "2026-11-20"}


def test_of_a_day_that_began_unseen_the_first_figure_is_no_high():
    watched = Watched().says(pnl(1, 50.0))
    assert watched.told == []
    assert watched.says(pnl(2, 51.0)).whats("daily_high") == ["new daily high: +51.00 USD"]


def test_a_loss_is_no_high_however_it_shrinks():
    assert Watched().says(pnl(1, -9.0), pnl(2, -1.0), pnl(3, 0.0)).told == []


def test_the_next_high_is_told_a_quarter_of_an_hour_later_with_the_highest_figure_so_far():
    watched = Watched().says(pnl(1, 0.0), pnl(2, 1.0), pnl(3, 7.0), pnl(4, 2.0))
    assert watched.whats("daily_high") == ["new daily high: +1.00 USD"]
    later = T0 + 10 + HIGH_SECONDS
    watched.says(pnl(181, 2.0, ts=later - 1))
    assert len(watched.told) == 1
    watched.says(pnl(182, 2.0, ts=later))
    assert watched.whats("daily_high")[1:] == ["new daily high: +7.00 USD"]
    watched.says(pnl(400, 6.9, ts=later + 2 * HIGH_SECONDS))
    assert len(watched.told) == 2


def test_after_a_restart_only_what_is_above_the_days_earlier_high_is_new():
    before = Watched().says(pnl(1, 0.0), pnl(2, 1.0), pnl(3, 7.0))
    again = Watched(before.kept[-1], now=T0 + 60).says(pnl(13, 5.0), pnl(14, 7.0))
    assert again.told == []
    again.says(pnl(200, 7.5, ts=T0 + 1000))
    assert again.whats("daily_high") == ["new daily high: +7.50 USD"]


def test_a_day_that_was_seen_to_begin_has_its_first_profit_as_a_high():
    watched = Watched(now=MIDNIGHT - 60).says(pnl(1, 30.0, ts=MIDNIGHT - 50))
    watched.says(pnl(2, 0.5, ts=MIDNIGHT + 5))
    assert watched.whats("daily_high") == ["new daily high: +0.50 USD"]
    assert watched.kept[-1].day == "2026-11-21"


def test_a_day_that_began_while_no_exporter_ran_has_an_earlier_high_that_nobody_knows():
    watched = Watched(Told("2026-11-20", 3.0), now=MIDNIGHT + 3600).says(pnl(1, 5.0, ts=MIDNIGHT + 3605))
    assert watched.told == []


def test_without_the_bots_own_figure_the_ledgers_counts_and_says_so():
    watched = Watched().says(base_state(1, last_cycle=NOTHING)).books(1.0, T0 + 10).books(2.5, T0 + 20)
    ((_, told),) = watched.told
    assert (told["what"], told["source"]) == ("new daily high: +2.50 USD", "ledger")


def test_a_day_whose_beginning_nobody_heard_of_has_an_unknown_high_too():
    watched = Watched(now=MIDNIGHT - 60).says(pnl(1, 30.0, ts=MIDNIGHT - 50))
    watched.says(pnl(2, 50.0, ts=MIDNIGHT + 5 * 3600))
    assert watched.told == []


@pytest.mark.parametrize("day", ["9999-12-31", "soon", "2026-11-22"])
def test_a_day_that_lies_in_the_future_does_not_silence_today(day):
    watched = Watched(Told(day, 99.0)).says(pnl(1, 1.0), pnl(2, 2.0))
    assert watched.whats("daily_high") == ["new daily high: +2.00 USD"]


def test_a_figure_of_the_day_before_does_not_begin_that_day_again():
    watched = Watched(Told("2026-11-21", 4.0), now=MIDNIGHT + 1)
    assert watched.books(9.0, MIDNIGHT + 2, day="2026-11-20").told == []
    assert watched.kept == []


@pytest.mark.parametrize("value", [float("nan"), None, "9", True, [], 10**400])
def test_a_pnl_that_is_no_number_is_no_high(value):
    assert Watched(Told("2026-11-20", 1.0)).says(pnl(1, value)).told == []


def test_a_pnl_beyond_all_measure_is_told_in_a_few_characters():
    watched = Watched(Told("2026-11-20", 1.0)).says(pnl(1, 1e300))
    assert watched.whats("daily_high") == ["new daily high: +1e+300 USD"]


# A cap that is not set


def test_paper_without_a_cap_is_told_once_a_day_across_restarts():
    watched = Watched().says(quiet(1, **NO_CAP), quiet(2, **NO_CAP))
    ((event, told),) = watched.told
    assert event == "cap_unset"
    assert told == told | {"severity": "info", "source": "exporter"}
    again = Watched(watched.kept[-1], now=T0 + 60).says(quiet(13, **NO_CAP))
    assert again.told == []
    again.says(quiet(14, ts=T0 + DAY, **NO_CAP))
    assert len(again.told) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"config_snapshot": {"ARB_DAILY_LOSS_CAP_USD": 10.0}},
        {"config_snapshot": {}},
        {"config_snapshot": None},
        {"mode": "live", **NO_CAP},
        {"mode": None, **NO_CAP},
        {"config_snapshot": {"ARB_DAILY_LOSS_CAP_USD": float("nan")}},
    ],
    ids=["set", "not named", "no settings", "live", "mode unknown", "no number"],
)
def test_a_cap_that_is_set_or_unknown_or_of_a_live_bot_is_no_such_event(changed):
    assert Watched().says(quiet(1, **changed)).whats("cap_unset") == []


# What was told is kept


async def settled(kept: Notified) -> None:
    async with asyncio.timeout(LONGEST):
        while kept._under_way:
            await asyncio.sleep(0.001)


async def test_what_was_told_comes_back_and_the_last_word_is_the_one_that_is_kept(tmp_path: Path):
    kept, last = Notified(tmp_path / "not" / "yet"), Told("2026-11-20", 9.5, T0, "2026-11-20")
    for number in range(50):
        kept.keep("arb", Told("2026-11-20", float(number)))
    kept.keep("arb", last)
    await settled(kept)
    assert Notified(tmp_path / "not" / "yet").restore("arb") == last
    assert [path.name for path in (tmp_path / "not" / "yet").iterdir()] == ["told-arb.json"]


async def test_a_folder_that_takes_no_files_stops_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    kept = Notified(tmp_path / "file")
    kept.keep("arb", Told("2026-11-20", 1.0))
    await settled(kept)
    assert kept.restore("arb") == Told()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "5",
        "{",
        "[" * 100_000,
        '{"day": 5, "high": "much"}',
        '{"high": 4}',
        '{"day": "2026-11-20", "high": NaN}',
        '{"day": "2026-11-20", "high": 1e999}',
        "\ud800".encode("utf-8", "surrogatepass"),
    ],
)
def test_a_file_that_cannot_be_read_is_nothing_told(tmp_path: Path, content: str | bytes):
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "told-arb.json").write_bytes(data)
    assert Notified(tmp_path).restore("arb") == Told()


# In a running exporter


@asynccontextmanager
async def trading(*figures: float) -> AsyncIterator[int]:
    """A bot on loopback that trades in each cycle, has no cap, and has these figures one after another."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cycle = 0
        while not writer.is_closing():
            cycle += 1
            value = figures[min(cycle, len(figures)) - 1]
            message = state(cycle, ts=time.time(), daily_pnl=value, **NO_CAP)
            writer.write(json.dumps(message).encode() + b"\n")
            await asyncio.sleep(0.05)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def events(path: Path, wanted: set[str]) -> list[tuple[str, str]]:
    """The events of these kinds once each of them is there."""
    async with asyncio.timeout(LONGEST):
        while True:
            try:
                found = rows(path, "SELECT kind, severity FROM events ORDER BY seq")
            except Exception:  # noqa: BLE001 - the file is not there yet
                found = []
            told = [(str(kind), str(severity)) for kind, severity in found if kind in wanted]
            if {kind for kind, _ in told} == wanted:
                return told
            await asyncio.sleep(0.05)


async def test_a_real_exporter_records_and_logs_what_the_table_says(tmp_path: Path):
    path = tmp_path / "data" / "reporting.db"
    async with trading(0.0, 1.0, 2.0) as port, exporter(tmp_path, port) as running:
        told = await events(path, {"trade", "daily_high", "cap_unset"})
        _, log = await running.stop()
    assert {severity for _, severity in told} == {"info"}
    assert "bot arb: trade: intra_venue kalshi:KX-1" in log
    assert "bot arb: cap_unset: " in log
    assert "Traceback" not in log
    kept = json.loads((tmp_path / "data" / "told-arb.json").read_text())
    assert kept["high"] == 2.0
    async with trading(1.5) as port, exporter(tmp_path, port) as running:
        await running.until("/metrics", 'tradebot_daily_pnl_usd{bot="arb",source="bot"} 1.5')
        await running.stop()
    again = rows(
        path, "SELECT kind, count(*) FROM events WHERE kind IN ('daily_high', 'cap_unset') GROUP BY 1"
    )
    assert again == [("cap_unset", 1), ("daily_high", 1)]
