"""The program as a process: watched and killed over its socket, stopped by signals, refused at start."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.arb_bot.lab import query

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0
UNFINISHED = "SELECT COUNT(*) FROM order_intents WHERE status IN ('pending', 'submitted')"
QUICK = {
    "ARB_MIN_EXPECTED_PROFIT_USD": "0.02",
    "ARB_MIN_NET_EDGE_PER_CONTRACT": "0.001",
    "ARB_MARKET_COOLDOWN_SECONDS": "1",
}


class Bot:
    """A running bot and a client of its control socket."""

    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "arb_bot", "--data-dir", str(folder), "--port", "0", *arguments]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ARB_", "KALSHI_", "POLYMARKET_"))}
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=clean | environ, stderr=subprocess.PIPE, text=True, bufsize=1
        )
        self.log = ""

    def connect(self) -> None:
        """Wait for the port in the log, then connect."""
        assert self.process.stderr
        while "control socket on" not in self.log:
            line = self.process.stderr.readline()
            assert line, f"the bot ended: {self.log}"
            self.log += line
        port = int(self.log.split("control socket on 127.0.0.1:")[1].split()[0])
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.lines = self.socket.makefile("rb")

    def send(self, **message: object) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The next message for which `wanted` holds."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            line = self.lines.readline()
            assert line, "the bot closed the connection"
            message: dict[str, Any] = json.loads(line)
            if wanted(message):
                return message
        raise AssertionError("what was wanted never came")

    def wait(self) -> int:
        """Its exit code; what it wrote to stderr is in `log` then."""
        assert self.process.stderr
        rest = self.process.stderr.read()
        self.log += rest
        return self.process.wait(timeout=PATIENCE)

    def placed(self) -> list[dict[str, Any]]:
        lines = [line for path in self.folder.glob("venue_*.jsonl") for line in path.read_text().splitlines()]
        return [message for line in lines if (message := json.loads(line))["action"] == "place"]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Bot]]:
    bots: list[Bot] = []

    def start(*arguments: str, **environ: str) -> Bot:
        bots.append(Bot(tmp_path / "data", *arguments, **environ))
        return bots[-1]

    yield start
    for bot in bots:
        if bot.process.poll() is None:
            bot.process.kill()
            bot.process.wait()
        if bot.process.stderr:
            bot.process.stderr.close()
        if hasattr(bot, "socket"):
            bot.lines.close()
            bot.socket.close()


def is_state(message: dict[str, Any]) -> bool:
    return bool(message["type"] == "state")


def test_a_bot_is_watched_killed_and_proven_quiet(run: Callable[..., Bot]) -> None:
    bot = run("--seed", "4", "--interval", "0.2", "--speed", "20", **QUICK)
    bot.connect()
    first = bot.receive(is_state)
    assert first["status"] == "paper"
    assert bot.receive(lambda m: m["type"] == "heartbeat")["loop_lag_seconds"] < 5
    bot.receive(lambda m: is_state(m) and m["last_order_ts"])
    bot.send(type="kill_switch", activate=True, id="k1")
    ack = bot.receive(lambda m: m["type"] == "kill_switch_ack")
    acked_at = time.time()
    assert (ack["active"], ack["ok"], ack["id"]) == (True, True, "k1")
    state = bot.receive(lambda m: is_state(m) and m["kill_switch"]["active"])
    assert state["status"] == "killed"
    assert (bot.folder / ".kill_switch").exists()
    bot.receive(lambda m: is_state(m) and not any(w["count"] for w in m["working_orders"].values()))
    cycle = state["cycle"]
    bot.receive(lambda m: is_state(m) and m["cycle"] > cycle + 10)
    assert [order for order in bot.placed() if order["ts"] > acked_at] == []
    assert bot.placed(), "it did trade before"


def test_a_kill_file_made_by_hand_halts_a_running_bot_and_its_next_start(run: Callable[..., Bot]) -> None:
    bot = run("--interval", "60")
    bot.connect()
    bot.receive(is_state)
    (bot.folder / ".kill_switch").touch()
    state = bot.receive(is_state)
    assert state["kill_switch"]["cause"] == "operator", "pushed long before the next cycle is due"
    bot.process.send_signal(signal.SIGINT)
    assert bot.wait() == 0
    again = run("--interval", "60")
    again.connect()
    assert again.receive(is_state)["status"] == "killed"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_cleanly_with_a_goodbye(run: Callable[..., Bot], number: signal.Signals) -> None:
    bot = run("--interval", "0.2", "--speed", "20", **QUICK)
    bot.connect()
    bot.receive(lambda m: is_state(m) and m["last_order_ts"])
    bot.process.send_signal(number)
    goodbye = bot.receive(lambda m: m["type"] == "goodbye")
    assert goodbye["reason"] == f"stopped by {number.name}"
    assert bot.wait() == 0
    assert not list(bot.folder.glob("*-wal"))
    assert query(bot.folder / "arb_orders.db", UNFINISHED) == [(0,)]


def test_minutes_end_by_themselves_and_history_fills_empty_stores_once(run: Callable[..., Bot]) -> None:
    bot = run("--minutes", "0.01", "--history-days", "0.3", "--seed", "1")
    assert bot.wait() == 0
    assert "simulated past: 100 %" in bot.log
    assert query(bot.folder / "analytics.db", "SELECT COUNT(*) FROM decisions") > [(0,)]
    again = run("--minutes", "0.01", "--history-days", "0.3")
    assert again.wait() == 0
    assert "simulated past" not in again.log


def test_a_port_that_is_taken_is_one_sentence_and_exit_code_2(run: Callable[..., Bot]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        bot = run("--port", str(port))
        assert bot.wait() == 2
    assert bot.log.splitlines() == [
        f"arb_bot: control socket: cannot listen on 127.0.0.1:{port}: another program listens there"
    ]


@pytest.mark.parametrize(
    ("environ", "arguments", "sentence"),
    [
        ({"ARB_DAILY_LOSS_CAP_USD": "nan"}, (), "ARB_DAILY_LOSS_CAP_USD: expected a number from 0 USD"),
        ({"ARB_MAX_CONTRACTS_PER_TRADE": "many"}, (), "expected a whole number"),
        ({"ARB_MAX_BANKROLL_FRACTION_PER_TRADE": "1.5"}, (), "from 0 to 1"),
        ({"KALSHI_ENABLED": "false", "POLYMARKET_ENABLED": "false"}, (), "nothing to trade"),
        ({"ARB_BANKROLL_BY_VENUE": "kalshi=-5"}, (), "each from 0 USD"),
        ({"ARB_LIVE_MODE": "true"}, (), "no real money can be traded"),
        ({}, ("--interval", "0"), "ARB_POLL_INTERVAL_SECONDS: expected a number from 0.2"),
        ({}, ("--data-dir", "/dev/null/data"), "cannot be made"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    run: Callable[..., Bot], environ: dict[str, str], arguments: tuple[str, ...], sentence: str
) -> None:
    bot = run(*arguments, **environ)
    assert bot.wait() == 2
    (line,) = bot.log.splitlines()
    assert line.startswith("arb_bot: ")
    assert sentence in line


def test_all_faults_of_the_settings_are_told_together(run: Callable[..., Bot]) -> None:
    bot = run(ARB_DAILY_LOSS_CAP_USD="-1", ARB_MAX_CONTRACTS_PER_TRADE="1.5")
    assert bot.wait() == 2
    assert len(bot.log.splitlines()) == 2


def test_an_unknown_setting_is_a_warning_that_names_it(run: Callable[..., Bot]) -> None:
    bot = run("--minutes", "0.001", ARB_DAILY_LOS_CAP_USD="5")
    assert bot.wait() == 0
    assert "ARB_DAILY_LOS_CAP_USD is no setting of this bot; did you mean ARB_DAILY_LOSS_CAP_USD?" in bot.log


@pytest.mark.parametrize("name", ["arb_orders.db", "analytics.db"])
def test_a_corrupt_store_is_one_sentence_and_stays_as_it_is(
    run: Callable[..., Bot], name: str, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / name).write_bytes(b"not a database " * 100)
    bot = run()
    assert bot.wait() == 2
    (line,) = bot.log.splitlines()
    assert name in line
    assert (tmp_path / "data" / name).read_bytes() == b"not a database " * 100


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_one_sentence(run: Callable[..., Bot], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    bot = run()
    assert bot.wait() == 2
    assert "cannot be written" in bot.log


def test_a_full_disk_at_start_is_one_sentence(tmp_path: Path) -> None:
    """A file size limit stands in for the disk; Python ignores SIGXFSZ, so writes fail as on a full one."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "from arb_bot.__main__ import main; sys.exit(main(['--data-dir', sys.argv[1], '--port', '0']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "arb_orders.db" in line


def test_help_explains_itself() -> None:
    command = [sys.executable, "-m", "arb_bot", "--help"]
    shown = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True
    ).stdout
    for word in ("examples:", "exit codes:", "--history-days", "ARB_DAILY_LOSS_CAP_USD", "simulated"):
        assert word in shown


def test_killed_with_sigkill_it_starts_in_safe_mode_or_clean_and_says_which(run: Callable[..., Bot]) -> None:
    bot = run("--interval", "0.2", "--speed", "20", "--seed", "4", **QUICK)
    bot.connect()
    bot.receive(lambda m: is_state(m) and any(w["count"] for w in m["working_orders"].values()))
    bot.process.kill()
    bot.process.wait()
    ((unfinished,),) = query(bot.folder / "arb_orders.db", UNFINISHED)
    again = run("--interval", "0.2")
    again.connect()
    state = again.receive(is_state)
    if unfinished:
        assert f"{unfinished} open intent(s) from prior session" in state["kill_switch"]["reason"]
    assert state["kill_switch"]["active"] == bool(state["kill_switch"]["reason"] != "ok")


def test_a_second_bot_on_the_same_folder_touches_nothing_of_the_first(run: Callable[..., Bot]) -> None:
    first = run("--seed", "4", "--interval", "0.2", "--speed", "20", **QUICK)
    first.connect()
    first.receive(lambda m: is_state(m) and any(w["count"] for w in m["working_orders"].values()))
    second = run("--port", "0")
    assert second.wait() == 2
    assert second.log.count("\n") == 1
    assert "another bot runs on the data folder" in second.log
    ended = "SELECT COUNT(*) FROM order_intents WHERE error LIKE 'the session ended%'"
    assert query(first.folder / "arb_orders.db", ended) == [(0,)]
    first.process.kill()
    first.process.wait()
    third = run("--minutes", "0.02")
    assert third.wait() == 0, "the system let go of the folder when the first one died"
