"""The draft of a post-mortem's timeline: one line for each event and each burst of fills. Pure.

Kills and commands stand among the events; one whose event is not there (the database was away when it was
sent) gets a line from its own row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exporter.incident.span import said

BURST_SECONDS: Final = 60.0
"""Fills of one bot that are closer together than this are one line."""
LONGEST: Final = 300
_BREAKS: Final = re.compile(r"\s+")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when, which bot, who did it from where, what, and what proves it."""

    at: float
    bot: str
    who: str
    what: str
    proof: str = ""


@dataclass(slots=True)
class Burst:
    """Fills of one bot close together, summed as they come."""

    bot: str
    first_at: float
    last_at: float
    fills: int = 0
    contracts: int = 0
    pnl: float = 0.0
    first_id: object = None
    last_id: object = None

    def line(self) -> Line:
        """The burst as a line."""
        for_how_long = f" within {self.last_at - self.first_at:.0f} s" if self.fills > 1 else ""
        count = f"{self.fills} fill{'s' if self.fills > 1 else ''}{for_how_long}"
        what = f"{count}: {self.contracts} contracts, {money(self.pnl)}"
        ids = f"{self.first_id} to {self.last_id}" if self.fills > 1 else f"{self.first_id}"
        return Line(self.first_at, self.bot, "bot", what, f"fills.jsonl, id {ids}")


class Bursts:
    """Sums fills, which come in the order of time, into bursts."""

    def __init__(self) -> None:
        self._open: dict[str, Burst] = {}
        self.done: list[Burst] = []

    def add(self, row: Row) -> None:
        """Take in a fill."""
        bot, at = str(row["bot"]), float(row["timestamp"])
        burst = self._open.get(bot)
        if burst is None or at - burst.last_at > BURST_SECONDS:
            burst = self._open[bot] = Burst(bot, at, at, first_id=row["id"])
            self.done.append(burst)
        burst.last_at, burst.last_id = at, row["id"]
        burst.fills += 1
        burst.contracts += row["filled_contracts"] or 0
        burst.pnl += row["realized_pnl"] or 0.0


def of_events(events: Iterable[Row], bot: str | None) -> Iterator[Line]:
    """Lines of events, of one bot and of none, or of all."""
    for row in events:
        if bot is not None and row["bot"] not in {bot, ""}:
            continue
        what = f"**{row['what']}**" if row["severity"] == "critical" else str(row["what"])
        if row["before"] is not None or row["after"] is not None:
            what += f" ({row['before']} → {row['after']})"
        if row["why"]:
            what += f": {row['why']}"
        proof = f"event {row['seq']}" + (f"; {row['proof']}" if row["proof"] else "")
        if row["latency"] is not None:
            proof += f"; after {row['latency']:.2f} s"
        yield Line(row["at"], row["bot"], _who(row), what, proof)


def of_rows_without_event(
    kills: Sequence[Row], commands: Sequence[Row], events: Iterable[Row], start: float
) -> Iterator[Line]:
    """Lines of kills and commands since `start` that no event names."""
    named = {identity for row in events for identity in _named(row)}
    for row in kills:
        if row["id"] not in named and row["sent_at"] >= start:
            what = f"**kill ordered**{_why(row)}; it is {row['state']}"
            yield Line(row["sent_at"], row["bot"], _who(row), what, f"kills.jsonl, id {row['id']}")
    for row in commands:
        if row["id"] not in named and row["sent_at"] >= start:
            what = f"{row['command']}{_why(row)}; it is {row['state']}: {row['seen']}"
            yield Line(row["sent_at"], row["bot"], _who(row), what, f"commands.jsonl, id {row['id']}")


def rendered(lines: Iterable[Line]) -> str:
    """The lines as a table of Markdown, in the order of time."""
    head = "| time (UTC) | bot | who | what | proof |\n|---|---|---|---|---|\n"
    rows = (
        f"| {said(line.at).removesuffix(' UTC')} | {_cell(line.bot)} | {_cell(line.who)} |"
        f" {_cell(line.what)} | {_cell(line.proof)} |\n"
        for line in sorted(lines, key=lambda line: line.at)
    )
    return head + "".join(rows)


def money(usd: float) -> str:
    """An amount with its sign."""
    return f"{'-' if usd < 0 else '+'}${abs(usd):,.2f}"


def _cell(text: str) -> str:
    """A text that cannot leave its cell: on one line, of bounded length, with nothing that Markdown takes."""
    line = _BREAKS.sub(" ", text).strip()
    line = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    return line.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")


def _who(row: Row) -> str:
    who, source = row["who"] or "", row["source"] or ""
    return f"{who} ({source})" if who and source and f"({source})" not in who else who or source


def _why(row: Row) -> str:
    return f": {row['reason']}" if row["reason"] else ""


def _named(row: Row) -> Iterator[str]:
    """The ids of kills and commands that an event names."""
    try:
        data = json.loads(row["data"] or "{}")
    except ValueError:
        return
    for name in ("kill_id", "command_id"):
        if isinstance(data, dict) and isinstance(identity := data.get(name), str):
            yield identity
