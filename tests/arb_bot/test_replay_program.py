"""The program with recordings: replays at a speed, prints a table, records, refuses what means nothing."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from arb_bot.replay.recording import read_recording
from tests.arb_bot.test_program import PATIENCE, ROOT, Bot, is_state, run  # noqa: F401 - the fixture
from tests.arb_bot.test_replay import PAIR, T0, line, recorded

Run = Callable[..., Bot]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three minutes with an opportunity of twelve cents."""
    cheap = [line(T0 + t, bid=0.38, ask=0.40) for t in (0, 90, 180)]
    dear = [line(T0 + t, "P1", venue="polymarket", bid=0.52, ask=0.54) for t in (1, 91, 181)]
    return recorded(tmp_path, [*cheap, *dear], PAIR)


def test_a_replay_says_what_it_plays_ends_by_itself_and_begins_only_once(
    run: Run,  # noqa: F811
    recording: Path,
) -> None:
    bot = run("--replay", str(recording), "--replay-speed", "40", "--replay-size", "50")
    bot.connect()
    state = bot.receive(is_state)
    assert state["replay"] == {
        "file": "quotes.jsonl",
        "speed": 40.0,
        "assumed_size": 50.0,
        "outcomes": "assumed from the last recorded prices",
    }
    assert state["simulated"] is True
    assert state["ts"] > time.time() - PATIENCE, "played from now on, not at its own dates"
    opened = bot.receive(lambda m: is_state(m) and m["open_positions"])
    assert {p["market_id"] for p in opened["open_positions"]} == {"K1", "P1"}
    goodbye = bot.receive(lambda m: m["type"] == "goodbye")
    assert goodbye["reason"] == "the session is over"
    assert bot.wait() == 0
    assert bot.placed()
    again = run("--replay", str(recording))
    assert again.wait() == 2
    assert "a replay begins with empty stores" in again.log


def test_the_table_is_printed_and_leaves_nothing(recording: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "arb_bot", "--replay", str(recording), "--table", "--replay-size", "50"]
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert sorted(tmp_path.iterdir()) == before
    assert "6 lines in 1 session(s)" in done.stdout
    assert "size 50 where none was recorded" in done.stdout
    assert "cross_venue" in done.stdout
    assert "paper_position_opened" in done.stdout


def test_a_bot_records_what_its_venues_quote(run: Run, tmp_path: Path) -> None:  # noqa: F811
    path = tmp_path / "quotes.jsonl"
    bot = run("--record", str(path), "--minutes", "0.03", "--interval", "0.2")
    assert bot.wait() == 0
    found = read_recording(path)
    assert found.venues() == ("kalshi", "polymarket")
    assert found.relations.pairs
    assert len(list(found.lines)) > 60


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--table",), "--table needs --replay"),
        (("--replay-speed", "2"), "--replay-speed needs --replay"),
        (("--replay-size", "0"), "--replay-size needs --replay"),
        (("--replay", "FILE", "--seed", "3"), "--seed means nothing in a --replay"),
        (("--replay", "FILE", "--history-days", "3"), "--history-days means nothing in a --replay"),
        (("--replay", "FILE", "--speed", "3"), "--speed means nothing in a --replay"),
        (("--replay", "FILE", "--table", "--replay-speed", "3"), "--replay-speed means nothing with --table"),
        (("--replay", "FILE", "--table", "--paused"), "--paused means nothing with --table"),
        (("--replay", "nowhere.jsonl"), "nowhere.jsonl cannot be read"),
        (("--record", "quotes.csv"), "a recording ends in .jsonl"),
    ],
)
def test_what_means_nothing_is_one_sentence_and_exit_code_2(
    run: Run,  # noqa: F811
    recording: Path,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    bot = run(*(str(recording) if argument == "FILE" else argument for argument in arguments))
    assert bot.wait() == 2
    (said,) = bot.log.splitlines()
    assert sentence in said


def test_a_speed_or_a_size_that_is_none_is_refused_by_the_command_line(run: Run) -> None:  # noqa: F811
    for arguments in (("--replay-speed", "0"), ("--replay-speed", "fast"), ("--replay-size", "-1")):
        bot = run(*arguments)
        assert bot.wait() == 2
        assert "expected" in bot.log
