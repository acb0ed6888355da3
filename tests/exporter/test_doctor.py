"""The doctor names what goes wrong in the first hour, with its fix, and touches nothing on the way."""

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest

from exporter import doctor, doctor_files, doctor_network, doctor_receivers, doctor_stack
from exporter.config import BotConfig, Listen, addresses
from exporter.findings import Finding, as_json, exit_code, summary
from exporter.metrics_self import ALERT_PATH
from exporter.reporting.tables import MIRRORED, Table

ORDERS = MIRRORED["arb", "orders"]
ANALYTICS = MIRRORED["arb", "analytics"]


def bot_at(port: int, host: str = "127.0.0.1") -> BotConfig:
    return BotConfig(name="arb", kind="arb", host=host, port=port)


def message(**fields: object) -> bytes:
    return json.dumps({"ts": time.time()} | fields).encode() + b"\n"


@asynccontextmanager
async def socket_that(says: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:
    """A server on loopback that does one thing to each client, and its port."""

    serving: set[asyncio.Task[None]] = set()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        try:
            await says(writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# A bot's socket


async def test_a_bot_that_sends_states_passes_and_its_clock_is_compared() -> None:
    async def says(writer: asyncio.StreamWriter) -> None:
        writer.write(
            message(type="heartbeat") + message(type="state", cycle=7, mode="paper", pad="x" * 80_000)
        )
        await writer.drain()

    async with socket_that(says) as port:
        link, clock = await doctor_network.bot_socket(bot_at(port), 5, contained=False)
    assert (link.level, clock.level) == ("PASS", "PASS")
    assert "cycle 7, mode paper" in link.says


async def test_a_clock_that_is_off_is_a_warning() -> None:
    async def says(writer: asyncio.StreamWriter) -> None:
        writer.write(message(type="state", ts=time.time() - 90))

    async with socket_that(says) as port:
        _, clock = await doctor_network.bot_socket(bot_at(port), 5, contained=False)
    assert clock.level == "WARN"
    assert "behind" in clock.says
    assert "NTP" in clock.fix


async def test_a_bot_between_two_cycles_is_a_warning_with_what_was_heard() -> None:
    async def says(writer: asyncio.StreamWriter) -> None:
        writer.write(message(type="heartbeat"))
        await asyncio.sleep(5)

    async with socket_that(says) as port:
        (link, _) = await doctor_network.bot_socket(bot_at(port), 0.2, contained=False)
    assert link.level == "WARN"
    assert "1 heartbeats" in link.says
    assert "poll interval" in link.fix


async def test_a_bot_that_hangs_up_fails() -> None:
    async def says(_: asyncio.StreamWriter) -> None:
        return

    async with socket_that(says) as port:
        (link,) = await doctor_network.bot_socket(bot_at(port), 5, contained=False)
    assert link.level == "FAIL"
    assert "closed the connection" in link.says


@pytest.mark.parametrize(
    "line", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\xfe\n", b"[1]\n", b"x" * 100 + b"\n"]
)
async def test_another_program_on_the_port_is_told_from_a_bot(line: bytes) -> None:
    async def says(writer: asyncio.StreamWriter) -> None:
        writer.write(line)

    async with socket_that(says) as port:
        (link,) = await doctor_network.bot_socket(bot_at(port), 5, contained=False)
    assert link.level == "FAIL"
    assert "no message" in link.says


@pytest.mark.parametrize(
    ("host", "contained", "fix"),
    [
        ("127.0.0.1", True, "deploy/own-bot.yml"),
        ("localhost", True, "deploy/own-bot.yml"),
        ("127.0.0.1", False, "start the bot"),
    ],
)
async def test_nothing_listening_says_why_a_container_may_not_see_it(
    host: str, contained: bool, fix: str
) -> None:
    (link,) = await doctor_network.bot_socket(bot_at(free_port(), host), 5, contained=contained)
    assert link.level == "FAIL"
    assert fix in link.fix


async def test_an_unknown_host_name_fails_with_the_name() -> None:
    (link,) = await doctor_network.bot_socket(bot_at(9120, "no-such-bot.invalid"), 5, contained=True)
    assert link.level == "FAIL"
    assert "no-such-bot.invalid is not known" in link.says
    assert "Compose network" in link.fix


# Stores and kill files


def make_store(path: Path, tables: Sequence[Table], *, wal: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    if wal:
        connection.execute("PRAGMA journal_mode=WAL")
    for table in tables:
        key = f"{table.key} {'TEXT' if table.changed else 'INTEGER'} PRIMARY KEY"
        others = [name for name in table.names if name != table.key]
        connection.execute(f"CREATE TABLE {table.name} ({', '.join([key, *others])})")
    connection.commit()
    return connection


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder but SQLite's shared memory, which readers mark by design."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}


def test_recorded_stores_of_a_deployed_bot_pass_and_stay_untouched(samples: Path, tmp_path: Path) -> None:
    for name, schema in (("arb_orders.db", ORDERS), ("analytics.db", ANALYTICS)):
        shutil.copy(samples / "arb-session" / name, tmp_path / name)
        before = contents(tmp_path)
        found = doctor_files.store("arb store", tmp_path / name, schema)
        assert found.level == "PASS", found
        assert contents(tmp_path) == before


@pytest.mark.parametrize("wal", [True, False])
def test_a_store_that_was_closed_cleanly_gets_no_new_files_beside_it(tmp_path: Path, wal: bool) -> None:
    make_store(tmp_path / "orders.db", ORDERS, wal=wal).close()
    before = contents(tmp_path)
    found = doctor_files.store("arb store", tmp_path / "orders.db", ORDERS)
    assert found.level == "PASS"
    assert [path.name for path in tmp_path.iterdir()] == ["orders.db"]
    assert contents(tmp_path) == before


def test_a_store_that_a_bot_holds_open_is_read_through_its_sidecars(tmp_path: Path) -> None:
    writer = make_store(tmp_path / "orders.db", ORDERS, wal=True)
    before = contents(tmp_path)
    found = doctor_files.store("arb store", tmp_path / "orders.db", ORDERS)
    assert found.level == "PASS"
    assert "sidecars" in found.says
    assert contents(tmp_path) == before
    writer.close()


def test_a_copy_without_shared_memory_is_not_opened(tmp_path: Path) -> None:
    writer = make_store(tmp_path / "orders.db", ORDERS, wal=True)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("orders.db", "orders.db-wal"):
        shutil.copy(tmp_path / name, copy / name)
    writer.close()
    found = doctor_files.store("arb store", copy / "orders.db", ORDERS)
    assert found.level == "WARN"
    assert "no -shm" in found.says
    assert sorted(path.name for path in copy.iterdir()) == ["orders.db", "orders.db-wal"]


def test_a_store_of_another_kind_fails_with_what_it_lacks(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute("CREATE TABLE fills (id INTEGER PRIMARY KEY)")
    found = doctor_files.store("arb store", tmp_path / "x.db", ANALYTICS)
    assert found.level == "FAIL"
    assert "table decisions" in found.says
    assert "column fills.realized_pnl" in found.says


def test_what_stands_in_a_stores_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("hello, this is no database" * 10)
    (tmp_path / "empty.db").touch()
    (tmp_path / "cut.db").write_bytes(b"SQLite format 3\0" + b"\1" * 84)
    seen = {
        name: doctor_files.store("arb store", tmp_path / name, ORDERS)
        for name in ("text.db", "empty.db", "cut.db", "absent.db", "no/folder.db", ".", "text.db/x")
    }
    assert {name: finding.level for name, finding in seen.items()} == {
        "text.db": "FAIL",
        "empty.db": "WARN",
        "cut.db": "FAIL",
        "absent.db": "SKIP",
        "no/folder.db": "WARN",
        ".": "FAIL",
        "text.db/x": "FAIL",
    }
    assert not (tmp_path / "absent.db").exists()
    assert "not a SQLite database" in seen["text.db"].says
    assert "mount the bot's data folder" in seen["no/folder.db"].fix


@contextmanager
def no_superuser() -> Iterator[None]:
    """Root may read everything; as nobody, permissions count."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_store_of_another_user_fails_with_the_uid_to_use() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        make_store(folder / "orders.db", ORDERS, wal=False).close()
        (folder / "orders.db").chmod(0)
        folder.chmod(0o755)
        with no_superuser():
            found = doctor_files.store("arb store", folder / "orders.db", ORDERS)
            me = os.geteuid()
    assert found.level == "FAIL"
    assert f"cannot be read by uid {me}: Permission denied" in found.says
    assert f"run the exporter with the bot's uid ({os.getuid()})" in found.fix


def test_a_kill_file_in_a_folder_of_another_user_has_no_second_path() -> None:
    with TemporaryDirectory() as name:
        Path(name).chmod(0o555)
        with no_superuser():
            found = doctor_files.kill_file("kill", Path(name) / ".kill_switch")
    assert found.level == "WARN"
    assert "mount it writable" in found.fix


def test_a_kill_file_is_checked_without_writing_one(tmp_path: Path) -> None:
    path = tmp_path / ".kill_switch"
    assert doctor_files.kill_file("kill", path).level == "PASS"
    assert list(tmp_path.iterdir()) == []
    assert doctor_files.kill_file("kill", tmp_path / "no" / "kill").level == "WARN"
    path.touch()
    assert "exists: the bot is killed" in doctor_files.kill_file("kill", path).says
    link = tmp_path / "link"
    link.symlink_to(path)
    assert doctor_files.kill_file("kill", link).level == "FAIL"


def test_the_own_folder_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    assert doctor_files.own_folder(tmp_path).level == "PASS"
    assert list(tmp_path.iterdir()) == []
    assert "will be made" in doctor_files.own_folder(tmp_path / "a" / "b").says
    (tmp_path / "file").touch()
    assert doctor_files.own_folder(tmp_path / "file" / "x").level == "FAIL"
    assert doctor_files.own_folder(Path("/proc/latches")).level == "FAIL"


def test_a_clock_that_cannot_be_right_fails() -> None:
    assert doctor_files.clock(1_763_675_000.0).level == "PASS"
    assert doctor_files.clock(0.0).level == "FAIL"
    assert doctor_files.time_zones().level == "PASS"


# Ports, links and the programs around


@asynccontextmanager
async def web_server(answers: dict[str, tuple[int, object]]) -> AsyncIterator[str]:
    """An HTTP server on loopback with fixed answers by path, and its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, ""))
            data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_the_own_port_is_free_or_ours_or_taken() -> None:
    (free,) = await doctor_network.own_port(Listen(host="127.0.0.1", port=free_port()), 1)
    assert free.level == "PASS"
    async with web_server({"/metrics": (200, "tradebot_exporter_build_info 1\n")}) as url:
        (ours,) = await doctor_network.own_port(Listen(host="127.0.0.1", port=int(url.rsplit(":")[-1])), 1)
    async with web_server({}) as url:
        (taken,) = await doctor_network.own_port(Listen(host="127.0.0.1", port=int(url.rsplit(":")[-1])), 1)
    (foreign,) = await doctor_network.own_port(Listen(host="192.0.2.1", port=9121), 1)
    assert (ours.level, taken.level, foreign.level) == ("PASS", "FAIL", "FAIL")
    assert "another program" in taken.says


def test_links_to_this_machine_are_a_warning_where_others_can_reach_it() -> None:
    local, outside = addresses({}), addresses({"PUBLIC_URL": "https://wall.example"})
    everyone, nobody = Listen(host="0.0.0.0"), Listen()
    assert doctor_network.public_url(everyone, local, contained=False).level == "WARN"
    assert doctor_network.public_url(everyone, local, contained=True).level == "SKIP"
    assert doctor_network.public_url(nobody, local, contained=False).level == "PASS"
    assert doctor_network.public_url(everyone, outside, contained=False).level == "PASS"


def targets(health: str) -> tuple[int, object]:
    target = {
        "labels": {"job": "tradebot"},
        "scrapeUrl": "http://x/metrics",
        "health": health,
        "lastError": "why",
    }
    return 200, {"data": {"activeTargets": [{"labels": {"job": "other"}}, target]}}


async def test_prometheus_must_scrape_us_have_rules_and_know_an_alertmanager() -> None:
    good = {
        "/api/v1/targets?state=active": targets("up"),
        "/api/v1/rules?type=alert": (200, {"data": {"groups": [{}]}}),
        "/api/v1/alertmanagers": (200, {"data": {"activeAlertmanagers": [{"url": "http://am/"}]}}),
    }
    async with web_server(good) as url:
        found = await doctor_stack.prometheus(url, 5, wanted=True)
    assert [finding.level for finding in found] == ["PASS", "PASS", "PASS"]
    async with web_server({"/api/v1/targets?state=active": targets("down")}) as url:
        found = await doctor_stack.prometheus(url, 5, wanted=True)
    assert [finding.level for finding in found] == ["FAIL", "FAIL", "FAIL"]
    assert "why" in found[0].says
    async with web_server({"/api/v1/targets?state=active": (200, "[")}) as url:
        found = await doctor_stack.prometheus(url, 5, wanted=True)
    assert "no target of the job" in found[0].says


OWN_HOOK = """{url: <secret>, http_config: {authorization: {credentials_file: /x/alertmanager_token}}}"""
LOCAL_LINKS = "http://localhost:3000", "http://localhost:9121"
PUBLIC_LINKS = "https://wall.example", "https://desk.example"


async def told(receivers: str, links: tuple[str, str]) -> dict[str, Finding]:
    """What the doctor finds at an Alertmanager with these receivers, by check."""
    answer = {"/api/v2/status": (200, {"config": {"original": f"receivers: [{receivers}]"}})}
    async with web_server(answer) as url:
        named = {"ALERTMANAGER_URL": url, "PUBLIC_URL": links[0], "EXPORTER_PUBLIC_URL": links[1]}
        found = await doctor_receivers.alertmanager(addresses(named), 5, wanted=True)
    assert all(finding.fix for finding in found if finding.level != "PASS")
    return {f"{finding.level} {finding.check}": finding for finding in found}


async def test_an_alertmanager_that_tells_nobody_is_something_to_look_at() -> None:
    found = await told(f"{{name: page, webhook_configs: [{OWN_HOOK}]}}", LOCAL_LINKS)
    assert list(found) == ["PASS alertmanager", "WARN receivers"]
    assert "nobody is told" in found["WARN receivers"].says
    assert ".env" in found["WARN receivers"].fix
    assert list(await told("{name: default}", LOCAL_LINKS)) == [
        "PASS alertmanager",
        "WARN receivers",
        "WARN alert history",
    ]


async def test_who_is_told_is_said_and_a_phone_must_be_able_to_open_the_links() -> None:
    page = f"{{name: page, webhook_configs: [{OWN_HOOK}], slack_configs: [{{api_url_file: x}}]}}"
    switch = f"{{name: watchdog, webhook_configs: [{OWN_HOOK}, {{url: <secret>}}]}}"
    found = await told(f"{page}, {switch}", LOCAL_LINKS)
    assert list(found) == [
        "PASS alertmanager",
        "PASS receivers",
        "PASS dead-man's switch",
        "WARN links in messages",
    ]
    assert "told by slack; not by email, telegram, pagerduty, webhook" in found["PASS receivers"].says
    assert "EXPORTER_PUBLIC_URL" in found["WARN links in messages"].fix
    assert list(await told(f"{page}, {switch}", PUBLIC_LINKS))[-1] == "PASS links in messages"
    assert "WARN links in messages" in await told(page, (LOCAL_LINKS[0], PUBLIC_LINKS[1]))
    assert "WARN dead-man's switch" in await told(page, PUBLIC_LINKS)


async def test_warnings_that_are_told_while_what_is_critical_is_not_are_a_failure() -> None:
    notify = f"{{name: notify, webhook_configs: [{OWN_HOOK}], telegram_configs: [{{chat_id: 1}}]}}"
    assert "FAIL receivers" in await told(
        f"{{name: page, webhook_configs: [{OWN_HOOK}]}}, {notify}", PUBLIC_LINKS
    )
    assert "FAIL receivers" not in await told(notify, PUBLIC_LINKS)


async def test_an_alertmanager_that_says_nothing_of_itself_is_no_failure() -> None:
    assert list(await told("[", PUBLIC_LINKS)) == ["WARN alertmanager"]


@pytest.mark.parametrize(
    ("metric", "level", "words"),
    [
        ("", "WARN", "has not come back since"),
        (f"{ALERT_PATH.name} 970.5\n", "PASS", "came back 30 s ago"),
        (f"{ALERT_PATH.name} 7e2\n", "FAIL", "came back 300 s ago"),
    ],
)
async def test_the_way_of_an_alert_is_proven_by_the_watchdog_that_came_back(
    metric: str, level: str, words: str
) -> None:
    async with web_server({"/metrics": (200, f"tradebot_exporter_build_info 1\n{metric}")}) as url:
        listen = Listen(host="127.0.0.1", port=int(url.rpartition(":")[2]))
        (found,) = await doctor_receivers.alert_path(listen, 5, 1000.4)
    assert (found.level, bool(found.fix)) == (level, level != "PASS")
    assert words in found.says
    (gone,) = await doctor_receivers.alert_path(listen, 1, 1000.4)
    assert gone.level == "SKIP"


async def test_grafana_must_be_healthy() -> None:
    async with web_server({"/api/health": (200, {"database": "ok", "version": "12.3.3"})}) as url:
        (well,) = await doctor_stack.grafana(url, 5, wanted=True)
    async with web_server({"/api/health": (200, {"database": "failing"})}) as url:
        (ill,) = await doctor_stack.grafana(url, 5, wanted=True)
    assert (well.level, ill.level) == ("PASS", "FAIL")
    assert "12.3.3" in well.says


async def test_silence_fails_only_at_an_address_that_was_set_on_purpose() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    for check, where in (
        (doctor_stack.prometheus, url),
        (doctor_receivers.alertmanager, addresses({"ALERTMANAGER_URL": url})),
        (doctor_stack.grafana, url),
    ):
        (skipped,) = await check(where, 1, wanted=False)
        (failed,) = await check(where, 1, wanted=True)
        assert (skipped.level, failed.level) == ("SKIP", "FAIL")
        assert "refused" in skipped.says


# The whole examination


def given(path: Path, within: float = 1.0) -> doctor.Circumstances:
    quiet = {
        name: f"http://127.0.0.1:{free_port()}"
        for name in ("GRAFANA_URL", "PROMETHEUS_URL", "ALERTMANAGER_URL")
    }
    return doctor.Circumstances(path, None, addresses(quiet), frozenset(), within, contained=False)


async def examine(circumstances: doctor.Circumstances) -> tuple[list[Finding], list[str]]:
    progress: list[str] = []
    found = [finding async for finding in doctor.examine(circumstances, progress.append)]
    return found, progress


async def test_a_bad_file_fails_fault_by_fault_and_the_rest_is_still_checked(tmp_path: Path) -> None:
    path = tmp_path / "exporter.yml"
    path.write_text("bots: [{name: A, kind: b}]\n")
    found, _ = await examine(given(path))
    failed = [finding for finding in found if finding.level == "FAIL"]
    assert [finding.check for finding in failed] == ["config", "config"]
    assert "line 1: bots[0].kind" in failed[0].says
    assert exit_code(found) == 1
    assert {"time zones", "clock", "prometheus", "grafana"} <= {finding.check for finding in found}


async def test_a_good_start_has_no_failure_and_slow_checks_say_that_they_wait(tmp_path: Path) -> None:
    async def says(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(message(type="state", cycle=1, mode="paper"))

    path = tmp_path / "exporter.yml"
    async with socket_that(says) as port:
        path.write_text(
            f"listen: {{port: {free_port()}}}\n"
            f"bots: [{{name: arb, kind: arb, port: {port}, stores: {{orders: o.db}}, kill_file: kill}}]\n"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(doctor, "PATIENCE", 0.05)
            found, progress = await examine(given(path, within=5))
    assert exit_code(found) == 0, found
    assert progress == ["arb socket: waiting, up to 5 s …"]
    levels = {finding.check: finding.level for finding in found}
    assert levels["arb socket"] == levels["own port"] == levels["arb kill file"] == levels["config"] == "PASS"
    assert levels["arb store orders"] == levels["prometheus"] == "SKIP"
    assert [path.name for path in tmp_path.iterdir()] == ["exporter.yml"]


def test_a_report_is_read_by_people_and_by_programs() -> None:
    found = [Finding("PASS", "a", "fine"), Finding("FAIL", "b", "broken", "mend it")]
    assert str(found[1]).endswith("broken\n      fix: mend it")
    assert summary(found) == "1 passed, 0 to look at, 1 failed, 0 skipped."
    report = json.loads(as_json(found))
    assert report["ok"] is False
    assert report["findings"][1] == {"level": "FAIL", "check": "b", "says": "broken", "fix": "mend it"}
    assert exit_code(found[:1]) == 0


def test_which_addresses_were_set_is_seen() -> None:
    assert doctor.set_on_purpose({"GRAFANA_URL": "http://x", "PROMETHEUS_URL": ""}) == {"grafana"}
