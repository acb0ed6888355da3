"""What a run without Docker consists of: its ports, its files under one folder, each program's command.

Everything listens on loopback. What Compose mounts is used from the checkout; only what names an address is
written anew at each start.
"""

import json
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from deploy.first_start import ADMIN_PASSWORD, ALERTMANAGER_TOKEN, make_secrets, write_targets
from deploy.programs import LEDGER_PLUGIN, LEDGER_PLUGIN_VERSION, Programs, plugin_folder
from deploy.receivers import CONFIGURATION, configure

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"


class LocalStackError(Exception):
    """The run cannot start; the message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The port of each program, by the variable that names it: the same ones as in .env.example."""

    bot: int
    exporter: int
    prometheus: int
    alertmanager: int
    grafana: int

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Ports":
        """The ports that the environment names, else the usual ones. Raises LocalStackError for no port."""

        def port(variable: str, usual: int) -> int:
            value = environ.get(variable) or str(usual)
            if not value.isascii() or not value.isdigit() or not 0 < int(value) < 65536:
                raise LocalStackError(f"{variable}={value} is no port: expected 1 to 65535")
            return int(value)

        return cls(
            bot=port("ARB_CONTROL_SOCKET_PORT", 9120),
            exporter=port("EXPORTER_PORT", 9121),
            prometheus=port("PROMETHEUS_PORT", 9090),
            alertmanager=port("ALERTMANAGER_PORT", 9093),
            grafana=port("GRAFANA_PORT", 3000),
        )


@dataclass(frozen=True, slots=True)
class Command:
    """One program of the run: its name in the log, its arguments, what its environment has besides."""

    name: str
    arguments: tuple[str, ...]
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LocalStack:
    """The programs that are installed, their ports, and `data`, which keeps everything they write.

    `variables` are those of .env.example, as far as a run without Docker knows them; `secrets` is the folder
    with the secret files of receivers.
    """

    programs: Programs
    ports: Ports
    data: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: Path | None = None

    @property
    def addresses(self) -> dict[str, str]:
        """Where each program is, for people and for the others; one that is not installed is absent."""
        found = {
            "EXPORTER": (True, self.ports.exporter),
            "PROMETHEUS": (self.programs.prometheus, self.ports.prometheus),
            "ALERTMANAGER": (self.programs.alertmanager, self.ports.alertmanager),
            "GRAFANA": (self.programs.grafana, self.ports.grafana),
        }
        urls = {}
        for name, (there, port) in found.items():
            if there:
                urls[f"{name}_URL"] = f"http://{HOST}:{port}"
                public = "PUBLIC_URL" if name == "GRAFANA" else f"{name}_PUBLIC_URL"
                urls[public] = self.variables.get(public) or f"http://localhost:{port}"
        return urls

    @property
    def receivers(self) -> Path:
        """The folder with Alertmanager's configuration, and with what is to be said of it."""
        return self.data / "alertmanager" / "configuration"

    @property
    def _reporting_db(self) -> Path:
        return self.data / "exporter" / "reporting.db"

    @property
    def _own_plugins(self) -> Path:
        return self.data / "grafana" / "plugins"

    def missing(self) -> list[str]:
        """A sentence for each program that is not there, and for Grafana's plugin."""
        said = self.programs.missing()
        home = self.programs.grafana
        if home is not None and plugin_folder(home, self._own_plugins) is None:
            said.append(
                "Grafana has no plugin for SQLite: what comes from the ledger stays BLIND. To install it: "
                f"{home / 'bin' / 'grafana'} cli --homepath {home} --pluginsDir {self._own_plugins} "
                f"plugins install {LEDGER_PLUGIN} {LEDGER_PLUGIN_VERSION}"
            )
        return said

    def check_ports(self) -> None:
        """Raise LocalStackError for the first port that something listens on already."""
        wanted = [("the bot", "ARB_CONTROL_SOCKET_PORT", self.ports.bot)]
        wanted += [("the exporter", "EXPORTER_PORT", self.ports.exporter)]
        if self.programs.prometheus:
            wanted.append(("Prometheus", "PROMETHEUS_PORT", self.ports.prometheus))
        if self.programs.alertmanager:
            wanted.append(("Alertmanager", "ALERTMANAGER_PORT", self.ports.alertmanager))
        if self.programs.grafana:
            wanted.append(("Grafana", "GRAFANA_PORT", self.ports.grafana))
        for program, variable, port in wanted:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((HOST, port))
                except OSError as error:
                    raise LocalStackError(
                        f"port {port} for {program} is taken: stop what listens there, or choose another: "
                        f"{variable}={port + 10000 if port < 50000 else port - 10000} make run"
                    ) from error

    def write_files(self) -> None:
        """Write what names an address (settings, scrape targets) and make the secrets once."""
        make_secrets(self.data / "secrets")
        for folder in ("arb", "exporter", "alertmanager", "grafana/plugins"):
            (self.data / folder).mkdir(parents=True, exist_ok=True)
        settings = yaml.safe_load((ROOT / "exporter.yml").read_text())
        settings |= {
            "listen": {"host": HOST, "port": self.ports.exporter},
            "reporting_db": str(self._reporting_db),
            "tokens": _beside(settings["tokens"], self.data / "secrets"),
        }
        for bot in settings["bots"]:
            bot |= {
                "host": HOST,
                "port": self.ports.bot,
                "kill_file": str(self.data / "arb" / ".kill_switch"),
            }
            bot["stores"] = {
                name: str(self.data / "arb" / Path(store).name) for name, store in bot["stores"].items()
            }
        (self.data / "exporter.yml").write_text(json.dumps(settings, indent=2) + "\n")
        write_provisioning(self.data / "grafana" / "provisioning", self.data / "secrets")
        configuration = self.data / "prometheus" / "configuration"
        shutil.rmtree(configuration, ignore_errors=True)
        shutil.copytree(ROOT / "prometheus", configuration)
        ports = {"exporter": self.ports.exporter, "prometheus": self.ports.prometheus}
        if self.programs.alertmanager:
            ports["alertmanager"] = self.ports.alertmanager
            configure(
                self.receivers,
                committed=ROOT / "prometheus",
                secrets=self.secrets or self.data / "none",
                variables={**self.variables, **self.addresses},
                exporter=self.addresses["EXPORTER_URL"],
                token=self.data / "secrets" / ALERTMANAGER_TOKEN,
            )
        shutil.rmtree(configuration / "targets")
        write_targets(configuration / "targets", (f"{name}={HOST}:{port}" for name, port in ports.items()))

    def commands(self) -> Iterator[Command]:
        """The command of each program that is installed, in the order in which they start."""
        arguments = ("--host", HOST, "--port", str(self.ports.bot), "--data-dir", str(self.data / "arb"))
        history = ("--history-days", self.variables.get("HISTORY_DAYS") or "2")
        yield Command("bot", (sys.executable, "-m", "arb_bot", *arguments, *history), {})
        settings = str(self.data / "exporter.yml")
        yield Command("exporter", (sys.executable, "-m", "exporter", "--config", settings), self.addresses)
        if self.programs.prometheus:
            yield self._prometheus(self.programs.prometheus)
        if self.programs.alertmanager:
            yield self._alertmanager(self.programs.alertmanager)
        if self.programs.grafana:
            yield self._grafana(self.programs.grafana)

    def _prometheus(self, program: Path) -> Command:
        port = self.ports.prometheus
        options = (
            f"--config.file={self.data / 'prometheus' / 'configuration' / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.data / 'prometheus' / 'series'}",
            "--storage.tsdb.retention.time=90d",
            f"--web.listen-address={HOST}:{port}",
            f"--web.external-url=http://localhost:{port}",
            "--rules.alert.resend-delay=15s",
            "--log.level=warn",
        )
        return Command("prometheus", (str(program), *options), {})

    def _alertmanager(self, program: Path) -> Command:
        port = self.ports.alertmanager
        options = (
            f"--config.file={self.receivers / CONFIGURATION}",
            f"--storage.path={self.data / 'alertmanager'}",
            f"--web.listen-address={HOST}:{port}",
            f"--web.external-url=http://localhost:{port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        )
        return Command("alertmanager", (str(program), *options), {})

    def _grafana(self, home: Path) -> Command:
        """Grafana with the settings that Compose gives it, but for what names a place."""
        compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
        settings: dict[str, str] = compose["services"]["grafana"]["environment"]
        data = self.data / "grafana"
        password = self.data / "secrets" / ADMIN_PASSWORD
        for name in ("GF_SECURITY_ADMIN_PASSWORD__FILE", "GF_PLUGINS_PREINSTALL_SYNC"):
            del settings[name]
        settings |= {
            "GF_SERVER_HTTP_ADDR": HOST,
            "GF_SERVER_HTTP_PORT": str(self.ports.grafana),
            "GF_SERVER_DOMAIN": urlsplit(self.addresses["PUBLIC_URL"]).hostname or "localhost",
            "GF_SERVER_ROOT_URL": self.addresses["PUBLIC_URL"],
            "GF_SECURITY_ADMIN_PASSWORD": f"$__file{{{password}}}",
            "GF_AUTH_ANONYMOUS_ENABLED": self.variables.get("WALL_ANONYMOUS") or "false",
            "GF_PATHS_DATA": str(data),
            "GF_PATHS_LOGS": str(data / "log"),
            "GF_PATHS_PLUGINS": str(plugin_folder(home, self._own_plugins) or self._own_plugins),
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "GF_PATHS_PROVISIONING": str(data / "provisioning"),
            "GF_LOG_MODE": "console",
            "GF_LOG_LEVEL": "error",
            "PROMETHEUS_URL": f"http://{HOST}:{self.ports.prometheus}",
            "ALERTMANAGER_URL": f"http://{HOST}:{self.ports.alertmanager}",
            "DASHBOARDS_DIR": str(ROOT / "grafana" / "dashboards"),
            "REPORTING_DB": str(self._reporting_db),
            "ADMIN_URL": f"http://{HOST}:{self.ports.exporter}",
        }
        return Command("grafana", (str(home / "bin" / "grafana"), "server", f"--homepath={home}"), settings)


def write_provisioning(folder: Path, secrets: Path) -> None:
    """Write what Grafana is provisioned with into `folder`, its secrets read from `secrets`.

    Grafana reads a secret from the file that is named there, and takes no variable in that name.
    """
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "grafana" / "provisioning", folder)
    sources = folder / "datasources" / "tradebot.yml"
    sources.write_text(sources.read_text().replace("$__file{/run/tradebot/", f"$__file{{{secrets}/"))


def _beside(tokens: Any, folder: Path) -> Any:
    """The same settings with the files of their tokens in another folder."""
    if isinstance(tokens, dict):
        return {name: _beside(file, folder) for name, file in tokens.items()}
    return str(folder / Path(tokens).name)
