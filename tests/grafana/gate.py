"""A Grafana with the committed data sources before a real exporter, whose bot keeps what it is asked."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import yaml

from deploy.first_start import make_secrets
from deploy.local_stack import write_provisioning
from deploy.programs import grafana_home
from grafana.__main__ import DASHBOARDS
from tests.doubles.bots import OwnBot
from tests.doubles.in_thread import served
from tests.stack.processes import HOST, ROOT, free_port, python, running

PROXY = "/api/datasources/proxy/uid/bot-admin"
PRESSED = {"X-Grafana-Action": "1"}
PASSWORD = "Xk3-people-of-the-test"
PEOPLE = {"viv": "Viewer", "ed": "Editor", "eve": "Admin"}
"""Users of Grafana and their roles; the exporter lets none of them change anything, but it lets `admin`."""
COMMITTED = ("GF_SECURITY_ACTIONS_ALLOW_POST_URL", "GF_DATAPROXY_SEND_USER_HEADER")


@dataclass(frozen=True)
class Gate:
    """What runs: the bot in memory, the address of Grafana, the exporter's, and who people are to Grafana."""

    bot: OwnBot
    grafana: str
    exporter: str
    people: Mapping[str, Mapping[str, str]]
    folder: Path

    def send(
        self, who: str, method: str, path: str, heads: Mapping[str, str] | None = None, body: str = "{}"
    ) -> tuple[int, str]:
        """Send a request to Grafana as somebody, its path exactly as it stands; status and body."""
        connection = HTTPConnection(self.grafana, timeout=20)
        whole = {"Content-Type": "application/json", **self.people[who], **(heads or {})}
        connection.request(method, path, None if method in {"GET", "HEAD"} else body, whole)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return answer.status, text

    def press(self, who: str, call: str, **query: str) -> tuple[int, dict[str, Any]]:
        """Press a button: what a page of Grafana sends then."""
        path = f"{PROXY}/api/bots/arb/{call}?{urllib.parse.urlencode(query)}"
        status, text = self.send(who, "POST", path, PRESSED)
        return status, json.loads(text) if text.startswith("{") else {}

    def asked(self) -> list[dict[str, Any]]:
        """What the bot was asked so far."""
        return list(self.bot.asked_for)

    def told(self) -> dict[str, Any]:
        """The bot as the exporter tells it."""
        token = (self.folder / "secrets" / "operator_token").read_text()
        heads = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"http://{self.exporter}/api/bots/arb", headers=heads)
        with urllib.request.urlopen(request, timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
        return told


@contextmanager
def gate(folder: Path) -> Iterator[Gate]:
    """All of it, with the bot connected and people in Grafana."""
    home = grafana_home(os.environ)
    assert home is not None
    make_secrets(folder / "secrets")
    write_provisioning(folder / "provisioning", folder / "secrets")
    exporter, grafana = (f"{HOST}:{free_port()}" for _ in range(2))
    bot = OwnBot()
    with (
        served(bot, interval=0.5) as stands,
        running(
            python("-m", "exporter", "--config", _settings(folder, exporter, stands.port)),
            folder / "exporter.log",
            lambda: _answers(f"http://{exporter}/-/ready"),
        ),
        running(
            [home / "bin" / "grafana", "server", "--homepath", home],
            folder / "grafana.log",
            lambda: _answers(f"http://{grafana}/api/health"),
            _environ(folder, exporter, grafana),
        ),
    ):
        people = {"admin": _basic("admin", "admin"), "nobody": {}}
        found = Gate(bot, grafana, exporter, people, folder)
        for name, role in PEOPLE.items():
            people[name] = _basic(name, PASSWORD)
            _make(found, "/api/admin/users", {"login": name, "password": PASSWORD, "OrgId": 1})
            user = json.loads(found.send("admin", "GET", f"/api/users/lookup?loginOrEmail={name}")[1])
            change = json.dumps({"role": role})
            assert found.send("admin", "PATCH", f"/api/org/users/{user['id']}", body=change)[0] == 200
        account = _make(found, "/api/serviceaccounts", {"name": "robot", "role": "Admin"})
        token = _make(found, f"/api/serviceaccounts/{account['id']}/tokens", {"name": "key"})
        people["robot"] = {"Authorization": f"Bearer {token['key']}"}
        yield found


def _settings(folder: Path, exporter: str, port: int) -> Path:
    host, _, listens = exporter.partition(":")
    secrets = folder / "secrets"
    settings = {
        "listen": {"host": host, "port": int(listens)},
        "reporting_db": str(folder / "reporting.db"),
        "tokens": {
            "operators": {"operator": str(secrets / "operator_token")},
            "grafana": str(secrets / "grafana_token"),
        },
        "grafana_users": ["admin"],
        "bots": [{"name": "arb", "kind": "arb", "port": port, "expected_interval": 0.5}],
    }
    path = folder / "exporter.yml"
    path.write_text(yaml.safe_dump(settings))
    return path


def _environ(folder: Path, exporter: str, grafana: str) -> dict[str, str]:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    committed = compose["services"]["grafana"]["environment"]
    return {
        **{name: committed[name] for name in COMMITTED},
        "PROMETHEUS_URL": f"http://{HOST}:{free_port()}",
        "ALERTMANAGER_URL": f"http://{HOST}:{free_port()}",
        "ADMIN_URL": f"http://{exporter}",
        "REPORTING_DB": str(folder / "reporting.db"),
        "DASHBOARDS_DIR": str(DASHBOARDS),
        "GF_PATHS_PROVISIONING": str(folder / "provisioning"),
        "GF_PATHS_DATA": str(folder / "data"),
        "GF_PATHS_LOGS": str(folder / "log"),
        "GF_SERVER_HTTP_ADDR": HOST,
        "GF_SERVER_HTTP_PORT": grafana.partition(":")[2],
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    }


def _make(gate: Gate, path: str, what: Mapping[str, object]) -> dict[str, Any]:
    status, text = gate.send("admin", "POST", path, body=json.dumps(what))
    assert status in {200, 201}, text
    made: dict[str, Any] = json.loads(text)
    return made


def _basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{name}:{password}".encode()).decode()}


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
