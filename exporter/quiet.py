"""Which planned quiet holds for a bot and for its venues, and whether a bot stays away past its end.

Pure. A bot's quiet is planned by its schedule, by somebody's order (maintenance), or for two minutes by its
own goodbye. A venue's quiet concerns that venue's market data alone: the bot itself is expected. The schedule
plans it, or the bot announces it in a state that is fresh.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from exporter.exchanges import Closed
from exporter.link import RESTART_ALLOWANCE_SECONDS, Goodbye
from exporter.planned import BOT, SCHEDULE, Planned
from exporter.schedule import planned

if TYPE_CHECKING:
    from exporter.sight import Sight
    from exporter.state import State
    from exporter.view import BotView

LONGEST_ANNOUNCED_SECONDS: Final = 7 * 86_400.0

_UTC: Final = ZoneInfo("UTC")


def planned_quiet(view: BotView, now: float) -> Planned | None:
    """The quiet that holds for a bot at `now` by its schedule or by somebody's order.

    So is a goodbye that an earlier run of this program heard, until this one has reached the bot; and what it
    planned by a calendar, until this one has read that.
    """
    ordered = () if view.maintenance is None else (view.maintenance.planned,)
    last = view.last_quiet
    if last is not None and (
        (last.by == BOT and not view.link.ever_opened) or (last.by == SCHEDULE and _waits_for_calendar(view))
    ):
        ordered = (*ordered, last)
    return planned(view.schedule, now, ordered)


def _waits_for_calendar(view: BotView) -> bool:
    return any(isinstance(entry, Closed) and not entry.is_known for entry in view.schedule)


def after_goodbye(goodbye: Goodbye | None) -> Planned | None:
    """The minutes in which a bot that said goodbye may be away."""
    if goodbye is None:
        return None
    return Planned(
        goodbye.at, goodbye.at + RESTART_ALLOWANCE_SECONDS, f"stopped: {goodbye.reason}", _UTC, BOT
    )


def overrun(sight: Sight) -> Planned | None:
    """The planned quiet that ended last, while the bot was not up since; None while another one holds."""
    last = sight.view.last_quiet
    if last is None or sight.quiet is not None or sight.now < last.until:
        return None
    seen = _last_up(sight)
    return last if seen is None or seen < last.until else None


def _last_up(sight: Sight) -> float | None:
    """When the bot was last known to be connected with a fresh state; None where no state ever came."""
    view = sight.view
    if view.state_at is None:
        return None
    return min(view.link.gone_since(sight.now), view.state_at + view.cadence.stale_after)


def venues(sight: Sight) -> Mapping[str, Planned | None]:
    """By every venue that the bot or its schedule has named, the quiet that holds for it."""
    scheduled = {
        sight.view.labels.venue(name): entries for name, entries in sight.view.venue_schedule.items()
    }
    announced = _announced(sight)
    return {
        venue: planned(scheduled.get(venue, ()), sight.now, announced.get(venue, ()))
        for venue in sorted({*scheduled, *_named(sight.view.state)})
    }


def _announced(sight: Sight) -> Mapping[str, tuple[Planned]]:
    """The pauses that a fresh state names, one without an end within a week left out.

    Nor is one believed that was put off again and again for a week: it would hide a venue for good.
    """
    live, heard, since = sight.live, sight.view.state_at, sight.view.announced
    if live is None or heard is None:
        return {}
    return {
        venue: (Planned(min(heard, sight.now), until, reason, _UTC, BOT),)
        for venue, (until, reason) in live.paused_until.items()
        if max(until - heard, sight.now - since[venue]) <= LONGEST_ANNOUNCED_SECONDS
    }


def _named(state: State | None) -> Iterator[str]:
    """The venues that a state names, whatever its age; some may come twice."""
    if state is None:
        return
    figures = (state.cash, state.locked_capital, state.working_orders, state.quote_age, state.rejects)
    for by_venue in (*figures, state.stream_status, state.paused_until):
        yield from by_venue or ()
