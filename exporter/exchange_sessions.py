"""Prints the sessions of exchanges as JSON: a program of its own, so that pandas never stays in the exporter.

    python exchange_sessions.py XNYS XHKG  ->  {"XNYS": {"opens": [...], "closes": [...]}, ...}

Times are whole epoch seconds, from a month ago to as far ahead as the library says that it knows: a year, or
to the end of the year for which an exchange has published its holidays. A session with a break makes two.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

BEHIND = timedelta(days=30)
"""So that a closing of more than a week that has begun is known from its beginning."""


def sessions(code: str, start: str, end: str | None = None) -> Iterator[tuple[int, int]]:
    """Opening and closing of each session between two dates; without an end, of all that are known."""
    import exchange_calendars  # noqa: PLC0415 - not before `main` has said how many threads it may start

    calendar = exchange_calendars.get_calendar(code, start=start, end=end)
    table = calendar.schedule[["open", "break_start", "break_end", "close"]]
    for opens, pauses, resumes, closes in table.itertuples(index=False):
        if pauses == pauses:  # noqa: PLR0124 - pandas' "no time" is not equal to itself
            yield int(opens.timestamp()), int(pauses.timestamp())
            opens = resumes  # noqa: PLW2901 - the rest of the same day
        yield int(opens.timestamp()), int(closes.timestamp())


def main() -> None:
    """Print the sessions of the exchanges that are named."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # else one a core, more than a container may let it have
    start = (datetime.now(UTC) - BEHIND).strftime("%Y-%m-%d")
    found = {}
    for code in sys.argv[1:]:
        opens, closes = zip(*sessions(code, start), strict=True)
        found[code] = {"opens": opens, "closes": closes}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
