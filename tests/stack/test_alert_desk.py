"""Alerts with a real Alertmanager: what it says when asked, what it delivers, what a silence does to it."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml

from deploy.programs import find_programs
from exporter.alertmanager import Alertmanager
from exporter.alerts import ENDED_SECONDS
from exporter.http_get import get, send
from tests.doubles.bots import OwnBot
from tests.exporter.api.office import TOKENS, Office
from tests.stack.processes import HOST, free_port, running

ALERTMANAGER = find_programs(os.environ).alertmanager
KILL = {"alertname": "TradebotKillNotVerified", "severity": "critical", "bot": "arb", "instance": "x:1"}
WATCHDOG = {"alertname": "TradebotWatchdog", "severity": "none"}

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(ALERTMANAGER is None, reason="not installed: Debian's prometheus-alertmanager"),
]


class Real:
    """A real Alertmanager that delivers to the API of an office; the office's desk asks it."""

    def __init__(self, office: Office, address: str) -> None:
        self.office = office
        self.address = address
        self.ahead = 0.0
        self.since = datetime.now(UTC).isoformat()
        self.desk = office.alerts
        self.desk.__init__(  # type: ignore[misc] # the same desk behind the API, with a real Alertmanager
            Alertmanager(address),
            office.console.bots,
            lambda kind, **told: office.events.append({"kind": kind, **told}),
            office.recorder.ask,
            lambda: time.time() + self.ahead,
        )

    async def fire(self, *labels: dict[str, str], ends: datetime | None = None) -> None:
        """Tell it as Prometheus does."""
        alerts = [
            {"labels": each, "annotations": {"summary": "what it means"}, "startsAt": self.since}
            | ({"endsAt": ends.isoformat()} if ends else {})
            for each in labels
        ]
        answer = await send(f"{self.address}/api/v2/alerts", 5, method="POST", content=alerts)
        assert answer.status == 200

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Ask Alertmanager until something holds."""
        async with asyncio.timeout(20):
            while not holds():
                await self.desk.look()
                await asyncio.sleep(0.05)

    def rows(self) -> list[tuple[str, str]]:
        """What the page lists: names and who has them."""
        return [(row.name, row.by) for row in self.desk.alarms(time.time() + self.ahead).rows]

    async def silences(self) -> list[Any]:
        """Each silence's state and author."""
        found: Any = (await get(f"{self.address}/api/v2/silences", 5)).json()
        return [(each["status"]["state"], each["createdBy"]) for each in found]


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[Real]:
    office = Office(tmp_path, {"arb": OwnBot()}, now=time.time())
    port, api = free_port(), free_port()
    route = {"receiver": "exporter", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}
    hook = {
        "url": f"http://{HOST}:{api}/api/alerts",
        "send_resolved": True,
        "http_config": {"authorization": {"credentials": TOKENS["alertmanager"]}},
    }
    (tmp_path / "alertmanager.yml").write_text(
        yaml.safe_dump({"route": route, "receivers": [{"name": "exporter", "webhook_configs": [hook]}]})
    )
    server = uvicorn.Server(uvicorn.Config(office.app, host=HOST, port=api, lifespan="off", log_config=None))
    serving = asyncio.create_task(server.serve())
    address = f"http://{HOST}:{port}"
    assert ALERTMANAGER is not None
    command: list[str | Path] = [
        ALERTMANAGER,
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'alerts'}",
        f"--web.listen-address={HOST}:{port}",
        "--cluster.listen-address=",
    ]
    ready = partial(_ready, address)
    starting = running(command, tmp_path / "alertmanager.log", ready)
    await asyncio.to_thread(starting.__enter__)
    try:
        yield Real(office, address)
    finally:
        await asyncio.to_thread(starting.__exit__, None, None, None)
        server.should_exit = True
        await serving
        await office.client.aclose()


async def test_what_fires_is_listed_taken_silenced_and_free_again_when_it_ended(real: Real) -> None:
    assert "not asked yet" in real.desk.alarms(time.time()).unknown
    await real.desk.look()
    assert "no Watchdog fires" in real.desk.alarms(time.time()).unknown
    await real.fire(WATCHDOG, KILL)
    await real.until(real.rows, "the alert")
    assert real.rows() == [("KillNotVerified", "")]
    assert real.desk.alarms(time.time()).unknown == ""
    assert ("arb", "alert TradebotKillNotVerified") in real.office.recorder.asked

    (row,) = real.desk.alarms(time.time()).rows
    said = await real.office.post(f"/alerts/{row.fingerprint}/ack", reason="looking")
    assert said.status_code == 200
    assert await real.silences() == [("active", "ann")]
    await real.until(lambda: real.desk.alerts.firing(time.time())[0].silences, "it to be silenced")
    assert real.rows() == [("KillNotVerified", "ann")]

    await real.fire(KILL, ends=datetime.now(UTC))
    await real.until(lambda: not real.rows(), "its end")
    real.ahead = ENDED_SECONDS + 1
    await real.desk.look()
    assert await real.silences() == [("expired", "ann")]
    assert [event["what"] for event in real.office.told("alert")] == [
        "TradebotKillNotVerified firing",
        "TradebotKillNotVerified resolved",
    ]


async def test_what_alertmanager_delivers_is_recorded_and_the_watchdog_remembered(real: Real) -> None:
    await real.fire(WATCHDOG, KILL)
    alerts = real.desk.alerts
    async with asyncio.timeout(20):
        while alerts.watchdog_at is None or not real.office.told("alert"):
            await asyncio.sleep(0.05)
    (event,) = real.office.told("alert")
    assert event["data"]["labels"] == KILL
    assert event["why"] == "what it means"


async def test_an_exempt_alert_has_a_name_and_no_silence(real: Real) -> None:
    await real.fire(WATCHDOG, KILL | {"exempt": "true"})
    await real.until(real.rows, "the alert")
    (row,) = real.desk.alarms(time.time()).rows
    assert (await real.office.post(f"/alerts/{row.fingerprint}/ack")).status_code == 200
    assert real.rows() == [("KillNotVerified", "ann")]
    assert await real.silences() == []


def _ready(address: str) -> bool:
    with contextlib.suppress(OSError):
        return asyncio.run(get(f"{address}/-/ready", 5)).status == 200
    return False
