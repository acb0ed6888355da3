"""What went over a link lately: in bounded memory, and in a file when it matters; no secret in it."""

import gzip
import json
import random
from pathlib import Path

import pytest

from exporter import flight_recorder
from exporter.bridge import RECEIVED, SENT
from exporter.flight_recorder import FlightRecorder, without_credentials
from exporter.tape import BURST, LEFT_OUT, SEGMENT_BYTES, WINDOW_SECONDS, Tape, unpacked
from tests.doubles.messages import T0, heartbeat, state

MEBIBYTE = 1 << 20


class Clock:
    def __init__(self) -> None:
        self.now = T0

    def __call__(self) -> float:
        return self.now


def lines_of(tape: Tape, now: float) -> list[tuple[float, str, bytes]]:
    return [(one.at, one.direction, one.line) for segment in tape.cut(now) for one in unpacked(segment)]


def read(path: Path) -> list[dict]:
    with gzip.open(path, "rt") as file:
        return [json.loads(line) for line in file]


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that cannot be packed, in one line."""
    return random.Random(seed).randbytes(size).replace(b"\n", b" ")


def test_a_tape_gives_back_every_line_in_order_as_it_was_on_the_wire():
    tape = Tape(MEBIBYTE)
    lines = [(T0 + second, RECEIVED, json.dumps(state(second)).encode()) for second in range(1, 300)]
    lines.insert(150, (T0 + 149.5, SENT, b'{"type": "pause"}'))
    for at, direction, line in lines:
        tape.add(direction, line, at)
    assert lines_of(tape, T0 + 300) == lines


def test_a_tape_forgets_what_is_older_than_its_window():
    tape = Tape(MEBIBYTE)
    for second in range(0, 7200, 5):
        tape.add(RECEIVED, b"%d" % second, T0 + second)
    first = lines_of(tape, T0 + 7200)[0][0]
    assert T0 + 7200 - WINDOW_SECONDS - 60 <= first <= T0 + 7200 - WINDOW_SECONDS


def test_a_tape_drops_its_oldest_lines_when_it_has_too_many_bytes():
    tape = Tape(MEBIBYTE)
    for second in range(200):
        tape.add(RECEIVED, noise(100_000, second), T0 + second)
        assert tape.size <= 2 * MEBIBYTE
    kept = lines_of(tape, T0 + 200)
    assert sum(len(line) for _, _, line in kept) <= MEBIBYTE + SEGMENT_BYTES
    assert kept[-1][0] == T0 + 199


def test_a_flood_is_recorded_up_to_a_rate_and_the_tape_says_what_it_left_out():
    tape = Tape(16 * MEBIBYTE)
    count, line = 1000, noise(10_000)
    for number in range(count):
        tape.add(RECEIVED, line, T0 + number / 10_000)
    tape.add(RECEIVED, b"later", T0 + 60)
    kept = lines_of(tape, T0 + 60)
    recorded = [said for _, direction, said in kept if direction == RECEIVED]
    left = [json.loads(said) for _, direction, said in kept if direction == LEFT_OUT]
    assert sum(map(len, recorded)) <= BURST + 100_000
    assert len(recorded) - 1 + sum(gap["messages"] for gap in left) == count
    assert all(gap["bytes"] == gap["messages"] * len(line) for gap in left)


def test_half_an_hour_of_large_states_every_five_seconds_fits_into_a_tenth_of_them():
    tape, chance = Tape(flight_recorder.TOTAL_BYTES), random.Random(2)
    raw = 0
    for cycle in range(1, 361):
        skips = [
            {"match_key": f"group-{number}", "reason": "insufficient cash", "edge": chance.random()}
            for number in range(1000)
        ]
        line = json.dumps(state(cycle, last_cycle={"decisions": skips})).encode()
        raw += len(line)
        tape.add(RECEIVED, line, T0 + 5 * cycle)
    assert raw > 25 * MEBIBYTE
    assert len(lines_of(tape, T0 + 1800)) == 360
    assert tape.size < flight_recorder.TOTAL_BYTES


async def test_a_recording_says_why_it_was_made_and_holds_what_was_heard_and_sent(tmp_path):
    recorder = FlightRecorder(tmp_path, ["arb", "other"], clock=Clock())
    recorder.record("arb", RECEIVED, json.dumps(state(1)).encode(), T0 - 2)
    recorder.record("arb", SENT, b'{"type": "kill_switch", "activate": true}\n', T0 - 1)
    recorder.record("arb", RECEIVED, b"nonsense", T0)
    recorder.record("other", RECEIVED, json.dumps(heartbeat()).encode(), T0)
    path = await recorder.dump("arb", "kill switch active")
    about, *rows = read(path)
    assert path.name == "flight-arb-20261120T175320Z.jsonl.gz"
    assert (about["bot"], about["why"], about["at"]) == ("arb", "kill switch active", T0)
    assert rows == [
        {"at": T0 - 2, "direction": "received", "message": state(1)},
        {"at": T0 - 1, "direction": "sent", "message": {"type": "kill_switch", "activate": True}},
        {"at": T0, "direction": "received", "unreadable": "not_json", "bytes": 8},
    ]


async def test_no_credential_gets_into_a_recording(tmp_path):
    recorder = FlightRecorder(tmp_path, ["arb"], clock=Clock())
    secret = "hunter2-hunter2"
    settings = {
        "KALSHI_KEY_ID": secret,
        "POLYMARKET_API_SECRET": {"nested": [secret]},
        "ARB_LIVE_MODE": False,
    }
    for message in (
        {**state(1), "config_snapshot": settings, "auth": {"token": [secret, {"private": secret}]}},
        {"type": "update_config", "key": "KALSHI_KEY_ID", "value": secret},
        {"type": "update_config_ack", "key": "KALSHI_KEY_ID", "ok": True, "old": secret, "new": secret},
    ):
        recorder.record("arb", RECEIVED, json.dumps(message).encode(), T0)
    path = await recorder.dump("arb", "x")
    assert secret not in gzip.decompress(path.read_bytes()).decode()
    assert read(path)[1]["message"]["config_snapshot"]["ARB_LIVE_MODE"] is False


def test_money_in_an_account_is_no_credential():
    told = {"type": "state", "account_equity": 1000.0, "account": {"id": "DU123", "cash": 5.0}}
    assert without_credentials(told) == {
        "type": "state",
        "account_equity": 1000.0,
        "account": {"id": "(removed)", "cash": 5.0},
    }


async def test_alarms_that_come_together_are_one_recording_and_a_later_one_is_another(tmp_path):
    clock, told = Clock(), []
    recorder = FlightRecorder(
        tmp_path, ["arb"], clock=clock, told=lambda bot, path, why: told.append((bot, why))
    )
    recorder.record("arb", RECEIVED, b'{"type": "x"}', T0)
    recorder.ask("arb", "cap breached")
    recorder.ask("arb", "kill switch active")
    await recorder.written()
    clock.now += flight_recorder.PAUSE_SECONDS
    recorder.ask("arb", "killed")
    await recorder.written()
    assert told == [("arb", "cap breached"), ("arb", "killed")]
    assert len(list(tmp_path.iterdir())) == 2


async def test_two_recordings_of_one_second_are_two_files(tmp_path):
    recorder = FlightRecorder(tmp_path, ["arb"], clock=Clock())
    first, second = await recorder.dump("arb", "a"), await recorder.dump("arb", "b")
    assert first != second
    assert [read(first)[0]["why"], read(second)[0]["why"]] == ["a", "b"]


async def test_the_oldest_recordings_go_and_nothing_else_in_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(flight_recorder, "KEPT_FILES", 3)
    clock = Clock()
    recorder = FlightRecorder(tmp_path, ["arb"], clock=clock)
    (tmp_path / "reporting.db").write_text("not mine")
    paths = []
    for number in range(5):
        clock.now += 60
        paths.append(await recorder.dump("arb", str(number)))
    assert sorted(tmp_path.iterdir()) == sorted([*paths[2:], tmp_path / "reporting.db"])


async def test_a_folder_that_cannot_be_written_costs_a_recording_and_nothing_more(tmp_path, caplog):
    recorder = FlightRecorder(tmp_path / "is not there", ["arb"], clock=Clock())
    recorder.ask("arb", "killed")
    await recorder.written()
    assert recorder.failures == 1
    assert "cannot be written" in caplog.text


@pytest.mark.parametrize("direction", [RECEIVED, SENT])
def test_a_line_with_its_end_is_one_line(direction):
    tape = Tape(MEBIBYTE)
    tape.add(direction, b'{"type": "x"}\n', T0)
    tape.add(direction, b"", T0)
    assert lines_of(tape, T0) == [(T0, direction, b'{"type": "x"}'), (T0, direction, b"")]
