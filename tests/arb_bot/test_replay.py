"""Recorded quotes played again: the same on every run, nothing seen early, nothing held across sessions."""

import gzip
import json
import math
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from arb_bot import OrderRejected, StartRefused
from arb_bot.lanes.scanning import Scan
from arb_bot.opportunity import TAKER
from arb_bot.profiles import profile
from arb_bot.quotes import Quote
from arb_bot.replay.player import SEED, Replay, tabulate
from arb_bot.replay.recording import Recording, RecordingUnusable, read_recording
from arb_bot.replay.table import OpportunityTable
from arb_bot.replay.timeline import TAIL_SECONDS, ReplayClock, timeline
from arb_bot.session import Session, Stores, open_session
from arb_bot.settings import Settings
from arb_bot.venue import OrderRequest
from botkit.hot_reload import SettingsStore, from_env
from tests.arb_bot.lab import query

T0 = 1_767_470_400.0
EAGER = {
    "ARB_MIN_EXPECTED_PROFIT_USD": "0.02",
    "ARB_FILL_MIN_PROBABILITY": "0.05",
    "ARB_MARKET_COOLDOWN_SECONDS": "60",
    "KALSHI_TAKER_FEE_PER_CONTRACT": "0",
}


def line(ts: float, market: str = "K1", *, venue: str = "kalshi", **fields: Any) -> dict[str, Any]:
    """A recorded line with both sides and no sizes."""
    bid, ask = fields.pop("bid", 0.40), fields.pop("ask", 0.42)
    return {
        "ts": ts, "venue": venue, "event": f"E-{market}", "market": market, "title": f"title of {market}",
        "yes_bid": bid, "yes_ask": ask,
        "no_bid": None if ask is None else round(1 - ask, 6),
        "no_ask": None if bid is None else round(1 - bid, 6),
        "yes_bid_size": None, "yes_ask_size": None, "close_ts": None, **fields,
    }  # fmt: skip


def recorded(folder: Path, lines: list[Any], groups: dict[str, Any] | None = None) -> Path:
    """A recording in a folder."""
    path = folder / "quotes.jsonl"
    path.write_text("".join(json.dumps(content) + "\n" for content in lines))
    if groups is not None:
        (folder / "quotes.groups.json").write_text(json.dumps(groups))
    return path


PAIR = {"buckets": [], "cross": [{"kalshi": "K1", "polymarket": "P1"}]}


@dataclass
class Played:
    """A replay that ran to its end, and what it left."""

    replay: Replay
    session: Session
    folder: Path
    scans: list[tuple[float, Scan]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)

    def rows(self) -> list[Any]:
        """Everything that the stores and the venues wrote."""
        found: list[Any] = [p.read_text() for p in sorted(self.folder.glob("venue_*.jsonl"))]
        for name, tables in (
            ("arb_orders.db", ("order_intents", "leg_executions", "positions")),
            ("analytics.db", ("decisions", "fills")),
        ):
            found += [query(self.folder / name, f"SELECT * FROM {table}") for table in tables]
        return found


Play = Callable[..., Played]


@pytest.fixture
def play(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    opened: list[Stores] = []

    def run(recording: Recording, *, size: float = 10, run: bool = True, **settings: str) -> Played:
        folder = tmp_path_factory.mktemp("replayed")
        replay = Replay.of(recording, speed=None, assumed_size=size, now=0.0)
        opened.append(Stores.open(folder))
        session = open_session(
            opened[-1],
            SettingsStore(from_env(Settings, profile("recorded") | EAGER | settings).settings),
            folder=folder,
            clock=replay.clock,
            seed=SEED,
            environ={},
            pace=replay.pace,
            replay=replay.source,
        )
        played = Played(replay, session, folder)
        session.engine.observe = lambda scan, now: played.scans.append((now, scan))
        session.engine.publish = played.states.append
        if run:
            replay.run(session, threading.Event())
            session.engine.finish()
        return played

    yield run
    for stores in opened:
        stores.close()


@pytest.fixture
def cross(samples: Path) -> Recording:
    return read_recording(samples / "quotes" / "nba_mvp_cross.jsonl.gz")


def part_of_a_day(samples: Path, folder: Path, first: int, last: int) -> Recording:
    """Some lines of the recorded temperatures, with their groups."""
    source = samples / "quotes" / "kalshi_highny.jsonl.gz"
    with gzip.open(source, "rt") as file:
        lines = file.readlines()[first:last]
    (folder / "part.jsonl").write_text("".join(lines))
    shutil.copy(source.with_name("kalshi_highny.groups.json"), folder / "part.groups.json")
    return read_recording(folder / "part.jsonl")


def test_decisions_fills_and_pnl_are_the_same_on_every_run(cross: Recording, play: Play) -> None:
    first, second = play(cross), play(cross)
    assert first.rows() == second.rows()
    assert [s["last_cycle"]["decisions"] for s in first.states] == [
        s["last_cycle"]["decisions"] for s in second.states
    ]
    assert first.states[-1]["realized_pnl"] == second.states[-1]["realized_pnl"] != 0
    opened = [d for s in first.states for d in s["last_cycle"]["decisions"] if d["action"] == "dry_run"]
    assert len(opened) > 3, "it did trade"
    assert not first.states[-1]["open_positions"], "everything has settled at the end"


def assert_nothing_vanishes(played: Played, join: float) -> int:
    """Each leg of each opportunity against a plain look through the file: the last line until then, of the
    same session, at the leg's own time.
    """
    spans = [[(entry.ts, entry) for entry in span.lines] for span in played.replay.recording.spans]
    looked = 0
    for now, scan in played.scans:
        span = next((span for span in spans if span[0][0] <= now <= span[-1][0]), None)
        for opportunity in scan.found:
            assert span is not None, "nothing is found outside of a session"
            if opportunity.execution_style != TAKER:
                continue
            looked += 1
            cost, times = 0.0, []
            for leg in opportunity.legs:
                ts, last = max(
                    (
                        (ts, e)
                        for ts, e in span
                        if ts <= now and (e.venue, e.market) == (leg.venue, leg.market_id)
                    ),
                    key=lambda found: found[0],
                )
                asked = last.yes_ask if leg.side == "yes" else last.no_ask
                assert (leg.price, leg.observed_at) == (asked, ts)
                cost += leg.price
                times.append(ts)
            assert max(times) - min(times) <= join
            assert opportunity.net_edge == pytest.approx(opportunity.payout - cost - opportunity.fee)
            assert opportunity.net_edge > 0
    return looked


def test_sums_below_a_dollar_whose_legs_are_stale_or_empty_are_no_opportunity(
    samples: Path, tmp_path: Path, play: Play
) -> None:
    part = part_of_a_day(samples, tmp_path, 0, 45_000)
    (bucket,) = [b for b in part.relations.buckets if b.legs[0].market_id.startswith("KXHIGHNY-25DEC14")]
    asks: dict[str, float | None] = {}
    seconds, since, cheap = 0.0, 0.0, False
    for entry in part.lines:
        seconds += cheap * (entry.ts - since)
        since, asks[entry.market] = entry.ts, entry.yes_ask
        held = [ask for leg in bucket.legs if (ask := asks.get(leg.market_id)) is not None]
        cheap = len(held) == len(bucket.legs) and sum(held) < 0.985
    assert seconds > 600, "whoever holds every ask for ever sees an edge here"
    played = play(part, ARB_ENABLE_MAKER_ESTIMATES="false", ARB_POLL_INTERVAL_SECONDS="20")
    assert sum(state["last_cycle"]["quotes_count"] for state in played.states) > 1000
    assert not any(scan.found for _, scan in played.scans)


def test_no_opportunity_vanishes_when_each_legs_own_time_is_respected(cross: Recording, play: Play) -> None:
    few = Recording(cross.path, cross.spans[:1], cross.relations)
    found = assert_nothing_vanishes(play(few, ARB_ENABLE_MAKER_ESTIMATES="false"), 600.0)
    strict = play(few, ARB_ENABLE_MAKER_ESTIMATES="false", ARB_STRICT_MAPPING_TEMPORAL_JOIN_SECONDS="20")
    fewer = assert_nothing_vanishes(strict, 20.0)
    assert 0 < fewer < found


def test_legs_that_were_recorded_too_far_apart_are_no_opportunity(tmp_path: Path, play: Play) -> None:
    lines = [line(T0, bid=0.38, ask=0.40), line(T0 + 100, "P1", venue="polymarket", bid=0.50, ask=0.52)]
    path = recorded(tmp_path, [*lines, line(T0 + 200, "X", bid=0.1, ask=0.2)], PAIR)
    assert any(scan.found for _, scan in play(read_recording(path)).scans)
    apart = play(read_recording(path), ARB_STRICT_MAPPING_TEMPORAL_JOIN_SECONDS="99")
    assert not any(scan.found for _, scan in apart.scans)


def test_nothing_is_seen_before_it_was_recorded_or_held_across_sessions(tmp_path: Path, play: Play) -> None:
    lines = [line(T0), line(T0 + 300, ask=0.5), line(T0 + 4000, "K2"), line(T0 + 4100, "K2")]
    played = play(read_recording(recorded(tmp_path, lines)), run=False)
    venue, clock = played.session.markets.venues["kalshi"], played.replay.clock
    assert [span.end - span.start for span in played.replay.recording.spans] == [300, 100]
    assert [q.yes_ask for q in venue.quotes()] == [0.42]
    clock.jump(T0 + 299.9)
    assert [q.yes_ask for q in venue.quotes()] == [0.42]
    clock.jump(T0 + 300)
    assert [(q.yes_ask, q.observed_at) for q in venue.quotes()] == [(0.5, T0 + 300)]
    clock.jump(T0 + 301)
    assert not venue.quotes()
    quiet = venue.planned()
    assert quiet
    assert quiet.until == T0 + 4000
    with pytest.raises(OrderRejected, match="nothing was recorded here"):
        venue.place(OrderRequest("K1", "yes", "buy", 1, 500_000))
    clock.jump(T0 + 4000)
    assert [q.market_id for q in venue.quotes()] == ["K2"], "K1 was not heard of in this session"


def test_named_sessions_are_kept_apart_even_when_they_follow_closely(tmp_path: Path) -> None:
    groups = PAIR | {"sessions_utc": [[T0, T0 + 100], [T0 + 200, T0 + 300]]}
    path = recorded(tmp_path, [line(T0), line(T0 + 100), line(T0 + 210)], groups)
    assert [len(span.lines) for span in read_recording(path).spans] == [2, 1]


def test_a_missing_side_and_a_missing_name_are_refused_once_in_the_documented_words(
    tmp_path: Path, play: Play
) -> None:
    lines = [line(T0), line(T0 + 1, "K2", ask=None), line(T0 + 2, ""), line(T0 + 3, "K3", bid=1.2)]
    lines.append(line(T0 + 4, "K4", yes_ask_size=0.0))
    played = play(read_recording(recorded(tmp_path, [*lines, line(T0 + 60)])))
    rejects = {m["name"]: m["value"] for m in played.states[-1]["metrics"] if "rejects" in m["name"]}
    assert {name: n for name, n in rejects.items() if n} == {
        "quote_rejects_missing_required_field": 1,
        "quote_rejects_missing_identity": 1,
        "quote_rejects_price_out_of_range": 1,
        "quote_rejects_non_positive_size": 1,
    }


def test_sizes_that_were_not_recorded_are_the_assumed_ones_or_unknown(tmp_path: Path, play: Play) -> None:
    path = recorded(tmp_path, [line(T0, yes_ask_size=25.0), line(T0 + 60, "K9")])
    quote: Quote
    (quote,) = play(read_recording(path), size=7, run=False).session.markets.venues["kalshi"].quotes()
    assert (quote.yes_size, quote.no_size) == (25.0, 7.0)
    unknown = play(read_recording(path), size=0)
    assert not any(state["last_cycle"]["quotes_count"] for state in unknown.states)


def test_an_order_takes_what_stood_there_once_until_the_price_changes(tmp_path: Path, play: Play) -> None:
    lines = [line(T0), line(T0 + 100, bid=0.39), line(T0 + 200, ask=0.41), line(T0 + 300)]
    played = play(read_recording(recorded(tmp_path, lines)), run=False)
    venue, clock = played.session.markets.venues["kalshi"], played.replay.clock
    order_id = venue.place(OrderRequest("K1", "yes", "buy", 25, 420_000))
    assert venue.report(order_id).filled == 0, "it has not arrived yet"
    clock.jump(T0 + 50)
    report = venue.report(order_id)
    assert (report.filled, report.value, report.working) == (10, 4_200_000, True)
    assert not venue.quotes(), "we took it all"
    clock.jump(T0 + 150)
    assert venue.report(order_id).filled == 10, "another bid is no new offer"
    clock.jump(T0 + 210)
    assert venue.report(order_id).value == 4_200_000 + 4_100_000
    sold = venue.place(OrderRequest("K1", "yes", "sell", 5, 410_000))
    clock.jump(T0 + 220)
    assert venue.report(sold).filled == 0, "nobody bids that much"


def test_a_bucket_pays_its_dearest_outcome_and_a_pair_pays_alike(tmp_path: Path) -> None:
    lines = [
        line(T0, "A", bid=0.1, ask=0.2), line(T0, "B", bid=0.3, ask=0.34), line(T0, "C", bid=None, ask=0.3),
        line(T0, "K1", bid=0.6, ask=0.7), line(T0 + 5, "P1", venue="polymarket", bid=0.2, ask=0.3),
    ]  # fmt: skip
    for entry in lines[:3]:
        entry["event"] = "E"
    bucket = {"event": "E", "legs": ["A", "B", "C"], "mutually_exclusive": True, "exhaustive": True}
    groups = {"buckets": [bucket], "cross": PAIR["cross"]}
    outcomes = read_recording(recorded(tmp_path, lines, groups)).outcomes()
    assert {market: side for (_, market), (_, side) in outcomes.items()} == {
        "A": "no", "B": "yes", "C": "no", "K1": "yes", "P1": "yes",
    }  # fmt: skip
    assert outcomes["kalshi", "K1"][0] == outcomes["polymarket", "P1"][0] == T0 + 5


def test_what_is_exclusive_but_not_exhaustive_is_no_bucket(tmp_path: Path) -> None:
    bucket = {"event": "E", "legs": ["K1", "K2"], "mutually_exclusive": True, "exhaustive": False}
    path = recorded(tmp_path, [line(T0), line(T0, "K2")], {"buckets": [bucket], "cross": []})
    assert not read_recording(path).relations.buckets


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("quotes.csv", "", "ends in .jsonl"),
        ("quotes.jsonl", "", "no quote"),
        ("quotes.jsonl", "{}\nnothing\n", "line 2"),
        ("quotes.jsonl", "[1]\n", "line 1"),
        ("quotes.jsonl.gz", "plain", "cannot be read"),
        ("missing/quotes.jsonl", None, "cannot be read"),
    ],
)
def test_a_recording_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, name: str, content: str | None, why: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(RecordingUnusable, match=why):
        read_recording(tmp_path / name)


@pytest.mark.parametrize(
    "groups", ["[]", "{", '{"buckets": [{"mutually_exclusive": true}]}', '{"cross": [1]}']
)
def test_groups_that_are_not_understood_are_one_sentence(tmp_path: Path, groups: str) -> None:
    path = recorded(tmp_path, [line(T0)])
    (tmp_path / "quotes.groups.json").write_text(groups)
    if groups.startswith('{"b'):
        groups = '{"buckets": [{"mutually_exclusive": true, "exhaustive": true}]}'
        (tmp_path / "quotes.groups.json").write_text(groups)
    with pytest.raises(StartRefused, match="groups"):
        read_recording(path)


def test_a_recording_of_venues_that_are_not_enabled_is_refused(tmp_path: Path, play: Play) -> None:
    path = recorded(tmp_path, [line(T0, venue="polymarket")])
    with pytest.raises(StartRefused, match="none of it is enabled"):
        play(read_recording(path), POLYMARKET_ENABLED="false")


def test_at_a_speed_sessions_follow_each_other_from_now_on(tmp_path: Path) -> None:
    recording = read_recording(recorded(tmp_path, [line(T0), line(T0 + 10), line(T0 + 90_000)]))
    first, second = timeline(recording, 5000.0)
    assert (first.begins, first.ends) == (5000.0, 5010.0)
    assert second.begins == 5010.0 + 2 * TAIL_SECONDS
    assert first.at(T0 + 4) == 5004.0
    assert [played.begins for played in timeline(recording, None)] == [T0, T0 + 90_000]


class Waits(threading.Event):
    """An event that nobody sets, or that is set at once; remembers how long it was waited for."""

    def __init__(self, *, woken: bool = False) -> None:
        super().__init__()
        self.waited: list[float] = []
        self.woken = woken

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0.0)
        return self.woken


def test_the_clock_of_a_replay_moves_by_waiting_and_catches_up_what_computing_took() -> None:
    real = [100.0]
    clock, event = ReplayClock(T0, 10.0, monotonic=lambda: real[0]), Waits()
    clock.wait(event, 5.0)
    assert (clock.now(), event.waited) == (T0 + 5.0, [0.5])
    real[0] += 0.7  # the half second, and computing for two tenths
    clock.wait(event, 5.0)
    assert event.waited[1] == pytest.approx(0.3)
    real[0] += 100
    clock.wait(event, 5.0)
    assert len(event.waited) == 2, "late: no waiting"
    assert clock.now() == T0 + 15.0
    clock.jump(T0 + 1000)
    woken = Waits(woken=True)
    real[0] += 0.1
    clock.wait(woken, 60.0)
    assert clock.now() == pytest.approx(T0 + 1001.0), "woken after a tenth of a second"


def test_as_fast_as_possible_nobody_waits() -> None:
    clock, event = ReplayClock(T0, None), Waits()
    clock.wait(event, 3600.0)
    assert (clock.now(), event.waited) == (T0 + 3600.0, [])


def test_the_table_counts_an_opportunity_once_for_as_long_as_it_stands(tmp_path: Path, play: Play) -> None:
    lines = [
        line(T0, bid=0.38, ask=0.40),
        line(T0 + 1, "P1", venue="polymarket", bid=0.52, ask=0.54),
        line(T0 + 60, "P1", venue="polymarket", bid=0.30, ask=0.32),
        line(T0 + 120, "P1", venue="polymarket", bid=0.52, ask=0.54),
        line(T0 + 180, "P1", venue="polymarket", bid=0.52, ask=0.54),
    ]
    recording = read_recording(recorded(tmp_path, lines, PAIR))
    replay = Replay.of(recording, speed=None, assumed_size=100, now=0.0)
    values = profile("recorded") | EAGER | {"ARB_ENABLE_MAKER_ESTIMATES": "false"}
    settings = SettingsStore(from_env(Settings, values).settings)
    text = tabulate(replay, settings, threading.Event())
    rows = [row.split() for row in text.splitlines()]
    (found,) = [row for row in rows if row[:3] == ["cross_venue", "≥", "0.10"]]
    assert found[3] == "2"
    assert found[5:8] == ["0.1200", "0.0000", "0.1200"]
    assert "No evidence of profit" in text
    (opened,) = [row for row in rows if row and row[-1].startswith("$+")]
    assert opened[0] == "cross_venue"


def test_the_table_of_the_recorded_session_has_lanes_edges_sizes_and_fees(
    cross: Recording, play: Play
) -> None:
    played = play(Recording(cross.path, cross.spans[:1], cross.relations))
    table = OpportunityTable(5.0)
    for now, scan in played.scans:
        table.observe(scan, now)
    assert table.episodes
    assert all(e.last >= e.first and math.isfinite(e.best.net_edge) for e in table.episodes)
