"""A real Alertmanager, configured as a start does it, with stand-ins of every service and a real exporter.

Errors: `NotInstalledError` where there is no Alertmanager, for which the caller skips.
"""

import json
import os
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request

import yaml

from deploy.first_start import ALERTMANAGER_TOKEN, OPERATOR_TOKEN, make_secrets
from deploy.local_stack import write_provisioning
from deploy.programs import find_programs, grafana_home
from deploy.receivers import configure
from tests.stack.console import NotInstalledError, fetch
from tests.stack.mail_server import PASSWORD, USER, MailServer
from tests.stack.processes import HOST, ROOT, free_port, python, running
from tests.stack.services import (
    PAGERDUTY_KEY,
    SLACK_HOOK,
    TELEGRAM_TOKEN,
    WEBHOOK_TOKEN,
    Services,
)

CHAT = "-1001234567890"


Told = tuple[dict[str, str], dict[str, str]]
"""Labels and annotations of an alert."""


@dataclass
class Stand:
    """Everything that runs; alerts are posted as Prometheus does it. `pages` is empty without a Grafana."""

    alertmanager: str
    exporter: str
    pages: str
    services: Services
    mail: MailServer
    folder: Path
    since: dict[str, str] = field(default_factory=dict)
    """When each alert began, by its labels: a group waits for others only while its first one is young."""

    def post(self, *alerts: Told, over: bool = False, **annotations: str) -> None:
        """Tell Alertmanager of alerts; `over` says that they have ended, `annotations` replace theirs."""
        now = datetime.now(UTC)
        ends = now + (timedelta() if over else timedelta(minutes=5))
        content = [
            {
                "labels": {"instance": "exporter:9121", **labels},
                "annotations": {**told, **annotations},
                "startsAt": self.since.setdefault(str(labels), now.isoformat()),
                "endsAt": ends.isoformat(),
            }
            for labels, told in alerts
        ]
        request = Request(
            f"{self.alertmanager}/api/v2/alerts",
            data=json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10):
            pass

    def look(self, path: str) -> Any:
        """What the exporter shows the operator."""
        token = (self.folder / "made" / OPERATOR_TOKEN).read_text()
        request = Request(f"{self.exporter}/api{path}", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def configure(self, secrets: Path, files: Mapping[str, str], **given: str) -> None:
        """Write Alertmanager's configuration from these variables and secret files."""
        for name, text in files.items():
            (secrets / name).write_text(f"{text}\n")  # with the line break that an editor leaves
        addresses = {"PUBLIC_URL": self.pages, "EXPORTER_PUBLIC_URL": self.exporter}
        services = {
            "SLACK_API_URL": f"{self.services.url}/api/chat.postMessage",
            "TELEGRAM_API_URL": self.services.url,
            "PAGERDUTY_URL": f"{self.services.url}/v2/enqueue",
        }
        rendered = configure(
            self.folder / "configuration",
            committed=ROOT / "prometheus",
            secrets=secrets,
            variables=addresses | services | given,
            exporter=self.exporter,
            token=self.folder / "made" / ALERTMANAGER_TOKEN,
        )
        assert rendered.faults == ()


def everything(stand: Stand) -> None:
    """Set every service."""
    (stand.folder / "secrets").mkdir()
    stand.configure(
        stand.folder / "secrets",
        {
            "slack_url": stand.services.url + SLACK_HOOK,
            "smtp_password": PASSWORD,
            "telegram_token": TELEGRAM_TOKEN,
            "pagerduty_key": PAGERDUTY_KEY,
            "webhook_token": WEBHOOK_TOKEN,
        },
        SLACK_CHANNEL="#bots",
        SMTP_SMARTHOST=stand.mail.address,
        SMTP_FROM="Trading console <console@example.com>",
        SMTP_TO="ann@example.com, bob@example.com",
        SMTP_USER=USER,
        TELEGRAM_CHAT_ID=CHAT,
        NOTIFY_WEBHOOK_URL=f"{stand.services.url}/hook",
        DEAD_MAN_URL=f"{stand.services.url}/alive",
    )


def certificate(folder: Path) -> tuple[ssl.SSLContext, dict[str, str]]:
    """A mail server's TLS, and the environment in which a program trusts it."""
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=mail -addext subjectAltName=IP:127.0.0.1"
    )
    files = {"keyout": folder / "key.pem", "out": folder / "certificate.pem"}
    options = [part for name, path in files.items() for part in (f"-{name}", str(path))]
    subprocess.run([*command.split(), *options], check=True, capture_output=True, timeout=60)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files["out"], files["keyout"])
    return tls, {"SSL_CERT_FILE": str(files["out"])}


@contextmanager
def standing(folder: Path, *, pages: str = "") -> Iterator[Stand]:
    """The stand, from the first start's secrets on; `pages` is where Grafana is, if it is."""
    program = find_programs(os.environ).alertmanager
    if program is None:
        raise NotInstalledError("not installed: alertmanager (Debian: prometheus-alertmanager)")
    exporter, address = (f"http://{HOST}:{free_port()}" for _ in range(2))
    tls, trusting = certificate(folder)
    with Services() as services, MailServer(tls) as mail:
        make_secrets(folder / "made")
        stand = Stand(address, exporter, pages, services, mail, folder)
        everything(stand)
        environ = {"ALERTMANAGER_URL": address, "EXPORTER_PUBLIC_URL": exporter}
        command = python("-m", "exporter", "--config", _settings(folder, exporter))
        with (
            running(command, folder / "exporter.log", _answers(f"{exporter}/-/healthy"), environ),
            running(
                alertmanager_command(program, folder, address),
                folder / "alertmanager.log",
                _answers(f"{address}/-/ready"),
                trusting,
            ),
        ):
            yield stand


@contextmanager
def real_pages(folder: Path) -> Iterator[str]:
    """A real Grafana with the committed pages, which lets everybody look; its address."""
    home = grafana_home(os.environ)
    assert home is not None
    make_secrets(folder / "secrets")
    write_provisioning(folder / "provisioning", folder / "secrets")
    port = free_port()
    settings = {
        "PROMETHEUS_URL": f"http://{HOST}:{free_port()}",
        "ALERTMANAGER_URL": f"http://{HOST}:{free_port()}",
        "ADMIN_URL": f"http://{HOST}:{free_port()}",
        "REPORTING_DB": str(folder / "reporting.db"),
        "DASHBOARDS_DIR": str(ROOT / "grafana" / "dashboards"),
        "GF_PATHS_PROVISIONING": str(folder / "provisioning"),
        "GF_PATHS_DATA": str(folder / "data"),
        "GF_PATHS_LOGS": str(folder / "log"),
        "GF_SERVER_HTTP_ADDR": HOST,
        "GF_SERVER_HTTP_PORT": str(port),
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
    }
    command = (home / "bin" / "grafana", "server", "--homepath", home)
    address = f"http://{HOST}:{port}"
    ready = _answers(f"{address}/api/dashboards/uid/tradebot-system")
    with running(command, folder / "grafana.log", ready, settings):
        yield address


def alertmanager_command(program: Path, folder: Path, address: str) -> Sequence[str | Path]:
    """Alertmanager with the configuration of `folder`."""
    return (
        program,
        f"--config.file={folder / 'configuration' / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alerts'}",
        f"--web.listen-address={address.removeprefix('http://')}",
        "--cluster.listen-address=",
    )


def _settings(folder: Path, exporter: str) -> Path:
    settings = {
        "listen": {"host": HOST, "port": int(exporter.rpartition(":")[2])},
        "reporting_db": str(folder / "reporting.db"),
        "tokens": {
            "operators": {"ann": str(folder / "made" / OPERATOR_TOKEN)},
            "alertmanager": str(folder / "made" / ALERTMANAGER_TOKEN),
        },
        "bots": [{"name": "arb", "kind": "arb", "host": HOST, "port": free_port(), "tier": "live"}],
    }
    path = folder / "exporter.yml"
    path.write_text(yaml.safe_dump(settings))
    return path


def _answers(url: str) -> Any:
    def answers() -> bool:
        try:
            return bool(fetch(url)) or True
        except OSError:
            return False

    return answers
