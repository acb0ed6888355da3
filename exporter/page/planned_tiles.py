"""What the page says of planned quiet: of a bot, past its end, and of a bot's venues. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from exporter.figures import duration
from exporter.page.parts import Tile
from exporter.planned import BOT, SCHEDULE, Planned
from exporter.sight import Sight

BY: Final = {SCHEDULE: "by its schedule", BOT: "by the bot's own word"}


def planned_tiles(sight: Sight) -> Iterator[Tile]:
    """A tile for the quiet that holds or is overrun, one for the venues that are quiet; none without any."""
    if (quiet := sight.quiet) is not None:
        yield Tile("PLANNED QUIET", f"until {quiet.until_text}", _whose(quiet), "planned")
    elif (missed := sight.overrun) is not None:
        late = duration(sight.now - missed.until)
        was = f"planned until {missed.until_text} · {_whose(missed)}"
        yield Tile("PLANNED QUIET", f"OVERRUN {late}", was, "act")
    quiet_venues = [(venue, quiet) for venue, quiet in sight.venues.items() if quiet is not None]
    if quiet_venues:
        says = " · ".join(
            f"{venue} until {quiet.until_text}: {_whose(quiet)}" for venue, quiet in quiet_venues
        )
        value = ", ".join(venue for venue, _ in quiet_venues)
        yield Tile("QUIET VENUES", value, says, "planned")


def _whose(quiet: Planned) -> str:
    return f"{quiet.reason}, {BY.get(quiet.by, f'ordered by {quiet.by}')}"
