"""`make run`, whole: real programs on free ports, one Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALERT_PATH = "tradebot_exporter_alert_path_timestamp_seconds"
VARIABLES = (
    "ARB_CONTROL_SOCKET_PORT",
    "EXPORTER_PORT",
    "PROMETHEUS_PORT",
    "ALERTMANAGER_PORT",
    "GRAFANA_PORT",
)

pytestmark = pytest.mark.stack


def free_ports() -> dict[str, str]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in VARIABLES]
        return {name: str(taken.getsockname()[1]) for name, taken in zip(VARIABLES, sockets, strict=True)}


def answer(port: str, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
        return response.read().decode()


def wait_for(port: str, path: str, words: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    seen = ""
    while words not in seen:
        assert time.monotonic() < end, f"{words!r} not within {seconds} s at {path}: {seen[-500:]}"
        try:
            seen = answer(port, path)
        except OSError as error:
            seen = str(error)
        time.sleep(0.2)


def wait_for_words(said: list[str], words: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while words not in "".join(said):
        assert time.monotonic() < end, f"{words!r} not within {seconds} s: {''.join(said)[-2000:]}"
        time.sleep(0.2)


def doctor(environ: dict[str, str]) -> str:
    command = [sys.executable, "-m", "deploy.run_local", "--doctor"]
    return subprocess.run(
        command, cwd=ROOT, env=environ, text=True, capture_output=True, check=False, timeout=60
    ).stdout


def listening(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def test_the_whole_console_starts_with_one_command_and_stops_with_one_ctrl_c(tmp_path: Path) -> None:
    ports = free_ports()
    environ = {
        **os.environ,
        **ports,
        "DATA_DIR": str(tmp_path),
        "HISTORY_DAYS": "0",
        "ARB_POLL_INTERVAL_SECONDS": "1",
    }
    said: list[str] = []
    command = [sys.executable, "-m", "deploy.run_local"]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
    ) as run:
        assert run.stdout is not None
        reader = threading.Thread(target=said.extend, args=(run.stdout,))
        reader.start()
        try:
            wait_for(ports["EXPORTER_PORT"], "/metrics", 'tradebot_up{bot="arb"} 1', 60)
            wait_for(ports["EXPORTER_PORT"], "/", "arb", 10)
            if "Prometheus is not installed" not in "".join(said):
                query = "/api/v1/query?query=tradebot_up"
                wait_for(ports["PROMETHEUS_PORT"], query, '"bot":"arb"', 30)
                if "Alertmanager is not installed" not in "".join(said):
                    # The Watchdog went all the way: Prometheus, Alertmanager, the exporter.
                    wait_for(ports["EXPORTER_PORT"], "/metrics", f"\n{ALERT_PATH} ", 60)
                    wait_for_words(said, "Alerts are told to nobody", 30)
            asked = doctor(environ)
            assert "FAIL" not in asked, asked
            assert f"an exporter already answers at 127.0.0.1:{ports['EXPORTER_PORT']}" in asked
        finally:
            run.send_signal(signal.SIGINT)
            try:
                status = run.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                raise
            reader.join(10)
    assert status == 0, "".join(said)
    assert [name for name, port in ports.items() if listening(port)] == []


def test_a_taken_port_ends_the_start_with_one_sentence_and_status_2(tmp_path: Path) -> None:
    ports = free_ports()
    with socket.create_server(("127.0.0.1", int(ports["EXPORTER_PORT"]))):
        ended = subprocess.run(
            [sys.executable, "-m", "deploy.run_local"],
            cwd=ROOT,
            env={**os.environ, **ports, "DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"cannot start: port {ports['EXPORTER_PORT']} for the exporter is taken")
    assert ended.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
