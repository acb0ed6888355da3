"""The console as it is committed, on free ports, with a webhook of a test's own that is told everything.

Only what names an address is written anew: the targets, the receivers as at every start, and which bots there
are. Errors: `NotInstalledError`, for which the caller skips; its message says what is missing.
"""

import json
import os
import shutil
import signal
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode
from urllib.request import Request

import yaml

from deploy.programs import find_programs
from deploy.receivers import configure
from tests.stack.processes import HOST, ROOT, Program, free_port, python, wait_until
from tests.stack.webhook import Webhook

INTERVAL = 2
"""Seconds between two cycles of the bots here."""

FAR_LIMITS = {"ARB_DAILY_LOSS_CAP_USD": "1000", "ARB_MAX_CONSECUTIVE_FAILURES": "100"}
"""Nothing halts a bot here but what a test does to it."""


class NotInstalledError(Exception):
    """Prometheus or Alertmanager is not on this machine."""


@dataclass(frozen=True)
class BotEntry:
    """A bot of exporter.yml; `stores` are the paths of what it writes, by name, `more` its other settings."""

    name: str
    tier: str
    port: int
    stores: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


TOKENS = {"operator_token": "Qw7-operator-vN3kT8zLs", "alertmanager_token": "Qw7-alerts-b5HxR2mPy"}


class ArbBot:
    """`python -m arb_bot` in a folder of its own, on one port however often it is started.

    As a context it runs from entry to exit, with `arguments` at each start.
    """

    def __init__(self, name: str, folder: Path, tier: str = "live", arguments: Sequence[str] = ()) -> None:
        self.folder = folder / name
        stores = {"orders": "arb_orders.db", "analytics": "analytics.db"}
        paths = {store: str(self.folder / file) for store, file in stores.items()}
        self.entry = BotEntry(name, tier, free_port(), paths)
        self.folder.mkdir()
        self._hang = self.folder / "hang"
        self._arguments = arguments
        self._program: Program | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def kill_file(self) -> Path:
        """Its kill switch."""
        return self.folder / ".kill_switch"

    def start(self, *more: str) -> None:
        """Start it, for the first time or again; the exporter finds it when it listens."""
        self.stop()
        arguments = ("--port", str(self.entry.port), "--data-dir", self.folder, "--interval", str(INTERVAL))
        command = python("-m", "tests.stack.hanging_bot", self._hang, *arguments, "--seed", "7")
        self._program = Program([*command, *self._arguments, *more], self.folder / "log", FAR_LIMITS)

    def send(self, number: signal.Signals) -> None:
        """Send its process a signal."""
        assert self._program is not None
        self._program.send(number)

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        assert self._program is not None
        return self._program.ended()

    def hang(self) -> None:
        """Let its loop hang in the next cycle."""
        self._hang.touch()

    def go_on(self) -> None:
        """Let its loop go on."""
        self._hang.unlink()

    def stop(self) -> None:
        """End it for good."""
        if self._program is not None:
            self._program.stop()


class Console:
    """Starts on entry, and is there when every program says that it is ready.

    Everything is written in `folder`; the exporter's own files are on another `disk` where one is named. Its
    clock is `ahead` by so many seconds.
    """

    def __init__(
        self, folder: Path, bots: Sequence[BotEntry], *, disk: Path | None = None, ahead: float = 0.0
    ) -> None:
        programs = find_programs(os.environ)
        missing = [name for name in ("prometheus", "alertmanager") if getattr(programs, name) is None]
        if missing:
            raise NotInstalledError(
                f"not installed: {', '.join(missing)} (Debian: prometheus, prometheus-alertmanager)"
            )
        self._programs = programs
        self.folder = folder
        self.reporting_db = (disk or folder) / "reporting.db"
        self.alertmanager_yml = folder / "alertmanager" / "alertmanager.yml"
        self._bots = bots
        self._ahead = ahead
        self._ports = {name: free_port() for name in ("exporter", "prometheus", "alertmanager")}
        self.webhook = Webhook()
        self.programs: dict[str, Program] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.webhook)
            self._write_files()
            for name in ("exporter", "alertmanager", "prometheus"):
                stack.callback(self.stop, name)
                self.start(name)
            wait_until(lambda: self.query('up{job="tradebot"} == 1'), "the first scrape")
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start(self, name: str) -> None:
        """Start one of the programs, for the first time or again; it is ready then."""
        self.stop(name)
        environ = {f"{other.upper()}_URL": self.url(other) for other in ("prometheus", "alertmanager")}
        program = Program(getattr(self, f"_{name}")(), self.folder / f"{name}.log", environ)
        self.programs[name] = program
        program.wait_for(partial(self._ready, name))

    def stop(self, name: str) -> None:
        """End one of the programs for good, if it runs."""
        if name in self.programs:
            self.programs[name].stop()

    def url(self, program: str, path: str = "") -> str:
        """An address of one of the programs."""
        return f"http://{HOST}:{self._ports[program]}{path}"

    def metrics(self) -> str:
        """What the exporter answers Prometheus."""
        return fetch(self.url("exporter", "/metrics"))

    def api(self, path: str, **arguments: str) -> Any:
        """The data of an answer of Prometheus's API; raises RuntimeError with the error that it names."""
        answer = json.loads(fetch(self.url("prometheus", f"/api/v1/{path}?{urlencode(arguments)}")))
        if answer["status"] != "success":
            raise RuntimeError(answer["error"])
        return answer["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query."""
        series: list[dict[str, Any]] = self.api("query", query=expression)["result"]
        return series

    def order(self, path: str, **fields: object) -> Any:
        """What the exporter answers the operator who asks for a change."""
        request = Request(
            self.url("exporter", f"/api{path}"),
            data=json.dumps(fields).encode(),
            headers={"Authorization": f"Bearer {TOKENS['operator_token']}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def order_with_code(self, bot: str, call: str, **fields: object) -> None:
        """Order what raises the risk of a bot, with the code that its panel shows for it."""
        path = f"/bots/{bot}/{call}"
        try:
            self.order(path, **fields)
        except urllib.error.HTTPError as refused:
            refused.close()
            shown = self.look(f"/bots/{bot}")["codes"]
            (code,) = [each["code"] for each in shown if each["action"] == call]
            self.order(path, **fields, code=code)

    def look(self, path: str) -> Any:
        """What the exporter shows the operator."""
        request = Request(
            self.url("exporter", f"/api{path}"),
            headers={"Authorization": f"Bearer {TOKENS['operator_token']}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def exporter_sees(self, names: Sequence[str]) -> bool:
        """Whether the exporter says of each of these bots that it is connected and fresh."""
        text = self.metrics()
        return all(f'\ntradebot_up{{bot="{name}"}} 1' in text for name in names)

    def wait_for_bots(self, names: Sequence[str], seconds: float = 40.0) -> None:
        """Wait until Prometheus shows each of these bots as connected and fresh."""

        def up() -> bool:
            return {one["metric"]["bot"] for one in self.query("tradebot_up == 1")} >= set(names)

        wait_until(up, f"{', '.join(names)} to be up in Prometheus", seconds)

    def _write_files(self) -> None:
        shutil.copytree(ROOT / "prometheus", self.folder / "configuration")
        targets = {name: [{"targets": [f"{HOST}:{port}"]}] for name, port in self._ports.items()}
        for name, groups in targets.items():
            (self.folder / "configuration" / "targets" / f"{name}.yml").write_text(yaml.safe_dump(groups))
        for name, token in TOKENS.items():
            (self.folder / name).write_text(token)
        configure(
            self.alertmanager_yml.parent,
            committed=ROOT / "prometheus",
            secrets=self.folder / "secrets",
            variables={"NOTIFY_WEBHOOK_URL": self.webhook.url, "DEAD_MAN_URL": self.webhook.url},
            exporter=self.url("exporter"),
            token=self.folder / "alertmanager_token",
        )
        settings = {
            "listen": {"host": HOST, "port": self._ports["exporter"]},
            "reporting_db": str(self.reporting_db),
            "tokens": {
                "operators": {"ann": str(self.folder / "operator_token")},
                "alertmanager": str(self.folder / "alertmanager_token"),
            },
            "bots": [
                {
                    "name": b.name,
                    "kind": "arb",
                    "host": HOST,
                    "port": b.port,
                    "stores": dict(b.stores),
                    "tier": b.tier,
                    "expected_interval": INTERVAL,
                    **b.more,
                }
                for b in self._bots
            ],
        }
        (self.folder / "exporter.yml").write_text(yaml.safe_dump(settings))

    def _exporter(self) -> list[str | Path]:
        program = ("tests.stack.exporter_ahead", str(self._ahead)) if self._ahead else ("exporter",)
        return python("-m", *program, "--config", self.folder / "exporter.yml")

    def _prometheus(self) -> list[str | Path]:
        assert self._programs.prometheus is not None
        return [
            self._programs.prometheus,
            f"--config.file={self.folder / 'configuration' / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'series'}",
            f"--web.listen-address={HOST}:{self._ports['prometheus']}",
        ]

    def _alertmanager(self) -> list[str | Path]:
        assert self._programs.alertmanager is not None
        return [
            self._programs.alertmanager,
            f"--config.file={self.alertmanager_yml}",
            f"--storage.path={self.folder / 'alerts'}",
            f"--web.listen-address={HOST}:{self._ports['alertmanager']}",
            "--cluster.listen-address=",
        ]

    def _ready(self, program: str) -> bool:
        path = "/-/healthy" if program == "exporter" else "/-/ready"
        try:
            return bool(fetch(self.url(program, path)))
        except OSError:
            return False


def fetch(url: str) -> str:
    """The body of an answer, also of one that says 400: Prometheus names the error in it."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            text: str = answer.read().decode()
    except urllib.error.HTTPError as error:
        if error.code not in {400, 422}:
            raise
        text = error.read().decode()
    return text
