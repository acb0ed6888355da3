"""`python -m exporter incident`: makes the zip for a post-mortem, whether the exporter runs or not."""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
import sys
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from exporter.config import Config
from exporter.errors import ExporterError
from exporter.incident import bundle, recordings, tables
from exporter.incident.span import Span, moment
from exporter.reporting.archive import Progress, token_files
from exporter.reporting.database import open_sync

DONE: Final = 0
NOT_WHOLE: Final = 1
"""The exit code where the zip was made and something could not be read, or the chain is broken."""

STANDARD_OUTPUT: Final = Path("-")
MOMENTS: Final = ("--from", "--to")
SHORTEST_TOKEN: Final = 8
"""What is shorter than this is no token of ours, and would be cut out of ordinary words."""


class IncidentUnusable(ExporterError):  # noqa: N818 - named for what it is
    """No zip can be made; the text says why and what to do."""


def add(command: argparse.ArgumentParser) -> None:
    """Add its arguments."""
    command.description = (
        "Makes a zip for a post-mortem: what went over the bots' links, decisions, fills, orders, positions,"
        " commands, kills, changes of settings, alerts, the audit trail with a verdict on its chain,"
        " versions, a draft timeline, and the SHA-256 of each. Times are 2026-11-20T17:00Z,"
        " '2026-11-20 17:00' (which is UTC), epoch seconds, -2h (or s, m, d) and now."
    )
    command.add_argument(
        "--from", dest="start", required=True, metavar="TIME", help="its beginning, such as -2h"
    )
    command.add_argument("--to", dest="end", default="now", metavar="TIME", help="its end (default: now)")
    command.add_argument("--bot", metavar="BOT", help="one bot (default: all)")
    command.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the zip to make; - for standard output (default: incident-….zip here)",
    )
    command.add_argument("--json", action="store_true", help="answer with the manifest as JSON")


def joined(words: Sequence[str]) -> list[str]:
    """The words with each moment that begins with a minus joined to its option, which else looks like one."""
    found: list[str] = []
    for word in words:
        if found and found[-1] in MOMENTS and word[:1] == "-" and word[1:2].isdecimal():
            found[-1] += f"={word}"
        else:
            found.append(word)
    return found


def incident(config: Config, options: argparse.Namespace) -> int:
    """Make the zip."""
    now = time.time()
    try:
        span = Span(moment(options.start, now), moment(options.end, now))
    except ValueError as error:
        raise IncidentUnusable(f"{error}.") from error
    _is_there(config, options.bot)
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(span.start))
    out = options.out or Path(f"incident-{options.bot or 'all'}-{stamp}.zip")
    made = bundle.Incident(span, options.bot, now)
    told = sys.stdout
    if out == STANDARD_OUTPUT:
        told = sys.stderr
        _through_a_pipe(config, made)
    else:
        _write(config, out, made)
    rows = sum(member.rows for name, member in made.files.items() if name != bundle.TIMELINE)
    says = [f"{out}: {span}, {rows:,} rows in {len(made.files)} files, and {bundle.MANIFEST}."]
    says += [f"  {line}" for line in (*made.chain, *made.missing)]
    text = json.dumps(made.manifest(), indent=2) if options.json else "\n".join(says)
    print(text, file=told)
    return NOT_WHOLE if made.faults or made.whole is False else DONE


def _write(config: Config, out: Path, made: bundle.Incident) -> None:
    """Write the zip in one step: what stands under its name is whole."""
    if out.exists():
        raise IncidentUnusable(f"{out} is there already; remove it, or choose another with --out FILE.")
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as file:
            _zip(config, file, made)
        part.replace(out)
    except OSError as error:
        raise IncidentUnusable(
            f"{out} cannot be written: {error.strerror or error}; choose another place with --out FILE."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _through_a_pipe(config: Config, made: bundle.Incident) -> None:
    """Write the zip to standard output, as out of a container."""
    if sys.stdout.isatty():
        raise IncidentUnusable("--out - writes the zip to standard output: send that to a file (> x.zip).")
    try:
        _zip(config, sys.stdout.buffer, made)
    except OSError as error:
        raise IncidentUnusable(f"the zip cannot be written: {error.strerror or error}.") from error


def _zip(config: Config, file: IO[bytes], made: bundle.Incident) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        filled = bundle.Bundle(archive, made, _tokens(config))
        bundle.fill(filled, config.reporting_db, Progress(_progress, "gathered"))
        filled.manifest()


def _is_there(config: Config, bot: str | None) -> None:
    """Raise where there is nothing to gather from, or no such bot has ever been."""
    folder = config.reporting_db.parent
    if not config.reporting_db.exists() and not any(folder.glob(recordings.PATTERN)):
        raise IncidentUnusable(
            f"neither {config.reporting_db} nor a flight recording is there; the exporter makes them while it"
            " runs: is this its settings file (--config FILE), and may you read its folder?"
        )
    if bot is None:
        return
    known = {each.name for each in config.bots}
    if bot not in known:
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(open_sync(config.reporting_db, read_only=True)) as db,
        ):
            known |= tables.bots(db)
    if bot not in known:
        raise IncidentUnusable(
            f"no bot {bot!r} in the settings or the history; there is {', '.join(sorted(known))}."
        )


def _tokens(config: Config) -> list[str]:
    """The tokens of the settings, as far as they can be read here, to be kept out."""
    found = []
    for path in token_files(config.tokens).values():
        with contextlib.suppress(OSError, UnicodeDecodeError):
            found.append(path.read_text().strip())
    return [token for token in found if len(token) >= SHORTEST_TOKEN]


def _progress(text: str) -> None:
    print(f"…     {text}", file=sys.stderr, flush=True)  # noqa: T201
