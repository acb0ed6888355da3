"""The files that an exporter leaves behind, made for a test: a reporting database and flight recordings."""

import json
import sqlite3
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from exporter.flight_recorder import FlightRecorder
from exporter.reporting import schema
from exporter.reporting.chain import COLUMNS, digest
from tests.doubles.messages import T0

TOKEN = "Inc-ann-Zx81LmQ0ra7T"


class Left:
    """A folder with a settings file for `arb` and `other`, and what was recorded of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "exporter.yml"
        self.database = folder / "reporting.db"
        (folder / "ann").write_text(f"{TOKEN}\n")
        bots = [{"name": name, "kind": "arb", "port": 9000 + n} for n, name in enumerate(("arb", "other"))]
        named = {"operators": {"ann": str(folder / "ann")}}
        settings = {"reporting_db": str(self.database), "tokens": named, "bots": bots}
        self.settings.write_text(yaml.safe_dump(settings))

    def with_database(self) -> "Left":
        with closing(sqlite3.connect(self.database)) as db:
            schema.create(db)
        return self

    def put(self, table: str, **row: Any) -> None:
        """A row of a table; what is not named is NULL."""
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        with closing(sqlite3.connect(self.database)) as db, db:
            db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))

    def happened(self, at: float, kind: str = "command", **told: Any) -> None:
        """An event, chained to those before it."""
        with closing(sqlite3.connect(self.database)) as db, db:
            last = db.execute("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1").fetchone() or (0, "")
            texts = dict.fromkeys(("bot", "who", "source", "what", "why"), "")
            nothing = dict.fromkeys(("before", "after", "answer", "proof", "latency", "data"))
            row = {"seq": last[0] + 1, "at": at, "kind": kind, "severity": "info", **texts, **nothing, **told}
            row = {name: row[name] for name in COLUMNS[:-2]}
            values = (*row.values(), last[1], digest(row, last[1]))
            db.execute(f"INSERT INTO events VALUES ({', '.join('?' * len(values))})", values)

    async def recorded(self, at: float, *lines: tuple[float, Mapping[str, Any]], bot: str = "arb") -> Path:
        """A flight recording of what came at these times, written at `at`."""
        recorder = FlightRecorder(self.folder, [bot], clock=lambda: at)
        for came, message in lines:
            recorder.record(bot, "in", json.dumps(message).encode(), came)
        return await recorder.dump(bot, "a test")


def fill(number: int, at: float, bot: str = "arb", pnl: float = 0.5, **more: Any) -> dict[str, Any]:
    """A row of `fills`."""
    return {
        "bot": bot,
        "generation": 1,
        "id": number,
        "timestamp": at,
        "kind": "cross",
        "filled_contracts": 10,
        "realized_pnl": pnl,
        "venue": "kalshi",
        **more,
    }


def read(file: Path) -> dict[str, Any]:
    """The members of a zip: texts, JSON, and lists of rows by name."""
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    return {
        name: [json.loads(line) for line in text.splitlines()]
        if name.endswith(".jsonl")
        else json.loads(text)
        if name.endswith(".json")
        else text
        for name, text in texts.items()
    }


SPAN = ("--from", str(T0), "--to", str(T0 + 3600))
