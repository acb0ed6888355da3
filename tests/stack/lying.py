"""A console over one bot that may lie, seen as people see it: by its API, its alerts and its audit trail.

The desks, the API, the metrics and the keeper of the database are the real ones, the clock is the test's.
Every 5 s of it all metrics are scraped; promtool then says which alerts of the committed rules fire.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sqlite3
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import yaml

from exporter.collector import Collector
from exporter.reporting.from_sockets import FromSockets
from exporter.reporting.keeper import Keeper
from tests.doubles.bots import DeployedBot
from tests.exporter.api.office import Office
from tests.prometheus.promtool import INSTANCE, RULES, SCRAPE, rule_groups, token

BOT = "arb"
LONGEST = 20.0
Alerts = Counter[tuple[str, str]]
"""How many alerts fire, by name and severity."""

_NAMES = re.compile(r"\btradebot_\w+")


class _Told(list[dict[str, Any]]):
    """The events, each given on to the keeper as well."""

    def __init__(self, keeper: Keeper) -> None:
        super().__init__()
        self._keeper = keeper

    def append(self, event: dict[str, Any]) -> None:
        super().append(event)
        self._keeper.events.record(**event)


class LyingOffice(Office):
    """An office of one bot of tier live, with a real keeper."""

    def __init__(self, folder: Path, bot: DeployedBot) -> None:
        super().__init__(folder, {BOT: bot})
        self.bot, self.link = bot, self.links[BOT]
        self.view = self.link.view
        self.view._tier = "live"  # as exporter.yml would name it
        self.keeper = Keeper(self.config.reporting_db, clock=lambda: self.now, pace=0.01)
        self.events = _Told(self.keeper)
        self.keeper.add(*self.console.jobs)
        self._sockets = FromSockets([self.view], self.keeper.events.record)
        self.link.listen(self._sockets.heard)
        self.keeper.add(*self._sockets.jobs)
        self._began = self.now
        self._collector = Collector([self.view], lambda: self.now)
        self._wanted = frozenset(_NAMES.findall("".join(path.read_text() for path in RULES)))
        self._scrapes: list[dict[str, float]] = []

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """With the keeper at work, until everything is written."""
        task = asyncio.create_task(self.keeper.run())
        try:
            yield
            async with asyncio.timeout(LONGEST):
                while self.keeper.events.pending or any(job.due(self.now) for job in self.console.jobs):
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def seconds(self, count: float) -> None:
        """Let time pass, with cycles, looks at what was ordered, and scrapes in it."""
        for _ in range(round(count / SCRAPE)):
            await self.pass_time(SCRAPE, every=SCRAPE)
            self._scrape()

    def lose_the_link(self) -> None:
        """The connection ends."""
        self.link.answers = False
        self.view.disconnected(self.now, "connection reset by the bot")
        self._sockets.linked(self.view, self.now)

    def link_again(self) -> None:
        """The bot is connected to again."""
        self.link.answers = True
        self.view.connected(self.now)
        self._sockets.linked(self.view, self.now)
        self.console.bots[BOT].kill.opened()

    async def kill_state(self) -> dict[str, Any]:
        """How its kill stands, as anybody may ask."""
        answer: dict[str, Any] = (await self.get(f"/bots/{BOT}")).json()["kill"]
        return answer

    async def command_state(self, command_id: str) -> dict[str, Any]:
        """What became of a command, as anybody may ask."""
        answer: dict[str, Any] = (await self.get(f"/bots/{BOT}/commands/{command_id}")).json()
        return answer

    def rows(self, query: str) -> list[Any]:
        """What the reporting database answers."""
        with contextlib.closing(sqlite3.connect(f"file:{self.config.reporting_db}?mode=ro", uri=True)) as db:
            return db.execute(query).fetchall()

    def must_fire(self, promtool: str, folder: Path, expected: Alerts) -> None:
        """Have promtool say that of the control alerts exactly these fire now; reminders are left out."""
        end = len(self._scrapes) * SCRAPE - 1
        firing = (
            'count by (alertname, severity) (ALERTS{alertstate="firing",area="control",severity!="info"})'
        )
        samples = [
            {"labels": f'{{alertname="{name}",severity="{severity}"}}', "value": count}
            for (name, severity), count in sorted(expected.items())
        ]
        test = {
            "interval": f"{SCRAPE}s",
            "input_series": list(self._series()),
            "promql_expr_test": [{"expr": firing, "eval_time": f"{end}s", "exp_samples": samples}],
        }
        file = folder / "lying.yml"
        whole = {
            "rule_files": [str(path) for path in RULES],
            "evaluation_interval": f"{SCRAPE}s",
            "group_eval_order": [group["name"] for group in rule_groups()],
            "tests": [test],
        }
        file.write_text(yaml.safe_dump(whole, width=10**6))
        done = subprocess.run(
            [promtool, "test", "rules", str(file)], check=False, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"

    def _scrape(self) -> None:
        found = {}
        for family in self._collector.families():
            if family.name not in self._wanted:
                continue
            for name, labels, values, value in family.samples():
                pairs = {"instance": INSTANCE, "job": "tradebot", **dict(zip(labels, values, strict=True))}
                series = ",".join(f'{label}="{text}"' for label, text in pairs.items())
                # promtool's clock begins at 0.
                found[f"{name}{{{series}}}"] = value - self._began if "_timestamp_" in name else value
        self._scrapes.append(found)

    def _series(self) -> Any:
        for name in sorted({name for scrape in self._scrapes for name in scrape}):
            values = " ".join(token(scrape.get(name)) for scrape in self._scrapes)
            yield {"series": name, "values": values}
