"""The committed Compose files in a real engine, seen through the ports that they publish.

Images are stand-ins (docker_images.py); Grafana is the real program only where one is installed.
"""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.stack.docker_engine import Engine, NoEngineError, own_engine
from tests.stack.docker_images import GRAFANA_LABEL, image_names, make_stand_ins

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
ALERT_PATH = "tradebot_exporter_alert_path_timestamp_seconds"
SERVICES = ("arb-bot", "exporter", "prometheus", "alertmanager", "grafana")
ONE_SHOTS = ("first-start", "receivers", "welcome")
PORTS = ("GRAFANA_PORT", "EXPORTER_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT")


@dataclass(frozen=True)
class Stack:
    """A copy of the project in a folder of its own, run by an engine on free ports."""

    engine: Engine
    folder: Path
    ports: dict[str, int]
    files: tuple[str, ...] = ("docker-compose.yml",)

    def compose(self, *arguments: str) -> str:
        named = [part for file in self.files for part in ("--file", file)]
        return self.engine.docker("compose", *named, *arguments, cwd=self.folder)

    def inspect(self, service: str) -> dict[str, Any]:
        container = self.compose("ps", "--all", "--quiet", service).strip()
        (found,) = json.loads(self.engine.docker("inspect", container))
        return found

    def health(self, service: str) -> str:
        return self.inspect(service)["State"]["Health"]["Status"]

    def exit_code(self, service: str) -> int | None:
        state = self.inspect(service)["State"]
        return state["ExitCode"] if state["Status"] == "exited" else None

    def url(self, port: str, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = json.loads(get(self.url("PROMETHEUS_PORT", f"/api/v1/query?query={quote(expression)}")))
        return answer["data"]["result"]

    def grafana_is_real(self) -> bool:
        return self.inspect("grafana")["Config"]["Labels"][GRAFANA_LABEL] == "real"


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Return once `condition` is true; that nothing answers yet is not a failure yet."""
    end = time.monotonic() + seconds
    while True:
        try:
            last = condition()
        except OSError as error:
            last = error
        if last and not isinstance(last, OSError):
            return
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds:.0f} s: {what} (last seen: {last})")
        time.sleep(0.5)


def free_ports(names: tuple[str, ...]) -> dict[str, int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        return {name: listening.getsockname()[1] for name, listening in zip(names, sockets, strict=True)}


def copy_project(folder: Path) -> Path:
    """The files of this checkout as git sees them, committed or not yet."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """The stack after `docker compose up`, until everything said it is healthy; removed afterwards."""
    try:
        stack.compose("up", "--detach", "--build", "--quiet-pull")
        until(lambda: stack.exit_code("welcome") is not None, "the welcome at the end of a start")
        yield stack
    except BaseException:
        print(stack.compose("ps", "--all"), stack.compose("logs", "--no-color", "--tail", "20"))
        raise
    finally:
        stack.compose("down", "--volumes", "--timeout", "10")


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    try:
        with own_engine(ROOT / "build" / "docker") as engine:
            make_stand_ins(engine)
            yield engine
    except NoEngineError as error:
        pytest.skip(f"no Docker engine for the Compose files: {error}")


def stack_environ(engine: Engine, name: str, ports: dict[str, int]) -> Engine:
    chosen = {variable: str(port) for variable, port in ports.items()}
    return Engine({**engine.environ, **chosen, "COMPOSE_PROJECT_NAME": name, "HISTORY_DAYS": "1"})


@pytest.fixture(scope="module")
def stack(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    ports = free_ports(PORTS)
    folder = copy_project(tmp_path_factory.mktemp("project"))
    with running(Stack(stack_environ(engine, "tradebot-test", ports), folder, ports)) as stack:
        yield stack


def test_every_service_becomes_healthy_and_the_one_shots_end_well(stack: Stack) -> None:
    for service in SERVICES:
        until(lambda service=service: stack.health(service) == "healthy", f"{service} healthy")
    assert {name: stack.exit_code(name) for name in ONE_SHOTS} == dict.fromkeys(ONE_SHOTS, 0)


def test_the_exporter_answers_on_its_published_port_and_sees_the_demo_bot(stack: Stack) -> None:
    until(lambda: 'tradebot_up{bot="arb"} 1' in get(stack.url("EXPORTER_PORT", "/metrics")), "the bot is up")
    page = get(stack.url("EXPORTER_PORT", "/"))
    assert "arb" in page
    assert "Mitigation" in get(stack.url("EXPORTER_PORT", "/runbooks/TradebotDisconnected"))
    assert len(page.encode()) < 100_000


def test_prometheus_scrapes_the_bots_series_and_has_loaded_every_rule_file(stack: Stack) -> None:
    until(lambda: stack.query('tradebot_up{bot="arb"} == 1'), "the bot's series in Prometheus")
    groups = json.loads(get(stack.url("PROMETHEUS_PORT", "/api/v1/rules")))["data"]["groups"]
    assert {Path(group["file"]).name for group in groups} == {
        p.name for p in (ROOT / "prometheus/rules").glob("*.yml")
    }
    assert [rule for group in groups for rule in group["rules"] if rule["health"] == "err"] == []


def test_everything_is_published_on_loopback_and_the_control_socket_not_at_all(stack: Stack) -> None:
    for service in SERVICES:
        bindings = stack.inspect(service)["HostConfig"]["PortBindings"] or {}
        assert {bound["HostIp"] for port in bindings.values() for bound in port} <= {"127.0.0.1"}
    assert not stack.inspect("arb-bot")["HostConfig"]["PortBindings"]


def test_only_the_exporter_shares_a_network_with_the_bot(stack: Stack) -> None:
    networks = {name: set(stack.inspect(name)["NetworkSettings"]["Networks"]) for name in SERVICES}
    (bots,) = networks["arb-bot"]
    assert [name for name, joined in networks.items() if bots in joined] == ["arb-bot", "exporter"]
    address = stack.inspect("arb-bot")["NetworkSettings"]["Networks"][bots]["IPAddress"]
    assert reaches(stack, "exporter", address)
    assert not reaches(stack, "prometheus", address)


def reaches(stack: Stack, service: str, address: str) -> bool:
    """Whether a connection from a service's container to the control socket comes about."""
    # The stand-ins have Python. Dropped packets would wait for minutes.
    connect = f"socket.socket().connect_ex(({address!r}, 9120))"
    program = f"import socket; socket.setdefaulttimeout(3); print({connect})"
    return stack.compose("exec", "--no-TTY", service, "python3", "-c", program).strip() == "0"


def test_no_container_runs_as_root_writes_to_its_image_or_keeps_a_capability(stack: Stack) -> None:
    for service in (*SERVICES, *ONE_SHOTS):
        seen = stack.inspect(service)
        assert seen["Config"]["User"].partition(":")[0] not in {"", "0", "root"}, service
        assert seen["HostConfig"]["ReadonlyRootfs"], service
        assert seen["HostConfig"]["CapDrop"] == ["ALL"], service
        assert seen["HostConfig"]["SecurityOpt"] == ["no-new-privileges:true"], service
        assert seen["HostConfig"]["Memory"] > 0, service


def test_the_welcome_names_the_page_and_tells_no_password(stack: Stack) -> None:
    said = stack.compose("logs", "--no-log-prefix", "welcome")
    assert f"http://localhost:{stack.ports['GRAFANA_PORT']}/d/tradebot-live/live" in said
    assert "make login" in said
    assert not any(word in said for word in login(stack).split() if len(word) > 15)


def login(stack: Stack) -> str:
    command = ["make", "--silent", "login"]
    return subprocess.run(
        command, cwd=stack.folder, env=stack.engine.environ, capture_output=True, check=True, text=True
    ).stdout


def test_a_second_start_keeps_the_passwords_and_ends_well_again(stack: Stack) -> None:
    before = login(stack)
    stack.compose("up", "--detach")
    until(lambda: stack.exit_code("welcome") is not None, "the second welcome")
    assert stack.exit_code("welcome") == 0
    assert login(stack) == before


def test_a_real_grafana_shows_the_bot_to_the_walls_user(stack: Stack) -> None:
    if not stack.grafana_is_real():
        pytest.skip("Grafana is a stand-in here: no Grafana is installed on this machine (GRAFANA_HOME)")
    line = next(line for line in login(stack).splitlines() if "user wall" in line)
    wall = line.partition("password ")[2].split()[0]
    host = f"localhost:{stack.ports['GRAFANA_PORT']}"
    opener = urllib.request.build_opener(urllib.request.HTTPHandler())
    passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
    passwords.add_password(None, f"http://{host}/", "wall", wall, is_authenticated=True)
    opener.add_handler(urllib.request.HTTPBasicAuthHandler(passwords))
    page = json.load(opener.open(f"http://{host}/api/dashboards/uid/tradebot-live"))
    assert page["meta"]["provisioned"]
    query = f"http://{host}/api/datasources/proxy/uid/prom/api/v1/query?query={quote('tradebot_up')}"
    assert json.load(opener.open(query))["data"]["result"]

    def asked_of_the_ledger() -> list[Any]:
        sql = "SELECT bot, CAST(as_of AS REAL) AS as_of FROM bots"
        source = {"type": "frser-sqlite-datasource", "uid": "bot-sqlite"}
        query = {
            "refId": "A",
            "datasource": source,
            "queryText": sql,
            "queryType": "table",
            "timeColumns": [],
        }
        body = json.dumps({"from": "now-1h", "to": "now", "queries": [query]}).encode()
        request = urllib.request.Request(
            f"http://{host}/api/ds/query", body, {"Content-Type": "application/json"}
        )
        (frame,) = json.load(opener.open(request))["results"]["A"]["frames"]
        return list(frame["data"]["values"])

    # Read-only, by another user than the one who writes it, while it is written.
    (bots, (before,)) = asked_of_the_ledger()
    assert bots == ["arb"]
    until(lambda: asked_of_the_ledger()[1] > [before], "the exporter's next second in Grafana")


def test_alertmanager_is_up_and_receives_the_watchdog(stack: Stack) -> None:
    # Late in this file: what fires before Alertmanager is found is sent again only after a minute.
    assert get(stack.url("ALERTMANAGER_PORT", "/-/ready"))
    alerts = stack.url("ALERTMANAGER_PORT", "/api/v2/alerts")
    until(lambda: "Watchdog" in get(alerts), "the Watchdog in Alertmanager")


def alert_path_is_proven(stack: Stack) -> bool:
    """Whether the Watchdog came back to the exporter within two minutes, by what Prometheus scraped."""
    return bool(stack.query(f"time() - {ALERT_PATH} < 120"))


def test_the_watchdog_comes_back_to_the_exporter(stack: Stack) -> None:
    until(lambda: alert_path_is_proven(stack), "the Watchdog at the exporter")


def test_a_second_start_tells_whom_was_set_meanwhile_and_others_cannot_read_it(stack: Stack) -> None:
    def listed() -> str:
        return stack.compose("exec", "--no-TTY", "alertmanager", "ls", "-ln", "/run/alertmanager")

    def status() -> str:
        return get(stack.url("ALERTMANAGER_PORT", "/api/v2/status"))

    (line,) = (line for line in listed().splitlines() if line.endswith(" alertmanager.yml"))
    assert line.split()[:4] == ["-rw-r-----", "1", "10001", "0"]
    assert "Alerts are told to nobody" in stack.compose("logs", "--no-log-prefix", "welcome")
    assert "slack_configs" not in status()

    (stack.folder / "secrets" / "slack_url").write_text("http://127.0.0.1:9/services/none\n")
    (stack.folder / "secrets" / "pagerduty_key").write_text("")
    (stack.folder / "secrets" / "telegram_token").touch(0o600)
    stack.compose("up", "--detach")
    until(lambda: stack.exit_code("welcome") is not None, "the welcome after a change")
    said = stack.compose("logs", "--no-log-prefix", "welcome")
    assert "Alerts are told to Slack." in said
    assert "PagerDuty is off: secrets/pagerduty_key is empty." in said
    assert (
        "Telegram is off: secrets/telegram_token may not be read: chmod 644 secrets/telegram_token." in said
    )
    assert "slack_configs" in status()
    assert stack.exit_code("receivers") == 0
    for name in ("slack_url", "pagerduty_key", "telegram_token"):
        (stack.folder / "secrets" / name).unlink()


def test_a_rebuilt_exporter_leaves_the_bots_container_running(stack: Stack) -> None:
    def running_since(service: str) -> tuple[str, str]:
        seen = stack.inspect(service)
        return seen["Id"], seen["State"]["StartedAt"]

    bot, exporter = running_since("arb-bot"), running_since("exporter")
    changed = stack.folder / "exporter" / "__init__.py"
    changed.write_text(changed.read_text() + "\n# another version\n")
    stack.compose("up", "--detach", "--build")
    assert running_since("exporter") != exporter
    assert running_since("arb-bot") == bot
    until(
        lambda: 'tradebot_up{bot="arb"} 1' in get(stack.url("EXPORTER_PORT", "/metrics")),
        "the bot is seen again",
    )


def test_a_bot_on_this_hosts_loopback_is_watched_without_the_demo_bot(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    ports = free_ports((*PORTS, "BOT"))
    folder = copy_project(tmp_path_factory.mktemp("project"))
    settings = folder / "deploy" / "own-bot-exporter.yml"
    settings.write_text(settings.read_text().replace("port: 9120", f"port: {ports['BOT']}"))
    command = [sys.executable, "-m", "arb_bot", "--port", str(ports["BOT"]), "--data-dir", str(tmp_path)]
    bot = subprocess.Popen([*command, "--interval", "1"], cwd=ROOT, stdout=subprocess.DEVNULL)
    files = ("docker-compose.yml", "deploy/own-bot.yml")
    stack = Stack(stack_environ(engine, "tradebot-own-test", ports), folder, ports, files)
    try:
        with running(stack):
            until(lambda: stack.query('tradebot_up{bot="mybot"} == 1'), "the bot's series in Prometheus")
            assert stack.exit_code("welcome") == 0
            for service in ("exporter", "prometheus", "alertmanager", "grafana"):
                until(lambda service=service: stack.health(service) == "healthy", f"{service} healthy")
            assert "arb-bot" not in stack.compose("ps", "--services")
            found = json.loads(get(stack.url("PROMETHEUS_PORT", "/api/v1/alertmanagers")))
            assert len(found["data"]["activeAlertmanagers"]) == 1
            assert get(stack.url("ALERTMANAGER_PORT", "/-/ready"))
            until(lambda: alert_path_is_proven(stack), "the Watchdog at the exporter")
    finally:
        bot.terminate()
        bot.wait(20)


def test_each_image_is_pinned_to_a_version() -> None:
    assert sorted(image_names()) == ["grafana/grafana", "prom/alertmanager", "prom/prometheus", "python"]
    assert all(":" in name and not name.endswith(":latest") for name in image_names().values())
