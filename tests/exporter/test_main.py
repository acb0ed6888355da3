"""The program as people start it: it explains itself, refuses bad input in a sentence, runs and stops."""

import asyncio
import json
import logging
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from exporter.__main__ import main
from tests.doubles import messages
from tests.doubles.scripted_bot import ScriptedBot
from tests.exporter.program import LONGEST, Exporter, exporter, free_port, outcome, settings, start


@asynccontextmanager
async def bot() -> AsyncIterator[int]:
    """A bot on loopback that beats and pushes states, and its port."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cycle = 0
        try:
            while not writer.is_closing():
                cycle += 1
                now = time.time()
                beat = {
                    "type": "heartbeat",
                    "ts": now,
                    "phase": "cycle",
                    "loop_lag_seconds": 0,
                    "cycle": cycle,
                }
                state = {"type": "state", "ts": now, "cycle": cycle, "mode": "paper", "daily_pnl": 12.5}
                writer.write(b"".join(json.dumps(message).encode() + b"\n" for message in (beat, state)))
                await writer.drain()
                await asyncio.sleep(0.1)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_state_reaches_metrics_and_page_and_the_stop_is_clean(tmp_path: Path) -> None:
    async with bot() as bot_port, exporter(tmp_path, bot_port) as running:
        metrics = await running.until("/metrics", 'tradebot_daily_pnl_usd{bot="arb",source="bot"} 12.5')
        assert 'tradebot_connected{bot="arb"} 1' in metrics
        assert "process_resident_memory_bytes" in metrics
        page = (await running.get("/")).text
        assert "<h2>arb OK</h2>" in page
        assert "$12.50" in page
        code, log = await running.stop()
    assert code == 0
    assert "connected" in log
    assert log.rstrip().endswith("info service stopped")
    assert "Traceback" not in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_open_connections_do_not_delay_the_stop(tmp_path: Path, number: signal.Signals) -> None:
    async with exporter(tmp_path, free_port()) as running:
        address = ("127.0.0.1", running.port)
        _, silent = await asyncio.open_connection(*address)
        _, half = await asyncio.open_connection(*address)
        half.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
        kept_reader, kept = await asyncio.open_connection(*address)
        kept.write(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await kept_reader.readline() == b"HTTP/1.1 200 OK\r\n"
        code, log = await running.stop(number)
        for writer in (silent, half, kept):
            writer.transport.abort()
    assert code == 0
    assert f"stopping on {number.name}" in log


async def test_ready_once_every_link_was_tried_even_if_no_bot_is_there(tmp_path: Path) -> None:
    async with exporter(tmp_path, free_port()) as running:
        assert (await running.get("/-/ready")).status_code == 200
        assert 'tradebot_connected{bot="arb"} 0' in (await running.get("/metrics")).text


async def test_links_on_the_page_follow_the_environment(tmp_path: Path) -> None:
    outside = {"PUBLIC_URL": "https://wall.example", "PROMETHEUS_PUBLIC_URL": "https://prom.example/"}
    async with exporter(tmp_path, free_port(), **outside) as running:
        page = (await running.get("/")).text
    assert '<a href="https://wall.example/d/tradebot-live">Live</a>' in page
    assert '<a href="https://prom.example">Prometheus</a>' in page


async def test_a_loss_cap_breach_survives_a_restart_of_the_exporter(tmp_path: Path) -> None:
    day = time.strftime("%Y-%m-%d", time.gmtime())
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "breach-arb.json").write_text(json.dumps({"day": day, "at": time.time()}))
    async with exporter(tmp_path, free_port()) as running:
        assert 'tradebot_daily_loss_breached{bot="arb"} 1' in (await running.get("/metrics")).text


async def test_a_bot_on_paper_is_on_paper_from_the_first_scrape_after_a_restart(tmp_path: Path) -> None:
    """Else its alerts would page until its next state, which may be a minute away."""
    on_paper = 'tradebot_tier{bot="arb",tier="paper"} 1'
    async with ScriptedBot() as bot:
        async with exporter(tmp_path, bot.port) as running:
            await bot.connected()
            await bot.send(messages.state(cycle=1, mode="paper"))
            await running.until("/metrics", on_paper)
            async with asyncio.timeout(LONGEST):
                while not (tmp_path / "data" / "mode-arb").exists():
                    await asyncio.sleep(0.02)
        async with exporter(tmp_path, bot.port) as running:
            assert on_paper in (await running.get("/metrics")).text


async def test_unused_parts_are_named_in_one_line(tmp_path: Path) -> None:
    port = free_port()
    path = tmp_path / "exporter.yml"
    path.write_text(f"bots: [{{name: e, kind: ema, port: {free_port()}, stores: {{trades: t.db}}}}]\n")
    running = Exporter(await start("--config", str(path), "--listen", f"127.0.0.1:{port}"), port)
    await running.until("/-/healthy", "healthy")
    _, log = await running.stop()
    assert next(line for line in log.splitlines() if "not used yet" in line).endswith("yet: stores of e")


async def test_a_bad_token_is_warned_of_where_only_this_machine_can_reach_it(tmp_path: Path) -> None:
    token = tmp_path / "ann_token"
    token.write_text("change-me-change-me-change-me")
    port = free_port()
    path = settings(tmp_path, free_port(), f"tokens: {{operators: {{ann: {token}}}}}\n")
    running = Exporter(await start("--config", path, "--listen", f"127.0.0.1:{port}"), port)
    await running.until("/-/healthy", "healthy")
    _, log = await running.stop()
    assert "the token of operator ann" in log and "looks like a sample" in log
    assert "change-me" not in log


async def test_a_bad_token_where_others_can_reach_it_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    token = tmp_path / "ann_token"
    token.write_text("")
    path = settings(tmp_path, free_port(), f"tokens: {{operators: {{ann: {token}}}}}\n")
    code, out, error = await outcome(await start("--config", path, "--listen", f"0.0.0.0:{free_port()}"))
    assert (code, out) == (2, "")
    (line,) = error.splitlines()
    assert f"the token of operator ann ({token}) is empty. On 0.0.0.0 others can reach this program" in line


async def test_a_folder_that_cannot_keep_latches_is_said_at_start_and_watching_goes_on(
    tmp_path: Path,
) -> None:
    path = settings(tmp_path, free_port(), "reporting_db: /proc/no/reporting.db\n")
    port = free_port()
    running = Exporter(await start("--config", path, "--listen", f"127.0.0.1:{port}"), port)
    await running.until("/-/ready", "ready\n")
    code, log = await running.stop()
    assert code == 0
    assert "latches will not survive a restart: nothing can be written in /proc" in log


async def test_a_taken_port_is_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        where = f"127.0.0.1:{other.getsockname()[1]}"
        program = await start("--config", settings(tmp_path, 9120), "--listen", where)
        code, out, error = await outcome(program)
    assert code == 2
    assert out == ""
    assert error.splitlines() == [
        f"cannot listen on {where}: Address already in use; "
        "stop what uses it, or choose another with --listen HOST:PORT."
    ]


# Without a process of its own: what needs no signal and no socket


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """`main` sets up logging for the whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("exporter").setLevel(logging.NOTSET)


def test_help_teaches_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for words in ("check-config", "doctor --timeout 70", "--listen", "PUBLIC_URL", "exit codes"):
        assert words in text


@pytest.mark.parametrize("command", [[], ["run"], ["check-config"]])
def test_bad_settings_are_all_said_and_end_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    path = tmp_path / "exporter.yml"
    path.write_text("listen: {port: 0}\nbots: [{name: A, kind: arb}]\n")
    assert main([*command, "--config", str(path)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{path}: 2 faults.",
        "  line 1: listen.port is 0, but expected a whole number from 1 to 65535.",
        "  line 2: bots[0].name is 'A', but expected a name of small letters, digits, - and _ (at most 64), "
        "such as `arb`.",
    ]


def test_bad_addresses_in_the_environment_end_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLIC_URL", "localhost:3000")
    assert main(["check-config", "--config", str(settings(tmp_path, 9120))]) == 2
    assert "PUBLIC_URL cannot be used: expected an address such as http" in capsys.readouterr().err


def test_check_config_says_what_it_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "exporter.yml"
    path.write_text("""\
reporting_db: /var/lib/tradebot/reporting.db
listen: {host: 0.0.0.0}
bots:
  - name: arb
    kind: arb
    expected_interval: 60
    stale_after: 200
    tier: paper
    kill_file: /data/.kill_switch
    stores: {orders: /data/arb_orders.db}
    schedule:
      - {tz: America/New_York, days: "thu, fri", from: "22:00", to: "05:00", reason: maintenance}
  - {name: slow, kind: arb, port: 9130}
""")
    assert main(["check-config", "--config", str(path)]) == 0
    assert (
        capsys.readouterr().out
        == f"""\
{path} is good.
  answers at         0.0.0.0:9121, on every address of this machine
  history            /var/lib/tradebot/reporting.db, latches beside it
  operator's day     UTC

bot arb (kind arb) at 127.0.0.1:9120
  states             every 60 s
  stale              after 200 s
  tier               paper: never pages anybody
  meant to be quiet  thu, fri 22:00 to 05:00 of the next day America/New_York: maintenance
  store orders       /data/arb_orders.db
  kill file          /data/.kill_switch

bot slow (kind arb) at 127.0.0.1:9130
  states             as often as they turn out to come
  stale              after three intervals, at least 15 s
  tier               by the bot's last known mode
"""
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--listen", "9121"], "expected HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "expected HOST:PORT"),
        (["doctor", "--timeout", "nan"], "expected seconds"),
        (["doctor", "--grafana", "wall"], "expected an address"),
        (["run", "--json"], "unrecognized arguments: --json"),
        (["smash"], "invalid choice"),
    ],
)
def test_a_bad_argument_is_refused_with_what_was_expected(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert says in capsys.readouterr().err


def test_the_doctor_reports_to_people_and_to_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("PUBLIC_URL", "GRAFANA_URL", "PROMETHEUS_URL", "ALERTMANAGER_URL"):
        monkeypatch.delenv(variable, raising=False)
    quiet = [f"--{name}=http://127.0.0.1:{free_port()}" for name in ("prometheus", "alertmanager", "grafana")]
    path = settings(tmp_path, free_port())
    arguments = [
        "doctor",
        "--config",
        str(path),
        "--listen",
        f"127.0.0.1:{free_port()}",
        "--timeout",
        "1",
        *quiet,
    ]
    assert main(arguments) == 1
    text = capsys.readouterr().out
    assert "PASS  config" in text
    assert "FAIL  arb socket" in text
    assert "connection refused" in text
    assert main([*arguments, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [finding["check"] for finding in report["findings"] if finding["level"] == "FAIL"] == [
        "arb socket",
        "prometheus",
        "alertmanager",
        "grafana",
    ]
