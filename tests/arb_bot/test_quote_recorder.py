"""Quotes of a running bot are written as recordings that a replay reads, within bounds."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from arb_bot import StartRefused
from arb_bot.profiles import profile
from arb_bot.quote_recorder import FILES_KEPT, QuoteRecorder
from arb_bot.quotes import Quote
from arb_bot.relations import Bucket, MappedPair, Relations, RuleLeg
from arb_bot.replay.player import Replay
from arb_bot.replay.recording import read_recording
from arb_bot.replay.table import OpportunityTable
from arb_bot.session import Stores, open_session
from arb_bot.settings import Settings
from botkit.hot_reload import SettingsStore, from_env
from tests.arb_bot.lab import EAGER, START, Lab

GOOD = Quote("kalshi", "K1", "a market", START - 1, 0.40, 0.42, 0.57, 0.59, 10.0, 12.0, 0.01, START + 600)
PAIR = Relations(pairs=(MappedPair("g", ("kalshi", "K1"), ("polymarket", "P1")),))


def changed(at: float, **fields: Any) -> Quote:
    return replace(GOOD, observed_at=at, **fields)


class Recorder(QuoteRecorder):
    """A recorder of a test, with what it complained about."""

    def __init__(self, path: Path, relations: Relations | None = None, largest: int = 10**6) -> None:
        self.complaints: list[str] = []
        known = relations or Relations()
        super().__init__(path, lambda: known, self.complaints.append, now=START, largest=largest)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_is_a_change_and_a_fault_of_the_feed_is_none(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "q.jsonl")
    recorder.record([changed(START), changed(START, market_id="")], START + 1)
    recorder.record([changed(START + 5), changed(START + 5, market_id="K2", yes_ask=None)], START + 6)
    recorder.record([changed(math.nan, yes_ask=0.5), changed(START + 9, yes_ask=1.04)], START + 10)
    recorder.record([changed(START + 15, yes_ask=0.43)], START + 16)
    recorder.close()
    written = lines(tmp_path / "q.jsonl")
    assert [(line["ts"], line["market"], line["yes_ask"]) for line in written] == [
        (START, "K1", 0.42),
        (START + 5, "K2", None),
        (START + 15, "K1", 0.43),
    ]
    assert (written[0]["yes_ask_size"], written[0]["yes_bid_size"]) == (10.0, 12.0)
    assert written[0]["close_ts"] == START + 600


def test_a_file_that_is_full_moves_on_and_the_oldest_goes(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "q.jsonl", PAIR, largest=300)
    for step in range(40):
        recorder.record([changed(START + step, yes_ask=0.42 + step / 100)], START + step + 1)
    recorder.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    numbers = ["q"] + [f"q.{n}" for n in range(1, FILES_KEPT + 1)]
    assert names == sorted([f"{n}.jsonl" for n in numbers] + [f"{n}.groups.json" for n in numbers])
    assert all((tmp_path / f"{n}.jsonl").stat().st_size < 1000 for n in numbers)
    first = [lines(tmp_path / f"{n}.jsonl")[0]["ts"] for n in numbers]
    assert first == sorted(first, reverse=True), "the newest is the one without a number"
    assert read_recording(tmp_path / "q.1.jsonl").spans


def test_a_recording_that_is_there_already_is_kept(tmp_path: Path) -> None:
    for quote in (GOOD, changed(START, market_id="K2")):
        recorder = Recorder(tmp_path / "q.jsonl")
        recorder.record([quote], START)
        recorder.close()
    assert lines(tmp_path / "q.1.jsonl")[0]["market"] == "K1"
    assert lines(tmp_path / "q.jsonl")[0]["market"] == "K2"


def test_what_is_known_of_the_markets_stands_beside_the_recording(tmp_path: Path) -> None:
    bucket = Bucket("E", (RuleLeg("kalshi", "K1"), RuleLeg("kalshi", "K2")))
    known = Relations(pairs=PAIR.pairs, buckets=(bucket,))
    recorder = Recorder(tmp_path / "q.jsonl", known)
    both = [
        changed(START),
        changed(START, market_id="K2"),
        changed(START, venue="polymarket", market_id="P1"),
    ]
    recorder.record(both, START + 1)
    recorder.close()
    recording = read_recording(tmp_path / "q.jsonl")
    assert [(pair.left, pair.right) for pair in recording.relations.pairs] == [
        (("kalshi", "K1"), ("polymarket", "P1"))
    ]
    assert [[leg.market_id for leg in b.legs] for b in recording.relations.buckets] == [["K1", "K2"]]
    assert {line.event for line in recording.lines} == {"E", "P1"}


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StartRefused, match="cannot be written"):
        Recorder(tmp_path / "missing" / "q.jsonl")
    with pytest.raises(StartRefused, match="a recording ends in"):
        Recorder(tmp_path / "q.csv")


def test_a_full_disk_ends_the_recording_and_not_the_bot(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "q.jsonl")
    assert recorder._file
    recorder._file.close()
    with Path("/dev/full").open("w") as recorder._file:
        recorder._largest = 10**12
        recorder.record([GOOD], START)
        recorder.record([changed(START + 1, yes_ask=0.5)], START + 1)
    assert recorder.complaints == ["the recording of quotes ended: No space left on device"]


def test_what_a_bot_recorded_a_replay_plays(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    session = lab.start("5")
    path = tmp_path_factory.mktemp("recorded") / "q.jsonl"
    recorder = QuoteRecorder(path, session.parts.relations, pytest.fail, now=START)
    session.parts.intake.record = recorder.record
    table = OpportunityTable(5.0)
    session.engine.observe = table.observe
    looks: dict[float, dict[tuple[str, str], tuple[object, ...]]] = {}
    seen = session.parts.intake.look

    def look(now: float) -> dict[tuple[str, str], Quote]:
        good = seen(now)
        looks[now] = {
            k: (q.yes_bid, q.yes_ask, q.no_bid, q.no_ask, q.yes_size, q.no_size) for k, q in good.items()
        }
        return good

    session.parts.intake.look = look  # type: ignore[method-assign]
    lab.run(240)
    lab.end()
    recorder.close()
    assert table.episodes, "there was something to find"

    replay = Replay.of(read_recording(path), speed=None, assumed_size=0, now=0.0)
    folder = tmp_path_factory.mktemp("replayed")
    stores = Stores.open(folder)
    values = profile("demo") | EAGER
    again = open_session(
        stores,
        SettingsStore(from_env(Settings, values).settings),
        folder=folder,
        clock=replay.clock,
        seed="1",
        environ={},
        replay=replay.source,
    )
    assert again.parts.relations().pairs
    compared = 0
    for now in (now for now in sorted(looks) if now < START + 200):
        replay.clock.jump(now)
        played = again.parts.intake.look(now)
        for key in looks[now].keys() & played.keys():
            q = played[key]
            assert (q.yes_bid, q.yes_ask, q.no_bid, q.no_ask, q.yes_size, q.no_size) == looks[now][key]
            compared += 1
        assert len(played) >= 0.9 * len(looks[now])
    assert compared > 1000
    stores.close()
