"""An exporter with named people, bots behind it, and a shell from which it is asked; all real processes."""

import json
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from tests.stack.processes import HOST, ROOT, Program, free_port, python, wait_until

TOKENS = {
    "ann": "sh-ann-1w9XyQ4mTzRk7",
    "bob": "sh-bob-6LrVb2NpHc0Qe",
    "wall": "sh-wall-Jd8sMw3fKt5a",
    "grafana": "sh-graf-Yq7uB1xEo4Lp9",
    "alertmanager": "sh-alrt-Nz5cG8vWi2Ds6",
}
LONGEST = 90.0


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        """Its answer, where it was asked for as JSON."""
        return json.loads(self.out)


class Stand:
    """Settings, tokens and data in `folder`; `bots` are entries of exporter.yml by name, without it."""

    def __init__(self, folder: Path, bots: Mapping[str, Mapping[str, Any]], **more: Any) -> None:
        self.folder = folder
        self.port = free_port()
        self.settings = folder / "exporter.yml"
        self.database = folder / "data" / "reporting.db"
        for name, token in TOKENS.items():
            (folder / name).write_text(f"{token}\n")
        self.write(bots, **more)
        self._program: Program | None = None

    def write(self, bots: Mapping[str, Mapping[str, Any]], **more: Any) -> None:
        """Write the settings, as the next exporter and the shell will read them."""
        settings = {
            "listen": {"host": HOST, "port": self.port},
            "reporting_db": str(self.database),
            "tokens": {
                "operators": {"ann": str(self.folder / "ann"), "bob": str(self.folder / "bob")},
                "viewers": {"wall": str(self.folder / "wall")},
                "grafana": str(self.folder / "grafana"),
                "alertmanager": str(self.folder / "alertmanager"),
            },
            "grafana_users": ["admin"],
            "bots": [{"name": name, "kind": "arb", **entry} for name, entry in bots.items()],
            **more,
        }
        self.settings.write_text(yaml.safe_dump(settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the exporter; it is ready then."""
        command = python("-m", "exporter", "--config", self.settings)
        self._program = Program(command, self.folder / "exporter.log")
        wait_until(lambda: self._get("/-/ready") == "ready\n", "the exporter to be ready")

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._program is not None:
            self._program.stop()

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._program is not None
        self._program.send(number)

    def fresh(self, *names: str) -> None:
        """Wait until the exporter has a fresh state of each of these bots."""
        wait_until(
            lambda: all(f'\ntradebot_up{{bot="{name}"}} 1' in self._get("/metrics") for name in names),
            f"states of {', '.join(names)}",
        )

    def shell(
        self, *words: str, settings: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> Said:
        """Run a command; nothing can be typed."""
        began = time.monotonic()
        done = subprocess.run(
            self._command(words, settings),
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    def typing_the_code(self, *words: str) -> Said:
        """Run a command at a terminal, where a person types the code as soon as it is shown."""
        began = time.monotonic()
        person, terminal = pty.openpty()
        process = subprocess.Popen(
            self._command(words, None),
            cwd=ROOT,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        os.close(terminal)
        try:
            assert process.stderr is not None
            seen = b""
            while (code := re.search(rb"code (\d{4})\n", seen)) is None:
                assert select.select([process.stderr], [], [], LONGEST)[0]
                piece = os.read(process.stderr.fileno(), 65_536)
                assert piece, seen
                seen += piece
            os.write(person, code[1] + b"\n")
            out, err = process.communicate(timeout=LONGEST)
        finally:
            process.kill()
            os.close(person)
        return Said(process.returncode, out.decode(), (seen + err).decode(), time.monotonic() - began)

    def code(self, bot: str, **asked_as: str) -> str:
        """The code that stands on the panel for a bot, as scripts find it."""
        (shown,) = self.shell("status", bot, "--json").json["codes"]
        code: str = shown["code"]
        return code

    def rows(self, query: str, *values: object) -> list[Any]:
        """What the reporting database answers."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query, values).fetchall()

    def _command(self, words: Sequence[str], settings: Path | None) -> list[str]:
        return [str(word) for word in python("-m", "exporter", "--config", settings or self.settings, *words)]

    def _get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}{path}", timeout=10) as answer:
                text: str = answer.read().decode()
        except OSError:
            return ""
        return text
