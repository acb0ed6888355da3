"""Writes the zip of an incident: members one by one as they are read, each with its SHA-256, then a manifest.

What cannot be read is left out and said; nothing of a credential or of this console's tokens gets in.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import platform
import sqlite3
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from exporter import __version__
from exporter.flight_recorder import REMOVED
from exporter.incident import recordings, tables, timeline
from exporter.incident.span import Span, said
from exporter.incident.tables import TABLES, Row
from exporter.reporting.archive import Progress
from exporter.reporting.chain import COLUMNS, Head, Verdict, verify
from exporter.reporting.database import open_sync
from exporter.reporting.events import head_file, kept_head, verify_file

FORMAT: Final = 1
TIMELINE: Final = "timeline.md"
MANIFEST: Final = "manifest.json"
ALERT: Final = "alert"
"""How the kinds of events begin that tell of alerts and of their deliveries."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the zip."""

    says: str
    rows: int
    size: int
    sha256: str


@dataclass(slots=True)
class Incident:
    """What the zip holds, as its manifest says it. Times in epoch seconds."""

    span: Span
    bot: str | None
    made_at: float
    files: dict[str, Member] = field(default_factory=dict)
    recordings: list[Mapping[str, object]] = field(default_factory=list)
    sessions: list[Mapping[str, object]] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)
    """What a look at the whole chain of events, and at the part of it that is here, said."""
    head: str = ""
    whole: bool | None = None
    """Whether no event was changed, removed, put in or moved; None where that is not known."""
    notes: list[str] = field(default_factory=list)
    """What there was none of."""
    faults: list[str] = field(default_factory=list)
    """What is missing because it could not be read."""

    @property
    def missing(self) -> list[str]:
        """What is not in it, and why."""
        return self.faults + self.notes

    def manifest(self) -> dict[str, object]:
        """The same as JSON has it."""
        return {
            "format": FORMAT,
            "made_at": self.made_at,
            "made_at_utc": said(self.made_at),
            "from": self.span.start,
            "to": self.span.end,
            "from_utc": said(self.span.start),
            "to_utc": said(self.span.end),
            "bot": self.bot,
            "versions": {
                "exporter": __version__,
                "python": platform.python_version(),
                "sqlite": sqlite3.sqlite_version,
                "bots": self.sessions,
            },
            "recordings": self.recordings,
            "events": {"whole": self.whole, "head": self.head, "says": self.chain},
            "missing": self.missing,
            "files": {name: asdict(member) for name, member in self.files.items()},
        }


class Bundle:
    """One zip under way. `secrets` are texts that get into no member."""

    def __init__(self, archive: zipfile.ZipFile, incident: Incident, secrets: Iterable[str]) -> None:
        self._archive = archive
        self._secrets = [json.dumps(secret)[1:-1] for secret in secrets]
        self.incident = incident

    def rows(self, name: str, says: str, found: Iterable[Mapping[str, Any]]) -> None:
        """A member with a JSON object a line."""
        self._write(name, says, (json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in found))

    def text(self, name: str, says: str, text: str) -> None:
        """A member that is a text."""
        self._write(name, says, [text])

    def manifest(self) -> None:
        """The last member, which names the others."""
        text = json.dumps(self.incident.manifest(), indent=2)
        self._archive.writestr(MANIFEST, self._without_secrets(text))

    def _write(self, name: str, says: str, pieces: Iterable[str]) -> None:
        digest, size, count = hashlib.sha256(), 0, 0
        with self._archive.open(name, "w", force_zip64=True) as member:
            try:
                for piece in pieces:
                    data = self._without_secrets(piece).encode("utf-8", "backslashreplace")
                    digest.update(data)
                    size, count = size + len(data), count + 1
                    member.write(data)
            except sqlite3.Error as error:
                self.incident.faults.append(f"{name} is not whole: the reporting database says {error}")
        self.incident.files[name] = Member(says, count, size, digest.hexdigest())

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, REMOVED)
        return text


def fill(bundle: Bundle, database: Path, progress: Progress) -> None:
    """Write everything into a bundle: what went over the links, the rows, the events, the timeline."""
    incident = bundle.incident
    steps = len(TABLES) + 3
    found = recordings.overlapping(database.parent, incident.span, incident.bot)
    count = max(1, len(found.recordings))
    bundle.rows(
        "messages.jsonl",
        "what went over the bots' links, from flight recordings: raw states, commands, answers",
        recordings.messages(found, incident.span, lambda done: progress(done / count / steps)),
    )
    incident.recordings = [
        {"file": each.path.name, "bot": each.bot, "at": each.at, "why": each.why, "exporter": each.exporter}
        for each in found.recordings
    ]
    incident.faults += found.faults
    if not found.recordings:
        incident.notes.append("no flight recording overlaps this time: there are no raw states")
    try:
        with contextlib.closing(open_sync(database, read_only=True)) as db:
            _from_database(bundle, db, database, lambda done: progress((done + 1) / steps))
    except sqlite3.Error as error:
        incident.faults.append(f"the reporting database {database.name} cannot be read: {error}")


def _from_database(
    bundle: Bundle, db: sqlite3.Connection, database: Path, progress: Callable[[float], None]
) -> None:
    incident = bundle.incident
    span, bot = incident.span, incident.bot
    bursts = timeline.Bursts()
    kept: dict[str, list[Row]] = {"kills": [], "commands": [], "sessions": []}
    for number, table in enumerate(TABLES):
        watched = _watched(tables.rows(db, table, span, bot), table.name, bursts, kept, span)
        bundle.rows(f"{table.name}.jsonl", table.says, watched)
        progress(number + 1)
    incident.sessions = [
        {name: row[name] for name in ("bot", "session", "version", "mode", "simulated", "began", "ended")}
        for row in kept["sessions"]
    ]
    events = list(tables.events(db, span))
    bundle.rows("events.jsonl", "the audit trail with its hashes, of all bots: the chain has no hole", events)
    alerts = [
        row for row in events if str(row["kind"]).startswith(ALERT) and row["bot"] in {bot or row["bot"], ""}
    ]
    bundle.rows("alerts.jsonl", "the events among them that tell of alerts and their deliveries", alerts)
    progress(len(TABLES) + 1)
    _judge(incident, events, database)
    lines = [
        *timeline.of_events(events, bot),
        *timeline.of_rows_without_event(kept["kills"], kept["commands"], events, span.start),
        *(burst.line() for burst in bursts.done),
    ]
    bundle.text(TIMELINE, "a draft of the timeline", document(incident, lines))


def _watched(
    rows: Iterable[Row], name: str, bursts: timeline.Bursts, kept: Mapping[str, list[Row]], span: Span
) -> Iterator[Row]:
    """The same rows; what the timeline needs of them is taken in as they pass."""
    for row in rows:
        if name == "fills" and span.start <= row["timestamp"] < span.end:
            bursts.add(row)
        if name in kept:
            kept[name].append(row)
        yield row


def _judge(incident: Incident, events: list[Row], database: Path) -> None:
    """Look at the part of the chain that is here, and at all of it."""
    known = kept_head(head_file(database))
    try:
        found = verify_file(database, [] if known is None else [known])
    except sqlite3.Error as error:
        incident.chain.append(f"the whole chain cannot be read: {error}")
    else:
        incident.head, incident.whole = str(found.head), not found.total
        incident.chain.append(f"the whole chain, {found.head.count} events: {_verdict(found)}")
    if events:
        before = Head(int(events[0]["seq"]) - 1, str(events[0]["previous"]))
        here = verify(([row[name] for name in COLUMNS] for row in events), after=before)
        if here.total:
            incident.whole = False
        incident.chain.append(f"the {len(events)} events that are here: {_verdict(here)}")


def _verdict(found: Verdict) -> str:
    if not found.total:
        return "none changed, removed, put in or moved"
    more = f"; and {found.total - len(found.faults)} more" if found.total > len(found.faults) else ""
    return "; ".join(found.faults) + more


def document(incident: Incident, lines: Iterable[timeline.Line]) -> str:
    """The timeline's file: what it is about, what is missing, and the lines."""
    out = io.StringIO()
    about = incident.bot or "all bots"
    out.write(f"# Incident: {about}, {incident.span}\n\n")
    out.write(
        f"A draft, made {said(incident.made_at)} by exporter {__version__} from what was recorded. All times"
        " are UTC, by the clock of the exporter; of fills by that of the bot. What people saw, decided and"
        " did elsewhere is not in it.\n\n"
    )
    for name, member in incident.files.items():
        out.write(f"- `{name}`: {member.rows} rows; {member.says}\n")
    out.write("\n## The audit trail\n\n")
    out.writelines(f"- {says}\n" for says in incident.chain)
    if incident.missing:
        out.write("\n## What is missing\n\n")
        out.writelines(f"- {says}\n" for says in incident.missing)
    out.write(f"\n## Timeline\n\n{timeline.rendered(lines)}")
    return out.getvalue()
