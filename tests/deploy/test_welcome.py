"""The end of a start: the wall's user, the words, the login. Against a double of Grafana's user calls."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.first_start import ADMIN_PASSWORD, OPERATOR_TOKEN, WALL_PASSWORD, make_secrets
from deploy.welcome import Grafana, WelcomeError, greeting, main, provide_wall_user

PUBLIC = {"PUBLIC_URL": "http://wall.example:3000", "EXPORTER_PUBLIC_URL": "http://localhost:9121"}


class Double(ThreadingHTTPServer):
    """Users with passwords; every call with its method, path and Host."""

    daemon_threads = True

    def __init__(self) -> None:
        self.passwords = {"admin": "secret"}
        self.calls: list[tuple[str, str, str]] = []
        self.refuses_to_reload, self.reloaded_at = False, "1.7e+09"
        super().__init__(("127.0.0.1", 0), DoubleHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def reply(self, method: str, path: str, user: str, body: dict[str, str]) -> tuple[int, object]:
        if path in {"/api/health", "/-/healthy", "/-/ready"}:
            return 200, {}
        if path == "/metrics":
            return 200, f"alertmanager_config_last_reload_success_timestamp_seconds {self.reloaded_at}\n"
        if (method, path) == ("POST", "/-/reload"):
            return (500, "yaml: line 3") if self.refuses_to_reload else (200, {})
        if not user:
            return 401, {}
        match method, path:
            case "GET", "/api/user":
                known = True
            case "GET", "/api/users/lookup?loginOrEmail=wall":
                known = "wall" in self.passwords
            case ("POST", "/api/admin/users") | ("PUT", "/api/admin/users/7/password"):
                self.passwords[body.get("login", "wall")] = body["password"]
                known = True
            case _:
                known = False
        return (200, {"id": 7}) if known else (404, {})


class DoubleHandler(BaseHTTPRequestHandler):
    server: Double

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        login = base64.b64decode((self.headers["Authorization"] or "").removeprefix("Basic ")).decode()
        name, _, password = login.partition(":")
        user = name if password and self.server.passwords.get(name) == password else ""
        self.server.calls.append((self.command, self.path, self.headers["Host"]))
        status, answer = self.server.reply(self.command, self.path, user, json.loads(body or b"{}"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write((answer if isinstance(answer, str) else json.dumps(answer)).encode())

    do_GET = do_POST = do_PUT = do_any  # noqa: N815 - the names are http.server's

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def grafana() -> Iterator[Double]:
    with Double() as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def admin(server: Double, password: str = "secret") -> Grafana:
    return Grafana(server.url, PUBLIC["PUBLIC_URL"], "admin", password)


def test_the_walls_user_is_made_once_and_can_log_in(grafana: Double) -> None:
    provide_wall_user(admin(grafana), "look")
    provide_wall_user(admin(grafana), "look")
    assert grafana.passwords["wall"] == "look"
    assert [path for method, path, _ in grafana.calls if method != "GET"] == ["/api/admin/users"]


def test_a_wall_user_with_an_older_password_gets_the_one_that_login_tells(grafana: Double) -> None:
    grafana.passwords["wall"] = "old"
    provide_wall_user(admin(grafana), "look")
    assert grafana.passwords["wall"] == "look"


def test_every_call_carries_the_enforced_domain(grafana: Double) -> None:
    provide_wall_user(admin(grafana), "look")
    assert {host for _, _, host in grafana.calls} == {"wall.example:3000"}


def test_a_refused_admin_password_says_what_to_do(grafana: Double) -> None:
    with pytest.raises(WelcomeError, match="reset-admin-password"):
        provide_wall_user(admin(grafana, "of another time"), "look")


def test_the_greeting_comes_when_everything_answers_and_names_what_there_is(
    grafana: Double, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_secrets(tmp_path)
    grafana.passwords["admin"] = (tmp_path / ADMIN_PASSWORD).read_text()
    environ = {**PUBLIC, "EXPORTER_URL": grafana.url, "GRAFANA_URL": grafana.url}
    assert main(["--secrets", str(tmp_path)], environ) == 0
    said = capsys.readouterr().out
    assert "http://wall.example:3000/d/tradebot-live/live" in said
    assert "make login" in said
    assert grafana.passwords["wall"] == (tmp_path / WALL_PASSWORD).read_text()
    assert not any(password in said for password in grafana.passwords.values())


def test_a_proxy_of_the_machine_is_not_asked_for_the_consoles_own_programs(
    grafana: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_secrets(tmp_path)
    grafana.passwords["admin"] = (tmp_path / ADMIN_PASSWORD).read_text()
    (tmp_path / "receivers.txt").write_text("")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    environ = {
        **PUBLIC,
        **dict.fromkeys(("EXPORTER_URL", "GRAFANA_URL", "ALERTMANAGER_URL"), grafana.url),
    }
    assert main(["--secrets", str(tmp_path), "--alertmanager", str(tmp_path), "--wait", "0"], environ) == 0
    assert reloads(grafana) == 1


def reloads(server: Double) -> int:
    return [(method, path) for method, path, _ in server.calls].count(("POST", "/-/reload"))


def test_alertmanager_that_has_read_what_is_there_is_left_alone(grafana: Double, tmp_path: Path) -> None:
    (tmp_path / "receivers.txt").write_text("")
    grafana.reloaded_at = "9e+12"
    environ = {**PUBLIC, "EXPORTER_URL": grafana.url, "ALERTMANAGER_URL": grafana.url}
    assert main(["--secrets", str(tmp_path), "--alertmanager", str(tmp_path), "--wait", "0"], environ) == 0
    assert reloads(grafana) == 0


def test_alertmanager_reads_its_receivers_anew_and_the_last_lines_say_who_is_told(
    grafana: Double, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = tmp_path / "receivers.txt"
    said.write_text("Alerts are told to Slack.\nPagerDuty is off: secrets/pagerduty_key is empty.\n")
    environ = {**PUBLIC, "EXPORTER_URL": grafana.url, "ALERTMANAGER_URL": grafana.url}
    words = ["--secrets", str(tmp_path), "--alertmanager", str(tmp_path), "--wait", "0"]
    assert main(words, environ) == 0
    assert reloads(grafana) == 1
    assert capsys.readouterr().out.endswith(
        "  Alerts are told to Slack.\n  PagerDuty is off: secrets/pagerduty_key is empty.\n\n"
    )
    grafana.refuses_to_reload = True
    assert main(words, environ) == 1
    out, err = capsys.readouterr()
    assert "Operator page" in out, "the greeting comes all the same"
    assert err == "Alertmanager goes on with the receivers that it had: yaml: line 3\n"
    assert main(words, environ | {"ALERTMANAGER_URL": "http://127.0.0.1:1"}) == 1
    assert capsys.readouterr().err.startswith("Alertmanager did not answer at http://127.0.0.1:1")


def test_without_grafana_the_greeting_names_no_page_and_no_login(tmp_path: Path) -> None:
    said = greeting({"EXPORTER_PUBLIC_URL": "http://localhost:9121"})
    assert "http://localhost:9121" in said
    assert "Live page" not in said
    assert "login" not in said.lower()


def test_a_program_that_never_answers_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {**PUBLIC, "EXPORTER_URL": "http://127.0.0.1:1"}
    assert main(["--secrets", str(tmp_path), "--wait", "0"], environ) == 1
    assert capsys.readouterr().err.startswith("the exporter did not answer at http://127.0.0.1:1")


def test_login_prints_both_users_and_before_a_first_start_says_that_there_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--secrets", str(tmp_path), "--login"], {}) == 1
    assert capsys.readouterr().err.startswith("no login yet")
    make_secrets(tmp_path)
    assert main(["--secrets", str(tmp_path), "--login"], {}) == 0
    said = capsys.readouterr().out
    assert all(
        (tmp_path / name).read_text() in said for name in (ADMIN_PASSWORD, WALL_PASSWORD, OPERATOR_TOKEN)
    )
