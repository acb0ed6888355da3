"""A real Alertmanager with the committed routes, and doubles of the services that its receivers call."""

import contextlib
import copy
import json
import os
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from deploy.programs import find_programs
from tests.stack.processes import HOST, ROOT, free_port, running

ALERTMANAGER = find_programs(os.environ).alertmanager
EVERYBODY = ("slack", "webhook", "dead-man")


class Services:
    """What stands for Slack, a webhook and Prometheus: each path answers as it was told, else with 200."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.status: dict[str, int] = {}
        self.rules: list[Any] = []
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        self.url = f"http://{HOST}:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator["Services"]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        yield self
        self._server.shutdown()
        self._server.server_close()
        thread.join()

    def count(self, path: str, word: str = "") -> int:
        return sum(each == path and word.encode() in body for each, body in list(self.asked))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        services = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                services.asked.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(services.status.get(self.path, 200))
                self.end_headers()
                self.wfile.write(b"ok")  # as Slack does, which Alertmanager wants to read

            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"data": {"alerts": services.rules}}).encode())

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: what was asked is the log."""

        return Handler


def configuration(api: int, token: Path, services: str, push: tuple[str, ...]) -> dict[str, Any]:
    """The committed routes with receivers that deliver to the office, and to what of `push` each calls."""
    content = yaml.safe_load((ROOT / "prometheus" / "alertmanager.yml").read_text())
    del content["templates"]
    for route in content["route"]["routes"]:
        if route["receiver"] == "page":
            route["repeat_interval"] = "1s"  # of five minutes, which nobody waits for here
    hook = {
        "url": f"http://{HOST}:{api}/api/alerts",
        "send_resolved": True,
        "http_config": {"authorization": {"credentials_file": str(token)}},
    }
    kinds = {
        "slack": {"slack_configs": [{"api_url": f"{services}/slack", "channel": "#bots"}]},
        "webhook": {"webhook_configs": [{"url": f"{services}/hook"}]},
    }
    for receiver in content["receivers"]:
        receiver["webhook_configs"] = [copy.deepcopy(hook)]
        if receiver["name"] in {"page", "test"}:
            for key, configs in ((key, each) for name in push for key, each in kinds.get(name, {}).items()):
                receiver[key] = [*receiver.get(key, []), *copy.deepcopy(configs)]
        if receiver["name"] == "watchdog" and "dead-man" in push:
            receiver["webhook_configs"].append({"url": f"{services}/dead-man"})
    return content  # type: ignore[no-any-return] # of YAML


@contextmanager
def alertmanager(
    folder: Path, api: int, token: str, push: tuple[str, ...] = EVERYBODY
) -> Iterator[tuple[str, Services]]:
    """One that delivers to the exporter on port `api`: its address, and what stands for the services."""
    file, port = folder / "alertmanager_token", free_port()
    file.write_text(token)
    address = f"http://{HOST}:{port}"
    assert ALERTMANAGER is not None
    with Services().running() as services:
        settings = configuration(api, file, services.url, push)
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(settings))
        command: list[str | Path] = [
            ALERTMANAGER,
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'alerts'}",
            f"--web.listen-address={HOST}:{port}",
            "--cluster.listen-address=",
        ]
        with running(command, folder / "alertmanager.log", partial(_ready, address)):
            yield address, services


def _ready(address: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/-/ready", timeout=5) as answer:
        return bool(answer.status == 200)
    return False
