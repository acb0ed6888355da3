"""Reads the notification table (exporter/notifications.yml): who is told of what, and how.

The file belongs to the program: a fault in it is raised as ConfigError with all faults and their lines.
What asks it: `exporter.notifier` which events are recorded how and logged, `exporter.page.sounding` what
sounds; a test holds the rules of Prometheus against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from exporter import own_file
from exporter.config_faults import Fault

FILE: Final = Path(__file__).with_name("notifications.yml")

DASHBOARD, LOG, PUSH, SOUND = CHANNELS = ("dashboard", "log", "push", "sound")
KINDS: Final = ("arb", "ema")

Text = Annotated[str, Field(min_length=1)]


class Source(BaseModel):
    """Where an event comes from, for one kind of bot; one of the four, `verdicts` beside `alerts`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    alerts: tuple[Text, ...] = ()
    verdicts: tuple[Text, ...] = ()
    event: str = ""
    never: str = ""
    none_yet: str = ""

    def __str__(self) -> str:
        if self.alerts:
            return ", ".join(self.alerts)
        if self.event:
            return f"event {self.event}"
        return f"never: {self.never}" if self.never else f"none yet: {self.none_yet}"


class Row(BaseModel):
    """One event of the table, for every kind of bot."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    says: Text
    priority: Literal["info", "warning", "critical"]
    channels: tuple[Literal["dashboard", "log", "push", "sound"], ...]
    means: str = ""
    sources: dict[str, Source]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    events: dict[str, Row]


@dataclass(frozen=True, slots=True)
class Notifications:
    """The table; rows by name, in their order."""

    rows: Mapping[str, Row]

    def of_event(self, event: str, kind: str) -> Row | None:
        """The row of an event that this program records itself, for a kind of bot that has it."""
        for row in self.rows.values():
            source = row.sources.get(kind)
            if source is not None and source.event == event:
                return row
        return None

    def sounding_alerts(self) -> dict[str, str]:
        """The names of alerts that sound, each with its row's name."""
        return {
            alert: name
            for name, row in self.rows.items()
            if SOUND in row.channels
            for source in row.sources.values()
            for alert in source.alerts
        }

    def sounding_verdict(self, text: str, kind: str) -> str:
        """The name of the row whose words a verdict's text has and that sounds; empty where none does."""
        parts = text.split(", ")
        for name, row in self.rows.items():
            source = row.sources.get(kind)
            words = source.verdicts if source is not None and SOUND in row.channels else ()
            if any(part.startswith(words) for part in parts):
                return name
        return ""


@cache
def notifications() -> Notifications:
    """The table of the program; raises ConfigError where the file is missing or faulty."""
    return load(FILE)


def load(path: Path) -> Notifications:
    """Read and check a table; raises ConfigError with every fault, each with its line."""
    return Notifications(own_file.read(path, _File, Row.model_fields, _across).events)


def _across(content: _File) -> Iterator[Fault]:
    for name, row in content.events.items():
        yield from _of_row(("events", name), row)


def _of_row(place: tuple[str, str], row: Row) -> Iterator[Fault]:
    """What a row promises and its sources cannot keep."""
    if set(row.sources) != set(KINDS):
        yield Fault((*place, "sources"), f"expected one for each of {', '.join(KINDS)} and no other.")
    if SOUND in row.channels and row.priority != "critical":
        yield Fault((*place, "channels"), "only what is critical sounds.")
    for kind, source in row.sources.items():
        where = (*place, "sources", kind)
        if sum(map(bool, (source.alerts, source.event, source.never, source.none_yet))) != 1:
            yield Fault(where, "expected one of alerts, event, never, none_yet.")
        if source.verdicts and not source.alerts:
            yield Fault(where, "has verdicts without the alerts that they stand for.")
        if source.event and {PUSH, SOUND} & set(row.channels):
            yield Fault(where, "an event is recorded and not pushed: that takes an alert.")
        if source.alerts and PUSH not in row.channels:
            yield Fault(where, "an alert is always pushed.")


def printed(table: Notifications) -> str:
    """The table as `python -m exporter notifications` prints it."""
    heads = ("event", "priority", *CHANNELS, "source now")
    lines: list[tuple[str, ...]] = [heads]
    for row in table.rows.values():
        marks = tuple("yes" if channel in row.channels else "·" for channel in CHANNELS)
        sources = _by_source(row)
        lines.append((row.says, row.priority, *marks, sources[0]))
        lines += [("", "", *("" for _ in CHANNELS), more) for more in sources[1:]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _by_source(row: Row) -> list[str]:
    """What to say of the sources: once where it is the same for every kind of bot."""
    said = {kind: str(source) for kind, source in row.sources.items()}
    if len(set(said.values())) == 1:
        return [next(iter(said.values()))]
    return [f"{kind}: {text}" for kind, text in said.items()]
