"""What the tests ask: ledgers, and a Prometheus that holds every situation."""

import json
import shutil
import sqlite3
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.grafana import ledgers, situations, worlds
from tests.grafana.ledgers import Ledger
from tests.grafana.wall import Prometheus, Series
from tests.stack.processes import HOST, free_port, running


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Ledger:
    """The recorded session's stores, mirrored."""
    return ledgers.mirrored(tmp_path_factory.mktemp("recorded"), samples / "arb-session")


@pytest.fixture(scope="session")
def original(recorded: Ledger) -> sqlite3.Connection:
    """The recorded analytics store itself, a copy."""
    return sqlite3.connect(recorded.path.parent / "stores" / "analytics.db")


@pytest.fixture
def nothing(tmp_path: Path) -> Ledger:
    """A database that nothing was written into."""
    return ledgers.empty(tmp_path, 1_795_000_000, 1_795_100_000)


@pytest.fixture(scope="session")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Asks a Prometheus that holds every situation and every world; nothing is scraped."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        pytest.skip("Prometheus is not installed")
    folder = tmp_path_factory.mktemp("situations")
    (folder / "samples.txt").write_text("".join(worlds.samples()) + situations.samples())
    make_blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "data"]
    subprocess.run(make_blocks, cwd=folder, check=True, capture_output=True, timeout=60)
    (folder / "prometheus.yml").write_text("{}\n")
    address = f"{HOST}:{free_port()}"
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        "--query.lookback-delta=9s",  # stored samples have no markers of series that ended
        f"--web.listen-address={address}",
    ]

    def query(expression: str, bot: str, at: float) -> list[Series]:
        filled = expression.replace("$bot", bot).replace("$__interval", "15s")
        body = urllib.parse.urlencode({"query": filled, "time": at}).encode()
        with urllib.request.urlopen(f"http://{address}/api/v1/query", body, timeout=20) as answer:
            found = json.load(answer)["data"]["result"]
        return [(series["metric"], float(series["value"][1])) for series in found]

    def ready() -> bool:
        try:
            return urllib.request.urlopen(f"http://{address}/-/ready", timeout=1).status == 200
        except OSError:
            return False

    with running(command, folder / "prometheus.log", ready):
        yield query
